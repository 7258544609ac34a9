"""Gradients of layers and of fused functions of Dask arrays, lazily.

A task for each block gives all gradients at once; those of what all blocks share are added up in
Dask's own tree, in float64, and rounded once.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from vekt import ufuncs
from vekt._core.axes import along_shape, halves
from vekt._dask.blocks import (
    broadcast_shapes,
    da,
    of_blocks,
    part_of,
    reduction,
    same_shape,
    variant_of,
)
from vekt._fuse.fused import Fused
from vekt._fuse.spread import check_shape
from vekt._fuse.variant import prepare
from vekt.gates._prelu import prelu_backward as _prelu_backward
from vekt.layers import check_backward
from vekt.layers import dense_backward as _dense_backward


class _Shaped:
    """The shape of an array for checks: lengths that are not known are one NaN, equal to itself."""

    def __init__(self, x: Any) -> None:
        self.shape = tuple(np.nan if np.isnan(n) else n for n in np.shape(x))
        self.ndim = len(self.shape)


def dense_backward(
    dy: Any, x: Any, w: Any, z: Any, activation: Any, out: Any, need_dx: bool
) -> tuple[Any, Any, Any]:
    """`vekt.dense_backward` with each block of rows as a task of its own."""
    if out is not None:
        raise TypeError("dense_backward: Dask arrays take no out")
    operands = {"dy": dy, "x": x, "w": w, **({} if z is None else {"z": z})}
    operands = {name: da.asanyarray(operand) for name, operand in operands.items()}
    check_backward({name: _Shaped(operand) for name, operand in operands.items()}, activation)
    n, k = operands["dy"].ndim, operands["dy"].ndim + 1
    rows = list(range(n - 1))
    indices = {"dy": [*rows, n], "x": [*rows, k], "w": [k, n], "z": [*rows, n]}
    whole = {name: a.rechunk(-1 if name == "w" else {-1: -1}) for name, a in operands.items()}
    function = partial(_of_layer, activation, need_dx)
    parts = da.blockwise(
        function,
        rows,
        *(item for name, a in whole.items() for item in (a, indices[name])),
        concatenate=True,
        meta=np.empty((0,) * len(rows), object),
    )
    one = {name: np.ones((1,) * a.ndim, a.dtype) for name, a in whole.items()}
    kind = function(*one.values())[1].dtype
    columns = {k: whole["x"].shape[-1], n: whole["dy"].shape[-1]}
    dx = None
    if need_dx:
        dx = da.blockwise(
            itemgetter(0),
            [*rows, k],
            parts,
            rows,
            new_axes={k: columns[k]},
            meta=np.empty((0,) * n, kind),
        )
    dw, db = (
        _sum(parts, i, rows, {axis: columns[axis] for axis in own}, kind)
        for i, own in ((1, (k, n)), (2, (n,)))
    )
    return dx, dw, db


def _of_layer(activation: Any, need_dx: bool, dy: Any, x: Any, w: Any, z: Any = None) -> Any:
    return _dense_backward(dy, x, w, z, activation, need_dx=need_dx)


def _sum(parts: Any, i: int, rows: list[int], own: dict[int, int], kind: Any) -> Any:
    """Add up the blocks' gradients number `i`, whose axes are `own`."""
    each = da.blockwise(
        partial(_to_axes, i, len(rows) + len(own)),
        [*rows, *own],
        parts,
        rows,
        new_axes=own,
        adjust_chunks=dict.fromkeys(rows, 1),
        meta=np.empty((0,) * (len(rows) + len(own)), kind),
    )
    return reduction("sum", each, tuple(rows), False, kind) if rows else each


