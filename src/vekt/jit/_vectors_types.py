"""Norms, cosine similarity, outer product and blocked transposes in compiled functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype, from_dtype

from vekt.jit._jitable import jitable, overloads
from vekt.jit._products import check_out, overlap
from vekt.jit._vectors import cosine_similarity, norm, outer, transpose_copy
from vekt.jit._views import is_none, literal, matrix_maker, moved, store, with_last

NAMES = ("cosine_similarity", "norm", "outer", "transpose_copy")

# ---- Sums over one row, in float64

_FASTMATH = {"reassoc", "contract"}
_BLOCK = 4096  # so that rounding errors grow with the square root of the length, not with it

# Sums of squares between these have lost nothing to underflow or overflow.
_LOWEST, _HIGHEST = 1e-270, 1e300


@jitable
def _squared(x: Any) -> Any:
    return x.real * x.real + x.imag * x.imag


_loop: Callable[..., Any] = njit(fastmath=_FASTMATH)


@_loop
def _block_of_squares(x: Any, scale: float) -> float:
    total = 0.0
    for i in range(x.size):
        total += _squared(x[i] * scale)
    return total


@_loop
def _block_of_products(x: Any, y: Any, s: float, t: float) -> float:
    total = 0.0
    for i in range(x.size):
        total += (np.float64(x[i]) * s) * (np.float64(y[i]) * t)
    return total


@_loop
def _block_of_sizes(x: Any) -> float:
    total = 0.0
    for i in range(x.size):
        total += np.float64(abs(x[i]))
    return total


@jitable
def _squares(x: Any, scale: float) -> float:
    total = 0.0
    for begin in range(0, x.size, _BLOCK):
        total += _block_of_squares(x[begin : begin + _BLOCK], scale)
    return total


@jitable
def _products(x: Any, y: Any, s: float, t: float) -> float:
    total = 0.0
    for begin in range(0, x.size, _BLOCK):
        end = begin + _BLOCK
        total += _block_of_products(x[begin:end], y[begin:end], s, t)
    return total


@jitable
def _sizes(x: Any) -> float:
    total = 0.0
    for begin in range(0, x.size, _BLOCK):
        total += _block_of_sizes(x[begin : begin + _BLOCK])
    return total


@jitable
def _extreme(x: Any, sign: float) -> float:
    """Largest element in size, or with the other sign the smallest; NaN if there is one."""
    found = sign * np.float64(abs(x[0]))
    for i in range(1, x.size):
        size = sign * np.float64(abs(x[i]))
        found = size if size > found or size != size else found
    return sign * found


@jitable
def _scale(x: Any) -> float:
    """Power of two that brings the largest element close to 1."""
    top = _extreme(x, 1.0)
    if not 0.0 < top < np.inf:
        return 1.0
    return math.ldexp(1.0, -max(math.frexp(top)[1], -1021))


@jitable
def _euclidean(x: Any) -> float:
    total = _squares(x, 1.0)
    if x.size == 0 or _LOWEST < total < _HIGHEST:
        return math.sqrt(total)
    scale = _scale(x)
    return math.sqrt(_squares(x, scale)) / scale


@jitable
def vector_norm(x: Any, order: float) -> Any:
    """Norm of one row."""
    if order == 2.0:
        return _euclidean(x)
    if order == 1.0:
        return _sizes(x)
    if order == 0.0:
        return np.float64(np.count_nonzero(x))
    if abs(order) == np.inf:
        if x.size == 0:
            raise ValueError("norm: this order has no meaning for no elements")
        return _extreme(x, 1.0 if order > 0.0 else -1.0)
    scale = _scale(x) if x.size else 1.0
    total = 0.0
    for i in range(x.size):
        total += np.float64(abs(x[i] * scale)) ** order
    return total ** (1.0 / order) / scale


@jitable
def matrix_norm(x: Any, order: float) -> float:
    """Largest or smallest sum of sizes along a row or a column."""
    if not (abs(order) == 1.0 or abs(order) == np.inf):
        raise ValueError("norm: matrices have orders 1, -1, inf, -inf and 'fro' here")
    rows = np.ascontiguousarray(x.T if abs(order) == 1.0 else x)
    if rows.size == 0:
        raise ValueError("norm: this order has no meaning for no elements")
    sign = 1.0 if order > 0.0 else -1.0
    found = sign * _sizes(rows[0])
    for i in range(1, rows.shape[0]):
        size = sign * _sizes(rows[i])
        found = size if size > found or size != size else found
    return sign * found


@jitable
def cosine(x: Any, y: Any) -> Any:
    """Cosine of the angle between two rows, scaled where squares leave the range."""
    s = t = 1.0
    a, b = _products(x, x, s, s), _products(y, y, t, t)
    # Their product must not leave the range either.
    if not (1e-135 < a < 1e150 and 1e-135 < b < 1e150) and x.size:
        s, t = _scale(x), _scale(y)
        a, b = _products(x, x, s, s), _products(y, y, t, t)
    if a == 0.0 or b == 0.0:
        return 0.0 * (a + b)  # NaN stays
    value = _products(x, y, s, t) / math.sqrt(a * b)
    return max(-1.0, min(1.0, value)) if value == value else value


# ---- The functions of arrays


def _floating(name: str, *operands: Any) -> Any:
    """Type of elements to compute with: the common one, float64 for integers."""
    for x in operands:
        if not (isinstance(x, types.Array) and isinstance(x.dtype, types.Number | types.Boolean)):
            raise TypingError(f"{name}: expected arrays of numbers, got {x}")
    dtype = np.result_type(*(as_dtype(x.dtype) for x in operands))
    if dtype.kind in "biu":
        dtype = np.dtype("f8")
    if dtype.char not in "fdFD":
        raise TypingError(f"{name}: dtype {dtype} is not supported in compiled functions")
    return from_dtype(dtype)


def _refuse_keepdims(name: str, keepdims: Any) -> None:
    if literal(keepdims) is not False:
        raise TypingError(f"{name}: keepdims is not supported in compiled functions")


def _each_row(of: Callable[..., Any], kind: Any, ndim: int, kept: int) -> Any:
    """Make the function that applies another to all rows along what is not among `kept` axes."""
    dtype, matrix = as_dtype(kind), matrix_maker(ndim, kept)

    def run(x: Any, y: Any, order: Any) -> Any:
        results = np.empty(x.shape[:kept], dtype)
        flat = results.reshape(results.size)
        rows, others = matrix(x), matrix(y)
        for i in range(flat.size):
            flat[i] = of(rows[i], others[i], order)
        return results

    return jitable(run)


_norm_of_row = jitable(lambda x, y, order: vector_norm(x, order))
_cosine_of_rows = jitable(lambda x, y, order: cosine(x, y))


@overloads(norm)
def _norm_types(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    kind = _floating("norm", x)
    _refuse_keepdims("norm", keepdims)
    real = getattr(kind, "underlying_float", kind)
    number, dtype = not is_none(ord) and literal(ord) != "fro", as_dtype(kind)
    if number and not isinstance(ord, types.Number):
        raise TypingError(f"norm: expected a number, 'fro' or None as ord, got {ord}")
    order: Any = jitable(lambda ord: np.float64(ord)) if number else jitable(lambda ord: 2.0)
    if not is_none(axis):
        count = len(axis) if isinstance(axis, types.BaseTuple) else 1
        if count > 1 and number:
            raise TypingError("norm: matrices along two axes have the Frobenius norm only")
        rows: Any = _each_row(_norm_of_row, real, x.ndim, x.ndim - count)
        finish: Any = jitable(lambda y: y) if x.ndim > count else jitable(lambda y: y[()])

        if isinstance(axis, types.BaseTuple):
            view: Any = jitable(lambda x, axis: moved(x, axis, False))
        else:
            view = jitable(lambda x, axis: with_last(x, axis))

        def along(x, ord=None, axis=None, keepdims=False):  # type: ignore[no-untyped-def]
            y = view(x, axis).astype(dtype)
            return finish(rows(y, y, order(ord)))

        return along
    if number and x.ndim == 2:
        return lambda x, ord=None, axis=None, keepdims=False: real(
            matrix_norm(x.astype(dtype), np.float64(ord))
        )
    if number and x.ndim != 1:
        raise TypingError(f"norm: ord without axis is for vectors and matrices, not {x}")
    if x.dtype == kind:
        flat: Any = matrix_maker(x.ndim, 0)
        return lambda x, ord=None, axis=None, keepdims=False: real(
            vector_norm(flat(x)[0], order(ord))
        )
    return lambda x, ord=None, axis=None, keepdims=False: real(
        vector_norm(x.astype(dtype).ravel(), order(ord))
    )


@overloads(cosine_similarity)
def _cosine_types(a: Any, b: Any, axis: Any = -1) -> Any:
    kind = _floating("cosine_similarity", a, b)
    if isinstance(kind, types.Complex) or not (a.ndim and b.ndim):
        raise TypingError(f"cosine_similarity: expected real vectors, got {a} and {b}")
    ndim, dtype = max(a.ndim, b.ndim) - 1, as_dtype(kind)
    rows: Any = _each_row(_cosine_of_rows, kind, ndim + 1, ndim)
    finish: Any = jitable(lambda y: y) if ndim else jitable(lambda y: y[()])
    is_last = literal(axis) == -1
    view: Any = (
        jitable(lambda x, axis: x) if is_last else jitable(lambda x, axis: with_last(x, axis))
    )

    def run(a, b, axis=-1):  # type: ignore[no-untyped-def]
        shape = np.broadcast_shapes(a.shape, b.shape)
        x, y = np.broadcast_to(a, shape), np.broadcast_to(b, shape)
        left, right = view(x, axis), view(y, axis)
        return finish(rows(left.astype(dtype), right.astype(dtype), 0.0))

    return run


@overloads(outer)
def _outer_types(a: Any, b: Any, out: Any = None) -> Any:
    for x in (a, b):
        if not (isinstance(x, types.Array) and isinstance(x.dtype, types.Number | types.Boolean)):
            raise TypingError(f"outer: expected arrays of numbers, got {x}")
    dtype = np.result_type(as_dtype(a.dtype), as_dtype(b.dtype))
    kind = from_dtype(dtype)
    check_out("outer", out, kind, 2)

    @jitable
    def fill(x: Any, y: Any, c: Any) -> None:
        for i in range(x.size):
            factor = kind(x[i])
            for j in range(y.size):
                c[i, j] = factor * kind(y[j])

    if is_none(out):

        def made(a, b, out=None):  # type: ignore[no-untyped-def]
            c = np.empty((a.size, b.size), dtype)
            fill(a.ravel(), b.ravel(), c)
            return c

        return made

    def given(a, b, out=None):  # type: ignore[no-untyped-def]
        if out.shape != (a.size, b.size):
            raise ValueError("out has another shape than the result")
        x = a.flatten() if overlap(out, a) else a.ravel()
        y = b.flatten() if overlap(out, b) else b.ravel()
        fill(x, y, out)
        return out

    return given


# ---- Transposes

_TILE = 32  # rows and columns: both sides of a tile stay in the first-level cache


@jitable
def _copy_tiles(x: Any, y: Any) -> None:
    """Copy a matrix in tiles, as one of the two is read or written across its rows."""
    m, n = x.shape
    for top in range(0, m, _TILE):
        for left in range(0, n, _TILE):
            for i in range(top, min(top + _TILE, m)):
                for j in range(left, min(left + _TILE, n)):
                    y[i, j] = x[i, j]


def _copy(x: Any, y: Any) -> None:
    """Copy an array to another of its shape."""


@overloads(_copy)
def _copy_types(x: Any, y: Any) -> Any:
    if x.ndim < 2:
        return lambda x, y: store(x.copy(), y)
    if x.ndim == 2:
        return lambda x, y: _copy_tiles(x, y)

    def stack(x, y):  # type: ignore[no-untyped-def]
        for index in np.ndindex(x.shape[:-2]):
            _copy_tiles(x[index], y[index])

    return stack


@overloads(transpose_copy)
def _transpose_copy_types(a: Any, axes: Any = None, out: Any = None) -> Any:
    if not isinstance(a, types.Array):
        raise TypingError(f"transpose_copy: expected an array, got {a}")
    check_out("transpose_copy", out, a.dtype, a.ndim)
    if is_none(axes):
        view: Any = jitable(lambda a, axes: a.T)
    elif isinstance(axes, types.BaseTuple) and len(axes) == a.ndim:
        view = jitable(lambda a, axes: moved(a, axes, True))
    else:
        raise TypingError(f"transpose_copy: expected a tuple of {a.ndim} axes, got {axes}")
    dtype = as_dtype(a.dtype)
    if is_none(out):

        def made(a, axes=None, out=None):  # type: ignore[no-untyped-def]
            x = view(a, axes)
            y = np.empty(x.shape, dtype)
            _copy(x, y)
            return y

        return made

    def given(a, axes=None, out=None):  # type: ignore[no-untyped-def]
        if out.shape != view(a, axes).shape:
            raise ValueError("out has another shape than the result")
        x = view(a.copy(), axes) if overlap(out, a) else view(a, axes)
        _copy(x, out)
        return out

    return given
