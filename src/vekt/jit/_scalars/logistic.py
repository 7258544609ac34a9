"""Functions made of the logistic one.

Small factors of exponentials come last, so that subnormal results keep their digits.
"""

from __future__ import annotations

from .._math import (
    exp_parts,
    expm1,
    expm1_nonpositive,
    log1p_unit,
    log_less_exp,
    two_product,
)
from .._math import tanh as tanh_value
from ._enter import from_output, scalar

# Beyond it exp has underflowed, and infinity times 0 must not be met.
_FAR = 1000.0
_NAN = float("nan")


@scalar
def sigmoid(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-abs(x), 0.0)
    whole = 1.0 + part * scale
    value = part / whole * scale if x < 0.0 else 1.0 / whole
    return value, part / (whole * whole) * scale


@from_output("sigmoid")
def sigmoid_from_output(y: float) -> float:
    return y * (1.0 - y)


@scalar
def tanh(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-2.0 * abs(x), 0.0)
    whole = 1.0 + part * scale
    return tanh_value(x), 4.0 * part / (whole * whole) * scale


@from_output("tanh")
def tanh_from_output(y: float) -> float:
    return (1.0 - y) * (1.0 + y)


@scalar
def silu(x: float) -> tuple[float, float]:
    t = -_FAR if x < -_FAR else x
    s = _FAR if t > _FAR else t
    part, scale = exp_parts(-abs(s), 0.0)
    e = part * scale
    whole = 1.0 + e
    square = whole * whole
    below = (whole + s) * part / square * scale
    above = (whole + s * e) / square
    return (t * part / whole * scale if x < 0.0 else x / whole), (below if x < 0.0 else above)


@scalar
def softplus(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-abs(x), 0.0)
    e = part * scale
    value = (0.0 if x < 0.0 else x) + log1p_unit(e)
    return value, (part / (1.0 + e) * scale if x < 0.0 else 1.0 / (1.0 + e))


@from_output("softplus")
def softplus_from_output(y: float) -> float:
    return -expm1_nonpositive(-y)


@scalar
def softplus_general(x: float, beta: float) -> tuple[float, float]:
    z, low = two_product(beta, x)
    low = low if abs(z) < _FAR else 0.0
    part, scale = exp_parts(-abs(z), low if z < 0.0 else -low)
    e = part * scale
    # log1p(e) is e where it may be subnormal; beta comes before the small factor.
    far = e < 2.0**-60
    rest = (part if far else log1p_unit(e)) / beta * (scale if far else 1.0)
    value = (0.0 if z < 0.0 else x) + rest
    return value, (part / (1.0 + e) * scale if z < 0.0 else 1.0 / (1.0 + e))


@scalar
def log_sigmoid(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-abs(x), 0.0)
    e = part * scale
    value = (x if x < 0.0 else -0.0) - log1p_unit(e)
    return value, (1.0 / (1.0 + e) if x < 0.0 else part / (1.0 + e) * scale)


@from_output("log_sigmoid")
def log_sigmoid_from_output(y: float) -> float:
    return -expm1_nonpositive(y)


@scalar
def log1mexp(x: float) -> tuple[float, float]:
    t = 0.0 if x <= 0.0 else x
    part, scale = exp_parts(-t, 0.0)
    less = -expm1_nonpositive(-t)
    # exp(-x)/(1 - exp(-x)), the small factor last.
    near = x < 1.0
    slope = (part * scale if near else part) / less * (1.0 if near else scale)
    return (_NAN if x < 0.0 else log_less_exp(t)), (_NAN if x < 0.0 else slope)


@from_output("log1mexp")
def log1mexp_from_output(y: float) -> float:
    return expm1(-y)


@scalar
def mish(x: float) -> tuple[float, float]:
    # With e = exp(x) below 0 and exp(-x) above, tanh(softplus(x)) is a quotient of polynomials.
    t = -_FAR if x < -_FAR else x
    s = _FAR if t > _FAR else t
    part, scale = exp_parts(-abs(s), 0.0)
    e = part * scale
    d = 2.0 + e * (2.0 + e)
    value = t * ((2.0 + e) * part) / d * scale
    slope = (4.0 * (s + 1.0) + e * ((4.0 * s + 6.0) + e * (4.0 + e))) * part / (d * d) * scale
    u = 1.0 + 2.0 * e * (1.0 + e)
    above = 1.0 + e * (4.0 + e * ((4.0 * s + 6.0) + e * (4.0 * (s + 1.0))))
    return (value if x < 0.0 else x * ((1.0 + 2.0 * e) / u)), (
        slope if x < 0.0 else above / (u * u)
    )
