"""Reductions along axes, and running sums and products, in compiled functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype

from vekt._core.native import lib
from vekt._spec.scans import SCANS
from vekt.jit._gates import place, with_item
from vekt.jit._jitable import jitable, overloads
from vekt.jit._native_calls import driver
from vekt.jit._products import MEMORY_TYPES
from vekt.jit._reductions import FUNCTIONS
from vekt.jit._views import is_none, literal

NAMES = tuple(FUNCTIONS)

_reduce = driver("reduce")
_scan = driver("scan")

_FLOATING = ("mean", "var", "std", "moments", "nanmean", "nanvar", "nanstd")
_EXTREMES = ("max", "min", "nanmax", "nanmin")
_OF_COMPLEX = ("sum", "mean", "cumsum")
# Of no elements; extremes and positions have none.
_OF_NONE = {"all": 1, "prod": 1} | dict.fromkeys(_FLOATING, np.nan)


def _result_dtype(name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the results: that of NumPy."""
    if name in ("any", "all"):
        return np.dtype(bool)
    if name in ("argmax", "argmin", "count_nonzero"):
        return np.dtype(np.intp)
    if name in _EXTREMES or dtype.kind in "fc":
        return dtype
    if name in _FLOATING:
        return np.dtype(np.float64)
    return np.dtype(np.uint64 if dtype.kind == "u" else np.int64)


def _operation(name: str, dtype: np.dtype[Any]) -> int:
    """Return the number of a reduction in C, where all integers are numbers and bool has truth."""
    plain = name.removeprefix("nan") if dtype.kind in "biu" else name
    if dtype.kind == "b":
        plain = {"max": "any", "min": "all"}.get(plain, plain)
    return int(getattr(lib, f"VEKT_REDUCE_{plain.upper()}"))


def _types_in_memory(name: str, a: Any) -> tuple[int, np.dtype[Any]]:
    """Return the types of elements and results as C takes them, and the dtype of the results."""
    if not isinstance(a, types.Array):
        raise TypingError(f"{name}: expected an array, got {a}")
    dtype: np.dtype[Any] = as_dtype(a.dtype)
    known = dtype in MEMORY_TYPES and (dtype.kind != "c" or name in _OF_COMPLEX)
    if not known:
        raise TypingError(f"{name}: dtype {dtype} is not supported in compiled functions")
    result = _result_dtype(name, dtype)
    return MEMORY_TYPES[dtype] | MEMORY_TYPES[result] << lib.VEKT_JIT_FIRST, result


def _is_int(axis: Any) -> bool:
    """Tell whether this is the type of an int, or one itself: the default of a parameter."""
    given = literal(axis)
    return isinstance(axis, types.Integer) or (isinstance(given, int) and given is not True)


def _axes_of(name: str, ndim: int, axis: Any) -> tuple[int, Callable[..., Any]]:
    """Return how many axes are reduced, and the jitable function that makes a tuple of them."""
    if is_none(axis):
        every = tuple(range(ndim))
        return ndim, jitable(lambda axis: every)
    if _is_int(axis):
        return 1, jitable(lambda axis: (np.intp(axis),))
    items: Any = axis  # untyped
    if isinstance(axis, types.BaseTuple) and len(axis) and all(map(_is_int, items)):
        alike = ", ".join(f"np.intp(axis[{i}])" for i in range(len(axis)))
        return len(axis), jitable(eval(f"lambda axis: ({alike},)", {"np": np}))
    raise TypingError(f"{name}: axis must be None, an int or a tuple of ints, not {axis}")


@jitable
def _marks(axes: Any, ndim: int) -> int:
    """Return the bits of the axes; NumPy's errors for those that are not there or named twice."""
    marks = 0
    for k in range(len(axes)):
        bit = 1 << place(axes[k], ndim)
        if marks & bit:
            raise ValueError("duplicate value in 'axis'")
        marks |= bit
    return marks


@jitable
def _shape_of_results(shape: Any, of: Any, marks: int) -> Any:
    """Return `shape`, from its second length on filled with those of the axes not marked."""
    at = 1
    for k in range(len(of)):
        if not marks >> k & 1:
            shape = with_item(shape, at, of[k])
            at += 1
    return shape


@jitable
def _length(shape: Any, marks: int) -> int:
    """Return how many elements each result has."""
    length = 1
    for k in range(len(shape)):
        if marks >> k & 1:
            length *= shape[k]
    return length


@jitable
def _with_ones(shape: Any, of: Any, marks: int) -> Any:
    """Return `shape` filled with the lengths of all axes, 1 for those that are marked."""
    for k in range(len(of)):
        shape = with_item(shape, k, 1 if marks >> k & 1 else of[k])
    return shape


@jitable
def _fill(x: Any, value: Any) -> None:
    flat = x.reshape(x.size)
    for i in range(flat.size):
        flat[i] = value


_itself: Any = jitable(lambda x: x)
_as_vector: Any = jitable(lambda x: x.reshape(1))


