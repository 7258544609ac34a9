"""The dtype that an oracle computes in, and the one rounding at its end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._core.operands import is_bfloat16

Array = NDArray[Any]


def wider(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype that holds this one's products: longdouble for 64-bit floats, float64 for shorter."""
    if dtype.kind == "c":
        return np.dtype(np.clongdouble if dtype.itemsize == 16 else "c16")
    return np.dtype(np.longdouble if dtype.itemsize == 8 else "f8")


def held(wide: Array, overflows: bool = True) -> Array:
    """Give a factor the range that it has in the kernels, which compute in the shorter dtype.

    What `wider` made longdouble is a float64 there, and float64 a float32.  Only infinite and
    subnormal factors are rounded to it: 0 * inf is NaN then, as for torch and JAX.  Some kernels
    see to it that no factor overflows where the product does not.
    """
    kind = np.dtype("f8" if wide.dtype.char == "g" else "f4")
    with np.errstate(over="ignore", under="ignore"):
        narrow = np.asarray(wide.astype(kind))
    beyond = (overflows & np.isinf(narrow)) | (np.abs(narrow) < np.finfo(kind).tiny)
    return np.where(beyond, narrow.astype(wide.dtype), wide)


def narrowed(wide: Array, dtype: np.dtype[Any]) -> Array:
    """Round once; beyond the range to infinity, without a warning."""
    with np.errstate(over="ignore"):
        if not is_bfloat16(dtype):
            return wide.astype(dtype)
        single = wide.astype("f4")
    # ml_dtypes rounds to float32 first.  To odd, as here, that does no harm: what was inexact keeps
    # a last bit, so that the second rounding still sees on which side of the middle it is.
    towards_zero = single.view("u4") - (np.abs(single) > np.abs(wide))
    odd = towards_zero | ((single != wide) & ~np.isnan(wide))
    return np.asarray(odd).view("f4").astype(dtype)
