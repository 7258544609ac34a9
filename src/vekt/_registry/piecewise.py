"""Piecewise linear and quadratic functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._op import Kernel, Kink, Op, Param, inf


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

OPS = (_RELU, _LEAKY_RELU)
