"""Norms and cosines, outer products and transposed copies."""

from __future__ import annotations

from collections.abc import Callable
from math import log2
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from vekt._core import native
from vekt._core.axes import is_dask, plain, refuse_boxes
from vekt._core.foreign import on_dask
from vekt._core.native import lib
from vekt._core.operands import checked_out, is_bfloat16, is_half
from vekt._spec.docstrings import documented
from vekt._spec.linalg import LINALG

__all__ = ["cosine_similarity", "norm", "outer", "transpose_copy"]

_TWO: int = lib.VEKT_SUM_SQUARES
_ONE: int = lib.VEKT_SUM_ABSOLUTE

# What np.linalg.norm calls the norms of vectors that are computed here.
_VECTOR_KINDS: dict[Any, int] = {
    None: _TWO,
    2: _TWO,
    1: _ONE,
    np.inf: lib.VEKT_MAX_ABSOLUTE,
    -np.inf: lib.VEKT_MIN_ABSOLUTE,
    0: lib.VEKT_COUNT_NONZERO,
}

# Norms of matrices made of sums along one of two axes: which one, and what is taken of the sums.
_MATRIX_KINDS: dict[Any, tuple[int, Callable[..., Any]]] = {
    1: (0, np.max),
    -1: (0, np.min),
    np.inf: (1, np.max),
    -np.inf: (1, np.min),
}


@documented(LINALG["norm"])
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if ord is None and axis is None and type(x) is np.ndarray:
        result = native.norms(_TWO, x, None, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_norm(native.norms, x, ord, axis, keepdims)


def general_norm(norms: Callable[..., Any], x: Any, ord: Any, axis: Any, keepdims: Any) -> Any:
    """Compute any norm by `norms`, the function "norms" of `native.build`."""
    if hasattr(x, "__array_function__") and not isinstance(x, np.ndarray):
        return np.linalg.norm(x, ord, axis, keepdims)
    x = np.asarray(plain("norm", "x", x))
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    result: Any = NotImplemented
    if axis is None and ord is None:
        result = norms(_TWO, x, None, None, keepdims)
    elif x.size and len(axes) == 1:
        result = _vector_norm(norms, x, ord, axes[0], keepdims)
    elif x.size and len(axes) == 2:
        result = _matrix_norm(norms, x, ord, axes, keepdims)
    if result is not NotImplemented:
        return result
    if is_bfloat16(x.dtype):
        return general_norm(norms, x.astype("f4"), ord, axis, keepdims).astype(x.dtype)
    with np.errstate(all="ignore"):
        return np.linalg.norm(x, ord, axis, keepdims)


def _kind_of(kinds: dict[Any, Any], ord: Any) -> Any:
    """Look up an order, which may be of any type."""
    try:
        return kinds.get(ord)
    except TypeError:
        return None


def _magnitudes(x: Any, kind: int) -> Any:
    """Return absolute values of complex numbers for the norms that are not made of squares."""
    if x.dtype.kind != "c" or kind == _TWO:
        return x
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(x))  # NumPy makes scalars of 0-d arrays


def _vector_norm(norms: Callable[..., Any], x: Any, ord: Any, axis: Any, keepdims: Any) -> Any:
    kind = _kind_of(_VECTOR_KINDS, ord)
    if kind is not None:
        return norms(kind, _magnitudes(x, kind), None, axis, keepdims)
    if isinstance(ord, (int, float)) and x.dtype.kind in "biuf" and x.dtype.itemsize <= 8:
        return _power_norm(norms, x, ord, axis, keepdims)
    return NotImplemented


def _matrix_norm(norms: Callable[..., Any], x: Any, ord: Any, axes: Any, keepdims: Any) -> Any:
    if ord is None or (isinstance(ord, str) and ord in ("fro", "f")):
        return norms(_TWO, x, None, axes, keepdims)
    kind = _kind_of(_MATRIX_KINDS, ord)
    if kind is None:
        return NotImplemented
    which, choose = kind
    axes = normalize_axis_tuple(axes, x.ndim)
    sums = norms(_ONE, _magnitudes(x, _ONE), None, axes[which], True)
    if sums is NotImplemented:
        return sums
    with np.errstate(all="ignore"):
        return choose(sums, axis=axes, keepdims=keepdims)


def _power_norm(norms: Callable[..., Any], x: Any, ord: float, axis: Any, keepdims: Any) -> Any:
    """Compute other orders by NumPy; scaled where powers left the range of the dtype."""
    narrow = x.dtype.newbyteorder("=") if is_half(x.dtype) else None
    with np.errstate(all="ignore"):
        wide = x if narrow is None else x.astype("f8")
        result = _root_of_powers(wide, ord, axis, keepdims)
        if not _is_within(result, ord):
            kind = _VECTOR_KINDS[np.inf if ord > 0 else -np.inf]
            decisive = norms(kind, x, None, axis, keepdims)
            if not _is_within(_where_in_doubt(result, decisive), ord):
                result = _scaled_norm(x, ord, axis, decisive, result)
        return result if narrow is None else result.astype(narrow)


