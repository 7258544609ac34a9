"""vekt's functions as primitives of HIPS autograd.

``from vekt import autograd as vk`` gives the names of `vekt` that autograd then differentiates in
any Python around them: activations, gates of two operands, softmax and its kin, losses, `matmul`
and `dense`.  Gradients are vekt's fused ones; all but `softmax_cross_entropy` can be differentiated
again.  autograd is an extra: ``pip install 'vekt[autograd]'``.

Examples
--------
>>> from autograd import grad
>>> from vekt import autograd as vk
>>> round(float(grad(vk.gelu)(0.5)), 6)
0.867495
>>> round(float(grad(grad(vk.sigmoid))(1.0)), 6)
-0.090858
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from autograd import numpy as np
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import matmul_vjp_0, matmul_vjp_1, unbroadcast_f
from autograd.tracer import isbox

import vekt

from ._autograd_slopes import SECOND
from ._gate_ops import GATES
from ._loss_ops import LOSSES
from ._registry import OPS, Kernel, Op

Function = Callable[..., Any]


def _chosen(op: Op, arguments: dict[str, Any]) -> tuple[Kernel, list[Any]]:
    """Return the kernel that serves a call, with its parameters."""
    given: dict[str, Any] = {p.name: arguments.get(p.name, p.default) for p in op.params}
    defaults: dict[str, Any] = {p.name: p.default for p in op.params}
    for kernel in op.kernels:
        others = [p for p in op.array_params if p.name not in kernel.params]
        fits = all(given[name] == value for name, value in kernel.flags.items())
        if fits and all(numpy.array_equal(given[p.name], defaults[p.name]) for p in others):
            break
    return kernel, [given[name] for name in kernel.params]


def _activation(op: Op) -> dict[str, Function]:
    value: Function = primitive(getattr(vekt, op.name))
    backward = primitive(getattr(vekt, f"{op.name}_backward"))
    names = [p.name for p in op.params]

    def slope_of(ans: Any, x: Any, *params: Any, **options: Any) -> Function:
        made: Function = unbroadcast_f(x, lambda g: backward(g, x, *params, **options))
        return made

    def by_dy(ans: Any, dy: Any, x: Any, *params: Any, **options: Any) -> Function:
        made: Function = unbroadcast_f(dy, lambda g: backward(g, x, *params, **options))
        return made

    def by_x(ans: Any, dy: Any, x: Any, *params: Any, **options: Any) -> Function:
        given = {**dict(zip(names, params, strict=False)), **options}
        kernel, values = _chosen(op, given)
        second = SECOND.get(kernel.name)
        curvature = 0 * x if second is None else second(x, *values)
        made: Function = unbroadcast_f(x, lambda g: g * dy * curvature)
        return made

    defvjp(value, slope_of, argnums=(0,))
    defvjp(backward, by_dy, by_x, argnums=(0, 1))
    return {op.name: value, f"{op.name}_backward": backward}


def _gate(name: str, activation: str, first: bool, functions: dict[str, Function]) -> Function:
    value: Function = primitive(getattr(vekt, name))
    f, slope = functions[activation], functions[f"{activation}_backward"]

    def by_gate(ans: Any, a: Any, b: Any, **options: Any) -> Function:
        x, other = (a, b) if first else (b, a)
        made: Function = unbroadcast_f(x, lambda g: slope(g * other, x, **options))
        return made

    def by_other(ans: Any, a: Any, b: Any, **options: Any) -> Function:
        x, other = (a, b) if first else (b, a)
        made: Function = unbroadcast_f(other, lambda g: g * f(x, **options))
        return made

    defvjp(value, *((by_gate, by_other) if first else (by_other, by_gate)))
    return value


def _total(v: Any, axis: Any) -> Any:
    return np.sum(v, axis=axis, keepdims=True)


def _rows() -> dict[str, Function]:
    """Softmax and its kin: gradients from the output, which are linear in dy."""
    slopes: dict[str, Function] = {
        "softmax": lambda g, dy, y, axis: (
            g * (dy - _total(dy * y, axis)) - dy * _total(g * y, axis)
        ),
        "log_softmax": lambda g, dy, y, axis: -g * np.exp(y) * _total(dy, axis),
        "sparsemax": lambda g, dy, y, axis: 0 * y,
    }
    slopes["softmin"] = lambda g, dy, y, axis: -slopes["softmax"](g, dy, y, axis)
    functions: dict[str, Function] = {}
    for name, by_output in slopes.items():
        functions |= _from_output(name, by_output)
    softmax, softmax_backward = functions["softmax"], functions["softmax_backward"]

    def logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
        return total(x, axis) if keepdims else np.squeeze(total(x, axis), axis)

    total = primitive(lambda x, axis: vekt.logsumexp(x, axis, True))
    backward = primitive(lambda dy, x, axis: vekt.logsumexp_backward(dy, x, axis, True))
    defvjp(total, lambda ans, x, axis: lambda g: backward(g, x, axis), argnums=(0,))
    defvjp(
        backward,
        lambda ans, dy, x, axis: lambda g: _total(g * softmax(x, axis), axis),
        lambda ans, dy, x, axis: lambda g: softmax_backward(dy * g, softmax(x, axis), axis),
        argnums=(0, 1),
    )
    return {**functions, "logsumexp": logsumexp}


def _from_output(name: str, by_output: Function) -> dict[str, Function]:
    value: Function = primitive(getattr(vekt, name))
    backward = primitive(getattr(vekt, f"{name}_backward"))

    def by_dy(ans: Any, dy: Any, y: Any, axis: Any = -1) -> Function:
        if name == "log_softmax":
            return lambda g: g - _total(g * np.exp(y), axis)
        return lambda g: backward(g, y, axis)

    defvjp(value, lambda ans, x, axis=-1: lambda g: backward(g, ans, axis), argnums=(0,))
    defvjp(
        backward,
        by_dy,
        lambda ans, dy, y, axis=-1: lambda g: by_output(g, dy, y, axis),
        argnums=(0, 1),
    )
    return {name: value, f"{name}_backward": backward}


def _loss(name: str, sigmoid_backward: Function) -> Function:
    value: Function = primitive(getattr(vekt, name))
    backward = primitive(getattr(vekt, f"{name}_backward"))
    curvatures: dict[str, Function] = {
        "squared_error": lambda c, y, t: 2 * c,
        "huber": lambda c, y, t, delta=1.0: c * (np.abs(y - t) < delta),
        "sigmoid_cross_entropy": lambda c, y, t: sigmoid_backward(c, y),
        "binary_cross_entropy": lambda c, y, t: c * (t / (y * y) + (1 - t) / ((1 - y) * (1 - y))),
    }
    curvature = curvatures[name]

    def by_y(ans: Any, y: Any, t: Any, *delta: Any) -> Function:
        made: Function = unbroadcast_f(y, lambda g: backward(g, y, t, *delta))
        return made

    def by_dl(ans: Any, dl: Any, y: Any, t: Any, *delta: Any) -> Function:
        made: Function = unbroadcast_f(dl, lambda g: backward(g, y, t, *delta))
        return made

    def by_y_again(ans: Any, dl: Any, y: Any, t: Any, *delta: Any) -> Function:
        made: Function = unbroadcast_f(y, lambda g: curvature(g * dl, y, t, *delta))
        return made

    defvjp(value, by_y, argnums=(0,))
    defvjp(backward, by_dl, by_y_again, argnums=(0, 1))
    return value


def _softmax_cross_entropy() -> Function:
    value: Function = primitive(vekt.softmax_cross_entropy)

    def by_logits(ans: Any, logits: Any, labels: Any, **options: Any) -> Function:
        _, slope = vekt.softmax_cross_entropy_value_and_grad(logits, labels, **options)
        if options.get("reduction") != "none":
            return lambda g: g * slope
        axis = options.get("axis", -1)
        return lambda g: np.expand_dims(g, axis) * slope

    defvjp(value, by_logits, argnums=(0,))
    return value


def _products(functions: dict[str, Function]) -> dict[str, Function]:
    matmul = primitive(vekt.matmul)
    defvjp(matmul, matmul_vjp_0, matmul_vjp_1)
    fused = primitive(lambda x, w, b, activation: vekt.dense(x, w, b, activation))

    def composed(x: Any, w: Any, b: Any, activation: Any) -> Any:
        z = matmul(x, w) + b
        return z if activation is None else functions[activation](z)

    def gradients(
        argnums: Any, ans: Any, operands: tuple[Any, ...], options: dict[str, Any]
    ) -> Function:
        x, w, b, activation = operands
        z = None if activation is None else matmul(x, w) + b

        def at(g: Any) -> tuple[Any, ...]:
            if any(map(isbox, (g, x, w, b))):
                dz = g if z is None else functions[f"{activation}_backward"](g, z)
                made = matmul(dz, w.T), matmul(x.T, dz), np.sum(dz, axis=0)
            else:
                made = vekt.dense_backward(g, x, w, z, activation)
            return tuple(made[i] for i in argnums)

        return at

    from autograd.core import defvjp_argnums

    defvjp_argnums(fused, lambda argnums, ans, args, kwargs: gradients(argnums, ans, args, kwargs))

    def dense(x: Any, w: Any, b: Any, activation: str | None = None) -> Any:
        """Dense layer of samples in the rows of x, `activation(x @ w + b)`, b of shape (n,)."""
        if activation is not None and activation not in functions:
            raise ValueError(f"dense: no activation {activation!r} by this name")
        return fused(x, w, b, activation)

    return {"matmul": matmul, "dense": dense}


def _functions() -> dict[str, Function]:
    made: dict[str, Function] = {}
    for op in OPS.values():
        made |= _activation(op)
        made |= {alias: made[name] for alias, name in op.alias_names.items() if name in made}
    for name in ("swiglu", "geglu", "reglu"):
        gate = GATES[name]
        made[name] = _gate(name, gate.activation, gate.gate == "a", made)
    made |= _rows()
    for name in LOSSES:
        made[name] = _loss(name, made["sigmoid_backward"])
    made["softmax_cross_entropy"] = _softmax_cross_entropy()
    return made | _products(made)


_FUNCTIONS = _functions()
globals().update(_FUNCTIONS)
__all__ = sorted(_FUNCTIONS)
