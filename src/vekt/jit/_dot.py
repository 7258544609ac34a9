"""Inner product of two vectors, and `dot` of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype

from vekt._core.axes import unmasked
from vekt._spec.docstrings import documented
from vekt._spec.linalg import LINALG
from vekt.jit._gates import _entry
from vekt.jit._jitable import overloads
from vekt.jit._linalg import finished, on_this_thread
from vekt.jit._linalg_types import is_vector, of_vectors
from vekt.jit._products import common_kind
from vekt.jit._views import is_none

# Reassociation gives LLVM as many accumulators as the machine wants; NaN and inf stay as they are.
_FASTMATH = {"reassoc", "contract"}

_PLAIN = (np.dtype("f4"), np.dtype("f8"))
_SUMMED = "?bBhHiIlLqQfdFD"


@documented(LINALG["dot"], "", "vekt.jit")
def dot(a: Any, b: Any, out: Any = None) -> Any:
    plain = type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 1
    if plain and out is None and a.dtype is b.dtype and a.dtype in _PLAIN:
        return a.dtype.type(_run(a, b))
    x, y = (np.asarray(unmasked("dot", name, v)) for name, v in (("a", a), ("b", b)))
    dtype = np.result_type(x, y)
    if x.ndim == y.ndim == 1 and x.size == y.size and dtype.char in _SUMMED:
        result = np.asarray(_run(*(v.astype(dtype.newbyteorder("="), copy=False) for v in (x, y))))
        return finished(result, dtype, out)
    return on_this_thread("dot", a, b, out)


def _summing(kind: Any) -> Any:
    """Make the loop that sums products in the widest type of this kind."""
    if kind == types.boolean:

        @njit
        def any_of_both(x: Any, y: Any) -> bool:
            found = False
            for i in range(x.size):
                found |= x[i] and y[i]
            return found

        return any_of_both
    wide: Any = types.float64
    if isinstance(kind, types.Complex):
        wide = types.complex128
    elif isinstance(kind, types.Integer):
        wide = types.int64 if as_dtype(kind).kind == "i" else types.uint64

    # The C kernel takes 25 to 45 ns for vectors of 4, this 10; from 1000 on both take as long in
    # float64, and C three quarters of the time in float32, which this sums in float64.
    @njit(fastmath=_FASTMATH)
    def total(x: Any, y: Any) -> Any:
        sum_ = wide(0)
        for i in range(x.size):
            sum_ += wide(x[i]) * wide(y[i])
        return sum_

    return total


@overloads(dot)
def _dot_types(a: Any, b: Any, out: Any = None) -> Any:
    kind = common_kind("dot", a, b)
    vectors = is_vector(a), is_vector(b)
    if max(a.ndim, b.ndim) > 2 or min(a.ndim, b.ndim) < 1:
        raise TypingError(f"dot: expected vectors or matrices, got {a} and {b}")
    if not (all(vectors) and is_none(out)):
        run = of_vectors("dot", a, b, out, vectors)
        return lambda a, b, out=None: run(a, b, out)
    total = _summing(kind)

    def of_two(a, b, out=None):  # type: ignore[no-untyped-def]
        if a.size != b.size:
            raise ValueError("dot: expected two vectors of equal length")
        return kind(total(a, b))

    return of_two


@_entry
def _run(a, b):  # type: ignore[no-untyped-def]
    return dot(a, b)
