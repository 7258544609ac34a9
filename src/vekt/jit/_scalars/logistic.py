"""Functions made of the logistic one.

Small factors of exponentials come last, so that subnormal results keep their digits.
"""

from __future__ import annotations

from vekt.jit._intrinsics import mad
from vekt.jit._math import (
    DOUBLE,
    SINK,
    SINK_LIMIT,
    bounded,
    exp_parts,
    exp_parts_bounded,
    exp_sunk,
    expm1,
    expm1_nonpositive,
    log1p_unit,
    log_less_exp,
    tail_or,
    two_product,
)
from vekt.jit._math import tanh as tanh_value
from vekt.jit._scalars._enter import from_output, scalar

# Beyond it exp has underflowed, and infinity times 0 must not be met.
_FAR = 1000.0
_NAN = float("nan")

# Above it silu is x, to the last digit.
_FLAT = 100.0


@scalar
def sigmoid(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-abs(x), 0.0)
    whole = mad(part, scale, 1.0)
    return tail_or(x < 0.0, part, scale, 1.0, whole), part / (whole * whole) * scale


@from_output("sigmoid")
def sigmoid_from_output(y: float) -> float:
    return y * (1.0 - y)


@scalar
def tanh(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-2.0 * abs(x), 0.0)
    whole = mad(part, scale, 1.0)
    return tanh_value(x), 4.0 * part / (whole * whole) * scale


@from_output("tanh")
def tanh_from_output(y: float) -> float:
    return (1.0 - y) * (1.0 + y)


@scalar
def silu(x: float) -> tuple[float, float]:
    # x / (1 + e) with e = exp(-x), which is cheaper than two cases.
    t = -SINK_LIMIT if x < -SINK_LIMIT else x
    u = _FLAT if t > _FLAT else t
    e = exp_sunk(-u)
    whole = e + SINK
    value = t / whole * SINK
    # The root of 1 + e * (1 + x) lies where 1 + x is exact.
    slope = mad(e, 1.0 + u, SINK) / whole / whole * SINK
    return (x if DOUBLE and x > _FLAT else value), slope


@scalar
def softplus(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-abs(x), 0.0)
    e = part * scale
    value = (0.0 if x < 0.0 else x) + log1p_unit(e)
    return value, tail_or(x < 0.0, part, scale, 1.0, 1.0 + e)


@from_output("softplus")
def softplus_from_output(y: float) -> float:
    return -expm1_nonpositive(-abs(y))


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
    return value, tail_or(z < 0.0, part, scale, 1.0, 1.0 + e)


@scalar
def log_sigmoid(x: float) -> tuple[float, float]:
    part, scale = exp_parts(-abs(x), 0.0)
    e = part * scale
    value = (x if x < 0.0 else -0.0) - log1p_unit(e)
    return value, tail_or(x >= 0.0, part, scale, 1.0, 1.0 + e)


@from_output("log_sigmoid")
def log_sigmoid_from_output(y: float) -> float:
    return -expm1_nonpositive(-abs(y))


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
    return expm1(abs(y))


@scalar
def mish(x: float) -> tuple[float, float]:
    # With e = exp(-abs(x)), tanh(softplus(x)) is a quotient of polynomials.
    t = bounded(-abs(x))
    part, scale = exp_parts_bounded(t, 0.0)
    e = part * scale
    negative = x < 0.0
    whole = 2.0 + e * (2.0 + e) if negative else 1.0 + 2.0 * e * (1.0 + e)
    value = tail_or(negative, t * ((2.0 + e) * part), scale, x * (1.0 + 2.0 * e), whole)
    s = t if negative else -t
    c, d = 4.0 * (s + 1.0), 4.0 * s + 6.0
    below, above = (c + e * (d + e * (4.0 + e))) * part, 1.0 + e * (4.0 + e * (d + e * c))
    return value, tail_or(negative, below, scale, above, whole * whole)
