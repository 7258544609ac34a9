"""The formulas of specs in as many digits as it takes: what the reference is checked against."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from types import CodeType
from typing import Any

import mpmath
import numpy as np
from flint import arb, ctx
from mpmath import mp
from numpy.typing import NDArray

from vekt._spec.spec import Kernel
from vekt.cli.accuracy.samples import kinks, near_roots
from vekt.cli.accuracy.series import NotRealError, Series, UndecidedError, names

# Numbers in a formula, but for exponents, which stay integers.
_NUMBER = re.compile(r"(?<![\w.])(?<!\*\*)(?<!\*\* )\d+(\.\d*)?(e[+-]?\d+)?")
_FIRST_DIGITS = 40
_MOST_DIGITS = 3000
# Relative width of a ball, and bits below the smallest number of the dtype, that settle it.
_SETTLED_BITS = 80


def exact(value: Any) -> Any:
    """Return a NumPy float as the very number that it is."""
    value = np.asarray(value)[()]
    if not np.isfinite(value):
        return mp.mpf(float(value))
    numerator, denominator = value.as_integer_ratio()
    return mp.mpf(numerator) / denominator


def digits(dtype: Any) -> int:
    """Decimal digits in which formulas and differences lose none to cancellation in this dtype."""
    return 2 * int(-np.log10(float(np.finfo(dtype).tiny))) + 60


@cache
def _compiled(formula: str) -> CodeType:
    return compile(_NUMBER.sub(lambda n: f"number('{n[0]}')", formula), formula, "eval")


def _evaluate(kernel: Kernel, x: Any, params: Iterable[Any], places: int) -> Series:
    """Evaluate the formula in balls of so many digits; the arguments are mpmath's, and exact."""
    with ctx.workdps(places):
        named = {name: Series([arb(p)]) for name, p in zip(kernel.params, params, strict=True)}
        scope = {**_names(places), **named, "x": Series([arb(x), 1])}
        result: Series = eval(_compiled(kernel.formula), scope)
        return result


@cache
def _names(places: int) -> dict[str, Any]:
    """Names of formulas, and numbers in the working precision, which is `places`."""
    made = names()
    return {**made, "number": cache(made["number"])}


def _number(ball: Any) -> Any:
    """Middle of a ball, as mpmath's number."""
    return mp.make_mpf(ball.mid()._mpf_)


def true_value(kernel: Kernel, x: Any, params: Iterable[Any] = ()) -> Any:
    """Value at x by the formula, in the working precision of `mpmath.mp`."""
    return _number(_evaluate(kernel, mp.mpf(x), map(exact, params), mp.dps).value)


def true_gradient(kernel: Kernel, x: Any, params: Iterable[Any] = ()) -> Any:
    """Differentiate the formula at x, in the working precision; at a kink, on one side of it."""
    return _number(_evaluate(kernel, mp.mpf(x), map(exact, params), mp.dps).slope)


def enclosed(kernel: Kernel, x: Any, params: Iterable[Any], dtype: Any) -> tuple[Any, Any]:
    """Value and gradient at x to far more digits than `dtype` has, by ball arithmetic.

    Parameters
    ----------
    kernel : Kernel
        The kernel, of an activation's spec.
    x : NumPy float
        A finite point.
    params : iterable of NumPy floats
        The kernel's parameters.
    dtype : dtype
        What the result is to judge: numbers far below its smallest one may be any such numbers.

    Returns
    -------
    tuple of mpmath.mpf
        NaN where the formula gives no real number.

    Raises
    ------
    ArithmeticError
        If thousands of digits do not suffice.
    """
    point, *others = [exact(number) for number in (x, *params)]
    places = _FIRST_DIGITS
    while places <= _MOST_DIGITS:
        try:
            result = _evaluate(kernel, point, others, places)
        except UndecidedError:
            pass
        except NotRealError:
            return mp.nan, mp.nan
        else:
            if all(_is_settled(ball, dtype) for ball in (result.value, result.slope)):
                return _number(result.value), _number(result.slope)
        places *= 2
    raise ArithmeticError(f"{kernel.name} at {x!r} takes more than {_MOST_DIGITS} digits")


def _is_settled(ball: Any, dtype: Any) -> bool:
    """Whether a ball is small enough to tell the true number."""
    info: Any = np.finfo(dtype)
    nothing = arb(2) ** (info.minexp - info.nmant)
    widest = max(ball.abs_upper(), nothing) * arb(2) ** -_SETTLED_BITS
    return bool(ball.is_finite()) and bool(2 * ball.rad() <= widest)


def exact_ulp_error(computed: Any, true: Any) -> float:
    """`vekt.reference.ulp_error` of one result against a number of any precision."""
    if mp.isnan(true) or np.isnan(computed):
        return 0.0 if mp.isnan(true) and np.isnan(computed) else float("inf")
    info: Any = np.finfo(computed.dtype)
    with mp.workprec(4 * _SETTLED_BITS):
        if mp.isinf(true) and np.isinf(computed):
            return 0.0 if (true > 0) == (computed > 0) else float("inf")
        beyond = mp.ldexp(1, info.maxexp)
        got, expected = (max(min(v, beyond), -beyond) for v in (exact(computed), true))
        exponent = min(int(mpmath.mag(expected)) - 1, info.maxexp - 1) if expected else info.minexp
        unit = mp.ldexp(1, max(exponent, info.minexp) - info.nmant)
        return float(abs(got - expected) / unit)


@lru_cache(maxsize=1)  # the gradients of a block follow its values
def _enclosed_block(
    kernel: Kernel, params: tuple[Any, ...], dtype: str, data: bytes
) -> list[tuple[Any, Any]]:
    return [enclosed(kernel, point, params, dtype) for point in np.frombuffer(data, dtype)]


def formula_errors(
    kernel: Kernel, params: tuple[Any, ...], form: str, x: NDArray[Any]
) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Evaluate the formula at finite points, for measuring results there.

    Returns
    -------
    function
        Of an array of values, or of gradients if `form` says so: their errors in ULP.  At a kink
        the formula has no gradient, and the error counts as 0.
    """
    value = form == "value"
    both = _enclosed_block(kernel, params, x.dtype.str, x.tobytes())
    true = [pair[0 if value else 1] for pair in both]
    jumps = set() if value else {at for at, _ in kinks(kernel, params)}
    absolute = near_roots(kernel, x) & (not value and x.dtype == np.float64)

    def error(point: Any, result: Any, expected: Any, in_absolute: Any) -> float:
        if point in jumps:
            return 0.0
        if in_absolute:
            return float(abs(exact(result) - expected) * 2**53)
        return exact_ulp_error(result, expected)

    def errors(results: NDArray[Any]) -> NDArray[np.float64]:
        return np.array(list(map(error, x, results, true, absolute)))

    return errors
