"""Every kernel as a NumPy user writes it: what the demo compares with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]

_SQRT_HALF = 0.5**0.5
_INV_SQRT_2PI = (2 * np.pi) ** -0.5
_SQRT_2_OVER_PI = (2 / np.pi) ** 0.5
_SELU_SCALE, _SELU_LOW = 1.0507009873554805, 1.7580993408473766


class Plain(NamedTuple):
    """A kernel's plain formulas; all take (x, *params), gradients are f'(x)."""

    value: Function
    gradient: Function
    value_and_grad: Function


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _sigmoid_both(x: Any) -> Any:
    s = _sigmoid(x)
    return s, s * (1 - s)


def _tanh_both(x: Any) -> Any:
    t = np.tanh(x)
    return t, 1 - t * t


def _clip_value(x: Any, slope: float, cap: float, threshold: float) -> Any:
    return np.where(x >= cap, cap, np.where(x < threshold, slope * (x - threshold), x))


def _clip_gradient(x: Any, slope: float, cap: float, threshold: float) -> Any:
    return np.where(x >= cap, 0, np.where(x <= threshold, slope, 1)).astype(x.dtype)


def _leaky_value(x: Any, slope: float) -> Any:
    return np.where(x > 0, x, slope * x)


def _leaky_gradient(x: Any, slope: float) -> Any:
    return np.where(x > 0, 1, slope).astype(x.dtype)


def _gelu_both(x: Any) -> Any:
    from scipy.special import erf

    cdf = 0.5 * (1 + erf(x * _SQRT_HALF))
    return x * cdf, cdf + x * _INV_SQRT_2PI * np.exp(-0.5 * x * x)


def _gelu(x: Any) -> Any:
    from scipy.special import erf

    return 0.5 * x * (1 + erf(x * _SQRT_HALF))


def _gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * x**3)))


def _gelu_tanh_both(x: Any) -> Any:
    t = np.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * x**3))
    slope = _SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x**2)
    return 0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


def _silu_both(x: Any) -> Any:
    s = _sigmoid(x)
    return x * s, s * (1 + x * (1 - s))


def _mish_both(x: Any) -> Any:
    t = np.tanh(_softplus(x))
    return x * t, t + x * (1 - t * t) * _sigmoid(x)


def _tanh_shrink_both(x: Any) -> Any:
    t = np.tanh(x)
    return x - t, t * t


def _squareplus_gradient(x: Any, b: float) -> Any:
    return (1 + x / np.sqrt(x * x + b)) / 2


def _elu_value(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(x))


def _elu_gradient(x: Any, alpha: float) -> Any:
    return np.where(x > 0, 1, alpha * np.exp(x)).astype(x.dtype)


def _celu_value(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(x / alpha))


def _celu_gradient(x: Any, alpha: float) -> Any:
    return np.where(x > 0, 1, np.exp(x / alpha)).astype(x.dtype)


def _selu_value(x: Any) -> Any:
    return np.where(x > 0, _SELU_SCALE * x, _SELU_LOW * np.expm1(x))


def _selu_gradient(x: Any) -> Any:
    return np.where(x > 0, _SELU_SCALE, _SELU_LOW * np.exp(x)).astype(x.dtype)


def _soft_shrink(x: Any, threshold: float) -> Any:
    return np.where(np.abs(x) > threshold, x - np.copysign(threshold, x), 0)


def _shrink_gradient(x: Any, threshold: float) -> Any:
    return (np.abs(x) > threshold).astype(x.dtype)


def _sparse_plus(x: Any) -> Any:
    return np.where(x < -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))


def _hard_silu_gradient(x: Any) -> Any:
    return np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1)).astype(x.dtype)


def _one_between(x: Any, low: float, high: float) -> Any:
    return ((x > low) & (x < high)).astype(x.dtype)


def _plain(value: Function, both: Function) -> Plain:
    """For formulas whose gradient needs the value's intermediate results anyway."""
    return Plain(value, lambda x: both(x)[1], both)


def _separate(value: Function, gradient: Function) -> Plain:
    return Plain(value, gradient, lambda x, *params: (value(x, *params), gradient(x, *params)))


PLAIN: dict[str, Plain] = {
    "sigmoid": _plain(_sigmoid, _sigmoid_both),
    "tanh": _plain(np.tanh, _tanh_both),
    "relu": _separate(lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(x.dtype)),
    "relu_general": _separate(_clip_value, _clip_gradient),
    "relu6": _separate(lambda x: np.clip(x, 0, 6), lambda x: _one_between(x, 0, 6)),
    "leaky_relu": _separate(_leaky_value, _leaky_gradient),
    "hard_tanh": _separate(np.clip, _one_between),
    "hard_sigmoid": _separate(
        lambda x: np.clip(x / 6 + 0.5, 0, 1), lambda x: _one_between(x, -3, 3) / 6
    ),
    "hard_silu": _separate(lambda x: x * np.clip(x + 3, 0, 6) / 6, _hard_silu_gradient),
    "soft_shrink": _separate(_soft_shrink, _shrink_gradient),
    "hard_shrink": _separate(lambda x, t: np.where(np.abs(x) > t, x, 0), _shrink_gradient),
    "threshold": _separate(
        lambda x, t, other: np.where(x > t, x, other), lambda x, t, _: (x > t).astype(x.dtype)
    ),
    "sparse_plus": _separate(_sparse_plus, lambda x: np.clip((x + 1) / 2, 0, 1)),
    "sparse_sigmoid": _separate(
        lambda x: np.clip((x + 1) / 2, 0, 1), lambda x: _one_between(x, -1, 1) / 2
    ),
    "linear": _separate(np.copy, np.ones_like),
    "softsign": _separate(lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2),
    "squareplus": _separate(lambda x, b: (x + np.sqrt(x * x + b)) / 2, _squareplus_gradient),
    "elu": _separate(_elu_value, _elu_gradient),
    "celu": _separate(_celu_value, _celu_gradient),
    "selu": _separate(_selu_value, _selu_gradient),
    "exponential": _separate(np.exp, np.exp),
    "log1mexp": _separate(lambda x: np.log(-np.expm1(-x)), lambda x: 1 / np.expm1(x)),
    "softplus": _separate(_softplus, _sigmoid),
    "softplus_general": _separate(
        lambda x, beta: _softplus(beta * x) / beta, lambda x, beta: _sigmoid(beta * x)
    ),
    "log_sigmoid": _separate(lambda x: -_softplus(-x), lambda x: _sigmoid(-x)),
    "silu": _plain(lambda x: x * _sigmoid(x), _silu_both),
    "mish": _plain(lambda x: x * np.tanh(_softplus(x)), _mish_both),
    "tanh_shrink": _plain(lambda x: x - np.tanh(x), _tanh_shrink_both),
    "gelu": _plain(_gelu, _gelu_both),
    "gelu_tanh": _plain(_gelu_tanh, _gelu_tanh_both),
}


def plain(name: str, value: Function, gradient: Function) -> Plain:
    """Look up the plain formulas of kernel `name`, by default its reference functions."""
    return PLAIN.get(name) or _separate(value, gradient)
