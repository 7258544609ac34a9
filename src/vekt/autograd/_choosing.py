"""Choosing: gradients go back to the places that were chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import match_complex, unbroadcast_f
from autograd.tracer import getval

import vekt as vk

Function = Callable[..., Any]

__all__ = ["one_hot", "scatter_add", "take", "top_k"]

one_hot: Function = vk.one_hot  # of integers, which are constant


def _added(x: Any, indices: Any, values: Any, axis: int = 0) -> Any:
    return vk.scatter_add(np.array(x), indices, values, axis)


_scatter_add: Function = primitive(_added)


def scatter_add(x: Any, indices: Any, values: Any, axis: int = 0) -> Any:
    """`vekt.scatter_add` of a copy of `x`."""
    return _scatter_add(x, indices, values, axis)


_take: Function = primitive(vk.take)


def take(x: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """`vekt.take`: elements at places along an axis."""
    if axis is None:
        return _take(np.ravel(x), indices, 0, mode)
    return _take(x, indices, axis, mode)


def _within(indices: Any, length: int, mode: str) -> Any:
    """Return the places that are meant."""
    if mode == "wrap":
        return np.asarray(indices) % length
    return np.clip(indices, 0, length - 1) if mode == "clip" else indices


def _take_vjp(y: Any, x: Any, indices: Any, axis: int, mode: str) -> Function:
    places = _within(indices, np.shape(x)[axis], mode)
    zeros = np.zeros(np.shape(x), np.result_type(x))
    return lambda g: match_complex(x, scatter_add(zeros, places, g, axis))


defvjp(_take, _take_vjp, argnums=(0,))


def _values_vjp(y: Any, x: Any, indices: Any, values: Any, axis: int) -> Function:
    vjp: Function = unbroadcast_f(values, lambda g: match_complex(values, take(g, indices, axis)))
    return vjp


defvjp(
    _scatter_add,
    lambda y, x, indices, values, axis: lambda g: match_complex(x, g),
    None,
    _values_vjp,
    argnums=(0, 1, 2),
)


def top_k(x: Any, k: int, axis: int = -1) -> Any:
    """`vekt.top_k`: the greatest elements, and their places, which are constant."""
    shape = np.shape(x)
    _, indices = vk.top_k(getval(x), k, axis)
    index: list[Any] = list(numpy.indices(indices.shape, sparse=True))
    index[axis] = indices
    places = numpy.ravel_multi_index(tuple(index), shape) if indices.size else indices
    return _take(np.ravel(x), places, 0, "raise"), indices
