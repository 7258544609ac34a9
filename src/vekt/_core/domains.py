"""Parameters that are not defined everywhere."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vekt._core.axes import is_dask, is_xarray
from vekt._core.operands import is_bfloat16

POSITIVE = 5e-324
"""The least positive number, where 0 is none."""


def at_least(function: str, name: str, value: Any, least: float) -> Any:
    """Return numbers, if none is below `least` (NaN is not), else raise ValueError.

    Dask's arrays are checked block by block, as they are computed.
    """
    if type(value) is float and value >= least:
        return value
    number = value
    if isinstance(value, (int, float, np.number)):
        if not float(value) < least:
            return value
    elif is_dask(value):
        return value.map_blocks(partial(at_least, function, name, least=least), meta=value._meta)
    elif is_xarray(value) and is_dask(value.data):
        return value.copy(data=at_least(function, name, value.data, least))
    elif hasattr(value, "__vekt_function__"):  # traced: it has no values yet
        return value
    elif isinstance(value, (list, tuple)) or hasattr(value, "__array__"):
        array = np.asanyarray(value)  # masked elements do not count
        real = array.dtype.kind in "biuf" or is_bfloat16(array.dtype)
        if not real or not (array < least).any():
            return value
        number = array.min()
    else:
        return value
    must = "positive" if least > 0 else f"{least:g} or more"
    raise ValueError(f"{function}: {name} must be {must}, got {float(number):g}")
