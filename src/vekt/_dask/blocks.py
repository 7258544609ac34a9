"""Products, layers, reductions and fused functions of Dask arrays, block by block and lazily.

Imported when the first one comes.
"""

from __future__ import annotations

from functools import lru_cache, partial
from importlib import import_module
from operator import itemgetter
from typing import Any

import numpy as np

from vekt import reductions
from vekt._core.native import matmul as _matmul
from vekt._fuse.fused import Fused
from vekt._fuse.variant import Variant
from vekt.layers import PackedWeights
from vekt.layers import dense as _dense

da: Any = import_module("dask.array")  # it has few types


def matmul(x1: Any, x2: Any, /, *, dtype: Any = None) -> Any:
    """`vekt.matmul` with each block of rows, columns and stacks as a task of its own.

    Dask cannot apply gufuncs whose dimensions may be missing.  The dimension that is summed over is
    taken whole, and in the same order for blocks of one row, so that the bits are those of the
    product of arrays in memory with ``deterministic="batch"``.
    """
    x, y = da.asanyarray(x1), da.asanyarray(x2)
    options = {"dtype": dtype} if dtype else {}
    function = partial(_matmul, deterministic="batch", **options)
    one = function(*(np.ones((1,) * v.ndim, v.dtype) for v in (x, y)))  # raises for scalars
    stacks = max(x.ndim, y.ndim, 2) - 2
    row, column, summed = stacks, stacks + 1, stacks + 2
    x_index = [*range(stacks - x.ndim + 2, stacks), row, summed] if x.ndim > 1 else [summed]
    y_index = [*range(stacks - y.ndim + 2, stacks), summed, column] if y.ndim > 1 else [summed]
    index = sorted({*x_index, *y_index} - {summed})
    meta = np.empty((0,) * len(index), one.dtype)
    return da.blockwise(function, index, x, x_index, y, y_index, concatenate=True, meta=meta)


def dense(
    x: Any, w: Any, b: Any, activation: Any, out: Any, return_preactivation: bool, dtype: Any = None
) -> Any:
    """`vekt.dense` with each block of rows and columns as a task of its own, as for `matmul`."""
    if out is not None or return_preactivation:
        raise TypeError("dense: Dask arrays take neither out nor return_preactivation")
    x = da.asanyarray(x)
    packed = isinstance(w, PackedWeights)
    w = w if packed else da.asanyarray(w)
    if x.ndim < 1 or len(w.shape) != 2 or x.shape[-1] != w.shape[0]:
        raise ValueError(f"dense: shapes x {x.shape} and w {w.shape} do not match")
    shape = (*x.shape[:-1], w.shape[1])
    column, summed = x.ndim - 1, x.ndim
    operands: list[Any] = [x, [*range(column), summed]]
    operands += [w, None] if packed else [w, [summed, column]]
    options: dict[str, Any] = {"activation": activation, "deterministic": "batch", "dtype": dtype}
    if b is not None:
        b = da.asanyarray(b)
        full = (1,) * (len(shape) - b.ndim) + b.shape
        if len(full) > len(shape) or any(n not in (1, m) for n, m in zip(full, shape, strict=True)):
            raise ValueError(f"dense: shape b {b.shape} does not broadcast to {shape}")
        operands += [b, list(range(x.ndim - b.ndim, x.ndim))]
    bias = None if b is None else np.ones((1,) * b.ndim, b.dtype)
    one = _dense(np.ones((1,) * x.ndim, x.dtype), np.ones((1, 1), w.dtype), bias, **options)
    return da.blockwise(
        partial(_dense, **options),
        list(range(x.ndim)),
        *operands,
        concatenate=True,
        meta=np.empty((0,) * x.ndim, one.dtype),
        new_axes={column: w.shape[1]} if packed else None,
    )


def reduction(name: str, a: Any, axis: Any, keepdims: Any, dtype: Any) -> Any:
    """Reduce each block by vekt, and the blocks' results in Dask's own tree.

    Sums and means are formed in float64 and rounded once.  Blocks may be empty, and their sizes
    unknown.
    """
    function = getattr(reductions, name)
    kind = _result_dtype(function, a, dtype)
    tree = partial(da.reduction, a, axis=axis, keepdims=keepdims)
    if name in ("max", "min"):
        part = partial(_extremes, function)
        return tree(part, function, combine=part, dtype=kind)
    if name not in ("sum", "mean"):
        return tree(function, function, dtype=kind)
    inexact = kind.kind != "c" and kind.kind not in "iu"
    wide = np.dtype("f8") if inexact else np.dtype("c16") if kind.kind == "c" else kind
    part = partial(reductions.sum, dtype=wide)
    total = tree(part, part, dtype=wide)
    if name == "mean":
        ones = da.map_blocks(_ones, a, dtype=np.int64, meta=np.empty((0,) * a.ndim, np.int64))
        count = da.reduction(
            ones, reductions.sum, reductions.sum, axis=axis, keepdims=keepdims, dtype=np.int64
        )
        total = da.map_blocks(_quotient, total, count, dtype=wide)
    return total.astype(kind)


