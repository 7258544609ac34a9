"""Losses: fused gradients for the prediction; softmax_cross_entropy can be differentiated once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

import vekt as vk

from . import _activations

Function = Callable[..., Any]

__all__ = [
    "binary_cross_entropy",
    "huber",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "squared_error",
]


def _loss(name: str, by_target: Function, curvature: Function) -> Function:
    """Return a loss; `by_target` is its derivative by t, `curvature` its second one times c."""
    value: Function = primitive(getattr(vk, name))
    backward: Function = primitive(getattr(vk, f"{name}_backward"))
    mixed = {"sigmoid_cross_entropy": lambda y, t: -1.0 + 0 * y}.get(name)

    def by_t_again(ans: Any, dl: Any, y: Any, t: Any, *delta: Any) -> Function:
        def at(g: Any) -> Any:
            if mixed is not None:
                return g * dl * mixed(y, t)
            if name == "binary_cross_entropy":
                return -g * dl / (y * (1 - y))
            return -curvature(g * dl, y, t, *delta)

        made: Function = unbroadcast_f(t, at)
        return made

    defvjp(
        value,
        lambda ans, y, t, *delta: unbroadcast_f(y, lambda g: backward(g, y, t, *delta)),
        lambda ans, y, t, *delta: unbroadcast_f(t, lambda g: g * by_target(y, t, *delta)),
        argnums=(0, 1),
    )
    defvjp(
        backward,
        lambda ans, dl, y, t, *delta: unbroadcast_f(dl, lambda g: backward(g, y, t, *delta)),
        lambda ans, dl, y, t, *delta: unbroadcast_f(y, lambda g: curvature(g * dl, y, t, *delta)),
        by_t_again,
        argnums=(0, 1, 2),
    )
    return value


def _bce_curvature(c: Any, p: Any, t: Any) -> Any:
    return c * (t / (p * p) + (1 - t) / ((1 - p) * (1 - p)))


def _sigmoid_curvature(c: Any, x: Any, t: Any) -> Any:
    backward: Function = getattr(_activations, "sigmoid_backward")  # noqa: B009
    return backward(c, x)


squared_error = _loss("squared_error", lambda y, t: 2 * (t - y), lambda c, y, t: 2 * c)
huber = _loss(
    "huber",
    lambda y, t, delta=1.0: np.clip(t - y, -delta, delta),
    lambda c, y, t, delta=1.0: c * (np.abs(y - t) < delta),
)
sigmoid_cross_entropy = _loss(
    "sigmoid_cross_entropy", lambda x, t: -1.0 * x + 0 * t, _sigmoid_curvature
)
binary_cross_entropy = _loss(
    "binary_cross_entropy", lambda p, t: np.log1p(-p) - np.log(p) + 0 * t, _bce_curvature
)

softmax_cross_entropy: Function = primitive(vk.softmax_cross_entropy)


def _slope(logits: Any, labels: Any, **options: Any) -> Any:
    return vk.softmax_cross_entropy_value_and_grad(logits, labels, **options)[1]


_traced_slope: Function = primitive(_slope)


def _softmax_vjp(ans: Any, logits: Any, labels: Any, **options: Any) -> Function:
    slope = _traced_slope(logits, labels, **options)
    if options.get("reduction") == "none":
        return lambda g: np.expand_dims(g, options.get("axis", -1)) * slope
    return lambda g: g * slope


defvjp(softmax_cross_entropy, _softmax_vjp, argnums=(0,))
