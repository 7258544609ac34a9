"""Reductions: NumPy's values, types and errors on any layout; sums at least as accurate."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from reduction_cases import FLOATS, NAMES, assert_same, layouts, numbers, reduction_of, true

import vekt as vk
from vekt import reductions
from vekt._core import native as _native

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]
SHAPES = [(1,), (31,), (5000,), (40_001,), (7, 9), (300, 3), (3, 300), (9, 600), (600, 9)]
SHAPES += [(130, 33, 5), (5, 2000, 3), (2, 3, 4, 600), (30, 10, 2, 8), (4, 6, 90, 3), (4, 6, 300)]


@pytest.fixture
def reduction(isa):
    return reduction_of(isa)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_like_numpy(dtype, name, rng):
    functions = [reduction_of(isa) for isa in _native.SUPPORTED]  # NumPy's answer serves all
    for shape in SHAPES:
        for x in layouts(numbers(rng, shape, dtype)):
            axes = [None, *range(x.ndim), *itertools.combinations(range(x.ndim), 2)]
            for axis in axes:
                if name.startswith("arg") and isinstance(axis, tuple):
                    continue
                keepdims = bool(rng.integers(2))
                expected = true(name, x, axis, keepdims)
                for reduction in functions:
                    # Sums of multiples of 1/8 are exact.
                    assert_same(reduction(name, x, axis, keepdims), expected, name != "mean")


@pytest.mark.parametrize("name", NAMES)
def test_every_operation(reduction, name, rng):
    for dtype, shape in itertools.product(DTYPES, [(90, 70), (3000, 3), (40, 6, 50)]):
        x = numbers(rng, shape, dtype)
        for axis in range(x.ndim):
            assert_same(reduction(name, x, axis), true(name, x, axis), name != "mean")


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_whole_range_of_integers(reduction, dtype, rng):
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, (40, 900), dtype, endpoint=True)
    x[3, 5], x[7, 600] = info.min, info.max
    for name, axis in itertools.product(NAMES, (None, 0, 1)):
        result, expected = reduction(name, x, axis), getattr(np, name)(x, axis=axis)
        if name == "mean":
            np.testing.assert_allclose(result, expected, rtol=1e-15, atol=1e-15 * float(info.max))
        else:
            assert_same(result, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(100_003,), (400, 300), (3000, 10), (10, 3000), (20, 30, 40)])
def test_sums_are_no_less_accurate(reduction, dtype, shape, rng):
    x = rng.normal(size=shape).astype(dtype)
    for axis in (None, *range(x.ndim)):
        wide = np.sum(x.astype(np.longdouble), axis=axis)
        for name, exact in (("sum", wide), ("mean", wide / (x.size / wide.size))):
            ours = np.abs(reduction(name, x, axis) - exact)
            theirs = np.abs(getattr(np, name)(x, axis=axis) - exact)
            half = np.spacing(np.abs(exact).astype(dtype)).astype(float) * 0.5001
            if dtype == "float64":  # one result's error is a matter of luck
                few = np.size(ours) < 9
                assert np.linalg.norm(ours) <= (10 if few else 1.1) * np.linalg.norm(theirs + half)
            else:
                assert np.all(ours <= half)


def test_equal_numbers(reduction):
    for dtype, n in itertools.product(("f4", "f8"), (999, 16_384, 1_000_003)):
        x = np.full(n, 0.7, dtype)
        true = np.longdouble(x[0]) * n
        assert abs(reduction("sum", x) - true) <= 4 * np.spacing(x.dtype.type(true))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(3, 5), (5, 70), (70, 5), (3000, 3), (2, 20_000), (500, 300)])
def test_nan_and_infinity(reduction, dtype, shape, rng):
    for special in (np.nan, -np.nan, np.inf, -np.inf):
        x = rng.normal(size=shape).astype(dtype)
        x[tuple(rng.integers(shape))] = special
        x[tuple(rng.integers(shape))] = special
        for name, axis in itertools.product(NAMES, (None, 0, 1)):
            expected = np.asarray(getattr(np, name)(x, axis=axis), float)
            result = np.asarray(reduction(name, x, axis), float)
            assert_array_equal(np.isnan(result), np.isnan(expected))
            if name not in ("sum", "mean"):
                assert_array_equal(result, expected)
    zeros = np.zeros(shape, dtype)
    zeros[1, 1] = -0.0
    assert reduction("any", zeros) == np.False_
    assert_array_equal(reduction("argmax", zeros, 1), 0)
    assert_array_equal(reduction("argmin", -zeros, 0), 0)


def test_bfloat16(reduction, rng):
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x = rng.normal(size=(300, 40)).astype(bfloat16)
    wide = x.astype("f8")
    for name, axis in itertools.product(NAMES, (None, 0, 1)):
        result = reduction(name, x, axis)
        expected = getattr(np, name)(wide, axis=axis)
        if name in ("sum", "mean", "max", "min"):
            expected = expected.astype(bfloat16)
        assert_array_equal(result, expected)


def test_means_of_integers(reduction, rng):
    for dtype in ("i8", "u8"):
        x = rng.integers(2**61, 2**62, (50, 60), dtype)
        for axis in (None, 0, 1):
            expected = np.mean(x.astype(np.longdouble), axis=axis)
            np.testing.assert_allclose(reduction("mean", x, axis), expected.astype(float), 1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_first_of_equals(reduction, name, rng):
    if not name.startswith("arg"):
        x = np.zeros((1, 1))
        assert_same(reduction(name, x, 0), getattr(np, name)(x, axis=0))
        return
    for dtype, shape in itertools.product(
        ["f4", "f8", "f2", "i1", "u8"], [(70_000,), (20_000, 3), (9, 900)]
    ):
        x = rng.integers(0, 4, shape).astype(dtype)
        for y in (x, x.T, x[::-1]):
            for axis in (None, *range(x.ndim)):
                assert_same(reduction(name, y, axis), getattr(np, name)(y, axis=axis))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i2", "u4", "i8"])
def test_positions_among_columns(reduction, dtype, rng):
    """The last rows alone, parts of a column, several elements of a column side by side."""
    for shape in [(5, 130), (300, 70), (1000, 3), (2001, 2), (131, 1, 5), (40, 13)]:
        x = rng.integers(0, 9, shape).astype(dtype)
        x[-1] = 9
        if dtype[0] == "f":
            x[rng.random(shape) < 0.001] = np.nan
            x[:, -1] = -np.inf
        for name, axis in itertools.product(("argmax", "argmin"), range(x.ndim)):
            assert_same(reduction(name, x, axis), getattr(np, name)(x, axis=axis))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8"])
def test_long_double_works_afterwards(reduction, dtype, rng):
    """What MMX registers are used for, as gcc 12 does, makes the next long double NaN."""
    for name in NAMES:
        for axis in (0, 1):
            reduction(name, rng.integers(0, 99, (300, 70)).astype(dtype), axis)
    assert np.sum(np.ones(9, np.longdouble)) == 9


def test_same_bits_for_any_thread_count(rng, set_threads):
    arrays = [rng.normal(size=s) for s in ((1_100_000,), (400_000, 3), (1100, 1000), (3, 400_000))]
    arrays += [(40 * x).astype("i2") for x in arrays]
    results = []
    for threads in (1, 2, 5):
        set_threads(threads)
        results.append(
            [
                getattr(vk, name)(np.tile(x, 1), axis).tobytes()
                for x in arrays
                for axis in (None, *range(x.ndim))
                for name in ("sum", "argmax", "all")
            ]
        )
    assert results[0] == results[1] == results[2]


def test_instruction_sets_with_fma_agree(rng):
    x = rng.normal(size=(333, 77))
    sets = [_native.build("reduce", i) for i in _native.SUPPORTED if i in ("x86_v3", "x86_v4")]
    for dtype, axis in itertools.product(("f4", "f8"), (0, 1, None)):
        y = x.astype(dtype)
        results = [reductions.general_reduction(f, "sum", y, axis).tobytes() for f in sets]
        assert len(set(results)) <= 1
