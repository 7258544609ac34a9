"""Norms and cosines, of real and complex numbers; gradients without overflow on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.tracer import getval
from numpy.lib.array_utils import normalize_axis_tuple

import vekt as vk

Function = Callable[..., Any]

__all__ = ["cosine_similarity", "norm"]

_length: Function = primitive(vk.norm)


def _or_one(divisor: Any) -> Any:
    """Replace zeros, by which nothing is divided: the gradient there is 0, as in torch."""
    return np.where(divisor == 0, 1.0, divisor)


def _length_vjp(y: Any, x: Any, ord: Any, axis: Any, keepdims: bool) -> Function:
    def vjp(g: Any) -> Any:
        gradient, length = g, y
        if axis is not None and not keepdims:
            gradient, length = np.expand_dims(g, axis), np.expand_dims(y, axis)
        return gradient * (np.conj(x) / _or_one(length))

    return vjp


defvjp(_length, _length_vjp, argnums=(0,))


def _scale(sizes: Any, axis: Any, choose: Any) -> Any:
    """Return sizes by which powers can be divided, which are constants to autograd."""
    largest = choose(getval(sizes), axis=axis, keepdims=True)
    return np.where((largest > 0) & np.isfinite(largest), largest, 1.0)


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if ord is None or ord == 2:
        return _length(x, None, axis, keepdims)
    sizes = np.abs(x)
    if ord == 0:
        return np.sum(np.sign(sizes), axis=axis, keepdims=keepdims)
    if ord == 1 or np.isinf(ord):
        reduce = np.sum if ord == 1 else np.max if ord > 0 else np.min
        return reduce(sizes, axis=axis, keepdims=keepdims)
    scale = _scale(sizes, axis, np.max if ord > 0 else np.min)
    sums = np.sum((sizes / scale) ** ord, axis=axis, keepdims=True)
    y = scale * sums ** (1 / ord)
    return y if keepdims else np.squeeze(y, axis)


def _matrix_norm(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    rows, columns = axes
    if ord in (None, "fro", "f"):
        return _length(x, None, axes, keepdims)
    if ord in (2, -2, "nuc"):
        reduce = {2: np.max, -2: np.min, "nuc": np.sum}[ord]
        singular = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), full_matrices=False)[1]
        y = reduce(singular, axis=-1)
        for axis in sorted(axes) if keepdims else ():
            y = np.expand_dims(y, axis)
        return y
    over, choice = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = np.sum(np.abs(x), axis=over, keepdims=True)
    y = (np.max if ord > 0 else np.min)(sums, axis=choice, keepdims=True)
    return y if keepdims else np.squeeze(y, axes)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`vekt.norm`: the kernel for lengths, autograd's functions for norms of other orders.

    The gradient of a vector of zeros is 0.  Complex gradients are by autograd's convention.
    """
    n = np.ndim(x)
    if ord is None and axis is None:
        y = _length(x, None, None, False)
        return np.reshape(y, (1,) * n) if keepdims else y
    axes = normalize_axis_tuple(range(n) if axis is None else axis, n)
    number = isinstance(ord, int | float)
    if len(axes) == 1 and (ord is None or number):
        return _vector_norm(x, ord, axes[0], keepdims)
    known = ord in (None, "fro", "f", "nuc") or (number and ord in (1, -1, 2, -2, np.inf, -np.inf))
    if len(axes) == 2 and known:
        return _matrix_norm(x, ord, axes, keepdims)
    return vk.norm(getval(x), ord, axis, keepdims)  # raises what there is to raise


def _direction(x: Any, axis: Any) -> tuple[Any, Any, Any]:
    """Return x over its length, zeros where that is 0, and two numbers by which it is divided."""
    scale = _scale(np.abs(x), axis, np.max)
    x = x / scale
    squares = np.sum(np.real(x * np.conj(x)), axis=axis, keepdims=True)
    none = getval(squares) == 0
    length = np.where(none, np.inf, np.sqrt(squares + none))
    return x / length, length, scale


_cosine: Function = primitive(vk.cosine_similarity)


def _expanded(x: Any, axis: Any) -> Any:
    return x if axis is None else np.expand_dims(x, axis)


def _cosine_slope(g: Any, y: Any, x: Any, other: Any, axis: Any) -> Any:
    mine, length, scale = _direction(x, axis)
    along = _direction(other, axis)[0] - _expanded(y, axis) * mine
    return _expanded(g, axis) * along / length / scale


defvjp(
    _cosine,
    lambda y, a, b, axis: lambda g: _cosine_slope(g, y, a, b, axis),
    lambda y, a, b, axis: lambda g: _cosine_slope(g, y, b, a, axis),
    argnums=(0, 1),
)


def cosine_similarity(a: Any, b: Any, axis: Any = -1) -> Any:
    """`vekt.cosine_similarity`; of complex numbers too, whose product is that of `vecdot`.

    The gradient at a vector of zeros is 0.
    """
    if np.shape(a) != np.shape(b):
        shape = np.broadcast_shapes(np.shape(a), np.shape(b))
        a, b = (x + np.zeros(shape, getval(x).dtype) for x in (a, b))
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        directions = [_direction(x, axis)[0] for x in (a, b)]
        return np.sum(np.conj(directions[0]) * directions[1], axis=axis)
    return _cosine(a, b, axis)
