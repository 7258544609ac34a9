"""Reductions of many short lines: those of their contiguous copy, wherever the elements lie."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk

REDUCTIONS = ("sum", "mean", "max", "min", "argmax", "argmin", "any", "all")
DTYPES = ("i1", "u2", "i4", "i8", "?", "f2", "f4", "f8", ">f8", ">i4")


def layouts(x):
    yield np.repeat(x, 2, -1)[..., ::2]
    yield x[..., ::-1].copy()[..., ::-1]
    yield np.repeat(np.repeat(x, 3, 0), 2, -1)[1::3, ..., ::2]
    yield np.moveaxis(np.repeat(np.moveaxis(x, 0, -1).copy(), 2, -1)[..., ::2], -1, 0)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(1, 300), (3, 300), (300, 3), (48, 20), (20, 49), (9, 1), (20, 6, 7)]
)
def test_reductions(rng, name, dtype, shape):
    """Numbers that every sum holds exactly."""
    x = rng.integers(0, 4, shape).astype(dtype)
    for y in layouts(x):
        for axis in range(x.ndim):
            expected = getattr(np, name)(x.astype(x.dtype.newbyteorder("=")), axis=axis)
            result = getattr(vk, name)(y, axis=axis)
            if name == "mean" and x.dtype.kind == "f":
                assert_array_equal(result, getattr(vk, name)(x, axis=axis))
            else:
                assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 300), (3, 300), (300, 3), (9, 1), (20, 6, 7)])
def test_what_is_special(rng, dtype, shape):
    """NaN, infinities and zeros of either sign."""
    x = rng.choice(np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan], dtype), shape)
    for y in layouts(x):
        for axis in range(x.ndim):
            for name in ("max", "min", "argmax", "argmin", "sum"):
                result, expected = (getattr(vk, name)(z, axis=axis) for z in (y, x))
                assert_array_equal(result, expected)
                if name in ("max", "min", "argmax", "argmin"):
                    assert_array_equal(result, getattr(np, name)(x, axis=axis))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("shape", [(1, 300), (3, 300), (300, 3), (9, 1), (20, 6, 7)])
def test_norms_and_cosines(rng, dtype, shape):
    """Sums of whole numbers, of which roots are taken."""
    x = rng.integers(1, 9, shape).astype(dtype)
    for y in layouts(x):
        for axis in range(x.ndim):
            for order in (None, 0, 1, np.inf, -np.inf):
                assert_array_equal(vk.norm(y, order, axis), vk.norm(x, order, axis))
            if x.dtype.kind == "f":
                result = vk.cosine_similarity(y, x[..., ::-1], axis)
                assert_array_equal(result, vk.cosine_similarity(x, x[..., ::-1], axis))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("columns", [1, 2, 3, 5, 10, 300])
def test_zeros_and_nans_among_columns(name, dtype, columns, rng):
    """Of two zeros 0.0 is the greater one, and NaN stays, wherever they stand."""
    special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0], dtype)
    for kinds in (special[:2], special[[0, 1, 5]], special[[0, 1, 6]], special[[1, 4]], special):
        for rows in (1, 2, 3, 51, 200, 1000):
            x = rng.choice(kinds, (rows, columns))
            greatest = name == "max"
            preferred = (np.signbit(x) != greatest) & (x == 0)
            zero = np.where(preferred.any(0) == greatest, 1.0, -1.0)
            want = getattr(np, name)(x, axis=0)
            want = np.where(want == 0, np.copysign(want, zero), want).astype(dtype)
            for got in (
                getattr(vk, name)(x, axis=0),
                getattr(vk, name)(np.asfortranarray(x), axis=0),
                getattr(vk, name)(np.ascontiguousarray(x.T), axis=1),
                getattr(vk, name)(np.repeat(x, 2, axis=1)[:, ::2], axis=0),
            ):
                np.testing.assert_array_equal(got, want)
                finite = ~np.isnan(want)
                np.testing.assert_array_equal(np.signbit(got)[finite], np.signbit(want)[finite])
