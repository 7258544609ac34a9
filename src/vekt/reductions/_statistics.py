"""Statistics with masks, initial numbers and shorter dtypes; and what is left to NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.operands import is_bfloat16
from vekt._spec.reductions import NOTHING
from vekt.reductions._steps import (
    CODES,
    as_given,
    has_numbers,
    minus_zeros,
    rounded_dtype,
    with_first,
)

_VARIANCES = ("var", "std", "moments", "nanvar", "nanstd")
# What stands for the elements that `where` leaves out, but of variances; NaN is skipped.
_NEUTRAL: dict[str, Any] = {"prod": 1}


def statistic(
    general: Callable[..., Any], reduce: Callable[..., Any], name: str, a: Any, **given: Any
) -> Any:
    """Compute any statistic, or let NumPy do it.

    `general` computes the plain reductions, by `reduce`.
    """
    if name in _VARIANCES:
        given["ddof"] = _degrees(given.get("ddof", 0), given.pop("correction", NOTHING))
    if type(a) is np.ndarray or not hasattr(a, "__array__"):
        x = np.asarray(a)
        result = _computed(general, reduce, name, x, **given)
        if result is not NotImplemented:
            return result
    if name == "moments":
        options = {key: value for key, value in given.items() if key != "ddof"}
        mean = general(reduce, "mean", a, **options)
        return mean, statistic(general, reduce, "var", a, **given)
    return _by_numpy(name, a, given)


def _degrees(ddof: Any, correction: Any) -> Any:
    if correction is NOTHING:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction


def _by_numpy(name: str, a: Any, given: dict[str, Any]) -> Any:
    """Others' functions may know fewer keywords than NumPy's."""
    plain: dict[str, Any] = {
        "axis": None,
        "dtype": None,
        "out": None,
        "keepdims": False,
        "where": True,
        "ddof": 0,
    }
    plain |= dict.fromkeys(("initial", "mean"), NOTHING)
    options = {key: value for key, value in given.items() if value is not plain[key]}
    with np.errstate(all="ignore"):  # as quiet as the reductions of vekt
        return getattr(np, name)(a, **options)


def _computed(
    general: Callable[..., Any],
    reduce: Callable[..., Any],
    name: str,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = NOTHING,
    where: Any = True,
    ddof: Any = 0,
    mean: Any = NOTHING,
) -> Any:
    """Return the result, or NotImplemented where it, or its error, is NumPy's."""
    if not has_numbers(x) or mean is not NOTHING or x.ndim == 0:
        return NotImplemented
    if name[:3] == "nan" and x.dtype.kind in "biu":
        name = name[3:]
        if name not in _VARIANCES:
            return general(reduce, name, x, axis, out, keepdims, dtype, initial, where)
    if where is not True:
        mask = np.asarray(where)
        if mask.dtype != bool or (name in ("nanmax", "nanmin") and initial is NOTHING):
            return NotImplemented  # NumPy's error
        mask = np.broadcast_to(mask, x.shape)
        if name in ("var", "std", "moments"):
            return _masked_variance(reduce, name, x, axis, dtype, out, keepdims, ddof, mask)
        x = np.where(mask, x, np.asarray(_NEUTRAL.get(name, np.nan)).astype(x.dtype))
    if x.dtype.kind == "c":
        return _of_complex(reduce, name, x, axis, dtype, out, keepdims, ddof)
    result = _rounded(reduce, name, x, axis, dtype, out, keepdims, initial, ddof)
    if result is NotImplemented or name == "moments":
        return result
    return as_given(result, out)


