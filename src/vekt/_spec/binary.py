"""Functions of two operands whose results are rounded more than once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._spec.elementwise_forms import ufunc
from vekt._spec.spec import Kernel, Spec, ulp


def _hypot(x: Any, y: Any) -> Any:
    """Return the length without overflow, to the last digits of any dtype."""
    a, b = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    exponent = np.where(np.isfinite(a), np.frexp(a)[1], 0)
    a, b = np.ldexp(a, -exponent), np.ldexp(b, -exponent)
    length = np.ldexp(np.sqrt(a * a + b * b), exponent)
    return np.where(np.isinf(x) | np.isinf(y), np.inf, length)


def _function(
    name: str,
    summary: str,
    latex: str,
    example: tuple[str, str],
    notes: str,
    formula: str,
    source: str,
    cost: int,
    value: Callable[..., Any] | None = None,
) -> Spec:
    """Make the spec of a function of NumPy's."""
    of = Kernel(name=name, value=value or getattr(np, name), formula=formula, max_ulp=ulp(1, 2))
    methods = "`reduce`, `accumulate` and `at` are NumPy's."
    return ufunc(
        name,
        ("x1", "x2"),
        summary,
        latex,
        example,
        name,
        f"{notes} {methods}",
        cost,
        mathematics=of,
        source=source,
    )


BINARY = (
    _function(
        "power",
        "Elements of one array to the powers of another.",
        "x_1^{x_2}",
        ("[1.0, 2.0, 3.0], 2.0", "array([1., 4., 9.])"),
        "Zeros, infinities and NaN give what Annex F of C has for `pow`. Integers stay integers, "
        "by NumPy's loop; to negative integer powers they are a ValueError.",
        "x1**x2",
        "P. T. P. Tang, Table-driven implementation of the logarithm function, ACM TOMS 16 (1990); "
        "here in two words.",
        2000,
    ),
    _function(
        "arctan2",
        "Angle of the point (x2, x1), from -pi to pi.",
        "\\operatorname{arg}(x_2 + i x_1)",
        ("[1.0, 1.0, -1.0], [1.0, -1.0, 0.0]", "array([ 0.78539816,  2.35619449, -1.57079633])"),
        "Zeros, infinities and NaN give what Annex F of C has for `atan2`.",
        "atan2(x1, x2)",
        "S. Gal, B. Bachelis, An accurate elementary mathematical library for the IEEE floating "
        "point standard, ACM TOMS 17 (1991).",
        2000,
    ),
    _function(
        "hypot",
        "Length of the vector (x1, x2), without overflow on the way.",
        "\\sqrt{x_1^2 + x_2^2}",
        ("[3.0, 1e300], [4.0, 1e300]", "array([5.00000000e+000, 1.41421356e+300])"),
        "Infinite where either is, even beside NaN.",
        "sqrt(x1**2 + x2**2)",
        "C. F. Borges, Algorithm 1014: an improved algorithm for hypot(x,y), ACM TOMS 47 (2021).",
        2000,
        _hypot,
    ),
    _function(
        "logaddexp",
        "Logarithm of the sum of the exponentials of two elements.",
        "\\ln(e^{x_1} + e^{x_2})",
        ("[0.0, -1000.0], [0.0, -1000.0]", "array([ 6.93147181e-01, -9.99306853e+02])"),
        "Where the result is nearly 0 beside the larger operand, its error is 2**-46 at most in "
        "float32, and 2**-61 in float64.",
        "log(exp(x1) + exp(x2))",
        "P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and "
        "softmax functions, IMA J. Numer. Anal. 41 (2021).",
        5000,
    ),
)
"""Their kernels hold what is measured of them: the reference, the formula and bounds."""
