"""The elementary functions of one operand, whose results are rounded more than once."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.elementwise_forms import ufunc
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
    """Make the spec of a function of NumPy's; `mathematics` are facts of its kernel."""
    numpy = getattr(np, name, None)
    mathematics.setdefault("value", numpy)
    of = Kernel(name=kernel or name, **mathematics)
    others = {} if numpy else {"numpy": "", "see_also": ""}
    return ufunc(
        name,
        ("x",),
        summary,
        latex,
        example,
        of.name,
        notes,
        cost,
        mathematics=of,
        source=source,
        **others,
    )


_TABLE = (
    "P. T. P. Tang, Table-driven implementation of the exponential function, ACM TOMS 15 (1989)."
)
_LOG_TABLE = (
    "P. T. P. Tang, Table-driven implementation of the logarithm function, ACM TOMS 16 (1990)."
)
_PAYNE_HANEK = (
    "M. H. Payne, R. N. Hanek, Radian reduction for trigonometric functions, SIGNUM 18 (1983)."
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
        max_ulp=ulp(1, 2),
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
        max_ulp=ulp(1, 2),
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
        "arctan",
        "Inverse tangent of each element, an angle from -pi/2 to pi/2.",
        "\\arctan x",
        ("[0.0, 1.0, inf]", "array([0.        , 0.78539816, 1.57079633])"),
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
