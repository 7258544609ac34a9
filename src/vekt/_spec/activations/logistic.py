"""The logistic function and what is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.pointwise import activation


def sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def _sigmoid_gradient(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return e / ((1 + e) * (1 + e))


_SIGMOID = activation(
    name="sigmoid",
    summary="Logistic sigmoid.",
    value=sigmoid,
    gradient=_sigmoid_gradient,
    from_output=lambda y: y * (1 - y),
    formula="1 / (1 + exp(-x))",
    gradient_formula="sigmoid(x) * (1 - sigmoid(x))",
    curvature="d_sigmoid(x) * (1 - 2 * sigmoid(x))",
    range=(0.0, 1.0),
    limits=(0.0, 1.0),
    gradient_limits=(0.0, 0.0),
    example=(0.2689, 0.5, 0.8808),
    gradient_example=(0.1966, 0.25, 0.105),
    source="D. E. Rumelhart, G. E. Hinton, R. J. Williams, Nature 323 (1986) 533-536.",
    use="Probability of a binary label in the output layer; gates of recurrent networks.",
    cost="One exponential and one division.",
    compat=(
        "In float32, JAX gives 0 from x = -87.4 down, where results are subnormal, and torch from "
        "x = -88.8 down; vekt keeps the tail to the last subnormal number."
    ),
    aliases=("expit",),
)


def _tanh_gradient(x: Any) -> Any:
    e = np.exp(-2 * np.abs(x))
    return 4 * e / ((1 + e) * (1 + e))


_TANH = activation(
    name="tanh",
    summary="Hyperbolic tangent.",
    value=np.tanh,
    gradient=_tanh_gradient,
    from_output=lambda y: (1 - y) * (1 + y),
    formula="(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    gradient_formula="1 - tanh(x)**2",
    curvature="-2 * tanh(x) * d_tanh(x)",
    range=(-1.0, 1.0),
    limits=(-1.0, 1.0),
    gradient_limits=(0.0, 0.0),
    example=(-0.7616, 0.0, 0.964),
    gradient_example=(0.42, 1.0, 0.0707),
    source="Y. LeCun, L. Bottou, G. B. Orr, K.-R. Mueller, Efficient BackProp (1998).",
    use="Hidden layers with outputs centred on zero; states of recurrent networks.",
    cost="One exponential and one division.",
    compat=(
        "The gradient keeps its relative accuracy in the tail, where 1 - tanh(x)**2 loses it. "
        "vekt.tanh takes complex numbers, by NumPy's loops; vekt.jit and vekt.reference do not."
    ),
)
