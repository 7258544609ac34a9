"""Norms, angles and outer products in plain NumPy, with their rounding done once, at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import ArrayLike, NDArray

from vekt._core.axes import unmasked
from vekt._core.operands import is_bfloat16, stored
from vekt._spec.docstrings import documented
from vekt._spec.linalg import LINALG

Array = NDArray[Any]


def _wider(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Find the dtype that a result is computed in: squares of it neither overflow nor vanish."""
    is_complex = dtype.kind == "c"
    if is_bfloat16(dtype) or (dtype.kind == "f" and dtype.itemsize < 8) or dtype == np.complex64:
        return np.dtype("c16" if is_complex else "f8")
    return np.dtype(np.clongdouble if is_complex else np.longdouble)


def _result_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind in "biu":
        return np.dtype("f8")
    native = dtype.newbyteorder("=")
    return np.empty(0, native).real.dtype if dtype.kind == "c" else native


@documented(LINALG["norm"], "", "vekt.reference")
def norm(x: ArrayLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    array = np.asarray(unmasked("norm", "x", x))
    wide = array.astype(_wider(array.dtype))
    with np.errstate(all="ignore"):
        if (isinstance(ord, str) and ord == "nuc") or (wide.ndim != 1 and ord in (2, -2)):
            wide = array  # singular values have no wider dtype
        if ord is None and axis is None:
            squares = (wide * wide.conj()).real  # np.sum adds pairwise
            result = np.sqrt(np.sum(squares, keepdims=keepdims))
        else:
            result = np.asarray(np.linalg.norm(wide, ord, axis, keepdims))
        return result.astype(_result_dtype(array.dtype))[()]


@documented(LINALG["cosine_similarity"], "", "vekt.reference")
def cosine_similarity(a: ArrayLike, b: ArrayLike, axis: Any = -1) -> Any:
    for name, operand in (("a", a), ("b", b)):
        unmasked("cosine_similarity", name, operand)
    dtype = np.result_type(np.asarray(a), np.asarray(b))
    known = is_bfloat16(dtype) or (dtype.kind in "biuf" and dtype.itemsize <= 8)
    if not known:
        raise TypeError(f"cosine_similarity: dtype {dtype} is not supported")
    x, y = np.broadcast_arrays(*(np.asarray(v, dtype).astype(_wider(dtype)) for v in (a, b)))
    if axis is not None:
        normalize_axis_tuple(axis, x.ndim)  # NumPy's sums of scalars take axis 0
    with np.errstate(all="ignore"):
        x_squares, y_squares = (np.sum(v * v, axis=axis) for v in (x, y))
        cosine = np.sum(x * y, axis=axis) / (np.sqrt(x_squares) * np.sqrt(y_squares))
        zero = ((x_squares == 0) & ~np.isnan(y_squares) & (y_squares < np.inf)) | (
            (y_squares == 0) & ~np.isnan(x_squares) & (x_squares < np.inf)
        )
        return np.where(zero, 0, np.clip(cosine, -1, 1)).astype(_result_dtype(dtype))[()]


@documented(LINALG["outer"], "", "vekt.reference")
def outer(a: ArrayLike, b: ArrayLike, out: Any = None) -> Any:
    x, y = (np.asarray(unmasked("outer", name, v)) for name, v in (("a", a), ("b", b)))
    with np.errstate(all="ignore"):
        return np.outer(x, y, out)


@documented(LINALG["transpose_copy"], "", "vekt.reference")
def transpose_copy(a: ArrayLike, axes: Any = None, out: Any = None) -> Any:
    copy = np.asarray(unmasked("transpose_copy", "a", a)).transpose(axes).copy(order="C")
    return copy if out is None else stored(copy, out, shape=copy.shape)
