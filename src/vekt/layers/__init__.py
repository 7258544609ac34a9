"""Dense layers: product, bias and activation in one pass over the result, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vekt._core import native
from vekt._core.axes import is_dask, plain
from vekt._core.foreign import on_dask
from vekt._core.native import dense as _dense
from vekt._core.native import dense_backward as _dense_backward
from vekt._core.operands import checked_out, result_dtype
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
    result = _dense(x, weights, b, kernels, y, z, return_preactivation, invariant)
    if result is NotImplemented:
        if is_dask(x) or is_dask(w) or is_dask(b):
            return on_dask("dense")(x, w, b, activation, out, return_preactivation)
        return _any_dense(x, w, b, kernels, (y, z), bool(return_preactivation), invariant)
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


def _any_dense(
    x: Any, w: Any, b: Any, kernels: Any, out: tuple[Any, Any], keep: bool, invariant: bool
) -> Any:
    """Bring the operands to two dimensions and one dtype; all errors are found here."""
    for name, operand in (("x", x), ("w", w), ("b", b)):
        plain("dense", name, operand)
    packed = type(w) is PackedWeights
    given = [x, np.empty(0, w.dtype) if packed else w, *([] if b is None else [b])]
    stored = result_dtype(None, *given)
    dtype = computing(stored)
    if packed and w.dtype != dtype:
        raise TypeError(f"dense: w is packed as {w.dtype}, but x and b make it {dtype}")
    x = converted(x, dtype)
    w = w if packed else converted(w, dtype)
    k, n = _weight_shape("dense", w)
    if x.ndim == 0 or x.shape[-1] != k:
        raise ValueError(
            f"dense: expected x of shape (..., {k}) for w of shape {w.shape}, got {x.shape}"
        )
    shape = (*x.shape[:-1], n)
    m = math.prod(shape[:-1])
    if b is not None:
        b = _bias(converted(b, dtype), shape).reshape(m, n)
    targets = [None if target is None else _checked("out", target, shape, stored) for target in out]
    packed_or_w = w._packed if packed else w
    result = _dense(x.reshape(m, k), packed_or_w, b, kernels, None, None, keep, invariant)
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
    arrays = {name: converted(operand, computing(stored)) for name, operand in operands.items()}
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