def _root_of_powers(x: Any, ord: float, axis: Any, keepdims: Any) -> Any:
    """Do what `numpy.linalg.norm` does once it has looked at all other kinds of norms."""
    powers = np.abs(x if x.dtype.kind == "f" else x.astype("f8"))
    powers **= ord
    total = np.add.reduce(powers, (axis,), keepdims=keepdims)  # a 0-d one has no axis 0
    total **= total.dtype.type(1) / ord
    return total


def _where_in_doubt(result: Any, decisive: Any) -> Any:
    """Return norms, with 1 where an element that is 0, infinite or NaN decides them."""
    usable = (decisive > 0) & (decisive < np.inf)
    if result.ndim == 0:
        return result if usable else result.dtype.type(1)
    return np.where(usable, result, result.dtype.type(1))


def _is_within(result: Any, ord: float) -> bool:
    """Return whether no sum of powers overflowed, or was formed of subnormal ones."""
    exponents = 900 if result.dtype == np.float64 else 100
    if result.ndim == 0:
        return 0 < result < np.inf and abs(log2(result)) * abs(ord) < exponents
    limit = 2.0 ** min(exponents / abs(ord), exponents)
    least, greatest = np.minimum.reduce(result, None), np.maximum.reduce(result, None)
    return bool(1 / limit < least and greatest < limit)


def _scaled_norm(x: Any, ord: float, axis: Any, decisive: Any, result: Any) -> Any:
    """Compute norms anew, elements brought near 1 by the one that decides each of them."""
    decisive = np.asarray(decisive, "f8")
    usable = (decisive > 0) & (decisive < np.inf)
    exponent = np.where(usable, np.frexp(decisive)[1], 0)
    along = exponent if exponent.ndim == x.ndim else np.expand_dims(exponent, axis)
    scaled = np.linalg.norm(
        np.ldexp(x.astype("f8"), -along), ord, axis, keepdims=exponent.ndim == x.ndim
    )
    return np.ldexp(scaled, exponent).astype(result.dtype)[()]


@documented(LINALG["cosine_similarity"])
def cosine_similarity(a: Any, b: Any, axis: Any = -1) -> Any:
    if is_dask(a) or is_dask(b):
        return on_dask("cosine_similarity")(a, b, axis)
    return general_cosine(native.norms, a, b, axis)


def general_cosine(norms: Callable[..., Any], a: Any, b: Any, axis: Any) -> Any:
    """Compute cosines by `norms`, the function "norms" of `native.build`."""
    x = np.asarray(plain("cosine_similarity", "a", a))
    y = np.asarray(plain("cosine_similarity", "b", b))
    result = norms(lib.VEKT_COSINE, x, y, axis, False)
    if result is NotImplemented:
        raise TypeError(
            f"cosine_similarity: dtypes {x.dtype} and {y.dtype} are not supported; "
            "expected real dtypes up to float64"
        )
    return result


@documented(LINALG["outer"])
def outer(a: Any, b: Any, out: Any = None) -> Any:
    return general_outer(native.outer, a, b, out)


def general_outer(kernel: Callable[..., Any], a: Any, b: Any, out: Any) -> Any:
    """Compute an outer product by `kernel`, `native.outer` or one that `native.build` made."""
    result = kernel(a, b, out)
    if result is not NotImplemented:
        return result
    refuse_boxes(a, b)
    for name, x in (("a", a), ("b", b)):
        if isinstance(x, np.ndarray):
            plain("outer", name, x)
        elif hasattr(x, "__array_function__"):
            return np.outer(a, b) if out is None else np.outer(a, b, out)
    column, row = np.asarray(a).reshape(-1, 1), np.asarray(b).ravel()
    if column.dtype.kind in "biu" and row.dtype.kind in "biu":
        return np.multiply(column, row, out)
    with np.errstate(all="ignore"):
        return np.multiply(column, row, out)


@documented(LINALG["transpose_copy"])
def transpose_copy(a: Any, axes: Any = None, out: Any = None) -> Any:
    return general_transpose_copy(native.transpose_copy, a, axes, out)


def general_transpose_copy(kernel: Callable[..., Any], a: Any, axes: Any, out: Any) -> Any:
    """Copy by `kernel`, `native.transpose_copy` or one that `native.build` made."""
    view = a if type(a) is np.ndarray else np.asarray(plain("transpose_copy", "a", a))
    view = view.T if axes is None else view.transpose(axes)
    if out is None:
        copy = kernel(view, None)
        return view.copy(order="C") if copy is NotImplemented else copy
    out = checked_out(out, shape=view.shape)
    if np.may_share_memory(out, view):
        view = view.copy()  # NumPy's own copies of one dimension do not always mind an overlap
    direct = out.dtype == view.dtype and out.flags.c_contiguous
    if not direct or kernel(view, out) is NotImplemented:
        np.copyto(out, view, casting="same_kind")
    return out
