"""Running sums and products: NumPy's answers, one order in every layout, at least as exact."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reduction_cases import layouts, numbers

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt._spec.scans import SCANS
from vekt.reductions._scans import running

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]
SHAPES = [(1,), (31,), (5000,), (7, 9), (300, 3), (3, 1100), (17, 600), (5, 200, 3), (4, 6, 40, 3)]


def scan_of(isa: Any) -> Any:
    scan = native.build("scan", isa)
    return lambda name, x, axis=None, dtype=None, out=None: running(scan, name, x, axis, dtype, out)


def factors(rng: np.random.Generator, shape: Any, dtype: str) -> Any:
    """Return powers of two whose products are exact, and few zeros."""
    x = rng.choice([1, -1, 2, 0.5] if dtype[0] in "fc" else [1, -1, 3], shape)
    return np.where(rng.random(shape) < 0.001, 0, x).astype(dtype)


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_like_numpy(name: str, dtype: str, rng: np.random.Generator) -> None:
    functions = [scan_of(isa) for isa in native.SUPPORTED]
    for shape in SHAPES:
        x = numbers(rng, shape, dtype) if name == "cumsum" else factors(rng, shape, dtype)
        for y in layouts(x):
            axis = [None, *range(-y.ndim, y.ndim)][rng.integers(2 * y.ndim + 1)]
            wide = y.astype("f8") if dtype == "f2" else y
            with np.errstate(all="ignore"):
                expected = getattr(np, name)(wide, axis)
                expected = expected.astype("f2") if dtype == "f2" else expected
                for function in functions:
                    result = function(name, y, axis)
                    assert result.dtype == expected.dtype
                    assert result.shape == expected.shape
                    assert_array_equal(result, expected)  # sums of multiples of 1/8 are exact


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c16"])
def test_one_order(name: str, dtype: str, rng: np.random.Generator, set_threads: Any) -> None:
    """The same bits alone and beside others, in any layout, on any threads and instruction set."""
    isas = [isa for isa in native.SUPPORTED if isa not in ("x86_v2", "generic")]
    for n in (1, 5, 8, 13, 1023, 1029, 20_003):
        x = (1 + rng.normal(size=(n, 3)) / 64).astype(dtype)
        if name == "cumprod" and n > 20:
            x[5:9] *= 2.0**7 if dtype == "f2" else 2.0**60
            x[11:14] = 2.0**-12 if dtype == "f2" else 2.0**-100
        with np.errstate(all="ignore"):
            alone = np.stack([getattr(vk, name)(x[:, j].copy()) for j in range(3)], 1)
            for y in (x, np.asfortranarray(x), np.repeat(x, 2, 1)[:, ::2], x[::-1].copy()[::-1]):
                assert_array_equal(getattr(vk, name)(y, 0), alone)
            assert_array_equal(getattr(vk, name)(x.T, 1), alone.T)
            assert_array_equal(getattr(vk, name)(np.tile(x, 40), 0)[:, 60:63], alone)
            swapped = x.astype(x.dtype.newbyteorder())
            assert_array_equal(getattr(vk, name)(swapped, 0), alone)
            for isa in isas:
                assert_array_equal(scan_of(isa)(name, x, 0), alone)
            wide = np.tile(x, 400) if n == 1029 else x
            for threads in (1, 3):
                set_threads(threads)
                assert_array_equal(getattr(vk, name)(wide, 0)[:, :3], alone)


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_no_less_accurate(name: str, dtype: str, rng: np.random.Generator) -> None:
    """Float32 as if rounded once; errors of float64 at most NumPy's, as their norm."""
    for n in (100, 10_000, 300_000):
        x = (rng.random(n) if name == "cumsum" else 1 + rng.normal(size=n) / 512).astype(dtype)
        exact = getattr(np, name)(x.astype(np.longdouble))
        error = np.abs(getattr(vk, name)(x) - exact)
        if dtype == "f4":
            assert np.all(error <= 0.5001 * np.spacing(np.abs(exact).astype(dtype)))
        else:  # one rounding for each eight, and three within
            bound = (np.arange(n) / 8 + 4) * np.finfo(dtype).eps / 2 * np.abs(exact)
            assert np.all(error <= bound)
        if dtype == "f8" and name == "cumsum":  # of products it is a matter of luck
            assert np.linalg.norm(error) <= np.linalg.norm(getattr(np, name)(x) - exact)
    assert np.signbit(vk.cumsum(np.array([-0.0, -0.0, 0.0]))).tolist() == [True, True, False]


@np.errstate(all="ignore")
def test_products_near_the_ends_of_the_range() -> None:
    """Eight whose product leaves the range, where those so far do not."""
    for first in (1e-300, 1e300):
        x = np.concatenate([[first], np.ones(7), [first**-0.5] * 2, [1.5] * 20])
        for y, axis in ((x, 0), (np.stack([x, np.ones(30), x], 1), 0)):
            assert_allclose(vk.cumprod(y, axis), np.cumprod(y, axis), rtol=1e-13)
    x = np.array([2.0, np.nan, 0, np.inf, 3, 4, 5, 6, 7, 8])
    for y in (x, x[::-1], np.append(np.ones(8), x), np.where(x == x, x, 0)):
        for dtype in ("f4", "f8"):
            assert_array_equal(vk.cumprod(y.astype(dtype)), np.cumprod(y.astype(dtype)))
            assert_array_equal(vk.cumsum(y.astype(dtype)), np.cumsum(y.astype(dtype)))


@pytest.mark.parametrize("name", SCANS)
def test_calls(name: str, rng: np.random.Generator) -> None:
    """Outputs, dtypes, what has no kernel, errors; the reference."""
    function, theirs = getattr(vk, name), getattr(np, name)
    x = 1 + rng.random((6, 8)) / 8
    for dtype, axis in itertools.product(("f2", "f4", "f8", "c16"), (None, 0, -1)):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for y in (x, x.astype("f4"), (4 * x).astype("i4")):
                result = function(y, axis, dtype=dtype)
                expected = theirs(y, axis, dtype=dtype)
                assert result.dtype == expected.dtype
                assert_allclose(result, expected, rtol=2e-2 if dtype == "f2" else 1e-5)
    out = np.zeros((6, 16))[:, ::2]
    assert function(x, 1, out=out) is out
    assert_allclose(out, theirs(x, 1), rtol=1e-14)
    swapped = np.zeros((6, 8), ">f8")
    assert function(x, 1, out=swapped) is swapped
    assert_array_equal(swapped, out)
    square = x[:, :6].copy()
    expected = function(square, 0)
    assert_array_equal(function(square, 0, out=square.T), expected)  # overlapping
    for y in (
        np.array(3.5),
        [1, 2, 3],
        np.zeros((0, 3)),
        np.longdouble([1, 2]),
        np.array([1, 2], object),
    ):
        result = function(y)
        assert result.dtype == theirs(y).dtype
        assert_array_equal(result, theirs(y))
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])
    assert_array_equal(function(masked).filled(0), theirs(masked).filled(0))
    for bad in (
        {"axis": 2},
        {"axis": (0, 1)},
        {"out": np.zeros(3)},
        {"out": [0.0] * 8},
    ):
        with pytest.raises((ValueError, TypeError)) as caught:
            theirs(x, **{"axis": 0, **bad})
        with pytest.raises(caught.type):
            function(x, **{"axis": 0, **bad})
    assert_allclose(getattr(reference, name)(x.astype("f4"), 1), function(x.astype("f4"), 1))
