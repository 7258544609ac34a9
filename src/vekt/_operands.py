"""Checks of operands for the namespaces written in Python; the kinds of error are NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_WEAK = (bool, int, float)


def operand_dtype(*operands: Any) -> np.dtype[Any]:
    """Find the dtype in which the kernels compute with these operands: float32 or float64.

    Python scalars are weak, integers and bool become float64, float16 becomes float32; TypeError
    for everything else.
    """
    arrays = (x if type(x) in _WEAK else np.asarray(x) for x in operands)
    dtype: np.dtype[Any] = np.result_type(*arrays)
    if dtype.kind in "biu":
        return np.dtype("f8")
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise TypeError(f"dtype {dtype} is not supported; expected a real dtype up to float64")
    return np.dtype("f4") if dtype.itemsize < 8 else np.dtype("f8")


def computing_dtype(dtype: Any, *operands: Any) -> np.dtype[Any]:
    """Find the dtype to compute in: `dtype`, if given, for operands that are acceptable."""
    natural = operand_dtype(*operands)
    if dtype is None:
        return natural
    requested: np.dtype[Any] = np.dtype(dtype)
    if requested not in (np.float32, np.float64):
        raise TypeError(f"dtype: expected float32 or float64, got {requested}")
    return requested


def vectors(a: Any, b: Any) -> tuple[Array, Array]:
    """Return two vectors of equal length in their common dtype."""
    x, y = np.asarray(a), np.asarray(b)
    if x.ndim != 1 or y.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"dot: expected two vectors of equal length, got shapes a {x.shape} and b {y.shape}"
        )
    dtype = operand_dtype(x, y)
    return x.astype(dtype, copy=False), y.astype(dtype, copy=False)


def checked_out(
    out: Any, shape: tuple[int, ...] | None = None, dtype: np.dtype[Any] | None = None
) -> Array:
    """Return the array to write to, if it is writeable and of this shape and dtype."""
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out: expected an ndarray, got {type(out).__name__}")
    if not out.flags.writeable:
        raise ValueError("out: the array is read-only")
    if shape is not None and out.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {out.shape}")
    if dtype is not None and out.dtype != dtype:
        raise ValueError(f"out: expected dtype {dtype}, got {out.dtype}")
    return out
