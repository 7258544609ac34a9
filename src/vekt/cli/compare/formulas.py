"""Every kernel as a NumPy user writes it: what the demo compares with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from vekt._spec.activations import KERNELS

Function = Callable[..., Any]


class Plain(NamedTuple):
    """A kernel's plain formulas; all take (x, *params), gradients are f'(x)."""

    value: Function
    gradient: Function
    value_and_grad: Function


_CLIP = "np.clip(x, {}, {})"
_BETWEEN = "((x > {}) & (x < {})).astype(x.dtype)"
_GELU_TANH = "t = np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))"
_SHRINK_SLOPE = "(abs(x) > threshold).astype(x.dtype)"
_SIGMOID = "1 / (1 + np.exp(-x))"

# Value and gradient, and before them what both use.
FORMULAS: dict[str, tuple[str, ...]] = {
    "sigmoid": (f"s = {_SIGMOID}", "s", "s * (1 - s)"),
    "tanh": ("t = np.tanh(x)", "t", "1 - t * t"),
    "relu": ("np.maximum(x, 0)", "(x > 0).astype(x.dtype)"),
    "relu_general": (
        "np.where(x >= max_value, max_value, "
        "np.where(x < threshold, negative_slope * (x - threshold), x))",
        "np.where(x >= max_value, 0, np.where(x <= threshold, negative_slope, 1)).astype(x.dtype)",
    ),
    "relu6": (_CLIP.format(0, 6), _BETWEEN.format(0, 6)),
    "leaky_relu": (
        "np.where(x > 0, x, negative_slope * x)",
        "np.where(x > 0, 1, negative_slope).astype(x.dtype)",
    ),
    "hard_tanh": (
        _CLIP.format("min_value", "max_value"),
        _BETWEEN.format("min_value", "max_value"),
    ),
    "hard_sigmoid": ("np.clip(x / 6 + 0.5, 0, 1)", _BETWEEN.format(-3, 3) + " / 6"),
    "hard_silu": (
        "x * np.clip(x + 3, 0, 6) / 6",
        "np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1)).astype(x.dtype)",
    ),
    "soft_shrink": (
        "np.where(abs(x) > threshold, x - np.copysign(threshold, x), 0)",
        _SHRINK_SLOPE,
    ),
    "hard_shrink": ("np.where(abs(x) > threshold, x, 0)", _SHRINK_SLOPE),
    "threshold": ("np.where(x > threshold, x, default_value)", "(x > threshold).astype(x.dtype)"),
    "sparse_plus": (
        "np.where(x < -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x))",
        "np.clip((x + 1) / 2, 0, 1)",
    ),
    "sparse_sigmoid": ("np.clip((x + 1) / 2, 0, 1)", _BETWEEN.format(-1, 1) + " / 2"),
    "linear": ("np.copy(x)", "np.ones_like(x)"),
    "softsign": ("x / (1 + abs(x))", "1 / (1 + abs(x)) ** 2"),
    "squareplus": ("(x + np.sqrt(x * x + b)) / 2", "(1 + x / np.sqrt(x * x + b)) / 2"),
    "elu": (
        "np.where(x > 0, x, alpha * np.expm1(x))",
        "np.where(x > 0, 1, alpha * np.exp(x)).astype(x.dtype)",
    ),
    "celu": (
        "np.where(x > 0, x, alpha * np.expm1(x / alpha))",
        "np.where(x > 0, 1, np.exp(x / alpha)).astype(x.dtype)",
    ),
    "selu": (
        "np.where(x > 0, 1.0507009873554805 * x, 1.7580993408473766 * np.expm1(x))",
        "np.where(x > 0, 1.0507009873554805, 1.7580993408473766 * np.exp(x)).astype(x.dtype)",
    ),
    "exponential": ("np.exp(x)", "np.exp(x)"),
    "log1mexp": ("np.log(-np.expm1(-x))", "1 / np.expm1(x)"),
    "softplus": ("np.logaddexp(x, 0)", _SIGMOID),
    "softplus_general": ("np.logaddexp(beta * x, 0) / beta", "1 / (1 + np.exp(-beta * x))"),
    "log_sigmoid": ("-np.logaddexp(-x, 0)", "1 / (1 + np.exp(x))"),
    "silu": (f"s = {_SIGMOID}", "x * s", "s * (1 + x * (1 - s))"),
    "mish": (
        "t = np.tanh(np.logaddexp(x, 0))",
        "x * t",
        f"t + x * (1 - t * t) * ({_SIGMOID})",
    ),
    "tanh_shrink": ("t = np.tanh(x)", "x - t", "t * t"),
    "gelu": (
        "cdf = 0.5 * (1 + erf(x * 0.5**0.5))",
        "x * cdf",
        "cdf + x * (2 * np.pi) ** -0.5 * np.exp(-0.5 * x * x)",
    ),
    "gelu_tanh": (
        _GELU_TANH,
        "0.5 * x * (1 + t)",
        "0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (2 / np.pi) ** 0.5 * (1 + 3 * 0.044715 * x**2)",
    ),
}


@cache
def _written(name: str) -> Plain:
    """Make functions of a kernel's formulas."""
    from scipy.special import erf

    *before, value, gradient = FORMULAS[name]
    scope: dict[str, Any] = {"np": np, "erf": erf}
    head = ", ".join(("x", *KERNELS[name].params))
    for kind, result in (
        ("value", value),
        ("gradient", gradient),
        ("both", f"{value}, {gradient}"),
    ):
        lines = [f"def {kind}({head}):", *before, f"return {result}"]
        exec("\n    ".join(lines), scope)
    return Plain(scope["value"], scope["gradient"], scope["both"])


def plain(name: str, value: Function, gradient: Function) -> Plain:
    """Look up the plain formulas of kernel `name`, by default its reference functions."""
    if name in FORMULAS:
        return _written(name)
    return Plain(value, gradient, lambda x, *params: (value(x, *params), gradient(x, *params)))
