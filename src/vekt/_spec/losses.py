"""The losses that compute element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vekt._spec.form import Param
from vekt._spec.pointwise import loss_kinds
from vekt._spec.spec import Kernel, Spec, ulp


def _squared_error(y: Any, t: Any) -> Any:
    return (y - t) * (y - t)


def _huber(y: Any, t: Any, delta: Any) -> Any:
    d, delta = np.abs(y - t), np.abs(delta)  # of -0.0
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def _huber_gradient(y: Any, t: Any, delta: Any) -> Any:
    d = y - t
    return np.where((np.abs(d) < delta) | np.isnan(d), d, np.copysign(delta, d))


def _opposite_weight(x: Any, t: Any) -> Any:
    return np.where(x > 0, 1 - t, t)


def _sigmoid_cross_entropy(x: Any, t: Any) -> Any:
    w = _opposite_weight(x, t)
    return np.where(w == 0, 0, np.abs(x) * w) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid_cross_entropy_gradient(x: Any, t: Any) -> Any:
    e = np.exp(-np.abs(x))
    w, share = _opposite_weight(x, t), e / (1 + e)
    slope = np.where(w == 0, -share, w - share)  # with the sign of the limit
    return np.where(x > 0, slope, -slope)


def _binary_cross_entropy(p: Any, t: Any) -> Any:
    first = np.where((t == 0) | (p == 1), 0, t * np.log(np.abs(p)))
    second = np.where((t == 1) | (p == 0), 0, (1 - t) * np.log1p(-p))
    return np.where((p >= 0) & (p <= 1), 0 - (first + second), np.nan)


def _binary_cross_entropy_gradient(p: Any, t: Any) -> Any:
    p = np.where((p >= 0) & (p <= 1), np.abs(p), np.nan)
    inner = (p - t) / (p * (1 - p))
    return np.where(t == 0, 1 / (1 - p), np.where(t == 1, -1 / p, inner))


def _loss(
    name: str,
    summary: str,
    operand: str,
    value: Callable[..., Any],
    gradient: Callable[..., Any],
    formula: str,
    gradient_formula: str,
    curvature: str,
    example: tuple[float, float, float, float],
    targets: str,
    of: str,
    params: tuple[Param, ...] = (),
    gradient_max_ulp: Mapping[str, float] = ulp(1, 4),
    gradient_floor: tuple[float, float] = (0.0, 0.0),
    **facts: Any,
) -> Spec:
    """Make the spec of a loss, element by element, of a prediction `operand` and a target t.

    The gradient is that by the prediction.  `formula` is in NumPy's terms; `example` has the
    prediction, the target, the loss and its gradient to four decimals.  `of` is what the target is:
    it makes a "difference" with the prediction, or is a probability beside "logits" or another
    "probability", in which the loss is straight.
    """
    kernel = Kernel(
        name=name,
        value=value,
        gradient=gradient,
        formula=formula,
        gradient_formula=gradient_formula,
        curvature=curvature,
        at=example[:2],
        example=example[2],
        gradient_example=example[3],
        params=tuple(p.name for p in params),
        gradient_max_ulp=gradient_max_ulp,
        gradient_floor=gradient_floor,
        jit_max_ulp={},
    )
    return Spec(
        name=name,
        summary=summary,
        kinds=loss_kinds(operand),
        home="vekt.losses",
        kernels=(kernel,),
        params=params,
        facts={"targets": targets, "of": of},
        **facts,
    )


LOSSES: dict[str, Spec] = {
    loss.name: loss
    for loss in (
        _loss(
            name="squared_error",
            summary="Squared error.",
            operand="y",
            value=_squared_error,
            gradient=lambda y, t: 2 * (y - t),
            formula="(y - t)**2",
            gradient_formula="2 * (y - t)",
            curvature="2.0",
            of="difference",
            example=(3.0, 1.0, 4.0, 4.0),
            source="C. F. Gauss, Theoria motus corporum coelestium (1809).",
            use="Regression with errors that are normally distributed.",
            compat="As in Keras and torch; the notes' and optax's l2_loss is half of it.",
            targets="Any numbers.",
            gradient_max_ulp=ulp(0.5, 0.5),
        ),
        _loss(
            name="huber",
            summary="Huber's loss: squared up to delta, linear beyond.",
            operand="y",
            value=_huber,
            gradient=_huber_gradient,
            formula="where(d <= delta, d**2 / 2, delta * (d - delta / 2)), d = abs(y - t)",
            gradient_formula="clip(y - t, -delta, delta)",
            curvature="abs(y - t) < delta",
            of="difference",
            example=(3.0, 1.0, 1.5, 1.0),
            source="P. J. Huber, Robust estimation of a location parameter (1964).",
            use="Regression on data with outliers.",
            compat="As in Keras and torch.",
            targets="Any numbers.",
            params=(
                Param("delta", 1.0, "Where the loss becomes linear, not negative.", least=0.0),
            ),
            gradient_max_ulp=ulp(0.5, 0.5),
        ),
        _loss(
            name="sigmoid_cross_entropy",
            summary="Binary cross entropy of the sigmoid of a logit.",
            operand="logits",
            value=_sigmoid_cross_entropy,
            gradient=_sigmoid_cross_entropy_gradient,
            formula="log(1 + exp(logits)) - t * logits",
            gradient_formula="sigmoid(logits) - t",
            curvature="d_sigmoid(logits)",
            of="logits",
            example=(2.0, 1.0, 0.1269, -0.1192),
            source="D. R. Cox, The regression analysis of binary sequences (1958).",
            use="Logistic regression, and networks with yes-or-no outputs.",
            compat=(
                "torch calls it binary_cross_entropy_with_logits, Keras binary_crossentropy with "
                "from_logits=True, whose NumPy path saturates at 16.1."
            ),
            targets="Probabilities; beyond [0, 1] a difference may cancel, and the bound is lost.",
            gradient_floor=(2.0**-49, 2.0**-52),
        ),
        _loss(
            name="binary_cross_entropy",
            summary="Binary cross entropy of a probability.",
            operand="p",
            value=_binary_cross_entropy,
            gradient=_binary_cross_entropy_gradient,
            formula="-(t * log(p) + (1 - t) * log(1 - p)), with 0 * log(0) = 0",
            gradient_formula="(p - t) / (p * (1 - p))",
            curvature="t / (p * p) + (1 - t) / ((1 - p) * (1 - p))",
            of="probability",
            example=(0.75, 1.0, 0.2877, -1.3333),
            source="I. J. Good, Rational decisions (1952).",
            use="Where the probability itself is given; from logits use sigmoid_cross_entropy.",
            compat=(
                "torch clamps the logarithms at -100, Keras clips p to 1e-7: both bound the loss "
                "and lose the gradient. Here the loss of a wrong certainty is infinite, and that "
                "of p beyond [0, 1] NaN."
            ),
            targets="Probabilities.",
        ),
    )
}

SOFTMAX_NAMES = ("softmax_cross_entropy", "softmax_cross_entropy_value_and_grad")
PUBLIC_NAMES = (*(name for loss in LOSSES.values() for name in loss.public_names), *SOFTMAX_NAMES)
"""What these specs add to `vekt` and `vekt.reference`."""
