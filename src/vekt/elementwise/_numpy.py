"""What the engine of `vekt.elementwise` is not made for: by NumPy, or step by step by both."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from vekt._core.axes import unmasked
from vekt._spec.spec import Spec
from vekt.elementwise._types import common_dtype, resolve, signature_of
from vekt.elementwise._ufuncs import ufunc_of


def function(op: Spec) -> Callable[..., Any]:
    """Return the operation with its own parameters."""
    own: dict[str, Callable[..., Any]] = {
        "multiply_add": multiply_add,
        "scale_shift": scale_shift,
        "where": where,
        "clip": clip,
        "rsqrt": rsqrt,
    }
    made: Callable[..., Any] = own.get(op.name) or ufunc_of(op)
    return made


def multiply_add(
    a: Any, b: Any, c: Any, out: Any = None, *, where: Any = True, dtype: Any = None
) -> Any:
    """Compute a*b + c with two roundings, or whatever the operands make of it."""
    options = {} if where is True else {"where": where}
    a, b, c = (np.asarray(x) if isinstance(x, list | tuple) else x for x in (a, b, c))
    types = signature_of((a, b, c))
    if dtype is None and types is not None:
        dtype = common_dtype(types)
    steps: Any = import_module("vekt.elementwise")  # complex numbers: the engine's copies, again
    product = steps.multiply(a, b, dtype=dtype)
    return steps.add(product, c, out=out, dtype=dtype, **options)


def scale_shift(
    x: Any, scale: Any, shift: Any, out: Any = None, *, where: Any = True, dtype: Any = None
) -> Any:
    """Compute x*scale + shift with two roundings."""
    return multiply_add(x, scale, shift, out, where=where, dtype=dtype)


def rsqrt(x: Any, /, out: Any = None, *, where: Any = True, **options: Any) -> Any:
    """Divide 1 by the square root, with two roundings."""
    return np.reciprocal(np.sqrt(x, **options), out=out, where=where, **options)


def where(condition: Any, x: Any = ..., y: Any = ..., out: Any = None) -> Any:
    """Choose as `numpy.where` does."""
    for name, operand in (("condition", condition), ("x", x), ("y", y)):
        unmasked("where", name, operand)
    given = [choice for choice in (x, y) if choice is not ...]
    if not given and out is None:
        return np.where(condition)
    if len(given) < 2:
        raise ValueError("where: either both or neither of x and y should be given")
    chosen = np.where(condition, x, y)
    if out is None:
        return chosen
    if isinstance(out, tuple):
        (out,) = out
    np.copyto(out, chosen, casting="same_kind")
    return out


def clip(x: Any, min: Any = None, max: Any = None, out: Any = None, **options: Any) -> Any:
    """Limit as `numpy.clip` does."""
    if out is not None:
        options["out"] = out[0] if isinstance(out, tuple) else out
    limits = {"min": min, "max": max}
    for name, own in (("a_min", "min"), ("a_max", "max")):
        limit = options.pop(name, None)
        if limit is not None and limits[own] is not None:
            raise TypeError(f"clip: {own} and {name} are the same limit; give one of them")
        limits[own] = limits[own] if limit is None else limit
    result = np.clip(x, limits["min"], limits["max"], **options)
    return options.get("out", result)  # NumPy's method of scalars returns another one


def with_arrays_of_large_numbers(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put Python's integers that the other operand's dtype does not hold into arrays.

    The loop that NumPy has for them crashes where it is given a mask (NumPy 2.4.6).
    """
    limits = [
        np.iinfo(x.dtype)
        for x in args
        if getattr(getattr(x, "dtype", None), "kind", "") in ("i", "u")
    ]

    def fits(x: int) -> bool:
        return all(limit.min <= x <= limit.max for limit in limits)

    return tuple(np.asarray(x) if type(x) is int and not fits(x) else x for x in args)


