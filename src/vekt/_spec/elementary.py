"""The elementary functions of one operand, whose results are rounded more than once."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.elementwise_forms import ufunc
from vekt._spec.math import TWO_OVER_SQRT_PI, constant, erf, erfc
from vekt._spec.spec import Kernel, Spec, inf, ulp

_nan = float("nan")


def _function(
    name: str,
    summary: str,
    latex: str,
    example: tuple[str, str],
    *,
    kernel: str = "",
    notes: str = "",
    source: str = "",
    cost: int = 100,
    **mathematics: Any,
) -> Spec:
    """Make the spec of a function; `mathematics` are facts of its kernel."""
    numpy = "" if "value" in mathematics else name
    mathematics.setdefault("value", getattr(np, name, None))
    mathematics.setdefault("max_ulp", ulp(1, 2))
    of = Kernel(name=kernel or name, **mathematics)
    return ufunc(
        name,
        ("x",),
        summary,
        latex,
        example,
        of.name,
        notes,
        cost,
        numpy=numpy,
        mathematics=of,
        source=source,
    )


def _erf_gradient(x: Any) -> Any:
    return constant(TWO_OVER_SQRT_PI, x.dtype)[0] * np.exp(-x * x)


_TABLE = (
    "P. T. P. Tang, Table-driven implementation of the exponential function, ACM TOMS 15 (1989)."
)
_LOG_TABLE = (
    "P. T. P. Tang, Table-driven implementation of the logarithm function, ACM TOMS 16 (1990)."
)
_PAYNE_HANEK = (
    "M. H. Payne, R. N. Hanek, Radian reduction for trigonometric functions, SIGNUM 18 (1983)."
)
_MILLS = (
    "M. M. Shepherd, J. G. Laframboise, Chebyshev approximation of (1 + 2x)exp(x**2)erfc x, Math. "
    "Comp. 36 (1981)."
)
_NOT_NUMPYS = (
    "A ufunc that NumPy does not have: float16, bfloat16, float32 and float64 keep their dtype, "
    "integers and bool compute in float64, and there are no complex numbers."
)
_ANGLES = "Angles of any size are reduced with as many digits of pi as it takes."

ELEMENTARY = (
    _function(
        "exp",
        "Exponential of each element.",
        "e^x",
        ("[0.0, 1.0]", "array([1.       , 2.71828183])"),
        kernel="exponential",
        source=_TABLE,
        formula="exp(x)",
        gradient=np.exp,
        range=(0.0, inf),
        limits=(0.0, inf),
        gradient_limits=(0.0, inf),
        max_ulp=ulp(1, 1),
    ),
    _function(
        "expm1",
        "Exponential of each element less 1, with all its digits near 0.",
        "e^x - 1",
        ("[0.0, 1e-20, 1.0]", "array([0.00000000e+00, 1.00000000e-20, 1.71828183e+00])"),
        source=_TABLE,
        formula="exp(x) - 1",
        gradient=np.exp,
        range=(-1.0, inf),
        limits=(-1.0, inf),
        gradient_limits=(0.0, inf),
    ),
    _function(
        "exp2",
        "2 to the power of each element.",
        "2^x",
        ("[0.0, 0.5, 10.0]", "array([1.00000000e+00, 1.41421356e+00, 1.02400000e+03])"),
        source=_TABLE,
        formula="exp(x * log(2))",
        gradient=lambda x: np.exp2(x) * np.log(x.dtype.type(2)),
        range=(0.0, inf),
        limits=(0.0, inf),
        gradient_limits=(0.0, inf),
    ),
    _function(
        "log",
        "Natural logarithm of each element; NaN below zero.",
        "\\ln x",
        ("[1.0, 10.0]", "array([0.       , 2.30258509])"),
        source=_LOG_TABLE,
        formula="log(x)",
        gradient=np.reciprocal,
        limits=(_nan, inf),
        gradient_limits=(_nan, 0.0),
        domain=(0.0, inf),
        max_ulp=ulp(1, 1),
    ),
    _function(
        "log1p",
        "Natural logarithm of 1 plus each element, with all its digits near 0; NaN below -1.",
        "\\ln(1 + x)",
        ("[0.0, 1e-20, 1.0]", "array([0.00000000e+00, 1.00000000e-20, 6.93147181e-01])"),
        source=_LOG_TABLE,
        formula="log(1 + x)",
        gradient=lambda x: 1 / (1 + x),
        limits=(_nan, inf),
        gradient_limits=(_nan, 0.0),
        domain=(-1.0, inf),
    ),
    _function(
        "log2",
        "Logarithm of each element to the base 2; NaN below zero.",
        "\\log_2 x",
        ("[1.0, 8.0, 10.0]", "array([0.        , 3.        , 3.32192809])"),
        source=_LOG_TABLE,
        formula="log(x) / log(2)",
        gradient=lambda x: 1 / (x * np.log(x.dtype.type(2))),
        limits=(_nan, inf),
        gradient_limits=(_nan, 0.0),
        domain=(0.0, inf),
    ),
    _function(
        "log10",
        "Logarithm of each element to the base 10; NaN below zero.",
        "\\log_{10} x",
        ("[1.0, 2.0, 1000.0]", "array([0.     , 0.30103, 3.     ])"),
        source=_LOG_TABLE,
        formula="log(x) / log(10)",
        gradient=lambda x: 1 / (x * np.log(x.dtype.type(10))),
        limits=(_nan, inf),
        gradient_limits=(_nan, 0.0),
        domain=(0.0, inf),
    ),
    _function(
        "sin",
        "Sine of each element, an angle in radians.",
        "\\sin x",
        ("[0.0, 1.0, 1e300]", "array([ 0.       ,  0.84147098, -0.81788191])"),
        notes=_ANGLES,
        source=_PAYNE_HANEK,
        cost=300,
        formula="sin(x)",
        gradient=np.cos,
        range=(-1.0, 1.0),
        limits=(_nan, _nan),
        gradient_limits=(_nan, _nan),
        max_ulp=ulp(1, 1),
    ),
    _function(
        "cos",
        "Cosine of each element, an angle in radians.",
        "\\cos x",
        ("[0.0, 1.0, 1e300]", "array([ 1.       ,  0.54030231, -0.57538611])"),
        notes=_ANGLES,
        source=_PAYNE_HANEK,
        cost=300,
        formula="cos(x)",
        gradient=lambda x: -np.sin(x),
        range=(-1.0, 1.0),
        limits=(_nan, _nan),
        gradient_limits=(_nan, _nan),
        max_ulp=ulp(1, 1),
    ),
    _function(
        "tan",
        "Tangent of each element, an angle in radians.",
        "\\tan x",
        ("[0.0, 1.0, 1e300]", "array([0.        , 1.55740772, 1.42144882])"),
        notes=_ANGLES,
        source=_PAYNE_HANEK,
        cost=300,
        formula="tan(x)",
        gradient=lambda x: 1 + np.square(np.tan(x)),
        limits=(_nan, _nan),
        gradient_limits=(_nan, _nan),
    ),
    _function(
        "sinh",
        "Hyperbolic sine of each element.",
        "\\sinh x = (e^x - e^{-x}) / 2",
        ("[0.0, 1e-20, 1.0]", "array([0.00000000e+00, 1.00000000e-20, 1.17520119e+00])"),
        source=_TABLE,
        formula="(exp(x) - exp(-x)) / 2",
        gradient=np.cosh,
        limits=(-inf, inf),
        gradient_limits=(inf, inf),
    ),
    _function(
        "cosh",
        "Hyperbolic cosine of each element.",
        "\\cosh x = (e^x + e^{-x}) / 2",
        ("[0.0, 1.0]", "array([1.        , 1.54308063])"),
        source=_TABLE,
        formula="(exp(x) + exp(-x)) / 2",
        gradient=np.sinh,
        range=(1.0, inf),
        limits=(inf, inf),
        gradient_limits=(-inf, inf),
    ),
    _function(
        "erf",
        "Error function of each element.",
        "\\frac{2}{\\sqrt\\pi} \\int_0^x e^{-t^2} dt",
        ("[0.0, 1.0]", "array([0.        , 0.84270079])"),
        value=erf,
        notes=_NOT_NUMPYS,
        source=_MILLS,
        formula="erf(x)",
        gradient=_erf_gradient,
        range=(-1.0, 1.0),
        limits=(-1.0, 1.0),
        gradient_limits=(0.0, 0.0),
    ),
    _function(
        "erfc",
        "Complementary error function of each element: 1 - erf(x) with all its digits.",
        "\\frac{2}{\\sqrt\\pi} \\int_x^\\infty e^{-t^2} dt",
        ("[0.0, 1.0, 10.0]", "array([1.00000000e+00, 1.57299207e-01, 2.08848758e-45])"),
        value=erfc,
        notes=_NOT_NUMPYS,
        source=_MILLS,
        formula="1 - erf(x)",
        gradient=lambda x: -_erf_gradient(x),
        range=(0.0, 2.0),
        limits=(2.0, 0.0),
        gradient_limits=(-0.0, -0.0),
    ),
    _function(
        "arctan",
        "Inverse tangent of each element, an angle from -pi/2 to pi/2.",
        "\\arctan x",
        ("[0.0, 1.0]", "array([0.        , 0.78539816])"),
        source="S. Gal, B. Bachelis, An accurate elementary mathematical library for the IEEE "
        "floating point standard, ACM TOMS 17 (1991).",
        formula="atan(x)",
        gradient=lambda x: 1 / (1 + x * x),
        range=(-np.pi / 2, np.pi / 2),
        limits=(-np.pi / 2, np.pi / 2),
        gradient_limits=(0.0, 0.0),
        max_ulp=ulp(1, 2),
    ),
    _function(
        "cbrt",
        "Cube root of each element, with its sign.",
        "\\sqrt[3]{x}",
        ("[8.0, -27.0]", "array([ 2., -3.])"),
        source="L. V. Moroz, C. J. Walczyk and others, Fast calculation of cube root and inverse "
        "cube root using a magic constant, Computation 9 (2021).",
        formula="cbrt(x)",
        gradient=lambda x: 1 / (3 * np.cbrt(x) ** 2),
        limits=(-inf, inf),
        gradient_limits=(0.0, 0.0),
        max_ulp=ulp(1, 2),
    ),
    _function(
        "rsqrt",
        "One divided by the square root of each element; NaN below zero.",
        "1 / \\sqrt{x}",
        ("[4.0, 0.25]", "array([0.5, 2. ])"),
        notes="Infinite at 0, with its sign.",
        source="L. V. Moroz and others, Modified fast inverse square root and square root "
        "approximation algorithms, Computation 9 (2021).",
        value=lambda x: 1 / np.sqrt(x),
        formula="1 / sqrt(x)",
        gradient=lambda x: -1 / (2 * x * np.sqrt(x)),
        range=(-inf, inf),
        limits=(_nan, 0.0),
        gradient_limits=(_nan, 0.0),
        domain=(0.0, inf),
        max_ulp=ulp(1, 2),
    ),
)
"""Their kernels hold what is measured of them: the reference, the formula, domain and bounds."""
