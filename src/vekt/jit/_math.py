"""Scalar mathematics in float64 that LLVM inlines and vectorises: no calls, no branches.

NaN propagates.  The bounds hold with and without fused multiply-add.  The constants in capital
letters have other values where results are rounded to float32: see `_single`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt.jit._constants import EXP, LOG
from vekt.jit._intrinsics import has_fma, mad, polynomial
from vekt.jit._jitable import jitable

DOUBLE = True
"""Whether the result is to be a float64: the last bits count."""

EXPM1 = EXP
"""Longer than EXP in float32, as the result may be small."""

_INF = float("inf")
_NAN = float("nan")

# log(2) as a sum: the product of the first with an integer below 2**11 is exact.
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LN2 = float.fromhex("0x1.62e42fefa39efp-1")
_LOG10_E = float.fromhex("0x1.bcb7b1526e50ep-2")
_LOG10_2_HIGH = float.fromhex("0x1.34413509f78p-2")
_LOG10_2_LOW = float.fromhex("0x1.fef311f12b358p-46")
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")

# Adding this rounds to an integer, which then fills the low bits of the sum; with the exponent's
# bias added, shifting these to the left makes a power of two.
_ROUND = 1.5 * 2.0**52
_BIAS = 1023.0

# Powers of two are lifted by 2**512 until the last product, so that no factor is subnormal.
LIFT = 512.0
UNLIFT = 2.0**-512
LOWERING = -512.0
LOWER = 2.0**512
EXP_LIMIT = 1000.0

# Powers that overflow before a quotient underflows are lowered by 2**-128 as long.
SINKING = -128.0
SINK = 2.0**-128
SINK_LIMIT = 770.0

_TINY = 2.0**-54
_SPLIT = 2.0**27 + 1.0
_SMALLEST_NORMAL = 2.0**-1022
_SQRT_HALF: Any = np.float64(np.sqrt(0.5)).view(np.int64)
_MANTISSA: Any = np.int64(2**52 - 1)
_ROUND_BITS: Any = np.float64(_ROUND).view(np.int64)


@jitable
def two_product(a: float, b: float) -> tuple[float, float]:
    """Return `a * b` and its rounding error, exactly."""
    product = a * b
    if has_fma():
        return product, mad(a, b, -product)
    # Dekker, 1971.
    scaled_a, scaled_b = _SPLIT * a, _SPLIT * b
    a_high, b_high = scaled_a - (scaled_a - a), scaled_b - (scaled_b - b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@jitable
def _reduced(x: float, low: float, offset: float) -> tuple[float, float, float]:
    """r, rest and scale: exp(x + low) is exp(r + rest) * scale / 2**offset."""
    shifted = mad(x, _LOG2_E, _ROUND + _BIAS + offset)
    n = shifted - (_ROUND + _BIAS + offset)
    bits: Any = np.float64(shifted).view(np.int64)
    scale = np.int64(bits << 52).view(np.float64)
    if not DOUBLE:
        return mad(n, -_LN2, x), 0.0, scale
    high = mad(n, -_LN2_HIGH, x)
    correction = mad(n, -_LN2_LOW, low)
    r = high + correction
    return r, (high - r) + correction, scale


@jitable
def _growth(r: float, rest: float) -> float:
    """`exp(r + rest) - 1`."""
    if not DOUBLE:
        return mad(r * r, polynomial(r, EXP), r)
    return r + mad(r * r, polynomial(r, EXP), rest)


@jitable
def exp_parts(x: float, low: float) -> tuple[float, float]:
    """Two factors of `exp(x + low)`, for `x <= 0` and a `low` no larger than 2**-8.

    The first is a normal number within 0.8 ULP, at most 2**512, the second a power of two: what
    multiplies the first before the second does is not hurt by underflow.
    """
    return exp_parts_bounded(bounded(x), low)


@jitable
def bounded(x: float) -> float:
    """Return x, or the number below 0 at which exp has underflowed."""
    return -EXP_LIMIT if x < -EXP_LIMIT else x


@jitable
def exp_parts_bounded(x: float, low: float) -> tuple[float, float]:
    """`exp_parts` of what went through `bounded`."""
    r, rest, scale = _reduced(x, low, LIFT)
    return mad(scale, _growth(r, rest), scale), UNLIFT


@jitable
def exp_nonpositive(x: float) -> float:
    """`exp(x)` for `x <= 0` within 0.8 ULP; subnormal results are rounded twice."""
    first, second = exp_parts(x, 0.0)
    return first * second


@jitable
def tail_or(negative: bool, small: float, scale: float, large: float, whole: float) -> float:
    """Return small * scale / whole or large / whole with one division, small before scale."""
    return (small if negative else large) / whole * (scale if negative else 1.0)


@jitable
def exp(x: float) -> float:
    """`exp(x)` within 0.8 ULP; subnormal results are rounded twice."""
    negative = x < 0.0
    x = bounded(x)
    x = EXP_LIMIT if x > EXP_LIMIT else x
    r, rest, scale = _reduced(x, 0.0, LIFT if negative else LOWERING)
    return mad(scale, _growth(r, rest), scale) * (UNLIFT if negative else LOWER)


@jitable
def exp_sunk(x: float) -> float:
    """`exp(x) * SINK` for `-600 <= x <= SINK_LIMIT`."""
    r, rest, scale = _reduced(x, 0.0, SINKING)
    return mad(scale, _growth(r, rest), scale)


@jitable
def _less_1(r: float, rest: float, scale: float, one: float) -> tuple[float, float]:
    """`exp(r + rest) * scale - one` as a sum; scale is a power of two."""
    start = scale - one
    if not DOUBLE:
        return mad(scale, mad(r * r, polynomial(r, EXPM1), r), start), 0.0
    tail = mad(r * r, polynomial(r, EXPM1), rest)
    total = mad(scale, r, start)
    return total, mad(scale, tail, mad(scale, r, start - total))


@jitable
def expm1_parts(x: float) -> tuple[float, float]:
    """`exp(x) - 1` for `x <= 0` as a sum, the second a rounding error; not for subnormal x.

    The reduction is that of `exp_parts`, and costs nothing beside it.
    """
    r, rest, scale = _reduced(bounded(x), 0.0, LIFT)
    high, low = _less_1(r, rest, scale * UNLIFT, 1.0)
    if not DOUBLE:
        return high, low
    total = high + low
    return total, low - (total - high)


@jitable
def expm1_nonpositive(x: float) -> float:
    """`exp(x) - 1` for `x <= 0` within 1.1 ULP."""
    return x if x > -_TINY else expm1_parts(x)[0]


@jitable
def expm1(x: float) -> float:
    """`exp(x) - 1` within 1.1 ULP."""
    t = -50.0 if x < -50.0 else x
    t = 710.0 if t > 710.0 else t
    # Half of everything, as 2**1024 is no number.
    r, rest, scale = _reduced(t, 0.0, -1.0)
    high, low = _less_1(r, rest, scale, 0.5)
    return x if abs(x) < _TINY else (high + low) * 2.0


@jitable
def exp2(x: float) -> float:
    """`2**x` within 1 ULP; subnormal results are rounded twice."""
    negative = x < 0.0
    limit = 1100.0 if DOUBLE else 300.0
    x = -limit if x < -limit else x
    x = limit if x > limit else x
    rounder = _ROUND + _BIAS + (LIFT if negative else LOWERING)
    shifted = x + rounder
    r = (x - (shifted - rounder)) * _LN2
    bits: Any = np.float64(shifted).view(np.int64)
    scale = np.int64(bits << 52).view(np.float64)
    return mad(scale, _growth(r, 0.0), scale) * (UNLIFT if negative else LOWER)


@jitable
def sinh(x: float) -> float:
    """Hyperbolic sine within 2 ULP: 2 (q + q/(4q + 1)), q a quarter of `expm1(abs(x))`."""
    t = abs(x)
    t = 710.6 if t > 710.6 else t
    r, rest, scale = _reduced(t, 0.0, -2.0)
    high, low = _less_1(r, rest, scale, 0.25)
    q = high + low
    y = 2.0 * (q + (q / (4.0 * q + 1.0) if q < 1e300 else 0.25))
    return x if t < _TINY else (-y if x < 0.0 else y)


@jitable
def cosh(x: float) -> float:
    """Hyperbolic cosine within 2 ULP: 2 (q + 1/(16 q)), q a quarter of `exp(abs(x))`."""
    t = abs(x)
    t = 710.6 if t > 710.6 else t
    r, rest, scale = _reduced(t, 0.0, -2.0)
    q = mad(scale, _growth(r, rest), scale)
    return 2.0 * (q + 0.0625 / q)


@jitable
def tanh(x: float) -> float:
    """Hyperbolic tangent within 1.6 ULP: -m/(2 + m) with m = expm1(-2 abs(x))."""
    m, low = expm1_parts(-2.0 * abs(x))
    d = 2.0 + m
    size = m / d
    if DOUBLE:
        # What m and d were rounded by, over d to 5 %.
        size += (low - size * ((2.0 - d) + m)) * (1.457 - 0.5 * d)
    return x if abs(x) < _TINY else (size if x < 0.0 else -size)


@jitable
def _log(f: float, k: float) -> float:
    """`log(1 + f) + k * log(2)` for 1 + f between the roots of 1/2 and 2, within 1 ULP."""
    half_square = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    rest = mad(s, mad(z, polynomial(z, LOG), half_square), k * _LN2_LOW)
    return mad(k, _LN2_HIGH, f - (half_square - rest))


@jitable
def _split(x: float) -> tuple[float, int]:
    """Return m - 1 and k: x is m * 2**k with m between the roots of 1/2 and 2, for normal x > 0."""
    bits: Any = np.float64(x).view(np.int64) - _SQRT_HALF
    m = np.int64((bits & _MANTISSA) + _SQRT_HALF).view(np.float64)
    return m - 1.0, bits >> 52


@jitable
def _split_any(x: float) -> tuple[float, float]:
    """Split likewise, subnormal numbers too, and with k a float."""
    subnormal = x < _SMALLEST_NORMAL
    f, k = _split(x * 2.0**54 if subnormal else x)
    return f, _as_float(k) - (54.0 if subnormal else 0.0)


@jitable
def _as_float(k: int) -> float:
    # Machines without AVX-512 convert no vectors of int64.
    result: float = np.int64(k + _ROUND_BITS).view(np.float64) - _ROUND
    return result


@jitable
def _log_domain(x: float, value: float) -> float:
    """Value, or the logarithm of an x that is no positive finite number."""
    edge = x if x > 0.0 else (-_INF if x == 0.0 else _NAN)
    return value if 0.0 < x < _INF else edge


@jitable
def log(x: float) -> float:
    """`log(x)` within 1 ULP."""
    f, k = _split_any(x)
    return _log_domain(x, _log(f, k))


@jitable
def log2(x: float) -> float:
    """`log2(x)` within 2 ULP."""
    f, k = _split_any(x)
    return _log_domain(x, k + _log(f, 0.0) * _LOG2_E)


@jitable
def log10(x: float) -> float:
    """`log10(x)` within 2 ULP."""
    f, k = _split_any(x)
    rest = mad(k, _LOG10_2_LOW, _log(f, 0.0) * _LOG10_E)
    return _log_domain(x, mad(k, _LOG10_2_HIGH, rest))


@jitable
def log1p(x: float) -> float:
    """`log(1 + x)` within 1.5 ULP."""
    # u + low is 1 + x, exactly where low counts (Knuth's sum).
    u, y = 1.0 + x, 0.0 if x > 2.0**60 else x
    v = 1.0 + y
    w = v - 1.0
    low = (1.0 - (v - w)) + (y - w)
    f, k = _split(u)
    down = np.int64((1023 - (1000 if k > 1000 else k)) << 52).view(np.float64)
    value = _log(f + low * down, _as_float(k))
    return x if abs(x) < _TINY else _log_domain(u, value)


@jitable
def log1p_unit(x: float) -> float:
    """`log(1 + x)` for `0 <= x <= 1` within 1 ULP."""
    u = 1.0 + x
    large = u > 1.4142135623730951
    f = (0.5 * u - 1.0) + 0.5 * (x - (u - 1.0)) if large else x
    return _log(f, 1.0 if large else 0.0)


@jitable
def log_less_exp(x: float) -> float:
    """`log(1 - exp(-x))` for `x >= 0` within 2 ULP."""
    # Either the logarithm of a small number, or of one that is less than 1 by a small number e.
    e, small = exp_nonpositive(-x), -expm1_nonpositive(-x)
    f, k = _split_any(small)
    halved = e > 0.2928932188134525
    f_large, k_large = (1.0 - 2.0 * e if halved else -e), (-1.0 if halved else 0.0)
    large = x > 0.6931471805599453
    value = _log(f_large if large else f, k_large if large else k)
    return _log_domain(x, value) if x < 800.0 else (x if x != x else -e)