def _extremes(function: Any, block: Any, axis: Any, keepdims: Any) -> Any:
    """Reduce a block; along axes without elements there is nothing to tell of it."""
    axes = np.lib.array_utils.normalize_axis_tuple(axis, block.ndim)
    if all(block.shape[i] for i in axes):
        return function(block, axis=axis, keepdims=keepdims)
    shape = (min(n, 1) if i in axes else n for i, n in enumerate(block.shape))
    return np.empty(tuple(shape), block.dtype)


def _ones(block: Any) -> Any:
    """Return a one for each element of a block, in no memory."""
    return np.broadcast_to(np.int64(1), block.shape)


def _quotient(total: Any, count: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.true_divide(total, count)


def _result_dtype(function: Any, a: Any, dtype: Any) -> Any:
    options = {} if dtype is None else {"dtype": dtype}
    return np.asarray(function(np.ones(1, a.dtype), **options)).dtype


def several(ufunc: np.ufunc, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Apply a ufunc with several outputs: a task for each block gives all of them."""
    options = dict(options)
    if options.pop("out", None) is not None or options.pop("where", True) is not True:
        raise TypeError(f"{ufunc.__name__}: Dask arrays take neither out nor where")
    if len(args) != ufunc.nin:
        raise TypeError(f"{ufunc.__name__}: {ufunc.nin} operands expected, got {len(args)}")
    function = partial(ufunc, **options)
    parts, ones = of_blocks(function, args)
    return tuple(part_of(parts, i, one.dtype) for i, one in enumerate(ones))


def broadcast_shapes(shapes: list[Any]) -> Any:
    """Return the common shape, in which lengths that are not known stay so."""
    ndim = max(map(len, shapes), default=0)
    padded = [(1,) * (ndim - len(shape)) + tuple(shape) for shape in shapes]
    unknown = [any(np.isnan(shape[i]) for shape in padded) for i in range(ndim)]
    known = [[1 if u else n for u, n in zip(unknown, s, strict=True)] for s in padded]
    common = np.broadcast_shapes(*map(tuple, known))
    return tuple(np.nan if u else n for u, n in zip(unknown, common, strict=True))


def same_shape(shape: Any, other: Any) -> bool:
    """Tell whether two shapes are the same, as far as they are known."""
    pairs = zip(shape, other, strict=False)
    return len(shape) == len(other) and all(n == m or np.isnan(n + m) for n, m in pairs)


def of_blocks(function: Any, args: Any) -> Any:
    """Return a lazy array whose blocks are what the function returns, and that of ones."""
    operands = [x if type(x) in (bool, int, float) else da.asanyarray(x) for x in args]
    index = tuple(range(len(broadcast_shapes([np.shape(x) for x in operands]))))
    pairs = [(x, index[len(index) - x.ndim :] if hasattr(x, "ndim") else None) for x in operands]
    parts = da.blockwise(
        function,
        index,
        *(item for pair in pairs for item in pair),
        meta=np.empty((0,) * len(index), object),
    )
    ones = (np.ones((1,) * x.ndim, x.dtype) if hasattr(x, "ndim") else x for x in operands)
    return parts, function(*ones)


def part_of(parts: Any, i: int, dtype: Any) -> Any:
    """Return result number `i` of each block, in the block's own shape."""
    index = tuple(range(parts.ndim))
    meta = np.empty((0,) * parts.ndim, dtype)
    return da.blockwise(itemgetter(i), index, parts, index, meta=meta)


def fused(variant: Variant, operands: list[Any], dtype: Any) -> Any:
    """Run a function behind `vekt.fuse` in one pass over each block."""
    return da.core.elemwise(partial(_on_blocks, variant.recipe), *operands, dtype=dtype)


def _on_blocks(recipe: Any, *blocks: Any) -> Any:
    return variant_of(recipe).run(list(blocks))


@lru_cache(64)
def variant_of(recipe: Any) -> Variant:
    """Return the variant in this process: functions travel as they were written."""
    function, key, compile = recipe
    return Variant(Fused(function, compile=compile), key)
