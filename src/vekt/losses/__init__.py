"""Losses with their gradients: elementwise ones as ufuncs, and the cross entropy of softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt import ufuncs
from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._core.names import no_attribute
from vekt._core.native import cross_entropy
from vekt._core.operands import checked_out
from vekt._spec.cross_entropy import CROSS_ENTROPY
from vekt._spec.functions import forwarding, native_function
from vekt._spec.losses import LOSSES, PUBLIC_NAMES
from vekt.losses._targets import Targets, reduced

__all__ = [*PUBLIC_NAMES]

_ELEMENTWISE = {
    spec.name + kind: native_function(spec, kind, ufuncs)
    for spec in LOSSES.values()
    for kind in spec.kinds
}
globals().update(_ELEMENTWISE)


def _cross_entropy(
    kind: str, logits: Any, labels: Any, axis: Any, reduction: Any, out: Any = None, **more: Any
) -> Any:
    name, with_grad = CROSS_ENTROPY.name + kind, bool(kind)
    of_targets = tuple(more.values())
    if is_dask(logits) or is_dask(labels):
        if out is not None:
            raise TypeError(f"{name}: Dask arrays take no out")
        lazy = on_dask("cross_entropy")
        return lazy(name, logits, labels, axis, of_targets, reduction, with_grad)
    targets = Targets(name, logits, labels, axis, *of_targets)
    loss, result, dlogits = np.empty(targets.rows, targets.dtype), None, None
    if out is not None:
        result = checked_out(out, targets.shape, targets.dtype)
        dlogits = np.moveaxis(result, targets.axis, -1)
    elif with_grad:
        dlogits = np.empty_like(targets.logits, dtype=targets.dtype, subok=False)
        result = np.moveaxis(dlogits, -1, targets.axis)
    targets.run(cross_entropy, loss, dlogits, reduction)
    total = reduced(targets, loss, reduction)
    return (total, result) if with_grad else total


softmax_cross_entropy, softmax_cross_entropy_value_and_grad = (
    forwarding(CROSS_ENTROPY, kind, "vekt", _cross_entropy, kind) for kind in CROSS_ENTROPY.kinds
)


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
