"""Where the scalar functions are entered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vekt.jit._jitable import jitable

SCALARS: dict[str, Callable[..., tuple[float, float]]] = {}
FROM_OUTPUT: dict[str, Callable[..., float]] = {}


def scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    """Enter a function (x, *params) -> (value, derivative) under its own name."""
    SCALARS[function.__name__] = jitable(function)
    return function


def from_output(name: str) -> Callable[..., Any]:
    """Enter the derivative as a function (y, *params) of the output of that kernel."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        FROM_OUTPUT[name] = jitable(function)
        return function

    return enter
