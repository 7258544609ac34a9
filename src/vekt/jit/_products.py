"""Products of (stacks of) matrices in compiled functions, by the C kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype, from_dtype

from vekt._kernels import lib

from ._jitable import jitable, overloads
from ._native_calls import driver
from ._views import is_none

_INTEGERS = {
    1: lib.VEKT_PRODUCT_I8,
    2: lib.VEKT_PRODUCT_I16,
    4: lib.VEKT_PRODUCT_I32,
    8: lib.VEKT_PRODUCT_I64,
}
_OTHERS = {
    np.dtype("?"): lib.VEKT_PRODUCT_BOOL,
    np.dtype("f2"): lib.VEKT_PRODUCT_HALF,
    np.dtype("f4"): lib.VEKT_PRODUCT_F32,
    np.dtype("f8"): lib.VEKT_PRODUCT_F64,
    np.dtype("c8"): lib.VEKT_PRODUCT_C64,
    np.dtype("c16"): lib.VEKT_PRODUCT_C128,
}

_matmul = driver("matmul")


def product_type(dtype: np.dtype[Any]) -> int | None:
    """Type of product in C whose elements have this dtype."""
    return _INTEGERS[dtype.itemsize] if dtype.kind in "iu" else _OTHERS.get(dtype)


def common_kind(name: str, *operands: Any) -> Any:
    """Numba's type of the elements of the result."""
    for operand in operands:
        if not isinstance(operand, types.Array):
            raise TypingError(f"{name}: expected arrays, got {operand}")
    dtype = np.result_type(*(as_dtype(t.dtype) for t in operands))
    # Numba has no float16 on the CPU beyond its name.
    if product_type(dtype) is None or dtype == np.float16:
        raise TypingError(f"{name}: dtype {dtype} is not supported in compiled functions")
    return from_dtype(dtype)


def check_out(name: str, out: Any, kind: Any, ndim: int) -> None:
    """Refuse arrays that cannot hold a result of this type."""
    if is_none(out):
        return
    if not (isinstance(out, types.Array) and out.mutable):
        raise TypingError(f"{name}: out must be a writeable array, not {out}")
    if out.dtype != kind or out.ndim != ndim:
        raise TypingError(f"{name}: out must be a {ndim}-d array of {kind}, not {out}")


def converter(operand: Any, kind: Any) -> Callable[..., Any]:
    """Return a jitable function that brings an array to this type of elements."""
    if operand.dtype == kind:
        return jitable(lambda x: x)
    dtype = as_dtype(kind)
    return jitable(lambda x: x.astype(dtype))


@jitable
def _reach(x: Any) -> Any:
    """First address of an array, and the one after its last."""
    low = high = 0
    for k in range(x.ndim):
        span = (x.shape[k] - 1) * x.strides[k]
        low, high = min(low, low + span), max(high, high + span)
    return np.int64(x.ctypes.data) + low, np.int64(x.ctypes.data) + high + x.itemsize


@jitable
def overlap(x: Any, y: Any) -> bool:
    """Whether the memory of one array may be that of another."""
    if x.size == 0 or y.size == 0:
        return False
    first, other = _reach(x), _reach(y)
    return first[0] < other[1] and other[0] < first[1]


# ---- From views with two axes or more to the driver


def _spread(x: Any, outer: Any) -> Any:
    """Return the view of a stack of matrices that repeats it along these axes."""


@overloads(_spread)
def _spread_types(x: Any, outer: Any) -> Any:
    if x.ndim == 2 and len(outer) == 0:
        return lambda x, outer: x
    return lambda x, outer: np.broadcast_to(x, outer + x.shape[-2:])


def _outer(a: Any, b: Any) -> Any:
    """Return the lengths of the axes before the last two."""


@overloads(_outer)
def _outer_types(a: Any, b: Any) -> Any:
    if a.ndim == 2:
        return lambda a, b: b.shape[:-2]
    if b.ndim == 2:
        return lambda a, b: a.shape[:-2]
    return lambda a, b: np.broadcast_shapes(a.shape[:-2], b.shape[:-2])


@jitable
def _shape(a: Any, b: Any) -> Any:
    """Shape of the product."""
    if a.shape[-1] != b.shape[-2]:
        raise ValueError("the lengths to sum over differ")
    return _outer(a, b) + (a.shape[-2], b.shape[-1])


@jitable
def _run(product: int, a: Any, b: Any, c: Any) -> None:
    outer = c.shape[:-2]
    x, y = _spread(a, outer), _spread(b, outer)
    k = a.shape[-1]
    if _matmul((product, c.ndim, c.shape, k, x, x.strides, y, y.strides, c, c.strides)) != 0:
        raise MemoryError("no memory for a product")


def multiply(product: int, a: Any, b: Any, out: Any) -> Any:
    """Multiply stacks of matrices, of the same type, into a new array or `out`."""


@overloads(multiply)
def _multiply_types(product: Any, a: Any, b: Any, out: Any) -> Any:
    dtype = as_dtype(a.dtype)
    if is_none(out):

        def made(product, a, b, out):  # type: ignore[no-untyped-def]
            c = np.empty(_shape(a, b), dtype)
            _run(product, a, b, c)
            return c

        return made

    def given(product, a, b, out):  # type: ignore[no-untyped-def]
        shape = _shape(a, b)
        if out.shape != shape:
            raise ValueError("out has another shape than the result")
        if overlap(out, a) or overlap(out, b):
            c = np.empty(shape, dtype)
            _run(product, a, b, c)
            out[...] = c
        else:
            _run(product, a, b, out)
        return out

    return given
