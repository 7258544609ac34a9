"""Arguments as Numba sees them, and views of arrays with other axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ._gates import place, with_item
from ._jitable import jitable, overloads


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
def moved(x: Any, axes: Any, to_front: bool) -> Any:
    """Return the view whose first or last axes are these, in their order."""
    order, count = x.shape, len(axes)
    free = count if to_front else 0
    for k in range(x.ndim):
        at = -1
        for i in range(count):
            if place(axes[i], x.ndim) == k:
                if at >= 0:
                    raise ValueError("an axis is named twice")
                at = i
        if at < 0:
            order, free = with_item(order, free, k), free + 1
        else:
            order = with_item(order, at if to_front else x.ndim - count + at, k)
    return x.transpose(order)


def matrix_maker(ndim: int, rows: int) -> Callable[..., Any]:
    """Make the function that merges the first axes of an array, so many, to rows, others to columns.

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
