"""Cosines and cross entropies of the rows of Dask arrays, lazily, with whole rows in each block."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from vekt._core import native
from vekt._core.containers import normalized_axes, with_whole_rows
from vekt._dask.blocks import da, reduction, same_shape
from vekt.linalg._vectors import general_cosine
from vekt.losses._targets import Targets, check_reduction, reduced


def cosine_similarity(a: Any, b: Any, axis: Any) -> Any:
    """`vekt.cosine_similarity`, block by block."""
    x, y = da.asanyarray(a), da.asanyarray(b)
    ndim = max(x.ndim, y.ndim)
    axes = normalized_axes(axis, ndim)
    one_x, one_y = (np.ones(1, v.dtype) for v in (x, y))
    kind = general_cosine(native.norms, one_x, one_y, -1).dtype
    rows = [i for i in range(ndim) if i not in axes]
    pairs = [(v, range(ndim - v.ndim, ndim)) for v in with_whole_rows([x, y], axes, ndim)]
    return da.blockwise(
        partial(_cosines, axes),
        rows,
        *(item for pair in pairs for item in pair),
        concatenate=True,
        meta=np.empty((0,) * len(rows), kind),
    )


def _cosines(axes: Any, x: Any, y: Any) -> Any:
    return np.asarray(general_cosine(native.norms, x, y, axes))


def cross_entropy(
    function: str,
    logits: Any,
    labels: Any,
    axis: Any,
    of_targets: tuple[Any, ...],
    reduction: str,
    with_grad: bool,
) -> Any:
    """`vekt.softmax_cross_entropy`, with or without the gradient; a block gives its share of both.

    Sums and means are formed in float64.  `of_targets` are the arguments of `Targets` after `axis`.
    """
    x, t = da.asanyarray(logits), da.asanyarray(labels)
    axis = normalize_axis_index(axis, x.ndim)
    full, (kind, n) = tuple(range(x.ndim)), _check(function, x, t, axis, of_targets)
    check_reduction(function, reduction)
    rows = tuple(i for i in full if i != axis)
    if t.ndim == x.ndim:
        x, t = with_whole_rows([x, t], (axis,), x.ndim)
    else:
        (x,) = with_whole_rows([x], (axis,), x.ndim)
    parts = da.blockwise(
        partial(_of_block, function, axis, of_targets, with_grad),
        rows,
        *(x, full, t, full if t.ndim == x.ndim else rows),
        concatenate=True,
        meta=np.empty((0,) * len(rows), object),
    )
    loss = _part(parts, 0, rows, kind)
    grad = _part(parts, 1, full, kind, new_axes={axis: n}) if with_grad else None
    if reduction != "none":
        loss = _total(loss)
    if reduction == "mean":
        count = _total(_part(parts, 2, rows, np.dtype("f8"), adjust_chunks=dict.fromkeys(rows, 1)))
        loss = da.map_blocks(partial(_mean, function), loss, count, dtype="f8")
        if grad is not None:
            meta = np.empty((0,) * x.ndim, kind)
            grad = da.blockwise(_over, full, grad, full, count, (), meta=meta)
    loss = loss.astype(kind)
    return (loss, grad) if with_grad else loss


def _check(function: str, x: Any, t: Any, axis: int, of_targets: Any) -> tuple[Any, Any]:
    """Raise for what shows without the numbers; return the dtype and the number of classes."""
    rows = tuple(n for i, n in enumerate(x.shape) if i != axis)
    wanted = x.shape if t.ndim == x.ndim else rows
    if not same_shape(t.shape, wanted):
        raise ValueError(
            f"{function}: expected labels of shape {rows}, or {x.shape} for probabilities, "
            f"got {t.shape}"
        )
    n, weight = x.shape[axis], of_targets[-1]
    length = n if not np.isnan(n) else 1 if weight is None else np.size(weight)
    one = [length if i == axis else 1 for i in range(x.ndim)]
    label = np.ones(one, t.dtype) if t.ndim == x.ndim else np.zeros((1,) * t.ndim, t.dtype)
    return Targets(function, np.ones(one, x.dtype), label, axis, *of_targets).dtype, n


def _of_block(
    function: str, axis: int, of_targets: Any, with_grad: bool, x: Any, t: Any
) -> tuple[Any, Any, Any]:
    """Return each row's loss, the gradient of their sum, and what a mean is divided by."""
    targets = Targets(function, x, t, axis, *of_targets)
    loss = np.empty(targets.rows, targets.dtype)
    grad = np.empty_like(targets.logits, subok=False) if with_grad else None
    targets.run(native.cross_entropy, loss, grad, "none")
    total = np.full((1,) * loss.ndim, targets.total)
    slope = None if grad is None else np.moveaxis(grad, -1, targets.axis)
    return np.asarray(reduced(targets, loss, "none")), slope, total


def _part(parts: Any, i: int, index: Any, kind: Any, **options: Any) -> Any:
    rows = tuple(j for j in index if j not in options.get("new_axes", ()))
    meta = np.empty((0,) * len(index), kind)
    return da.blockwise(itemgetter(i), index, parts, rows, meta=meta, **options)


def _total(x: Any) -> Any:
    return reduction("sum", x, None, False, np.dtype("f8"))


def _mean(function: str, total: Any, count: Any) -> Any:
    if not count:
        raise ValueError(f"{function}: there is no row, or none that counts, to average")
    return total / count


def _over(grad: Any, count: Any) -> Any:
    with np.errstate(all="ignore"):
        return grad * grad.dtype.type(1 / count)
