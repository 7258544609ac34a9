"""Values and gradients of reductions, with the dimensions of what is reduced."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import NDArray

from vekt._fuse.graph import REDUCTIONS, Node

Array = NDArray[Any]


def _axes(node: Node, ndim: int) -> tuple[int, ...]:
    axis = node.value[0]
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def check_shape(node: Node, dy: Array, shape: tuple[int, ...]) -> None:
    """Whether a gradient has, or broadcasts to, the shape of what it belongs to."""
    if node.op in REDUCTIONS:
        axes = _axes(node, len(shape))
        shape = tuple(1 if k in axes else n for k, n in enumerate(shape))
    fits = dy.ndim <= len(shape) and all(
        a in (1, b) for a, b in zip(dy.shape[::-1], shape[::-1], strict=False)
    )
    if not fits:
        raise ValueError(f"dy: expected an array that broadcasts to {shape}, got {dy.shape}")


def spread_value(node: Node, y: Array, shape: tuple[int, ...]) -> Array:
    """Return a reduced value with its reduced dimensions kept."""
    if node.value[1] or y.ndim == len(shape):
        return y
    return np.expand_dims(y, _axes(node, len(shape)))


def spread(node: Node, dy: Array, shape: tuple[int, ...]) -> Array:
    """Return the gradient with respect to a result as it is for each element of its sum."""
    if node.op not in REDUCTIONS:
        return dy
    if dy.ndim and not node.value[1]:
        dy = np.expand_dims(dy, _axes(node, len(shape)))
    if node.op == "mean":
        count = 1
        for k in _axes(node, len(shape)):
            count *= shape[k]
        with np.errstate(all="ignore"):
            dy = dy / dy.dtype.type(count)
    return dy
