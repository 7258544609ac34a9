"""Functions made of straight lines and parabolas, and a smooth one that resembles them."""

from __future__ import annotations

from math import sqrt

from vekt.jit._intrinsics import mad
from vekt.jit._jitable import jitable
from vekt.jit._scalars._enter import from_output, scalar

_INF = float("inf")
_SIXTH = 1.0 / 6.0
_HUGE = 2.0**510


@jitable
def _sloped(slope: float, x: float) -> float:
    return 0.0 if slope == 0.0 else slope * x


@jitable
def _where(inside: bool, slope: float, x: float) -> float:
    """Slope inside, else 0, or x if that is NaN."""
    return slope if inside else (x if x != x else 0.0)


@scalar
def linear(x: float) -> tuple[float, float]:
    return x, _where(x == x, 1.0, x)


@from_output("linear")
def linear_from_output(y: float) -> float:
    return _where(y == y, 1.0, y)


@scalar
def relu(x: float) -> tuple[float, float]:
    return (0.0 if x < 0.0 else x), _where(x > 0.0, 1.0, x)


@from_output("relu")
def relu_from_output(y: float) -> float:
    return _where(y > 0.0, 1.0, y)


@scalar
def relu_general(
    x: float, negative_slope: float, max_value: float, threshold: float
) -> tuple[float, float]:
    below = _sloped(negative_slope, x - threshold)
    value = below if x <= threshold else x
    slope = negative_slope if x <= threshold else 1.0
    capped = x >= max_value
    slope = 0.0 if capped and max_value < _INF else slope
    return (max_value if capped else value), (slope if x == x else x)


@scalar
def leaky_relu(x: float, negative_slope: float) -> tuple[float, float]:
    slope = 1.0 if x > 0.0 else negative_slope
    return (_sloped(negative_slope, x) if x < 0.0 else x), (slope if x == x else x)


@from_output("leaky_relu")
def leaky_relu_from_output(y: float, negative_slope: float) -> float:
    slope = 1.0 if y > 0.0 else negative_slope
    return slope if y == y else y


@scalar
def relu6(x: float) -> tuple[float, float]:
    value = 6.0 if x >= 6.0 else x
    return (0.0 if x < 0.0 else value), _where(0.0 < x < 6.0, 1.0, x)


@from_output("relu6")
def relu6_from_output(y: float) -> float:
    return _where(0.0 < y < 6.0, 1.0, y)


@scalar
def hard_tanh(x: float, min_value: float, max_value: float) -> tuple[float, float]:
    value = max_value if x >= max_value else x
    return (min_value if x <= min_value else value), _where(min_value < x < max_value, 1.0, x)


@from_output("hard_tanh")
def hard_tanh_from_output(y: float, min_value: float, max_value: float) -> float:
    return _where(min_value < y < max_value, 1.0, y)


@scalar
def hard_sigmoid(x: float) -> tuple[float, float]:
    value = 1.0 if x >= 3.0 else (x + 3.0) * _SIXTH
    return (0.0 if x <= -3.0 else value), _where(-3.0 < x < 3.0, _SIXTH, x)


@from_output("hard_sigmoid")
def hard_sigmoid_from_output(y: float) -> float:
    return _where(0.0 < y < 1.0, _SIXTH, y)


@scalar
def hard_silu(x: float) -> tuple[float, float]:
    left, right = x <= -3.0, x >= 3.0
    value = x if right else x * (x + 3.0) * _SIXTH
    slope = 1.0 if right else (2.0 * x + 3.0) * _SIXTH
    return (-0.0 if left else value), (0.0 if left else slope)


@scalar
def sparse_sigmoid(x: float) -> tuple[float, float]:
    value = 1.0 if x >= 1.0 else 0.5 * (x + 1.0)
    return (0.0 if x <= -1.0 else value), _where(-1.0 < x < 1.0, 0.5, x)


@from_output("sparse_sigmoid")
def sparse_sigmoid_from_output(y: float) -> float:
    return _where(0.0 < y < 1.0, 0.5, y)


@scalar
def sparse_plus(x: float) -> tuple[float, float]:
    left, right = x <= -1.0, x >= 1.0
    slope = 1.0 if right else 0.5 * (x + 1.0)
    value = x if right else slope * slope
    return (0.0 if left else value), (0.0 if left else slope)


@from_output("sparse_plus")
def sparse_plus_from_output(y: float) -> float:
    return 1.0 if y >= 1.0 else sqrt(0.0 if y < 0.0 else y)


@scalar
def squareplus(x: float, b: float) -> tuple[float, float]:
    t = abs(x)
    root = t if t > _HUGE else sqrt(mad(x, x, b))
    value = 0.25 * b / (0.5 * t + 0.5 * root) if x < 0.0 else 0.5 * x + 0.5 * root
    slope = 1.0 if x > _HUGE else value / root
    return value, (0.0 if value == 0.0 else slope)


@from_output("squareplus")
def squareplus_from_output(y: float, b: float) -> float:
    square = y * y
    slope = 1.0 if y > _HUGE else square / mad(0.25, b, square)
    return 0.0 if y == 0.0 else slope
