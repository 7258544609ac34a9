"""Powers, roots, angles and sums of exponentials in float64, as the functions of `_math` are."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt.jit._constants import ARCTAN
from vekt.jit._constants import EXP as _EXP
from vekt.jit._constants import LOG_LONG as _LOG
from vekt.jit._intrinsics import mad, polynomial
from vekt.jit._jitable import jitable
from vekt.jit._math import exp_nonpositive, log1p_unit, two_product

_INF = float("inf")
_NAN = float("nan")
_SMALLEST_NORMAL = 2.0**-1022
_WHOLE = 2.0**52
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_ROUND = 1.5 * 2.0**52
_SQRT_HALF: Any = np.float64(np.sqrt(0.5)).view(np.int64)
_MANTISSA: Any = np.int64(2**52 - 1)
_ROUND_BITS: Any = np.float64(_ROUND).view(np.int64)
_UPPER_HALF: Any = np.int64(-(2**27))
_LOG_REST = _LOG[1:]
_TWO_THIRDS_LOW = 3.7007434154171886e-17
_QUARTER_PI = 0.7853981633974483
_QUARTER_PI_LOW = 3.061616997868383e-17
# The bits of x**(-1/3) are about this less a third of those of x, to 3.4 %.
_CUBE_GUESS = float.fromhex("0x1.54fbc4p+30")


@jitable
def _sum(a: float, b: float) -> tuple[float, float]:
    """Return `a + b` and its rounding error (Knuth)."""
    total = a + b
    moved = total - a
    return total, (a - (total - moved)) + (b - moved)


@jitable
def _log_words(x: float) -> tuple[float, float]:
    """`log(x)` in two words for finite x > 0."""
    subnormal = x < _SMALLEST_NORMAL
    bits: Any = np.float64(x * _WHOLE if subnormal else x).view(np.int64) - _SQRT_HALF
    m = np.int64((bits & _MANTISSA) + _SQRT_HALF).view(np.float64)
    k = np.int64((bits >> 52) + _ROUND_BITS).view(np.float64) - _ROUND
    k = k - 52.0 if subnormal else k
    # log(m) = 2 s + s z L(z), s = f/d, z = s**2; L(0) = 2/3.
    f = m - 1.0
    d, d_low = _sum(2.0, f)
    s = f / d
    product, product_low = two_product(s, d)
    s_low = (((f - product) - product_low) - s * d_low) / d
    z, z_low = two_product(s, s)
    z_low += 2.0 * s * s_low
    series = polynomial(z, _LOG)
    cube, cube_low = two_product(s, z)
    cube_low += s * z_low + s_low * z
    tail, tail_low = two_product(cube, series)
    # What rounding leaves of L: its first coefficient is nearly all of it.
    rest = (_LOG[0] - series) + mad(z, polynomial(z, _LOG_REST), _TWO_THIRDS_LOW)
    tail_low += cube_low * series + cube * rest
    first, first_low = _sum(k * _LN2_HIGH, 2.0 * s)
    second, second_low = _sum(first, tail)
    return second, (first_low + second_low) + (mad(k, _LN2_LOW, 2.0 * s_low) + tail_low)


@jitable
def _exp_words(high: float, low: float) -> float:
    """`exp(high + low)` for a low that is a rounding error."""
    within = abs(high) < 800.0
    x = high if within else (800.0 if high > 0.0 else -800.0)
    shifted = mad(x, _LOG2_E, _ROUND)
    n = shifted - _ROUND
    start = mad(n, -_LN2_HIGH, x)
    correction = mad(n, -_LN2_LOW, low if within else 0.0)
    r = start + correction
    growth = r + mad(r * r, polynomial(r, _EXP), (start - r) + correction)
    # Two factors, so that what is subnormal or infinite is the last product alone.
    bits: Any = np.float64(shifted).view(np.int64) - _ROUND_BITS
    half = bits >> 1
    one = np.int64((half + 1023) << 52).view(np.float64)
    other = np.int64((bits - half + 1023) << 52).view(np.float64)
    return mad(one, growth, one) * other


@jitable
def _is_whole(size: float) -> bool:
    return size >= _WHOLE or (size + _WHOLE) - _WHOLE == size


@jitable
def power(x: float, y: float) -> float:
    """`x**y` within 2 ULP, as C's Annex F has it."""
    size, places = abs(x), abs(y)
    regular = 0.0 < size < _INF
    log, log_low = _log_words(size if regular else 1.0)
    log = log if regular else (-_INF if size == 0.0 else _INF)
    high, high_low = two_product(y, log)
    exact = abs(high) < 800.0
    value = _exp_words(high, (high_low + y * log_low) if exact else 0.0)
    whole = _is_whole(places)
    odd = whole and not _is_whole(0.5 * places)
    negative = np.copysign(1.0, x) < 0.0
    value = -value if negative and odd else value
    value = value if whole or x >= 0.0 or not regular else _NAN
    value = value if x == x and y == y else _NAN
    return 1.0 if y == 0.0 or x == 1.0 or (x == -1.0 and places == _INF) else value


