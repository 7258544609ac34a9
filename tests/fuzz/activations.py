"""Activations: value, backward, value and gradient, gradient from the output."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

import vekt as vk
from vekt import ufuncs
from vekt._spec.activations import OPS
from vekt._spec.spec import Kernel

from . import arrays
from .arrays import BFLOAT16
from .check import Case, expected
from .draws import Draw
from .truth import WEAK, Truth, computing, float_dtype, leaves_range, unit, widened

_FUNCTIONS = [
    (op, kind, name)
    for op in OPS.values()
    for kind in op.kinds
    for name in (op.name + kind, *(alias + kind for alias in op.aliases))
]
NAMES = {name for *_, name in _FUNCTIONS} | {"activations", "ufuncs"}


def case(draw: Draw) -> Case:
    """Draw a call of an activation."""
    op, kind, name = draw.pick(_FUNCTIONS)
    shape = arrays.shape_of(draw)
    args = [arrays.operand(draw, shape) for _ in range(2 if "backward" in kind else 1)]
    if kind == "_backward_from_output":
        with suppress(TypeError):  # of a strange dtype
            args[1] = arrays.laid_out(draw, np.asarray(getattr(vk, op.name)(args[1])))
    options: dict[str, Any] = {}
    for param in op.params_of(kind):
        if param.kind == "flag":
            if draw.chance(40):
                options[param.name] = draw.pick((False, True))
        elif draw.chance(35):
            options[param.name] = _parameter(draw, shape)
    kernel = _chosen(op, kind, options)
    function = getattr(vk, name)
    if draw.chance(10) and not kind and name in dir(vk.activations):
        function = vk.activations.get(name)
    if draw.chance(10) and hasattr(ufuncs, kernel.name + kind):
        function, name = getattr(ufuncs, kernel.name + kind), f"ufuncs.{kernel.name}{kind}"
        args += [_value_of(op, p, options) for p in kernel.params]
        options = {}
    expect = _expectation(op, kind, kernel, "ufuncs" in name)
    return with_options(draw, Case(name, function, args, options, expect), shape, not kind)


def with_options(draw: Draw, made: Case, shape: tuple[int, ...], ufunc: bool) -> Case:
    """Add out, where and dtype to a call of an elementwise function of one result."""
    if ufunc and draw.chance(15):
        strange = ("i4", "g") if made.name.endswith("tanh") else ("i4", "c8", "g")
        made.options["dtype"] = draw.pick(("f4", "f8", "f2", BFLOAT16, *strange))
    if ufunc and draw.chance(15):
        mask = arrays.values(draw, tuple(1 if draw.chance(30) else n for n in shape), "?")
        made.options["where"], made.masked = arrays.laid_out(draw, mask), True
    if not made.name.endswith("_value_and_grad") and draw.chance(30):
        add_output(draw, made)
    if draw.chance(20):
        made.threads = 1 + draw.below(3)
    return made


def add_output(draw: Draw, made: Case) -> None:
    """Add an array to write to, if there is a result; a wrong one now and then."""
    truths = expected(made, made.args, made.options)
    if isinstance(truths, Exception) or any(t is None or t.dtype.hasobject for t in truths):
        return
    operands = [*made.args, *made.options.values()]
    if any(getattr(x, "dtype", np.dtype("f8")).hasobject for x in operands):
        return
    outs, bad = [], ""
    for true in truths:
        shape, dtype = np.shape(true.wide), true.dtype
        if draw.chance(20):
            dtype = np.dtype(draw.pick(("f4", "f8", "f2", "c16", "i4")))
        if made.masked:  # NumPy reads what the mask leaves out
            dtype = true.dtype if dtype.kind == "c" else dtype
            shape = np.broadcast_shapes(shape, np.shape(made.options["where"]))
        if draw.chance(3) and 0 not in shape and np.prod(shape) > 1:
            longest = int(np.argmax(shape))  # one element of an axis would broadcast
            shape = tuple(n + (axis == longest) for axis, n in enumerate(shape))
            bad = f"no ValueError for out of shape {shape}"
        out = arrays.output(draw, shape, dtype, operands)
        if not np.can_cast(true.dtype, out.dtype, "same_kind"):
            bad = f"no TypeError for out of dtype {out.dtype}"
        if not out.flags.writeable:
            bad = "no ValueError for an out that is read-only"
        outs.append(out)
    if len(outs) > 1 and any(
        np.may_share_memory(a, b) for i, a in enumerate(outs) for b in outs[:i]
    ):
        return
    made.bad, made.out = bad, tuple(outs) if len(outs) > 1 else outs[0]


def _parameter(draw: Draw, shape: tuple[int, ...]) -> Any:
    number = draw.pick((1.5, 0.25, 2, 0.5, 1, 3.0, np.float32(0.75), np.float64(0.1), 0.3))
    if draw.chance(75):
        return number
    sides = shape[draw.below(len(shape) + 1) :]
    positive = np.abs(arrays.values(draw, sides, draw.pick(("f4", "f8", "f2")), tame=True)) + 1 / 8
    return arrays.laid_out(draw, positive.astype(draw.pick(("f4", "f8", "f2"))))


def _value_of(op: Any, name: str, options: Any) -> Any:
    param = next(p for p in op.params if p.name == name)
    value = options.get(name, param.default)
    return param.none_means if value is None else value


def _chosen(op: Any, kind: str, options: Any) -> Kernel:
    """Return the first kernel whose flags match and which takes what is not at its default."""
    defaults = {p.name: p.default for p in op.params}
    for kernel in op.kernels_of(kind):
        flags = all(options.get(f, defaults[f]) == v for f, v in kernel.flags.items())
        others = [
            n for n in options if n not in kernel.params and n not in {f.name for f in op.flags}
        ]
        if flags and all(
            type(options[n]) in (int, float) and options[n] == defaults[n] for n in others
        ):
            return kernel
    return op.kernels[-1]


def _expectation(op: Any, kind: str, kernel: Kernel, raw: bool) -> Any:
    def expect(*args: Any, where: Any = True, dtype: Any = None, **options: Any) -> Any:
        count = len(args) - len(kernel.params) if raw else len(args)
        params = args[count:] if raw else [_value_of(op, p, options) for p in kernel.params]
        return activation_truth(kernel, kind, args[:count], params, dtype)

    return expect


def activation_truth(kernel: Kernel, kind: str, args: Any, params: Any, dtype: Any = None) -> Any:
    """Return the truth for a call of a kernel."""
    stored = float_dtype(*args, *params, dtype=dtype)
    compute = computing(stored)
    given = [widened(x, stored) for x in args]
    # Arrays of parameters are operands, which take the dtype of the call.
    numbers = [
        widened(p if type(p) in WEAK else np.asarray(p).astype(stored), compute) for p in params
    ]
    operands = [np.atleast_1d(x) for x in np.broadcast_arrays(given[-1], *numbers)]
    shape = np.broadcast_shapes(*(x.shape for x in (*given, *numbers)))

    def evaluated(function: Any) -> Any:
        result = np.asarray(function(*operands), operands[0].dtype)
        return result.reshape(np.broadcast_shapes(given[-1].shape, *(n.shape for n in numbers)))

    def gradient() -> tuple[Any, Any]:
        g = evaluated(kernel.from_output if kind.endswith("output") else kernel.gradient)
        bounds = kernel.max_ulp if kind.endswith("output") else kernel.gradient_max_ulp
        steps = np.where(np.isinf(g), 0, np.abs(g) * np.finfo(compute).eps / 2)  # beyond the range
        slack = bounds[compute.name] * np.maximum(unit(g, compute), steps)
        return g, slack + _near_roots(kernel, given[-1], compute)

    def value() -> Truth:
        y = evaluated(kernel.value)
        return Truth(y, stored, kernel.max_ulp[compute.name] * unit(y, compute), signed=True)

    if not kind:
        return value()
    g, slack = gradient()
    if kind == "_value_and_grad":
        return value(), Truth(g, stored, slack)
    wide = np.broadcast_to(given[0] * g, shape)
    slack = np.where(np.isfinite(given[0]), np.abs(given[0]), 0) * slack + unit(wide, compute) * 0.5
    # An infinity times what has vanished, or 0 times what has overflowed, is NaN.
    free = (~np.isfinite(given[0]) | (given[0] == 0)) & leaves_range(g, compute)
    if kernel.name == "log1mexp":  # has no bound, and is infinite beyond the range whatever dy is
        free |= ~(np.abs(g) <= np.finfo(compute).max)
    return Truth(wide, stored, slack, free=np.broadcast_to(free, shape))


def _near_roots(kernel: Kernel, x: Any, compute: Any) -> Any:
    """Return the absolute error that float64 may have where the gradient passes through zero."""
    if compute != np.float64 or not kernel.roots:
        return 0.0
    near = [np.abs(x - np.longdouble(root)) <= kernel.root_radius for root in kernel.roots]
    return np.where(np.any(near, axis=0), 2.0**-53, 0.0)
