"""The twin of a function for results that are rounded to float32.

It is the same code, computing in float64 all the same, over shorter polynomials and without the
second words that only the last bits of float64 need: half the instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

from vekt.jit._constants import (
    ERF_SINGLE,
    EXP_SINGLE,
    EXPM1_SINGLE,
    LOG_SINGLE,
    SLOPE_SINGLE,
    TAIL_SINGLE,
)
from vekt.jit._jitable import is_jitable, jitable

# No power of two needs a second factor, since nothing underflows in float64.
_CONSTANTS: dict[str, Any] = {
    "DOUBLE": False,
    "EXP": EXP_SINGLE,
    "EXPM1": EXPM1_SINGLE,
    "LOG": LOG_SINGLE,
    "ERF": ERF_SINGLE,
    "TAIL": TAIL_SINGLE,
    "SLOPE": SLOPE_SINGLE,
    "EXP_LIMIT": 700.0,
    "LIFT": 0.0,
    "UNLIFT": 1.0,
    "LOWERING": 0.0,
    "LOWER": 1.0,
    "SINKING": 0.0,
    "SINK": 1.0,
    "SINK_LIMIT": 150.0,
}


@cache
def single(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the twin of a jitable function, which may be the function itself.

    The constants above are replaced in its code and in all that it calls.
    """
    scope = function.__globals__
    changed: dict[str, Any] = {}
    for name in function.__code__.co_names:
        if name in _CONSTANTS:
            changed[name] = _CONSTANTS[name]
        elif is_jitable(scope.get(name)) and single(scope[name]) is not scope[name]:
            changed[name] = single(scope[name])
    if not changed:
        return function
    assert isinstance(function, FunctionType)
    twin = FunctionType(function.__code__, scope | changed, function.__name__)
    twin.__qualname__ = f"{function.__qualname__}_single"
    return jitable(twin)
