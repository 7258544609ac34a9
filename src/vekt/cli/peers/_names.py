"""Names in the statements of several peers use."""

from __future__ import annotations

import math
import re
from typing import Any

from vekt._spec.elementwise import OPS

Namespace = dict[str, Any]

# Dense layers are compared with these activations.
LAYERS = ("relu", "gelu", "gelu_tanh", "silu", "tanh", "mish")


# Elementwise functions that NumPy and JAX have, too, with the number of operands.
ELEMENTWISE = {
    name: len(spec.inputs)
    for name, spec in OPS.items()
    if name not in ("multiply_add", "scale_shift")
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
