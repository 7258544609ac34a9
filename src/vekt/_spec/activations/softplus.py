"""Logarithms of 1 + e^x and of 1 - e^-x."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.activations.logistic import sigmoid
from vekt._spec.math import exp_sum, two_product
from vekt._spec.pointwise import activation
from vekt._spec.spec import Kernel, Param, inf, ulp


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _scaled(x: Any, beta: Any) -> tuple[Any, Any]:
    """Return z = beta * x and exp(-abs(z)), without the error of rounding z in the tail."""
    z, error = two_product(beta, x)
    error = np.where(np.isfinite(error), error, 0)  # the splitting overflows early, far from 0
    return z, exp_sum(-np.abs(z), -np.sign(z) * error)


def _softplus_general(x: Any, beta: Any) -> Any:
    z, e = _scaled(x, beta)
    return np.where(z > 0, x, 0) + np.log1p(e) / beta


def _softplus_general_gradient(x: Any, beta: Any) -> Any:
    z, e = _scaled(x, beta)
    return np.where(z < 0, e, 1) / (1 + e)


_SOFTPLUS = activation(
    name="softplus",
    summary="Smooth relu: the logarithm of 1 + exp(x).",
    params=(Param("beta", 1.0, "Sharpness of the bend at 0; not 0."),),
    kernels=(
        Kernel(
            name="softplus",
            value=_softplus,
            gradient=sigmoid,
            from_output=lambda y: -np.expm1(-np.abs(y)),
            formula="log(1 + exp(x))",
            gradient_formula="sigmoid(x)",
            curvature="d_sigmoid(x)",
            range=(0.0, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(0.3133, 0.6931, 2.1269),
            gradient_example=(0.2689, 0.5, 0.8808),
        ),
        Kernel(
            name="softplus_general",
            value=_softplus_general,
            gradient=_softplus_general_gradient,
            params=("beta",),
            formula="log(1 + exp(beta * x)) / beta",
            gradient_formula="sigmoid(beta * x)",
            curvature="beta * d_sigmoid(beta * x)",
            range=(0.0, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(0.3133, 0.6931, 2.1269),
            gradient_example=(0.2689, 0.5, 0.8808),
            jit_max_ulp=ulp(1, 3),
        ),
    ),
    source="C. Dugas et al., NIPS 13 (2000) 472-478; beta as in torch.",
    use="Positive outputs such as variances and rates; a relu with a gradient everywhere.",
    cost="One exponential and one logarithm.",
    compat=(
        "Keras and JAX have no beta. torch returns x where beta * x exceeds its threshold of 20, "
        "an approximation that float64 results show; vekt has no threshold. In float32, JAX gives "
        "0 from x = -87.4 down, where results are subnormal; torch and vekt keep them."
    ),
)

_LOG_SIGMOID = activation(
    name="log_sigmoid",
    summary="Logarithm of the logistic sigmoid.",
    value=lambda x: -_softplus(-x),
    gradient=lambda x: sigmoid(-x),
    from_output=lambda y: -np.expm1(-np.abs(y)),
    formula="-log(1 + exp(-x))",
    gradient_formula="sigmoid(-x)",
    curvature="-d_sigmoid(x)",
    range=(-inf, 0.0),
    limits=(-inf, 0.0),
    gradient_limits=(1.0, 0.0),
    example=(-1.3133, -0.6931, -0.1269),
    gradient_example=(0.7311, 0.5, 0.1192),
    source="Keras 3, torch.nn.LogSigmoid and jax.nn.log_sigmoid.",
    use="Log-likelihood of a binary label; preference losses.",
    cost="One exponential and one logarithm.",
    compat=(
        "In float32, JAX gives 0 from x = 87.4 up, where results are subnormal; torch and vekt "
        "keep them. At inf torch's result is 0.0, that of JAX and vekt -0.0."
    ),
)


def _log1mexp(x: Any) -> Any:
    near, far = np.log(-np.expm1(-x)), np.log1p(-np.exp(-x))
    return np.where(x < 0, np.nan, np.where(x < 0.7, near, far))


def _log1mexp_gradient(x: Any) -> Any:
    t = np.abs(x)
    return np.where(x < 0, np.nan, np.exp(-t) / -np.expm1(-t))


_LOG1MEXP = activation(
    name="log1mexp",
    summary="Logarithm of 1 - exp(-x), for x >= 0.",
    value=_log1mexp,
    gradient=_log1mexp_gradient,
    from_output=lambda y: np.expm1(np.abs(y)),
    formula="log(1 - exp(-x))",
    gradient_formula="1 / expm1(x)",
    curvature="-d_log1mexp(x) * (1 + d_log1mexp(x))",
    domain=(0.0, inf),
    range=(-inf, 0.0),
    limits=(float("nan"), 0.0),
    gradient_limits=(float("nan"), 0.0),
    example=(float("nan"), -inf, -0.1454),
    gradient_example=(float("nan"), inf, 0.1565),
    source="M. Maechler, Accurately computing log(1 - exp(-|a|)), R package Rmpfr (2012).",
    use="Probability of the complement, where probabilities are kept as logarithms.",
    cost="One exponential and one logarithm.",
    compat="As jax.nn.log1mexp: -inf at 0, NaN below. Keras and torch have no such function. "
    "Where the derivative is beyond the range of the dtype, gradients are infinite for any dy.",
)
