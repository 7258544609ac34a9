"""Sums, means, extremes, their positions and truth along axes, and the reverse of broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.axes import is_dask, is_xarray, plain, refuse_boxes, unmasked
from vekt._core.foreign import on_dask
from vekt._core.names import no_attribute
from vekt._spec.docstrings import documented
from vekt._spec.functions import python_function
from vekt._spec.reductions import NOTHING, REDUCTIONS, SHAPING
from vekt._spec.spec import Spec
from vekt._spec.statistics import PUBLIC_NAMES, STATISTICS
from vekt.reductions._scans import FUNCTIONS as _RUNNING
from vekt.reductions._statistics import statistic
from vekt.reductions._steps import (
    CODES,
    as_given,
    below_zero,
    has_numbers,
    masked_mean,
    minus_zeros,
    rounded_once,
    with_first,
)

__all__ = [*PUBLIC_NAMES]

_BOOL = np.dtype(bool)

# What stands for the elements that `where` leaves out; extremes take their initial value.
_NEUTRAL: dict[str, Any] = {"sum": 0, "mean": 0, "any": False, "all": True}


_SPECIAL = ("out", "where", "initial", "mean", "correction")


def _body(spec: Spec) -> list[str]:
    """Lines of a reduction: by the kernel where that takes the call, else by the general way."""
    names = list(spec.signature().parameters)
    plain = [f"{n} is _default_{n}" for n in _SPECIAL if n in names]
    dtype = "dtype" if "dtype" in names else None
    ddof = ", ddof" if "ddof" in names else ""
    general = "_general" if spec.name in REDUCTIONS else "_statistic"
    return [
        f"if {' and '.join(['type(a) is _ndarray', *plain])}:",
        f"    result = _reduce({CODES[spec.name]}, a, axis, {dtype}, None, keepdims{ddof})",
        f"    if result is not NotImplemented{_TESTS.get(spec.name, '')}: return result",
        f"return {general}(_reduce, {spec.name!r}, {', '.join(f'{n}={n}' for n in names)})",
    ]


# Variances of the parts of complex numbers are still to be added; counts are ints of Python, where
# they are NumPy's.
_TESTS = {
    **dict.fromkeys(("var", "std", "moments"), ' and a.dtype.kind != "c"'),
    "count_nonzero": " and (_counts or axis is not None or keepdims)",
}


def general_reduction(
    reduce: Callable[..., Any],
    name: str,
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: Any = False,
    dtype: Any = None,
    initial: Any = NOTHING,
    where: Any = True,
) -> Any:
    """Compute any reduction, or let NumPy do it.

    `reduce` is `native.reduce`, or what `native.build` made.
    """
    if type(a) is np.ndarray or not hasattr(a, "__array__"):
        x = np.asarray(a)
        result = _reduced(reduce, name, x, axis, out, keepdims, dtype, initial, where)
        if result is not NotImplemented:
            return result
    elif is_dask(a) and out is None and initial is NOTHING and where is True and name[:3] != "arg":
        return on_dask("reduction")(name, a, axis, keepdims, dtype)
    elif is_xarray(a) and out is None and name[:3] == "arg":  # its own have other keywords
        return a.reduce(partial(general_reduction, reduce, name), axis=axis, keepdims=keepdims)
    options = {"axis": axis, "out": out, "keepdims": keepdims}
    # Others' functions may know fewer keywords than NumPy's.
    options = {key: value for key, value in options.items() if value is not None}
    options |= {} if dtype is None else {"dtype": dtype}
    options |= {} if initial is NOTHING else {"initial": initial}
    options |= {} if where is True else {"where": where}
    if keepdims is False:
        del options["keepdims"]
    with np.errstate(all="ignore"):  # as quiet as the reductions of vekt
        return getattr(np, name)(a, **options)


def _reduced(
    reduce: Callable[..., Any],
    name: str,
    x: Any,
    axis: Any,
    out: Any,
    keepdims: Any,
    dtype: Any,
    initial: Any,
    where: Any,
) -> Any:
    """Return the result, or NotImplemented where it, or its error, is NumPy's."""
    if where is not True:
        begins = name in ("max", "min") or (name == "sum" and minus_zeros(initial))
        neutral = initial if begins else _NEUTRAL[name]
        if neutral is NOTHING or not has_numbers(x):
            return NotImplemented
        given = np.asarray(where) if name == "mean" else where  # whose elements are counted, too
        if getattr(given, "dtype", _BOOL) != _BOOL:
            return NotImplemented  # NumPy's error
        mask = np.asarray(where, bool)
        mask = mask if mask.shape == x.shape else np.broadcast_to(mask, x.shape)
        if name == "mean":
            return masked_mean(reduce, x, axis, out, keepdims, dtype, mask)
        try:
            x = np.where(mask, x, np.asarray(neutral).astype(x.dtype))
        except (TypeError, ValueError):
            return NotImplemented
    first = None if initial is NOTHING else np.asarray(initial)
    if first is not None:
        if first.ndim or first.dtype.kind not in "biufc" or not has_numbers(x):
            return NotImplemented
        if name != "sum":
            with np.errstate(all="ignore"):
                first = x.dtype.type(initial)  # before anything is written: it may not fit
    apart = isinstance(out, np.ndarray) and (not out.dtype.isnative or np.may_share_memory(x, out))
    result: Any = NotImplemented
    if first is None or name != "sum":
        result = reduce(CODES[name], x, axis, dtype, None if apart else out, keepdims)
    if result is NotImplemented and name in ("sum", "mean"):
        is_weak = type(initial) is int
        result = rounded_once(reduce, name, x, axis, keepdims, dtype, first, is_weak)
        apart |= result is not NotImplemented and out is not None
    elif first is not None and result is not NotImplemented:
        result = with_first(name, result, first)
    if result is NotImplemented:
        return result
    if name == "sum" and first is not None and (first.dtype.kind == "c" or not first):
        result = below_zero(reduce, x, axis, keepdims, result, first)
    return as_given(result, out)


