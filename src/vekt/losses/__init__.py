"""Losses with their gradients: elementwise ones as ufuncs, and the cross entropy of softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vekt import ufuncs
from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._core.names import no_attribute
from vekt._core.native import cross_entropy
from vekt._core.operands import checked_out
from vekt._spec.cross_entropy import CROSS_ENTROPY
from vekt._spec.docstrings import documented
from vekt._spec.functions import native_function
from vekt._spec.losses import LOSSES, PUBLIC_NAMES
from vekt.losses._targets import Targets, reduced

__all__ = [*PUBLIC_NAMES]

_ELEMENTWISE = {
    spec.name + kind: native_function(spec, kind, ufuncs)
    for spec in LOSSES.values()
    for kind in spec.kinds
}
globals().update(_ELEMENTWISE)


@documented(CROSS_ENTROPY)
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
    """Return the loss."""
    name, of_targets = "softmax_cross_entropy", (label_smoothing, ignore_index, weight)
    if is_dask(logits) or is_dask(labels):
        lazy = on_dask("cross_entropy")
        return lazy(name, logits, labels, axis, of_targets, reduction, False)
    targets = Targets(name, logits, labels, axis, *of_targets)
    loss = np.empty(targets.rows, targets.dtype)
    targets.run(cross_entropy, loss, None, reduction)
    return reduced(targets, loss, reduction)


@documented(CROSS_ENTROPY, "_value_and_grad")
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
    """Return the loss and its gradient."""
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


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
