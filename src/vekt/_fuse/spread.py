"""Values and gradients of reductions, with the dimensions of what is reduced."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from vekt import elementwise
from vekt._fuse.bound import Bound, Value
from vekt._fuse.graph import REDUCTIONS, Node


def _axes(node: Node, ndim: int) -> tuple[int, ...]:
    axis = node.value[0]
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def check_shape(node: Node, given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Whether a gradient has, or broadcasts to, the shape of what it belongs to."""
    if node.op in REDUCTIONS:
        axes = _axes(node, len(shape))
        shape = tuple(1 if k in axes else n for k, n in enumerate(shape))
    fits = len(given) <= len(shape) and all(
        a in (1, b) for a, b in zip(given[::-1], shape[::-1], strict=False)
    )
    if not fits:
        raise ValueError(f"dy: expected an array that broadcasts to {shape}, got {given}")


def _kept(bound: Bound, node: Node, y: Value, ndim: int) -> Value:
    shape = np.expand_dims(np.broadcast_to(0, y.shape), _axes(node, ndim)).shape
    return bound.reshape(y, shape)


def spread_value(bound: Bound, node: Node, y: Value, ndim: int) -> Value:
    """Add a reduced value with its reduced dimensions kept."""
    return y if node.value[1] or len(y.shape) == ndim else _kept(bound, node, y, ndim)


def spread(bound: Bound, node: Node, dy: Value, shape: tuple[int, ...]) -> Value:
    """Add the gradient with respect to a result as it is for each element of its sum."""
    if node.op not in REDUCTIONS:
        return dy
    if dy.shape and not node.value[1]:
        dy = _kept(bound, node, dy, len(shape))
    if node.op == "mean":
        with np.errstate(all="ignore"):
            count = dy.dtype.type(math.prod(shape[k] for k in _axes(node, len(shape))))
        dy = bound.apply(elementwise.divide, dy, bound.constant(np.asarray(count)))
    return dy