_SCOPE = {
    "_reduce": native.reduce,
    "_general": general_reduction,
    "_statistic": partial(statistic, general_reduction),
    "_ndarray": np.ndarray,
    "_counts": type(np.count_nonzero(())) is np.intp,
}
_FUNCTIONS = {
    name: python_function(spec, "", __name__, _body(spec), _SCOPE)
    for name, spec in (REDUCTIONS | STATISTICS).items()
}
globals().update(_FUNCTIONS | _RUNNING)


@documented(SHAPING["sum_to_shape"])
def sum_to_shape(x: Any, shape: Any) -> Any:
    if type(x) is not np.ndarray and not hasattr(x, "__array_function__"):
        refuse_boxes(x)
        x = np.asarray(x)
    elif not is_dask(x):
        x = np.asarray(plain("sum_to_shape", "x", x))
    wanted = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if tuple(x.shape) == wanted:
        return x
    extra = x.ndim - len(wanted)
    if extra < 0 or not _broadcasts(wanted, tuple(x.shape)[extra:]):
        raise ValueError(f"shape: {wanted} does not broadcast to the shape {tuple(x.shape)} of x")
    ones = (k + extra for k, n in enumerate(wanted) if n == 1 and x.shape[k + extra] != 1)
    return _FUNCTIONS["sum"](x, axis=(*range(extra), *ones), keepdims=True).reshape(wanted)


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    pairs = zip(shape, to, strict=True)
    return not [1 for n, m in pairs if n not in (1, m)]


@documented(SHAPING["broadcast_to"])
def broadcast_to(x: Any, shape: Any) -> Any:
    refuse_boxes(x)
    return np.broadcast_to(unmasked("broadcast_to", "x", x), shape)


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
