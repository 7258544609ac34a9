"""The functions of rows in plain NumPy, with their rounding done once, at the end.

float64 input is computed in longdouble, all else in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vekt._core.containers import normalized_axes
from vekt._core.operands import broadcast, mask_of, result_dtype, stored
from vekt._spec.math import exp_sum
from vekt._spec.rows import ROW_OPS

Array = NDArray[Any]


def wide_rows(
    name: str,
    x: ArrayLike,
    y: ArrayLike | None = None,
    axis: Any = -1,
    keepdims: bool = False,
    where: ArrayLike | None = None,
) -> Array:
    """Evaluate a function of rows before the result is rounded to the dtype of the input.

    Parameters
    ----------
    name : str
        A function of `vekt.rows`, such as "log_softmax_backward".
    x, y : array_like
        Its operands in the order of its signature; `y` is None where it has one.
    axis, keepdims, where
        As the function takes them.

    Returns
    -------
    ndarray
        longdouble for float64 operands, float64 for narrower ones.
    """
    operands = (x,) if y is None else (x, y)
    return _evaluate(name, operands, result_dtype(None, *operands), axis, keepdims, where)


def rows(
    name: str, x: Any, y: Any, axis: Any, keepdims: Any, where: Any, out: Any, dtype: Any
) -> Any:
    """Compute as `vekt._ufuncs.rows` does."""
    operands = (x,) if y is None else (x, y)
    narrow = result_dtype(dtype, *operands)
    with np.errstate(all="ignore"):
        result = _evaluate(name, operands, narrow, axis, keepdims, where).astype(narrow)
        return stored(result, out, shape=result.shape)


def _evaluate(
    name: str,
    operands: tuple[Any, ...],
    narrow: np.dtype[Any],
    axis: Any,
    keepdims: bool,
    where: Any,
) -> Array:
    """Lay the rows out as the last axis of a 2-d array, compute, and put them back."""
    op, gradient = name.removesuffix("_backward"), name.endswith("_backward")
    wider = np.dtype("f8") if narrow.itemsize < 8 else np.dtype(np.longdouble)
    with np.errstate(all="ignore"):
        arrays = [np.asarray(x).astype(narrow).astype(wider) for x in operands]
    x = arrays[-1]
    axes = normalized_axes(axis, x.ndim)
    outer = [i for i in range(x.ndim) if i not in axes]
    order = [*outer, *axes]
    shape = tuple(x.shape[i] for i in order)
    n = int(np.prod([x.shape[i] for i in axes], dtype=int))

    def flat(a: Any) -> Array:
        return np.ascontiguousarray(broadcast(a, x.shape).transpose(order)).reshape(-1, n)

    if n == 0:
        rows = np.empty((int(np.prod([x.shape[i] for i in outer], dtype=int)), 0), wider)
    else:
        rows = flat(x)
        if where is not None:
            lowest = float(ROW_OPS[op].facts["lowest"])
            rows = np.where(flat(mask_of(where)), rows, lowest)
    reduced = tuple(1 if i in axes else x.shape[i] for i in range(x.ndim))
    kept = reduced if keepdims else tuple(x.shape[i] for i in outer)
    with np.errstate(all="ignore"):
        if op == "logsumexp" and not gradient:
            return _logsumexp(rows).reshape(kept)
        if op == "logsumexp":
            dy = broadcast(arrays[0], kept).reshape(-1, 1)
            result = dy * _softmax(rows)
        elif gradient:
            result = _GRADIENTS[op](flat(arrays[0]) if n else rows, rows)
        else:
            result = _VALUES[op](rows)
    return result.reshape(shape).transpose(np.argsort(order))


def _tamed(x: Array) -> tuple[Array, Array]:
    """Rows and their maxima, where infinite maxima have become 0, as `vekt._spec.rows` says."""
    if x.shape[1] == 0:
        return x, np.zeros((len(x), 1), x.dtype)
    top = np.fmax.reduce(x, axis=1, keepdims=True)
    among = np.where(x == np.inf, 0, np.where(x < np.inf, -np.inf, x)).astype(x.dtype)
    return np.where(top == np.inf, among, x), np.where(np.isfinite(top), top, 0)


def _exp_difference(x: Array, top: Array) -> Array:
    """`exp(x - top)`, without the error that rounding the difference would make."""
    d = x - top
    t = d - x
    low = (x - (d - t)) - (top + t)
    return exp_sum(d, np.where(np.isfinite(low), low, 0))


def _softmax(x: Array) -> Array:
    powers = _exp_difference(*_tamed(x))
    total = powers.sum(axis=1, keepdims=True)
    result: Array = powers / np.where(total == 0, 1, total)
    return result


def _log_of_sum(x: Array, top: Array) -> Array:
    """`log(sum(exp(x - top)))` of tamed rows; one maximal element is left to log1p."""
    powers = _exp_difference(x, top)
    if x.shape[1]:
        first = (x == top).argmax(axis=1)[:, np.newaxis]
        some = np.take_along_axis(x, first, axis=1) == top
        np.put_along_axis(powers, first, np.take_along_axis(powers, first, 1) - some, axis=1)
    result: Array = np.log1p(powers.sum(axis=1, keepdims=True))
    return result


def _log_softmax(x: Array) -> Array:
    x, top = _tamed(x)
    return (x - top) - _log_of_sum(x, top)


def _logsumexp(x: Array) -> Array:
    if x.shape[1] == 0:
        return np.full((len(x), 1), -np.inf, x.dtype)
    tamed, top = _tamed(x)
    log = _log_of_sum(tamed, top)
    highest = np.fmax.reduce(x, axis=1, keepdims=True)
    return np.where(np.isinf(highest), highest + np.where(np.isnan(log), log, 0), top + log)


def _sparsemax(x: Array) -> Array:
    x, top = _tamed(x)
    if x.shape[1] == 0:
        return x
    d = x - top
    ordered = -np.sort(-np.maximum(d, -2), axis=1)
    count = np.arange(1, x.shape[1] + 1, dtype=x.dtype)
    inside = 1 + count * ordered > np.cumsum(ordered, axis=1)
    size = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    total = np.where(inside, ordered, 0).sum(axis=1, keepdims=True)
    result: Array = np.maximum(d - (total - 1) / size, 0)
    empty = np.fmax.reduce(x, axis=1, keepdims=True) == -np.inf
    result = np.where(empty, 0, result)
    return np.where(np.isnan(x).any(axis=1, keepdims=True), np.nan, result)


def _softmax_gradient(dy: Array, y: Array) -> Array:
    dy = np.where(y == 0, 0, dy)
    dx = y * (dy - (dy * y).sum(axis=1, keepdims=True))
    return np.where(y == 0, 0, dx)


def _log_softmax_gradient(dy: Array, y: Array) -> Array:
    constant = y == -np.inf
    dy = np.where(constant, 0, dy)
    return np.where(constant, 0, dy - np.exp(y) * dy.sum(axis=1, keepdims=True))


def _sparsemax_gradient(dy: Array, y: Array) -> Array:
    inside = y != 0
    size = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    mean = np.where(inside, dy, 0).sum(axis=1, keepdims=True) / size
    return np.where(inside, np.where(np.isnan(y), y, dy - mean), 0)


_VALUES: dict[str, Callable[[Array], Array]] = {
    "softmax": _softmax,
    "softmin": lambda x: _softmax(-x),
    "log_softmax": _log_softmax,
    "sparsemax": _sparsemax,
}
_GRADIENTS: dict[str, Callable[[Array, Array], Array]] = {
    "softmax": _softmax_gradient,
    "softmin": lambda dy, y: -_softmax_gradient(dy, y),
    "log_softmax": _log_softmax_gradient,
    "sparsemax": _sparsemax_gradient,
}
