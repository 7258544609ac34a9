"""Gated units: an activation of one operand, or of one half, times the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt import ufuncs
from vekt._core.axes import as_array, halves, is_dask, is_xarray, plain, unmasked
from vekt._core.containers import in_order_of, is_container, like_container
from vekt._core.foreign import on_dask
from vekt._core.native import call_halves
from vekt._core.native import empty as _new
from vekt._core.operands import checked_out, masked_by, result_dtype
from vekt._spec.docstrings import documented
from vekt._spec.functions import native_function
from vekt._spec.gates import GATE_OPS

_GLU = GATE_OPS["glu"]
_ufuncs: Any = ufuncs
_glu, _glu_backward = _ufuncs.glu, _ufuncs.glu_backward
_FUNCTIONS = {
    spec.name + kind: native_function(spec, kind, ufuncs)
    for spec in GATE_OPS.values()
    if spec is not _GLU
    for kind in spec.kinds
}
globals().update(_FUNCTIONS)
__all__ = [*_FUNCTIONS, *_GLU.public_names]


@documented(_GLU)
def glu(x: Any, axis: int = -1, *, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
    """Multiply one half with the sigmoid of the other."""
    if out is None and where is True and dtype is None:
        y = call_halves(_glu, axis, x)
        return _glu(*halves(as_array(x), axis)) if y is NotImplemented else y
    a, b = halves(as_array(x), axis)
    return _glu(a, b, out=out, dtype=dtype, **masked_by(where))


@documented(_GLU, "_backward")
def glu_backward(dy: Any, x: Any, axis: int = -1, *, out: Any = None) -> Any:
    """Gradient through `glu`."""
    if out is None and (dx := call_halves(_glu_backward, axis, dy, x)) is not NotImplemented:
        return dx
    if is_dask(dy) or is_dask(x):
        if out is not None:
            raise TypeError("glu_backward: Dask arrays take no out")
        return on_dask("glu_backward")(dy, x, axis)
    if out is None and type(x) is not np.ndarray and is_container(x):
        values = in_order_of(x, x) if is_xarray(x) else np.asarray(x)
        return like_container(x, glu_backward(in_order_of(x, dy), values, axis))
    x = np.asarray(plain("glu_backward", "x", x))
    dy = unmasked("glu_backward", "dy", dy)
    a, b = halves(x, axis)
    if out is None:
        out = _new(x.shape, result_dtype(None, dy, x), (x,))
    out = checked_out(out, x.shape)
    _glu_backward(dy, a, b, out=halves(out, axis))
    return out
