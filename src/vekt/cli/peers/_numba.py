"""The loops that a Numba user writes, one scalar formula for each operation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

import vekt as vk
from vekt.cli.peers._expressions import EXPRESSIONS
from vekt.cli.peers._names import CONSTANTS, Namespace, require_floats

# NumExpr has no erf.
_ERF = "(1 + erf(x * sqrt_half))"
_FORMULAS = {
    **EXPRESSIONS,
    "gelu": f"half * x * {_ERF}",
    "gelu_backward": f"dy * (half * {_ERF} + x * pdf0 * exp(-half * x * x))",
}


def _statement(name: str) -> str:
    if name.endswith("_from_output"):
        return "loop(dy, y, out)"
    return "loop(dy, x, out)" if name.endswith("_backward") else "loop(x, out)"


STATEMENTS = {"dot": "loop(x, dy)", **{name: _statement(name) for name in _FORMULAS}}


def load(threads: int) -> Namespace:
    """Set the number of threads of parallel loops."""
    import numba

    if threads > 1:
        numba.set_num_threads(threads)
    return {}


def bind(name: str, operands: Namespace) -> Namespace:
    """Make the operation's loop, which is compiled at its first call."""
    require_floats(operands)
    numbers = {k: float(v) for k, v in operands.items() if isinstance(v, np.floating)}
    return {"loop": make_loop(name, vk.get_num_threads() > 1, tuple(sorted(numbers.items())))}


@lru_cache
def make_loop(
    name: str, parallel: bool, numbers: tuple[tuple[str, float], ...]
) -> Callable[..., Any]:
    """Return a loop over a formula, a parallel one for several threads."""
    from numba import njit, prange

    compiled = njit(parallel=parallel, error_model="numpy")
    if name == "dot":

        @compiled
        def dot(x: Any, y: Any) -> Any:
            z = 0.0
            for i in prange(x.size):
                z += x[i] * y[i]
            return z

        return dot

    where = njit(lambda condition, a, b: a if condition else b)
    names = {**vars(math), "abs": abs, "where": where, **CONSTANTS, **dict(numbers)}
    y = "y" if name.endswith("_from_output") else "x"
    both = "_backward" in name
    arguments = f"dy, {y}" if both else y
    formula = njit(error_model="numpy")(eval(f"lambda {arguments}: {_FORMULAS[name]}", names))

    @compiled
    def forward(x: Any, out: Any) -> None:
        for i in prange(x.size):
            out[i] = formula(x[i])

    @compiled
    def backward(dy: Any, x: Any, out: Any) -> None:
        for i in prange(x.size):
            out[i] = formula(dy[i], x[i])

    return backward if both else forward