def _rounded(
    reduce: Callable[..., Any],
    name: str,
    x: Any,
    axis: Any,
    dtype: Any,
    out: Any,
    keepdims: Any,
    initial: Any,
    ddof: Any,
) -> Any:
    """Form a statistic in float64 where it is to be rounded to another dtype, or goes on."""
    stored = rounded_dtype(x, dtype)
    begun = initial is not NOTHING
    if name in ("nanmax", "nanmin", "count_nonzero"):
        result = reduce(CODES[name], x, axis, None, None, keepdims)
        return _begun(name, x, result, initial) if begun else result
    if stored is None or (dtype is None and not begun):
        apart = isinstance(out, np.ndarray) and not begun
        apart = apart and out.dtype.isnative and not np.may_share_memory(x, out)
        to = out if apart else None
        result = reduce(CODES[name], x, axis, dtype, to, keepdims, ddof)
        return _begun(name, x, result, initial) if begun else result
    wide = x
    result = reduce(CODES[name], wide, axis, np.float64, None, keepdims, ddof)
    if result is NotImplemented or (begun and minus_zeros(initial)):
        return NotImplemented
    result = _begun(name, x, result, initial) if begun else result
    if result is NotImplemented:
        return result
    with np.errstate(all="ignore"):
        if name == "moments":
            return tuple(np.asarray(part).astype(stored)[()] for part in result)
        return np.asarray(result).astype(stored)[()]


def _begun(name: str, x: Any, result: Any, initial: Any) -> Any:
    """Join a result with an initial number."""
    first = np.asarray(initial)
    if result is NotImplemented or first.ndim or first.dtype.kind not in "biuf":
        return NotImplemented
    with np.errstate(all="ignore"):
        if name in ("nanmax", "nanmin"):
            first = x.dtype.type(initial)
            if np.isnan(first):
                return result  # it is skipped as others are
            joined = with_first(name[3:], result, first)
            return np.where(np.isnan(result), first, joined)[()]
        if result.dtype.kind in "iu" and first.dtype.kind == "f":
            return NotImplemented
        number = result.dtype.type(initial)
        return np.multiply(result, number) if name == "prod" else np.add(result, number)


def _of_complex(
    reduce: Callable[..., Any],
    name: str,
    x: Any,
    axis: Any,
    dtype: Any,
    out: Any,
    keepdims: Any,
    ddof: Any,
) -> Any:
    """Variances are those of both parts; what counts is not zero in either."""
    if name == "count_nonzero":
        return reduce(CODES[name], x != 0, axis, None, None, keepdims)
    if name not in ("var", "std", "moments") or dtype is not None:
        return NotImplemented
    code = CODES["moments" if name == "moments" else "var"]
    result = reduce(code, x, axis, None, None, keepdims, ddof)
    if result is NotImplemented:
        return result
    parts = result[1] if name == "moments" else result
    with np.errstate(all="ignore"):
        variance = parts.real + parts.imag
        if name == "moments":
            return result[0], variance
        return as_given(np.sqrt(variance) if name == "std" else variance, out)


def _masked_variance(
    reduce: Callable[..., Any],
    name: str,
    x: Any,
    axis: Any,
    dtype: Any,
    out: Any,
    keepdims: Any,
    ddof: Any,
    mask: Any,
) -> Any:
    """Form the variance of what a mask leaves in two passes, in float64."""
    stored = rounded_dtype(x, np.float64 if dtype is None and x.dtype.kind in "biu" else dtype)
    if stored is None and dtype is None and x.dtype == np.float64:
        stored = x.dtype
    if stored is None or not (is_bfloat16(stored) or stored.kind == "f"):
        return NotImplemented
    add = CODES["sum"]
    counts = reduce(add, np.array(mask, order="C"), axis, None, None, True)
    if counts is NotImplemented:
        return counts
    freedom = counts - ddof
    if np.any(freedom <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=4)
    with np.errstate(all="ignore"):
        wide = np.where(mask, x, x.dtype.type(0)).astype(np.float64)
        mean = reduce(add, wide, axis, None, None, True) / counts
        deviations = np.where(mask, wide - mean, 0.0)
        squares = reduce(add, deviations * deviations, axis, None, None, True)
        result = squares / np.maximum(freedom, 0)
        result = np.asarray(np.sqrt(result) if name == "std" else result)
        results = [part.astype(stored) for part in (mean, result)]
    if not keepdims:
        axes = tuple(range(x.ndim)) if axis is None else axis
        results = [np.squeeze(part, axes) for part in results]
    if name == "moments":
        return tuple(part[()] for part in results)
    return as_given(results[1][()], out)
