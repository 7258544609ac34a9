"""Products of (stacks of) matrices in compiled functions, by the C kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype, from_dtype

from vekt._core.native import lib
from vekt.jit._gates import with_item
from vekt.jit._jitable import jitable
from vekt.jit._native_calls import driver
from vekt.jit._views import is_none, store

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

MEMORY_TYPES: dict[np.dtype[Any], int] = {
    **{
        np.dtype(f"{letter}{size}"): getattr(lib, f"VEKT_TYPE_{letter.upper()}{size * 8}")
        for letter in "iu"
        for size in (1, 2, 4, 8)
    },
    np.dtype("?"): lib.VEKT_TYPE_BOOL,
    np.dtype("f4"): lib.VEKT_TYPE_F32,
    np.dtype("f8"): lib.VEKT_TYPE_F64,
    np.dtype("c8"): lib.VEKT_TYPE_C64,
    np.dtype("c16"): lib.VEKT_TYPE_C128,
}

_matmul = driver("matmul")


def product_type(dtype: np.dtype[Any]) -> int | None:
    """Type of product in C whose elements have this dtype."""
    return _INTEGERS[dtype.itemsize] if dtype.kind in "iu" else _OTHERS.get(dtype)


def converting_type(own: int, kind: Any, first: Any, second: Any) -> int:
    """Type of a product or layer in C, joined by those of operands of other elements than its."""
    places = ((first, lib.VEKT_JIT_FIRST), (second, lib.VEKT_JIT_SECOND))
    for operand, place in places:
        if operand.dtype != kind:
            own |= (1 + MEMORY_TYPES[as_dtype(operand.dtype)]) << place
    return own


def common_kind(name: str, *operands: Any, asked: Any = None) -> Any:
    """Numba's type of the elements of the result, which may have been asked for."""
    for operand in operands:
        if not isinstance(operand, types.Array):
            raise TypingError(f"{name}: expected arrays, got {operand}")
    given = [as_dtype(t.dtype) for t in operands]
    dtype = np.result_type(*given)
    if not is_none(asked):
        if not isinstance(asked, types.NumberClass | types.DType):
            raise TypingError(f"{name}: dtype must be a type such as numpy.int32, not {asked}")
        dtype = as_dtype(asked.dtype)
        if not all(np.can_cast(x, dtype, "same_kind") for x in given):
            raise TypingError(f"{name}: cannot cast {given} to {dtype}")
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
def overlap(x: Any, y: Any) -> Any:
    """Whether the memory of one array may be that of another."""
    if x.size == 0 or y.size == 0:
        return False
    first, other = _reach(x), _reach(y)
    return first[0] < other[1] and other[0] < first[1]


# ---- Matrices with axes of stacks before them, that broadcast.  Shapes and steps say it all: views
# made by NumPy's functions take Numba a second to compile.


@jitable
def _steps(full: Any, x: Any, outer: int, row: int, column: int) -> Any:
    """Bytes between elements along each axis of the whole product; `row` and `column` may be -1."""
    first = len(full) - 2 - outer
    for d in range(len(full) - 2):
        along = d >= first and x.shape[d - first] != 1
        full = with_item(full, d, x.strides[d - first] if along else 0)
    full = with_item(full, len(full) - 2, x.strides[row] if row >= 0 else 0)
    return with_item(full, len(full) - 1, x.strides[column] if column >= 0 else 0)


@jitable
def _broadcast(full: Any, a: Any, b: Any, a_outer: int, b_outer: int) -> Any:
    """Lengths of the axes before the last two; what `full` has for the others stays."""
    outer = len(full) - 2
    for d in range(outer):
        i, j = d - outer + a_outer, d - outer + b_outer
        la, lb = a.shape[i] if i >= 0 else 1, b.shape[j] if j >= 0 else 1
        if la != lb and la != 1 and lb != 1:
            raise ValueError("the axes before the last do not broadcast")
        full = with_item(full, d, lb if la == 1 else la)
    return full


@jitable
def _reduced(shape: Any, full: Any, row: int, column: int) -> Any:
    """Shape of the result, in which rows or columns that stand for vectors are missing."""
    outer = len(full) - 2
    for d in range(outer):
        shape = with_item(shape, d, full[d])
    shape = with_item(shape, row, full[outer]) if row >= 0 else shape
    return with_item(shape, column, full[outer + 1]) if column >= 0 else shape


def multiplier(
    kind: Any,
    first: Any,
    second: Any,
    out: Any,
    vectors: tuple[bool, bool] = (False, False),
    ndims: tuple[int, int] | None = None,
) -> Any:
    """Make the function (a, b, out) for stacks of matrices or vectors of these types of arrays.

    It writes to `out`, an array of the result's shape or None for a new one, and returns it.
    """
    a_ndim, b_ndim = ndims or (first.ndim, second.ndim)
    a_outer, b_outer = a_ndim - 2 + vectors[0], b_ndim - 2 + vectors[1]
    outer = max(a_outer, b_outer)
    ndim = outer + 2 - sum(vectors)
    zeros, shape = (0,) * (outer + 2), (0,) * ndim
    dtype, own = as_dtype(kind), product_type(as_dtype(kind))
    assert own is not None
    product = converting_type(own, kind, first, second)
    # The axes along rows and columns of each array; -1 for none.
    a_row, a_column = -1 if vectors[0] else a_outer, a_ndim - 1
    b_row, b_column = b_outer, -1 if vectors[1] else b_outer + 1
    c_row, c_column = -1 if vectors[0] else outer, -1 if vectors[1] else ndim - 1

    @jitable
    def lengths(a: Any, b: Any) -> Any:
        if a.shape[a_column] != b.shape[b_row]:
            raise ValueError("the lengths to sum over differ")
        full = with_item(zeros, outer, a.shape[a_row] if a_row >= 0 else 1)
        full = with_item(full, outer + 1, b.shape[b_column] if b_column >= 0 else 1)
        return _broadcast(full, a, b, a_outer, b_outer)

    @jitable
    def compute(full: Any, a: Any, b: Any, c: Any) -> None:
        a_steps = _steps(zeros, a, a_outer, a_row, a_column)
        b_steps = _steps(zeros, b, b_outer, b_row, b_column)
        c_steps = _steps(zeros, c, outer, c_row, c_column)
        k = a.shape[a_column]
        if _matmul((product, len(full), full, k, a, a_steps, b, b_steps, c, c_steps)) != 0:
            raise MemoryError("no memory for a product")

    if not ndim:

        def number(a: Any, b: Any, out: Any) -> Any:
            c = np.empty(1, dtype)
            compute(lengths(a, b), a, b, c)
            return c[0]

        if is_none(out):
            return jitable(number)
        of_two = jitable(number)

        def given_number(a: Any, b: Any, out: Any) -> Any:
            out[()] = of_two(a, b, None)
            return out

        return jitable(given_number)

    def made(a: Any, b: Any, out: Any) -> Any:
        full = lengths(a, b)
        c = np.empty(_reduced(shape, full, c_row, c_column), dtype)
        compute(full, a, b, c)
        return c

    if is_none(out):
        return jitable(made)

    def given(a: Any, b: Any, out: Any) -> Any:
        full = lengths(a, b)
        if out.shape != _reduced(shape, full, c_row, c_column):
            raise ValueError("out has another shape than the result")
        if overlap(out, a) or overlap(out, b):
            c = np.empty(out.shape, dtype)
            compute(full, a, b, c)
            store(c, out)
        else:
            compute(full, a, b, out)
        return out

    return jitable(given)
