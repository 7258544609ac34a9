"""The one door to functions of Dask's arrays: modules are imported when the first array comes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from vekt._core.axes import is_dask

_HOMES = {
    "vekt._dask.blocks": ("dense", "fused", "matmul", "reduction", "several"),
    "vekt._dask.gradients": (
        "dense_backward",
        "fused_gradients",
        "glu_backward",
        "prelu_backward",
    ),
    "vekt._dask.rows": ("cosine_similarity", "cross_entropy"),
    "vekt._dask.models": ("model_outputs", "model_samples"),
    "vekt._dask.network": ("NetworkSamples", "network_outputs"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def on_dask(name: str) -> Callable[..., Any]:
    """Return the function of this name that takes Dask's arrays."""
    function: Callable[..., Any] = getattr(import_module(_HOME_OF[name]), name)
    return function


def matmul(*args: Any, **options: Any) -> Any:
    """Multiply Dask's arrays."""
    return on_dask("matmul")(*args, **options)


def several(ufunc: np.ufunc, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Apply a ufunc with several outputs to Dask's arrays; NotImplemented for all others."""
    if not any(map(is_dask, args)) or any(_has_a_say(x) for x in args if not is_dask(x)):
        return NotImplemented
    return on_dask("several")(ufunc, args, options)


def _has_a_say(x: Any) -> bool:
    """Tell whether the operand is of a library whose objects hold Dask's arrays, as xarray's do."""
    return hasattr(type(x), "__array_ufunc__") and not isinstance(x, np.ndarray | np.generic)
