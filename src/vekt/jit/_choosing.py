"""The greatest elements, elements at given places and sums there: what Python calls."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from vekt._core.axes import unmasked
from vekt._core.operands import array_to_add, checked_out, is_bfloat16, is_half
from vekt._spec.choosing import CHOOSING
from vekt._spec.docstrings import documented
from vekt.jit._gates import _entry as entry

_SAME_SIZE = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)} | {16: np.dtype("c16")}


def _places(function: str, indices: Any) -> Any:
    """Return integers as contiguous int64; those above it as places that are out of bounds."""
    places = np.asarray(unmasked(function, "indices", indices))
    if places.size == 0 and not hasattr(indices, "dtype"):
        places = places.astype(np.int64)
    if places.dtype.kind not in "iu":
        raise TypeError(f"{function}: indices must be integers, not {places.dtype}")
    if places.dtype.str[1:] == "u8":
        places = np.minimum(places, np.uint64(2**63 - 1))
    return np.array(places, np.int64, order="C", copy=None)


@documented(CHOOSING["top_k"], "", "vekt.jit")
def top_k(x: Any, k: Any, axis: Any = -1) -> Any:
    array = np.asarray(unmasked("top_k", "x", x))
    half = is_half(array.dtype)
    if not half and (array.dtype.kind not in "biuf" or array.dtype.itemsize > 8):
        raise TypeError(f"top_k: dtype {array.dtype} is not supported")
    k, axis = operator.index(k), normalize_axis_index(axis, array.ndim)
    if not 0 <= k <= array.shape[axis]:
        raise ValueError(f"top_k: k is {k}, but axis {axis} has {array.shape[axis]} elements")
    kind = np.dtype("f4") if half else array.dtype.newbyteorder("=")
    rows = np.moveaxis(array, axis, -1)
    matrix = np.require(
        rows.astype(kind).reshape(-1 if rows.shape[-1] else 0, rows.shape[-1]),
        requirements=["C", "A", "W"],
    )
    _, indices = _run_top_k(matrix, k)
    indices = indices.reshape(*rows.shape[:-1], k)
    values = np.take_along_axis(rows, indices, -1).astype(array.dtype.newbyteorder("="), copy=False)
    if axis == array.ndim - 1:
        return values, indices
    return tuple(np.ascontiguousarray(np.moveaxis(y, -1, axis)) for y in (values, indices))


def _thirds(x: Any, axis: int) -> tuple[int, int, int]:
    """Lengths before, along and behind an axis."""
    return (
        int(np.prod(x.shape[:axis], dtype=np.int64)),
        x.shape[axis],
        int(np.prod(x.shape[axis + 1 :], dtype=np.int64)),
    )


@documented(CHOOSING["take"], "", "vekt.jit")
def take(x: Any, indices: Any, axis: Any = None, mode: Any = "raise", out: Any = None) -> Any:
    array = np.asarray(unmasked("take", "x", x))
    if np.asarray(indices).dtype == bool:
        indices = np.asarray(indices).astype(np.int64)
    if mode == "wrap" and getattr(indices, "dtype", np.dtype("i8")).str[1:] == "u8":
        indices = indices % np.uint64(max(1, array.size if axis is None else array.shape[axis]))
    places = _places("take", indices)
    moved = None if array.dtype.hasobject else _SAME_SIZE.get(array.dtype.itemsize)
    if moved is None:
        result = np.take(array, places, axis, mode=mode)
    else:
        if axis is None or array.ndim == 0:
            array = array.reshape(-1)
        axis = normalize_axis_index(0 if axis is None else axis, array.ndim)
        before, length, behind = _thirds(array, axis)
        within = _within(places, length, mode, axis)
        blocks = np.ascontiguousarray(array).view(moved).reshape(before, length, behind)
        made = _run_take(blocks, within)
        shape = array.shape[:axis] + places.shape + array.shape[axis + 1 :]
        result = made.reshape(shape).view(array.dtype)[()]
    if out is None:
        return result
    target = checked_out(out, np.shape(result))
    np.copyto(target, result, casting="same_kind")
    return target


def _within(places: Any, length: int, mode: Any, axis: int) -> Any:
    """Return places from 0 to the length of the axis; NumPy's error for others."""
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"take: mode must be 'raise', 'wrap' or 'clip', not {mode!r}")
    flat = places.reshape(-1)
    if length == 0 and flat.size:
        raise IndexError("no index is within an axis of no elements")
    if mode == "wrap":
        return flat % max(length, 1)
    if mode == "clip":
        return np.clip(flat, 0, length - 1)
    wrong = (flat < -length) | (flat >= length)
    if wrong.any():
        raise IndexError(
            f"index {flat[wrong][0]} is out of bounds for axis {axis} with size {length}"
        )
    return np.where(flat < 0, flat + length, flat)


@documented(CHOOSING["scatter_add"], "", "vekt.jit")
def scatter_add(x: Any, indices: Any, values: Any, axis: Any = 0) -> Any:
    if not isinstance(x, np.ndarray):
        raise TypeError(f"scatter_add: x must be an ndarray, not {type(x).__name__}")
    target = np.asarray(unmasked("scatter_add", "x", x))
    places, axis = _places("scatter_add", indices), normalize_axis_index(axis, target.ndim)
    if not target.flags.writeable:
        raise ValueError("scatter_add: x is read-only")
    before, length, behind = _thirds(target, axis)
    within = _within(places, length, "raise", axis)
    kind = target.dtype.newbyteorder("=")
    terms = array_to_add("scatter_add", unmasked("scatter_add", "values", values), kind)
    shape = target.shape[:axis] + places.shape + target.shape[axis + 1 :]
    with np.errstate(all="ignore"):
        whole = np.array(np.broadcast_to(terms, shape), kind, order="C")
        if kind.char in "bBhHiIlLqQfdFD":
            sums = np.array(target, kind, order="C").reshape(before, length, behind)
            _run_scatter_add(sums, within, whole.reshape(before, within.size, behind))
            target[...] = sums.reshape(target.shape)
        else:
            np.add.at(target, (*(slice(None),) * axis, places), whole)
    return x


@documented(CHOOSING["one_hot"], "", "vekt.jit")
def one_hot(indices: Any, num_classes: Any, axis: Any = -1, dtype: Any = "float32") -> Any:
    places, num_classes = _places("one_hot", indices), operator.index(num_classes)
    if num_classes < 0:
        raise ValueError(f"one_hot: num_classes is {num_classes}, and must not be negative")
    kind = np.dtype(dtype)
    if kind.kind not in "biufc" and not is_bfloat16(kind):
        raise TypeError(f"one_hot: dtype {kind} is not one of numbers")
    normalize_axis_index(axis, places.ndim + 1)
    vectors = _run_one_hot(places.reshape(-1), num_classes).reshape(*places.shape, num_classes)
    return np.ascontiguousarray(np.moveaxis(vectors, -1, axis)).astype(kind, copy=False)


@entry
def _run_top_k(matrix, k):  # type: ignore[no-untyped-def]
    return top_k(matrix, k)


@entry
def _run_take(blocks, places):  # type: ignore[no-untyped-def]
    return take(blocks, places, 1)


@entry
def _run_scatter_add(sums, places, terms):  # type: ignore[no-untyped-def]
    scatter_add(sums, places, terms, 1)


@entry
def _run_one_hot(places, num_classes):  # type: ignore[no-untyped-def]
    return one_hot(places, num_classes)
