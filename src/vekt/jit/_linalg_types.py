"""Products of vectors, matrices and tensors in compiled functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.misc.special import literally

from vekt.jit._jitable import jitable, overloads
from vekt.jit._linalg import matmul, matvec, tensordot, vecdot, vecmat
from vekt.jit._products import check_out, common_kind, multiplier
from vekt.jit._views import as_tuple, length, literal, matrix_maker, moved, with_last

NAMES = ("matmul", "matvec", "tensordot", "vecdot", "vecmat")

_keep: Any = jitable(lambda x: x)
_conjugate: Any = jitable(lambda x: np.conj(x))


def of_vectors(
    name: str, x1: Any, x2: Any, out: Any, vectors: tuple[bool, bool], asked: Any = None
) -> Any:
    """Make the function (x1, x2, out) for operands of which some are (stacks of) vectors."""
    kind = common_kind(name, x1, x2, asked=asked)
    stacked = [x.ndim - 2 + vector for x, vector in zip((x1, x2), vectors, strict=True)]
    if min(stacked) < 0:
        raise TypingError(f"{name}: an operand has too few axes: {x1}, {x2}")
    check_out(name, out, kind, max(stacked) + 2 - sum(vectors))
    conjugated = name in ("vecdot", "vecmat") and isinstance(x1.dtype, types.Complex)
    conjugate = _conjugate if conjugated else _keep
    multiply: Any = multiplier(kind, x1, x2, out, vectors)
    return jitable(lambda x1, x2, out: multiply(conjugate(x1), x2, out))


def is_vector(x: Any) -> bool:
    """Whether this is the type of an array with one axis."""
    return isinstance(x, types.Array) and x.ndim == 1


@overloads(matmul)
def _matmul_types(x1: Any, x2: Any, out: Any = None, dtype: Any = None) -> Any:
    run = of_vectors("matmul", x1, x2, out, (is_vector(x1), is_vector(x2)), dtype)
    return lambda x1, x2, out=None, dtype=None: run(x1, x2, out)


@overloads(matvec)
def _matvec_types(x1: Any, x2: Any, out: Any = None, dtype: Any = None) -> Any:
    run = of_vectors("matvec", x1, x2, out, (False, True), dtype)
    return lambda x1, x2, out=None, dtype=None: run(x1, x2, out)


@overloads(vecmat)
def _vecmat_types(x1: Any, x2: Any, out: Any = None, dtype: Any = None) -> Any:
    run = of_vectors("vecmat", x1, x2, out, (True, False), dtype)
    return lambda x1, x2, out=None, dtype=None: run(x1, x2, out)


@overloads(vecdot)
def _vecdot_types(x1: Any, x2: Any, out: Any = None, axis: Any = -1, dtype: Any = None) -> Any:
    run = of_vectors("vecdot", x1, x2, out, (True, True), dtype)
    if literal(axis) == -1:
        return lambda x1, x2, out=None, axis=-1, dtype=None: run(x1, x2, out)
    return lambda x1, x2, out=None, axis=-1, dtype=None: run(
        with_last(x1, axis), with_last(x2, axis), out
    )


@overloads(tensordot)
def _tensordot_types(a: Any, b: Any, axes: Any = 2) -> Any:
    kind = common_kind("tensordot", a, b)
    if isinstance(axes, types.Integer) and not isinstance(axes, types.IntegerLiteral):
        return lambda a, b, axes=2: literally(axes)
    paired = isinstance(axes, types.BaseTuple) and len(axes) == 2
    counts = {length(axes[0]), length(axes[1])} if paired else {literal(axes)}
    count = counts.pop()
    if counts or not isinstance(count, int) or not 0 <= count <= min(a.ndim, b.ndim):
        raise TypingError(f"tensordot: axes {axes} for arrays of {a.ndim} and {b.ndim} dimensions")
    multiply: Any = multiplier(kind, a, b, types.none, ndims=(2, 2))
    free = a.ndim - count
    left, right = matrix_maker(a.ndim, free), matrix_maker(b.ndim, count)
    keeps_axes = free + b.ndim - count > 0
    finish: Any = jitable(lambda c, shape: c.reshape(shape)) if keeps_axes else _first

    def contract(x: Any, y: Any) -> Any:
        if x.shape[free:] != y.shape[:count]:
            raise ValueError("tensordot: the lengths to sum over differ")
        c = multiply(left(x), right(y), None)
        return finish(c, x.shape[:free] + y.shape[count:])

    run: Any = jitable(contract)
    if not paired:
        return lambda a, b, axes=2: run(a, b)
    return lambda a, b, axes=2: run(
        moved(a, as_tuple(axes[0]), False), moved(b, as_tuple(axes[1]), True)
    )


_first: Any = jitable(lambda c, shape: c[0, 0])
