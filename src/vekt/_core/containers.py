"""Functions of rows on containers, which stay what they are, as they do under NumPy's ufuncs.

Of xarray, pandas and Dask; other subclasses of ndarray wrap the result.  The libraries are not
imported: what comes in has brought them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial, reduce
from importlib import import_module
from typing import Any

import numpy as np

from vekt._core.axes import has_mask, is_dask, is_masked, is_xarray

Function = Callable[..., Any]


def is_container(x: Any) -> bool:
    """Tell whether an operand is more than an array, a number or a list of them."""
    return (
        hasattr(x, "__array_ufunc__")
        and type(x) is not np.ndarray
        and not isinstance(x, np.generic)
        and not hasattr(x, "__vekt_function__")
        and not is_masked(x)
    )


def by_container(
    function: Function,
    operands: tuple[Any, ...],
    axis: Any,
    where: Any = None,
    out: Any = None,
    keepdims: bool | None = None,
    **options: Any,
) -> Any:
    """Apply a public function of rows to operands of which one is a container.

    `keepdims` is given by those that reduce, and by their gradients, of a reduced `dy`.
    """
    given = (*operands, where)
    if any(map(is_xarray, given)):
        on = _on_xarray
    elif any(map(is_dask, given)):
        on = _on_dask
    else:
        return _on_arrays(function, operands, axis, where, out, keepdims, options)
    if out is not None:
        raise TypeError(f"{function.__name__}: out is for NumPy arrays alone")
    return on(function, operands, axis, where, keepdims, options)


def values_or_masked(x: Any) -> Any:
    """Return an operand as an array, which stays a masked one."""
    return x if has_mask(x) else np.asarray(x)


def with_masks(operands: tuple[Any, ...], result: Any, out: Any = None) -> Any:
    """Return the result of an elementwise function as NumPy's ufuncs would of masked arrays.

    What is masked in any operand is so in the result, and in an `out` that has a mask.
    """
    if not any(map(has_mask, operands)) or (out is not None and not has_mask(result)):
        return result
    masked = sys.modules["numpy.ma"]
    mask = reduce(np.logical_or, map(masked.getmaskarray, operands))
    mask = np.array(np.broadcast_to(mask, np.shape(result)))
    if out is not None:
        result.mask = mask
        return result
    if np.ndim(result) == 0:
        return masked.masked if mask else result
    return masked.MaskedArray(result, mask)


def normalized_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that make up a row, in ascending order; None means all."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted(np.lib.array_utils.normalize_axis_tuple(axis, ndim)))


def _call(function: Function, options: dict[str, Any], n: int, *arrays: Any) -> Any:
    """Call with the operands, of which there are n, and perhaps a mask after them."""
    where = {"where": arrays[n]} if len(arrays) > n else {}
    return function(*arrays[:n], **where, **options)


def _on_xarray(
    function: Function,
    operands: tuple[Any, ...],
    axis: Any,
    where: Any,
    keepdims: bool | None,
    options: dict[str, Any],
) -> Any:
    """Dimensions, coordinates and attributes follow xarray's rules for ufuncs and reductions."""
    x, n = operands[-1], len(operands)
    if n == 1 and keepdims is not None and is_xarray(x):
        masked = {} if where is None else {"where": getattr(where, "data", where)}
        axes = normalized_axes(axis, x.ndim)
        return x.reduce(partial(function, **masked, **options), axis=axes, keepdims=keepdims)
    if keepdims is not None and is_xarray(operands[0]):
        keepdims = True  # the dimensions that are missing come back with length 1
    options = {**options, "axis": axis} | ({} if keepdims is None else {"keepdims": keepdims})

    def reordered(x: Any, *others: Any) -> Any:
        return _call(function, options, n, *others[: n - 1], x, *others[n - 1 :])

    masks = () if where is None else (where,)
    xarray = sys.modules["xarray"]
    keep = xarray.get_options()["keep_attrs"]
    keep = True if keep == "default" else keep
    arguments = (x, *operands[:-1], *masks)
    return xarray.apply_ufunc(reordered, *arguments, dask="allowed", keep_attrs=keep)


def _on_dask(
    function: Function,
    operands: tuple[Any, ...],
    axis: Any,
    where: Any,
    keepdims: bool | None,
    options: dict[str, Any],
) -> Any:
    """Lazily, block by block, with whole rows in each."""
    da: Any = import_module("dask.array")
    *others, x = operands
    x = da.asanyarray(x)
    ndim = max((x.ndim, *map(np.ndim, others)))
    axes = normalized_axes(axis, ndim)
    if others and keepdims is False and np.ndim(others[0]) == ndim - len(axes):
        dy = da.asanyarray(others[0])
        others[0] = dy[tuple(None if i in axes else slice(None) for i in range(ndim))]
    options = {**options, "axis": axes} | ({} if keepdims is None else {"keepdims": True})
    arrays = [*others, x, *([] if where is None else [where])]
    arrays = with_whole_rows(arrays, axes, ndim)
    call = partial(_call, function, options, len(operands))
    one = call(*(np.ones((1,) * a.ndim, a.dtype) if hasattr(a, "ndim") else a for a in arrays))
    reduces = keepdims is not None and not others
    pairs = [(a, range(ndim - a.ndim, ndim) if hasattr(a, "ndim") else None) for a in arrays]
    result = da.blockwise(
        call,
        range(ndim),
        *(part for pair in pairs for part in pair),
        meta=np.empty((0,) * ndim, one.dtype),
        adjust_chunks=dict.fromkeys(axes, 1) if reduces else None,
    )
    return result.squeeze(axes) if reduces and not keepdims else result


