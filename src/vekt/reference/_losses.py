"""The losses in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.operands import checked_out
from vekt._spec.cross_entropy import CROSS_ENTROPY
from vekt._spec.functions import forwarding, public_function
from vekt._spec.losses import LOSSES
from vekt._spec.spec import Kernel
from vekt.losses._targets import Targets, reduced
from vekt.reference._rounding import held, narrowed, wider

Function = Callable[..., Any]


def loss_functions(rounded: Callable[..., Function], module: str) -> dict[str, Function]:
    """Make the public functions; `rounded` computes in a wider dtype and rounds once."""
    functions: dict[str, Function] = {}
    for spec in LOSSES.values():
        raw = _raw(spec.kernel, rounded)
        functions |= {
            spec.name + kind: public_function(spec, kind, raw, module) for kind in spec.kinds
        }
    return functions | {
        CROSS_ENTROPY.name + kind: forwarding(CROSS_ENTROPY, kind, module, _cross_entropy, kind)
        for kind in CROSS_ENTROPY.kinds
    }


def _raw(loss: Kernel, rounded: Callable[..., Function]) -> dict[str, Function]:
    """Value, backward and both, with the parameter where there is one."""
    n_params = len(loss.params)

    def backward(dl: Any, y: Any, t: Any, *params: Any) -> Any:
        return dl * held(loss.gradient(y, t, *params), loss.name != "squared_error")

    return {
        loss.name: rounded(loss.value, n_params=n_params),
        f"{loss.name}_backward": rounded(backward, n_params=n_params),
        f"{loss.name}_value_and_grad": rounded(loss.value, loss.gradient, n_params=n_params),
    }


def _rows(
    x: Any,
    targets: Any,
    factors: Any,
    on_label: float,
    everywhere: float,
    loss: Any,
    dx: Any,
    may_ignore: bool,
) -> None:
    """Do what `vekt._ufuncs.cross_entropy` does, in a wider dtype."""
    n = x.shape[-1]
    wide = x.astype(wider(x.dtype))
    t = targets.astype(wide.dtype)
    if targets.ndim < x.ndim:
        if targets.size and (targets.min() < -may_ignore or targets.max() >= n):
            raise ValueError(
                f"softmax_cross_entropy: a label is not a class: expected 0 to {n - 1}"
            )
        hit = np.arange(n) == targets[..., None]
        t = np.where(targets[..., None] < 0, 0, on_label * hit + wide.dtype.type(everywhere))
    with np.errstate(all="ignore"):
        top = wide.max(-1, keepdims=True, initial=-np.inf)
        maximal = (wide == top) & (top > -np.inf)
        shifted = np.where(maximal, 0, wide - np.where(np.isinf(top), 0, top))
        shifted = np.where(np.isposinf(top) & (wide < np.inf), -np.inf, shifted)
        e = np.exp(shifted)
        rest = e.copy()  # without one of the largest, so that little is left where it is certain
        largest = np.argmax(maximal, -1)[..., None]
        np.put_along_axis(rest, largest, 0, -1)
        u = rest.sum(-1, keepdims=True)
        counts = t.any(-1, keepdims=True) | (targets.ndim == x.ndim)
        terms = np.where((t == 0) & ~(counts & np.isnan(u)), 0, t * (np.log1p(u) - shifted))
        loss[...] = narrowed(np.asarray(terms.sum(-1)), x.dtype)
        if dx is not None:
            s = t.sum(-1, keepdims=True)
            largest = (np.arange(n) == largest) & maximal
            less_one = np.where(largest, -u, e - (1 + u)) / (1 + u)
            slope = np.where(t == 1, less_one * s + (s - t), e / (1 + u) * s - t)
            slope = np.where(counts, slope * np.asarray(factors)[..., None], 0)
            dx[...] = narrowed(slope, x.dtype)


def _cross_entropy(
    kind: str, logits: Any, labels: Any, axis: Any, reduction: Any, out: Any = None, **more: Any
) -> Any:
    targets = Targets(CROSS_ENTROPY.name + kind, logits, labels, axis, *more.values())
    loss, result, dlogits = np.empty(targets.rows, targets.dtype), None, None
    if out is not None:
        result = checked_out(out, targets.shape, targets.dtype)
    elif kind:
        result = np.empty(targets.shape, targets.dtype)
    if result is not None:
        dlogits = np.moveaxis(result, targets.axis, -1)
    targets.run(_rows, loss, dlogits, reduction)
    total = reduced(targets, loss, reduction)
    return total if result is None else (total, result)
