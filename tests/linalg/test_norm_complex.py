"""2-norms of complex numbers: along any axis of any layout, and at the ends of the range."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vekt import reference
from vekt._core import native
from vekt.linalg import _vectors as vectors

SHAPES = [(1,), (31,), (5000,), (7, 9), (300, 3), (3, 300), (600, 9), (2000, 1), (130, 33, 5)]
BITS = {"complex64": 100, "complex128": 700}


@pytest.fixture
def norm(isa):
    norms = native.build("norms", isa)
    return lambda x, axis, keepdims=False: vectors.general_norm(norms, x, None, axis, keepdims)


def layouts(x):
    yield x
    yield np.asfortranarray(x)
    yield x[..., ::-1]
    yield np.repeat(x, 2, axis=-1)[..., ::2]
    yield np.moveaxis(x, 0, -1)
    yield np.broadcast_to(x[..., :1], x.shape)


def true_norm(x, axis, keepdims):
    """Compute it in a wider dtype, in which squares are far from its ends."""
    parts = np.longdouble if x.dtype == np.complex128 else np.float64
    squares = x.real.astype(parts) ** 2 + x.imag.astype(parts) ** 2
    return np.sqrt(squares.sum(axis, keepdims=keepdims))


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("shape", SHAPES)
def test_accuracy(norm, dtype, shape, rng):
    whole = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    for x in layouts(whole):
        for axis in (*range(x.ndim), None):
            for keepdims in (False, True):
                result, true = norm(x, axis, keepdims), true_norm(x, axis, keepdims)
                assert np.shape(result) == true.shape
                assert np.asarray(result).dtype == x.real.dtype
                assert np.max(reference.ulp_error(np.asarray(result), true)) <= 2


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("axis", [0, 1])
def test_squares_beyond_the_range(norm, dtype, sign, order, axis, rng):
    """Parts of a number may be far apart, too."""
    real, imaginary = rng.standard_normal((2, 40, 50))
    x = np.empty((40, 50), dtype, order)
    x.real, x.imag = np.ldexp(real, sign * BITS[dtype]), imaginary
    x.imag[::2] = np.ldexp(x.imag[::2], sign * BITS[dtype])
    result, true = norm(x, axis), true_norm(x, axis, False)
    assert np.max(reference.ulp_error(result, true)) <= 2


@pytest.mark.parametrize("dtype", BITS)
def test_what_is_not_finite(norm, dtype):
    x = np.ones((5, 8), dtype)
    x[2, 0] = complex(np.inf, 1)
    x[3, 1] = complex(1, -np.inf)
    x[1, 2] = complex(np.nan, 1)
    x[:2, 3] = complex(np.inf, 0), complex(0, np.nan)
    x[:, 4] = 0
    for y in (x, np.asfortranarray(x)):
        assert_array_equal(
            norm(y, 0)[:5], np.array([np.inf, np.inf, np.nan, np.nan, 0], x.real.dtype)
        )
        assert_array_equal(norm(y, 0)[5:], np.sqrt(x.real.dtype.type(5)))
    assert_array_equal(norm(x[:0], 0), np.zeros(8))
