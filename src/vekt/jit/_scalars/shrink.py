"""Functions that move numbers towards 0, or set the small ones to 0."""

from __future__ import annotations

from math import copysign, factorial

from vekt.jit._intrinsics import polynomial
from vekt.jit._math import exp_nonpositive
from vekt.jit._math import tanh as tanh_value
from vekt.jit._scalars._enter import from_output, scalar

# Power series in x**2, to 2**-60 for abs(x) <= 1.
_COSH = tuple(1.0 / factorial(2 * k) for k in range(11))
_X_COSH_LESS_SINH = tuple(2.0 * k / factorial(2 * k + 1) for k in range(1, 11))


@scalar
def soft_shrink(x: float, threshold: float) -> tuple[float, float]:
    above, below = x > threshold, x < -threshold
    inside = x if x != x else 0.0
    value = x - threshold if above else (x + threshold if below else inside)
    return value, (1.0 if above or below else inside)


@from_output("soft_shrink")
def soft_shrink_from_output(y: float, threshold: float) -> float:
    slope = 0.0 if y == 0.0 else 1.0
    return slope if y == y else y


@scalar
def hard_shrink(x: float, threshold: float) -> tuple[float, float]:
    inside = abs(x) <= threshold
    slope = 0.0 if inside else 1.0
    return (0.0 if inside else x), (slope if x == x else x)


@scalar
def threshold(x: float, threshold: float, default_value: float) -> tuple[float, float]:
    below = x <= threshold
    slope = 0.0 if below else 1.0
    return (default_value if below else x), (slope if x == x else x)


@scalar
def tanh_shrink(x: float) -> tuple[float, float]:
    # (x cosh(x) - sinh(x)) / cosh(x), or (x - 1) + 2 e/(1 + e): nothing cancels.
    t = abs(x)
    near = t < 1.0
    square = t * t if near else 1.0
    e = exp_nonpositive(-2.0 * t)
    numerator = t * square * polynomial(square, _X_COSH_LESS_SINH) if near else 2.0 * e
    quotient = numerator / (polynomial(square, _COSH) if near else 1.0 + e)
    size = quotient if near else (t - 1.0) + quotient
    y = tanh_value(x)
    return copysign(size, x), y * y


@scalar
def softsign(x: float) -> tuple[float, float]:
    t = abs(x)
    inverse = 1.0 / (1.0 + t)
    size = t / (1.0 + t) if t < 2.0**60 else (1.0 if t == t else t)
    return copysign(size, x), inverse * inverse


@from_output("softsign")
def softsign_from_output(y: float) -> float:
    rest = 1.0 - abs(y)
    return rest * rest
