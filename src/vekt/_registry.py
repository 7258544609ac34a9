"""The registry: one row per operation, from which everything about it follows.

Public functions, docstrings, type stubs, tests, accuracy sweeps, benchmarks and the tables of the
documentation are all made from these rows.  The reference functions stand above their row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._op import Kernel, Kink, Op, Param, inf, ulp
from ._reference_math import (
    INV_SQRT_2PI,
    constant,
    exp_sum,
    from_root,
    gaussian,
    scaled_normal_tail,
    two_product,
)

__all__ = ["KERNELS", "OPS", "Kernel", "Kink", "Op", "Param"]

# Every exponential tail below has underflowed here, in every dtype.
_FAR = 200.0


def _sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def _sigmoid_gradient(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return e / ((1 + e) * (1 + e))


_SIGMOID = Op(
    name="sigmoid",
    summary="Logistic sigmoid.",
    kernels=(
        Kernel(
            name="sigmoid",
            value=_sigmoid,
            gradient=_sigmoid_gradient,
            from_output=lambda y: y * (1 - y),
            formula="1 / (1 + exp(-x))",
            range=(0.0, 1.0),
            limits=(0.0, 1.0),
            gradient_limits=(0.0, 0.0),
            example=(0.2689, 0.5, 0.8808),
            gradient_example=(0.1966, 0.25, 0.105),
            jit_max_ulp=ulp(1, 3),
            jit_gradient_max_ulp=ulp(1, 5),
        ),
    ),
    source="D. E. Rumelhart, G. E. Hinton, R. J. Williams, Nature 323 (1986) 533-536.",
    use="Probability of a binary label in the output layer; gates of recurrent networks.",
    cost="One exponential and one division.",
    compat="torch and JAX flush the subnormal tail (x < -87.3 in float32) to zero; vekt keeps it.",
)


def _tanh_gradient(x: Any) -> Any:
    e = np.exp(-2 * np.abs(x))
    return 4 * e / ((1 + e) * (1 + e))


_TANH = Op(
    name="tanh",
    summary="Hyperbolic tangent.",
    kernels=(
        Kernel(
            name="tanh",
            value=np.tanh,
            gradient=_tanh_gradient,
            from_output=lambda y: (1 - y) * (1 + y),
            formula="(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
            range=(-1.0, 1.0),
            limits=(-1.0, 1.0),
            gradient_limits=(0.0, 0.0),
            example=(-0.7616, 0.0, 0.964),
            gradient_example=(0.42, 1.0, 0.0707),
            jit_max_ulp=ulp(1, 3),
            jit_gradient_max_ulp=ulp(1, 5),
        ),
    ),
    source="Y. LeCun, L. Bottou, G. B. Orr, K.-R. Mueller, Efficient BackProp (1998).",
    use="Hidden layers with outputs centred on zero; states of recurrent networks.",
    cost="One exponential and one division.",
    compat="The gradient keeps its relative accuracy in the tail, where 1 - tanh(x)**2 loses it.",
)


def _sloped(slope: Any, x: Any) -> Any:
    """`slope * x`, and 0 for slope 0 at infinity too."""
    return np.where(slope == 0, 0, slope * x)


def _relu_gradient(x: Any) -> Any:
    return np.where(np.isnan(x), x, x > 0)


def _relu_general(x: Any, negative_slope: Any, max_value: Any, threshold: Any) -> Any:
    below = _sloped(negative_slope, x - threshold)
    return np.where(x >= max_value, max_value, np.where(x < threshold, below, x))


def _relu_general_gradient(x: Any, negative_slope: Any, max_value: Any, threshold: Any) -> Any:
    slope = np.where(x <= threshold, negative_slope, 1)
    slope = np.where((x >= max_value) & (max_value < inf), 0, slope)
    return np.where(np.isnan(x), x, slope)


_RELU = Op(
    name="relu",
    summary="Rectified linear unit, with slope, cap and threshold.",
    params=(
        Param("negative_slope", 0.0, "Slope below the threshold."),
        Param("max_value", None, "Cap of the result; None for no cap.", none_means=inf),
        Param("threshold", 0.0, "Where the identity begins."),
    ),
    kernels=(
        Kernel(
            name="relu",
            value=lambda x: np.maximum(x, 0),
            gradient=_relu_gradient,
            formula="max(x, 0)",
            range=(0.0, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(0.0, 0.0, 2.0),
            gradient_example=(0.0, 0.0, 1.0),
            kinks=(Kink(0.0, 0.0),),
        ),
        Kernel(
            name="relu_general",
            value=_relu_general,
            gradient=_relu_general_gradient,
            params=("negative_slope", "max_value", "threshold"),
            formula=(
                "max_value if x >= max_value else x if x >= threshold "
                "else negative_slope * (x - threshold)"
            ),
            range=(0.0, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(0.0, 0.0, 2.0),
            gradient_example=(0.0, 0.0, 1.0),
            kinks=(Kink("threshold", "negative_slope"), Kink("max_value", 0.0)),
        ),
    ),
    source="V. Nair, G. E. Hinton, ICML (2010); parameters as in Keras 3.",
    use="The usual hidden layer: cheap, and its gradient does not vanish for x > 0.",
    cost="One comparison.",
    compat="As in Keras. torch and JAX take no parameters; all agree that relu'(0) is 0.",
)


def _leaky_relu(x: Any, negative_slope: Any) -> Any:
    return np.where(x < 0, _sloped(negative_slope, x), x)


def _leaky_relu_gradient(x: Any, negative_slope: Any) -> Any:
    return np.where(np.isnan(x), x, np.where(x > 0, 1, negative_slope))


_LEAKY_RELU = Op(
    name="leaky_relu",
    summary="Rectified linear unit that lets a part of negative values through.",
    params=(Param("negative_slope", 0.2, "Slope for x <= 0."),),
    kernels=(
        Kernel(
            name="leaky_relu",
            value=_leaky_relu,
            gradient=_leaky_relu_gradient,
            params=("negative_slope",),
            formula="x if x > 0 else negative_slope * x",
            range=(-inf, inf),
            limits=(-inf, inf),
            gradient_limits=(0.2, 1.0),
            example=(-0.2, 0.0, 2.0),
            gradient_example=(0.2, 0.2, 1.0),
            kinks=(Kink(0.0, "negative_slope"),),
        ),
    ),
    source="A. L. Maas, A. Y. Hannun, A. Y. Ng, ICML (2013).",
    use="Hidden layers where plain relu units die: the gradient is never zero.",
    cost="One comparison and one product.",
    compat=(
        "The default slope is that of Keras (torch and JAX: 0.01). The gradient at 0 is "
        "negative_slope as in torch (JAX: 1). Slopes above 1 are honoured."
    ),
)


def _gelu(x: Any) -> Any:
    t = np.minimum(np.abs(x), _FAR)
    return np.maximum(x, 0) - t * gaussian(t) * scaled_normal_tail(t)


def _gelu_gradient(x: Any) -> Any:
    return from_root(x, _GELU_ROOT, _gelu_curvature, _gelu_gradient_far)


def _gelu_gradient_far(x: Any) -> Any:
    t = np.minimum(np.abs(x), _FAR)
    tail = gaussian(t) * (scaled_normal_tail(t) - t * constant(INV_SQRT_2PI, x.dtype)[0])
    return np.where(x < 0, tail, 1 - tail)


def _gelu_curvature(x: Any) -> Any:
    return gaussian(x) * constant(INV_SQRT_2PI, x.dtype)[0] * (2 - x * x)


_GELU_ROOT = "-0.75179152469356445745790494677952403966447115342345"

# gelu_tanh(x) = x * sigmoid(v) with v = x * (K1 + K3 * x**2): K1 = sqrt(8/pi), K3 = 0.044715 K1.
GELU_TANH_K1 = "1.59576912160573071175978423973752747390343452465974"
GELU_TANH_K3 = "0.07135481627260024877633875227986354099559207477016"
_GELU_TANH_ROOT = "-0.75246142207101625848795444328891609060539217803763"


def _gelu_tanh_exponential(x: Any) -> Any:
    """exp(-abs(v)) with v kept as a sum of two numbers, as its error would be magnified."""
    (k1, k1_low), (k3, k3_low) = constant(GELU_TANH_K1, x.dtype), constant(GELU_TANH_K3, x.dtype)
    t = np.minimum(np.abs(x), _FAR)
    square, square_low = two_product(t, t)
    cubic, cubic_low = two_product(k3, square)
    factor = k1 + cubic
    larger, smaller = np.maximum(k1, cubic), np.minimum(k1, cubic)
    factor_low = smaller - (factor - larger) + (cubic_low + k3 * square_low + k3_low * square)
    v, v_low = two_product(t, factor)
    return exp_sum(-v, -(v_low + t * (factor_low + k1_low)))


def _gelu_tanh(x: Any) -> Any:
    e = _gelu_tanh_exponential(x)
    return np.maximum(x, -_FAR) * np.where(x < 0, e, 1) / (1 + e)


def _gelu_tanh_gradient(x: Any) -> Any:
    return from_root(x, _GELU_TANH_ROOT, _gelu_tanh_curvature, _gelu_tanh_gradient_far)


def _gelu_tanh_gradient_far(x: Any) -> Any:
    e = _gelu_tanh_exponential(x)
    x = np.clip(x, -_FAR, _FAR)
    slope = constant(GELU_TANH_K1, x.dtype)[0] + 3 * constant(GELU_TANH_K3, x.dtype)[0] * x * x
    return (np.where(x < 0, e, 1) + x * slope * e / (1 + e)) / (1 + e)


def _gelu_tanh_curvature(x: Any) -> Any:
    k1, k3 = constant(GELU_TANH_K1, x.dtype)[0], constant(GELU_TANH_K3, x.dtype)[0]
    slope = k1 + 3 * k3 * x * x
    s = _sigmoid(x * (k1 + k3 * x * x))
    return s * (1 - s) * (2 * slope + x * ((1 - 2 * s) * slope * slope + 6 * k3 * x))


_GELU = Op(
    name="gelu",
    summary="Gaussian error linear unit.",
    params=(
        Param("approximate", False, "Whether to use the tanh form in place of erf.", kind="flag"),
    ),
    kernels=(
        Kernel(
            name="gelu",
            value=_gelu,
            gradient=_gelu_gradient,
            flags={"approximate": False},
            formula="x * (1 + erf(x / sqrt(2))) / 2",
            range=(-0.16997120747990369, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(-0.1587, 0.0, 1.9545),
            gradient_example=(-0.0833, 0.5, 1.0852),
            roots=(_GELU_ROOT,),
            jit_max_ulp=ulp(1, 5),
            jit_gradient_max_ulp=ulp(1, 32),
        ),
        Kernel(
            name="gelu_tanh",
            value=_gelu_tanh,
            gradient=_gelu_tanh_gradient,
            flags={"approximate": True},
            formula="x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2",
            range=(-0.17004075057125406, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(-0.1588, 0.0, 1.9546),
            gradient_example=(-0.083, 0.5, 1.0861),
            roots=(_GELU_TANH_ROOT,),
            jit_max_ulp=ulp(1, 4),
            jit_gradient_max_ulp=ulp(1, 32),
        ),
    ),
    source="D. Hendrycks, K. Gimpel, arXiv:1606.08415 (2016).",
    use="Feed-forward layers of transformers; a smooth relu.",
    cost="One exponential, a rational function and one division.",
    compat=(
        "approximate=False is the default of Keras and torch; JAX approximates by default. "
        "Their float32 results lose all digits from x = -5.5 down; vekt keeps them all."
    ),
)

OPS: dict[str, Op] = {op.name: op for op in (_SIGMOID, _TANH, _RELU, _LEAKY_RELU, _GELU)}
KERNELS: dict[str, Kernel] = {kernel.name: kernel for op in OPS.values() for kernel in op.kernels}
