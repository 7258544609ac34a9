"""Second derivatives of the activations, in terms that autograd traces on.

What is not in the table is piecewise linear, and has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import numpy as np

from ._registry import GELU_TANH_K1, GELU_TANH_K3

_SELU = 1.0507009873554804934 * 1.6732632423543772848


def _sigmoid(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(x / 2))


def _sigmoid_slope(x: Any) -> Any:
    s = _sigmoid(x)
    return s * (1 - s)


def _silu(x: Any) -> Any:
    s = _sigmoid(x)
    return s * (1 - s) * (2 + x * (1 - 2 * s))


def _tanh(x: Any) -> Any:
    t = np.tanh(x)
    return -2 * t * (1 - t * t)


def _mish(x: Any) -> Any:
    s, t = _sigmoid(x), np.tanh(np.logaddexp(x, 0))
    rest = 1 - t * t
    return rest * (2 * s + x * (s * (1 - s) - 2 * t * s * s))


def _gelu_tanh(x: Any) -> Any:
    k1, k3 = float(GELU_TANH_K1) / 2, float(GELU_TANH_K3) / 2  # they are those of a sigmoid
    t = np.tanh(k1 * x + k3 * x**3)
    slope, rest = k1 + 3 * k3 * x * x, 1 - t * t
    return rest * slope + 0.5 * x * rest * (6 * k3 * x - 2 * t * slope * slope)


SECOND: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: _sigmoid_slope(x) * (1 - 2 * _sigmoid(x)),
    "tanh": _tanh,
    "softplus": _sigmoid_slope,
    "softplus_general": lambda x, beta: beta * _sigmoid_slope(beta * x),
    "log_sigmoid": lambda x: -_sigmoid_slope(x),
    "log1mexp": lambda x: -0.25 / np.sinh(x / 2) ** 2,
    "silu": _silu,
    "mish": _mish,
    "gelu": lambda x: (2 - x * x) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
    "gelu_tanh": _gelu_tanh,
    "exponential": np.exp,
    "elu": lambda x, alpha: np.where(x > 0, 0, alpha * np.exp(np.minimum(x, 0))),
    "celu": lambda x, alpha: np.where(x > 0, 0, np.exp(np.minimum(x, 0) / alpha) / alpha),
    "selu": lambda x: np.where(x > 0, 0, _SELU * np.exp(np.minimum(x, 0))),
    "softsign": lambda x: -2 * np.sign(x) / (1 + np.abs(x)) ** 3,
    "squareplus": lambda x, b: b / (2 * (x * x + b) ** 1.5),
    "tanh_shrink": lambda x: -_tanh(x),
    "sparse_plus": lambda x: np.where(np.abs(x) < 1, 0.5, 0.0),
    "hard_silu": lambda x: np.where(np.abs(x) < 3, 1 / 3, 0.0),
}
