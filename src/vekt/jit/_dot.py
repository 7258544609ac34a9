"""Inner product of two vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError

from .._operands import checked_out, vectors
from ._jitable import entry, overloads

# Reassociation gives LLVM as many accumulators as the machine wants; NaN and inf stay as they are.
_FASTMATH = {"reassoc", "contract"}

_NATIVE = (np.dtype("f4"), np.dtype("f8"))


@njit(fastmath=_FASTMATH)
def _sum(x: Any, y: Any) -> Any:
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i]) * np.float64(y[i])
    return total


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """Inner product of two vectors, summed in float64.

    Parameters
    ----------
    a, b : array_like, 1-d, of equal length
        float32 and float64 keep their dtype; integers and bool compute in float64.
    out : 0-d ndarray or None, optional
        Where the result goes.

    Returns
    -------
    scalar
        Sum of `a[i] * b[i]`.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> float(vk.jit.dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
    11.0
    """
    plain = type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 1
    x, y = (a, b) if plain and a.dtype is b.dtype and a.dtype in _NATIVE else vectors(a, b)
    result = x.dtype.type(_run(x, y))  # type: ignore[no-untyped-call]
    if out is None:
        return result
    target = checked_out(out, shape=(), dtype=x.dtype)
    target[...] = result
    return target


@overloads(dot)
def _dot_types(a: Any, b: Any) -> Any:
    for operand in (a, b):
        if not (isinstance(operand, types.Array) and operand.ndim == 1):
            raise TypingError(f"dot: expected two vectors, got {a} and {b}")
        if operand.dtype not in (types.float32, types.float64):
            raise TypingError(f"dot: expected float32 or float64, got {operand.dtype}")
    kind = max(a.dtype, b.dtype, key=lambda t: t.bitwidth)

    def run(a, b):  # type: ignore[no-untyped-def]
        if a.size != b.size:
            raise ValueError("dot: expected two vectors of equal length")
        return kind(_sum(a, b))

    return run


@entry
def _run(a, b):  # type: ignore[no-untyped-def]
    return dot(a, b)
