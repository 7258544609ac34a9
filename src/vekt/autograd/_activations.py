"""Activations: NAME and NAME_backward of every spec.

Second derivatives are made of primitives, so that they have derivatives in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

import vekt as vk
from vekt._spec.activations import OPS
from vekt._spec.spec import Kernel, Spec

Function = Callable[..., Any]

_KINDS = ("", "_backward")
_NAMES = {name: op.name for op in OPS.values() for name in (op.name, *op.aliases)}

__all__ = [name + kind for name in _NAMES for kind in _KINDS]

# What the formulas of curvatures speak of.
_SCOPE: dict[str, Any] = dict(vars(np))


def curvature_of(kernel: Kernel, *operands: str) -> Function:
    """Return the derivative of a kernel's gradient, a function of operands and parameters."""
    takes = ", ".join([*operands, *(f"{name}=None" for name in kernel.params)])
    made: Function = eval(f"lambda {takes}: {kernel.curvature}", _SCOPE)
    return made


def _curvature(op: Spec) -> Function:
    """Return f'' of (x, *parameters) of an operation."""
    formulas = {kernel.name: curvature_of(kernel, "x") for kernel in op.kernels}
    if not op.params:
        return formulas[op.name]
    function: Any = getattr(vk, op.name)

    def curvature(x: Any, *given: Any, **named: Any) -> Any:
        named.update(zip((p.name for p in op.params), given, strict=False))
        ufunc, params = function.chosen(named)
        return formulas[ufunc.__name__](x, *params)

    return curvature


def _differentiable(name: str, curvature: Function) -> tuple[Function, Function]:
    """Return an activation and its backward pass, whose derivative is the curvature."""
    value: Function = primitive(getattr(vk, name))
    backward: Function = primitive(getattr(vk, f"{name}_backward"))
    defvjp(value, lambda y, x, *p, **kw: lambda g: backward(g, x, *p, **kw), argnums=(0,))
    defvjp(
        backward,
        lambda dx, dy, x, *p, **kw: unbroadcast_f(dy, lambda g: backward(g, x, *p, **kw)),
        lambda dx, dy, x, *p, **kw: unbroadcast_f(x, lambda g: g * dy * curvature(x, *p, **kw)),
        argnums=(0, 1),
    )
    _SCOPE[name] = value
    _SCOPE[f"d_{name}"] = lambda x: backward(np.ones_like(x), x)
    return value, backward


for _name, _op in OPS.items():
    globals()[_name], globals()[f"{_name}_backward"] = _differentiable(_name, _curvature(_op))

for _alias, _name in _NAMES.items():
    globals().update({_alias + kind: globals()[_name + kind] for kind in _KINDS})
