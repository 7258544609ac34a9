"""Dense layers: product, bias and activation in one pass over the result, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._core import native
from vekt._core.axes import is_dask, plain
from vekt._core.foreign import on_dask
from vekt._core.native import dense as _dense
from vekt._core.native import dense_backward as _dense_backward
from vekt._core.native import matmul
from vekt._core.operands import checked_out, is_half, result_dtype
from vekt._spec.docstrings import documented
from vekt._spec.layer_activation import Activation, changes, fused_behind, kernel_of
from vekt._spec.layers import DENSE
from vekt.layers._packed_weights import PackedWeights, computing, converted

__all__ = ["PackedWeights", "dense", "dense_backward"]

Array = NDArray[Any]


@documented(DENSE)
def dense(
    x: ArrayLike,
    w: ArrayLike | PackedWeights,
    b: ArrayLike | None = None,
    activation: Activation = None,
    *,
    out: Array | tuple[Array | None, Array | None] | None = None,
    return_preactivation: bool = False,
    deterministic: Literal["batch"] | None = None,
    dtype: DTypeLike | None = None,
) -> Any:
    """Compute `activation(x @ w + b)`."""
    kernels = activation_kernels(activation)
    if deterministic is not None and deterministic != "batch":
        raise ValueError(f"dense: deterministic must be None or 'batch', got {deterministic!r}")
    invariant = deterministic is not None
    weights = w._packed if type(w) is PackedWeights else w
    y: Any = out
    z = None
    if return_preactivation and type(out) is tuple:
        y, z = _pair(out)
    result: Any = NotImplemented
    if dtype is None:
        result = _dense(x, weights, b, kernels, y, z, return_preactivation, invariant)
    if result is NotImplemented:
        if is_dask(x) or is_dask(w) or is_dask(b):
            return on_dask("dense")(x, w, b, activation, out, return_preactivation, dtype)
        given = w if type(w) is PackedWeights else np.asarray(plain("dense", "w", w))
        stored = layer_dtype(dtype, x, given, b)
        if dtype is not None and is_half(stored) and type(w) is not PackedWeights:
            x, given = converted(x, stored), converted(given, stored)
            b = None if b is None else converted(b, stored)
        if stored.kind in "iu":
            if changes(activation):
                raise TypeError(f"dense: activations have no kernels for {stored}")
            return _whole_dense(x, given, b, (y, z), bool(return_preactivation), stored)
        return _any_dense(
            x, given, b, kernels, (y, z), bool(return_preactivation), invariant, stored
        )
    return result


@documented(DENSE, "_backward")
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    w: ArrayLike,
    z: ArrayLike | None,
    activation: Activation = None,
    *,
    out: tuple[Array | None, Array | None, Array | None] | None = None,
    need_dx: bool = True,
) -> tuple[Any, Any, Any]:
    """Compute the gradients of `dense`."""
    kernels = activation_kernels(activation)
    gradients: tuple[Any, Any, Any]
    dx, dw, db = (None, None, None) if out is None else _triple(out, need_dx)
    result = _dense_backward(dy, x, w, z, kernels, dx if need_dx else False, dw, db)
    if result is NotImplemented:
        if any(is_dask(operand) for operand in (dy, x, w, z)):
            gradients = on_dask("dense_backward")(dy, x, w, z, activation, out, bool(need_dx))
            return gradients
        return _any_backward(dy, x, w, z, activation, (dx, dw, db), bool(need_dx))
    gradients = result
    return gradients


def layer_dtype(dtype: DTypeLike | None, *operands: Any) -> np.dtype[Any]:
    """Find the dtype of a layer's result: `dtype`, if all can be cast to it, or the natural one."""
    given = [np.empty(0, x.dtype) if hasattr(x, "dtype") else x for x in operands if x is not None]
    if dtype is None:
        return result_dtype(None, *given)
    asked: np.dtype[Any] = np.dtype(dtype)
    stored = asked if asked.kind in "iu" else result_dtype(asked, *given)
    for x in given:
        kind = np.asarray(x).dtype
        if not np.can_cast(kind, stored, "same_kind"):
            raise TypeError(f"dense: cannot cast {kind} to dtype {stored} by the rule 'same_kind'")
    return stored


