"""Elementary functions of one operand and of two; their derivatives are made of the same ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

import vekt as vk
from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY

Function = Callable[..., Any]

_ONE, _TWO = ([op.name for op in ops] for ops in (ELEMENTARY, BINARY))
__all__ = [*_ONE, *_TWO]

_own: dict[str, Function] = {name: primitive(getattr(vk, name)) for name in __all__}
globals().update(_own)

_SLOPE = 2 / math.sqrt(math.pi)

# The derivative from y = f(x) and x.
_SLOPES: dict[str, Function] = {
    "exp": lambda y, x: y,
    "expm1": lambda y, x: _own["exp"](x),
    "log": lambda y, x: 1 / x,
    "log1p": lambda y, x: 1 / (1 + x),
    "sin": lambda y, x: _own["cos"](x),
    "cos": lambda y, x: -_own["sin"](x),
    "tan": lambda y, x: 1 + y * y,
    "exp2": lambda y, x: math.log(2) * y,
    "log2": lambda y, x: 1 / (math.log(2) * x),
    "log10": lambda y, x: 1 / (math.log(10) * x),
    "sinh": lambda y, x: _own["cosh"](x),
    "cosh": lambda y, x: _own["sinh"](x),
    "erf": lambda y, x: _SLOPE * _own["exp"](-x * x),
    "erfc": lambda y, x: -_SLOPE * _own["exp"](-x * x),
    "arctan": lambda y, x: 1 / (1 + x * x),
    "cbrt": lambda y, x: 1 / (3 * y * y),
    "rsqrt": lambda y, x: y * y * y / -2,
}
# The derivatives by either operand, from y = f(a, b); as in fused functions 0 where both are 0.
_SLOPES_OF_TWO: dict[str, tuple[Function, Function]] = {
    "power": (
        lambda y, a, b: anp.where(b == 0, 0.0, b * _own["power"](a, b - 1)),
        lambda y, a, b: y * _own["log"](anp.where(a == 0, 1.0, a)),
    ),
    "arctan2": (
        lambda y, a, b: b / (a * a + b * b),
        lambda y, a, b: -a / (a * a + b * b),
    ),
    "hypot": (
        lambda y, a, b: a / anp.where(y == 0, 1.0, y),
        lambda y, a, b: b / anp.where(y == 0, 1.0, y),
    ),
    "logaddexp": (
        lambda y, a, b: _own["exp"](a - y),
        lambda y, a, b: _own["exp"](b - y),
    ),
}


def _define(name: str) -> None:
    slope = _SLOPES[name]
    defvjp(_own[name], lambda y, x, **options: lambda g: g * slope(y, x))


def _define_two(name: str) -> None:
    def vjp(slope: Function, which: int) -> Function:
        def of(y: Any, a: Any, b: Any, **options: Any) -> Function:
            to_shape: Function = unbroadcast_f((a, b)[which], lambda g: g * slope(y, a, b))
            return to_shape

        return of

    defvjp(_own[name], *(vjp(slope, k) for k, slope in enumerate(_SLOPES_OF_TWO[name])))


for _name in _ONE:
    _define(_name)
for _name in _TWO:
    _define_two(_name)
