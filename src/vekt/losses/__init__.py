"""Losses with their gradients: elementwise ones as ufuncs, and the cross entropy of softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vekt import ufuncs
from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._core.native import cross_entropy
from vekt._core.operands import checked_out
from vekt._spec.docs.losses import loss_docstring
from vekt._spec.functions import native_function
from vekt._spec.losses import LOSSES, PUBLIC_NAMES
from vekt.losses._targets import Targets, reduced

__all__ = [*PUBLIC_NAMES]

_ufuncs: Any = ufuncs
squared_error = _ufuncs.squared_error
squared_error_backward = _ufuncs.squared_error_backward
squared_error_value_and_grad = _ufuncs.squared_error_value_and_grad
sigmoid_cross_entropy = _ufuncs.sigmoid_cross_entropy
sigmoid_cross_entropy_backward = _ufuncs.sigmoid_cross_entropy_backward
sigmoid_cross_entropy_value_and_grad = _ufuncs.sigmoid_cross_entropy_value_and_grad
binary_cross_entropy = _ufuncs.binary_cross_entropy
binary_cross_entropy_backward = _ufuncs.binary_cross_entropy_backward
binary_cross_entropy_value_and_grad = _ufuncs.binary_cross_entropy_value_and_grad
huber, huber_backward, huber_value_and_grad = (
    native_function(form, {form.name: getattr(ufuncs, form.name)}, loss_docstring(form.name))
    for form in map(LOSSES["huber"].form, LOSSES["huber"].kinds)
)


def softmax_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: str = "mean",
) -> Any:
    """Cross entropy of the softmax of logits.

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

    Returns
    -------
    loss : scalar or ndarray
        In the dtype of `logits`; 16 bits compute as float32, integers as float64.

    Raises
    ------
    AxisError
        If the axis is out of bounds.
    TypeError
        If a dtype is not real, or labels that are classes are not integers.
    ValueError
        If shapes do not fit, a label is no class, an option is something else, or no row counts.

    See Also
    --------
    softmax_cross_entropy_value_and_grad : The gradient with it.

    Notes
    -----
    Formula: ``sum(t * (logsumexp(logits) - logits))`` over the classes, t the targets.  No term is
    negative and nothing cancels, however certain the prediction is.  The bits do not depend on the
    number of threads, nor on the layout.

    Compatibility: torch's cross_entropy, whose classes lie along axis 1; Keras'
    sparse_categorical_crossentropy and categorical_crossentropy with from_logits=True.

    References
    ----------
    J. S. Bridle, Probabilistic interpretation of feedforward classification network outputs (1990).

    Examples
    --------
    >>> import vekt as vk
    >>> round(float(vk.softmax_cross_entropy([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]], [0, 1])), 4)
    0.2513
    """
    name, of_targets = "softmax_cross_entropy", (label_smoothing, ignore_index, weight)
    if is_dask(logits) or is_dask(labels):
        lazy = on_dask("cross_entropy")
        return lazy(name, logits, labels, axis, of_targets, reduction, False)
    targets = Targets(name, logits, labels, axis, *of_targets)
    loss = np.empty(targets.rows, targets.dtype)
    targets.run(cross_entropy, loss, None, reduction)
    return reduced(targets, loss, reduction)


def softmax_cross_entropy_value_and_grad(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: str = "mean",
    out: NDArray[Any] | None = None,
) -> tuple[Any, Any]:
    """Cross entropy of the softmax of logits, and its gradient, in one pass over the logits.

    Parameters
    ----------
    logits, labels, axis, label_smoothing, ignore_index, weight, reduction
        As for `softmax_cross_entropy`.
    out : ndarray or None, optional
        Where the gradient goes, in the shape and dtype of `logits`; it may be their memory.

    Returns
    -------
    loss : scalar or ndarray
        As `softmax_cross_entropy` returns it.
    dlogits : ndarray
        Gradient of the loss with respect to the logits; for "none" that of the sum.

    Raises
    ------
    AxisError, TypeError, ValueError
        As for `softmax_cross_entropy`, and for an `out` that does not fit.

    See Also
    --------
    softmax_cross_entropy : The loss alone.

    Notes
    -----
    Formula: ``softmax(logits) * sum(t) - t``, t the targets, divided by what the loss is divided
    by.  At the label, where softmax - 1 would cancel, it is computed from the other classes.

    Examples
    --------
    >>> import vekt as vk
    >>> loss, slope = vk.softmax_cross_entropy_value_and_grad([[2.0, 1.0, 0.0]], [0])
    >>> round(float(loss), 4), slope.round(4).tolist()
    (0.4076, [[-0.3348, 0.2447, 0.09]])
    """
    name = "softmax_cross_entropy_value_and_grad"
    of_targets = label_smoothing, ignore_index, weight
    if is_dask(logits) or is_dask(labels):
        if out is not None:
            raise TypeError(f"{name}: Dask arrays take no out")
        both: tuple[Any, Any] = on_dask("cross_entropy")(
            name, logits, labels, axis, of_targets, reduction, True
        )
        return both
    targets = Targets(name, logits, labels, axis, *of_targets)
    loss = np.empty(targets.rows, targets.dtype)
    if out is None:
        dlogits = np.empty_like(targets.logits, dtype=targets.dtype, subok=False)
    else:
        dlogits = checked_out(out, targets.shape, targets.dtype)
        dlogits = np.moveaxis(dlogits, targets.axis, -1)
    targets.run(cross_entropy, loss, dlogits, reduction)
    result = np.moveaxis(dlogits, -1, targets.axis) if out is None else out
    return reduced(targets, loss, reduction), result
