"""The loops that a Numba user writes, one scalar formula for each operation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from numba import njit, prange, set_num_threads

_C1 = math.sqrt(2 / math.pi)
_C3 = 0.044715 * _C1


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _sigmoid_gradient(x: float) -> float:
    s = 1 / (1 + math.exp(-x))
    return s * (1 - s)


def _tanh_gradient(x: float) -> float:
    return 1 - math.tanh(x) ** 2


def _relu(x: float) -> float:
    return max(x, 0)


def _relu_gradient(x: float) -> float:
    return 1 if x > 0 else 0


def _relu6(x: float) -> float:
    return min(max(x, 0), 6)


def _relu6_gradient(x: float) -> float:
    return 1 if 0 < x < 6 else 0


def _leaky_relu(x: float) -> float:
    return x if x > 0 else 0.2 * x


def _leaky_relu_gradient(x: float) -> float:
    return 1 if x > 0 else 0.2


def _gelu(x: float) -> float:
    return 0.5 * x * (1 + math.erf(x * math.sqrt(0.5)))


def _gelu_gradient(x: float) -> float:
    pdf = math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return 0.5 * (1 + math.erf(x * math.sqrt(0.5))) + x * pdf


def _gelu_tanh(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(x * (_C1 + _C3 * x * x)))


def _gelu_tanh_gradient(x: float) -> float:
    t = math.tanh(x * (_C1 + _C3 * x * x))
    return 0.5 * (1 + t) * (1 + x * (1 - t) * (_C1 + 3 * _C3 * x * x))


_FORMULAS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "sigmoid": (_sigmoid, _sigmoid_gradient),
    "tanh": (math.tanh, _tanh_gradient),
    "relu": (_relu, _relu_gradient),
    "relu_general": (_relu6, _relu6_gradient),
    "leaky_relu": (_leaky_relu, _leaky_relu_gradient),
    "gelu": (_gelu, _gelu_gradient),
    "gelu_tanh": (_gelu_tanh, _gelu_tanh_gradient),
}


@lru_cache
def loops(threads: int) -> dict[str, Callable[..., Any]]:
    """Compile lazily, at each loop's first call; in parallel if there are several threads."""
    if threads > 1:
        set_num_threads(threads)
    compiled = njit(parallel=threads > 1, error_model="numpy")

    def forward(formula: Any) -> Any:
        @compiled
        def loop(x: Any, out: Any) -> None:
            for i in prange(x.size):
                out[i] = formula(x[i])

        return loop

    def backward(formula: Any) -> Any:
        @compiled
        def loop(dy: Any, x: Any, out: Any) -> None:
            for i in prange(x.size):
                out[i] = dy[i] * formula(x[i])

        return loop

    @compiled
    def dot(x: Any, y: Any) -> Any:
        z = 0.0
        for i in prange(x.size):
            z += x[i] * y[i]
        return z

    result: dict[str, Callable[..., Any]] = {"dot": dot}
    for name, (value, gradient) in _FORMULAS.items():
        result[name] = forward(_scalar(value))
        result[f"{name}_backward"] = backward(_scalar(gradient))
    result["sigmoid_backward_from_output"] = backward(njit(lambda y: y * (1 - y)))
    result["tanh_backward_from_output"] = backward(njit(lambda y: 1 - y * y))
    return result


def _scalar(formula: Callable[[float], float]) -> Any:
    """Compile a formula that is not a function of Numba's own."""
    return formula if formula is math.tanh else njit(error_model="numpy")(formula)
