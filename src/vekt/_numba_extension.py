"""Functions of `vekt` in compiled functions: there `vekt.gelu` means `vekt.jit.gelu`.

Numba runs `init` once, before it compiles anything, as an entry point in the group
numba_extensions; so in programs without `vekt` too.  Therefore nothing is made or registered here
for any one function: `vekt.jit` is imported when a function that is being compiled calls one of
`vekt`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

_JIT = ("vekt.jit", "vekt.jit._kernels")


def init() -> None:
    """Make Numba ask here first for the type of a function that compiled code refers to."""
    from numba.extending import typeof_impl

    for kind in (FunctionType, BuiltinFunctionType, np.ufunc):
        typeof_impl.register(kind)(_typeof(typeof_impl.dispatch(kind)))


def _typeof(otherwise: Callable[..., Any]) -> Callable[..., Any]:
    from numba.core.typing.typeof import Purpose

    def typeof(function: Any, context: Any) -> Any:
        if context.purpose == Purpose.constant:
            if getattr(function, "__module__", None) in _JIT:
                _load_overloads(function)
            elif _is_public(function):
                return _type_of_twin(function)
        return otherwise(function, context)

    return typeof


def _is_public(function: Any) -> bool:
    """Whether this is a function of `vekt`, or a kernel of `vekt.ufuncs`."""
    import vekt

    name = function.__name__
    return any(
        name in space.__all__ and getattr(space, name) is function for space in (vekt, vekt.ufuncs)
    )


@cache
def _type_of_twin(function: Any) -> Any:
    """Numba's type of the function in `vekt.jit`, or None where there is none."""
    from vekt import jit
    from vekt.jit._kernels import COMPILED

    twin = getattr(jit, function.__name__, None) or COMPILED.get(function.__name__)
    return _typing_context().resolve_value_type(twin) if twin else None


@cache
def _load_overloads(function: Any) -> None:
    """Let Numba know a function of `vekt.jit` that was imported while another is compiled."""
    _typing_context().refresh()


def _typing_context() -> Any:
    from numba.core.registry import cpu_target

    return cpu_target.typing_context
