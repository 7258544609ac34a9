"""Dense layers in compiled functions, by the C kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.misc.special import literally
from numba.np.numpy_support import as_dtype

from vekt._core.native import lib
from vekt._spec.layer_activation import _find as find_op
from vekt._spec.layer_activation import kernel_of
from vekt.jit._dense import dense, dense_backward
from vekt.jit._jitable import jitable, overloads
from vekt.jit._native_calls import address_of, driver, kernel_symbol
from vekt.jit._products import check_out, common_kind, converter, converting_type, overlap
from vekt.jit._views import is_none, literal, matrix_maker, store

NAMES = ("dense", "dense_backward")

_forward, _backward = driver("dense"), driver("dense_backward")


_no_address = jitable(lambda: None)

# ---- Activations: a kernel's address, and its parameters as a tuple of numbers


def _kernel(name: str, activation: Any, suffix: str, kind: Any) -> tuple[Any, Any]:
    """Make the functions that return the address and, given the activation, the parameters.

    The address is None where the activation changes nothing.
    """
    parts: Any = activation if isinstance(activation, types.BaseTuple) else (activation,)
    which, *given = (getattr(t, "typing_key", None) or literal(t) for t in parts)
    places: dict[str, int] = {}
    try:
        if given:
            op = find_op(which if isinstance(which, str) else which.__name__)
            places = {p.name: i for i, p in enumerate(op.params[: len(given)], 1)}
            if len(given) > len(op.params):
                raise TypeError(f"too many parameters for {op.name}")
            # NaN stands for numbers that are known when the code runs.
            values = (
                value if p.kind == "flag" else math.nan
                for p, value in zip(op.params, given, strict=False)
            )
            kernel, params = kernel_of((which, dict(zip(places, values, strict=True))))
        else:
            kernel, params = kernel_of(which)
    except (AttributeError, TypeError, ValueError) as error:
        raise TypingError(f"{name}: {error}") from None
    if kernel is None:
        return _no_address, _reader([])
    symbol = kernel_symbol(kernel.name + suffix, kind)
    sources = [(places.get(p), value) for p, value in zip(kernel.params, params, strict=True)]
    return address_of(symbol), _reader(sources)


def _reader(sources: list[tuple[int | None, float]]) -> Callable[..., Any]:
    """Make the function that collects parameters: items of the activation, or constants."""
    if not sources:
        return jitable(lambda activation: ())
    (place, value), rest = sources[0], _reader(sources[1:])
    if place is None:
        return jitable(lambda activation: (value, *rest(activation)))
    return jitable(lambda activation: (np.float64(activation[place]), *rest(activation)))


def _is_text(activation: Any) -> bool:
    """Whether this is the type of a name that must be known first."""
    return isinstance(activation, types.UnicodeType)


def _layer_kind(name: str, *operands: Any) -> Any:
    """Type of the elements to compute with."""
    kind = common_kind(name, *operands)
    if isinstance(kind, types.Integer | types.Boolean):
        return types.float64
    if kind not in (types.float32, types.float64):
        raise TypingError(f"{name}: expected real operands, got {kind}")
    return kind


def _dtype_of(kind: Any) -> int:
    return int(lib.VEKT_F32 if kind == types.float32 else lib.VEKT_F64)


# ---- Forward


def _bias(b: Any, like: Any) -> Any:
    """Return the bias as a view of the result's shape, or None."""


@overloads(_bias)
def _bias_types(b: Any, like: Any) -> Any:
    if is_none(b):
        return lambda b, like: None
    return lambda b, like: np.broadcast_to(b, like.shape)


def _strides(x: Any) -> Any:
    """Return the strides of a matrix; zeros for None."""


@overloads(_strides)
def _strides_types(x: Any) -> Any:
    return (lambda x: (0, 0)) if is_none(x) else (lambda x: x.strides)


def _overlaps(out: Any, b: Any) -> Any:
    """Whether the result's memory may be that of the bias, if there is one."""


@overloads(_overlaps)
def _overlaps_types(out: Any, b: Any) -> Any:
    return (lambda out, b: False) if is_none(b) else (lambda out, b: overlap(out, b))


@jitable
def _apply(activation: Any, z: Any, y: Any) -> None:
    """Write a compiled function of the pre-activation to y."""
    values = activation(z)
    if values.shape != y.shape:
        raise ValueError("dense: the activation returned another shape than it was given")
    store(np.ascontiguousarray(values), y)


_nothing = jitable(lambda activation, z, y: None)


@jitable
def _layer(dtype: int, kernel: Any, params: Any, x: Any, w: Any, b: Any, z: Any, y: Any) -> None:
    """Compute y, and z unless it is None; all operands are matrices."""
    if x.shape[1] != w.shape[0]:
        raise ValueError("dense: the last axis of x and the first of w differ")
    bias, shape = _bias(b, y), (y.shape[0], y.shape[1], x.shape[1])
    bias_steps, z_steps = _strides(bias), _strides(z)
    operands = (x, x.strides, w, w.strides, bias, bias_steps, z, z_steps, y, y.strides)
    if _forward((dtype, kernel, params, shape, *operands)) != 0:
        raise MemoryError("no memory for a product")