def activation_kernels(activation: Activation) -> Any:
    """Return the kernels of an activation, as `native.build_activation` makes them; found once."""
    if activation is None:
        return _NO_ACTIVATION
    if type(activation) is str:
        return _named(activation)
    function: Any = activation
    params: Mapping[str, Any] = {}
    try:
        if isinstance(activation, tuple) and len(activation) == 2:
            function, params = activation
        elif isinstance(activation, partial) and not activation.args:
            function, params = activation.func, activation.keywords
        else:
            return _built(activation)
        return _built(function, *params, *params.values())
    except (AttributeError, TypeError):  # what cannot be hashed, or is no mapping: word it
        return _build(function, params)


@lru_cache(maxsize=256)  # of one string, which the cache below takes three times as long for
def _named(name: str) -> Any:
    return _build(name, {})


@lru_cache(maxsize=256, typed=True)  # 1 and True are not the same
def _built(activation: Any, *names_and_values: Any) -> Any:
    n = len(names_and_values) // 2
    return _build(activation, dict(zip(names_and_values[:n], names_and_values[n:], strict=True)))


def _build(activation: Any, params: Mapping[str, Any]) -> Any:
    fused = fused_behind(activation)
    if fused is not None:
        return native.build_program_activation(fused.layer_programs(params))
    kernel, values = kernel_of((activation, params))
    return native.build_activation(kernel.name if kernel else None, values)


_NO_ACTIVATION = native.build_activation(None, ())


def _rounded(x: Array, dtype: np.dtype[Any]) -> Array:
    with np.errstate(all="ignore"):
        return x.astype(dtype, copy=False)


def _shape_of(x: Array, w: Any) -> tuple[int, ...]:
    """Return the shape of the result."""
    k, n = _weight_shape("dense", w)
    if x.ndim == 0 or x.shape[-1] != k:
        raise ValueError(
            f"dense: expected x of shape (..., {k}) for w of shape {w.shape}, got {x.shape}"
        )
    return (*x.shape[:-1], n)


def _whole_dense(
    x: Any, w: Any, b: Any, out: tuple[Any, Any], keep: bool, stored: np.dtype[Any]
) -> Any:
    """Compute a layer of integers, without an activation: the pre-activation is the result."""
    x = np.asarray(plain("dense", "x", x))
    shape = _shape_of(x, w)
    bias = None if b is None else _bias(converted(plain("dense", "b", b), stored), shape)
    targets = [None if target is None else _checked("out", target, shape, stored) for target in out]
    result = np.asarray(matmul(x, w, dtype=stored))
    if bias is not None:
        result += bias
    if not keep:
        return _given(result, targets[0], stored)
    return _given(result, targets[0], stored), _given(result.copy(), targets[1], stored)


def _any_dense(
    x: Any,
    w: Any,
    b: Any,
    kernels: Any,
    out: tuple[Any, Any],
    keep: bool,
    invariant: bool,
    stored: np.dtype[Any],
) -> Any:
    """Bring the operands to two dimensions and what computes this dtype; all errors are found."""
    packed = type(w) is PackedWeights
    dtype = computing(stored)
    if packed and w.dtype != dtype:
        raise TypeError(f"dense: w is packed as {w.dtype}, but x and b make it {dtype}")
    x = np.asarray(plain("dense", "x", x))
    shape = _shape_of(x, w)
    k, n = w.shape
    m = math.prod(shape[:-1])
    if b is not None:
        plain("dense", "b", b)
        b = _bias(converted(b, dtype), shape).reshape(m, n)
    targets = [None if target is None else _checked("out", target, shape, stored) for target in out]
    packed_or_w = w._packed if packed else w
    result = _dense(x.reshape(m, k), packed_or_w, b, kernels, None, None, keep, invariant, dtype)
    if not keep:
        return _given(result.reshape(shape), targets[0], stored)
    return tuple(
        _given(value.reshape(shape), target, stored)
        for value, target in zip(result, targets, strict=True)
    )


