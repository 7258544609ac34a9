"""x times the logistic function and its like, and x - tanh(x)."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.math import from_root
from vekt._spec.pointwise import activation
from vekt._spec.spec import inf, ulp

# e**-x has underflowed here in every dtype.
_FAR = 12000.0


def _silu(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.maximum(x, -_FAR) * np.where(x < 0, e, 1) / (1 + e)


def _silu_gradient(x: Any) -> Any:
    return from_root(x, _SILU_ROOT, _silu_curvature, _silu_gradient_far)


def _silu_gradient_far(x: Any) -> Any:
    t = np.minimum(np.abs(x), _FAR)
    e = np.exp(-t)
    tail = e * (1 + e - t) / ((1 + e) * (1 + e))
    return np.where(x < 0, tail, 1 - tail)


def _silu_curvature(x: Any) -> Any:
    s = 1 / (1 + np.exp(-x))
    return s * (1 - s) * (2 + x * (1 - 2 * s))


_SILU_ROOT = "-1.2784645427610737951093587390229801554394769660232"

_SILU = activation(
    name="silu",
    summary="Sigmoid linear unit: x times its logistic sigmoid.",
    value=_silu,
    gradient=_silu_gradient,
    formula="x / (1 + exp(-x))",
    gradient_formula="sigmoid(x) * (1 + x * (1 - sigmoid(x)))",
    curvature="d_sigmoid(x) * (2 + x * (1 - 2 * sigmoid(x)))",
    range=(-0.27846454276107380, inf),
    limits=(0.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(-0.2689, 0.0, 1.7616),
    gradient_example=(0.0723, 0.5, 1.0908),
    roots=(_SILU_ROOT,),
    source="S. Elfwing, E. Uchibe, K. Doya, Neural Networks 107 (2018) 3-11.",
    use="Hidden layers of vision networks; half of the gate SwiGLU of language models.",
    cost="One exponential and one division.",
    compat=(
        "In float32, JAX gives 0 from x = -87.4 down, and torch from x = -88.8 down; vekt keeps "
        "the tail to the last subnormal number. At -inf they and Keras give NaN, as their "
        "gradients do at both infinities; here these are the limits."
    ),
    aliases=("swish",),
)


def _mish_terms(x: Any) -> tuple[Any, Any, Any]:
    """Return e = exp(-abs(x)), n = e^2x + 2 e^x and n + 2, divided by e^2x where x >= 0."""
    e = np.exp(-np.abs(x))
    n = np.where(x < 0, e * (2 + e), 1 + 2 * e)
    return e, n, n + np.where(x < 0, 2, 2 * e * e)


def _mish(x: Any) -> Any:
    _, n, d = _mish_terms(x)
    return np.maximum(x, -_FAR) * n / d


def _mish_gradient(x: Any) -> Any:
    return from_root(x, _MISH_ROOT, _mish_curvature, _mish_gradient_far)


def _mish_gradient_far(x: Any) -> Any:
    e, n, d = _mish_terms(x)
    x = np.clip(x, -_FAR, _FAR)
    # e before a negative sum, so that the sign stays where it underflows
    factor, first = np.where(x < 0, e, 1), np.where(x < 0, 2 + e, n)
    return factor * (first * d + 4 * x * np.where(x < 0, 1, e * e) * (1 + e)) / (d * d)


def _mish_curvature(x: Any) -> Any:
    _, n, d = _mish_terms(x)
    w, s = n / d, 1 / (1 + np.exp(-x))
    slope = (1 - w * w) * s
    return slope * (2 + x * (1 - s - 2 * w * s))


_MISH_ROOT = "-1.192431214515495212137588340420739405600686409321"

_MISH = activation(
    name="mish",
    summary="x times the hyperbolic tangent of its softplus.",
    value=_mish,
    gradient=_mish_gradient,
    formula="x * (1 - 2 / (exp(x)**2 + 2 * exp(x) + 2))",
    gradient_formula="tanh(softplus(x)) + x * sigmoid(x) * (1 - tanh(softplus(x))**2)",
    curvature=(
        # x t with t = tanh(u), u = softplus(x), u' = sigmoid(x)
        "2 * d_tanh(softplus(x)) * sigmoid(x) + x * d_tanh(softplus(x)) "
        "* (d_sigmoid(x) - 2 * tanh(softplus(x)) * sigmoid(x)**2)"
    ),
    range=(-0.30884341301725041, inf),
    limits=(0.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(-0.3034, 0.0, 1.944),
    gradient_example=(0.0592, 0.6, 1.0693),
    roots=(_MISH_ROOT,),
    jit_max_ulp=ulp(1, 4),
    jit_gradient_max_ulp=ulp(1, 7),
    source="D. Misra, arXiv:1908.08681 (2019).",
    use="Hidden layers of object detectors; a smooth relu that is a little below 0 for x < 0.",
    cost="One exponential and one division.",
    compat=(
        "torch and JAX take a logarithm and a hyperbolic tangent. In float32, JAX gives 0 from "
        "x = -87.4 down; torch and vekt keep the tail. At -inf they and Keras give NaN, as their "
        "gradients do "
        "at both infinities; here these are the limits."
    ),
)


def _tanh_shrink(x: Any) -> Any:
    """Near 0 by Lambert's fraction: tanh(x) = x/(1 + x^2/(3 + x^2/(5 + ...)))."""
    square = np.minimum(x * x, 4)
    fraction = np.full_like(x, 61.0)
    for k in range(59, 1, -2):
        fraction = k + square / fraction
    fraction = square / fraction
    return np.where(np.abs(x) < 1.5, x * fraction / (1 + fraction), x - np.tanh(x))


_TANH_SHRINK = activation(
    name="tanh_shrink",
    summary="x minus its hyperbolic tangent.",
    value=_tanh_shrink,
    gradient=lambda x: np.tanh(x) * np.tanh(x),
    formula="x - tanh(x)",
    gradient_formula="tanh(x)**2",
    curvature="2 * tanh(x) * d_tanh(x)",
    limits=(-inf, inf),
    gradient_limits=(1.0, 1.0),
    example=(-0.2384, 0.0, 1.036),
    gradient_example=(0.58, 0.0, 0.9293),
    jit_max_ulp=ulp(1, 4),
    source="Keras 3 and torch.nn.Tanhshrink.",
    use="Shrinkage of small coefficients in sparse coding.",
    cost="A polynomial; in float64 one exponential and one division.",
    compat=(
        "Keras, torch and JAX subtract, which cancels: at x = 0.01 their float32 results have "
        "lost half of their digits; vekt loses none, and keeps x**3 / 3 down to subnormal numbers, "
        "and the sign of -0.0, for which the others give 0.0."
    ),
)
