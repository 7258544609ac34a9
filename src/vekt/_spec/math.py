"""Mathematics of the reference namespace: plain NumPy, for float64 and every kind of longdouble.

Each function works in the dtype of its argument and is accurate to a few units in the last place
of that dtype, also where the result is tiny.  Speed comes second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

INV_SQRT_2PI = "0.39894228040143267793994605993438186847585863116493"
SQRT_2PI = "2.5066282746310005024157652848110452530069867406099"
TWO_OVER_SQRT_PI = "1.1283791670955125738961589031215451716881012586580"

# Beyond this every exponential below has underflowed in all supported formats, binary128 included.
_FAR = 200.0
_NODES = 96
_CENTRE = 5.0


@cache
def constant(text: str, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Decimal number as an unevaluated sum `high + low` of two values of `dtype`."""
    from fractions import Fraction  # here, as it takes a sixth of the time of `import vekt`

    high = dtype.type(text)
    low = Fraction(text) - Fraction(*high.as_integer_ratio())
    return high, dtype.type(float(low))


def constant_pair(text: str) -> tuple[float, float]:
    """`constant` in float64, as Python floats."""
    high, low = constant(text, np.dtype("f8"))
    return float(high), float(low)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """Return `a * b` and its rounding error, exactly (Dekker, 1971)."""
    if a is b:
        return _two_square(a)
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _two_square(a: Any) -> tuple[Any, Any]:
    square = a * a
    high, low = _split(a)
    cross = high * low
    error = ((high * high - square) + (cross + cross)) + low * low
    return square, error


def _split(a: Any) -> tuple[Any, Any]:
    bits = np.finfo(a.dtype).nmant + 1
    factor = a.dtype.type(2.0 ** ((bits + 1) // 2) + 1.0)
    scaled = factor * a
    high = scaled - (scaled - a)
    return high, a - high


def exp_sum(high: Array, low: Array) -> Array:
    """`exp(high + low)` for a `low` that is a rounding error of `high`."""
    power: Array = np.exp(high)
    result: Array = power + power * low
    return result


def gaussian(x: Array) -> Array:
    """`exp(-x*x/2)`, without the error that rounding `x*x` would make in the tail."""
    clipped = np.clip(x, -_FAR, _FAR)
    square, error = two_product(clipped, clipped)
    return exp_sum(-0.5 * square, -0.5 * error)


def scaled_normal_tail(t: Array) -> Array:
    """`exp(t*t/2) * Phi(-t)` for `t >= 0`, with Phi the normal distribution function.

    A polynomial in (t - c)/(t + c), whose coefficients come from the power series and the
    continued fraction below at the first call for a dtype.
    """
    t = np.minimum(t, t.dtype.type(1e9))
    u = (t - _CENTRE) / (t + _CENTRE)
    *rest, last = _tail_coefficients(t.dtype)
    result: Array = np.full_like(u, last)
    for coefficient in reversed(rest):
        result *= u
        result += coefficient
    result /= 1 + t
    return result


@cache
def _tail_coefficients(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """Polynomial for `(1 + t) * scaled_normal_tail(t)`: a Chebyshev series, cut at the precision.

    In powers of the variable it is as well conditioned: the sum of the coefficients' magnitudes is
    less than twice the smallest result.
    """
    one = np.longdouble(1)
    orders = np.arange(_NODES)
    # The angles are reduced to [-pi, pi] as integer multiples of pi/(2 n), where that is exact.
    multiples = (np.outer(orders, 2 * orders + 1) + 2 * _NODES) % (4 * _NODES) - 2 * _NODES
    cosines = np.cos(multiples * (2 * np.arctan(one) / _NODES))
    u = cosines[1]
    t = _CENTRE * (1 + u) / (1 - u)
    values = (1 + t) * np.where(t < 1, _tail_by_series(t), _tail_by_fraction(t))
    series = 2 * (cosines @ values) / _NODES
    series[0] /= 2
    # Below the precision of longdouble itself the series is noise, which powers would magnify.
    least = max(np.finfo(dtype).eps / 16, np.finfo(np.longdouble).eps)
    needed = np.flatnonzero(np.abs(series) > least)[-1] + 1
    return tuple(np.polynomial.chebyshev.cheb2poly(series[:needed]).astype(dtype))


def _tail_by_series(t: Array) -> Array:
    """For t < 1: exp(t*t/2)/2 minus the power series of the middle part."""
    t = np.minimum(t, 1)
    term = total = t
    for k in range(1, 40):
        term = term * t * t / (2 * k + 1)
        total = total + term
    result: Array = np.exp(t * t / 2) / 2 - total * constant(INV_SQRT_2PI, t.dtype)[0]
    return result


def _tail_by_fraction(t: Array) -> Array:
    """For t >= 1: Laplace's continued fraction 1/(t + 1/(t + 2/(t + 3/(t + ..."""
    t = np.maximum(t, 1)
    fraction = t
    for k in range(1200, 0, -1):
        fraction = t + k / fraction
    result: Array = constant(INV_SQRT_2PI, t.dtype)[0] / fraction
    return result


def from_root(
    x: Array, root: str, derivative: Callable[[Array], Array], far: Callable[[Array], Array]
) -> Array:
    """Evaluate a function near its root by integrating its `derivative` from there, else `far`.

    The difference `x - root` is formed with the root in twice the precision, so that the result
    keeps its relative accuracy however small it is.
    """
    high, low = constant(root, x.dtype)
    result = far(x)
    near = np.abs(x - high) < 0.25
    if near.any():
        here = x[near]
        distance = (here - high) - low
        nodes, weights = _gauss_legendre(x.dtype)
        slopes = (derivative(high + distance * node) for node in nodes)
        total = sum(weight * slope for weight, slope in zip(weights, slopes, strict=True))
        result[near] = distance * total
    return result


@cache
def _gauss_legendre(dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Nodes and weights of the 10-point rule on [0, 1], polished to the precision of `dtype`."""
    order = 10
    nodes = np.polynomial.legendre.leggauss(order)[0].astype(dtype)
    for _ in range(3):
        p, before = nodes, np.ones_like(nodes)
        for k in range(2, order + 1):
            p, before = ((2 * k - 1) * nodes * p - (k - 1) * before) / k, p
        slope = order * (before - nodes * p) / (1 - nodes * nodes)
        nodes = nodes - p / slope
    weights = 2 / ((1 - nodes * nodes) * slope * slope)
    return (1 + nodes) / 2, weights / 2


def erfc(x: Array) -> Array:
    """Complementary error function: `2*Phi(-sqrt(2)*x)`."""
    t = np.minimum(np.abs(x), _FAR)
    square, error = two_product(t, t)
    tail = 2 * exp_sum(-square, -error) * scaled_normal_tail(t * np.sqrt(x.dtype.type(2)))
    result: Array = np.where(x < 0, 2 - tail, tail)
    return result


def erf(x: Array) -> Array:
    """Error function; for `abs(x) < 1` by its power series."""
    near = np.clip(x, -1, 1)
    term = total = near
    for k in range(1, 60):
        term = term * near * near * 2 / (2 * k + 1)
        total = total + term
    inside = total * np.exp(-near * near) * constant(TWO_OVER_SQRT_PI, x.dtype)[0]
    result: Array = np.where(np.abs(x) < 1, inside, np.copysign(1 - erfc(np.abs(x)), x))
    return result
