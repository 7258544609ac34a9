"""What NumPy makes of a function step by step, and whether a fused one makes the same of it."""

import warnings

import numpy as np
from hypothesis import strategies as st


def trees(leaves, unary, binary, most):
    """Trees of names of functions, (name, operand) or (name, operand, operand)."""
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(st.sampled_from([*unary]), inner)
            | st.tuples(st.sampled_from([*binary]), inner, inner)
        ),
        max_leaves=most,
    )


def builtin_kind(error):
    """Return which of Python's own errors this is; NumPy derives its own from them."""
    return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")


def outcome(function, *args, **options):
    """Results, or the error's kind."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            results = function(*args, **options)
        except (ArithmeticError, TypeError, ValueError) as error:
            return builtin_kind(error)
    return results if isinstance(results, tuple) else (results,)


def assert_same_outcome(got, want, ulp=0):
    """Expect the same kind of error, or the same dtypes, shapes and bits; NaN are all the same."""
    if isinstance(want, type) or isinstance(got, type):
        assert got is want, (got, want)
        return
    assert len(got) == len(want)
    for x, y in zip(got, want, strict=True):
        a, b = np.asarray(x), np.asarray(y)
        assert (a.dtype, a.shape) == (b.dtype.newbyteorder("="), b.shape)
        if a.dtype.kind == "c":
            assert_same_outcome((a.real, a.imag), (b.real, b.imag), ulp)
        elif ulp and a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=ulp * np.finfo(a.dtype).eps)
        else:
            np.testing.assert_array_equal(a, b)
        if a.dtype.kind == "f":
            number = ~np.isnan(b)
            np.testing.assert_array_equal(np.signbit(a)[number], np.signbit(b)[number])
