"""What the C library computes for compiled functions, one element after the other."""

from __future__ import annotations

import numpy as np

from vekt.jit._jitable import jitable


@jitable
def sine(x: float) -> float:
    """Sine within 1 ULP."""
    result: float = np.sin(x)
    return result


@jitable
def cosine(x: float) -> float:
    """Cosine within 1 ULP."""
    result: float = np.cos(x)
    return result


@jitable
def tangent(x: float) -> float:
    """Tangent within 1 ULP."""
    result: float = np.tan(x)
    return result
