"""Elementwise operations, beside NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from operands import multiply_add, numpy_of

import vekt as vk
from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY
from vekt._spec.elementwise import OPS
from vekt.elementwise._ufuncs import TYPED_AS, ufunc_of

from . import arrays
from .activations import with_options
from .check import Case
from .draws import Draw
from .truth import BFLOAT16, Truth, unit

NAMES = {*OPS, "stream"}
FUNCTIONS = {op.name: op for op in (*ELEMENTARY, *BINARY)}
_FUSED = ("multiply_add", "scale_shift")


def case(draw: Draw) -> Case:
    """Draw a call of an elementwise operation."""
    name = draw.pick(tuple(OPS))
    op = OPS[name]
    shape = arrays.shape_of(draw)
    args = [arrays.operand(draw, shape, arrays.NUMBERS) for _ in op.inputs]
    if name == "where" and draw.chance(80):
        args[0] = arrays.operand(draw, shape, ("?",))
    if name == "clip":
        args[1:] = [None if draw.chance(20) else x for x in args[1:]]
    dtypes = {np.asarray(x).dtype for x in args}
    strange = any(d.char in "OSUMmVgG" for d in dtypes)
    mixed = BFLOAT16 in dtypes and len(dtypes) > 1  # NumPy has no rule for it
    if (name in _FUSED and strange) or (name in (*_FUSED, "where") and mixed):
        return case(draw)
    expect = _fused if name in _FUSED else _expectation(name)
    made = Case(name, getattr(vk, name), args, {}, expect)
    if draw.chance(4) and name not in ("where", "clip") and not strange:
        return _streamed(draw, made)
    made = with_options(draw, made, shape, name != "where")
    if name in _FUSED and made.options.get("dtype") == BFLOAT16:
        del made.options["dtype"]  # NumPy casts nothing to it
        made.out, made.bad = None, ""
    kinds = [np.asarray(x).dtype.kind for x in args]
    made.same_bits = "c" not in kinds
    return made


def _expectation(name: str) -> Any:
    own = numpy_of if name in TYPED_AS else lambda name: ufunc_of(OPS[name])
    function = getattr(np, name, None) or own(name)

    def expect(*args: Any, **options: Any) -> Truth:
        dtype = np.dtype(options["dtype"]) if options.get("dtype") else None
        mask = options.pop("where", True)
        masked = mask is not True
        if masked and name == "power":  # negative powers of integers matter where they are asked
            options["where"] = mask
        result = function(*args, **options)
        stored = np.asarray(result).dtype
        kind = None if masked else type(result)
        exact = Truth(np.asarray(result), stored, kind=kind)
        if stored.kind == "c":
            size = np.maximum(np.abs(result.real), np.abs(result.imag))
            size = np.where(np.isfinite(size), size, 0)
            eps = 64 * np.finfo(stored).eps
            return Truth(result, stored, size * eps, free=~np.isfinite(np.asarray(result)))
        if name in FUNCTIONS and (stored == BFLOAT16 or stored.char in "efd"):
            narrow = [
                x.astype(stored, casting="same_kind" if dtype else "unsafe")
                for x in map(np.asarray, args)
            ]
            wide = np.longdouble if stored == np.float64 else np.float64
            kernel = FUNCTIONS[name].kernel
            true = np.asarray(kernel.value(*(x.astype(wide) for x in narrow)))
            compute = np.dtype("f4") if stored.itemsize < 4 else stored
            bound = kernel.max_ulp[compute.name] * unit(true, compute)
            if name == "logaddexp":  # whose terms may cancel
                bound = bound + (2.0**-61 if stored == np.float64 else 2.0**-46)
            return Truth(true, stored, bound, kind=kind)
        return exact

    return expect


def _fused(*args: Any, where: Any = True, dtype: Any = None) -> Truth:
    if dtype is None:
        result = multiply_add(*args)
        a, b, c = (np.asarray(x) for x in args)
    else:
        a, b, c = (np.add(x, 0, dtype=dtype) for x in args)
        result = multiply_add(a, b, c)
    stored = np.asarray(result).dtype
    if stored.kind not in "fc" and stored != BFLOAT16:
        return Truth(result, stored)
    kind = np.clongdouble if stored.kind == "c" else np.longdouble
    x, y, z = (v.astype(stored).astype(kind) for v in (a, b, c))
    wide = x * y + z
    size = np.abs(x) * np.abs(y) + np.abs(z)
    lost = np.where(np.isfinite(size), size, 0) * 2.0**-60
    if stored.kind == "c":
        info = np.finfo(stored)
        slack = size * 8 * info.eps + 2 * info.smallest_subnormal
        return Truth(wide, stored, slack, free=~np.isfinite(wide))
    compute = np.dtype("f4") if stored.itemsize < 4 else stored
    return Truth(wide, stored, lost + unit(wide, compute) / 2)


def _streamed(draw: Draw, made: Case) -> Case:
    function, inner = made.function, made.expect
    options = {"chunk_bytes": draw.pick((64, 1, 1000))}

    def expect(*args: Any, chunk_bytes: int) -> Truth:
        shape = np.broadcast_shapes(*map(np.shape, args))
        if 0 in shape:  # nothing is computed
            return Truth(np.empty(shape), np.dtype("f8"))
        true = inner(*map(np.asarray, args))
        return Truth(true.wide, true.dtype, true.tolerance, free=true.free)

    def stream(*args: Any, chunk_bytes: int) -> Any:
        return vk.stream(function, *args, chunk_bytes=chunk_bytes)

    return Case(f"stream:{made.name}", stream, made.args, options, expect, same_bits=False)
