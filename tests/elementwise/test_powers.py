"""Powers, roots, angles and sums of exponentials: pairs that are special, and samples of all pairs.

The tables follow Annex F of C (F.10.4.4 pow, F.10.1.4 atan2, F.10.4.3 hypot, F.10.4.1 cbrt).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operands import PAIRS, function_of

import vekt as vk
from vekt import reference
from vekt._core import native

INF, NAN, PI = np.inf, np.nan, np.pi
# Finite numbers of several kinds: even, odd, not whole, tiny, large.
EVEN, ODD, BROKEN = (2.0, 4.0, 6e6), (1.0, 3.0, 2.0**23 + 1), (0.5, 1.5, 2.0**-120)
SIZES = (2.0**-130, 0.25, 0.99, 1.01, 3.0, 2.0**100)


def powers() -> Iterator[tuple[float, float, float]]:
    """x, y and x**y."""
    for y in ODD:
        yield from [(0.0, -y, INF), (-0.0, -y, -INF), (0.0, y, 0.0), (-0.0, y, -0.0)]
        yield from [(-INF, -y, -0.0), (-INF, y, -INF), (INF, y, INF), (INF, -y, 0.0)]
        yield from [(-1.0, y, -1.0), (-1.0, -y, -1.0)]
    for y in (*EVEN, *BROKEN, INF):
        for zero in (0.0, -0.0):
            yield from [(zero, -y, INF), (zero, y, 0.0)]
        yield from [(-INF, -y, 0.0), (-INF, y, INF), (INF, y, INF), (INF, -y, 0.0)]
    for y in (*EVEN, INF):
        yield from [(-1.0, y, 1.0), (-1.0, -y, 1.0)]
    for y in (*ODD, *EVEN, *BROKEN, 0.0, -0.0, INF, -INF, NAN):
        yield from [(1.0, y, 1.0), (1.0, -y, 1.0)]
    for x in (*SIZES, 0.0, 1.0, INF, NAN):
        for zero in (0.0, -0.0):
            yield from [(x, zero, 1.0), (-x, zero, 1.0)]
    for x in SIZES:
        yield from [(-x, y, NAN) for y in (*BROKEN, *(-y for y in BROKEN))]
        for base in (x, -x):
            yield (base, -INF, INF if x < 1 else 0.0)
            yield (base, INF, 0.0 if x < 1 else INF)
    for x in (*SIZES, 0.0, INF):
        yield from [(x, NAN, NAN), (-x, NAN, NAN), (NAN, x or 1.5, NAN), (NAN, -x or -1.5, NAN)]


def angles() -> Iterator[tuple[float, float, float]]:
    """Up, across and the angle."""
    for sign in (1.0, -1.0):
        zero, inf = sign * 0.0, sign * INF
        yield from [(zero, -0.0, sign * PI), (zero, 0.0, zero)]
        for x in SIZES:
            yield from [(zero, -x, sign * PI), (zero, x, zero)]
            yield from [(sign * x, 0.0, sign * PI / 2), (sign * x, -0.0, sign * PI / 2)]
            yield from [(sign * x, -INF, sign * PI), (sign * x, INF, zero)]
            yield from [(inf, x, sign * PI / 2), (inf, -x, sign * PI / 2)]
        yield from [(inf, -INF, sign * 3 * PI / 4), (inf, INF, sign * PI / 4)]
    for x in (0.0, 1.0, -INF, NAN):
        yield from [(x, NAN, NAN), (NAN, x, NAN)]


def lengths() -> Iterator[tuple[float, float, float]]:
    """Two sides and the length."""
    for x in (0.0, *SIZES, INF, NAN):
        for a in (x, -x):
            for inf in (INF, -INF):
                yield from [(a, inf, INF), (inf, a, INF)]
            for zero in (0.0, -0.0):
                yield from [(a, zero, x), (zero, a, x)]
    yield from [(NAN, 3.0, NAN), (3.0, NAN, NAN), (3.0, -4.0, 5.0)]
    yield from [
        (3 * 2.0**120, 4 * 2.0**120, 5 * 2.0**120),
        (3 * 2.0**-140, 2.0**-138, 5 * 2.0**-140),
    ]


def sums() -> Iterator[tuple[float, float, float]]:
    """Two operands and the logarithm of the sum of their exponentials."""
    for x in (*SIZES, -3.0, -1e30):
        yield from [(x, -INF, x), (-INF, x, x), (x, INF, INF), (INF, x, INF)]
        yield from [(x, NAN, NAN), (NAN, x, NAN)]
    yield from [(INF, INF, INF), (-INF, -INF, -INF), (INF, -INF, INF), (-INF, INF, INF)]
    yield from [(INF, NAN, NAN), (NAN, -INF, NAN)]


TABLES = {"power": powers, "arctan2": angles, "hypot": lengths, "logaddexp": sums}


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
@pytest.mark.parametrize("name", TABLES)
def test_special_pairs(isa: str, name: str, dtype: str) -> None:
    """Alone, among others, and at any place in a block; signs of zeros count."""
    rows = np.array(list(TABLES[name]()))
    info = np.finfo(dtype)
    fits = (np.abs(rows) <= float(info.max)) & (np.abs(rows) >= float(info.smallest_subnormal))
    rows = rows[(fits | (rows == 0) | ~np.isfinite(rows)).all(1)]
    with np.errstate(all="ignore"):
        x, y, expected = rows.astype(dtype).T.copy()
    function = function_of(name, isa)
    for before in (0, 3, 40):
        padded = [np.concatenate([np.ones(before, dtype), v]) for v in (x, y)]
        result = function(*padded)[before:]
        assert_array_equal(result, expected)
        zero = expected == 0
        assert_array_equal(np.signbit(result[zero]), np.signbit(expected[zero]))
    alone = [function(a, b) for a, b in zip(x[::17], y[::17], strict=True)]
    assert_array_equal(alone, expected[::17])
    with np.errstate(all="raise"):
        out = x.copy()
        assert_array_equal(function(out, y, out=out), expected)
        out = y.copy()
        assert_array_equal(function(x, out, out=out), expected)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_special_roots(isa: str, dtype: str) -> None:
    least = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, INF, NAN, 1.0, 4.0, -INF, -1.0, -least], dtype)
    result = function_of("rsqrt", isa)(x)
    assert_array_equal(result, np.array([INF, -INF, 0, NAN, 1, 0.5, NAN, NAN, NAN], dtype))
    x = np.array([0.0, -0.0, INF, -INF, NAN, 27.0, -8.0], dtype)
    result = function_of("cbrt", isa)(x)
    assert_array_equal(result, np.array([0, -0.0, INF, -INF, NAN, 3, -2], dtype))
    assert_array_equal(np.signbit(result[:2]), [False, True])


def pairs(name: str, dtype: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of all bit patterns, of all sizes of results, and of the usual numbers."""
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    kind = seed % 4
    if kind == 0:
        bits = rng.integers(0, 2**info.bits - 1, (2, count), "uint64", endpoint=True)
        x, y = bits.astype(f"uint{info.bits}").view(dtype)
    elif name == "logaddexp":
        x, y = rng.normal(0, (0, 10, 1, 60)[kind], (2, count)).astype(dtype)
    elif name == "power" and kind < 3:
        most = float(np.log(info.max))
        scale = 0.5 ** rng.uniform(0, 10 if kind == 1 else 0.1, count)
        x = np.exp(rng.uniform(-most, most, count) * scale).astype(dtype)
        with np.errstate(all="ignore"):
            y = (rng.uniform(-1.2 * most, 1.1 * most, count) / np.log(x, dtype="f8")).astype(dtype)
    elif name == "power":
        x = rng.uniform(0, 10, count).astype(dtype)
        y = rng.uniform(-10, 10, count).astype(dtype)
    else:
        reach = (0, 3, 20, 80)[kind]
        signs = rng.choice([-1, 1], (2, count))
        x, y = (np.exp(rng.uniform(-reach, reach, (2, count))) * signs).astype(dtype)
    return x, y


def worst(name: str, isa: str, dtype: str, count: int, seed: int) -> float:
    """Return the largest error in ULP, of float32 beside float64."""
    x, y = pairs(name, dtype, count, seed)
    wide = "f8" if dtype == "f4" else "g"
    with np.errstate(all="ignore"):
        exact = PAIRS[name].kernel.value(x.astype(wide), y.astype(wide))
    errors = reference.ulp_error(function_of(name, isa)(x, y), exact)
    if name == "logaddexp":  # terms that cancel
        errors = errors[np.isnan(exact) | (np.abs(exact) > 2.0**-9)]
    return float(errors.max())


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", PAIRS)
def test_samples(isa: str, name: str, dtype: str) -> None:
    bound = PAIRS[name].kernel.max_ulp[np.dtype(dtype).name]
    assert max(worst(name, isa, dtype, 4000, seed) for seed in range(4)) <= bound


@pytest.mark.parametrize("name", PAIRS)
def test_same_bits_wherever_multiply_adds_are_fused(name: str) -> None:
    fused = [isa for isa in native.SUPPORTED if isa not in ("x86_v2", "generic")]
    for dtype in ("f4", "f8"):
        for seed in range(4):
            x, y = pairs(name, dtype, 4000, seed)
            first, *others = (function_of(name, isa)(x, y) for isa in fused or native.SUPPORTED[:1])
            number = ~np.isnan(first)
            for other in others:
                assert_array_equal(np.isnan(other), ~number)
                assert first[number].tobytes() == other[number].tobytes()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", [*PAIRS, "rsqrt", "cbrt"])
