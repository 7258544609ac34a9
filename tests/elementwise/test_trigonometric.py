"""sin, cos, tan and what shares their constants: angles of any size, the same bits, fusion."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp
from numpy.testing import assert_array_equal
from operands import FUNCTIONS, function_of

import vekt as vk
from vekt._core import native

# Of all doubles, this one is next to a multiple of pi/2 (J.-M. Muller, 2006).
NEAREST = 6381956970095103 * 2.0**797


def numbers(dtype: str) -> np.ndarray:
    """Every kind of number: bit patterns, those of every magnitude, near roots, at limits."""
    rng = np.random.default_rng(3)
    info = np.finfo(dtype)
    bits = rng.integers(0, 2**info.bits - 1, 4000, "uint64", endpoint=True)
    ends = [0.0, 1.0, info.tiny, info.smallest_subnormal, info.max, np.inf, np.nan, 2.0**40]
    parts = [
        bits.astype(f"uint{info.bits}").view(dtype),
        rng.uniform(-20, 20, 4000),
        np.arange(-300, 300) * (np.pi / 2),
        1 + rng.uniform(-0.1, 0.1, 1000),
        np.nextafter(np.array(ends, dtype), 0),
        ends,
        -np.array(ends),
    ]
    with np.errstate(all="ignore"):
        return np.concatenate([np.asarray(part).astype(dtype) for part in parts])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_same_bits_wherever_multiply_adds_are_fused(name: str, dtype: str) -> None:
    x = numbers(dtype)
    fused = [isa for isa in native.SUPPORTED if isa not in ("x86_v2", "generic")]
    first, *others = (function_of(name, isa)(x) for isa in fused or native.SUPPORTED[:1])
    number = ~np.isnan(first)
    for other in others:
        assert_array_equal(np.isnan(other), ~number)
        assert first[number].tobytes() == other[number].tobytes()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_element_alone_has_the_same_bits(isa: str, name: str) -> None:
    """Blocks with unusual elements take another path; positions and neighbours do not count."""
    function = function_of(name, isa)
    for dtype in ("f4", "f8"):
        x = numbers(dtype)[3900:4700]
        alone = np.array([function(v) for v in x], dtype)
        assert_array_equal(function(x), alone)
        assert_array_equal(function(x[::-3]), alone[::-3])
        in_place = x.copy()
        assert_array_equal(function(in_place, out=in_place), alone)
        assert_array_equal(function(np.broadcast_to(x[5], 100)), np.full(100, alone[5]))


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_of_any_size(isa: str, name: str) -> None:
    rng = np.random.default_rng(4)
    for dtype in ("f4", "f8"):
        top = np.finfo(dtype).maxexp
        sizes = np.ldexp(rng.uniform(1, 2, 200), rng.integers(-5, top, 200)).astype(dtype)
        roots = (np.arange(1, 120) * (np.pi / 2)).astype(dtype)
        far = (rng.integers(1, 2**38, 50) * (np.pi / 2)).astype(dtype)
        largest = np.array([np.finfo(dtype).max, NEAREST if dtype == "f8" else 16367173 * 2.0**72])
        x = np.concatenate([sizes, -roots, roots, far, largest.astype(dtype)])
        y = function_of(name, isa)(x)
        with mp.workprec(1400):
            for point, result in zip(x, y, strict=True):
                true = getattr(mp, name)(mp.mpf(float(point)))
                unit = float(np.spacing(np.abs(dtype_of(dtype)(float(true)))))
                bound = 2 if (name, dtype) == ("tan", "f8") else 1
                assert abs(mp.mpf(float(result)) - true) < bound * mp.mpf(unit), point


def dtype_of(name: str) -> type:
    return np.dtype(name).type


def test_what_stays(isa: str) -> None:
    sin, cos, tan = (function_of(name, isa) for name in ("sin", "cos", "tan"))
    for dtype in ("f4", "f8"):
        info = np.finfo(dtype)
        small = np.array([0.0, info.smallest_subnormal, info.tiny, info.tiny * 3], dtype)
        small = np.concatenate([small, -small])
        assert sin(small).tobytes() == tan(small).tobytes() == small.tobytes()
        assert_array_equal(cos(small), np.ones(8, dtype))
        with np.errstate(all="raise"):
            assert np.isnan(sin(np.array([np.inf, -np.inf, np.nan], dtype))).all()
            assert np.isnan(cos(np.array([np.inf, -np.inf, np.nan], dtype))).all()
            assert np.isnan(tan(np.array([np.inf, -np.inf, np.nan], dtype))).all()
    assert sin(np.float16(1)) == np.float16(np.sin(1))
    assert cos(3) == cos(3.0) == np.float64(-0.9899924966004454)
    assert_array_equal(sin(np.array([1j])), np.sin([1j]))


def test_fused_functions_have_the_bits_of_the_function_alone() -> None:
    x = numbers("f8")[4000:]
    for function in (vk.sin, vk.cos, vk.tan):
        assert_array_equal(vk.fuse(function)(x), function(x))
    assert_array_equal(vk.fuse(np.sin)(x[:500]), np.sin(x[:500]))
    assert_array_equal(vk.evaluate("sin(x) - cos(x)"), vk.sin(x) - vk.cos(x))
    y = np.linspace(-5, 5, 50, dtype="f4")
    assert vk.fuse(lambda x: vk.sin(x) + 1)(y).dtype == np.float32
    assert_array_equal(vk.fuse(vk.sin)(np.arange(5)), vk.sin(np.arange(5.0)))


def test_gradients() -> None:
    x = np.linspace(-9, 9, 101)
    ones = np.ones_like(x)
    assert_array_equal(vk.fuse(vk.sin).backward(ones, x), vk.cos(x))
    assert_array_equal(vk.fuse(vk.cos).backward(ones, x), -vk.sin(x))
    assert_array_equal(vk.fuse(np.sin).backward(ones, x), np.cos(x))
    slope = vk.fuse(lambda x: vk.sin(x * x)).backward(ones, x)
    np.testing.assert_allclose(slope, 2 * x * np.cos(x * x), rtol=1e-12, atol=1e-12)
