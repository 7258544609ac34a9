"""prelu: leaky_relu whose slopes are learnt.

The drivers in C take contiguous arrays, seen as (outer, period, inner) with one slope for each
index of the second axis.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt import ufuncs
from vekt._core import native
from vekt._core.axes import along, along_shape, is_dask, is_xarray, periods, plain
from vekt._core.containers import in_order_of, is_container, like_container
from vekt._core.foreign import on_dask
from vekt._core.operands import checked_out, masked_by, outs_of, result_dtype
from vekt._spec.activations import OPS
from vekt._spec.docstrings import documented
from vekt._spec.functions import native_function
from vekt._spec.gates import PRELU

Array = NDArray[Any]
Plan = tuple[int, int, int, tuple[int, ...], tuple[int, ...]]

_leaky_relu: Any = ufuncs.leaky_relu
_leaky = native_function(OPS["leaky_relu"], "", ufuncs)
_forward, _backward = native.build_prelu()

_F4, _F8 = np.dtype("f4"), np.dtype("f8")
_ndarray = np.ndarray
_LARGE = 1e38
"""Slopes below are numbers in float32, too."""


@documented(PRELU)
def prelu(
    x: Any,
    alpha: Any,
    axis: int | None = None,
    *,
    out: Any = None,
    where: Any = True,
    dtype: Any = None,
) -> Any:
    if where is True and dtype is None:
        alone = out is None and axis is None
        if alone and (type(alpha) is float or type(alpha) is int):
            return _leaky(x, alpha)
        if _fit(x, alpha):
            if alone and alpha.size == 1 and alpha.ndim <= x.ndim:
                return _leaky(x, alpha.item())
            if alone and alpha.shape == x.shape:
                return _leaky(x, alpha)
            plan = _plan(x.shape, alpha.shape, axis) if alpha.size > 1 else None
            if plan and (out is None or _takes(out, x, alpha)):
                y = native.empty(x.shape, x.dtype, ()) if out is None else out
                outer, period, inner, full, gaps = plan
                _forward(x, _spread(alpha, full, gaps), y, outer, period, inner)
                return y
    # The ufunc gives the same bits for any operands, but slowly where slopes change quickly.
    slopes = alpha if axis is None else along(alpha, axis, np.ndim(x))
    return _leaky_relu(x, slopes, out=out, dtype=dtype, **masked_by(where))


@documented(PRELU, "_backward")
def prelu_backward(dy: Any, x: Any, alpha: Any, axis: int | None = None, *, out: Any = None) -> Any:
    if type(alpha) is float and type(x) is _ndarray and abs(alpha) < _LARGE:
        dtype = x.dtype
        alpha = np.array(alpha, dtype) if dtype is _F4 or dtype is _F8 else alpha
    if _fit(x, alpha) and _is_dense(dy, x.dtype) and dy.shape == x.shape:
        plan = _plan(x.shape, alpha.shape, axis)
        if plan and not plan[-1]:
            if out is None:
                dx, dalpha = (
                    native.empty(x.shape, x.dtype, ()),
                    native.empty(alpha.shape, x.dtype, ()),
                )
                _backward(dy, x, alpha, dx, dalpha, *plan[:3])
                return dx[()], dalpha[()]
            if _take(outs_of(out, 2), dy, x, alpha):
                _backward(dy, x, alpha, *out, *plan[:3])
                return tuple(out)
    return _any_backward(dy, x, alpha, axis, out)


def _any_backward(dy: Any, x: Any, alpha: Any, axis: int | None, out: Any) -> Any:
    if any(map(is_dask, (dy, x, alpha))):
        if out is not None:
            raise TypeError("prelu_backward: Dask arrays take no out")
        return on_dask("prelu_backward")(dy, x, alpha, axis)
    if out is None and type(x) is not _ndarray and is_container(x):
        values = in_order_of(x, x) if is_xarray(x) else np.asarray(x)
        upstream, slopes = in_order_of(x, dy), in_order_of(None, alpha)
        dx, dalpha = prelu_backward(upstream, values, slopes, axis)
        return like_container(x, dx) if np.shape(dx) == np.shape(x) else dx, dalpha
    for name, operand in (("dy", dy), ("x", x), ("alpha", alpha)):
        plain("prelu_backward", name, operand)
    dtype = result_dtype(None, dy, x, alpha)
    slopes = along(alpha, axis, max(np.ndim(dy), np.ndim(x)))
    shape = np.broadcast_shapes(np.shape(dy), np.shape(x), np.shape(slopes))
    dx_out, dalpha_out = outs_of(out, 2)
    for target, wanted in ((dx_out, shape), (dalpha_out, np.shape(alpha))):
        if target is not None and not np.can_cast(
            dtype, checked_out(target, wanted).dtype, "same_kind"
        ):
            raise TypeError(f"out: cannot cast {dtype} to {target.dtype}")

    computing = _F8 if dtype == _F8 else _F4
    given = tuple(a for a in (dy, x, slopes) if isinstance(a, _ndarray))
    dy, x = _dense(dy, shape, computing), _dense(x, shape, computing)
    outer, period, inner, full, gaps = periods(shape, np.shape(slopes))
    slopes = _spread(_dense(slopes, np.shape(slopes), computing), full, gaps)
    direct = (
        dtype == computing and _is_dense(dx_out, computing) and not _collides(dx_out, dy, x, slopes)
    )
    dx = dx_out if direct else native.empty(shape, computing, ())
    # Sums that go on here are kept in float64 until the end.
    sums = np.empty(period, _F8 if gaps else computing)
    _backward(dy, x, slopes, dx, sums, outer, period, inner)
    if dx_out is None and shape:
        dx_out = native.empty(shape, dtype, given)
    with np.errstate(all="ignore"):
        if gaps:
            sums = sums.reshape(full).sum(axis=gaps)
        dalpha = sums.reshape(np.shape(alpha))
        return _result(dx, dx_out, dtype), _result(dalpha, dalpha_out, dtype)


@lru_cache(maxsize=256)
def _plan(shape: tuple[int, ...], slopes: tuple[int, ...], axis: int | None) -> Plan | None:
    """Lay out slopes along `shape`; None where they would make it larger, or do not fit."""
    if axis is not None:
        slopes = along_shape(slopes, axis, len(shape))
    if len(slopes) > len(shape):
        return None
    lengths = zip(reversed(slopes), reversed(shape), strict=False)
    return periods(shape, slopes) if all(n in (1, m) for n, m in lengths) else None


def _is_dense(x: Any, dtype: np.dtype[Any]) -> bool:
    """Whether the drivers take this array as it is; `dtype` is native."""
    if type(x) is not _ndarray or x.dtype != dtype:
        return False
    flags = x.flags
    return flags.c_contiguous and flags.aligned


def _fit(x: Any, alpha: Any) -> bool:
    """Whether the drivers take these operands as they are."""
    if type(x) is not _ndarray or ((dtype := x.dtype) is not _F4 and dtype is not _F8):
        return False
    return _is_dense(x, dtype) and _is_dense(alpha, dtype)


def _takes(out: Any, x: Array, alpha: Array) -> bool:
    """Whether `prelu` can write to this array as it goes."""
    if not (_is_dense(out, x.dtype) and out.shape == x.shape and out.flags.writeable):
        return False
    return (out is x or not np.may_share_memory(out, x)) and not np.may_share_memory(out, alpha)


def _take(out: Any, dy: Array, x: Array, alpha: Array) -> bool:
    """Whether `prelu_backward` can write to this pair as it goes."""
    dx, dalpha = out
    for target, like in ((dx, x), (dalpha, alpha)):
        if not (_is_dense(target, x.dtype) and target.shape == like.shape):
            return False
        if not target.flags.writeable:
            return False
    # The sums are written last, so only dx must not be beneath them.
    return not _collides(dx, dy, x, alpha) and not np.may_share_memory(dx, dalpha)


def _collides(out: Any, dy: Array, x: Array, slopes: Array) -> bool:
    """Whether writing to `out` would change what is yet to be read."""
    shifted = any(a is not out and np.may_share_memory(a, out) for a in (dy, x))
    return shifted or np.may_share_memory(out, slopes)


def _dense(x: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    if _is_dense(x, dtype) and x.shape == shape:
        dense: Array = x
        return dense
    with np.errstate(over="ignore"):
        return np.require(np.broadcast_to(np.asarray(x, dtype), shape), requirements=["C", "A"])


def _spread(alpha: Array, full: tuple[int, ...], gaps: tuple[int, ...]) -> Array:
    """Repeat the slopes along those axes."""
    if not gaps:
        return alpha
    narrow = [1 if k in gaps else n for k, n in enumerate(full)]
    return np.ascontiguousarray(np.broadcast_to(alpha.reshape(narrow), full))


def _result(value: Any, out: Array | None, dtype: np.dtype[Any]) -> Any:
    value = value.astype(dtype, copy=False)
    if out is None:
        return value[()]
    if out is not value:
        np.copyto(out, value, casting="same_kind")
    return out