@jitable
def rsqrt(x: float) -> float:
    """`1/sqrt(x)` within 1.5 ULP."""
    result: float = 1.0 / np.sqrt(x)
    return result


@jitable
def hypot(x: float, y: float) -> float:
    """`sqrt(x**2 + y**2)` within 1.5 ULP."""
    a, b = abs(x), abs(y)
    most = a if a > b else b
    scale = 2.0**-600 if most > 2.0**500 else (2.0**600 if most < 2.0**-400 else 1.0)
    back = 2.0**600 if most > 2.0**500 else (2.0**-600 if most < 2.0**-400 else 1.0)
    u, v = a * scale, b * scale
    length: float = np.sqrt(mad(u, u, v * v)) * back
    return _INF if a == _INF or b == _INF else length


@jitable
def cbrt(x: float) -> float:
    """Cube root within 1 ULP: y (1 - e)**(-2/3) of y = x r**2, r with half the digits."""
    size = abs(x)
    subnormal = size < _SMALLEST_NORMAL
    t = size * 2.0**54 if subnormal else size
    upper: Any = np.float64(t).view(np.int64) >> 32
    third = mad(np.int64(upper + _ROUND_BITS).view(np.float64) - _ROUND, -1.0 / 3.0, _CUBE_GUESS)
    r: Any = np.int64(np.float64(third + _ROUND).view(np.int64) << 32).view(np.float64)
    e = 1.0 - t * (r * r) * r
    r = mad(r * e, mad(mad(14.0 / 81.0, e, 2.0 / 9.0), e, 1.0 / 3.0), r)
    r = np.int64(np.float64(r).view(np.int64) & _UPPER_HALF).view(np.float64)
    y, y_low = two_product(t, r * r)
    product, product_low = two_product(y, r)
    e = ((1.0 - product) - product_low) - y_low * r
    root: Any = y + mad(y * e, mad(mad(40.0 / 81.0, e, 5.0 / 9.0), e, 2.0 / 3.0), y_low)
    root = root * 2.0**-18 if subnormal else root
    result: float = np.copysign(root, x) if 0.0 < size < _INF else x
    return result


@jitable
def _turned(n: float, d: float, quarters: float, sign: float) -> float:
    """`quarters * pi/4 + sign * atan(n/d)` for `abs(n/d) <= 1/2`."""
    q = n / d
    u = q * q
    base = quarters * _QUARTER_PI
    base_low = quarters * _QUARTER_PI_LOW + mad(quarters, _QUARTER_PI, -base)
    return base + sign * (q + mad(q * u, polynomial(u, ARCTAN), sign * base_low))


@jitable
def arctan(x: float) -> float:
    """Inverse tangent within 1.5 ULP."""
    size = abs(x)
    large = size > 2.0
    middle = size >= 0.5 and not large
    n = -1.0 if large else (size - 1.0 if middle else size)
    d = size if large else (size + 1.0 if middle else 1.0)
    result: float = np.copysign(_turned(n, d, 2.0 if large else (1.0 if middle else 0.0), 1.0), x)
    return result


@jitable
def arctan2(y: float, x: float) -> float:
    """Angle of (x, y) within 2 ULP, as C's Annex F has it."""
    up, across = abs(y), abs(x)
    most = up if up > across else across
    endless = most == _INF
    shrink = 0.25 if most > 1e300 else 1.0  # the sum is in range then
    b = (1.0 if up == _INF else 0.0) if endless else up * shrink
    a = (1.0 if across == _INF else 0.0) if endless else across * shrink
    a = 1.0 if most == 0.0 else a
    steep = b > a
    least, greatest = (a if steep else b), (b if steep else a)
    middle = least > 0.5 * greatest
    left = np.copysign(1.0, x) < 0.0
    sign = -1.0 if steep != left else 1.0
    n, d = (least - greatest if middle else least), (least + greatest if middle else greatest)
    quarters = 2.0 if steep else (4.0 if left else 0.0)
    angle: float = np.copysign(_turned(n, d, quarters + (sign if middle else 0.0), sign), y)
    return angle if x == x and y == y else _NAN


@jitable
def logaddexp(x: float, y: float) -> float:
    """`log(exp(x) + exp(y))` within 2 ULP of the greater of the result and 1/2."""
    greater = x if x > y or x != x else y
    away = -abs(x - y)
    away = 0.0 if x == y else away
    return greater + log1p_unit(exp_nonpositive(away))
