"""Lines that one element decides, numbers read backwards, the order of results: NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk

NAMES = ("sum", "mean", "max", "min", "argmax", "argmin", "any", "all")
DTYPES = ("?", "i1", "u1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16", ">f8", ">c16")


def layouts(x):
    yield x
    yield np.asfortranarray(x)
    yield np.repeat(x, 2, -1)[..., ::2]
    yield x[..., ::-1].copy()[..., ::-1]
    yield x[::-1].copy()[::-1]
    yield np.concatenate([x, x], -1)[..., : x.shape[-1]]  # long pieces
    yield np.moveaxis(np.moveaxis(x, 0, -1).copy(), -1, 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 70_000), (3, 5_000), (40, 63), (2, 3, 700)])
def test_one_element_decides(dtype, shape):
    """Wherever it stands among its opposites."""
    for rest in (0, 1):
        x = np.full(shape, rest, dtype)
        for at in {0, 1, 63, 64, 65, 191, 192, 193, 4_095, 4_096, 16_384, shape[-1] - 1}:
            if at >= shape[-1]:
                continue
            x[..., at] = 1 - rest
            for y in layouts(x):
                for name in ("any", "all", "max", "min", "argmax", "argmin"):
                    for axis in (None, -1):
                        result = getattr(vk, name)(y, axis=axis)
                        assert_array_equal(result, getattr(np, name)(y, axis=axis), name)
            x[..., at] = rest


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_order_of_results(rng, name, dtype):
    """Strides and numbers are NumPy's."""
    for shape in [(4, 5, 6), (300, 7, 2), (3, 1, 400)]:
        x = rng.integers(0, 4, shape).astype(dtype)
        for y in layouts(x):
            for axis in (0, 1, 2) if name.startswith("arg") else (0, 1, 2, (0, 2), (1,)):
                for keepdims in (False, True):
                    result = getattr(vk, name)(y, axis=axis, keepdims=keepdims)
                    expected = getattr(np, name)(y, axis=axis, keepdims=keepdims)
                    assert_allclose(result, expected, rtol=1e-3 if dtype == "f2" else 1e-6)
                    assert result.flags.f_contiguous == expected.flags.f_contiguous
                    assert result.flags.c_contiguous == expected.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4"])
def test_numbers_read_backwards(rng, dtype):
    """Sums that are exact, of lines and across them, with `out` in any order."""
    x = rng.integers(-9, 9, (50, 1, 70)).astype(dtype)
    if x.dtype.kind == "c":
        x += 1j * rng.integers(-9, 9, x.shape).astype(x.real.dtype)
    for y in (x[::-1], x[..., ::-1], x[::-1, ::-1, ::-1], x[::-2, :, ::3], x[:, :, ::-1].T):
        for axis in range(3):
            for out in (
                np.empty,
                lambda n, d: np.empty(n, d)[::-1],
                lambda n, d: np.empty(n, d, "F"),
            ):
                expected = np.sum(y, axis=axis)
                to = out(expected.shape, expected.dtype)
                assert vk.sum(y, axis=axis, out=to) is to
                assert_array_equal(to, expected)
        assert vk.sum(y) == np.sum(y)
    stretched = np.broadcast_to(x[:, :, :1], (50, 3, 70))
    assert_array_equal(vk.sum(stretched, axis=0), np.sum(stretched, axis=0))
