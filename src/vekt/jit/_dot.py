"""Inner product of two vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError
from numpy.typing import ArrayLike

from .._operands import checked_out, vectors
from ._jitable import overloads

# Reassociation gives LLVM as many accumulators as the machine wants; NaN and inf stay what they are.
_FASTMATH = {"reassoc", "contract"}


@njit(cache=True, nogil=True, fastmath=_FASTMATH, error_model="numpy")
def _dot(x: Any, y: Any) -> Any:
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i]) * np.float64(y[i])
    return total


def dot(a: ArrayLike, b: ArrayLike, out: Any = None) -> Any:
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
    x, y = vectors(a, b)
    with np.errstate(over="ignore"):
        result = x.dtype.type(_dot(x, y))
    if out is None:
        return result
    out = checked_out(out, shape=(), dtype=x.dtype)
    out[...] = result
    return out


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
        return kind(_dot(a, b))

    return run
