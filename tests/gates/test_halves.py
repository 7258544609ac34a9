"""glu and prelu on plain operands take a shorter way than NumPy's ufuncs, to the same bits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core.axes import halves

SHAPES = [
    (8,),
    (2, 8),
    (8, 3),
    (4, 1, 6),
    (2, 4, 2, 2),
    (0, 4),
    (4, 0),
    (2, 1),
    (300, 200),
    (2, 40_000),
]
DTYPES = ["f4", "f8", "f2", ">f4", "i4"]


def layouts(x):
    yield x
    yield np.asfortranarray(x)
    yield np.ascontiguousarray(x[::-1])[::-1]
    spread = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)[..., ::2]
    spread[...] = x
    yield spread
    packed = np.zeros(x.nbytes + 1, "u1")[1:].view(x.dtype).reshape(x.shape)
    packed[...] = x
    yield packed
    yield x.tolist()


def outcome(function, *args):
    try:
        return function(*args)
    except (ValueError, IndexError, TypeError) as error:
        return type(error)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_glu_is_the_ufunc_of_halves(shape, dtype, rng):
    base = (rng.standard_normal(shape) * 4).astype(dtype)
    for axis in range(-len(shape), len(shape)):
        if shape[axis] % 2:
            with pytest.raises(ValueError, match="odd length"):
                vk.glu(base, axis)
            continue
        a, b = halves(base, axis)
        want = vk.ufuncs.glu(a, b)
        dy = rng.standard_normal(a.shape).astype(dtype)
        grads = np.concatenate(vk.ufuncs.glu_backward(dy, a, b), axis)
        for x, upstream in zip(layouts(base), layouts(dy), strict=True):
            if isinstance(x, list) and (dtype != "f8" or base.size == 0):
                continue
            y = vk.glu(x, axis)
            assert_array_equal(y, want, strict=True)
            assert_array_equal(vk.glu_backward(upstream, x, axis), grads, strict=True)
            assert_array_equal(vk.glu_backward(dy, x, axis), grads, strict=True)


@pytest.mark.parametrize("axis", [2, -3, 2**70, -(2**70), 1.0, None, "x"])
def test_bad_axes(axis):
    for x in (np.ones((4, 4)), np.ones((4, 4))[:, ::2]):
        with pytest.raises((np.exceptions.AxisError, TypeError, OverflowError)):
            vk.glu(x, axis)
        with pytest.raises((np.exceptions.AxisError, TypeError, OverflowError)):
            vk.glu_backward(np.ones((4, 2)), x, axis)


def test_other_shapes_of_dy_are_as_before():
    x = np.ones((4, 6))
    assert vk.glu_backward(np.float64(2.0), x).shape == (4, 6)
    assert vk.glu_backward(np.ones(3), x).shape == (4, 6)
    with pytest.raises(ValueError, match="shape|broadcast"):
        vk.glu_backward(np.ones((4, 4)), x)


NUMBERS = [0.25, 1, 0, -2.0, 1e-42, 1e300, np.inf, np.nan]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("alpha", NUMBERS)
def test_prelu_of_a_number(alpha, dtype, rng):
    base = (rng.standard_normal((4, 6)) * 4).astype(dtype)
    dy = rng.standard_normal((4, 6)).astype(dtype)
    with np.errstate(all="ignore"):
        want = vk.ufuncs.leaky_relu(base, alpha)
    for x in layouts(base):
        if isinstance(x, np.ndarray):
            with np.errstate(all="ignore"):
                y = vk.prelu(x, alpha)
            assert_array_equal(y, want, strict=True)
    native = base.dtype.newbyteorder("=")
    if native in ("f4", "f8"):
        with np.errstate(all="ignore"):
            for slope in (np.array(alpha, native), np.array([alpha], native)):
                assert_array_equal(vk.prelu(base.astype(native), slope), want, strict=True)
        want = vk.prelu_backward(dy, base, np.array(alpha, dtype)) if abs(alpha) < 1e30 else None
        for x, upstream in itertools.product(layouts(base), layouts(dy)):
            if isinstance(x, list) or isinstance(upstream, list) or want is None:
                continue
            got = vk.prelu_backward(upstream, x, alpha)
            for a, b in zip(got, want, strict=True):
                assert a.dtype == native
                assert_array_equal(a, b)


def test_a_slope_of_more_dimensions_broadcasts():
    assert vk.prelu(np.ones(3), np.full((1, 1), 0.5)).shape == (1, 3)
    assert vk.prelu(np.float64(-1.0), 0.5) == -0.5
    assert vk.prelu(-1.0, np.array(0.5)) == -0.5
