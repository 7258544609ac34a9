"""One function per kernel: value and derivative at one point, in float64.

This is what `vekt.jit` needs to know about an activation; loops, broadcasting and dtypes follow in
`_compile`.  A function that uses half of the pair costs no more than that half.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._reference_math import constant_pair
from .._registry import GELU_TANH_K1, GELU_TANH_K3
from ._jitable import jitable
from ._math import (
    DENSITY,
    exp_nonpositive,
    exp_parts,
    expm1_nonpositive,
    gaussian_parts,
    scaled_normal_tail,
    two_product,
)

SCALARS: dict[str, Callable[..., tuple[float, float]]] = {}
FROM_OUTPUT: dict[str, Callable[..., float]] = {}

_FAR = 40.0
_INF = float("inf")
_K1, _K1_LOW = constant_pair(GELU_TANH_K1)
_K3, _K3_LOW = constant_pair(GELU_TANH_K3)


def scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    """Enter a function (x, *params) -> (value, derivative) under its own name."""
    SCALARS[function.__name__] = function
    return jitable(function)


def from_output(name: str) -> Callable[..., Any]:
    """Enter the derivative as a function of the output of that kernel."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        FROM_OUTPUT[name] = function
        return jitable(function)

    return enter


@scalar
def sigmoid(x: float) -> tuple[float, float]:
    e = exp_nonpositive(-abs(x))
    return (e if x < 0.0 else 1.0) / (1.0 + e), e / ((1.0 + e) * (1.0 + e))


@from_output("sigmoid")
def sigmoid_from_output(y: float) -> float:
    return y * (1.0 - y)


@scalar
def tanh(x: float) -> tuple[float, float]:
    e, less_1 = exp_nonpositive(-2.0 * abs(x)), expm1_nonpositive(-2.0 * abs(x))
    size = less_1 / (2.0 + less_1)
    value = size if x < 0.0 else -size
    return (x if x == 0.0 else value), 4.0 * e / ((1.0 + e) * (1.0 + e))


@from_output("tanh")
def tanh_from_output(y: float) -> float:
    return (1.0 - y) * (1.0 + y)


@jitable
def _sloped(slope: float, x: float) -> float:
    return 0.0 if slope == 0.0 else slope * x


@scalar
def relu(x: float) -> tuple[float, float]:
    nan = x - x if x != x else 0.0
    return (0.0 if x <= 0.0 else x), (1.0 if x > 0.0 else nan)


@scalar
def relu_general(
    x: float, negative_slope: float, max_value: float, threshold: float
) -> tuple[float, float]:
    below = _sloped(negative_slope, x - threshold)
    value = below if x < threshold else x
    slope = negative_slope if x <= threshold else 1.0
    capped = x >= max_value
    slope = 0.0 if capped and max_value < _INF else slope
    return (max_value if capped else value), (slope if x == x else x)


@scalar
def leaky_relu(x: float, negative_slope: float) -> tuple[float, float]:
    slope = 1.0 if x > 0.0 else negative_slope
    return (_sloped(negative_slope, x) if x < 0.0 else x), (slope if x == x else x)


# In the tails of both forms of gelu the small factor of the exponential comes last, so that numbers
# near the smallest normal one keep their digits.


@scalar
def gelu(x: float) -> tuple[float, float]:
    t = _FAR if abs(x) > _FAR else abs(x)
    tail = scaled_normal_tail(t)
    density, scale = gaussian_parts(t)
    below = t * tail * density * scale
    slope = (tail - t * DENSITY) * density * scale
    return (-below if x < 0.0 else x - below), (slope if x < 0.0 else 1.0 - slope)


@scalar
def gelu_tanh(x: float) -> tuple[float, float]:
    # x * sigmoid(v); v = x * (K1 + K3 * x**2) is a sum of two, as exp would magnify its error.
    t = _FAR if abs(x) > _FAR else abs(x)
    square, square_low = two_product(t, t)
    cubic, cubic_low = two_product(_K3, square)
    larger = _K1 if cubic < _K1 else cubic
    smaller = cubic if cubic < _K1 else _K1
    factor = larger + smaller
    factor_low = smaller - (factor - larger) + cubic_low + _K3 * square_low + _K3_LOW * square
    v, v_low = two_product(t, factor)
    part, scale = exp_parts(-v, -(v_low + t * (factor_low + _K1_LOW)))
    whole = 1.0 + part * scale
    bend = t * (_K1 + 3.0 * _K3 * square)
    value = -t * part / whole * scale if x < 0.0 else x / whole
    below = (whole - bend) * part / (whole * whole) * scale
    above = (whole + bend * part * scale) / (whole * whole)
    return value, (below if x < 0.0 else above)
