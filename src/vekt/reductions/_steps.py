"""First and last steps of reductions: numbers they begin with, masks, and the one rounding."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.native import lib
from vekt._core.operands import is_bfloat16
from vekt._spec.reductions import REDUCTIONS
from vekt._spec.statistics import STATISTICS

CODES: dict[str, int] = {
    name: getattr(lib, f"VEKT_REDUCE_{name.upper()}") for name in (*REDUCTIONS, *STATISTICS)
}


def has_numbers(x: Any) -> bool:
    """Tell whether the elements of an array are numbers that vekt may know."""
    return x.dtype.kind in "biufc" or is_bfloat16(x.dtype)


def as_given(result: Any, out: Any) -> Any:
    """Return the result, in `out` where there is one; NotImplemented where it does not fit."""
    if out is None or result is out:
        return result
    if not isinstance(out, np.ndarray) or not out.flags.writeable:
        return NotImplemented
    if out.shape != np.shape(result) or out.dtype.newbyteorder("=") != result.dtype:
        return NotImplemented
    out[...] = result
    return out


def with_first(name: str, extreme: Any, first: Any) -> Any:
    """Take an initial number among the others: of two zeros, too, the greater or the less."""
    with np.errstate(all="ignore"):
        joined = np.maximum(extreme, first) if name == "max" else np.minimum(extreme, first)
        if first != 0 or first.dtype.kind in "biu":
            return joined
        zero = extreme + first if name == "max" else -(-extreme - first)
        return np.where(extreme == 0, zero, joined)[()]


def minus_zeros(initial: Any) -> list[str]:
    """Parts of the number that a sum begins with that are -0.0."""
    first = np.asarray(initial)
    if first.ndim or first.dtype.kind not in "fc":
        return []
    parts = {"real": first[()].real, "imag": first[()].imag}
    return [part for part, number in parts.items() if number == 0 and np.signbit(number)]


def below_zero(
    reduce: Callable[..., Any], x: Any, axis: Any, keepdims: Any, result: Any, first: Any
) -> Any:
    """Let parts of a sum that begin with -0.0 stay it where nothing but -0.0 is added."""
    parts = minus_zeros(first) if result.dtype.kind in "fc" or is_bfloat16(result.dtype) else []
    if not parts:
        return result
    result = np.array(result)
    for part in parts:
        added = getattr(x, part)
        stays = reduce(CODES["all"], (added == 0) & np.signbit(added), axis, None, None, keepdims)
        np.copyto(getattr(result, part), -0.0, where=stays)
    return result[()]


def rounded_once(
    reduce: Callable[..., Any],
    name: str,
    x: Any,
    axis: Any,
    keepdims: Any,
    dtype: Any,
    first: Any = None,
    is_weak: bool = False,
) -> Any:
    """Form a sum or a mean in float64, begun with `first`, and round it to a shorter dtype.

    A `first` that is weak was an int of Python's, which other sums must be able to hold.
    """
    stored = rounded_dtype(x, dtype)
    if stored is None:
        return _begun(reduce, x, axis, keepdims, dtype, first, is_weak)
    if first is not None and first.dtype.kind == "c":
        return NotImplemented
    result = reduce(CODES[name], x, axis, np.float64, None, keepdims)
    if result is NotImplemented:
        with np.errstate(all="ignore"):
            wide = x.astype(np.float64)
        result = reduce(CODES[name], wide, axis, None, None, keepdims)
        if result is NotImplemented:
            return result
    with np.errstate(all="ignore"):
        if first is not None:
            result = result + first.astype(np.float64)
        return np.asarray(result).astype(stored)[()]


def _begun(
    reduce: Callable[..., Any],
    x: Any,
    axis: Any,
    keepdims: Any,
    dtype: Any,
    first: Any,
    is_weak: bool,
) -> Any:
    """Add a number to a sum of integers or complex numbers; NotImplemented without one."""
    if first is None:
        return NotImplemented
    result = reduce(CODES["sum"], x, axis, dtype, None, keepdims)
    if result is NotImplemented:
        return result
    if result.dtype.kind in "iu" and first.dtype.kind == "f":
        return NotImplemented  # which no integer may be
    with np.errstate(all="ignore"):
        number = first.item() if is_weak else first[()]
        return np.add(result, result.dtype.type(number))


def rounded_dtype(x: Any, dtype: Any) -> Any:
    """Return the float dtype of a sum or mean that is formed in float64; None if it is not."""
    if x.dtype.kind not in "biu" and not _is_short_float(x.dtype):
        return None
    if dtype is None:
        return x.dtype.newbyteorder("=") if _is_short_float(x.dtype) else None
    stored = np.dtype(dtype)
    return stored if stored.isnative and _is_short_float(stored) else None


def masked_mean(
    reduce: Callable[..., Any], x: Any, axis: Any, out: Any, keepdims: Any, dtype: Any, mask: Any
) -> Any:
    """Divide the sum of what the mask leaves by its number."""
    stored = rounded_dtype(x, np.float64 if dtype is None and x.dtype.kind in "biu" else dtype)
    if stored is None:
        return NotImplemented
    counts = reduce(CODES["sum"], np.array(mask, order="C"), axis, None, None, keepdims)
    if counts is NotImplemented:
        return counts
    if out is not None and (
        not isinstance(out, np.ndarray)
        or not out.flags.writeable
        or out.dtype.newbyteorder("=") != stored
        or out.shape != np.shape(counts)
    ):
        return NotImplemented
    if np.any(counts == 0):
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=5)
    with np.errstate(all="ignore"):
        masked = np.where(mask, x, x.dtype.type(0)).astype(np.float64)
        total = reduce(CODES["sum"], masked, axis, None, None, keepdims)
        result = np.asarray(total / counts).astype(stored)
    if out is None:
        return result[()]
    out[...] = result
    return out


def _is_short_float(dtype: np.dtype[Any]) -> bool:
    return is_bfloat16(dtype) or (dtype.kind == "f" and dtype.itemsize <= 8)
