"""The exponential and the exponential linear units."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._core.domains import POSITIVE
from vekt._spec.math import constant, exp_sum, two_product
from vekt._spec.pointwise import activation
from vekt._spec.spec import Kink, Param, inf

# Beyond this e^-x has underflowed in every dtype.
_FAR = 12000.0

_EXPONENTIAL = activation(
    name="exponential",
    summary="Exponential function.",
    value=np.exp,
    gradient=np.exp,
    from_output=lambda y: y,
    formula="exp(x)",
    gradient_formula="exp(x)",
    curvature="exponential(x)",
    range=(0.0, inf),
    limits=(0.0, inf),
    gradient_limits=(0.0, inf),
    example=(0.3679, 1.0, 7.3891),
    gradient_example=(0.3679, 1.0, 7.3891),
    source="As in Keras 3.",
    use="Positive outputs, such as the rate of a Poisson distribution.",
    cost="One exponential.",
    compat="numpy.exp, torch.exp and jax.numpy.exp; no warning where the result overflows.",
)


def _negative(x: Any) -> Any:
    """`x` where it is negative, else 0; NaN stays."""
    return np.minimum(x, 0)


def _elu(x: Any, alpha: Any) -> Any:
    return np.where(x >= 0, x, alpha * np.expm1(_negative(x)))


def _elu_gradient(x: Any, alpha: Any) -> Any:
    return np.where(x > 0, 1, alpha * np.exp(_negative(x)))


_ELU = activation(
    name="elu",
    summary="Exponential linear unit.",
    params=(Param("alpha", 1.0, "The result tends to -alpha at -inf; any number."),),
    value=_elu,
    gradient=_elu_gradient,
    from_output=lambda y, alpha: np.where(y > 0, 1, y + alpha),
    formula="x if x > 0 else alpha * expm1(x)",
    gradient_formula="1 if x > 0 else alpha * exp(x)",
    curvature="where(x > 0, 0.0, alpha * exp(minimum(x, 0.0)))",
    range=(-1.0, inf),
    limits=(-1.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(-0.6321, 0.0, 2.0),
    gradient_example=(0.3679, 1.0, 1.0),
    kinks=(Kink(0.0, "alpha"),),
    source="D.-A. Clevert, T. Unterthiner, S. Hochreiter, arXiv:1511.07289 (2015).",
    use="Hidden layers whose mean output is to stay near zero, without batch normalization.",
    cost="One exponential.",
    compat=(
        "The gradient at 0 is alpha as in torch and JAX (TensorFlow: 1). JAX is up to 5 ULP off. "
        "The gradient from the output is that of alpha >= 0. torch's gradient at NaN is 1."
    ),
)


def _celu(x: Any, alpha: Any) -> Any:
    return np.where(x >= 0, x, alpha * np.expm1(_negative(x) / alpha))


def _celu_gradient(x: Any, alpha: Any) -> Any:
    """Exponential of the quotient as a sum of two, as its error would be magnified."""
    t = np.maximum(_negative(x), -_FAR * alpha)
    quotient = t / alpha
    product, product_low = two_product(quotient, alpha)
    return np.where(x > 0, 1, exp_sum(quotient, (t - product - product_low) / alpha))


_CELU = activation(
    name="celu",
    summary="Exponential linear unit whose derivative is continuous for every alpha.",
    params=(Param("alpha", 1.0, "The result tends to -alpha at -inf; positive.", least=POSITIVE),),
    value=_celu,
    gradient=_celu_gradient,
    from_output=lambda y, alpha: np.where(y > 0, 1, (y + alpha) / alpha),
    formula="max(x, 0) + min(0, alpha * expm1(x / alpha))",
    gradient_formula="1 if x > 0 else exp(x / alpha)",
    curvature="where(x > 0, 0.0, exp(minimum(x, 0.0) / alpha) / alpha)",
    range=(-1.0, inf),
    limits=(-1.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(-0.6321, 0.0, 2.0),
    gradient_example=(0.3679, 1.0, 1.0),
    source="J. T. Barron, arXiv:1704.07483 (2017).",
    use="As elu, where alpha is varied: its slope at zero stays 1.",
    cost="One exponential; the inverse of alpha once, where alpha is one number.",
    compat=(
        "As in Keras, torch and JAX; vekt keeps the digits that x / alpha loses by rounding. "
        "torch's gradient at NaN is 1; JAX's celu(-0.0) is 0.0."
    ),
)

_SCALE = "1.0507009873554804934193349852946"
_ALPHA = "1.6732632423543772848170429916717"
_SLOPE = "1.7580993408473768599402175208123193420602458089122"  # their product


def _selu(x: Any) -> Any:
    scale, slope = constant(_SCALE, x.dtype)[0], constant(_SLOPE, x.dtype)[0]
    return np.where(x >= 0, scale * x, slope * np.expm1(_negative(x)))


def _selu_gradient(x: Any) -> Any:
    scale, slope = constant(_SCALE, x.dtype)[0], constant(_SLOPE, x.dtype)[0]
    return np.where(x > 0, scale, slope * np.exp(_negative(x)))


def _selu_from_output(y: Any) -> Any:
    slope, slope_low = constant(_SLOPE, y.dtype)
    return np.where(y > 0, constant(_SCALE, y.dtype)[0], (y + slope) + slope_low)


_SELU = activation(
    name="selu",
    summary="Scaled exponential linear unit.",
    value=_selu,
    gradient=_selu_gradient,
    from_output=_selu_from_output,
    formula=f"{_SCALE} * (x if x > 0 else {_ALPHA} * expm1(x))",
    gradient_formula=f"{_SCALE} * (1 if x > 0 else {_ALPHA} * exp(x))",
    curvature=f"where(x > 0, 0.0, {_SLOPE} * exp(minimum(x, 0.0)))",
    range=(-float(_SLOPE), inf),
    limits=(-float(_SLOPE), inf),
    gradient_limits=(0.0, float(_SCALE)),
    example=(-1.1113, 0.0, 2.1014),
    gradient_example=(0.6468, 1.7581, 1.0507),
    kinks=(Kink(0.0, float(_SLOPE)),),
    source="G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, NeurIPS (2017).",
    use="Self-normalizing networks: layers keep zero mean and unit variance.",
    cost="One exponential.",
    compat=(
        "The constants of Keras, torch and JAX. The gradient at 0 is that of the left side as in "
        "torch and JAX (TensorFlow: 1.0507). torch's gradient at NaN is 1.0507."
    ),
)
