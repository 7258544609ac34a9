"""Names in the statements of several peers use."""

from __future__ import annotations

import math
import re
from typing import Any

Namespace = dict[str, Any]

# Dense layers are compared with these activations.
LAYERS = ("relu", "gelu", "gelu_tanh", "silu", "tanh", "mish")


# Elementwise functions, by their names in NumPy, torch and JAX, with the number of operands.
ELEMENTWISE: dict[str, tuple[int, str, str, str]] = {
    "add": (2, "add", "add", "add"),
    "subtract": (2, "subtract", "sub", "subtract"),
    "multiply": (2, "multiply", "mul", "multiply"),
    "divide": (2, "divide", "div", "divide"),
    "maximum": (2, "maximum", "maximum", "maximum"),
    "minimum": (2, "minimum", "minimum", "minimum"),
    "power": (2, "power", "pow", "power"),
    "square": (1, "square", "square", "square"),
    "sqrt": (1, "sqrt", "sqrt", "sqrt"),
    "reciprocal": (1, "reciprocal", "reciprocal", "reciprocal"),
    "absolute": (1, "absolute", "abs", "abs"),
    "negative": (1, "negative", "neg", "negative"),
    "exp": (1, "exp", "exp", "exp"),
    "log": (1, "log", "log", "log"),
    "sin": (1, "sin", "sin", "sin"),
    "cos": (1, "cos", "cos", "cos"),
    "equal": (2, "equal", "eq", "equal"),
    "not_equal": (2, "not_equal", "ne", "not_equal"),
    "less": (2, "less", "lt", "less"),
    "less_equal": (2, "less_equal", "le", "less_equal"),
    "greater": (2, "greater", "gt", "greater"),
    "greater_equal": (2, "greater_equal", "ge", "greater_equal"),
    "logical_and": (2, "logical_and", "logical_and", "logical_and"),
    "logical_or": (2, "logical_or", "logical_or", "logical_or"),
    "logical_not": (1, "logical_not", "logical_not", "logical_not"),
    "where": (3, "where", "where", "where"),
    "clip": (3, "clip", "clip", "clip"),
}
GRID = "layouts"  # sums of two operands of any layout


class UnsupportedError(TypeError):
    """The peer has the operation, but not for this dtype."""


def require_floats(operands: Namespace) -> None:
    """Raise UnsupportedError for any dtype but float32 and float64."""
    if operands["out"].dtype.name not in ("float32", "float64"):
        raise UnsupportedError


def renamed(statement: str, **names: str) -> str:
    """Return a statement with other names for its operands, all replaced at once."""
    pattern = rf"\b({'|'.join(names)})\b(?!=[^=])"  # keywords stay
    return re.sub(pattern, lambda match: names[match[0]], statement)


SELU_ALPHA = 1.6732632423543772848
SELU_SCALE = 1.0507009873554804934

# In statements of NumPy and NumExpr they have the dtype of the operands, which a Python float would
# raise to float64 in NumExpr.
CONSTANTS: dict[str, float] = {
    "half": 0.5,
    "quarter": 0.25,
    "third": 1 / 3,
    "sixth": 1 / 6,
    "c1": math.sqrt(2 / math.pi),
    "c3": 0.044715 * math.sqrt(2 / math.pi),
    "pdf0": 1 / math.sqrt(2 * math.pi),
    "sqrt_half": math.sqrt(0.5),
    "selu_scale": SELU_SCALE,
    "selu_low": SELU_ALPHA * SELU_SCALE,
}
