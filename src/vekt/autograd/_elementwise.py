"""Elementary functions of one operand; derivatives of any order are made of the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.extend import defvjp, primitive

import vekt as vk
from vekt._spec.elementary import ELEMENTARY

Function = Callable[..., Any]

__all__ = [op.name for op in ELEMENTARY]

_own: dict[str, Function] = {name: primitive(getattr(vk, name)) for name in __all__}
globals().update(_own)

# The derivative from y = f(x) and x.
_SLOPES: dict[str, Function] = {
    "exp": lambda y, x: y,
    "expm1": lambda y, x: _own["exp"](x),
    "log": lambda y, x: 1 / x,
    "log1p": lambda y, x: 1 / (1 + x),
    "sin": lambda y, x: _own["cos"](x),
    "cos": lambda y, x: -_own["sin"](x),
}


def _define(name: str) -> None:
    slope = _SLOPES[name]
    defvjp(_own[name], lambda y, x, **options: lambda g: g * slope(y, x))


for _name in __all__:
    _define(_name)
