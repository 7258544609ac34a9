"""Numbers that a network is given."""

from __future__ import annotations

import math
import operator
from typing import Any


def whole(name: str, value: Any) -> int:
    """Return an integer; TypeError if it is none."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None


def penalty(name: str, value: Any) -> float:
    """Return a finite number that is not negative."""
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except TypeError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ValueError(f"{name} must be a finite number, and not negative, got {value!r}")
    return number