def _runner(x: Any, w: Any, b: Any, activation: Any, kind: Any, keep: bool) -> Any:
    """Make the function that fills y and returns the pre-activation, or None."""
    address, params = _kernel("dense", activation, "", kind)
    b_as: Any = jitable(lambda b: b) if is_none(b) else converter(b, kind)
    dtype_id = converting_type(_dtype_of(kind), kind, x, w)
    dtype, matrix = as_dtype(kind), matrix_maker(x.ndim, x.ndim - 1)
    new: Any = jitable(lambda y: np.empty(y.shape, dtype)) if keep else jitable(lambda y: None)
    flat: Any = matrix if keep else jitable(lambda z: z)

    @jitable
    def run(x: Any, w: Any, b: Any, activation: Any, y: Any) -> Any:
        z = new(y)
        values = params(activation)
        _layer(dtype_id, address(), values, matrix(x), w, b_as(b), flat(z), matrix(y))
        return z

    return run


@overloads(dense, prefer_literal=True)
def _dense_types(
    x: Any,
    w: Any,
    b: Any = None,
    activation: Any = None,
    out: Any = None,
    return_preactivation: Any = False,
) -> Any:
    if _is_text(activation):
        return lambda x, w, b=None, activation=None, out=None, return_preactivation=False: (
            literally(activation)
        )
    kind = _layer_kind("dense", x, w, *(() if is_none(b) else (b,)))
    if x.ndim == 0 or w.ndim != 2 or (not is_none(b) and b.ndim > max(1, min(x.ndim, 2))):
        raise TypingError(f"dense: x {x}, w {w} and b {b} do not fit each other")
    keep = literal(return_preactivation)
    if not isinstance(keep, bool):
        raise TypingError("dense: return_preactivation must be a constant")
    check_out("dense", out, kind, x.ndim)
    own = isinstance(activation, types.Dispatcher)
    run = _runner(x, w, b, types.none if own else activation, kind, keep or own)
    apply = _apply if own else _nothing
    finish: Any = jitable(lambda y, z: (y, z)) if keep else jitable(lambda y, z: y)
    dtype, is_matrix = as_dtype(kind), x.ndim == 2
    if is_none(out):

        def made(x, w, b=None, activation=None, out=None, return_preactivation=False):  # type: ignore[no-untyped-def]
            y = np.empty((*x.shape[:-1], w.shape[1]), dtype)
            z = run(x, w, b, activation, y)
            apply(activation, z, y)
            return finish(y, z)

        return made

    def given(x, w, b=None, activation=None, out=None, return_preactivation=False):  # type: ignore[no-untyped-def]
        shape = (*x.shape[:-1], w.shape[1])
        if out.shape != shape:
            raise ValueError("dense: out has another shape than the result")
        if is_matrix and not (overlap(out, x) or overlap(out, w) or _overlaps(out, b)):
            z = run(x, w, b, activation, out)
            apply(activation, z, out)
            return finish(out, z)
        y = np.empty(shape, dtype)
        z = run(x, w, b, activation, y)
        apply(activation, z, y)
        store(y, out)
        return finish(out, z)

    return given


# ---- Backward


@overloads(dense_backward, prefer_literal=True)
def _dense_backward_types(
    dy: Any, x: Any, w: Any, z: Any, activation: Any = None, need_dx: Any = True
) -> Any:
    if _is_text(activation):
        return lambda dy, x, w, z, activation=None, need_dx=True: literally(activation)
    name, wanted = "dense_backward", literal(need_dx)
    kind = _layer_kind(name, dy, x, w, *(() if is_none(z) else (z,)))
    address, params = _kernel(name, activation, "_backward", kind)
    if not dy.ndim == x.ndim == (dy if is_none(z) else z).ndim > 0 or w.ndim != 2:
        raise TypingError(f"{name}: dy {dy}, x {x}, w {w} and z {z} do not fit each other")
    if not isinstance(wanted, bool):
        raise TypingError(f"{name}: need_dx must be a constant")
    if is_none(z) and address is not _no_address:
        raise TypingError(f"{name}: z is missing; it is needed where there is an activation")
    dtype_id = converting_type(_dtype_of(kind), kind, x, w)
    dtype, matrix = as_dtype(kind), matrix_maker(x.ndim, x.ndim - 1)
    dy_as: Any = converter(dy, kind)
    z_as: Any = jitable(lambda z: z) if is_none(z) else _as_rows(converter(z, kind), matrix)
    space: Any = jitable(lambda x: np.empty(x.shape, dtype)) if wanted else jitable(lambda x: None)
    flat: Any = matrix if wanted else jitable(lambda dx: dx)

    def run(dy, x, w, z, activation=None, need_dx=True):  # type: ignore[no-untyped-def]
        up, at, weights, seen = matrix(dy_as(dy)), matrix(x), w, z_as(z)
        (m, n), k = up.shape, at.shape[1]
        if at.shape[0] != m or weights.shape != (k, n) or not _has_shape(seen, up.shape):
            raise ValueError("dense_backward: the shapes of dy, x, w and z do not fit each other")
        dx, dw, db = space(x), np.empty((k, n), dtype), np.empty(n, dtype)
        into, values = flat(dx), params(activation)
        inputs = (up, up.strides, at, at.strides, weights, weights.strides, seen, _strides(seen))
        results = (into, _strides(into), dw, dw.strides, db, db.strides[0])
        if _backward((dtype_id, address(), values, (m, n, k), *inputs, *results)) != 0:
            raise MemoryError("no memory for the gradients of a layer")
        return dx, dw, db

    return run


def _as_rows(convert: Any, matrix: Any) -> Any:
    return jitable(lambda z: matrix(convert(z)))


def _has_shape(x: Any, shape: Any) -> Any:
    """Whether a matrix has this shape; None has any."""


@overloads(_has_shape)
def _has_shape_types(x: Any, shape: Any) -> Any:
    return (lambda x, shape: True) if is_none(x) else (lambda x, shape: x.shape == shape)
