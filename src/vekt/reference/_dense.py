"""Dense layers in plain NumPy, in a wider dtype, rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._core.axes import unmasked
from vekt._core.operands import result_dtype, stored
from vekt._spec.functions import forwarding
from vekt._spec.layer_activation import Activation, kernel_of
from vekt._spec.layers import DENSE
from vekt.reference._linalg import check_deterministic
from vekt.reference._rounding import narrowed, wider

__all__ = ["dense", "dense_backward"]

Array = NDArray[Any]


def _dense(
    x: Any,
    w: Any,
    b: Any,
    activation: Activation,
    out: Any,
    return_preactivation: bool,
    deterministic: Any,
) -> Any:
    check_deterministic("dense", deterministic)
    _refuse_masks("dense", x=x, w=w, b=b)
    narrow, arrays = _widened(x, w, *([] if b is None else [b]))
    with np.errstate(all="ignore"):
        z = arrays[0] @ _matrix(arrays[1])
        if b is not None:
            z = z + np.broadcast_to(arrays[2], z.shape)
        y_out, z_out = out if return_preactivation and isinstance(out, tuple) else (out, None)
        y = _finished(_applied("value", activation, z, narrow), y_out, narrow)
        return (y, _finished(z, z_out, narrow)) if return_preactivation else y


def _dense_backward(
    dy: Any, x: Any, w: Any, z: Any, activation: Activation, out: Any, need_dx: bool
) -> tuple[Any, Any, Any]:
    _refuse_masks("dense_backward", dy=dy, x=x, w=w, z=z)
    narrow, arrays = _widened(dy, x, w, np.zeros_like(dy) if z is None else z)
    wide_dy, wide_x, wide_w, wide_z = arrays
    dx_out, dw_out, db_out = (None, None, None) if out is None else out
    k, n = _matrix(wide_w).shape
    m = wide_x[..., 0].size if k else wide_dy[..., 0].size
    with np.errstate(all="ignore"):
        dz = wide_dy * _applied("gradient", activation, wide_z, narrow)
        rows = dz.reshape(m, n)
        dx = _finished(dz @ wide_w.T, dx_out, narrow) if need_dx else None
        dw = _finished(wide_x.reshape(m, k).T @ rows, dw_out, narrow)
        return dx, dw, _finished(rows.sum(axis=0), db_out, narrow)


def _refuse_masks(function: str, **operands: Any) -> None:
    for name, operand in operands.items():
        unmasked(function, name, operand)


def _widened(*operands: Any) -> tuple[np.dtype[Any], list[Array]]:
    """Round the operands to their common dtype and widen them."""
    narrow = result_dtype(None, *operands)
    with np.errstate(all="ignore"):
        return narrow, [np.asarray(x).astype(narrow).astype(wider(narrow)) for x in operands]


def _applied(part: str, activation: Activation, z: Array, narrow: np.dtype[Any]) -> Array:
    """Value or gradient of an activation whose parameters are numbers of the kernel's dtype."""
    kernel, params = kernel_of(activation)
    if kernel is None:
        return z if part == "value" else np.ones_like(z)
    single = np.dtype("f4") if narrow.itemsize < 4 else narrow
    numbers = [np.asarray([p], single).astype(z.dtype) for p in params]
    result = np.asarray(getattr(kernel, part)(np.atleast_1d(z), *numbers), z.dtype)
    return result.reshape(z.shape)


def _finished(result: Array, out: Any, narrow: np.dtype[Any]) -> Array:
    array: Array = stored(narrowed(result, narrow), out, shape=result.shape)
    return array


def _matrix(w: Array) -> Array:
    if w.ndim != 2:
        raise ValueError(f"w must be 2-D, but has shape {w.shape}")
    return w


dense = forwarding(DENSE, "", "vekt.reference", _dense)
dense_backward = forwarding(DENSE, "_backward", "vekt.reference", _dense_backward)