def with_whole_rows(arrays: list[Any], axes: tuple[int, ...], ndim: int) -> list[Any]:
    """Merge the blocks of Dask's arrays along axes of `ndim`; numbers stay."""
    da: Any = import_module("dask.array")
    whole = [a if type(a) in (bool, int, float) else _whole(da, a, axes, ndim) for a in arrays]
    lazy = [a for a in whole if hasattr(a, "chunks")]
    unknown = {i for a in lazy for i in axes if np.isnan(dict(_lengths(a, ndim)).get(i, 1))}
    if not unknown:
        return whole
    return [_of_unknown(da, a, unknown, ndim) if hasattr(a, "chunks") else a for a in whole]


def _lengths(a: Any, ndim: int) -> list[tuple[int, Any]]:
    """Return the lengths of an array's axes, with their places among `ndim`."""
    return [(i + ndim - a.ndim, n) for i, n in enumerate(a.shape)]


def _of_unknown(da: Any, a: Any, axes: set[int], ndim: int) -> Any:
    """Forget the length of axes in one block, so that it goes with those that nobody knows."""
    lengths = _lengths(a, ndim)
    if not any(i in axes and n != 1 and not np.isnan(n) for i, n in lengths):
        return a
    pairs = zip(lengths, a.chunks, strict=True)
    chunks = tuple((np.nan,) if i in axes and n != 1 else own for (i, n), own in pairs)
    return da.Array(a.dask, a.name, chunks, meta=a._meta)


def _whole(da: Any, a: Any, axes: tuple[int, ...], ndim: int) -> Any:
    """Merge the blocks along the axes, also where their sizes are not known."""
    a = da.asanyarray(a)
    own = [i - ndim + a.ndim for i in axes if i - ndim + a.ndim >= 0]
    if not any(np.isnan(n) for i in own for n in a.chunks[i]):
        return a.rechunk(dict.fromkeys(own, -1))
    inner, outer = list(range(a.ndim)), [i + a.ndim if i in own else i for i in range(a.ndim)]
    new = {i + a.ndim: np.nan for i in own}
    return da.blockwise(
        np.asarray,
        outer,
        a,
        inner,
        concatenate=True,
        new_axes=new,
        meta=np.empty((0,) * a.ndim, a.dtype),
    )


def _on_arrays(
    function: Function,
    operands: tuple[Any, ...],
    axis: Any,
    where: Any,
    out: Any,
    keepdims: bool | None,
    options: dict[str, Any],
) -> Any:
    """Objects of pandas, and subclasses of ndarray: the values, wrapped as the operand is."""
    like = next((x for x in reversed(operands) if is_container(x)), None)
    options = {**options, "axis": axis} | ({} if keepdims is None else {"keepdims": keepdims})
    if where is not None:
        options["where"] = np.asarray(where)
    target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if target is not None and not hasattr(target, "iloc"):
        options["out"] = target
    # A list: where an iterator raises, CPython 3.11 never lets go of the keywords.
    result = function(*[_values(x) for x in operands], **options)
    if target is not None:
        if hasattr(target, "iloc"):
            target.iloc[:] = result
        return target
    if isinstance(like, np.ndarray):
        reduces = keepdims is not None and len(operands) == 1
        return result if reduces else like.__array_wrap__(result)
    return result if like is None else _as_pandas(like, result, axis)


def _values(x: Any) -> Any:
    return np.asarray(x) if is_container(x) else x


def like_container(like: Any, values: Any) -> Any:
    """Return values of an operand's shape as the container that the operand is."""
    if is_xarray(like):
        return like.copy(data=values)
    if isinstance(like, np.ndarray):
        return values if type(like) is np.ndarray else like.__array_wrap__(values)
    return _as_pandas(like, values, None)


def in_order_of(like: Any, x: Any) -> Any:
    """Return the array in an object of xarray, its dimensions in the order of another's."""
    if not is_xarray(x):
        return x
    return (x.transpose(*like.dims, missing_dims="ignore") if is_xarray(like) else x).data


def _as_pandas(like: Any, values: Any, axis: Any) -> Any:
    """Return values with the index, and the columns or the name, of an object of pandas.

    An Index, and a variable of xarray, have none; of others, as pandas' own arrays, the values are
    left.
    """
    if not hasattr(like, "iloc"):
        if np.shape(values) != like.shape or not hasattr(like, "copy"):
            return values
        if hasattr(like, "dims"):
            return like.copy(data=values)
        return (
            sys.modules["pandas"].Index(values, name=like.name) if hasattr(like, "name") else values
        )
    pandas = sys.modules["pandas"]
    if np.shape(values) == like.shape:
        if like.ndim == 1:
            return pandas.Series(values, index=like.index, name=like.name)
        return pandas.DataFrame(values, index=like.index, columns=like.columns)
    if np.ndim(values) == 1 and like.ndim == 2:
        rows = normalized_axes(axis, 2) == (1,)
        return pandas.Series(values, index=like.index if rows else like.columns)
    return values
