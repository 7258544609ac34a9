"""Softmax and its kin, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

import vekt as vk
from vekt._spec.rows import PUBLIC_NAMES, ROW_OPS
from vekt.reference import wide_rows

from . import arrays
from .activations import add_output
from .arrays import BFLOAT16
from .check import Case
from .draws import Draw
from .truth import Truth, computing, float_dtype, unit, widened

NAMES = set(PUBLIC_NAMES)
_ULP = {name: 1 if op.reduces else 2 for name, op in ROW_OPS.items()}


def axis_of(draw: Draw, ndim: int) -> Any:
    """Return an axis, several, None, or one that does not exist."""
    if draw.chance(3):
        return draw.pick((ndim, -ndim - 1, (0, 0), 1.5, "a"))
    if draw.chance(15) or not ndim:
        return None
    if draw.chance(30):
        chosen = draw.shuffled(ndim)[: 1 + draw.below(ndim)]
        return tuple(k - ndim * draw.below(2) for k in chosen)
    return draw.below(2 * ndim) - ndim


def case(draw: Draw) -> Case:
    """Draw a call of a function of rows."""
    name = draw.pick(PUBLIC_NAMES)
    op, backward = ROW_OPS[name.removesuffix("_backward")], name.endswith("_backward")
    shape = arrays.shape_of(draw, least=0 if draw.chance(10) else 1)
    x = arrays.laid_out(draw, arrays.values(draw, shape, draw.pick(arrays.REAL)))
    if draw.chance(2):
        x = arrays.operand(draw, shape, arrays.STRANGE)
    options: dict[str, Any] = {}
    if draw.chance(60):
        options["axis"] = axis_of(draw, len(shape))
    if draw.chance(20) and (op.reduces or not backward):
        mask = arrays.values(draw, tuple(1 if draw.chance(30) else n for n in shape), "?")
        options["where"] = arrays.laid_out(draw, mask)
    if op.reduces and draw.chance(30):
        options["keepdims"] = draw.pick((True, False))
    if not backward and draw.chance(15):
        options["dtype"] = draw.pick(("f4", "f8", "f2", BFLOAT16, "i4", "c8"))
    args = [x]
    if backward:
        args = [_dy(draw, x, options) if op.reduces else arrays.operand(draw, shape), x]
        if not op.reduces:
            args[1] = _output(draw, op.name, x, options)
    made = Case(name, getattr(vk, name), args, options, _expectation(name, op, backward))
    if draw.chance(30):
        add_output(draw, made)
    made.threads = 1 + draw.below(2)
    return made


def _dy(draw: Draw, x: Any, options: Any) -> Any:
    try:
        shape = np.shape(np.sum(np.zeros(np.shape(x)), options.get("axis", -1)))
        if options.get("keepdims"):
            shape = np.shape(np.sum(np.zeros(np.shape(x)), options.get("axis", -1), keepdims=True))
    except (ValueError, TypeError):
        shape = ()
    return arrays.operand(draw, shape)


def _output(draw: Draw, name: str, x: Any, options: Any) -> Any:
    try:
        y = getattr(vk, name)(x, options.get("axis", -1))
    except (ValueError, TypeError):
        return x
    return arrays.laid_out(draw, np.asarray(y))


def _expectation(name: str, op: Any, backward: bool) -> Any:
    def expect(
        *args: Any, axis: Any = -1, where: Any = None, keepdims: bool = False, dtype: Any = None
    ) -> Truth:
        float_dtype(*args)  # what NumPy would cast: bfloat16 to float16, too
        stored = float_dtype(*args, dtype=dtype, casting="unsafe")
        compute = computing(stored)
        operands = [np.asarray(x).astype(stored) for x in args]
        wide = wide_rows(name, *operands, *(None,) * (1 - backward), axis, keepdims, where)
        if backward:
            dy = np.broadcast_to(
                widened(args[0], stored), wide.shape if not op.reduces else np.shape(args[0])
            )
            free: Any = bool(op.reduces and not np.isfinite(dy).all())
            if not op.reduces:
                largest = np.max if op.name == "softmax" else np.sum
                size = largest(np.abs(dy), axis, keepdims=True, initial=0)
                free = ~(size < np.finfo(compute).max / 1.01)
            return Truth(wide, stored, _slack(op.name, wide, stored, args, axis), free=free)
        slack = _ULP[op.name] * unit(wide, compute)
        eps = np.finfo(compute).eps / 2
        if op.name == "sparsemax":
            slack = np.maximum(slack, eps * 2.0**-9)
        if op.name == "logsumexp":
            slack = np.maximum(slack, eps)
        return Truth(wide, stored, slack)

    return expect


def _slack(name: str, wide: Any, stored: Any, args: Any, axis: Any) -> Any:
    compute = computing(stored)
    eps = float(np.finfo(compute).eps) / 2
    tiny = unit(np.zeros_like(wide), compute)
    if name == "logsumexp":
        dy = np.abs(widened(args[0], stored))
        largest = np.max(dy, where=np.isfinite(dy), initial=1)
        return 5 * unit(wide, compute) + largest * tiny  # probabilities may vanish
    dy, y = np.broadcast_arrays(*(widened(x, stored) for x in args))
    dy = np.where(np.isfinite(dy), np.abs(dy), 0)
    axes = None if axis is None else axis
    if name == "log_softmax":
        share = np.exp(y) * np.sum(dy, axes, keepdims=True)
        vanished = np.where(np.exp(y) < np.finfo(compute).smallest_subnormal, share, 0)
        return 4 * eps * (dy + share) + 3 * tiny + vanished
    if name == "sparsemax":
        inside = np.where(y > 0, dy, 0)
        return (
            2 * unit(wide, compute)
            + 4 * eps * eps * np.sum(inside, axes, keepdims=True)
            + eps * (dy + np.max(inside, axes, keepdims=True, initial=0)) * 2.0**-8
        )
    total = dy + np.sum(dy * np.abs(y), axes, keepdims=True)
    lost = (
        2.0 ** -(58 if compute == np.float64 else 46) * (1 + np.sqrt(y.size)) * total
        + (1 + np.sum(dy * 0 + 1, axes, keepdims=True)) * tiny
    )
    return 2.5 * unit(wide, compute) + np.abs(y) * lost + tiny
