"""The cross entropy of softmax."""

from __future__ import annotations

from vekt._spec.spec import Spec
from vekt._spec.written import kind_of

_OF_TARGETS = """

Parameters
----------
logits : array_like
    Scores of the classes, which lie along `axis`.
labels : array_like
    Classes, integers in the shape of `logits` without `axis`; or probabilities in the shape of
    `logits`.
axis : int, default -1
    Axis of the classes.
label_smoothing : float, default 0
    Between 0 and 1: how much of each target is shared out evenly among all classes.
ignore_index : int or None, optional
    Label of the rows that do not count.
weight : array_like or None, optional
    A number for each class, by which its targets are multiplied.
reduction : {"mean", "sum", "none"}, default "mean"
    "mean" divides the sum by the weights of the labels, or with probabilities by the number of
    rows; "none" gives the loss of each row.
out : ndarray or None, optional
    Where the gradient goes, in the shape and dtype of `logits`; it may be their memory.

Raises
------
AxisError
    If the axis is out of bounds.
TypeError
    If a dtype is not real, or labels that are classes are not integers.
ValueError
    If shapes do not fit, a label is no class, an option is something else, or no row counts; for an
    `out` that does not fit.

Returns
-------
loss : scalar or ndarray
    In the dtype of `logits`; 16 bits compute as float32, integers as float64.
"""
_SOFTMAX = (
    """\
softmax_cross_entropy(logits, labels, *, axis=-1, label_smoothing=0.0, ignore_index=None,
weight=None, reduction="mean")

Cross entropy of the softmax of logits."""
    + _OF_TARGETS
    + """
Examples
--------
>>> round(float({f}([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]], [0, 1])), 4)
0.2513"""
)
_SOFTMAX_BOTH = (
    """\
softmax_cross_entropy_value_and_grad(logits, labels, *, axis=-1, label_smoothing=0.0,
ignore_index=None, weight=None, reduction="mean", out=None)

Cross entropy of the softmax of logits with its gradient, in one pass over them."""
    + _OF_TARGETS
    + """\
dlogits : ndarray
    Gradient of the loss with respect to the logits; for "none" that of the sum.

Notes
-----
Formula of the gradient: softmax(logits) * sum(t) - t, divided by what the loss is divided by.  At
the label, where softmax - 1 would cancel, it is computed from the other classes.

Examples
--------
>>> loss, slope = {f}([[2.0, 1.0, 0.0]], [0])
>>> round(float(loss), 4), slope.round(4).tolist()
(0.4076, [[-0.3348, 0.2447, 0.09]])"""
)
CROSS_ENTROPY = Spec(
    name="softmax_cross_entropy",
    summary="Cross entropy of the softmax of logits.",
    kinds={"": kind_of(_SOFTMAX)[1], "_value_and_grad": kind_of(_SOFTMAX_BOTH)[1]},
    home="vekt.losses",
    notes=(
        "Formula: sum(t * (logsumexp(logits) - logits)) over the classes, t the targets. No term "
        "is negative and nothing cancels, however certain the prediction is.",
        ("vekt", "The bits do not depend on the number of threads, nor on the layout."),
    ),
    source=(
        "J. S. Bridle, Probabilistic interpretation of feedforward classification network outputs "
        "(1990)."
    ),
    use="Classification into one of several classes, from scores.",
    compat=(
        "torch's cross_entropy, whose classes lie along axis 1; Keras' "
        "sparse_categorical_crossentropy and categorical_crossentropy with from_logits=True."
    ),
)
