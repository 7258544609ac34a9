"""softmax and its kin inside functions that Numba compiles."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import jit
from vekt._spec.rows import ROW_OPS
from vekt.reference import ulp_error, wide_rows


def compiled(name):
    """Return the function as compiled code calls it: with an axis, and without."""
    function = getattr(jit, name)

    @numba.njit
    def along(x, axis):
        return function(x, axis)

    @numba.njit
    def plain(x):
        return function(x)

    return along, plain


@pytest.mark.parametrize("name", ROW_OPS)
def test_inside_njit(name, rng):
    along, plain = compiled(name)
    x = rng.standard_normal((3, 4, 5))
    for operand in (x.astype("f4"), x[0, 0], np.round(3 * x[0]).astype(int).T):
        expected = getattr(vk, name)(operand)
        got = plain(operand)
        assert np.shape(got) == expected.shape
        assert not expected.ndim or got.dtype == expected.dtype
        assert np.allclose(got, expected, rtol=1e-6, atol=1e-9)
    for axis in range(-3, 3):
        assert_array_equal(along(x, axis), getattr(jit, name)(x, axis))


@pytest.mark.parametrize("name", ROW_OPS)
def test_bad_calls(name):
    along, plain = compiled(name)
    with pytest.raises(ValueError, match="axis is out of bounds"):
        along(np.ones((2, 3)), 2)
    for x, message in ((1.0, "expected an array"), (np.ones(3, "c8"), "expected a real dtype")):
        with pytest.raises(TypingError, match=message):
            plain(x)
    with pytest.raises(TypingError, match="axis must be an int"):
        along(np.ones(3), None)


def test_keepdims_is_for_python():
    @numba.njit
    def kept(x):
        return jit.logsumexp(x, -1, True)

    with pytest.raises(TypingError, match="keepdims"):
        kept(np.ones((2, 3)))
    assert jit.logsumexp(np.ones((2, 3)), keepdims=True).shape == (2, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 2, 10, 300])
def test_accuracy(n, dtype, rng):
    x = rng.standard_normal((100, n)) * rng.choice([0.1, 1, 30], (100, 1))
    x = x.astype(dtype)
    for name in ("softmax", "softmin", "log_softmax"):
        assert ulp_error(getattr(jit, name)(x), wide_rows(name, x)).max() <= 3


def test_special_values(rng):
    specials = np.array([np.inf, -np.inf, np.nan, 0, -0.0, 1, -1, 1e30, -1e30])
    x = rng.choice(specials, (300, 5), p=[0.1, 0.2, 0.05, *[0.65 / 6] * 6])
    for name in ROW_OPS:
        got, expected = getattr(jit, name)(x), getattr(vk, name)(x)
        assert_array_equal(np.isnan(got), np.isnan(expected))
        finite = np.isfinite(expected)
        assert_array_equal(got[~finite], expected[~finite])
        assert np.allclose(got[finite], expected[finite], rtol=1e-14)


def test_no_elements():
    assert jit.softmax(np.empty((3, 0))).shape == (3, 0)
    assert (jit.logsumexp(np.empty((3, 0))) == -np.inf).all()
    assert jit.logsumexp(np.empty((0, 3)), 0).shape == (3,)
