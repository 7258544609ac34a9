"""Dense layers in plain NumPy, in a wider dtype, rounded once."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vekt._core.axes import unmasked
from vekt._core.operands import result_dtype, stored
from vekt._spec.functions import forwarding
from vekt._spec.layer_activation import Activation, kernel_of
from vekt._spec.layers import DENSE
from vekt.reference._linalg import check_deterministic, matmul
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
    dtype: Any,
) -> Any:
    check_deterministic("dense", deterministic)
    _refuse_masks("dense", x=x, w=w, b=b)
    if dtype is not None and np.dtype(dtype).kind in "iu":
        return _whole(x, w, b, activation, out, return_preactivation, np.dtype(dtype))
    narrow, arrays = _widened(x, w, *([] if b is None else [b]), dtype=dtype)
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


def _widened(*operands: Any, dtype: Any = None) -> tuple[np.dtype[Any], list[Array]]:
    """Round the operands to their common dtype, or this one, and widen them."""
    narrow = result_dtype(dtype, *operands)
    rule: Literal["unsafe", "same_kind"] = "unsafe" if dtype is None else "same_kind"
    with np.errstate(all="ignore"):
        return narrow, [
            np.asarray(x).astype(narrow, casting=rule).astype(wider(narrow)) for x in operands
        ]


def _whole(
    x: Any, w: Any, b: Any, activation: Any, out: Any, keep: bool, dtype: np.dtype[Any]
) -> Any:
    """Compute a layer of integers."""
    if kernel_of(activation)[0] is not None:
        raise TypeError(f"dense: activations have no kernels for {dtype}")
    z = np.asarray(matmul(x, _matrix(np.asarray(w)), dtype=dtype))
    if b is not None:
        z = z + np.broadcast_to(np.asarray(b).astype(dtype, casting="same_kind"), z.shape)
    y_out, z_out = out if keep and isinstance(out, tuple) else (out, None)
    y = stored(z, y_out, shape=z.shape)
    return (y, stored(z.copy(), z_out, shape=z.shape)) if keep else y


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
