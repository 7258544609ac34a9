"""Activations: NAME and NAME_backward of every row of the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

import vekt as vk
from vekt._spec.activations import OPS
from vekt.autograd._curvatures import curvatures

Function = Callable[..., Any]

_KINDS = ("", "_backward")
_NAMES = {name: op.name for op in OPS.values() for name in (op.name, *op.aliases)}

__all__ = [name + kind for name in _NAMES for kind in _KINDS]


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
    return value, backward


_CURVATURES = curvatures(globals())

for _name in OPS:
    globals()[_name], globals()[f"{_name}_backward"] = _differentiable(_name, _CURVATURES[_name])

for _alias, _name in _NAMES.items():
    globals().update({_alias + kind: globals()[_name + kind] for kind in _KINDS})
