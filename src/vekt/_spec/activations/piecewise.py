"""Piecewise linear and quadratic functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.pointwise import activation
from vekt._spec.spec import Kernel, Kink, Param, inf, ulp


def _sloped(slope: Any, x: Any) -> Any:
    """`slope * x`, and 0 for slope 0 at infinity too."""
    return np.where(slope == 0, 0, slope * x)


def _relu_gradient(x: Any) -> Any:
    return np.where(np.isnan(x), x, x > 0)


def _inside(x: Any, low: Any, high: Any, slope: Any = 1) -> Any:
    """`slope` between the bounds, 0 at and beyond them."""
    return np.where(np.isnan(x), x, np.where((low < x) & (x < high), slope, 0))


def _clip(x: Any, low: Any, high: Any) -> Any:
    above = np.where(x < low, low, x)
    return np.where(above > high, high, above)


def _relu_general(x: Any, negative_slope: Any, max_value: Any, threshold: Any) -> Any:
    below = _sloped(negative_slope, x - threshold)
    return np.where(x >= max_value, max_value, np.where(x <= threshold, below, x))


def _relu_general_gradient(x: Any, negative_slope: Any, max_value: Any, threshold: Any) -> Any:
    slope = np.where(x <= threshold, negative_slope, 1)
    slope = np.where((x >= max_value) & (max_value < inf), 0, slope)
    return np.where(np.isnan(x), x, slope)


_RELU = activation(
    name="relu",
    summary="Rectified linear unit, with slope, cap and threshold.",
    params=(
        Param("negative_slope", 0.0, "Slope up to the threshold; any number."),
        Param(
            "max_value",
            None,
            "Cap of the result, not below `threshold`; None for no cap.",
            none_means=inf,
        ),
        Param("threshold", 0.0, "Where the identity begins; any number."),
    ),
    kernels=(
        Kernel(
            name="relu",
            value=lambda x: np.where(x < 0, 0, x),
            gradient=_relu_gradient,
            from_output=_relu_gradient,
            formula="max(x, 0)",
            gradient_formula="1 if x > 0 else 0",
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
                "max_value if x >= max_value else x if x > threshold "
                "else negative_slope * (x - threshold)"
            ),
            gradient_formula=("0 if x >= max_value else 1 if x > threshold else negative_slope"),
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
    compat=(
        "As in Keras, which on NumPy gives 0 at NaN where there is a threshold. torch and JAX take "
        "no parameters; all agree that relu'(0) is 0. "
        "The gradient at NaN is NaN (torch: 1, JAX: 0). relu(-0.0) is -0.0 as in torch (JAX: 0.0)."
    ),
)


def _leaky_relu(x: Any, negative_slope: Any) -> Any:
    return np.where(x < 0, _sloped(negative_slope, x), x)


def _leaky_relu_gradient(x: Any, negative_slope: Any) -> Any:
    return np.where(np.isnan(x), x, np.where(x > 0, 1, negative_slope))


_LEAKY_RELU = activation(
    name="leaky_relu",
    summary="Rectified linear unit that lets a part of negative values through.",
    params=(
        Param(
            "negative_slope",
            0.2,
            "Slope for x <= 0; above 0 where the gradient is taken from the output.",
        ),
    ),
    value=_leaky_relu,
    gradient=_leaky_relu_gradient,
    from_output=_leaky_relu_gradient,
    formula="x if x > 0 else negative_slope * x",
    gradient_formula="1 if x > 0 else negative_slope",
    limits=(-inf, inf),
    gradient_limits=(0.2, 1.0),
    example=(-0.2, 0.0, 2.0),
    gradient_example=(0.2, 0.2, 1.0),
    kinks=(Kink(0.0, "negative_slope"),),
    source="A. L. Maas, A. Y. Hannun, A. Y. Ng, ICML (2013).",
    use="Hidden layers where plain relu units die: the gradient is never zero.",
    cost="One comparison and one product.",
    compat=(
        "The default slope is that of Keras (torch and JAX: 0.01). The gradient at 0 is "
        "negative_slope as in torch (JAX: 1), at NaN NaN (torch and JAX: 0). A slope of 0 gives 0 "
        "at -inf (torch and JAX: NaN, Keras on NumPy at both infinities). Slopes above 1 are "
        "honoured."
    ),
)

_RELU6 = activation(
    name="relu6",
    summary="Rectified linear unit that stops at 6.",
    value=lambda x: _clip(x, 0, 6),
    gradient=lambda x: _inside(x, 0, 6),
    from_output=lambda y: _inside(y, 0, 6),
    formula="min(max(x, 0), 6)",
    gradient_formula="1 if 0 < x < 6 else 0",
    range=(0.0, 6.0),
    limits=(0.0, 6.0),
    gradient_limits=(0.0, 0.0),
    example=(0.0, 0.0, 2.0),
    gradient_example=(0.0, 0.0, 1.0),
    kinks=(Kink(0.0, 0.0), Kink(6.0, 0.0)),
    source="A. Krizhevsky, Convolutional deep belief networks on CIFAR-10 (2010).",
    use="Networks for phones and fixed-point arithmetic, where a bound saves bits.",
    cost="Two comparisons.",
    compat=(
        "Keras, torch and JAX agree, except at NaN, where the gradient is NaN (torch: 1, JAX: 0)."
    ),
)

_HARD_TANH = activation(
    name="hard_tanh",
    summary="The identity, clipped.",
    params=(
        Param("min_value", -1.0, "Lower bound; any number."),
        Param("max_value", 1.0, "Upper bound, not below the lower one."),
    ),
    value=_clip,
    gradient=_inside,
    from_output=_inside,
    formula="min(max(x, min_value), max_value)",
    gradient_formula="1 if min_value < x < max_value else 0",
    range=(-1.0, 1.0),
    limits=(-1.0, 1.0),
    gradient_limits=(0.0, 0.0),
    example=(-1.0, 0.0, 1.0),
    gradient_example=(0.0, 1.0, 0.0),
    kinks=(Kink("min_value", 0.0), Kink("max_value", 0.0)),
    source="R. Collobert, Large scale machine learning, thesis, Paris 6 (2004).",
    use="A cheap tanh for recurrent and binarized networks.",
    cost="Two comparisons.",
    compat=(
        "Keras and JAX have no bounds; torch calls them min_val and max_val. The gradient at the "
        "bounds is 0 as in torch (JAX: 1), at NaN NaN (torch and JAX: 1)."
    ),
)

_HARD_SIGMOID = activation(
    name="hard_sigmoid",
    summary="Piecewise linear approximation of the logistic sigmoid.",
    value=lambda x: (_clip(x, -3, 3) + 3) / 6,
    gradient=lambda x: _inside(x, -3, 3, x.dtype.type(1) / 6),
    from_output=lambda y: _inside(y, 0, 1, y.dtype.type(1) / 6),
    formula="min(max(x + 3, 0), 6) / 6",
    gradient_formula="1 / 6 if -3 < x < 3 else 0",
    range=(0.0, 1.0),
    limits=(0.0, 1.0),
    gradient_limits=(0.0, 0.0),
    example=(0.3333, 0.5, 0.8333),
    gradient_example=(0.1667, 0.1667, 0.1667),
    kinks=(Kink(-3.0, 0.0), Kink(3.0, 0.0)),
    source="A. Howard et al., Searching for MobileNetV3, arXiv:1905.02244 (2019).",
    use="Gates of recurrent networks and of squeeze-and-excitation blocks on small devices.",
    cost="Two comparisons and two products.",
    compat=(
        "As in Keras 3, torch and JAX; Keras 2 had slope 0.2 from -2.5 to 2.5. torch and JAX give "
        "gradient 0 at NaN."
    ),
)


def _hard_silu(x: Any) -> Any:
    inner = _clip(x, -3, 3)
    return np.where(x >= 3, x, inner * (inner + 3) / 6)


def _hard_silu_gradient(x: Any) -> Any:
    slope = np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6))
    return np.where(np.isnan(x), x, slope)


_HARD_SILU = activation(
    name="hard_silu",
    aliases=("hard_swish",),
    summary="Piecewise quadratic approximation of silu.",
    value=_hard_silu,
    gradient=_hard_silu_gradient,
    formula="x * min(max(x + 3, 0), 6) / 6",
    gradient_formula="0 if x <= -3 else 1 if x >= 3 else (2 * x + 3) / 6",
    curvature="where(abs(x) < 3, 1 / 3, 0.0)",
    range=(-0.375, inf),
    limits=(0.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(-0.3333, 0.0, 1.6667),
    gradient_example=(0.1667, 0.5, 1.1667),
    kinks=(Kink(-3.0, 0.0), Kink(3.0, 1.0)),
    roots=("-1.5",),
    jit_max_ulp=ulp(1, 3),
    source="A. Howard et al., Searching for MobileNetV3, arXiv:1905.02244 (2019).",
    use="Convolutional networks on small devices.",
    cost="Two comparisons and a few products.",
    compat=(
        "As in Keras, torch and JAX, which give NaN at -inf. The gradient is 0 at -3 and 1 at 3, "
        "as theirs is. torch's gradient at NaN is 1."
    ),
)


def _outside(x: Any, threshold: Any) -> Any:
    return np.where(np.isnan(x), x, np.abs(x) > threshold)


_SOFT_SHRINK = activation(
    name="soft_shrink",
    summary="Moves values towards zero, and small ones to zero.",
    params=(Param("threshold", 0.5, "How far values move; 0 or more.", least=0.0),),
    value=lambda x, threshold: x - _clip(x, -threshold, threshold),
    gradient=_outside,
    from_output=lambda y, threshold: np.where(np.isnan(y), y, y != 0),
    formula="x - min(max(x, -threshold), threshold)",
    gradient_formula="1 if abs(x) > threshold else 0",
    limits=(-inf, inf),
    gradient_limits=(1.0, 1.0),
    example=(-0.5, 0.0, 1.5),
    gradient_example=(1.0, 0.0, 1.0),
    kinks=(Kink("-threshold", 0.0), Kink("threshold", 0.0)),
    source="D. L. Donoho, IEEE Trans. Inf. Theory 41 (1995) 613-627.",
    use="Sparse codes and denoising: the proximal operator of the l1 norm.",
    cost="Two comparisons and one difference.",
    compat=(
        "As in Keras, some of whose backends give 0 at NaN; torch calls the parameter lambd; JAX "
        "has no such function. torch's gradient at NaN is 1."
    ),
)

_HARD_SHRINK = activation(
    name="hard_shrink",
    summary="Sets small values to zero and keeps the others.",
    params=(Param("threshold", 0.5, "Largest magnitude that becomes zero; 0 or more.", least=0.0),),
    value=lambda x, threshold: np.where(np.abs(x) <= threshold, 0, x),
    gradient=_outside,
    formula="x if abs(x) > threshold else 0",
    gradient_formula="1 if abs(x) > threshold else 0",
    limits=(-inf, inf),
    gradient_limits=(1.0, 1.0),
    example=(-1.0, 0.0, 2.0),
    gradient_example=(1.0, 0.0, 1.0),
    kinks=(Kink("-threshold", 0.0), Kink("threshold", 0.0)),
    source="D. L. Donoho, I. M. Johnstone, Biometrika 81 (1994) 425-455.",
    use="Sparse codes and denoising, without soft_shrink's bias.",
    cost="One comparison.",
    compat=(
        "As in Keras, some of whose backends give 0 at NaN; torch calls the parameter lambd; JAX "
        "has no such function. torch's gradient at NaN is 1."
    ),
)


def _threshold_gradient(x: Any, threshold: Any, default_value: Any) -> Any:
    return np.where(np.isnan(x), x, x > threshold)


_THRESHOLD = activation(
    name="threshold",
    summary="Keeps values above a threshold and replaces the others.",
    params=(
        Param("threshold", 0.0, "Largest value that is replaced; any number."),
        Param("default_value", 0.0, "What replaces it; any number."),
    ),
    value=lambda x, threshold, default_value: np.where(x <= threshold, default_value, x),
    gradient=_threshold_gradient,
    formula="x if x > threshold else default_value",
    gradient_formula="1 if x > threshold else 0",
    range=(0.0, inf),
    limits=(0.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(0.0, 0.0, 2.0),
    gradient_example=(0.0, 0.0, 1.0),
    kinks=(Kink("threshold", 0.0),),
    source="B. Widrow, M. E. Hoff, IRE WESCON Convention Record 4 (1960) 96-104.",
    use="Cutting off small activations.",
    cost="One comparison.",
    compat=(
        "Keras and torch have no defaults for the parameters; here threshold(x) is relu. NaN "
        "stays as in torch, whose gradient there is 1 (Keras on JAX and NumPy: default_value). "
        "JAX has no such function."
    ),
)


def _sparse_sigmoid(x: Any) -> Any:
    return (_clip(x, -1, 1) + 1) / 2


_SPARSE_PLUS = activation(
    name="sparse_plus",
    summary="Piecewise quadratic approximation of softplus that reaches zero.",
    value=lambda x: np.where(x > 1, x, np.square(_sparse_sigmoid(x))),
    gradient=_sparse_sigmoid,
    from_output=lambda y: np.sqrt(_clip(y, 0, 1)),
    formula="0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4",
    gradient_formula="0 if x <= -1 else 1 if x >= 1 else (x + 1) / 2",
    curvature="where(abs(x) < 1, 0.5, 0.0)",
    range=(0.0, inf),
    limits=(0.0, inf),
    gradient_limits=(0.0, 1.0),
    example=(0.0, 0.25, 2.0),
    gradient_example=(0.0, 0.5, 1.0),
    source="A. Martins, R. Astudillo, ICML (2016); jax.nn.sparse_plus.",
    use="A smooth relu whose zeros are exact; the derivative is sparse_sigmoid.",
    cost="Three comparisons and a few products.",
    compat=(
        "As in Keras and JAX; torch has no such function. JAX's gradient is NaN at both infinities."
    ),
)

_SPARSE_SIGMOID = activation(
    name="sparse_sigmoid",
    summary="Piecewise linear sigmoid: the derivative of sparse_plus.",
    value=_sparse_sigmoid,
    gradient=lambda x: _inside(x, -1, 1, 0.5),
    from_output=lambda y: _inside(y, 0, 1, 0.5),
    formula="min(max((x + 1) / 2, 0), 1)",
    gradient_formula="1 / 2 if -1 < x < 1 else 0",
    range=(0.0, 1.0),
    limits=(0.0, 1.0),
    gradient_limits=(0.0, 0.0),
    example=(0.0, 0.5, 1.0),
    gradient_example=(0.0, 0.5, 0.0),
    kinks=(Kink(-1.0, 0.0), Kink(1.0, 0.0)),
    source="M. Blondel, A. Martins, V. Niculae, JMLR 21 (2020) 35; jax.nn.sparse_sigmoid.",
    use="Gates and attention that may be exactly zero or one.",
    cost="Two comparisons and one product.",
    compat=(
        "As in Keras and JAX; torch has no such function. The gradient at the kinks is 0, as from "
        "Keras on torch (JAX: 0.25 at both, 0 at NaN)."
    ),
)

_LINEAR = activation(
    name="linear",
    summary="The identity.",
    value=lambda x: x,
    gradient=lambda x: np.where(np.isnan(x), x, 1),
    from_output=lambda y: np.where(np.isnan(y), y, 1),
    formula="x",
    gradient_formula="1",
    limits=(-inf, inf),
    gradient_limits=(1.0, 1.0),
    example=(-1.0, 0.0, 2.0),
    gradient_example=(1.0, 1.0, 1.0),
    source="F. Chollet et al., Keras (2015), keras.activations.linear.",
    use="Outputs of regression.",
    cost="A copy.",
    compat="Keras returns its input itself, here the result is new memory. The gradient keeps NaN.",
)
