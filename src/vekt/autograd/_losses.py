"""Losses, by the prediction and by the target where that is a number or a probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

import vekt as vk
from vekt._spec.losses import LOSSES
from vekt._spec.spec import Spec
from vekt.autograd import _activations, _rows

Function = Callable[..., Any]

__all__ = [*LOSSES, "softmax_cross_entropy"]


def _of_difference(
    value: Function, backward: Function, curvature: Function
) -> tuple[Function, ...]:
    """Functions of y - t: each derivative by t is minus that by y."""
    return (
        lambda g, y, t, *p, **kw: -backward(g, y, t, *p, **kw),
        lambda g, y, t, *p, **kw: -g * curvature(y, t, *p, **kw),
    )


def _of_logits(value: Function, backward: Function, curvature: Function) -> tuple[Function, ...]:
    return lambda g, y, t: -g * y, lambda g, y, t: -g


def _of_probability(
    value: Function, backward: Function, curvature: Function
) -> tuple[Function, ...]:
    """Functions that are straight in t: the step from t = 0 to 1."""
    return (
        lambda g, y, t: g * (value(y, 1.0) - value(y, 0.0)),
        lambda g, y, t: backward(g, y, 1.0) - backward(g, y, 0.0),
    )


_BY_TARGET: dict[str, Function] = {
    "difference": _of_difference,
    "logits": _of_logits,
    "probability": _of_probability,
}
"""What g becomes through the loss, and through its gradient by the prediction."""


def _loss(spec: Spec) -> Function:
    value: Function = primitive(getattr(vk, spec.name))
    backward: Function = primitive(getattr(vk, f"{spec.name}_backward"))
    bent = _activations.curvature_of(spec.kernel, *spec.form().operands)
    defaults = {p.name: p.default for p in spec.params}

    def curvature(y: Any, t: Any, *given: Any, **named: Any) -> Any:
        return bent(y, t, **{**defaults, **dict(zip(defaults, given, strict=False)), **named})

    of_value, of_slope = _BY_TARGET[spec.facts["of"]](value, backward, curvature)
    defvjp(
        value,
        lambda _, y, t, *p, **kw: unbroadcast_f(y, lambda g: backward(g, y, t, *p, **kw)),
        lambda _, y, t, *p, **kw: unbroadcast_f(t, lambda g: of_value(g, y, t, *p, **kw)),
        argnums=(0, 1),
    )
    defvjp(
        backward,
        lambda _, dl, y, t, *p, **kw: unbroadcast_f(dl, lambda g: backward(g, y, t, *p, **kw)),
        lambda _, dl, y, t, *p, **kw: unbroadcast_f(
            y, lambda g: g * dl * curvature(y, t, *p, **kw)
        ),
        lambda _, dl, y, t, *p, **kw: unbroadcast_f(t, lambda g: of_slope(g * dl, y, t, *p, **kw)),
        argnums=(0, 1, 2),
    )
    return value


globals().update({name: _loss(spec) for name, spec in LOSSES.items()})

softmax_cross_entropy: Function = primitive(vk.softmax_cross_entropy)


@primitive  # type: ignore[untyped-decorator]
def _softmax_cross_entropy_slope(logits: Any, labels: Any, **options: Any) -> Any:
    """Gradient of the sum or mean."""
    return vk.softmax_cross_entropy_value_and_grad(logits, labels, **options)[1]


def _softmax_cross_entropy_vjp(
    loss: Any, logits: Any, labels: Any, *, axis: int = -1, **options: Any
) -> Function:
    slope = _softmax_cross_entropy_slope(logits, labels, axis=axis, **options)
    each_row = options.get("reduction") == "none"
    return lambda g: (np.expand_dims(g, axis) if each_row else g) * slope


def _softmax_cross_entropy_slope_vjp(
    slope: Any, logits: Any, labels: Any, *, axis: int = -1, **options: Any
) -> Function:
    """Differentiate c p - u, a row's gradient, with p its softmax, c and u made of the labels.

    The kernel tells c: p is even at logits of zero, and one class alone where its logit is large.
    """
    even = np.zeros(logits.shape, logits.dtype)
    peak = np.zeros(logits.shape, logits.dtype)
    first = (slice(None),) * (axis % even.ndim) + (slice(0, 1),)
    peak[first] = 1000
    classes = even.shape[axis]
    rise = [_softmax_cross_entropy_slope(x, labels, axis=axis, **options) for x in (peak, even)]
    c = (rise[0] - rise[1])[first] * (classes / max(classes - 1, 1))

    def vjp(g: Any) -> Any:
        p = _rows.softmax(logits, axis=axis)
        return c * p * (g - np.sum(g * p, axis=axis, keepdims=True))

    return vjp


def _target_factors(x: Any, axis: int, options: Mapping[str, Any]) -> Any:
    """Return what probabilities are multiplied by: they are smoothed, weighted and averaged."""
    factor = 1 - options.get("label_smoothing", 0.0)
    weight = options.get("weight")
    if weight is not None:
        along = [1] * x.ndim
        along[axis] = -1
        factor = factor * np.reshape(np.asarray(weight, x.dtype), along)
    if options.get("reduction", "mean") == "mean":
        factor = factor * (x.shape[axis] / x.size)
    return factor


def _softmax_cross_entropy_target_vjp(
    loss: Any, logits: Any, labels: Any, *, axis: int = -1, **options: Any
) -> Function:
    y = _rows.log_softmax(logits, axis)
    factor = _target_factors(y, axis, options)
    each_row = options.get("reduction") == "none"
    return lambda g: -(np.expand_dims(g, axis) if each_row else g) * factor * y


def _softmax_cross_entropy_slope_target_vjp(
    slope: Any, logits: Any, labels: Any, *, axis: int = -1, **options: Any
) -> Function:
    """Differentiate sum(t) p - t by t."""
    p = _rows.softmax(logits, axis)
    factor = _target_factors(p, axis, options)
    return lambda g: factor * (np.sum(g * p, axis=axis, keepdims=True) - g)


defvjp(
    softmax_cross_entropy,
    _softmax_cross_entropy_vjp,
    _softmax_cross_entropy_target_vjp,
    argnums=(0, 1),
)
defvjp(
    _softmax_cross_entropy_slope,
    _softmax_cross_entropy_slope_vjp,
    _softmax_cross_entropy_slope_target_vjp,
    argnums=(0, 1),
)