def prelu_backward(dy: Any, x: Any, alpha: Any, axis: int | None) -> tuple[Any, Any]:
    """`vekt.prelu_backward`, block by block."""
    dy, x, alpha = map(da.asanyarray, (dy, x, alpha))
    slopes = alpha
    if axis is not None:
        along_shape(alpha.shape, axis, max(dy.ndim, x.ndim))
        behind = max(dy.ndim, x.ndim) - 1 - normalize_axis_index(axis, max(dy.ndim, x.ndim))
        slopes = alpha[(slice(None), *(None,) * behind)]
    shape = broadcast_shapes([dy.shape, x.shape, slopes.shape])
    parts, (one, _) = of_blocks(_prelu_backward, (dy, x, slopes))
    dalpha = _gradient(parts, 1, slopes.shape, shape, one.dtype)
    return part_of(parts, 0, one.dtype), dalpha[(..., *(0,) * (slopes.ndim - alpha.ndim))]


def glu_backward(dy: Any, x: Any, axis: int) -> Any:
    """`vekt.glu_backward` of the two halves, block by block."""
    x = da.asanyarray(x)
    a, b = halves(x, axis)
    if not same_shape(broadcast_shapes([np.shape(dy), a.shape]), a.shape):
        raise ValueError(
            f"glu_backward: expected dy of shape {a.shape} for x of shape {x.shape}, "
            f"got {np.shape(dy)}"
        )
    halved = ufuncs.glu_backward(dy, a, b)
    return da.concatenate(halved, axis, allow_unknown_chunksizes=True)


def fused_gradients(fused: Fused, dy: Any, args: Any, options: Any, with_value: bool) -> Any:
    """`backward` or `value_and_grad` of a function behind `vekt.fuse`, block by block."""
    dtype = None if "dtype" in fused.names else options.pop("dtype", None)
    variant, operands = fused.bind(args, options, dtype)
    operands = [x if type(x) in (int, float) else da.asanyarray(x) for x in operands]
    plan = variant.plan_for(operands, before=True)
    if plan is None or plan.traced.is_tuple or not plan.is_elementwise:
        raise TypeError(
            f"{fused.function.__name__}: gradients on Dask arrays are for functions that give one "
            "result for each element"
        )
    y = plan.traced.outputs[0]
    if not y.is_float:
        raise TypeError(f"a result of dtype {y.dtype} has no gradient")
    shapes = [np.shape(x) for x in operands]
    shape = broadcast_shapes(shapes)
    given = [] if with_value else [da.asanyarray(dy)]
    if given:
        lengths: Any = _Shaped(given[0]).shape
        check_shape(y, lengths, shape)
    parts, _ = of_blocks(partial(_of_block, variant.recipe, with_value), (*given, *operands))
    gradients = tuple(
        _gradient(parts, i + with_value, own, shape, node.dtype) if node.is_float else None
        for i, (own, node) in enumerate(zip(shapes, plan.traced.inputs, strict=True))
    )
    results = gradients[0] if len(gradients) == 1 else gradients
    if not with_value:
        return results
    return part_of(parts, 0, y.dtype), results


def _of_block(recipe: Any, with_value: bool, *blocks: Any) -> tuple[Any, ...]:
    variant = variant_of(recipe)
    given, operands = ([], blocks) if with_value else (blocks[:1], blocks[1:])
    plan, taken = prepare(variant, list(operands), before=True)
    assert plan is not None  # there was one for these dtypes when the graph was made
    if with_value:
        (value,), gradients = plan.value_and_grad(taken)
        return value, *gradients
    return tuple(plan.backward(given, taken))


def _gradient(parts: Any, i: int, own: Any, shape: Any, kind: Any) -> Any:
    """Return the gradient number `i` in its operand's own shape."""
    axes, missing = tuple(range(len(shape))), len(shape) - len(own)
    spread = tuple(
        axis for axis in axes if axis < missing or (own[axis - missing] == 1 != shape[axis])
    )
    each = da.blockwise(
        partial(_to_axes, i, len(shape)),
        axes,
        parts,
        axes,
        adjust_chunks=dict.fromkeys(spread, 1),
        meta=np.empty((0,) * len(shape), kind),
    )
    total = reduction("sum", each, spread, True, kind) if spread else each
    return total[(0,) * missing]


def _to_axes(i: int, ndim: int, gradients: Any) -> Any:
    """Take a gradient, with axes of length 1 before its own to make so many."""
    gradient = np.asarray(gradients[i])
    return gradient.reshape((1,) * (ndim - gradient.ndim) + gradient.shape)
