"""Gated units and prelu: fused kernels forward, products of activations backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

import vekt as vk
from vekt._core.axes import along_shape
from vekt._spec.gates import GATE_OPS
from vekt.autograd import _activations

Function = Callable[..., Any]

__all__ = [*GATE_OPS, "prelu"]


def _gate(name: str, activation: str) -> Function:
    gated: Function = primitive(getattr(vk, name))
    f: Function = getattr(_activations, activation)
    backward: Function = getattr(_activations, f"{activation}_backward")
    defvjp(
        gated,
        lambda y, a, b, *p, **kw: unbroadcast_f(a, lambda g: backward(g * b, a, *p, **kw)),
        lambda y, a, b, *p, **kw: unbroadcast_f(b, lambda g: g * f(a, *p, **kw)),
        argnums=(0, 1),
    )
    return gated


for _spec in GATE_OPS.values():
    if _spec.name != "glu":
        globals()[_spec.name] = _gate(_spec.name, _spec.kernel.activation)

glu: Function = primitive(vk.glu)


def _glu_vjp(y: Any, x: Any, axis: int = -1) -> Function:
    def vjp(g: Any) -> Any:
        a, b = np.split(x, 2, axis)
        sigmoid = _activations.sigmoid(b)  # type: ignore[attr-defined]
        db = _activations.sigmoid_backward(g * a, b)  # type: ignore[attr-defined]
        return np.concatenate([g * sigmoid, db], axis)

    return vjp


defvjp(glu, _glu_vjp)

prelu: Function = primitive(vk.prelu)


def _slopes(alpha: Any, x: Any, axis: int | None) -> Any:
    """Shape the slopes of an axis so that they broadcast."""
    return alpha if axis is None else np.reshape(alpha, along_shape(alpha.shape, axis, x.ndim))


def _prelu_dx(y: Any, x: Any, alpha: Any, axis: int | None = None) -> Function:
    return lambda g: g * np.where(x > 0, 1.0, _slopes(alpha, x, axis))


def _prelu_dalpha(y: Any, x: Any, alpha: Any, axis: int | None = None) -> Function:
    below = unbroadcast_f(_slopes(alpha, x, axis), lambda g: g * np.minimum(x, 0.0))
    return lambda g: np.reshape(below(g), np.shape(alpha))


defvjp(prelu, _prelu_dx, _prelu_dalpha, argnums=(0, 1))
