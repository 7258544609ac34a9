"""Reductions, beside NumPy's."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

import vekt as vk
from vekt import reductions
from vekt._spec.scans import SCANS
from vekt._spec.statistics import STATISTICS

from . import arrays
from .activations import add_output
from .check import Case, plain
from .draws import Draw
from .rows import axis_of
from .truth import BFLOAT16, Truth, unit

NAMES = set(reductions.__all__) - {*STATISTICS, *SCANS}
_PICKED = tuple(name for name in reductions.__all__ if name in NAMES)


def case(draw: Draw) -> Case:
    """Draw a call of a reduction."""
    name = draw.pick(_PICKED)
    shape = arrays.shape_of(draw)
    dtype = draw.pick(arrays.STRANGE) if draw.chance(1) else draw.pick(arrays.NUMBERS)
    x = arrays.laid_out(draw, arrays.values(draw, shape, dtype))
    if name in ("broadcast_to", "sum_to_shape"):
        return _shaped(draw, name, x)
    options: dict[str, Any] = {}
    if draw.chance(60):
        axis = axis_of(draw, len(shape))
        options["axis"] = axis[0] if name[:3] == "arg" and isinstance(axis, tuple) else axis
    if draw.chance(30):
        options["keepdims"] = draw.pick((True, False))
    if name in ("sum", "mean") and draw.chance(15):
        options["dtype"] = draw.pick(("f8", "f4", "f2", "i8", "i4", "c16", ">f8"))
    if name in ("sum", "max", "min") and draw.chance(15):
        options["initial"] = draw.pick((0, 1, 2.5, -3, np.float32(1), -0.0, 300))
    if name[:3] != "arg" and draw.chance(15):
        mask = arrays.values(draw, tuple(1 if draw.chance(30) else n for n in shape), "?")
        options["where"] = arrays.laid_out(draw, mask)
    made = Case(name, getattr(vk, name), [x], options, _expectation(name))
    # Sums and the signs of zeros that are extremes follow the order of memory.
    made.same_bits = name in ("argmax", "argmin", "any", "all") or x.dtype.kind in "biu"
    made.same_bits &= name not in ("sum", "mean")
    if draw.chance(25):
        add_output(draw, made)
        of_its_own = {"argmax": np.intp, "argmin": np.intp, "max": x.dtype, "min": x.dtype}
        if made.out is not None and made.out.dtype != of_its_own.get(name, made.out.dtype):
            made.out, made.bad = None, ""
        if made.out is not None and bool(made.bad) == _numpy_takes(name, made):
            made.out, made.bad = None, ""
    made.quiet = name != "mean"  # NumPy tells of means of nothing
    made.threads = 1 + draw.below(2)
    return made


def _numpy_takes(name: str, made: Case) -> bool:
    try:
        getattr(np, name)(*made.args, **made.options, out=plain(made.out))
    except (TypeError, ValueError, OverflowError):
        return False
    return made.out.flags.writeable


def _expectation(name: str) -> Any:
    function = getattr(np, name)

    def expect(x: Any, **options: Any) -> Truth:
        result = function(x, **options)
        stored = np.asarray(result).dtype.newbyteorder("=")
        real = stored.kind in "fc" or stored == BFLOAT16
        if name not in ("sum", "mean") or not real or stored.char in "gG":
            exact = Truth(np.asarray(result), stored, kind=type(result))
            if name in ("max", "min") and (stored.char in "efd" or stored == BFLOAT16):
                exact.wide, exact.tolerance = exact.wide.astype("f8"), 0.0  # either of two zeros
            if stored.kind == "c":
                exact.free = np.isnan(exact.wide)  # the first one in memory, for NumPy
            return exact
        kind = np.clongdouble if stored.kind == "c" else np.longdouble
        by_numpy = "c" in (stored.kind, x.dtype.kind)
        narrow = x.astype(stored) if by_numpy else x
        plain = {key: v for key, v in options.items() if key not in ("dtype", "initial")}
        first = {"initial": kind(options["initial"])} if "initial" in options else {}
        wide = np.asarray(function(narrow.astype(kind), **plain, **first))
        total = np.sum(np.abs(narrow.astype(kind)), **plain) + abs(options.get("initial", 0))
        count = np.sum(np.ones(x.shape), **plain)
        part = np.empty(0, stored).real.dtype if stored.kind == "c" else stored
        compute = np.dtype("f4") if part.itemsize < 4 else part
        terms = np.abs(narrow.astype(kind))
        finite = np.sum(np.where(np.isfinite(terms), terms, 0), **plain)
        overflows = ~(finite <= ml_dtypes.finfo(compute).max / 4)
        if name == "mean":
            total = total / np.maximum(count, 1)
        eps = 2.0**-52 * (8 + np.log2(1 + count))
        size = np.where(np.isfinite(total), total, 0)
        roundings = 1 if "initial" in options else 0.5
        slack = size * eps + roundings * unit(np.abs(wide), compute)
        if "initial" in options:  # added to the rounded sum
            slack = slack + 2 * unit(size, part)
        if by_numpy:
            slack = slack + size * (8 + count) * ml_dtypes.finfo(part).eps
        # An intermediate sum may overflow where the whole does not.
        free = overflows
        if stored.kind == "c":
            free |= ~np.isfinite(wide)
        return Truth(wide, stored, slack, kind=type(result), free=free)

    return expect


def _shaped(draw: Draw, name: str, x: Any) -> Case:
    shape = list(x.shape)
    if name == "broadcast_to":
        shape = [draw.pick((3, 2, 0)) if n == 1 and draw.chance(60) else n for n in shape]
        shape = [*(2,) * draw.below(3), *shape] if draw.chance(40) and len(shape) < 28 else shape
    else:
        shape = [1 if draw.chance(40) else n for n in shape][draw.below(2) if shape else 0 :]
    if draw.chance(5):
        shape = [*shape, 3]
    wanted = tuple(shape)

    def broadcast(x: Any, shape: Any) -> Truth:
        y = np.broadcast_to(x, shape)
        return Truth(y, y.dtype, kind=np.ndarray)

    def summed(x: Any, shape: Any) -> Truth:
        if np.shape(x) == tuple(shape):
            return Truth(x, x.dtype)
        np.broadcast_to(np.empty(shape), np.shape(x))
        extra = np.ndim(x) - len(shape)
        ones = [k + extra for k, n in enumerate(shape) if n == 1 and np.shape(x)[k + extra] != 1]
        true = _expectation("sum")(x, axis=(*range(extra), *ones), keepdims=True)
        true.wide, true.kind = true.wide.reshape(shape), None
        true.tolerance = None if true.tolerance is None else true.tolerance.reshape(shape)
        true.free = np.reshape(true.free, shape) if np.ndim(true.free) else true.free
        return true

    expect = broadcast if name == "broadcast_to" else summed
    made = Case(name, getattr(vk, name), [x, wanted], {}, expect)
    # A view keeps the byte order, and a shape that is there already is the array itself.
    if not x.dtype.isnative:
        made.args[0] = x.astype(x.dtype.newbyteorder("="))
    made.same_bits = name == "broadcast_to"
    return made
