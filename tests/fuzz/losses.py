"""Losses, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

import vekt as vk
from vekt import reference
from vekt._spec.losses import LOSSES, PUBLIC_NAMES, SOFTMAX_NAMES

from . import arrays
from .activations import with_options
from .check import Case
from .draws import Draw
from .truth import Truth, computing, float_dtype, leaves_range, unit, widened

NAMES = set(PUBLIC_NAMES)
_FUNCTIONS = [
    (loss, k, name) for loss in LOSSES.values() for k, name in enumerate(loss.public_names)
]


def case(draw: Draw) -> Case:
    """Draw a call of a loss."""
    if draw.chance(35):
        return _softmax_case(draw)
    loss, kind, name = draw.pick(_FUNCTIONS)
    shape = arrays.shape_of(draw)
    args = [arrays.operand(draw, shape) for _ in range(3 if kind == 1 else 2)]
    if loss.name == "binary_cross_entropy" and draw.chance(70):
        args[-2:] = [_probabilities(draw, shape) for _ in range(2)]
    if loss.name in ("sigmoid_cross_entropy", "binary_cross_entropy"):
        args[-1] = _probabilities(draw, shape)
    options: dict[str, Any] = {}
    if loss.params and draw.chance(50):
        options[loss.params[0].name] = draw.pick((0.5, 2.0, 1, 3.25, np.float32(1.5)))
    made = Case(name, getattr(vk, name), args, options, _expectation(loss, kind))
    return with_options(draw, made, shape, kind == 0)


def _probabilities(draw: Draw, shape: tuple[int, ...]) -> Any:
    dtype = np.dtype(draw.pick(arrays.FLOATS))
    p = np.asarray(draw.numbers().random(shape)).astype(dtype)
    if draw.chance(40):
        p = np.round(p.astype("f8")).astype(dtype)
    return arrays.laid_out(draw, p)


def _expectation(loss: Any, kind: int) -> Any:
    def expect(*args: Any, where: Any = True, dtype: Any = None, **options: Any) -> Any:
        params = [options.get(p.name, p.default) for p in loss.params]
        stored = float_dtype(*args, *params, dtype=dtype)
        compute = computing(stored)
        bounds, k = loss.kernel, int(compute == np.float64)
        wide = [widened(x, stored) for x in (*args, *params)]
        operands = np.broadcast_arrays(*wide[kind == 1 :])
        free = np.zeros(operands[0].shape, bool)
        if loss.name == "huber" or (loss.name == "squared_error" and kind != 1):
            free = leaves_range(operands[0] - operands[1], compute)
        value = np.asarray(loss.kernel.value(*operands))
        slope = np.asarray(loss.kernel.gradient(*operands))
        slack = (
            bounds.gradient_max_ulp[compute.name] * unit(slope, compute) + bounds.gradient_floor[k]
        )
        if kind != 1 or loss.name != "squared_error":
            free = free | leaves_range(slope, compute)
        if kind == 1:
            product = wide[0] * slope
            size = np.where(np.isfinite(wide[0]), np.abs(wide[0]), 0)
            return Truth(product, stored, size * slack + unit(product, compute) / 2, free=free)
        true = Truth(value, stored, bounds.max_ulp[compute.name] * unit(value, compute), free=free)
        return true if kind == 0 else (true, Truth(slope, stored, slack, free=free))

    return expect


def _softmax_case(draw: Draw) -> Case:
    name = draw.pick(SOFTMAX_NAMES)
    shape = arrays.shape_of(draw, least=1, most=4)
    if 0 in shape and draw.chance(80):
        shape = tuple(n or 2 for n in shape)
    axis = draw.below(2 * len(shape)) - len(shape)
    n, rows = shape[axis], tuple(np.delete(shape, axis))
    x = arrays.laid_out(draw, arrays.values(draw, shape, draw.pick(arrays.REAL), tame=True))
    options: dict[str, Any] = {} if axis == -1 and draw.chance(50) else {"axis": axis}
    kind = draw.pick(arrays.INTEGERS[:8])
    if draw.chance(25):
        labels = _probabilities(draw, shape)
    else:
        labels = np.asarray(draw.numbers().integers(0, min(max(n, 1), 127), rows)).astype(kind)
        if labels.size and draw.chance(5):
            labels.flat[0] = draw.pick((127, 100) if kind[0] == "u" else (-1, -128, 127))
        if draw.chance(25):
            options["ignore_index"] = draw.pick((0, 1, -1))
        labels = arrays.laid_out(draw, labels)
    if draw.chance(25):
        options["label_smoothing"] = draw.pick((0.0, 0.1, 1.0, 0.5, 1.5))
    if draw.chance(25):
        options["weight"] = np.asarray(draw.numbers().random(n))
    if draw.chance(60):
        options["reduction"] = draw.pick(("sum", "none", "mean", "other"))
    made = Case(name, getattr(vk, name), [x, labels], options, _softmax_expectation(name))
    if name.endswith("grad") and draw.chance(30):
        stored = np.dtype("f8") if x.dtype.kind in "biu" else x.dtype.newbyteorder("=")
        made.out = arrays.output(draw, shape, stored, [x])
        if not made.out.flags.writeable:
            made.bad = "no ValueError for an out that is read-only"
        if made.out.dtype != stored:
            made.out, made.bad = None, ""
        else:
            function = made.function
            made.function = lambda *a, out=(None, None), **o: function(*a, out=out[1], **o)
            made.out = (None, made.out)
    made.threads = 1 + draw.below(2)
    return made


def _softmax_expectation(name: str) -> Any:
    def expect(x: Any, labels: Any, **options: Any) -> Any:
        stored = float_dtype(x)
        compute = computing(stored)
        result = getattr(reference, name)(np.asarray(x).astype(stored), labels, **options)
        loss, slope = result if isinstance(result, tuple) else (result, None)
        axis = normalize_axis_index(options.get("axis", -1), np.ndim(x))
        weight = float(np.max(options.get("weight", 1.0), initial=1))
        size = np.abs(widened(x, stored)).max(initial=1) * weight * np.shape(x)[axis]
        eps = float(np.finfo(compute).eps)
        wide = np.asarray(loss).astype(np.longdouble if compute == np.float64 else np.float64)
        count = max(1, np.size(x))
        slack = 4 * unit(wide, stored) + 8 * eps * np.abs(wide) + eps * eps * size * count
        true = Truth(wide, stored, slack)
        if slope is None:
            return true
        wide = np.asarray(slope).astype(wide.dtype)
        return true, Truth(wide, stored, 3 * unit(wide, stored) + 8 * eps * weight)

    return expect
