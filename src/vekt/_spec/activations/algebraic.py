"""Smooth functions of roots and quotients."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.pointwise import activation
from vekt._spec.spec import Param, inf, ulp


def _softsign(x: Any) -> Any:
    size = np.minimum(np.abs(x), 1e30)  # beyond, infinity included, the quotient is 1
    return np.copysign(size / (1 + size), x)


_SOFTSIGN = activation(
    name="softsign",
    summary="Sigmoid with tails of 1/x.",
    value=_softsign,
    gradient=lambda x: 1 / np.square(1 + np.abs(x)),
    from_output=lambda y: np.square(1 - np.abs(y)),
    formula="x / (1 + abs(x))",
    gradient_formula="1 / (1 + abs(x))**2",
    curvature="-2 * sign(x) / (1 + abs(x))**3",
    range=(-1.0, 1.0),
    limits=(-1.0, 1.0),
    gradient_limits=(0.0, 0.0),
    example=(-0.5, 0.0, 0.6667),
    gradient_example=(0.25, 1.0, 0.1111),
    source="J. Bergstra et al., Quadratic polynomials learn better image features (2009).",
    use="Hidden layers in place of tanh: it saturates more slowly.",
    cost="One division.",
    compat=(
        "Keras, torch and JAX give NaN at the infinities, where the limits are -1 and 1 and those "
        "of the gradient 0."
    ),
)


def _squareplus(x: Any, b: Any) -> Any:
    root = np.hypot(x, np.sqrt(b))
    below = b / (2 * (root + np.abs(x)))
    return np.where(x < 0, below, (x + root) / 2)


def _squareplus_gradient(x: Any, b: Any) -> Any:
    root = np.hypot(x, np.sqrt(b))
    below = b / (2 * root) / (root + np.abs(x))
    above = (1 + 1 / np.hypot(1, np.sqrt(b) / np.abs(x))) / 2
    return np.where(b == 0, np.where(np.isnan(x), x, x > 0), np.where(x < 0, below, above))


def _squareplus_from_output(y: Any, b: Any) -> Any:
    smooth = 1 / (1 + np.square(np.sqrt(b) / (2 * y)))
    return np.where(b == 0, np.where(np.isnan(y), y, y > 0), smooth)


_SQUAREPLUS = activation(
    name="squareplus",
    summary="Softplus without exponentials: a hyperbola between 0 and x.",
    params=(
        Param(
            "b",
            4.0,
            "Roundness, 0 or more: f(0) is sqrt(b)/2, and 0 gives relu. In float64 the bounds hold "
            "for 0 and from 1e-270 to 1e240.",
            least=0.0,
        ),
    ),
    value=_squareplus,
    gradient=_squareplus_gradient,
    from_output=_squareplus_from_output,
    formula="(x + sqrt(x**2 + b)) / 2",
    gradient_formula="(1 + x / sqrt(x**2 + b)) / 2",
    curvature="0.5 * b * (x * x + b)**-1.5",
    range=(0.0, inf),
    limits=(0.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(0.618, 1.0, 2.4142),
    gradient_example=(0.2764, 0.5, 0.8536),
    jit_max_ulp=ulp(1, 3),
    source="J. T. Barron, Squareplus: a softplus-like rectifier, arXiv:2112.11687 (2021).",
    use="A smooth relu where exponentials are dear; its tail falls like 1/x.",
    cost="One square root.",
    compat=(
        "The default is that of Keras and JAX; torch has no such function. Theirs cancels for "
        "x < 0: from -6144 down their float32 results have no correct digit, and -inf gives NaN, "
        "as does their gradient where x**2 overflows."
    ),
)
