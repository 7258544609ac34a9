"""Arguments as Numba sees them, and views of arrays with other axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numpy.lib.stride_tricks import as_strided

from vekt.jit._gates import place, with_item
from vekt.jit._jitable import jitable, overloads


def is_none(kind: Any) -> bool:
    """Whether this is the type of an argument that is None or left out."""
    return kind is None or isinstance(kind, types.NoneType | types.Omitted)


def literal(kind: Any) -> Any:
    """Value of an argument that is known when the code is compiled; else its type."""
    if isinstance(kind, types.Omitted):
        return kind.value
    if isinstance(kind, types.NoneType):
        return None
    return kind.literal_value if isinstance(kind, types.Literal) else kind


def length(axes: Any) -> int:
    """How many axes an argument of this type names."""
    return len(axes) if isinstance(axes, types.BaseTuple) else 1


def as_tuple(axes: Any) -> Any:
    """Return one axis as a tuple, too."""


@overloads(as_tuple)
def _as_tuple_types(axes: Any) -> Any:
    if isinstance(axes, types.BaseTuple):
        return lambda axes: axes
    return lambda axes: (axes,)


@jitable
def _permuted(x: Any, order: Any) -> Any:
    """Return `x.transpose(order)`, which takes Numba ten times as long to compile."""
    shape, strides = x.shape, x.strides
    for k in range(x.ndim):
        shape = with_item(shape, k, x.shape[order[k]])
        strides = with_item(strides, k, x.strides[order[k]])
    return as_strided(x, shape, strides)


@jitable
def with_last(x: Any, axis: int) -> Any:
    """Return the view whose last axis is this one."""
    axis, order = place(axis, x.ndim), x.shape
    for k in range(x.ndim - 1):
        order = with_item(order, k, k + (k >= axis))
    return _permuted(x, with_item(order, x.ndim - 1, axis))


@jitable
def moved(x: Any, axes: Any, to_front: bool) -> Any:
    """Return the view whose first or last axes are these, in their order."""
    order, count, taken = x.shape, len(axes), 0
    for i in range(count):
        axis = place(axes[i], x.ndim)
        if taken >> axis & 1:
            raise ValueError("an axis is named twice")
        taken |= 1 << axis
        order = with_item(order, i if to_front else x.ndim - count + i, axis)
    free = count if to_front else 0
    for axis in range(x.ndim):
        if not taken >> axis & 1:
            order = with_item(order, free, axis)
            free += 1
    return _permuted(x, order)


@jitable
def store(values: Any, out: Any) -> None:
    """Copy a contiguous array to another of its shape; `out[...] = values` takes 5 s to compile."""
    flat = values.reshape(values.size)
    for i in range(flat.size):
        out.flat[i] = flat[i]


def matrix_maker(ndim: int, rows: int) -> Callable[..., Any]:
    """Make the function that merges the first axes, so many, to rows and others to columns.

    A matrix stays what it is, so that results may be written to it; all else is copied where it is
    not in C order.
    """
    if ndim == 2 and rows == 1:
        return jitable(lambda x: x)

    @jitable
    def merged(x: Any) -> Any:
        m, n = 1, 1
        for k in range(ndim):
            if k < rows:
                m *= x.shape[k]
            else:
                n *= x.shape[k]
        return np.ascontiguousarray(x).reshape(m, n)

    return merged
