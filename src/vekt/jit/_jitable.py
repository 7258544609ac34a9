"""How the functions of this package are compiled, whatever the options of the function around."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit
from numba.extending import overload, register_jitable

Function = TypeVar("Function", bound=Callable[..., Any])

# Division must not raise, or loops do not vectorise; and a caller's fastmath must not reach the
# sums here that only exist to round.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": False}
# Bodies as long as these are inlined only on demand, and calls in a loop do not vectorise.
# Nobody calls them from Python or C, so that they need no wrappers, a tenth of the time to compile.
INLINED: dict[str, Any] = {
    **OPTIONS,
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


_JITABLE: set[Any] = set()


def jitable(function: Function) -> Function:
    """Let compiled functions inline this one; it stays a Python function itself."""
    registered: Function = register_jitable(**INLINED)(function)
    _JITABLE.add(registered)
    return registered


def is_jitable(value: Any) -> bool:
    """Whether this is a function that went through `jitable`."""
    return callable(value) and value in _JITABLE


def overloads(
    function: Callable[..., Any], prefer_literal: bool = False
) -> Callable[[Function], Function]:
    """Decorate the function of types that returns an implementation of `function`."""
    options: Any = INLINED

    def decorate(types_of: Function) -> Function:
        # Numba compares its signature with that of the implementation, annotations included.
        types_of.__annotations__ = {}
        registered: Function = overload(
            function, jit_options=options, prefer_literal=prefer_literal
        )(types_of)
        return registered

    return decorate


def entry(function: Function) -> Function:
    """Compile a function for callers in Python: at the first call, kept on disk, without GIL."""
    compiled: Function = njit(cache=True, nogil=True, **OPTIONS)(function)
    return compiled
