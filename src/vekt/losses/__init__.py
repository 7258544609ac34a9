"""Losses with their gradients: elementwise ones as ufuncs, and the cross entropy of softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt import ufuncs
from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._core.names import no_attribute
from vekt._core.native import cross_entropy, empty
from vekt._core.operands import checked_out
from vekt._spec.cross_entropy import CROSS_ENTROPY
from vekt._spec.functions import native_function, python_function
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
    name: str, logits: Any, labels: Any, axis: Any, of_targets: Any, reduction: Any, *rest: Any
) -> Any:
    out, with_grad = rest[0] if rest else None, bool(rest)
    if is_dask(logits) or is_dask(labels):
        if out is not None:
            raise TypeError(f"{name}: Dask arrays take no out")
        lazy = on_dask("cross_entropy")
        return lazy(name, logits, labels, axis, of_targets, reduction, with_grad)
    targets = Targets(name, logits, labels, axis, *of_targets)
    loss, result, dlogits = empty(targets.rows, targets.dtype, ()), None, None
    if out is not None:
        result = checked_out(out, targets.shape, targets.dtype)
        dlogits = np.moveaxis(result, targets.axis, -1)
    elif with_grad:
        dlogits = empty(targets.logits.shape, targets.dtype, (targets.logits,))
        result = np.moveaxis(dlogits, -1, targets.axis)
    targets.run(cross_entropy, loss, dlogits, reduction)
    total = reduced(targets, loss, reduction)
    return (total, result) if with_grad else total


def _public(kind: str) -> Any:
    given = "logits, labels, axis, (label_smoothing, ignore_index, weight), reduction"
    rest = ", out" if kind else ""
    body = [f"return _cross_entropy({CROSS_ENTROPY.name + kind!r}, {given}{rest})"]
    return python_function(CROSS_ENTROPY, kind, "vekt", body, {"_cross_entropy": _cross_entropy})


softmax_cross_entropy, softmax_cross_entropy_value_and_grad = map(_public, CROSS_ENTROPY.kinds)


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
