"""The gated units: an activation of one operand, or of one half, times the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.cpython.unsafe.tuple import tuple_setitem
from numba.np.numpy_support import as_dtype

from vekt._core.axes import halves, unmasked
from vekt._core.containers import values_or_masked, with_masks
from vekt._core.operands import operand_dtype, result_dtype, stored
from vekt._spec.docstrings import documented
from vekt._spec.functions import public_function
from vekt._spec.gates import GATE_OPS, GATES
from vekt._spec.spec import Kernel, Spec
from vekt.jit._elementwise import _result_type, _spread, elementwise
from vekt.jit._jitable import entry, jitable, overloads
from vekt.jit._kernels import _FINGERPRINT, _general
from vekt.jit._nopython import register
from vekt.jit._scalars import SCALARS

Function = Callable[..., Any]

_MODULE = "vekt.jit"
_INF = float("inf")

with_item: Any = tuple_setitem


def _value(pair: Function) -> Function:
    return lambda kind: jitable(lambda x, other: kind(kind(pair(x)[0]) * kind(other)))


def _backward(pair: Function) -> Function:
    """Gradients of the gate and of the other operand, every product rounded as in C."""

    def of(kind: Any) -> Function:
        @jitable
        def element(dy: Any, x: Any, other: Any) -> Any:
            value, slope = pair(x)
            product = kind(kind(dy) * kind(other))
            of_gate = kind(product * kind(slope))
            if abs(product) == _INF and abs(dy) < _INF and abs(other) < _INF:
                of_gate = kind(kind(kind(dy) * kind(slope)) * kind(other))
            return of_gate, kind(kind(dy) * kind(value))

        return element

    return of


def _elements(gate: Kernel) -> tuple[Function, Function]:
    pair = SCALARS[gate.activation]
    return _value(pair), _backward(pair)


_ELEMENTS = {name: _elements(gate) for name, gate in GATES.items()}
_COMPILED = {
    f"_{name}{kind}": elementwise(f"_{name}{kind}", __name__, element, inputs, inputs - 1)
    for name, elements in _ELEMENTS.items()
    if GATES[name].gate == "a"
    for kind, element, inputs in zip(("", "_backward"), elements, (2, 3), strict=True)
}
# Numba's cache knows an entry by its own code and by what it refers to, which is these names.
globals().update(_COMPILED)


def _entry(function: Function) -> Function:
    """Compile an entry from Python; its name, that of the cached file, follows the sources."""
    function.__name__ = function.__qualname__ = f"{function.__name__}-{_FINGERPRINT}"
    return entry(function)


def _entry_of(name: str) -> Function:
    kernel = _COMPILED[name]

    def call(*operands):  # type: ignore[no-untyped-def]
        return kernel(*operands)

    call.__name__ = name
    return _entry(call)


_RUN = {name: _entry_of(name) for name in _COMPILED}


def rounded(result: Any, *operands: Any) -> Any:
    """Return what was computed as float32 in the 16 bits of the operands."""
    with np.errstate(over="ignore"):
        return result.astype(result_dtype(None, *operands), copy=False)


def _raw(name: str) -> Function:
    """Make the function that stands where `vekt` has its ufunc."""
    run = _RUN[name]

    def call(*operands: Any, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
        return _general(run, operands, len(operands), out, where, dtype)

    return call


_RAW = {name.removeprefix("_"): _raw(name) for name in _COMPILED}


def _public(spec: Spec, kind: str) -> Function:
    """Make a function of two operands, for Python and for compiled functions."""
    made = public_function(spec, kind, _RAW, _MODULE)
    register(spec, kind, made, {name.removeprefix("_"): f for name, f in _COMPILED.items()})
    return made


_GLU = GATE_OPS["glu"]
FUNCTIONS = {
    spec.name + kind: _public(spec, kind)
    for spec in GATE_OPS.values()
    if spec is not _GLU
    for kind in spec.kinds
}
globals().update(FUNCTIONS)


# ---- glu


@jitable
def place(axis: int, ndim: int) -> int:
    """Return the axis counted from the front."""
    if not -ndim <= axis < ndim:
        raise ValueError("axis is out of bounds")
    return axis + ndim if axis < 0 else axis


@jitable
def _parts(shape: Any, axis: int) -> Any:
    """Elements before the axis and in each half, and the shape of a half."""
    outer, half = 1, 1
    for k in range(len(shape)):
        if k < axis:
            outer *= shape[k]
        elif k > axis:
            half *= shape[k]
    length = shape[axis] // 2
    if 2 * length != shape[axis]:
        raise ValueError("glu: the axis has odd length and no halves")
    return outer, half * length, with_item(shape, axis, length)


# The entries from Python take three axes, whatever there were: one compilation serves all.


@documented(_GLU, "", _MODULE)
def glu(x: Any, axis: int = -1, *, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
    pair = halves(values_or_masked(x), axis)
    x, half = np.asarray(x), pair[0].shape
    narrow = result_dtype(dtype, x)
    with np.errstate(over="ignore"):
        x = x.astype(narrow, copy=False)
    y = _run_glu(_three_axes(x, operand_dtype(x), x.shape, axis)).reshape(half)
    y = stored(rounded(y, x), out, where, np.broadcast_shapes(half, np.shape(where)))
    return with_masks(pair, y, out)


@documented(_GLU, "_backward", _MODULE)
def glu_backward(dy: Any, x: Any, axis: int = -1, *, out: Any = None) -> Any:
    for name, operand in (("dy", dy), ("x", x)):
        unmasked("glu_backward", name, operand)
    x, dtype = np.asarray(x), operand_dtype(dy, x)
    half = halves(x, axis)[0].shape
    above = _three_axes(dy, dtype, half, axis)
    dx = _run_glu_backward(above, _three_axes(x, dtype, x.shape, axis)).reshape(x.shape)
    return stored(rounded(dx, dy, x), out, shape=x.shape)


def _three_axes(x: Any, dtype: np.dtype[Any], shape: tuple[int, ...], axis: int) -> Any:
    """Merge the axes before and those after the one that is halved."""
    axis %= len(shape)
    merged = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    return contiguous(x, dtype, shape).reshape(merged)


def contiguous(x: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
    """Return an array of this shape in C order; not a read-only view, which Numba tells apart."""
    x = np.asarray(x)
    copy = None if x.shape == shape else True
    with np.errstate(over="ignore"):
        return np.array(np.broadcast_to(x, shape) if copy else x, dtype, order="C", copy=copy)


@overloads(glu)
def _glu_types(x: Any, axis: Any = -1) -> Any:
    kind = _halves_type("glu", x, axis, (x,))
    dtype, element = as_dtype(kind), _ELEMENTS["glu"][0](kind)

    def run(x, axis=-1):  # type: ignore[no-untyped-def]
        outer, half, shape = _parts(x.shape, place(axis, x.ndim))
        pairs = _spread(x, x.shape).reshape(outer, 2, half)
        y = np.empty(shape, dtype)
        rows = y.reshape(outer, half)
        for o in range(outer):
            a, b, row = pairs[o, 0], pairs[o, 1], rows[o]
            for i in range(half):
                row[i] = element(np.float64(kind(b[i])), np.float64(kind(a[i])))
        return y

    return run


@overloads(glu_backward)
def _glu_backward_types(dy: Any, x: Any, axis: Any = -1) -> Any:
    kind = _halves_type("glu_backward", x, axis, (dy, x))
    dtype, element = as_dtype(kind), _ELEMENTS["glu"][1](kind)

    def run(dy, x, axis=-1):  # type: ignore[no-untyped-def]
        outer, half, shape = _parts(x.shape, place(axis, x.ndim))
        pairs = _spread(x, x.shape).reshape(outer, 2, half)
        above = spread(dy, shape).reshape(outer, half)
        dx = np.empty(x.shape, dtype)
        results = dx.reshape(outer, 2, half)
        for o in range(outer):
            a, b, g = pairs[o, 0], pairs[o, 1], above[o]
            da, db = results[o, 0], results[o, 1]
            for i in range(half):
                db[i], da[i] = element(
                    np.float64(kind(g[i])), np.float64(kind(b[i])), np.float64(kind(a[i]))
                )
        return dx

    return run


def _halves_type(name: str, x: Any, axis: Any, operands: tuple[Any, ...]) -> Any:
    if not isinstance(x, types.Array) or x.ndim == 0:
        raise TypingError(f"{name}: expected an array, got {x}")
    if not isinstance(axis, int | types.Integer | types.Omitted):
        raise TypingError(f"{name}: axis must be an integer, not {axis}")
    return _result_type(name, operands, len(operands))


def spread(operand: Any, shape: Any) -> Any:
    """Return a number or an array in this shape, contiguous and flat."""


@overloads(spread)
def _spread_types(operand: Any, shape: Any) -> Any:
    if isinstance(operand, types.Array):
        return lambda operand, shape: _spread(operand, shape)
    return lambda operand, shape: np.full(shape, operand).ravel()


@_entry
def _run_glu(x):  # type: ignore[no-untyped-def]
    return glu(x, 1)


@_entry
def _run_glu_backward(dy, x):  # type: ignore[no-untyped-def]
    return glu_backward(dy, x, 1)
