"""Rows of the elementwise losses: what `vekt._spec.activations` says of those."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Signature
from typing import Any

import numpy as np

from vekt._spec.activations import KERNELS
from vekt._spec.form import Choice, Form, Param


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


_LINEAR = "Where the loss becomes linear, not negative."


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Loss:
    """A loss of a prediction and a target, element by element.

    The C kernels are NAME, NAME_backward and NAME_value_and_grad, the gradient by the first of
    `operands`.  `value` and `gradient` are the reference: NumPy functions of the operands and the
    parameter, where there is one, in whose full precision they compute.  `formula` is in NumPy's
    terms.  `example` holds the prediction, the target, the loss and its gradient to four decimals.
    `max_ulp` bounds the errors of value and gradient in float32 and float64; the gradient's is
    beside an absolute one of `gradient_floor`, where a difference cancels.
    """

    name: str
    summary: str
    operands: tuple[str, str]
    value: Callable[..., Any]
    gradient: Callable[..., Any]
    formula: str
    gradient_formula: str
    example: tuple[float, float, float, float]
    source: str
    use: str
    compat: str
    targets: str
    param: str = ""
    max_ulp: tuple[float, float] = (1, 2)
    gradient_max_ulp: tuple[float, float] = (1, 4)
    gradient_floor: tuple[float, float] = (0.0, 0.0)

    @property
    def kinds(self) -> tuple[str, str, str]:
        """What follows the loss's name in the names of its functions."""
        return "", "_backward", "_value_and_grad"

    @property
    def public_names(self) -> tuple[str, str, str]:
        """The names that this loss has in `vekt` and `vekt.reference`."""
        return self.name, f"{self.name}_backward", f"{self.name}_value_and_grad"

    def form(self, kind: str) -> Form:
        """Return how the function of this kind is called: what follows the loss's name in its."""
        params = (self.param,) if self.param else ()
        return Form(
            self.name + kind,
            ("dl", *self.operands) if kind == "_backward" else self.operands,
            tuple(Param(name, 1.0, _LINEAR, least=0.0) for name in params),
            (Choice(self.name + kind, params),),
            nout=2 if kind == "_value_and_grad" else 1,
        )

    def signature(self, kind: str) -> Signature:
        """Return the signature of the function of this kind, in every namespace."""
        return self.form(kind).signature


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            name="squared_error",
            summary="Squared error.",
            operands=("y", "t"),
            value=_squared_error,
            gradient=lambda y, t: 2 * (y - t),
            formula="(y - t)**2",
            gradient_formula="2 * (y - t)",
            example=(3.0, 1.0, 4.0, 4.0),
            source="C. F. Gauss, Theoria motus corporum coelestium (1809).",
            use="Regression with errors that are normally distributed.",
            compat="As in Keras and torch; the notes' and optax's l2_loss is half of it.",
            targets="Any numbers.",
            gradient_max_ulp=(0.5, 0.5),
        ),
        Loss(
            name="huber",
            summary="Huber's loss: squared up to delta, linear beyond.",
            operands=("y", "t"),
            value=_huber,
            gradient=_huber_gradient,
            formula="where(d <= delta, d**2 / 2, delta * (d - delta / 2)), d = abs(y - t)",
            gradient_formula="clip(y - t, -delta, delta)",
            example=(3.0, 1.0, 1.5, 1.0),
            source="P. J. Huber, Robust estimation of a location parameter (1964).",
            use="Regression on data with outliers.",
            compat="As in Keras and torch.",
            targets="Any numbers.",
            param="delta",
            gradient_max_ulp=(0.5, 0.5),
        ),
        Loss(
            name="sigmoid_cross_entropy",
            summary="Binary cross entropy of the sigmoid of a logit.",
            operands=("logits", "t"),
            value=_sigmoid_cross_entropy,
            gradient=_sigmoid_cross_entropy_gradient,
            formula="log(1 + exp(logits)) - t * logits",
            gradient_formula="sigmoid(logits) - t",
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
        Loss(
            name="binary_cross_entropy",
            summary="Binary cross entropy of a probability.",
            operands=("p", "t"),
            value=_binary_cross_entropy,
            gradient=_binary_cross_entropy_gradient,
            formula="-(t * log(p) + (1 - t) * log(1 - p)), with 0 * log(0) = 0",
            gradient_formula="(p - t) / (p * (1 - p))",
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
LOSS_KERNELS: dict[str, tuple[int, int]] = {
    name: counts
    for loss in LOSSES.values()
    for name, counts in zip(
        loss.public_names,
        [(n + bool(loss.param), m) for n, m in ((2, 1), (3, 1), (2, 2))],
        strict=True,
    )
}
"""Names in the table of C kernels, with their counts of inputs and outputs."""


def parameter_count(name: str) -> int:
    """Count the parameters among the inputs of a kernel, which come last."""
    base = name
    for kind in ("_from_output", "_backward", "_value_and_grad"):
        base = base.removesuffix(kind)
    if base in LOSSES:
        return int(bool(LOSSES[base].param))
    return len(KERNELS[base].params) if base in KERNELS else 0


SOFTMAX_NAMES = ("softmax_cross_entropy", "softmax_cross_entropy_value_and_grad")
PUBLIC_NAMES = (*(name for loss in LOSSES.values() for name in loss.public_names), *SOFTMAX_NAMES)
"""What these rows add to `vekt` and `vekt.reference`."""
