"""What a call of a fused function gives: operands, and arrays for results."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from vekt._fuse.plan import Plan

_OPERANDS = (np.ndarray, np.generic, list, memoryview, array)
_MOST_DIMS = 32  # of `numpy.broadcast`; arrays have twice as many


def as_arrays(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return NumPy's scalars as arrays."""
    return tuple([np.asarray(x) if isinstance(x, np.generic) else x for x in operands])


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape to which these broadcast."""
    ndim = max(map(len, shapes), default=0)
    outer, inner = [], []
    for shape in ((1,) * (ndim - len(s)) + s for s in shapes):
        outer.append(shape[:-_MOST_DIMS])
        inner.append(shape[-_MOST_DIMS:])
    first = np.broadcast_shapes(*outer) if ndim > _MOST_DIMS else ()
    return first + np.broadcast_shapes(*inner)


def in_native_order(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a dtype in the machine's byte order, of which NumPy's newer dtypes have none."""
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def is_operand(x: Any) -> bool:
    """Tell whether an argument is an array, of whatever library, a list or a buffer."""
    return isinstance(x, _OPERANDS) or (
        not isinstance(x, type)
        and (hasattr(x, "__array_ufunc__") or hasattr(x, "__array__"))
        and not callable(x)
    )


def outs_of(out: Any, plan: Plan) -> tuple[Any, ...]:
    """Return what `out=` holds for each result of a plan."""
    count = len(plan.traced.outputs)
    if out is None:
        return ()
    outs = out if isinstance(out, tuple) else (out,)
    if len(outs) != count:
        raise ValueError(f"out: expected {count} arrays, got {len(outs)}")
    for x in outs:
        if x is not None and not isinstance(x, np.ndarray):
            raise TypeError(f"out: expected an array, got {type(x).__name__}")
    return outs
