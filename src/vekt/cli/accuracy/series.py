"""Numbers that carry their derivative: a formula's gradient from the formula itself.

They are power series of two terms whose coefficients are balls of any precision, which enclose the
true numbers: F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic,
IEEE Transactions on Computers 66 (2017).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from flint import arb, arb_series


class UndecidedError(ArithmeticError):
    """A comparison of balls that overlap, or a division by one around 0."""


class NotRealError(ArithmeticError):
    """A function outside its domain."""


def _terms(number: Any) -> Any:
    return number.terms if isinstance(number, Series) else arb_series([number], 2)


def _arithmetic(operation: Callable[[Any, Any], Any]) -> tuple[Callable[..., Any], ...]:
    """Make a method and the one of swapped operands."""

    def forward(self: Series, other: Any) -> Series:
        return Series(operation(self.terms, _terms(other)))

    def backward(self: Series, other: Any) -> Series:
        return Series(operation(_terms(other), self.terms))

    return forward, backward


def _divide(a: Any, b: Any) -> Any:
    if b[0].contains(0):
        raise UndecidedError
    return a / b


def _comparison(holds: Callable[..., bool], fails: Callable[..., bool]) -> Callable[..., bool]:
    """Make a method, which looks at the value alone; min, max and conditions call it."""

    def decide(self: Series, other: Any) -> bool:
        a, b = self.value, _terms(other)[0]
        if not holds(a, b) and not fails(a, b):
            raise UndecidedError
        return holds(a, b)

    return decide


class Series:
    """A value and its derivative with respect to x, with the operations of formulas."""

    def __init__(self, terms: Any) -> None:
        self.terms = terms if isinstance(terms, arb_series) else arb_series(terms, 2)

    @property
    def value(self) -> Any:
        """Return the ball of the value."""
        return self.terms[0]

    @property
    def slope(self) -> Any:
        """Return the ball of the derivative."""
        return self.terms[1]

    __add__, __radd__ = _arithmetic(operator.add)
    __sub__, __rsub__ = _arithmetic(operator.sub)
    __mul__, __rmul__ = _arithmetic(operator.mul)
    __truediv__, __rtruediv__ = _arithmetic(_divide)
    __lt__ = _comparison(operator.lt, operator.ge)
    __le__ = _comparison(operator.le, operator.gt)
    __gt__ = _comparison(operator.gt, operator.le)
    __ge__ = _comparison(operator.ge, operator.lt)

    def __neg__(self) -> Series:  # noqa: D105
        return Series(-self.terms)

    def __abs__(self) -> Series:  # noqa: D105
        return -self if self < 0 else self

    def __pow__(self, power: int) -> Series:  # noqa: D105
        return Series(self.terms**power)


def _of(function: Callable[[Any], Any], least: float | None = None) -> Callable[[Series], Series]:
    """Take a function of series, which may have a domain."""

    def call(x: Series) -> Series:
        if least is not None and x.value < least:
            raise NotRealError
        return Series(function(x.terms))

    return call


def _lift(
    function: Callable[[Any], Any], slope: Callable[[Any], Any]
) -> Callable[[Series], Series]:
    """Take a function of balls and its derivative."""
    return lambda x: Series([function(x.value), slope(x.value) * x.slope])


def _cube_root(v: Any) -> Any:
    return -((-v).root(3)) if v < 0 else v.root(3)


def names() -> dict[str, Any]:
    """Functions and constants of formulas, in the working precision of `flint.ctx`."""
    return {
        "abs": abs,
        "atan": _of(arb_series.atan),
        "cbrt": _lift(_cube_root, lambda v: 1 / (3 * _cube_root(v) ** 2)),
        "cos": _of(arb_series.cos),
        "erf": _of(arb_series.erf),
        "exp": _of(arb_series.exp),
        "expm1": _lift(arb.expm1, arb.exp),
        "log": _of(arb_series.log, 0),
        "log1p": _lift(arb.log1p, lambda v: 1 / (1 + v)),
        "max": max,
        "min": min,
        "number": lambda text: Series([arb(text)]),
        "pi": Series([arb.pi()]),
        "sin": _of(arb_series.sin),
        "sqrt": _of(arb_series.sqrt, 0),
        "tan": _of(arb_series.tan),
        "tanh": _lift(arb.tanh, lambda v: v.sech() ** 2),
    }