def test_unusual_neighbours_do_not_count(isa: str, name: str, dtype: str) -> None:
    """A block with a special number among others goes another way."""
    function = function_of(name, isa)
    for seed in range(1, 4):
        x, y = pairs(name if name in PAIRS else "hypot", dtype, 1000, seed)
        operands = [np.abs(x), y] if name in PAIRS else [np.abs(x)]
        usual = function(*operands)
        for special in (0.0, INF, NAN):
            mixed = [np.insert(v, range(0, 1000, 50), special) for v in operands]
            result = np.delete(function(*mixed), np.arange(20) * 51)
            assert result.tobytes() == usual.tobytes()


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", PAIRS)
def test_many_samples(isa: str, name: str) -> None:
    """A thousand million pairs of float32, ten million of float64."""
    for dtype, rounds in (("f4", 1000), ("f8", 10)):
        bound = PAIRS[name].kernel.max_ulp[np.dtype(dtype).name]
        for seed in range(rounds):
            found = worst(name, isa, dtype, 1_000_000, seed)
            assert found <= bound, (dtype, seed)


def test_exponents_that_are_numbers_have_the_bits_of_arrays() -> None:
    x = np.random.default_rng(1).uniform(0, 9, 999)
    for dtype in ("f4", "f8"):
        base = x.astype(dtype)
        for exponent in (2, 3, 0.5, -1, -0.5, 1 / 3, 7.25):
            expected = vk.power(base, np.full(999, exponent, dtype))
            assert vk.power(base, exponent).tobytes() == expected.tobytes()
            assert vk.power(base[::-3], exponent).tobytes() == expected[::-3].tobytes()
            assert vk.evaluate("b ** e", {"b": base, "e": expected * 0 + exponent}).tobytes() == (
                expected.tobytes()
            )


def test_methods_of_ufuncs() -> None:
    x, y = np.array([1.5, 2.5]), np.array([2.0, 3.0, 0.5])
    for name in PAIRS:
        function = getattr(vk, name)
        assert_array_equal(function.outer(x, y), function(x[:, None], y))
        np.testing.assert_allclose(function.reduce(y), getattr(np, name).reduce(y), rtol=1e-14)


@pytest.mark.parametrize("name", PAIRS)
def test_gradients(name: str) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0.5, 3, (2, 50))
    function = vk.fuse(lambda a, b: getattr(vk, name)(a, b))
    assert_array_equal(function(x, y), getattr(vk, name)(x, y))
    slopes = function.backward(np.ones(50), x, y)
    h = 1e-6
    for slope, a, b in ((slopes[0], h, 0), (slopes[1], 0, h)):
        rise = getattr(np, name)(x + a, y + b) - getattr(np, name)(x - a, y - b)
        np.testing.assert_allclose(slope, rise / (2 * h), rtol=1e-6, atol=1e-8)
