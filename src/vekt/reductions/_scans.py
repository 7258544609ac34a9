"""Running sums and products by the kernel, in shorter dtypes, and what is left to NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.axes import refuse_boxes
from vekt._spec.functions import python_function
from vekt._spec.scans import SCANS
from vekt._spec.spec import Spec
from vekt.reductions._steps import as_given, has_numbers, rounded_dtype

CODES = {"cumsum": native.lib.VEKT_SCAN_SUM, "cumprod": native.lib.VEKT_SCAN_PROD}


def running(
    scan: Callable[..., Any],
    name: str,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
) -> Any:
    """Compute running sums or products, or let NumPy do it."""
    if type(a) is np.ndarray or not hasattr(a, "__array__"):
        x = np.asarray(a)
        result = _computed(scan, name, x, axis, dtype, out) if has_numbers(x) else NotImplemented
        if result is not NotImplemented:
            return result
    refuse_boxes(a)
    options = {"axis": axis, "dtype": dtype, "out": out}
    with np.errstate(all="ignore"):  # as quiet as those of vekt
        return getattr(np, name)(a, **{k: v for k, v in options.items() if v is not None})


def _computed(scan: Callable[..., Any], name: str, x: Any, axis: Any, dtype: Any, out: Any) -> Any:
    """Return the result, or NotImplemented where it, or its error, is NumPy's."""
    if axis is None and x.ndim != 1:
        x = x.reshape(-1)
    apart = isinstance(out, np.ndarray) and not np.may_share_memory(x, out)
    result = scan(CODES[name], x, axis, dtype, out if apart else None)
    if result is NotImplemented:
        stored = None if dtype is None else rounded_dtype(x, dtype)
        if stored is not None:
            result = scan(CODES[name], x, axis, np.float64, None)
        elif apart:  # of the other byte order
            result = scan(CODES[name], x, axis, dtype, None)
        if result is NotImplemented:
            return result
        if stored is not None:
            with np.errstate(all="ignore"):
                result = result.astype(stored)
    return as_given(result, out)


def _body(spec: Spec) -> list[str]:
    return [
        "if type(a) is _ndarray and out is None:",
        f"    result = _scan({CODES[spec.name]}, a, axis, dtype, None)",
        "    if result is not NotImplemented: return result",
        f"return _running(_scan, {spec.name!r}, a, axis, dtype, out)",
    ]


_SCOPE = {"_scan": native.scan, "_running": running, "_ndarray": np.ndarray}
FUNCTIONS = {
    name: python_function(spec, "", "vekt.reductions", _body(spec), _SCOPE)
    for name, spec in SCANS.items()
}
