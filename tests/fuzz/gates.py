"""Gated units and prelu, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

import vekt as vk
from vekt._spec.activations import KERNELS
from vekt._spec.gates import GATE_OPS, PUBLIC_NAMES
from vekt._spec.spec import Kernel

from . import arrays
from .activations import add_output, with_options
from .check import Case
from .draws import Draw
from .truth import Truth, computing, float_dtype, leaves_range, unit, widened

NAMES = set(PUBLIC_NAMES)


def case(draw: Draw) -> Case:
    """Draw a call of a gate."""
    name = draw.pick(PUBLIC_NAMES)
    op, backward = name.removesuffix("_backward"), name.endswith("_backward")
    if op == "glu":
        return _halved(draw, name, backward)
    shape = arrays.shape_of(draw)
    args = [arrays.operand(draw, shape) for _ in range(3 if backward else 2)]
    options: dict[str, Any] = {}
    if op == "prelu":
        if draw.chance(40) and shape:
            options["axis"] = draw.below(2 * len(shape)) - len(shape)
            alpha = arrays.values(draw, (shape[options["axis"]],), draw.pick(("f4", "f8")))
            args[-1] = arrays.laid_out(draw, alpha)
        expect = _prelu_backward if backward else _prelu
    else:
        if op == "geglu" and draw.chance(50):
            options["approximate"] = draw.pick((False, True))
        expect = _expectation(op, backward)
    made = Case(name, getattr(vk, name), args, options, expect)
    return with_options(draw, made, shape, not backward)


def _gate(op: str, options: Any) -> Kernel:
    gates = GATE_OPS[op].kernels
    return gates[int(bool(options.get("approximate", False))) if len(gates) > 1 else 0]


def _expectation(op: str, backward: bool) -> Any:
    def expect(*args: Any, where: Any = True, dtype: Any = None, **options: Any) -> Any:
        gate = _gate(op, options)
        stored = float_dtype(*args, dtype=dtype)
        wide = [widened(x, stored) for x in args]
        return _backward(gate, stored, *wide) if backward else _value(gate, stored, *wide)

    return expect


def _activated(gate: Kernel, x: Any, compute: Any) -> tuple[Any, Any, Any, Any]:
    """Return value and gradient of the activation, each with its slack."""
    kernel = KERNELS[gate.activation]
    y, g = (
        np.asarray(f(np.atleast_1d(x))).reshape(x.shape) for f in (kernel.value, kernel.gradient)
    )
    name = compute.name
    slack = kernel.gradient_max_ulp[name] * unit(g, compute)
    if compute == np.float64 and kernel.roots:
        near = [np.abs(x - np.longdouble(root)) <= kernel.root_radius for root in kernel.roots]
        slack = slack + np.where(np.any(near, axis=0), 2.0**-53, 0)
    return y, kernel.max_ulp[name] * unit(y, compute), g, slack


def _product(stored: Any, factors: Any, f: Any, slack: Any, roundings: float) -> Truth:
    """Return f times the factors, where f may be off by the slack.

    Their product may overflow, but loses digits where it is subnormal.
    """
    product = np.asarray(1, f.dtype)
    for factor in factors:
        product = product * factor
    wide = product * f
    size = np.where(np.isfinite(product), np.abs(product), 0)
    compute = computing(stored)
    free = leaves_range(f, compute) | ~np.isfinite(product)
    if len(factors) > 1:
        free = free | ((np.abs(product) < np.finfo(compute).tiny) & (product != 0))
    return Truth(wide, stored, size * slack + roundings * unit(wide, compute), free=free)


def _value(gate: Kernel, stored: Any, a: Any, b: Any) -> Truth:
    x, other = (a, b) if gate.gate == "a" else (b, a)
    y, slack, _, _ = _activated(gate, x, computing(stored))
    return _product(stored, [other], y, slack, 0.5)


def _backward(gate: Kernel, stored: Any, dy: Any, a: Any, b: Any) -> Any:
    x, other = (a, b) if gate.gate == "a" else (b, a)
    y, slack, g, steep = _activated(gate, x, computing(stored))
    shape = np.broadcast_shapes(dy.shape, a.shape, b.shape)
    of_gate = _product(stored, [dy, other], g, steep, 1.5)
    zeros = np.zeros(shape, y.dtype)
    of_other = _product(stored, [dy], y, slack, 0.5)
    of_other.wide = np.broadcast_to(of_other.wide, shape) + zeros
    of_gate.wide = np.broadcast_to(of_gate.wide, shape) + zeros
    return (of_gate, of_other) if gate.gate == "a" else (of_other, of_gate)


def _halved(draw: Draw, name: str, backward: bool) -> Case:
    shape = list(arrays.shape_of(draw, least=1))
    axis = draw.below(2 * len(shape)) - len(shape)
    half = tuple(shape)
    shape[axis] = 2 * shape[axis] if draw.chance(95) else 2 * shape[axis] + 1
    x = arrays.laid_out(draw, arrays.values(draw, tuple(shape), draw.pick(arrays.REAL)))
    args = [arrays.operand(draw, half), x] if backward else [x]
    options = {"axis": axis} if axis != -1 or draw.chance(20) else {}
    if draw.chance(3):
        options["axis"] = len(shape)

    def expect(*args: Any, axis: int = -1) -> Any:
        stored = float_dtype(*args)
        x = np.asarray(args[-1])
        axis = normalize_axis_index(axis, x.ndim)
        if x.shape[axis] % 2:
            raise ValueError("no halves")
        a, b = np.split(widened(x, stored), 2, axis)
        gate = GATE_OPS["glu"].kernels[0]
        if not backward:
            return _value(gate, stored, a, b)
        dy = np.broadcast_to(widened(args[0], stored), a.shape)
        da, db = _backward(gate, stored, dy, a, b)
        slack = np.concatenate([np.broadcast_to(t.tolerance, a.shape) for t in (da, db)], axis)
        free = np.concatenate([np.broadcast_to(t.free, a.shape) for t in (da, db)], axis)
        return Truth(np.concatenate([da.wide, db.wide], axis), stored, slack, free=free)

    made = Case(name, getattr(vk, name), args, options, expect)
    if draw.chance(30):
        add_output(draw, made)
    return made


def _slopes(alpha: Any, axis: Any, ndim: int) -> Any:
    if axis is None:
        return alpha
    axis = normalize_axis_index(axis, ndim)
    if np.ndim(alpha) != 1:
        raise ValueError("alpha is not 1-d")
    return np.reshape(alpha, (-1, *(1,) * (ndim - 1 - axis)))


def _prelu(x: Any, alpha: Any, axis: Any = None, where: Any = True, dtype: Any = None) -> Truth:
    stored = float_dtype(x, alpha, dtype=dtype)
    a, x = widened(_slopes(alpha, axis, np.ndim(x)), stored), widened(x, stored)
    wide = np.asarray(KERNELS["leaky_relu"].value(*np.broadcast_arrays(x, a)))
    return Truth(wide, stored, 0.5 * unit(wide, computing(stored)))


def _prelu_backward(dy: Any, x: Any, alpha: Any, axis: Any = None) -> Any:
    stored = float_dtype(dy, x, alpha)
    slopes = widened(_slopes(alpha, axis, max(np.ndim(dy), np.ndim(x))), stored)
    dy, x = widened(dy, stored), widened(x, stored)
    dy, x, a = np.broadcast_arrays(dy, x, slopes)
    compute = computing(stored)
    dx = dy * np.where(x > 0, 1, np.where(x <= 0, a, x))
    terms = np.where(x > 0, 0, dy * x)
    padded = (1,) * (x.ndim - slopes.ndim) + slopes.shape
    axes = tuple(k for k, n in enumerate(padded) if n == 1)
    sums = terms.sum(axis=axes).reshape(np.shape(alpha))
    size = np.abs(terms).sum(axis=axes).reshape(np.shape(alpha))
    eps = np.finfo(np.float64).eps * (1 + np.log2(1 + terms.size)) * 8
    slack = np.where(np.isfinite(size), size, 0) * eps + unit(sums, compute)
    free = leaves_range(terms, np.dtype("f8")).any(axis=axes).reshape(np.shape(alpha))
    return Truth(dx, stored, 0.5 * unit(dx, compute)), Truth(sums, stored, slack, free=free)