def by_one_limit(args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Clip an array with one limit as the larger or the smaller of two, as NumPy does.

    NotImplemented for other calls.
    """
    given = dict(zip(("x", "min", "max", "out"), args, strict=False))
    if len(args) > 4 or not options.keys() <= {"min", "max", "out"} - given.keys():
        return NotImplemented
    given |= options
    least, greatest, out = given.get("min"), given.get("max"), given.get("out")
    plain = type(given.get("x")) is np.ndarray and (out is None or type(out) is np.ndarray)
    if not plain or (least is None) is (greatest is None):
        return NotImplemented
    steps: Any = import_module("vekt.elementwise")
    try:
        if least is None:
            return steps.minimum(given["x"], greatest, out=out)
        return steps.maximum(given["x"], least, out=out)
    except OverflowError:  # a limit that no element reaches
        return NotImplemented


_OPTIONS = {"out", "where", "dtype", "casting", "order", "subok"}


def by_parts(dispatcher: Any, op: Spec, args: Any, options: dict[str, Any]) -> Any:
    """Compute by vekt's kernel, and see to array-likes, casts and the output before and after.

    NotImplemented where NumPy has to: for other libraries' arrays, dtypes without a kernel, errors.
    """
    nin = len(op.inputs)
    if len(args) not in (nin, nin + 1):
        return NotImplemented
    out: Any = options.get("out") if len(args) == nin else args[nin]
    if isinstance(out, tuple) and len(out) == 1:
        out = out[0]
    inputs = tuple(_plain(x) for x in args[:nin])
    types = signature_of(inputs)
    wanted = (
        {"where", "dtype"} if "casting" not in op.signature().parameters else _OPTIONS - {"out"}
    )
    if types is None or not set(options) <= wanted | {"out"}:
        return NotImplemented
    if all(a is b for a, b in zip(args, inputs, strict=False)) and len(args) == nin and not options:
        return NotImplemented
    dtype, casting = options.get("dtype"), options.get("casting", "same_kind")
    mask = np.asarray(options.get("where", True))
    try:
        loop = resolve(op, types, None if dtype is None else np.dtype(dtype), casting)
        if op.numpy and loop[-1].kind in "iu":  # powers, whose own loop is NumPy's
            return NotImplemented
        if loop[-1].kind not in "biufV" or loop[-1].itemsize > 8 or mask.dtype != bool:
            return NotImplemented
        if out is not None and not _takes(out, loop[-1], casting):
            return NotImplemented
        if dtype is not None:
            inputs = tuple(_cast(x, d) for x, d in zip(inputs, loop, strict=False))
        shape = np.broadcast_shapes(*(np.shape(x) for x in inputs), mask.shape)
        if out is not None and np.broadcast_shapes(shape, out.shape) != out.shape:
            return NotImplemented
    except (TypeError, ValueError, OverflowError):  # NumPy's own words for it
        return NotImplemented
    result = dispatcher(*inputs)
    if out is None:
        result = result if shape == np.shape(result) else np.broadcast_to(result, shape).copy()
        return _ordered(result, options.get("order", "K"), inputs)
    if np.may_share_memory(mask, out):
        mask = mask.copy()
    np.copyto(out, result, casting=casting, where=mask)
    return out


def _plain(x: Any) -> Any:
    """Make an array of what NumPy makes one of, and nothing of what has a say in the result."""
    if type(x) in (bool, int, float, complex, np.ndarray) or isinstance(x, np.generic):
        return x
    if type(x) is np.memmap or not (
        hasattr(type(x), "__array_ufunc__") or hasattr(x, "__array_wrap__")
    ):
        return np.asarray(x)
    return x


def _cast(x: Any, dtype: Any) -> Any:
    return (
        np.asarray(x, dtype)
        if type(x) in (bool, int, float, complex)
        else x.astype(dtype, copy=False)
    )


def _takes(out: Any, dtype: Any, casting: Any) -> bool:
    """Return whether NumPy would write results of this dtype there."""
    return (
        type(out) in (np.ndarray, np.memmap)
        and out.flags.writeable
        and np.can_cast(dtype, out.dtype, casting)
    )


def _ordered(result: Any, order: Any, inputs: Any) -> Any:
    if order == "K" or not isinstance(result, np.ndarray):
        return result
    if order == "A":
        arrays = [x for x in inputs if isinstance(x, np.ndarray)]
        order = "F" if arrays and all(x.flags.fnc for x in arrays) else "C"
    return np.array(result, order=order, copy=None)
