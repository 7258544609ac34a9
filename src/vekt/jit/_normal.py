"""The normal distribution and the error functions, as scalars in float64: see `_math`."""

from __future__ import annotations

from math import pi, sqrt

from vekt._spec.activations import KERNELS
from vekt._spec.math import constant_pair
from vekt.jit._constants import ERF, SLOPE, TAIL
from vekt.jit._intrinsics import mad, polynomial
from vekt.jit._jitable import jitable
from vekt.jit._math import DOUBLE, exp_parts, two_product

# -t0, where the derivative of gelu is 0, as a sum.
_ROOT, _ROOT_LOW = constant_pair(KERNELS["gelu"].roots[0])

_SQRT_2, _SQRT_2_LOW = constant_pair("1.41421356237309504880168872420969807856967187537694807")
_ERF_SLOPE_LESS_1 = 2.0 / sqrt(pi) - 1.0
_ERFC_LIMIT = 28.0


@jitable
def gaussian_parts(t: float, half: float) -> tuple[float, float]:
    """Two factors of `exp(-half*t*t)`, half a power of two, as `exp_parts` gives them.

    The square is kept as a sum of two, since exp would magnify its error.
    """
    square, low = two_product(t, t)
    return exp_parts(-half * square, -half * low)


@jitable
def _inverse(t: float) -> float:
    """`1 / (t + 3)`, for small t without the rounding of the sum."""
    d = t + 3.0
    inverse = 1.0 / d
    if not DOUBLE:
        return inverse
    return mad(((d - 3.0) - t) * inverse, inverse, inverse)


@jitable
def _tail_parts(t: float) -> tuple[float, float]:
    inverse = _inverse(t)
    return polynomial(mad(inverse, -6.0, 0.5), TAIL), inverse


@jitable
def scaled_normal_tail(t: float) -> float:
    """`exp(t*t/2) * Phi(-t)` for `0 <= t <= 40`, with Phi the normal distribution function."""
    series, inverse = _tail_parts(t)
    return series * inverse


@jitable
def scaled_normal_slope(t: float) -> float:
    """`scaled_normal_tail(t) - t / sqrt(2*pi)`, with the root t0 as a factor."""
    series = polynomial(mad(_inverse(t), -6.0, 0.5), SLOPE)
    return ((-_ROOT - t) - _ROOT_LOW) * series


@jitable
def _erfc_outside(t: float) -> float:
    """`1 - erf(t)` for `t >= 1`."""
    t = _ERFC_LIMIT if t > _ERFC_LIMIT else t
    first, second = gaussian_parts(t, 1.0)
    series, inverse = _tail_parts(mad(_SQRT_2, t, _SQRT_2_LOW * t))
    return 2.0 * (series * first * inverse) * second


@jitable
def _erf_inside(x: float) -> float:
    """`erf(x)/x - 1` for `abs(x) <= 1`."""
    square = 1.0 if abs(x) > 1.0 else x * x
    return mad(square, polynomial(square, ERF), _ERF_SLOPE_LESS_1)


@jitable
def erf(x: float) -> float:
    """Error function within 1.5 ULP."""
    t = abs(x)
    outside = 1.0 - _erfc_outside(t)
    return mad(x, _erf_inside(x), x) if t < 1.0 else (-outside if x < 0.0 else outside)


@jitable
def erfc(x: float) -> float:
    """`1 - erf(x)` within 4 ULP."""
    t = abs(x)
    outside = _erfc_outside(t)
    return (1.0 - x) - x * _erf_inside(x) if t < 1.0 else (2.0 - outside if x < 0.0 else outside)
