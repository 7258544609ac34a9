"""Choosing in plain NumPy: by a stable sort, fancy indices and ``np.add.at``."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike

from vekt._core.axes import unmasked
from vekt._core.operands import array_to_add, checked_out, is_half
from vekt._spec.choosing import CHOOSING, PUBLIC_NAMES
from vekt._spec.docstrings import documented

__all__ = [*PUBLIC_NAMES]


def _places(indices: Any) -> Any:
    places = np.asarray(indices)
    if places.size == 0 and not hasattr(indices, "dtype"):
        return places.astype(np.intp)
    if places.dtype.kind not in "iu":
        raise TypeError(f"indices must be integers, not {places.dtype}")
    if places.dtype.str[1:] == "u8":  # which NumPy would take for signed ones
        places = np.minimum(places, np.uint64(2**63 - 1))
    return places


@documented(CHOOSING["top_k"], "", "vekt.reference")
def top_k(x: ArrayLike, k: int, axis: int = -1) -> Any:
    array = np.asarray(unmasked("top_k", "x", x))
    half = is_half(array.dtype)
    if not half and (array.dtype.kind not in "biuf" or array.dtype.itemsize > 8):
        raise TypeError(f"top_k: dtype {array.dtype} is not supported")
    k, axis = operator.index(k), normalize_axis_index(axis, array.ndim)
    n = array.shape[axis]
    if not 0 <= k <= n:
        raise ValueError(f"top_k: k is {k}, but axis {axis} has {n} elements")
    # Backwards, and the result backwards again: then equal elements stay in their order.
    keys = np.flip(array.astype("f4") if half else array, axis)
    order = n - 1 - np.flip(np.argsort(keys, axis, "stable"), axis)
    indices = np.take(order, np.arange(k), axis)
    values = np.take_along_axis(array, indices, axis)
    return values.astype(array.dtype.newbyteorder("="), copy=False), indices


@documented(CHOOSING["take"], "", "vekt.reference")
def take(
    x: ArrayLike, indices: ArrayLike, axis: int | None = None, mode: Any = "raise", out: Any = None
) -> Any:
    array = np.asarray(unmasked("take", "x", x))
    places = np.asarray(unmasked("take", "indices", indices))
    if axis is None or not array.ndim:
        length = array.size
    else:
        length = array.shape[normalize_axis_index(axis, array.ndim)]
    if places.dtype == bool:
        places = places.astype(np.intp)
    elif mode == "wrap" and length and places.dtype.kind in "iu":
        places = np.array(places.astype(object) % length, np.intp)  # NumPy's own may take years
    else:
        places = _places(indices)
    within = mode != "raise" or ((places >= -length) & (places < length)).all()
    if not within or (length == 0 and places.size):  # NumPy says nothing where nothing is taken
        raise IndexError(f"an index is out of bounds for an axis of size {length}")
    result = np.take(array, places, axis, mode=mode)
    if out is None:
        return result
    target = checked_out(out, np.shape(result))
    np.copyto(target, result, casting="same_kind")
    return target


@documented(CHOOSING["scatter_add"], "", "vekt.reference")
def scatter_add(x: Any, indices: ArrayLike, values: Any, axis: int = 0) -> Any:
    if not isinstance(x, np.ndarray):
        raise TypeError(f"scatter_add: x must be an ndarray, not {type(x).__name__}")
    for name, operand in (("x", x), ("indices", indices), ("values", values)):
        unmasked("scatter_add", name, operand)
    places, axis = _places(indices), normalize_axis_index(axis, x.ndim)
    if not x.flags.writeable:
        raise ValueError("scatter_add: x is read-only")
    with np.errstate(all="ignore"):
        terms = array_to_add("scatter_add", values, x.dtype)
        shape = x.shape[:axis] + places.shape + x.shape[axis + 1 :]
        terms = np.broadcast_to(terms, shape).astype(x.dtype)
        index = (*(slice(None),) * axis, places)
        _ = x[index]  # an error before anything is written
        np.add.at(x, index, terms)
    return x


@documented(CHOOSING["one_hot"], "", "vekt.reference")
def one_hot(indices: ArrayLike, num_classes: int, axis: int = -1, dtype: Any = "float32") -> Any:
    places = _places(unmasked("one_hot", "indices", indices))
    num_classes = operator.index(num_classes)
    if num_classes < 0:
        raise ValueError(f"one_hot: num_classes is {num_classes}, and must not be negative")
    kind = np.dtype(dtype)
    if kind.kind not in "biufc" and not is_half(kind):
        raise TypeError(f"one_hot: dtype {kind} is not one of numbers")
    normalize_axis_index(axis, places.ndim + 1)
    vectors = (places[..., None] == np.arange(num_classes)).astype(kind)
    return np.ascontiguousarray(np.moveaxis(vectors, -1, axis))
