"""The greatest elements, elements at given places and sums there, in compiled functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype

from vekt.jit._choosing import one_hot, scatter_add, take, top_k
from vekt.jit._gates import with_item
from vekt.jit._jitable import jitable, overloads
from vekt.jit._views import is_none, literal

NAMES = ("one_hot", "scatter_add", "take", "top_k")


def _check_array(function: str, name: str, x: Any, of: Any = types.Number | types.Boolean) -> None:
    if not (isinstance(x, types.Array) and isinstance(x.dtype, of)):
        raise TypingError(f"{function}: {name} must be an array of numbers, not {x}")


def _check_places(function: str, indices: Any) -> None:
    known = isinstance(indices, types.Array) and indices.ndim
    if not (known and isinstance(indices.dtype, types.Integer)):
        raise TypingError(f"{function}: indices must be an array of integers, not {indices}")


def _axis_of(function: str, axis: Any, ndim: int) -> int:
    axis = literal(axis)
    if not isinstance(axis, int):
        raise TypingError(f"{function}: axis must be a constant in compiled functions")
    if not -ndim <= axis < ndim:
        raise TypingError(f"{function}: axis {axis} is out of bounds of {ndim} dimensions")
    return axis % ndim


# ---- top_k


@jitable
def _is_worse(x: Any, i: int, j: int) -> Any:
    """Tell whether element i comes after element j."""
    a, b = x[i], x[j]
    if a < b or (b != b and a == a):
        return True
    if b < a or (a != a and b == b):
        return False
    return i > j


@jitable
def _sift(x: Any, heap: Any, size: int) -> None:
    """Let the first place sink below those that are worse."""
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and _is_worse(x, heap[child + 1], heap[child]):
            child += 1
        if not _is_worse(x, heap[child], heap[at]):
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child


@jitable
def _choose(x: Any, heap: Any) -> None:
    """Write the places of the greatest elements, as many as there is room for; the worst on top."""
    k = heap.size
    for i in range(k):
        at = i
        heap[at] = i
        while at > 0 and _is_worse(x, heap[at], heap[(at - 1) // 2]):
            above = (at - 1) // 2
            heap[at], heap[above] = heap[above], heap[at]
            at = above
    for i in range(k, x.size):
        if k > 0 and _is_worse(x, heap[0], i):
            heap[0] = i
            _sift(x, heap, k)
    for size in range(k - 1, 0, -1):
        heap[0], heap[size] = heap[size], heap[0]
        _sift(x, heap, size)


@overloads(top_k)
def _top_k_types(x: Any, k: Any, axis: Any = -1) -> Any:
    _check_array("top_k", "x", x, types.Integer | types.Float | types.Boolean)
    if not isinstance(k, types.Integer):
        raise TypingError(f"top_k: k must be an integer, not {k}")
    if x.ndim == 0 or _axis_of("top_k", axis, x.ndim) != x.ndim - 1:
        raise TypingError("top_k: along the last axis alone in compiled functions")
    dtype = as_dtype(x.dtype)

    def run(x, k, axis=-1):  # type: ignore[no-untyped-def]
        n = x.shape[-1]
        if k < 0 or k > n:
            raise ValueError("top_k: k is not within 0 and the length of the axis")
        values = np.empty(x.shape[:-1] + (k,), dtype)  # noqa: RUF005
        indices = np.empty(x.shape[:-1] + (k,), np.int64)  # noqa: RUF005
        if values.size == 0:
            return values, indices
        rows = np.ascontiguousarray(x).reshape(x.size // n, n)
        chosen, places = values.reshape(x.size // n, k), indices.reshape(x.size // n, k)
        for row in range(rows.shape[0]):
            _choose(rows[row], places[row])
            for i in range(k):
                chosen[row, i] = rows[row, places[row, i]]
        return values, indices

    return run


# ---- take and scatter_add


@jitable
def _shape_of_places(x: Any, indices: Any, axis: int) -> Any:
    """Return the shape of what is taken: that of the places stands for the axis."""
    shape, n = (indices.shape + x.shape)[1:], indices.ndim
    for k in range(len(shape)):
        if k < axis:
            shape = with_item(shape, k, x.shape[k])
        elif k < axis + n:
            shape = with_item(shape, k, indices.shape[k - axis])
        else:
            shape = with_item(shape, k, x.shape[k - n + 1])
    return shape


@jitable
def _sides(x: Any, axis: int) -> Any:
    """Return how many elements there are before and behind an axis."""
    before, behind = 1, 1
    for k in range(x.ndim):
        if k < axis:
            before *= x.shape[k]
        elif k > axis:
            behind *= x.shape[k]
    return before, behind


@jitable
def _outside(places: Any, length: int) -> bool:
    for i in places.flat:  # noqa: SIM110
        if not -length <= i < length:
            return True
    return False


@overloads(take, prefer_literal=True)
def _take_types(
    x: Any, indices: Any, axis: Any = None, mode: Any = "raise", out: Any = None
) -> Any:
    _check_array("take", "x", x)
    _check_places("take", indices)
    if not is_none(out):
        raise TypingError("take: out is not supported in compiled functions")
    mode = literal(mode)
    if mode not in ("raise", "wrap", "clip"):
        raise TypingError("take: mode must be the constant 'raise', 'wrap' or 'clip'")
    dtype, wraps, clips = as_dtype(x.dtype), mode == "wrap", mode == "clip"
    flat = is_none(axis)
    at = 0 if flat else _axis_of("take", axis, x.ndim)

    @jitable
    def gather(x: Any, indices: Any, before: int, length: int, behind: int, made: Any) -> None:
        if length == 0 and indices.size:
            raise IndexError("no index is within an axis of no elements")
        if not wraps and not clips and _outside(indices, length):
            raise IndexError("take: an index is out of bounds")
        blocks = np.ascontiguousarray(x).reshape(before, length, behind)
        results = made.reshape(before, indices.size, behind)
        for o in range(before):
            for j, place in enumerate(indices.flat):
                i = np.int64(place)
                if wraps:
                    i %= length
                elif clips:
                    i = min(max(i, np.int64(0)), np.int64(length - 1))
                elif i < 0:
                    i += length
                for e in range(behind):
                    results[o, j, e] = blocks[o, i, e]

    if flat:

        def of_all(x, indices, axis=None, mode="raise", out=None):  # type: ignore[no-untyped-def]
            made = np.empty(indices.shape, dtype)
            gather(x, indices, 1, x.size, 1, made)
            return made

        return of_all

    def run(x, indices, axis=None, mode="raise", out=None):  # type: ignore[no-untyped-def]
        before, behind = _sides(x, at)
        made = np.empty(_shape_of_places(x, indices, at), dtype)
        gather(x, indices, before, x.shape[at], behind, made)
        return made

    return run


@overloads(scatter_add, prefer_literal=True)
def _scatter_add_types(x: Any, indices: Any, values: Any, axis: Any = 0) -> Any:
    _check_array("scatter_add", "x", x)
    _check_array("scatter_add", "values", values)
    _check_places("scatter_add", indices)
    at = _axis_of("scatter_add", axis, x.ndim)
    if values.ndim != x.ndim - 1 + indices.ndim:
        raise TypingError("scatter_add: values must have the dimensions they are added in")
    if not np.can_cast(as_dtype(values.dtype), as_dtype(x.dtype), "same_kind"):
        raise TypingError(f"scatter_add: values of {values.dtype} cannot be added to {x.dtype}")
    kind, dense = x.dtype, x.layout == "C"

    @jitable
    def add(sums: Any, indices: Any, terms: Any, length: int) -> None:
        for o in range(sums.shape[0]):
            for j, place in enumerate(indices.flat):
                i = np.int64(place)
                if i < 0:
                    i += length
                for e in range(sums.shape[2]):
                    sums[o, i, e] += kind(terms[o, j, e])

    def run(x, indices, values, axis=0):  # type: ignore[no-untyped-def]
        (before, behind), length = _sides(x, at), x.shape[at]
        if values.shape != _shape_of_places(x, indices, at):
            raise ValueError("scatter_add: values have another shape than what they are added to")
        if _outside(indices, length):
            raise IndexError("scatter_add: an index is out of bounds")
        sums = np.ascontiguousarray(x)
        terms = values.copy().reshape(before, indices.size, behind)
        add(sums.reshape(before, length, behind), indices, terms, length)
        if not dense:
            x[...] = sums
        return x

    return run


# ---- one_hot


@overloads(one_hot)
def _one_hot_types(indices: Any, num_classes: Any, axis: Any = -1, dtype: Any = "float32") -> Any:
    _check_places("one_hot", indices)
    if _axis_of("one_hot", axis, indices.ndim + 1) != indices.ndim:
        raise TypingError("one_hot: along the last axis alone in compiled functions")
    if not (dtype == "float32" or literal(dtype) == "float32"):
        raise TypingError("one_hot: of dtype float32 alone in compiled functions")

    def run(indices, num_classes, axis=-1, dtype="float32"):  # type: ignore[no-untyped-def]
        if num_classes < 0:
            raise ValueError("one_hot: num_classes must not be negative")
        made = np.zeros(indices.shape + (num_classes,), np.float32)  # noqa: RUF005
        vectors = made.reshape(indices.size, num_classes)
        for j, place in enumerate(indices.flat):
            if 0 <= place < num_classes:
                vectors[j, place] = 1
        return made

    return run
