"""Scalar mathematics in float64 that LLVM inlines and vectorises: no calls, no branches.

NaN propagates.  The bounds are for the rounding of float64 without fused operations.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from .._reference_math import INV_SQRT_2PI, tail_polynomial
from ._jitable import jitable

# (1 + t) * exp(t*t/2) * Phi(-t) as a polynomial in (t - 5)/(t + 5), in even and odd powers: LLVM
# unrolls no longer loops, and vectorises around none.
_TAIL = tail_polynomial()
_TAIL_EVEN, _TAIL_ODD = _TAIL[::2], _TAIL[1::2]

DENSITY = float(INV_SQRT_2PI)

# exp(r) = 1 + r + r**2 * EXP(r) to 2**-57 for abs(r) <= log(2)/2: the Taylor series, as longer
# series gain nothing.
_EXP = tuple(1.0 / factorial(k) for k in range(2, 15))

# log(2) as a sum: the product of the first with an integer below 2**11 is exact.
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")

# Adding and subtracting this rounds to an integer, which then fills the low bits of the sum.
_ROUND = 1.5 * 2.0**52
_SPLIT = 2.0**27 + 1.0
_UNDERFLOW = -1100.0


@jitable
def polynomial(x: float, coefficients: tuple[float, ...]) -> float:
    """Polynomial by Horner's rule, lowest coefficient first."""
    total = 0.0
    for k in range(len(coefficients) - 1, -1, -1):
        total = total * x + coefficients[k]
    return total


@jitable
def power_of_two(n: float) -> float:
    """`2**n` for an integer n in [-1022, 1023], by its exponent bits."""
    bits: Any = np.float64(n + _ROUND).view(np.int64)
    result: float = np.int64((bits + 1023) << 52).view(np.float64)
    return result


@jitable
def _reduced(x: float, low: float) -> tuple[float, float, float]:
    """n, r and tail: x + low = n*log(2) + r + (a rest), exp of r and the rest is 1 + r + tail."""
    x = _UNDERFLOW if x < _UNDERFLOW else x
    n = (x * _LOG2_E + _ROUND) - _ROUND
    high = x - n * _LN2_HIGH
    correction = low - n * _LN2_LOW
    r = high + correction
    rest = (high - r) + correction
    return n, r, r * r * polynomial(r, _EXP) + rest


@jitable
def exp_parts(x: float, low: float) -> tuple[float, float]:
    """Two factors of `exp(x + low)`, for `x <= 0` and a `low` no larger than 2**-8.

    The first is a normal number within 0.6 ULP, the second a power of two: what multiplies the
    first before the second does is not hurt by underflow.
    """
    n, r, tail = _reduced(x, low)
    start = 1.0 + r
    mantissa = start + (((1.0 - start) + r) + tail)
    half = (n * 0.5 + _ROUND) - _ROUND
    return mantissa * power_of_two(half), power_of_two(n - half)


@jitable
def exp_nonpositive(x: float) -> float:
    """`exp(x)` for `x <= 0` within 0.6 ULP; subnormal results are rounded twice."""
    first, second = exp_parts(x, 0.0)
    return first * second


@jitable
def expm1_nonpositive(x: float) -> float:
    """`exp(x) - 1` for `x <= 0` within 0.7 ULP."""
    n, r, tail = _reduced(x, 0.0)
    half = (n * 0.5 + _ROUND) - _ROUND
    scale = power_of_two(half) * power_of_two(n - half)
    start = scale - 1.0
    total = start + scale * r
    return total + (((start - total) + scale * r) + scale * tail)


@jitable
def gaussian_parts(t: float) -> tuple[float, float]:
    """Two factors of `exp(-t*t/2)` for 0 <= t <= 40, as `exp_parts` gives them.

    The square is kept as a sum of two, since exp would magnify its error.
    """
    short = (t * 1024.0 + _ROUND - _ROUND) * (1.0 / 1024.0)
    return exp_parts(-0.5 * short * short, -0.5 * (t - short) * (t + short))


@jitable
def scaled_normal_tail(t: float) -> float:
    """`exp(t*t/2) * Phi(-t)` for `t >= 0`, with Phi the normal distribution function."""
    u = (t - 5.0) / (t + 5.0)
    series = polynomial(u * u, _TAIL_EVEN) + u * polynomial(u * u, _TAIL_ODD)
    return series / (1.0 + t)


@jitable
def two_product(a: float, b: float) -> tuple[float, float]:
    """Return `a * b` and its rounding error, exactly (Dekker, 1971)."""
    product = a * b
    scaled_a, scaled_b = _SPLIT * a, _SPLIT * b
    a_high, b_high = scaled_a - (scaled_a - a), scaled_b - (scaled_b - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error
