"""What every program that uses Numba runs for the sake of `vekt`: next to nothing.

Numba calls `init` once, before it compiles anything, as an entry point in the group
numba_extensions; so in programs without `vekt` too.  Therefore this is a package of its own, and
`vekt` is asked for the type of a function only where it has been imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import Any


def init() -> None:
    """Make Numba ask here first for the type of a function that compiled code refers to."""
    import numpy as np
    from numba.extending import typeof_impl

    # Of `object`, too: vekt's own type of functions is known only once vekt is imported.
    for kind in (FunctionType, BuiltinFunctionType, np.ufunc, object):
        typeof_impl.register(kind)(_typeof(typeof_impl.dispatch(kind)))


def _typeof(otherwise: Callable[..., Any]) -> Callable[..., Any]:
    from numba.core.typing.typeof import Purpose

    def typeof(function: Any, context: Any) -> Any:
        if context.purpose == Purpose.constant and "vekt" in sys.modules:
            from vekt._numba_extension import type_of

            known = type_of(function)
            if known is not None:
                return known
        return otherwise(function, context)

    return typeof
