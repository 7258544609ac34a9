"""Statistics along axes, beside NumPy's in longer dtypes."""

from __future__ import annotations

import warnings
from typing import Any

import ml_dtypes
import numpy as np

import vekt as vk
from vekt._spec.scans import SCANS
from vekt._spec.statistics import STATISTICS

from . import arrays
from .activations import add_output
from .check import Case, outcome, plain
from .draws import Draw
from .rows import axis_of
from .truth import BFLOAT16, Truth, unit

NAMES = {*STATISTICS, *SCANS}
_SPECS = STATISTICS | SCANS
_EXACT = ("count_nonzero", "nanmax", "nanmin")


def case(draw: Draw) -> Case:
    """Draw a call of a statistic."""
    name = draw.pick(tuple(_SPECS))
    takes = _SPECS[name].signature().parameters
    shape = arrays.shape_of(draw)
    dtype = draw.pick(arrays.STRANGE) if draw.chance(1) else draw.pick(arrays.NUMBERS)
    x = arrays.laid_out(draw, arrays.values(draw, shape, dtype))
    options: dict[str, Any] = {}
    if draw.chance(60):
        axis = axis_of(draw, len(shape))
        options["axis"] = axis[0] if name in SCANS and isinstance(axis, tuple) and axis else axis
    if "keepdims" in takes and draw.chance(30):
        options["keepdims"] = draw.pick((True, False))
    if "dtype" in takes and x.dtype.kind != "c" and draw.chance(15):
        options["dtype"] = draw.pick(("f8", "f4", "f2", "i8", ">f8"))
    if "initial" in takes and draw.chance(15):
        options["initial"] = draw.pick((0, 1, 2.5, -3, np.float32(1), 300))
    if "ddof" in takes and draw.chance(30):
        options[draw.pick(("ddof", "correction"))] = draw.pick((0, 1, 2, 0.5, -1))
    if "where" in takes and draw.chance(15):
        mask = arrays.values(draw, tuple(1 if draw.chance(30) else n for n in shape), "?")
        options["where"] = arrays.laid_out(draw, mask)
    made = Case(name, getattr(vk, name), [x], options, _expectation(name))
    made.same_bits = name in _EXACT[:1]  # sums and the signs of zeros follow the order of memory
    made.quiet = False  # NumPy tells of what has no elements, or too few
    if "out" in takes and draw.chance(25):
        add_output(draw, made)
        if made.out is not None and _numpy_takes(made) is not (not made.bad):
            made.out, made.bad = None, ""
    made.threads = 1 + draw.below(2)
    return made


def _numpy_takes(made: Case) -> bool | None:
    """Tell whether NumPy writes to this `out`; None of one that is not of the result's dtype."""
    function = getattr(np, made.name)
    own = _quiet(function, made.args, made.options)
    if isinstance(own, Exception):
        return None
    if np.asarray(own[0]).dtype.newbyteorder("=") != made.out.dtype.newbyteorder("="):
        return None
    taken = _quiet(function, made.args, {**made.options, "out": plain(made.out)})
    return not isinstance(taken, Exception) and bool(made.out.flags.writeable)


