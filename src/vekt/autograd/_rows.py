"""Softmax and its kin: gradients by the kernels of rows, derivatives of these by their formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from numpy.lib.array_utils import normalize_axis_tuple

import vekt as vk

Function = Callable[..., Any]

__all__ = ["log_softmax", "logsumexp", "softmax", "softmin", "sparsemax"]


def _with_backward(name: str, to_dy: Function, to_y: Function, sign: int = 1) -> Function:
    """Return a function of rows; `to_dy` and `to_y` differentiate its backward pass."""
    value: Function = primitive(getattr(vk, name))
    backward: Function = primitive(getattr(vk, f"{name}_backward"))
    defvjp(value, lambda y, x, axis=-1, **_: lambda g: backward(g, y, axis), argnums=(0,))
    defvjp(
        backward,
        lambda dx, dy, y, axis=-1: lambda g: to_dy(sign * g, dy, y, axis),
        lambda dx, dy, y, axis=-1: lambda g: to_y(sign * g, dy, y, axis),
        argnums=(0, 1),
    )
    return value


def _sum(x: Any, axis: Any) -> Any:
    return np.sum(x, axis=axis, keepdims=True)


def _softmax_to_dy(g: Any, dy: Any, y: Any, axis: Any) -> Any:
    return y * (g - _sum(g * y, axis))


def _softmax_to_y(g: Any, dy: Any, y: Any, axis: Any) -> Any:
    return g * (dy - _sum(dy * y, axis)) - dy * _sum(g * y, axis)


def _log_softmax_to_dy(g: Any, dy: Any, y: Any, axis: Any) -> Any:
    return g - _sum(g * np.exp(y), axis)


def _log_softmax_to_y(g: Any, dy: Any, y: Any, axis: Any) -> Any:
    return -g * np.exp(y) * _sum(dy, axis)


def _sparsemax_to_dy(g: Any, dy: Any, y: Any, axis: Any) -> Any:
    support = y > 0
    return support * (g - _sum(support * g, axis) / _sum(support, axis))


softmax = _with_backward("softmax", _softmax_to_dy, _softmax_to_y)
softmin = _with_backward("softmin", _softmax_to_dy, _softmax_to_y, sign=-1)
log_softmax = _with_backward("log_softmax", _log_softmax_to_dy, _log_softmax_to_y)
sparsemax = _with_backward("sparsemax", _sparsemax_to_dy, lambda g, dy, y, axis: np.zeros_like(y))

logsumexp: Function = primitive(vk.logsumexp)


def _logsumexp_vjp(
    y: Any, x: Any, axis: Any = -1, keepdims: bool = False, *, where: Any = None
) -> Function:
    def vjp(g: Any) -> Any:
        if not keepdims:
            n = np.ndim(x)
            for i in sorted(normalize_axis_tuple(range(n) if axis is None else axis, n)):
                g = np.expand_dims(g, i)
        return g * softmax(x, axis, where=where)

    return vjp


defvjp(logsumexp, _logsumexp_vjp, argnums=(0,))
