"""Numbers that carry their derivative: a formula's gradient from the formula itself.

The numbers are mpmath's, of any precision: floats, or intervals, which enclose the true number.
"""
# ruff: noqa: D105

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from mpmath import iv, libmp, mp


class UndecidedError(ArithmeticError):
    """A comparison of intervals that overlap."""


class Dual:
    """A value and its derivative with respect to x; operations follow the rules of calculus."""

    def __init__(self, value: Any, slope: Any = 0) -> None:
        self.value = value
        self.slope = slope

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)

    def __abs__(self) -> Dual:
        return -self if _decided(operator.lt, self.value, 0) else self

    def __add__(self, other: Any) -> Dual:
        other = dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: Any) -> Dual:
        return self + -dual(other)

    def __mul__(self, other: Any) -> Dual:
        other = dual(other)
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    def __truediv__(self, other: Any) -> Dual:
        other = dual(other)
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)

    def __pow__(self, power: Any) -> Dual:
        # The exponent is a Python integer.
        slope = power * self.value ** (power - 1) * self.slope
        return Dual(self.value**power, slope)

    def __rsub__(self, other: Any) -> Dual:
        return dual(other).__sub__(self)

    def __rtruediv__(self, other: Any) -> Dual:
        return dual(other).__truediv__(self)

    __radd__ = __add__
    __rmul__ = __mul__

    # Comparisons, and with them min, max and conditions, look at the value alone.
    def __lt__(self, other: Any) -> bool:
        return _decided(operator.lt, self.value, dual(other).value)

    def __le__(self, other: Any) -> bool:
        return _decided(operator.le, self.value, dual(other).value)

    def __gt__(self, other: Any) -> bool:
        return _decided(operator.gt, self.value, dual(other).value)

    def __ge__(self, other: Any) -> bool:
        return _decided(operator.ge, self.value, dual(other).value)


def dual(number: Any) -> Dual:
    """Return a number as one that does not depend on x."""
    return number if isinstance(number, Dual) else Dual(number)


def _decided(comparison: Callable[[Any, Any], Any], a: Any, b: Any) -> bool:
    """Compare intervals; where they overlap mpmath 1.3 answers None, 1.4 raises ValueError."""
    try:
        answer = comparison(a, b)
    except ValueError:
        answer = None
    if answer is None:
        raise UndecidedError
    return bool(answer)


def _lift(function: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Dual], Dual]:
    return lambda x: Dual(function(x.value), slope(x.value) * x.slope)


def _names(context: Any, exp: Any, expm1: Any, log1p: Any, tanh: Any, erf: Any) -> dict[str, Any]:
    """Make the names of formulas for floats or for intervals."""
    log, sqrt = context.log, context.sqrt

    def sech_squared(x: Any) -> Any:
        e = exp(-2 * abs(x))
        return 4 * e / (1 + e) ** 2

    return {
        "abs": abs,
        "cos": _lift(context.cos, lambda x: -context.sin(x)),
        "erf": _lift(erf, lambda x: 2 / sqrt(context.pi) * exp(-x * x)),
        "exp": _lift(exp, exp),
        "expm1": _lift(expm1, exp),
        "log": _lift(log, lambda x: 1 / x),
        "log1p": _lift(log1p, lambda x: 1 / (1 + x)),
        "max": max,
        "min": min,
        "pi": Dual(+context.pi) if context is mp else Dual(context.pi),
        "sin": _lift(context.sin, context.cos),
        "sqrt": _lift(sqrt, lambda x: 1 / (2 * sqrt(x))),
        "tanh": _lift(tanh, sech_squared),
    }


def float_names() -> dict[str, Any]:
    """Functions and constants of formulas, in floats of the working precision."""
    return _names(mp, mp.exp, mp.expm1, mp.log1p, mp.tanh, mp.erf)


def interval_names() -> dict[str, Any]:
    """Functions and constants of formulas, in intervals of the working precision.

    mpmath's intervals lack some functions.  They are made of others, which cancel more: that makes
    intervals wider, not wrong.
    """

    def log1p(x: Any) -> Any:
        return iv.log(1 + x)

    def expm1(x: Any) -> Any:
        return _interval_exp(x) - 1

    def tanh(x: Any) -> Any:
        return 1 - 2 / (1 + _interval_exp(2 * x))

    return _names(iv, _interval_exp, expm1, log1p, tanh, _interval_erf)


def _interval_exp(x: Any) -> Any:
    """Exp of an interval; where its ends are large integers, mpmath would take powers of e."""
    size = max(exponent + bits for _, mantissa, exponent, bits in x._mpi_ if mantissa or not bits)
    if size < 40:
        return iv.exp(x)
    iv.prec += size
    try:
        return iv.exp(x + 0.5) * iv.exp(-0.5)
    finally:
        iv.prec -= size


def _interval_erf(x: Any) -> Any:
    """Erf of an interval by its ends, as it grows; wider by what mpmath may round amiss."""
    ends = zip(x._mpi_, "fc", strict=True)
    low, high = (libmp.mpf_erf(end, iv.prec + 4, way) for end, way in ends)
    margin = iv.mpf([-1, 1]) * iv.mpf(2) ** -iv.prec
    return iv.make_mpf((low, high)) * (1 + margin)