def _quiet(*call: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return outcome(*call, "ignore")


def _by_numpy(name: str, x: Any, options: dict[str, Any]) -> Any:
    """Return NumPy's results as a tuple."""
    if name != "moments":
        return (getattr(np, name)(x, **options),)
    of_mean = {k: v for k, v in options.items() if k not in ("ddof", "correction")}
    return np.mean(x, **of_mean), np.var(x, **options)


def _expectation(name: str) -> Any:
    def expect(x: Any, **options: Any) -> Any:
        results = _by_numpy(name, x, options)
        stored = [np.asarray(result).dtype.newbyteorder("=") for result in results]
        known = (x.dtype.kind in "biufc" and x.dtype.char not in "gG") or x.dtype == BFLOAT16
        inexact = all(d.char in "efdFD" or d == BFLOAT16 for d in stored)
        if name in _EXACT or not known or not inexact:
            return tuple(
                _exact(result, dtype, name) for result, dtype in zip(results, stored, strict=True)
            )
        plain = {key: v for key, v in options.items() if key != "dtype"}
        wide_x = x.astype(np.clongdouble if x.dtype.kind == "c" else np.longdouble)
        plainly = name[:3] == "nan" and x.dtype.kind in "biu"
        wide = _by_numpy(name[3 * plainly :], wide_x, plain)
        kinds = ("mean", "var") if name == "moments" else (name,)
        return tuple(
            _near(kind, x, w, dtype, plain, type(r))
            for kind, w, dtype, r in zip(kinds, wide, stored, results, strict=True)
        )

    return expect


def _exact(result: Any, dtype: Any, name: str) -> Truth:
    truth = Truth(np.asarray(result), dtype, kind=type(result))
    if name in ("nanmax", "nanmin") and (dtype.char in "efd" or dtype == BFLOAT16):
        truth.wide, truth.tolerance = truth.wide.astype("f8"), 0.0  # either of two zeros
    if dtype.kind == "c":
        truth.free = np.isnan(truth.wide)
    return truth


def _near(name: str, x: Any, wide: Any, dtype: Any, options: dict[str, Any], kind: type) -> Truth:
    """Allow what terms lose in double, or in NumPy's dtype where that does the work."""
    if name in SCANS:
        return _near_running(name, x, wide, dtype, options, kind)
    by_numpy = "c" in (x.dtype.kind, dtype.kind) or x.ndim == 0
    own = ml_dtypes.finfo(np.empty(0, dtype).real.dtype if by_numpy else "f8")
    where = {k: v for k, v in options.items() if k in ("axis", "keepdims", "where")}
    size = np.abs(x.astype(np.clongdouble if x.dtype.kind == "c" else np.longdouble))
    finite = np.where(np.isfinite(size), size, 0)
    count = np.sum(np.ones(x.shape), **where)
    largest = np.max(finite, initial=0, **where)
    eps = own.eps * (16 + count * (by_numpy or name == "prod"))
    if name == "prod":
        extent = np.abs(np.log2(np.where(finite > 0, finite, 1)))
        beyond = np.sum(extent, **where) > 16_000  # longdouble may leave its range on the way
        slack, reached = eps * np.abs(wide), np.where(beyond, np.inf, 0)
        if "initial" in options:  # comes last: what overflowed before stays so
            reached = reached + np.abs(np.prod(finite, **where))
            slack = slack + np.abs(options["initial"]) * own.smallest_subnormal
        if by_numpy:
            reached = np.inf  # whatever becomes of it on the way
    elif name in ("nansum", "nanmean", "mean"):
        reached = largest * (1 + count) + np.abs(options.get("initial", 0))
        slack = eps * (reached if name == "nansum" else largest)
    else:
        reached = largest**2 * (1 + count)
        slack = eps * largest**2
        if name in ("std", "nanstd"):
            slack = np.minimum(np.sqrt(slack), slack / wide) * 2 + np.sqrt(own.tiny)
    free = ~(reached <= own.max / 4) | (by_numpy & ~np.isfinite(wide))
    if name in ("var", "std"):  # NumPy divides rounding errors by 0
        free |= count <= options.get("ddof", 0) + options.get("correction", 0)
    part = np.empty(0, dtype).real.dtype
    slack = np.where(np.isfinite(slack), slack, 0) + unit(np.abs(wide), part)
    return Truth(np.asarray(wide), dtype, slack, kind=kind, free=free)


def _near_running(
    name: str, x: Any, wide: Any, dtype: Any, options: dict[str, Any], kind: type
) -> Truth:
    """Allow a rounding for each element so far; what has left the range stays where it is."""
    is_complex = "c" in (x.dtype.kind, dtype.kind)
    by_numpy = x.ndim == 0 or (is_complex and name == "cumprod")
    real = np.empty(0, dtype).real.dtype
    own = ml_dtypes.finfo(real if by_numpy else "f8")
    axis = options.get("axis")
    size = np.abs(x.astype(np.clongdouble if is_complex else np.longdouble))
    terms = np.cumsum(np.where(np.isfinite(size), size, 0), axis)
    along = 0 if axis is None else axis
    if name == "cumsum":
        slack, reached = own.eps * terms * (4 + x.size), terms
        free = ~(reached <= own.max / 4)
    else:
        slack = np.abs(wide) * own.eps * (16 + 4 * x.size)
        extent = np.where(
            (size > 0) & np.isfinite(size), np.abs(np.log2(np.where(size > 0, size, 1))), 0
        )
        free = np.cumsum(extent, axis) > (0 if is_complex else -own.minexp - 60)
    free = np.logical_or.accumulate(np.broadcast_to(free, np.shape(wide)), along)
    if is_complex:
        free = free | ~np.isfinite(wide)
    slack = np.where(np.isfinite(slack), slack, 0) + unit(np.abs(wide), real)
    return Truth(np.asarray(wide), dtype, slack, kind=kind, free=free)
