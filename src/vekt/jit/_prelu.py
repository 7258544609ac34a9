"""leaky_relu whose slopes are learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype

from vekt._core.axes import along, periods, unmasked
from vekt._core.operands import operand_dtype, outs_of, stored
from vekt._spec.functions import forwarding, python_function
from vekt._spec.gates import PRELU
from vekt.jit._elementwise import _result_type, _shape, _unliteral
from vekt.jit._gates import _entry, contiguous, place, rounded, spread, with_item
from vekt.jit._jitable import jitable, overloads
from vekt.jit._kernels import COMPILED, RAW

_leaky_relu = COMPILED["leaky_relu"]


def _backward(dy: Any, x: Any, alpha: Any, axis: int | None, out: Any) -> Any:
    for name, operand in (("dy", dy), ("x", x), ("alpha", alpha)):
        unmasked("prelu_backward", name, operand)
    slopes = along(alpha, axis, max(np.ndim(dy), np.ndim(x)))
    dtype = operand_dtype(dy, x, slopes)
    shape = np.broadcast_shapes(np.shape(dy), np.shape(x), np.shape(slopes))
    outer, period, inner, full, gaps = periods(shape, np.shape(slopes))
    # One compilation serves all, but for slopes that are constant along an axis in between.
    axes = full if gaps else (period,)
    narrow = tuple(1 if k in gaps else n for k, n in enumerate(axes))
    above, at = (contiguous(a, dtype, shape).reshape(outer, *axes, inner) for a in (dy, x))
    dx, dalpha = _run(above, at, contiguous(slopes, dtype, np.shape(slopes)).reshape(*narrow, 1))
    dx, dalpha = (rounded(result, dy, x, alpha) for result in (dx, dalpha))
    dx_out, dalpha_out = outs_of(out, 2)
    return (
        stored(dx.reshape(shape), dx_out, shape=shape),
        stored(dalpha.reshape(np.shape(alpha)), dalpha_out, shape=np.shape(alpha)),
    )


prelu = python_function(
    PRELU,
    "",
    "vekt.jit",
    ["return _raw(x, _along(alpha, axis, _ndim(x)), out=out, where=where, dtype=dtype)"],
    {"_raw": RAW["leaky_relu"], "_along": along, "_ndim": np.ndim},
)
prelu_backward = forwarding(PRELU, "_backward", "vekt.jit", _backward)


@overloads(prelu)
def _prelu_types(x: Any, alpha: Any, axis: Any = None) -> Any:
    if _is_left_out(axis):
        return lambda x, alpha, axis=None: _leaky_relu(x, alpha)
    _refuse_axis("prelu", x, alpha)
    return lambda x, alpha, axis=None: _leaky_relu(x, _along(alpha, axis, x.shape))


@overloads(prelu_backward)
def _prelu_backward_types(dy: Any, x: Any, alpha: Any, axis: Any = None) -> Any:
    kind = _result_type("prelu_backward", (dy, x, alpha), 2)
    if all(_is_single(t) for t in (dy, x, alpha)):
        any_array = any(isinstance(t, types.Array) for t in (dy, x, alpha))
        return _of_singles(kind) if any_array else _of_numbers(kind)
    if _is_single(alpha):

        def with_number(dy, x, alpha, axis=None):  # type: ignore[no-untyped-def]
            slopes = np.full(1, _number(alpha))
            dx, dalpha = _gradients(dy, x, slopes, _shape((dy, x)), kind(0))
            return dx, dalpha[0]

        return with_number
    if _is_left_out(axis):
        return lambda dy, x, alpha, axis=None: _gradients(
            dy, x, alpha, _shape((dy, x, alpha)), kind(0)
        )
    _refuse_axis("prelu_backward", x, alpha)

    def with_axis(dy, x, alpha, axis=None):  # type: ignore[no-untyped-def]
        slopes = _along(alpha, axis, x.shape)
        dx, dalpha = _gradients(dy, x, slopes, _shape((dy, x, slopes)), kind(0))
        return dx, dalpha.reshape(alpha.shape)

    return with_axis


def _of_numbers(kind: Any) -> Any:
    def run(dy, x, alpha, axis=None):  # type: ignore[no-untyped-def]
        up, at, slope = kind(dy), kind(x), kind(alpha)
        return (up, kind(0)) if at > 0 else (up * (at if at != at else slope), up * at)

    return run


def _of_singles(kind: Any) -> Any:
    """Gradients as arrays without dimensions, of these and of numbers."""
    dtype, of_numbers = as_dtype(kind), jitable(_of_numbers(kind))

    def run(dy, x, alpha, axis=None):  # type: ignore[no-untyped-def]
        results = np.empty(2, dtype)
        results[0], results[1] = of_numbers(_number(dy), _number(x), _number(alpha))
        return results[:1].reshape(()), results[1:].reshape(())

    return run


def _is_single(operand: Any) -> bool:
    """Whether this is the type of a number or of an array without dimensions."""
    return not isinstance(operand, types.Array) or operand.ndim == 0


def _number(operand: Any) -> Any:
    """Return a number, or the one in an array without dimensions."""


@overloads(_number)
def _number_types(operand: Any) -> Any:
    if isinstance(operand, types.Array):
        return lambda operand: operand[()]
    return lambda operand: operand


def _is_left_out(axis: Any) -> bool:
    return axis is None or isinstance(axis, types.NoneType | types.Omitted)


def _refuse_axis(name: str, x: Any, alpha: Any) -> None:
    if not (isinstance(x, types.Array) and isinstance(alpha, types.Array) and alpha.ndim == 1):
        raise TypingError(f"{name}: axis wants arrays, and a 1-d alpha; got {x} and {alpha}")


@jitable
def _along(alpha: Any, axis: int, shape: Any) -> Any:
    """Reshape a 1-d alpha so that it runs along that axis."""
    axis = place(axis, len(shape))
    ones = shape
    for k in range(len(shape)):
        ones = with_item(ones, k, 1)
    return np.ascontiguousarray(alpha).reshape(with_item(ones, axis, alpha.size))


@jitable
def _periods(shape: Any, alpha: Any) -> Any:
    """As `axes.periods`, but for the last: which slope belongs to each index of the period."""
    lengths = np.ones(len(shape), np.int64)
    for k in range(len(alpha)):
        lengths[len(shape) - len(alpha) + k] = alpha[k]
    first, last = len(shape), 0
    for k in range(len(shape)):
        if lengths[k] != 1:
            first, last = min(first, k), k + 1
    outer, period, inner = 1, 1, 1
    for k in range(len(shape)):
        if last <= k:
            inner *= shape[k]
        elif k < first:
            outer *= shape[k]
        else:
            period *= shape[k]
    index = np.empty(period, np.int64)
    for p in range(period):
        rest, at, step = p, 0, 1
        for k in range(last - 1, first - 1, -1):
            if lengths[k] != 1:
                at += rest % shape[k] * step
                step *= lengths[k]
            rest //= shape[k]
        index[p] = at
    return outer, period, inner, index


def _gradients(dy: Any, x: Any, alpha: Any, shape: Any, zero: Any) -> Any:
    """Return dx in this shape and dalpha in alpha's, both of the type of zero."""


