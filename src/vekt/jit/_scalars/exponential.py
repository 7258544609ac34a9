"""The exponential function, and those that continue the identity with one.

Small factors come last, so that subnormal results keep their digits.
"""

from __future__ import annotations

from vekt._spec.math import constant_pair
from vekt.jit._intrinsics import mad
from vekt.jit._math import exp, exp_parts, expm1_nonpositive, two_product
from vekt.jit._scalars._enter import from_output, scalar

_SCALE = "1.0507009873554804934193349852946"
_FLOOR = "1.7580993408473768599402175208123193420602458089122"  # scale times alpha
_SELU_SCALE, _SELU_SCALE_LOW = constant_pair(_SCALE)
_SELU_FLOOR, _SELU_FLOOR_LOW = constant_pair(_FLOOR)

# Beyond it exp has underflowed.
_FAR = 1000.0


@scalar
def exponential(x: float) -> tuple[float, float]:
    e = exp(x)
    return e, e


@from_output("exponential")
def exponential_from_output(y: float) -> float:
    return y


@scalar
def elu(x: float, alpha: float) -> tuple[float, float]:
    t = 0.0 if x > 0.0 else x
    part, scale = exp_parts(t, 0.0)
    positive = x > 0.0
    # t may have lost the sign of zero: LLVM makes a minimum of its choice.
    value = x if positive else alpha * (x if x == 0.0 else expm1_nonpositive(t))
    return value, (1.0 if positive else alpha * part * scale)


@from_output("elu")
def elu_from_output(y: float, alpha: float) -> float:
    return 1.0 if y > 0.0 else y + alpha


@scalar
def celu(x: float, alpha: float) -> tuple[float, float]:
    # x/alpha is a sum of two, as exp would magnify its error.
    t = 0.0 if x > 0.0 else x
    z = t / alpha
    z = -_FAR if z < -_FAR else z
    product, product_low = two_product(z, alpha)
    low = 0.0 if z == -_FAR else ((t - product) - product_low) / alpha
    part, scale = exp_parts(z, low)
    positive = x > 0.0
    value = x if x >= 0.0 else alpha * expm1_nonpositive(z)
    return value, (1.0 if positive else part * scale)


@from_output("celu")
def celu_from_output(y: float, alpha: float) -> float:
    return 1.0 if y > 0.0 else (y + alpha) / alpha


@scalar
def selu(x: float) -> tuple[float, float]:
    t = 0.0 if x > 0.0 else x
    part, scale = exp_parts(t, 0.0)
    less = expm1_nonpositive(t)
    below = mad(_SELU_FLOOR, less, _SELU_FLOOR_LOW * less)
    above = mad(_SELU_SCALE, x, _SELU_SCALE_LOW * x)
    positive = x > 0.0
    value = x if x == 0.0 else (above if positive else below)
    return value, (_SELU_SCALE if positive else _SELU_FLOOR * part * scale)


@from_output("selu")
def selu_from_output(y: float) -> float:
    return _SELU_SCALE if y > 0.0 else (y + _SELU_FLOOR) + _SELU_FLOOR_LOW
