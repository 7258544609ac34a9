"""Every kernel as a NumPy user writes it: what the demo compares with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Any]

_SQRT_HALF = 0.5**0.5
_INV_SQRT_2PI = (2 * np.pi) ** -0.5
_SQRT_2_OVER_PI = (2 / np.pi) ** 0.5


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
    "leaky_relu": _separate(_leaky_value, _leaky_gradient),
    "gelu": _plain(_gelu, _gelu_both),
    "gelu_tanh": _plain(_gelu_tanh, _gelu_tanh_both),
}


def plain(name: str, value: Function, gradient: Function) -> Plain:
    """Look up the plain formulas of kernel `name`, by default its reference functions."""
    return PLAIN.get(name) or _separate(value, gradient)