def _any_backward(
    dy: Any,
    x: Any,
    w: Any,
    z: Any,
    activation: Activation,
    out: tuple[Any, Any, Any],
    need_dx: bool,
) -> tuple[Any, Any, Any]:
    """Bring the operands to two dimensions and one dtype; all errors are found here."""
    operands = {"dy": dy, "x": x, "w": w, **({} if z is None else {"z": z})}
    for name, operand in operands.items():
        plain("dense_backward", name, operand)
    stored = result_dtype(None, *operands.values())
    dtype = computing(stored)
    arrays = {name: np.asarray(operand) for name, operand in operands.items()}
    check_backward(arrays, activation)
    (k, n), leading = arrays["w"].shape, arrays["dy"].shape[:-1]
    shapes = ((*leading, k), (k, n), (n,))
    targets = tuple(
        None if target is None else _checked(f"out[{i}]", target, shape, stored)
        for i, (target, shape) in enumerate(zip(out, shapes, strict=True))
    )
    m = math.prod(leading)
    rows = {name: a if name == "w" else a.reshape(m, a.shape[-1]) for name, a in arrays.items()}
    result = _dense_backward(
        rows["dy"],
        rows["x"],
        rows["w"],
        rows.get("z"),
        activation_kernels(activation),
        None if need_dx else False,
        None,
        None,
        dtype,
    )
    dx, dw, db = (
        None if gradient is None else _given(gradient.reshape(shape), target, stored)
        for gradient, target, shape in zip(result, targets, shapes, strict=True)
    )
    return dx, dw, db


def check_backward(arrays: Mapping[str, Any], activation: Activation) -> None:
    """Check what `dense_backward` takes, by the names of its parameters: z may be missing."""
    if "z" not in arrays and changes(activation):
        raise TypeError("dense_backward: z is missing; it is needed where there is an activation")
    k, n = _weight_shape("dense_backward", arrays["w"])
    leading = arrays["dy"].shape[:-1]
    for name, columns in (("dy", n), ("x", k), ("z", n)):
        if name in arrays and arrays[name].shape != (*leading, columns):
            raise ValueError(
                f"dense_backward: expected {name} of shape {(*leading, columns)} for dy of shape "
                f"{arrays['dy'].shape} and w of shape {(k, n)}, got {arrays[name].shape}"
            )


def _weight_shape(function: str, w: Any) -> tuple[int, int]:
    if len(w.shape) != 2:
        raise ValueError(f"{function}: w must be 2-D, but has shape {w.shape}")
    k, n = w.shape
    return k, n


def _bias(b: Array, shape: tuple[int, ...]) -> Array:
    try:
        return np.broadcast_to(b, shape)
    except ValueError:
        raise ValueError(
            f"dense: b of shape {b.shape} does not broadcast to the result's shape {shape}"
        ) from None


def _pair(out: tuple[Any, ...]) -> tuple[Any, Any]:
    if len(out) != 2:
        raise TypeError("dense: out must be an array, or a pair of arrays or None")
    return out[0], out[1]


def _triple(out: Any, need_dx: bool) -> tuple[Any, Any, Any]:
    if not isinstance(out, tuple) or len(out) != 3:
        raise TypeError("dense_backward: out must be a tuple of three arrays or None")
    if not need_dx and out[0] is not None:
        raise ValueError("dense_backward: out[0] is given, but need_dx is False")
    return out


def _checked(name: str, out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    checked = checked_out(out, shape)
    if not np.can_cast(dtype, checked.dtype, "same_kind"):
        raise TypeError(f"{name}: cannot cast {dtype} to {checked.dtype}")
    return checked


def _given(result: Array, out: Array | None, dtype: np.dtype[Any]) -> Array:
    """Return the result in its dtype, in `out` where that is given."""
    if out is None:
        return _rounded(result, dtype)
    with np.errstate(all="ignore"):
        np.copyto(out, result, casting="same_kind")
    return out
