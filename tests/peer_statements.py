"""How the tests run what `vekt compare` times, and the definitions that they check it against."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.special import erf

from vekt.cli.peers import CONSTANTS, PEERS

INSTALLED = [peer for peer in PEERS if find_spec(peer) is not None]
DTYPES = ["float32", "float64"]
# torch multiplies by 1 / 6 in float32.
TOLERANCE = {"float32": 2e-5, "float64": 5e-8}


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def softplus(x: Any) -> Any:
    return relu(x) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def gelu(x: Any) -> Any:
    return x * (1 + erf((x / np.sqrt(2)).astype(np.float64))) / 2


def gelu_tanh(x: Any) -> Any:
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


def clip(x: Any, low: float, high: float) -> Any:
    return np.minimum(np.maximum(x, low), high)


SELU = 1.0507009873554804934, 1.6732632423543772848
# The definitions, once more and straightforwardly.
TRUE: dict[str, Callable[..., Any]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": relu,
    "relu_general": lambda x, negative_slope, max_value, threshold: np.where(
        x < threshold, negative_slope * (x - threshold), np.minimum(x, max_value)
    ),
    "relu6": lambda x: clip(x, 0, 6),
    "leaky_relu": lambda x, negative_slope: np.where(x < 0, negative_slope * x, x),
    "hard_tanh": lambda x, min_value, max_value: clip(x, min_value, max_value),
    "hard_sigmoid": lambda x: clip(x + 3, 0, 6) / 6,
    "hard_silu": lambda x: x * clip(x + 3, 0, 6) / 6,
    "soft_shrink": lambda x, threshold: np.sign(x) * relu(np.abs(x) - threshold),
    "hard_shrink": lambda x, threshold: np.where(np.abs(x) > threshold, x, 0),
    "threshold": lambda x, threshold, default_value: np.where(x > threshold, x, default_value),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: clip((x + 1) / 2, 0, 1),
    "linear": lambda x: x,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "squareplus": lambda x, b: (x + np.sqrt(x * x + b)) / 2,
    "elu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)),
    "celu": lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
    "selu": lambda x: SELU[0] * np.where(x > 0, x, SELU[1] * np.expm1(x)),
    "exponential": np.exp,
    "log1mexp": lambda x: np.log(-np.expm1(-x)),
    "softplus": softplus,
    "softplus_general": lambda x, beta: softplus(beta * x) / beta,
    "log_sigmoid": lambda x: -softplus(-x),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
}


def derivative(function: Callable[[Any], Any], x: Any, step: Any = None) -> Any:
    """Central difference along `step`."""
    h = np.longdouble(1e-5)
    step = np.ones_like(x) if step is None else step
    return (function(x + h * step) - function(x - h * step)) / (2 * h)


def normal(shape: Any, dtype: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def execute(peer: str, name: str, operands: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Run a peer's statement; return what its last part returns, and the names that it left."""
    statements, load, bind = PEERS[peer]
    dtype = operands["out"].dtype
    constants = {key: dtype.type(value) for key, value in CONSTANTS.items()}
    names = {"np": np, **constants, **operands, **load(1), **bind(name, operands)}
    *first, last = statements[name].split("; ")
    exec("; ".join(first), names)
    try:
        return eval(last, names), names
    except SyntaxError:  # an assignment
        exec(last, names)
        return None, names


def close(got: Any, expected: Any, dtype: str) -> None:
    got = np.asarray(got)
    assert got.dtype == dtype
    np.testing.assert_allclose(
        got.astype(np.longdouble), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )
