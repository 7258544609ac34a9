"""Parameters that are not defined everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

POSITIVE = 5e-324
"""The least positive number, where 0 is none."""


def at_least(function: str, name: str, value: Any, least: float) -> None:
    """Raise ValueError for numbers below `least` (not for NaN); lazy arrays are not read."""
    if type(value) is float and value >= least:
        return
    if isinstance(value, (list, tuple, np.ndarray)):
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" or not (array < least).any():
            return
        value = array.min()
    elif not isinstance(value, (int, float, np.number)) or not float(value) < least:
        return
    must = "positive" if least > 0 else f"{least:g} or more"
    raise ValueError(f"{function}: {name} must be {must}, got {float(value):g}")
