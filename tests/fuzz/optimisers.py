"""Optimisers: some steps, beside those of `vekt.reference`."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt import optim, reference

from . import arrays
from .check import Case
from .draws import Draw
from .truth import Truth, unit

NAMES: set[str] = set()  # of vekt.optim: SGD, RMSProp, Adam, AdamW, clip_by_global_norm, get
_KINDS = ("SGD", "RMSProp", "Adam", "AdamW")


def case(draw: Draw) -> Case:
    """Draw some steps of an optimiser over some tensors."""
    count, steps = 1 + draw.below(3), 1 + draw.below(4)
    dtype = draw.pick(("f4", "f8"))
    shapes = [arrays.shape_of(draw, most=3, limit=500) for _ in range(count)]
    params = [arrays.room(draw, shape, dtype) for shape in shapes]
    for p in params:
        p[...] = arrays.values(draw, p.shape, dtype, tame=True)
    grads = [arrays.laid_out(draw, arrays.values(draw, s, dtype, tame=True)) for s in shapes]
    name = draw.pick((*_KINDS, "clip_by_global_norm"))
    if name == "clip_by_global_norm":
        limit = {"max_norm": draw.pick((1.0, 0.25, 1e6))}
        return Case(name, _clip, grads, limit, _clipped, same_bits=False)
    options = _options(draw, name)
    if draw.chance(4) and shapes[0]:
        grads[0] = np.zeros((*shapes[0], 1), dtype)
    made = Case(f"optim.{name}", _steps(optim, name, steps), [*params, *grads], options, None)
    made.same_bits = "max_norm" not in options  # norms are summed in the order of memory
    made.expect = _expectation(_steps(reference.optim, name, steps), len(params))
    return made


def _options(draw: Draw, name: str) -> dict[str, Any]:
    options: dict[str, Any] = {"lr": draw.pick((0.125, 0.01, 1e-3))}
    if draw.chance(40):
        options["weight_decay"] = draw.pick((0.25, 0.01))
    if draw.chance(30):
        options["max_norm"] = draw.pick((1.0, 0.1))
    if name in ("SGD", "RMSProp") and draw.chance(50):
        options["momentum"] = draw.pick((0.5, 0.9))
    if name == "SGD" and "momentum" in options and draw.chance(40):
        options["nesterov"] = True
    if name[:4] == "Adam" and draw.chance(40):
        options["betas"] = (0.5, 0.75)
    return options


def _steps(module: Any, name: str, steps: int) -> Any:
    """Return a function of parameters and gradients that returns copies after the steps."""

    def run(*tensors: Any, **options: Any) -> Any:
        half = len(tensors) // 2
        params = [_alike(p) for p in tensors[:half]]
        optimiser = getattr(module, name)(**options)
        for _ in range(steps):
            optimiser.step(params, list(tensors[half:]))
        return tuple(np.array(p, p.dtype.newbyteorder("=")) for p in params)

    return run


def _alike(x: Any) -> Any:
    """Return a copy with the same layout."""
    memory = arrays.memory_of(x)
    if memory is x:
        return x.copy(order="K")
    start = x.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    return np.ndarray(x.shape, x.dtype, memory.copy(), start, x.strides)


def _expectation(run: Any, count: int) -> Any:
    def expect(*tensors: Any, **options: Any) -> Any:
        truths = []
        ends = run(*tensors, **options)
        eps = [4 * np.finfo(t.dtype).eps for t in tensors]
        moved = [np.asarray(t + e * np.abs(t)) for t, e in zip(tensors, eps, strict=True)]
        others = run(*moved, **options)
        for p, after, other in zip(tensors, ends, others, strict=False):
            wide = after.astype(np.longdouble)
            slack = 64 * unit(np.maximum(np.abs(wide), np.abs(p).astype(np.longdouble)), p.dtype)
            # Where the root is next to nothing, a step has few digits.
            slack += 64 * np.finfo(p.dtype).eps * float(options["lr"]) * 8
            slack += 2 * np.abs(wide - other)  # where decay cancels the gradient
            truths.append(Truth(wide, p.dtype, slack))
        return tuple(truths)

    return expect


def _clip(*grads: Any, max_norm: float) -> Any:
    copies = [np.array(g, g.dtype.newbyteorder("=")) for g in grads]
    total = optim.clip_by_global_norm(copies, max_norm)
    return np.float64(total), *copies


def _clipped(*grads: Any, max_norm: float) -> Any:
    wide = [g.astype(np.longdouble) for g in grads]
    total = np.sqrt(sum((g * g).sum() for g in wide))
    scale = min(1, max_norm / (total + 1e-6))
    eps = max(float(np.finfo(g.dtype).eps) for g in grads)
    truths = [
        Truth(np.asarray(g * scale), h.dtype, 4 * eps * np.abs(g))
        for g, h in zip(wide, grads, strict=True)
    ]
    return Truth(np.asarray(total), np.dtype("f8"), 4 * eps * total), *truths