@overloads(_gradients)
def _gradients_types(dy: Any, x: Any, alpha: Any, shape: Any, zero: Any) -> Any:
    kind: Any = _unliteral(zero)
    dtype = as_dtype(kind)

    def run(dy, x, alpha, shape, zero):  # type: ignore[no-untyped-def]
        outer, period, inner, index = _periods(shape, alpha.shape)
        dy_rows = spread(dy, shape).reshape(outer, period, inner)
        x_rows = spread(x, shape).reshape(outer, period, inner)
        slopes = np.ascontiguousarray(alpha).reshape(alpha.size)
        sums = np.zeros(alpha.size, np.float64)
        dx = np.empty(shape, dtype)
        dx_rows = dx.reshape(outer, period, inner)
        for o in range(outer):
            for p in range(period):
                up, at, row = dy_rows[o, p], x_rows[o, p], dx_rows[o, p]
                slope, total = kind(slopes[index[p]]), 0.0
                for i in range(inner):
                    g, v = kind(up[i]), kind(at[i])
                    side = slope if v == v else v
                    row[i] = g if v > 0 else g * side
                    total += 0.0 if v > 0 else np.float64(g) * np.float64(v)
                sums[index[p]] += total
        return dx, sums.astype(dtype).reshape(alpha.shape)

    return run


@_entry
def _run(dy, x, alpha):  # type: ignore[no-untyped-def]
    return prelu_backward(dy, x, alpha)