def _reduction(name: str, a: Any, axis: Any, keepdims: bool) -> Callable[..., Any]:
    """Make the jitable function (a, axis, ddof) of a reduction."""
    memory, dtype = _types_in_memory(name, a)
    ndim, prepared = max(a.ndim, 1), _itself if a.ndim else _as_vector
    count, axes_of = _axes_of(name, ndim, axis)
    if count > ndim or (name[:3] == "arg" and isinstance(axis, types.BaseTuple)):
        raise TypingError(f"{name}: axis {axis} of an array of {ndim} dimensions")
    operation, of_none = _operation(name, as_dtype(a.dtype)), dtype.type(_OF_NONE.get(name, 0))
    needs_elements = name[:3] == "arg" or name in _EXTREMES
    results = 1 + (name == "moments")

    @jitable
    def run(given: Any, axis: Any, ddof: Any) -> Any:
        a = prepared(given)
        marks = _marks(axes_of(axis), ndim)
        length = _length(a.shape, marks)
        first = (results,) + a.shape[count:]  # noqa: RUF005
        made = np.empty(_shape_of_results(first, a.shape, marks), dtype)
        if a.size == 0:
            if needs_elements and made.size:
                raise ValueError("no elements along an axis: the reduction has no identity")
            _fill(made, of_none)
            return made, marks, a.shape
        # Of no more than there are: then the variance is NaN or infinite, as NumPy's.
        taken = np.float64(length) if ddof > length else np.float64(ddof)
        source = (operation, memory, ndim, a.shape, a, a.strides, marks, (taken,))
        if _reduce(source + (made[:1], made.strides[1:], made[-1:])) != 0:  # noqa: RUF005
            raise MemoryError("no memory for a reduction")
        return made, marks, a.shape

    shaped: Any
    if keepdims and a.ndim:
        shaped = jitable(lambda made, marks, of: made.reshape(_with_ones(of, of, marks)))
    elif count == ndim:
        shaped = jitable(lambda made, marks, of: made[()])
    else:
        shaped = jitable(lambda made, marks, of: made)

    @jitable
    def one(a: Any, axis: Any, ddof: Any) -> Any:
        made, marks, of = run(a, axis, ddof)
        return shaped(made[0:1].reshape(made.shape[1:]), marks, of)

    @jitable
    def both(a: Any, axis: Any, ddof: Any) -> Any:
        made, marks, of = run(a, axis, ddof)
        mean, variance = made[0:1].reshape(made.shape[1:]), made[1:2].reshape(made.shape[1:])
        return shaped(mean, marks, of), shaped(variance, marks, of)

    return both if results == 2 else one


def _running(name: str, a: Any, axis: Any) -> Callable[..., Any]:
    """Make the jitable function (a, axis, ddof) of running sums or products."""
    memory, dtype = _types_in_memory(name, a)
    operation = lib.VEKT_SCAN_PROD if name == "cumprod" else lib.VEKT_SCAN_SUM
    flat = is_none(axis)
    if not flat and not _is_int(axis):
        raise TypingError(f"{name}: axis must be None or an int, not {axis}")
    prepared: Any = _itself if a.ndim else _as_vector
    if flat:
        prepared = jitable(lambda x: np.ascontiguousarray(x).reshape(x.size))
    axis_of: Any = jitable(lambda axis: 0) if flat else _itself

    @jitable
    def run(given: Any, axis: Any, ddof: Any) -> Any:
        a = prepared(given)
        at = place(axis_of(axis), a.ndim)
        made = np.empty(a.shape, dtype)
        if made.size:
            _scan((operation, memory, a.ndim, a.shape, at, a, a.strides, made, made.strides))
        return made

    return run


_DEFAULTS = {"axis": "None", "ddof": "0", "correction": "None", "keepdims": "False"}
_MISSING = ("dtype", "out")


def _register(name: str, function: Callable[..., Any]) -> None:
    """Teach Numba to compile calls of a public function, with its parameters in their places."""
    known = [p for p in inspect.signature(function).parameters if p in (*_DEFAULTS, *_MISSING)]
    declared = ", ".join(["a", *(f"{p}={_DEFAULTS.get(p, 'None')}" for p in known)])

    def implementation(given: dict[str, Any]) -> Callable[..., Any]:
        for option in _MISSING:
            if not is_none(given.get(option)):
                raise TypingError(f"{name}: no {option} in compiled functions")
        keepdims = literal(given.get("keepdims", False))
        if not isinstance(keepdims, bool):
            raise TypingError(f"{name}: keepdims must be a constant in compiled functions")
        corrected = not is_none(given.get("correction"))
        if corrected and literal(given["ddof"]) != 0:
            raise TypingError(f"{name}: ddof and correction can't be provided simultaneously")
        if name in SCANS:
            run = _running(name, given["a"], given["axis"])
        else:
            run = _reduction(name, given["a"], given["axis"], keepdims)
        axis = "None" if is_none(given["axis"]) else "axis"
        ddof = "correction" if corrected else "ddof" if "ddof" in given else "0"
        scope: dict[str, Any] = {"run": run}
        exec(f"def {name}({declared}):\n    return run(a, {axis}, {ddof})", scope)
        return scope[name]  # type: ignore[no-any-return]

    scope: dict[str, Any] = {"implementation": implementation}
    given = ", ".join(f"{p}={p}" for p in ("a", *known))
    exec(f"def types_of({declared}):\n    return implementation(dict({given}))", scope)
    overloads(function, prefer_literal=True)(scope["types_of"])


for _name, _function in FUNCTIONS.items():
    _register(_name, _function)
