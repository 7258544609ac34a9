"""Second derivatives of the activations, of primitives, so that they have derivatives in turn.

Where first derivatives jump, the second is that of one side; it is nowhere an impulse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np

from vekt._spec.activations.exponential import _SLOPE as SELU_SLOPE

Function = Callable[..., Any]

_INV_SQRT_2PI = (2 * np.pi) ** -0.5
_K1, _K3 = (2 / np.pi) ** 0.5, 0.044715


def curvatures(activation: dict[str, Function]) -> dict[str, Function]:
    """Return f'' of (x, *parameters) by name, made of activations found when they are called."""

    def f(name: str, x: Any) -> Any:
        return activation[name](x)

    def slope(name: str, x: Any) -> Any:
        return activation[f"{name}_backward"](np.ones_like(x), x)

    def sigmoid(x: Any) -> Any:
        return slope("sigmoid", x) * (1 - 2 * f("sigmoid", x))

    def tanh(x: Any) -> Any:
        return -2 * f("tanh", x) * slope("tanh", x)

    def silu(x: Any) -> Any:
        return slope("sigmoid", x) * (2 + x * (1 - 2 * f("sigmoid", x)))

    def mish(x: Any) -> Any:
        # x t with t = tanh(u), u = softplus(x), u' = sigmoid(x)
        u, s = f("softplus", x), f("sigmoid", x)
        dt = slope("tanh", u) * s
        return 2 * dt + x * (tanh(u) * s * s + slope("tanh", u) * slope("sigmoid", x))

    def gelu(x: Any, approximate: bool = False) -> Any:
        if not approximate:
            return _INV_SQRT_2PI * np.exp(-0.5 * x * x) * (2 - x * x)
        # x (1 + t) / 2 with t = tanh(u)
        u, du, ddu = _K1 * x * (1 + _K3 * x * x), _K1 * (1 + 3 * _K3 * x * x), 6 * _K1 * _K3 * x
        dt = slope("tanh", u)
        return dt * du + 0.5 * x * (tanh(u) * du * du + dt * ddu)

    def log1mexp(x: Any) -> Any:
        slope_at = slope("log1mexp", x)
        return -slope_at * (1 + slope_at)

    def exponential_below(x: Any, scale: float, rate: float = 1.0) -> Any:
        return np.where(x > 0, 0.0, scale * np.exp(np.minimum(x, 0.0) * rate))

    def within(x: Any, bound: float, value: float) -> Any:
        return np.where(np.abs(x) < bound, value, 0.0)

    smooth: dict[str, Function] = {
        "sigmoid": sigmoid,
        "tanh": tanh,
        "tanh_shrink": lambda x: -tanh(x),
        "silu": silu,
        "mish": mish,
        "gelu": gelu,
        "softplus": lambda x, beta=1.0: beta * slope("sigmoid", beta * x),
        "log_sigmoid": lambda x: -slope("sigmoid", x),
        "log1mexp": log1mexp,
        "exponential": lambda x: f("exponential", x),
        "elu": lambda x, alpha=1.0: exponential_below(x, alpha),
        "celu": lambda x, alpha=1.0: exponential_below(x, 1 / alpha, 1 / alpha),
        "selu": lambda x: exponential_below(x, float(SELU_SLOPE)),
        "softsign": lambda x: -2 * np.sign(x) / (1 + np.abs(x)) ** 3,
        "squareplus": lambda x, b=4.0: 0.5 * b * (x * x + b) ** -1.5,
        "sparse_plus": lambda x: within(x, 1.0, 0.5),
        "hard_silu": lambda x: within(x, 3.0, 1 / 3),
    }
    straight = (
        "relu leaky_relu relu6 hard_tanh hard_sigmoid soft_shrink hard_shrink threshold "
        "sparse_sigmoid linear"
    )
    return smooth | dict.fromkeys(straight.split(), lambda x, *_, **__: np.zeros_like(x))
