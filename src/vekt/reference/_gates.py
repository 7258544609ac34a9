"""The gated units and prelu in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.axes import along, halves, unmasked
from vekt._core.containers import values_or_masked
from vekt._core.operands import outs_of, result_dtype, stored
from vekt._spec.activations import KERNELS
from vekt._spec.functions import forwarding, public_function
from vekt._spec.gates import GATE_OPS, PRELU
from vekt._spec.spec import Kernel, Spec
from vekt.reference._rounding import held, narrowed

Function = Callable[..., Any]


def gate_functions(rounded: Callable[..., Function], module: str) -> dict[str, Function]:
    """Make the public functions; `rounded` computes in a wider dtype and rounds once."""
    functions: dict[str, Function] = {}
    for spec in GATE_OPS.values():
        raw: dict[str, Function] = {}
        for gate in spec.kernels:
            raw |= _pair(gate, rounded)
        if spec.name == "glu":
            functions |= _named(spec, _halved(raw), module)
            continue
        functions |= {
            spec.name + kind: public_function(spec, kind, raw, module) for kind in spec.kinds
        }
    return functions | _named(PRELU, _prelu(rounded), module)


def _named(spec: Spec, functions: tuple[Function, ...], module: str) -> dict[str, Function]:
    return {
        spec.name + kind: forwarding(spec, kind, module, function)
        for kind, function in zip(spec.kinds, functions, strict=True)
    }


def _pair(gate: Kernel, rounded: Callable[..., Function]) -> dict[str, Function]:
    """Value, and gradients as a tuple, of a, b and of dy, a, b."""
    activation, first = KERNELS[gate.activation], gate.gate == "a"

    def value(a: Any, b: Any) -> Any:
        x, other = (a, b) if first else (b, a)
        return held(activation.value(x)) * other

    def of_gate(dy: Any, a: Any, b: Any) -> Any:
        x, other = (a, b) if first else (b, a)
        return held(dy * other, overflows=False) * held(activation.gradient(x))

    def of_other(dy: Any, a: Any, b: Any) -> Any:
        x, other = (a, b) if first else (b, a)
        return np.broadcast_arrays(dy * held(activation.value(x)), other)[0]

    gradients = (of_gate, of_other) if first else (of_other, of_gate)
    return {gate.name: rounded(value), f"{gate.name}_backward": rounded(*gradients)}


def _halved(raw: dict[str, Function]) -> tuple[Function, Function]:
    def value(x: Any, axis: int, **options: Any) -> Any:
        return raw["glu"](*halves(values_or_masked(x), axis), **options)

    def backward(dy: Any, x: Any, axis: int, out: Any) -> Any:
        for name, operand in (("dy", dy), ("x", x)):
            unmasked("glu_backward", name, operand)
        x = np.asarray(x)
        dx = np.concatenate(raw["glu_backward"](dy, *halves(x, axis)), axis)
        if dx.shape != x.shape:
            raise ValueError(f"dy of shape {np.shape(dy)} does not broadcast to half of {x.shape}")
        return stored(dx, out)

    return value, backward


def _prelu(rounded: Callable[..., Function]) -> tuple[Function, Function]:
    leaky = KERNELS["leaky_relu"]
    value_of = rounded(leaky.value)
    dx_of = rounded(lambda dy, x, alpha: dy * held(leaky.gradient(x, alpha)))

    def value(x: Any, alpha: Any, axis: int | None, **options: Any) -> Any:
        return value_of(x, along(alpha, axis, np.ndim(x)), **options)

    def backward(dy: Any, x: Any, alpha: Any, axis: int | None, out: Any) -> Any:
        for name, operand in (("dy", dy), ("x", x), ("alpha", alpha)):
            unmasked("prelu_backward", name, operand)
        slopes = along(alpha, axis, max(np.ndim(dy), np.ndim(x)))
        dx = dx_of(dy, x, slopes)
        dtype = result_dtype(None, dy, x, slopes)
        with np.errstate(all="ignore"):
            wide = [np.asarray(a).astype(dtype).astype(np.longdouble) for a in (dy, x)]
            terms = np.where(wide[1] > 0, 0, wide[0] * wide[1])
            sums = _sum_to(np.broadcast_to(terms, np.shape(dx)), np.shape(slopes))
        dalpha = narrowed(sums, dtype).reshape(np.shape(alpha))[()]
        return tuple(map(stored, (dx, dalpha), outs_of(out, 2)))

    return value, backward


def _sum_to(terms: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the axes along which an array of this shape would be repeated."""
    padded = (1,) * (terms.ndim - len(shape)) + shape
    axes = tuple(k for k, n in enumerate(padded) if n == 1)
    return terms.sum(axis=axes).reshape(shape)
