"""Functions of rows for Numba: on arrays of any dimensions, along one axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.extending import register_jitable

from vekt._core.containers import normalized_axes
from vekt._core.operands import broadcast, mask_of, result_dtype, stored
from vekt._spec.row_functions import row_functions
from vekt._spec.rows import ROW_OPS
from vekt.jit._jitable import OPTIONS, entry, overloads
from vekt.jit._math import exp_parts

# Each function works on x (outer, n, inner) and writes to y: rows lie along the middle axis.  All
# is done in float64, with the differences x - max in two words.


@register_jitable(**OPTIONS)
def _highest(x: Any, o: Any, i: Any) -> Any:
    """Maximum of a row, NaN left out."""
    top = -np.inf
    for j in range(x.shape[1]):
        top = max(top, x[o, j, i]) if x[o, j, i] == x[o, j, i] else top
    return np.float64(top)


@register_jitable(**OPTIONS)
def _distance(x: Any, top: Any) -> Any:
    """`x - top` in two words, where the infinite maximum of a row stands for itself."""
    if not np.isfinite(top):
        if x != x:
            return x, 0.0
        return (0.0 if top > 0 and x == top else -np.inf), 0.0
    d = x - top
    t = d - x
    low = (x - (d - t)) - (top + t)
    return d, (low if np.isfinite(low) else 0.0)


@register_jitable(**OPTIONS)
def _power(d: Any, low: Any) -> Any:
    if not d > -800.0:
        return 0.0 if d == d else d
    first, second = exp_parts(d, low)
    return first * second


@register_jitable(**OPTIONS)
def _softmax(x: Any, sign: Any, y: Any) -> None:
    n = x.shape[1]
    powers = np.empty(n)
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            top = -np.inf
            for j in range(n):
                v = sign * np.float64(x[o, j, i])
                top = v if v > top else top
            high, rest = 0.0, 0.0
            for j in range(n):
                d, low = _distance(sign * np.float64(x[o, j, i]), top)
                p = _power(d, low)
                powers[j] = p
                total = high + p
                t = total - high
                rest += (high - (total - t)) + (p - t)
                high = total
            scale = high + rest
            scale = scale if scale != 0.0 else 1.0
            for j in range(n):
                y[o, j, i] = powers[j] / scale


@register_jitable(**OPTIONS)
def _row_log(x: Any, o: Any, i: Any, top: Any) -> Any:
    """`log(sum(exp(x - top)))` of a row: one maximal element is left to log1p."""
    high, rest, seen = 0.0, 0.0, False
    for j in range(x.shape[1]):
        d, low = _distance(np.float64(x[o, j, i]), top)
        if d == 0.0 and not seen:
            seen = True
            continue
        p = _power(d, low)
        total = high + p
        t = total - high
        rest += (high - (total - t)) + (p - t)
        high = total
    return np.log1p(high + rest)


@register_jitable(**OPTIONS)
def _log_softmax(x: Any, sign: Any, y: Any) -> None:
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            top = _highest(x, o, i)
            log = _row_log(x, o, i, top)
            for j in range(x.shape[1]):
                y[o, j, i] = _distance(np.float64(x[o, j, i]), top)[0] - log


@register_jitable(**OPTIONS)
def _logsumexp(x: Any, sign: Any, y: Any) -> None:
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            top = _highest(x, o, i)
            log = _row_log(x, o, i, top)
            y[o, 0, i] = top + log if np.isfinite(top) or log != log else top


@register_jitable(**OPTIONS)
def _sparsemax(x: Any, sign: Any, y: Any) -> None:
    n = x.shape[1]
    for o in range(x.shape[0]):
        for i in range(x.shape[2]):
            top = _highest(x, o, i)
            tau, tau_low, least = -1.0, 0.0, n + 1
            # Newton's iteration from below: the support shrinks until it stays the same.  Where the
            # last bit of tau decides, it might grow again, and so forth without an end.
            while True:
                count, high, rest = 0, -1.0, 0.0
                for j in range(n):
                    d, low = _distance(np.float64(x[o, j, i]), top)
                    if not (d - tau) + (low - tau_low) <= 0.0:
                        count += 1
                        total = high + d
                        t = total - high
                        rest += ((high - (total - t)) + (d - t)) + low
                        high = total
                if count >= least:
                    break
                least = count
                tau = (high + rest) / count if count else 0.0
                tau_low = 0.0
                if count:
                    # The remainder of the division, by Dekker's product of tau and count.
                    split = 134217729.0 * tau
                    tau_high = split - (split - tau)
                    product = tau * count
                    error = (tau_high * count - product) + (tau - tau_high) * count
                    tau_low = (((high - product) + rest) - error) / count
            for j in range(n):
                d, low = _distance(np.float64(x[o, j, i]), top)
                v = (d - tau) + (low - tau_low)
                y[o, j, i] = 0.0 if v <= 0.0 else v


_LOOPS: dict[str, tuple[Callable[..., None], float]] = {
    "softmax": (_softmax, 1.0),
    "softmin": (_softmax, -1.0),
    "log_softmax": (_log_softmax, 1.0),
    "logsumexp": (_logsumexp, 1.0),
    "sparsemax": (_sparsemax, 1.0),
}


def _result_kind(name: str, x: Any, axis: Any) -> Any:
    """Numba's type of the result's elements, if the call is one that is compiled."""
    if not isinstance(x, types.Array) or x.ndim == 0:
        raise TypingError(f"{name}: expected an array of one dimension or more, got {x}")
    if x.dtype in (types.float32, types.float64):
        kind = x.dtype
    elif isinstance(x.dtype, types.Integer | types.Boolean):
        kind = types.float64
    else:
        raise TypingError(f"{name}: expected a real dtype, got {x.dtype}")
    given = axis.value if isinstance(axis, types.Omitted) else axis
    if not isinstance(given, int | types.Integer):
        raise TypingError(f"{name}: axis must be an int in nopython mode, not {axis}")
    return kind


@register_jitable(**OPTIONS)
def _split(shape: Any, axis: Any) -> Any:
    """Elements before, along and after the axis."""
    ndim = len(shape)
    if axis < -ndim or axis >= ndim:
        raise ValueError("axis is out of bounds")
    axis = axis + ndim if axis < 0 else axis
    outer, inner = 1, 1
    for k in range(ndim):
        if k < axis:
            outer *= shape[k]
        elif k > axis:
            inner *= shape[k]
    return outer, shape[axis], inner


def _implementation(name: str, x: Any, axis: Any, keepdims: bool | None) -> Callable[..., Any]:
    kind, (loop, sign) = _result_kind(name, x, axis), _LOOPS[name]
    if keepdims is None:  # not a reduction

        def elements(x, axis=-1):  # type: ignore[no-untyped-def]
            shape = _split(x.shape, axis)
            y = np.empty(x.shape, kind)
            loop(np.ascontiguousarray(x).reshape(shape), sign, y.reshape(shape))
            return y

        return elements

    ndim = x.ndim
    if ndim == 1:

        def number(x, axis=-1, keepdims=False):  # type: ignore[no-untyped-def]
            y = np.empty((1, 1, 1), kind)
            loop(np.ascontiguousarray(x).reshape(_split(x.shape, axis)), sign, y)
            return y[0, 0, 0]

        return number

    def reduction(x, axis=-1, keepdims=False):  # type: ignore[no-untyped-def]
        outer, n, inner = _split(x.shape, axis)
        y = np.empty((outer, 1, inner), kind)
        loop(np.ascontiguousarray(x).reshape((outer, n, inner)), sign, y)
        kept = x.shape[1:]
        for k in range(ndim - 1):
            if k < axis % ndim:
                kept = tuple_setitem(kept, k, x.shape[k])  # type: ignore[call-arg]
        return y.reshape(kept)

    return reduction


_ENTRIES = {loop: entry(loop) for loop, _ in _LOOPS.values()}
"""What Python calls in place of the loops."""


def _rows(
    name: str, x: Any, y: Any, axis: Any, keepdims: Any, where: Any, out: Any, dtype: Any
) -> Any:
    """Compute as `vekt._ufuncs.rows` does."""
    narrow = result_dtype(dtype, x)
    kind = narrow if narrow.itemsize > 2 else np.dtype("f4")
    with np.errstate(all="ignore"):
        operand = np.asarray(x).astype(narrow).astype(kind)
    axes = normalized_axes(axis, operand.ndim)
    if where is not None:
        lowest = float(ROW_OPS[name].facts["lowest"])
        operand = np.where(broadcast(mask_of(where), operand.shape), operand, kind.type(lowest))
    order = [*(i for i in range(operand.ndim) if i not in axes), *axes]
    shape = tuple(operand.shape[i] for i in order)
    n = math.prod(operand.shape[i] for i in axes)
    count = math.prod(shape[: len(shape) - len(axes)])
    flat = np.ascontiguousarray(operand.transpose(order)).reshape(count, n, 1)
    reduces = ROW_OPS[name].reduces
    made = np.empty((count, 1 if reduces else n, 1), kind)
    if flat.size or reduces:
        loop, sign = _LOOPS[name]
        _ENTRIES[loop](flat, sign, made)
    if reduces:
        reduced = tuple(1 if i in axes else size for i, size in enumerate(operand.shape))
        result = made.reshape(reduced if keepdims else shape[: len(shape) - len(axes)])
    else:
        result = made.reshape(shape).transpose(np.argsort(order))
    with np.errstate(all="ignore"):
        result = result.astype(narrow, copy=False)
        return stored(result, out, shape=result.shape)


FUNCTIONS = row_functions(_rows, "vekt.jit", gradients=False)
"""The public functions, by name."""


def _register(name: str) -> None:
    if name == "logsumexp":

        @overloads(FUNCTIONS[name])
        def types_of_reduction(x: Any, axis: Any = -1, keepdims: Any = False) -> Any:
            if isinstance(keepdims, types.Type) and not isinstance(keepdims, types.Omitted):
                raise TypingError(f"{name}: keepdims is not supported in nopython mode")
            return _implementation(name, x, axis, keepdims=False)

    else:

        @overloads(FUNCTIONS[name])
        def types_of(x: Any, axis: Any = -1) -> Any:
            return _implementation(name, x, axis, keepdims=None)


for _name in _LOOPS:
    _register(_name)
