"""The greatest elements, elements at given places and sums there, classes as vectors."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from vekt._core import native
from vekt._core.axes import plain, refuse_boxes
from vekt._core.names import no_attribute
from vekt._core.operands import array_to_add, checked_out, is_bfloat16
from vekt._spec.choosing import CHOOSING, PUBLIC_NAMES
from vekt._spec.docstrings import documented

__all__ = [*PUBLIC_NAMES]


@documented(CHOOSING["top_k"])
def top_k(x: Any, k: Any, axis: Any = -1) -> Any:
    return general_top_k(native.top_k, x, k, axis)


def general_top_k(kernel: Callable[..., Any], x: Any, k: Any, axis: Any) -> Any:
    """Find the greatest elements by `kernel`, `native.top_k` or one that `native.build` made."""
    if type(x) is not np.ndarray:
        x = np.asarray(plain("top_k", "x", x))
    k = operator.index(k)
    if not (x.dtype.kind in "biuf" and x.dtype.itemsize <= 8) and not is_bfloat16(x.dtype):
        raise TypeError(f"top_k: dtype {x.dtype} is not supported; expected real dtypes of 64 bits")
    last = x.ndim - 1
    axis = last if axis == -1 and x.ndim else normalize_axis_index(axis, x.ndim)
    if not 0 <= k <= x.shape[axis]:
        raise ValueError(f"top_k: k is {k}, but axis {axis} has {x.shape[axis]} elements")
    rows = x if axis == last else np.moveaxis(x, axis, -1)
    if rows.strides[-1] != x.itemsize and rows.shape[-1] > 1:
        rows = native.transpose_copy(rows, None)
    results = kernel(rows, k)
    if axis == last:
        return results
    return tuple(np.ascontiguousarray(np.moveaxis(y, -1, axis)) for y in results)


@documented(CHOOSING["take"])
def take(x: Any, indices: Any, axis: Any = None, mode: Any = "raise", out: Any = None) -> Any:
    result = native.take(x, indices, axis, mode, out)
    if result is not NotImplemented:
        return result
    return general_take(native.take, x, indices, axis, mode, out)


def general_take(
    kernel: Callable[..., Any], x: Any, indices: Any, axis: Any, mode: Any, out: Any
) -> Any:
    """Take elements by `kernel`, `native.take` or one that `native.build` made."""
    for operand in (x, indices):
        if hasattr(operand, "__array_function__") and not isinstance(operand, np.ndarray):
            options = {"axis": axis} | ({} if out is None else {"out": out})
            return np.take(x, indices, **options, **({} if mode == "raise" else {"mode": mode}))
    array = np.asarray(plain("take", "x", x))
    places = np.asarray(plain("take", "indices", indices))
    if places.size == 0 and not hasattr(indices, "dtype"):
        places = places.astype(np.int64)
    if places.dtype.str[1:] == "u8":
        places = _within_int64(places, array, axis, mode)
    if array.dtype.hasobject:
        return _by_numpy(array, places, axis, mode, out)
    if out is None:
        return kernel(array, places, axis, mode, None)
    out = checked_out(out)
    result = kernel(array, places, axis, mode, out)
    if result is NotImplemented:
        result = np.asarray(kernel(array, places, axis, mode, None))
        np.copyto(checked_out(out, result.shape), result, casting="same_kind")
    return out


def _within_int64(places: Any, x: Any, axis: Any, mode: Any) -> Any:
    """Return unsigned places as signed ones that mean the same."""
    length = x.size if axis is None or not x.ndim else x.shape[normalize_axis_index(axis, x.ndim)]
    if mode == "wrap" and length:
        places = places % np.uint64(length)
    return np.minimum(places, np.uint64(2**63 - 1)).astype(np.int64)


def _by_numpy(x: Any, places: Any, axis: Any, mode: Any, out: Any) -> Any:
    """Take references to objects."""
    result = np.take(x, places, axis, mode=mode)
    if out is None:
        return result
    np.copyto(checked_out(out, np.shape(result)), result, casting="same_kind")
    return out


@documented(CHOOSING["scatter_add"])
def scatter_add(x: Any, indices: Any, values: Any, axis: Any = 0) -> Any:
    if native.scatter_add(x, indices, values, axis) is None:
        return x
    return general_scatter_add(native.scatter_add, x, indices, values, axis)


def general_scatter_add(
    kernel: Callable[..., Any], x: Any, indices: Any, values: Any, axis: Any
) -> Any:
    """Add values by `kernel`, `native.scatter_add` or one that `native.build` made."""
    refuse_boxes(x, indices, values)
    if not isinstance(x, np.ndarray):
        raise TypeError(f"scatter_add: x must be an ndarray, not {type(x).__name__}")
    target = np.asarray(plain("scatter_add", "x", x))
    axis = normalize_axis_index(axis, target.ndim)
    places = as_places("scatter_add", plain("scatter_add", "indices", indices))
    shape = target.shape[:axis] + places.shape + target.shape[axis + 1 :]
    terms = _terms(plain("scatter_add", "values", values), target.dtype, shape)
    if not target.flags.writeable:
        raise ValueError("scatter_add: x is read-only")
    if np.may_share_memory(target, terms):
        terms = terms.copy()
    if np.may_share_memory(target, places):
        places = places.copy()
    if kernel(target, places, terms, axis) is NotImplemented:
        dense = np.array(target, target.dtype.newbyteorder("="), order="C")
        if kernel(dense, places, terms, axis) is NotImplemented:
            np.add.at(target, (*(slice(None),) * axis, places), terms)
        else:
            target[...] = dense
    return x


def _terms(values: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
    """Return values as they are added: contiguous, of a native dtype and of this shape."""
    native_dtype = dtype.newbyteorder("=")
    terms = array_to_add("scatter_add", values, native_dtype)
    try:
        whole = np.broadcast_to(terms, shape)
    except ValueError:
        raise ValueError(
            f"scatter_add: values of shape {terms.shape} do not broadcast to {shape}"
        ) from None
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(whole, native_dtype).reshape(shape)


def as_places(function: str, indices: Any) -> Any:
    """Return integers as int64; those above it as places that are out of bounds anyway."""
    places = np.asarray(indices)
    if places.size == 0 and not hasattr(indices, "dtype"):
        places = places.astype(np.int64)
    if places.dtype.kind not in "iu":
        raise TypeError(f"{function}: indices must be integers, not {places.dtype}")
    if places.dtype.str[1:] == "u8":
        places = np.minimum(places, np.uint64(2**63 - 1))
    return places.astype(np.int64, copy=False)


@documented(CHOOSING["one_hot"])
def one_hot(indices: Any, num_classes: Any, axis: Any = -1, dtype: Any = "float32") -> Any:
    places = as_places("one_hot", plain("one_hot", "indices", indices))
    num_classes = operator.index(num_classes)
    if num_classes < 0:
        raise ValueError(f"one_hot: num_classes is {num_classes}, and must not be negative")
    dtype = np.dtype(dtype)
    if dtype.kind not in "biufc" and not is_bfloat16(dtype):
        raise TypeError(f"one_hot: dtype {dtype} is not one of numbers")
    axis = normalize_axis_index(axis, places.ndim + 1)
    shape = (*places.shape[:axis], num_classes, *places.shape[axis:])
    result = np.zeros(shape, dtype)
    native.mark(np.moveaxis(result, axis, -1), places, np.ones((), dtype))
    return result


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
