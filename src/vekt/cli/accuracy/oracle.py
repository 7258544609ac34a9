"""The registry's formulas in as many digits as it takes: what the reference is checked against."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from types import CodeType
from typing import Any

import mpmath
import numpy as np
from mpmath import iv, libmp, mp
from numpy.typing import NDArray

from vekt._spec.activations import Kernel
from vekt.cli.accuracy.dual import Dual, UndecidedError, float_names, interval_names
from vekt.cli.accuracy.samples import kinks, near_roots

# Numbers in a formula, but for exponents, which stay integers.
_NUMBER = re.compile(r"(?<![\w.])(?<!\*\*)(?<!\*\* )\d+(\.\d*)?(e[+-]?\d+)?")
_FIRST_DIGITS = 40
_MOST_DIGITS = 3000
# Relative width of an interval, and bits below the smallest number of the dtype, that settle it.
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


def _evaluate(kernel: Kernel, x: Dual, params: Iterable[Any], names: dict[str, Any]) -> Dual:
    """Evaluate the formula in the kind of numbers that `names` and the arguments are."""
    named = dict(zip(kernel.params, map(Dual, params), strict=True))
    result: Dual = eval(_compiled(kernel.formula), {**names, **named, "x": x})
    return result


def _float_names() -> dict[str, Any]:
    return {**float_names(), "number": lambda text: Dual(mp.mpf(text))}


def true_value(kernel: Kernel, x: Any, params: Iterable[Any] = ()) -> Any:
    """Value at x by the formula, in the working precision of `mpmath.mp`."""
    return _evaluate(kernel, Dual(mp.mpf(x)), map(exact, params), _float_names()).value


def true_gradient(kernel: Kernel, x: Any, params: Iterable[Any] = ()) -> Any:
    """Differentiate the formula at x, in the working precision; at a kink, on one side of it."""
    return _evaluate(kernel, Dual(mp.mpf(x), mp.one), map(exact, params), _float_names()).slope


def enclosed(kernel: Kernel, x: Any, params: Iterable[Any], dtype: Any) -> tuple[Any, Any]:
    """Value and gradient at x to far more digits than `dtype` has, by interval arithmetic.

    Parameters
    ----------
    kernel : Kernel
        A row of the registry.
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
    operands = [exact(number) for number in (x, *params)]
    places = _FIRST_DIGITS
    while places <= _MOST_DIGITS:
        former, iv.dps = iv.dps, places
        try:
            point, *others = map(iv.mpf, operands)
            result = _evaluate(kernel, Dual(point, iv.one), others, _interval_names(places))
            value, slope = _middle(result.value, dtype), _middle(result.slope, dtype)
            if value is not None and slope is not None:
                return value, slope
        except (UndecidedError, ZeroDivisionError):
            pass
        except libmp.ComplexResult:
            return mp.nan, mp.nan
        finally:
            iv.dps = former
        places *= 2
    raise ArithmeticError(f"{kernel.name} at {x!r} takes more than {_MOST_DIGITS} digits")


@cache
def _interval_names(places: int) -> dict[str, Any]:
    """Names of formulas, and numbers as intervals of the working precision, which is `places`."""
    return {**interval_names(), "number": cache(lambda text: Dual(iv.mpf(text)))}


def _middle(interval: Any, dtype: Any) -> Any:
    """Return the middle of an interval, or None if it is too wide to tell the true number."""
    low, high = (mp.make_mpf(end) for end in iv.mpf(interval)._mpi_)
    info: Any = np.finfo(dtype)
    with mp.workprec(4 * _SETTLED_BITS):
        size = max(abs(low), abs(high))
        nothing = mp.ldexp(1, info.minexp - info.nmant)
        if not high - low <= mp.ldexp(max(size, nothing), -_SETTLED_BITS):
            return None
        return (low + high) / 2


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
