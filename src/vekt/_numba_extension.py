"""Functions of `vekt` in compiled functions: there `vekt.gelu` means `vekt.jit.gelu`.

Nothing is made or registered here for any one function: `vekt.jit` is imported when a function that
is being compiled calls one of `vekt`.  The package vekt_numba tells Numba to ask here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_JIT = ("vekt.jit", "vekt.jit._kernels")


def type_of(function: Any) -> Any:
    """Numba's type of a function of `vekt`, or None where Numba finds it by itself."""
    if getattr(function, "__module__", None) in _JIT:
        _load_overloads(function)
    elif _is_public(function):
        return _type_of_twin(function)
    return None


def _is_public(function: Any) -> bool:
    """Whether this is a function of `vekt`, or a kernel of `vekt.ufuncs`."""
    import vekt

    if not (getattr(function, "__module__", None) or "vekt").startswith("vekt"):
        return False  # without a look at the modules of `vekt` that are imported at first use
    name = getattr(function, "__name__", "")
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
