"""Reductions on an instruction set, what they are applied to, and what comes of it."""

from __future__ import annotations

import numpy as np
import operands
from numpy.testing import assert_array_equal

from vekt import reductions
from vekt._core import native

NAMES = ("sum", "mean", "max", "min", "argmax", "argmin", "any", "all")
FLOATS = ["float16", "float32", "float64"]


def reduction_of(isa):
    reduce = native.build("reduce", isa)

    def function(name, x, axis=None, keepdims=False, **options):
        return reductions.general_reduction(reduce, name, x, axis, keepdims=keepdims, **options)

    return function


def layouts(x):
    yield from operands.layouts(x)
    yield np.broadcast_to(x, (2, *x.shape))


def numbers(rng, shape, dtype):
    x = rng.integers(-200, 200, shape)
    if dtype == "?":
        return rng.random(shape) < rng.choice([0.001, 0.5, 0.999])
    return (x / 8).astype(dtype) if dtype[0] in "fc" else (x * (x & 1)).astype(dtype)


def true(name, x, axis=None, keepdims=False):
    """NumPy's answer, with sums of halves formed in double."""
    if x.dtype != "f2" or name not in ("sum", "mean"):
        return getattr(np, name)(x, axis=axis, keepdims=keepdims)
    return getattr(np, name)(x, axis=axis, keepdims=keepdims, dtype="f8").astype("f2")


def assert_same(result, expected, exact=True):
    assert type(result) is type(expected)
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    if exact:
        if not np.all(result == expected):  # which is the faster question
            assert_array_equal(result, expected)
    else:
        digits = 1e-3 if result.dtype == "f2" else 1e-6 if result.dtype.char in "fF" else 1e-14
        np.testing.assert_allclose(result, expected, rtol=digits, atol=digits)
