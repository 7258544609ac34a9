"""The door to functions of other libraries' arrays, which are imported when the first one comes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from vekt._axes import is_dask


def several(ufunc: np.ufunc, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Apply a ufunc with several outputs to Dask's arrays; NotImplemented for all others."""
    if not any(map(is_dask, args)) or any(_has_a_say(x) for x in args if not is_dask(x)):
        return NotImplemented
    return import_module("vekt._dask").several(ufunc, args, options)


def _has_a_say(x: Any) -> bool:
    """Tell whether the operand is of a library whose objects hold Dask's arrays, as xarray's do."""
    return hasattr(type(x), "__array_ufunc__") and not isinstance(x, np.ndarray | np.generic)
