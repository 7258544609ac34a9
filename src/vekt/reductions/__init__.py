"""Sums, means, extremes, their positions and truth along axes, and the reverse of broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.axes import is_dask, is_xarray, plain, unmasked
from vekt._core.foreign import on_dask
from vekt._core.operands import is_bfloat16
from vekt._spec.docs.reductions import documented
from vekt.reductions._steps import CODES, is_minus_zero, masked_mean, rounded_once, with_first

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "broadcast_to",
    "max",
    "mean",
    "min",
    "sum",
    "sum_to_shape",
]

_SUM, _MEAN, _MAX, _MIN, _ARGMAX, _ARGMIN, _ANY, _ALL = CODES.values()

_BOOL = np.dtype(bool)

# What stands for the elements that `where` leaves out; extremes take their initial value.
_NEUTRAL: dict[str, Any] = {"sum": 0, "mean": 0, "any": False, "all": True}


class _Nothing:
    """What stands for an argument that was not given."""

    def __repr__(self) -> str:
        return "<no value>"


_NOTHING: Any = _Nothing()


@documented
def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = _NOTHING,
    where: Any = True,
) -> Any:
    """Sum of elements along axes."""
    if type(a) is np.ndarray and out is None and where is True and initial is _NOTHING:
        result = native.reduce(_SUM, a, axis, dtype, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "sum", a, axis, out, keepdims, dtype, initial, where)


@documented
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    *,
    where: Any = True,
) -> Any:
    """Arithmetic mean of elements along axes."""
    if type(a) is np.ndarray and out is None and where is True:
        result = native.reduce(_MEAN, a, axis, dtype, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "mean", a, axis, out, keepdims, dtype, where=where)


@documented
def max(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = _NOTHING,
    where: Any = True,
) -> Any:
    """Greatest element along axes."""
    if type(a) is np.ndarray and out is None and where is True and initial is _NOTHING:
        result = native.reduce(_MAX, a, axis, None, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "max", a, axis, out, keepdims, None, initial, where)


@documented
def min(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = _NOTHING,
    where: Any = True,
) -> Any:
    """Least element along axes."""
    if type(a) is np.ndarray and out is None and where is True and initial is _NOTHING:
        result = native.reduce(_MIN, a, axis, None, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "min", a, axis, out, keepdims, None, initial, where)


@documented
def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """Position of the greatest element along an axis."""
    if type(a) is np.ndarray and out is None:
        result = native.reduce(_ARGMAX, a, axis, None, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "argmax", a, axis, out, keepdims)


@documented
def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """Position of the least element along an axis."""
    if type(a) is np.ndarray and out is None:
        result = native.reduce(_ARGMIN, a, axis, None, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "argmin", a, axis, out, keepdims)


@documented
def any(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    """Tell whether an element along axes is true."""
    if type(a) is np.ndarray and out is None and where is True:
        result = native.reduce(_ANY, a, axis, None, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "any", a, axis, out, keepdims, where=where)


@documented
def all(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    """Tell whether all elements along axes are true."""
    if type(a) is np.ndarray and out is None and where is True:
        result = native.reduce(_ALL, a, axis, None, None, keepdims)
        if result is not NotImplemented:
            return result
    return general_reduction(native.reduce, "all", a, axis, out, keepdims, where=where)


def general_reduction(
    reduce: Callable[..., Any],
    name: str,
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: Any = False,
    dtype: Any = None,
    initial: Any = _NOTHING,
    where: Any = True,
) -> Any:
    """Compute any reduction by `reduce`, which `_native.build_reduce` made; or let NumPy do it."""
    if type(a) is np.ndarray or not hasattr(a, "__array__"):
        x = np.asarray(a)
        result = _reduced(reduce, name, x, axis, out, keepdims, dtype, initial, where)
        if result is not NotImplemented:
            return result
    elif is_dask(a) and out is None and initial is _NOTHING and where is True and name[:3] != "arg":
        return on_dask("reduction")(name, a, axis, keepdims, dtype)
    elif is_xarray(a) and out is None and name[:3] == "arg":  # its own have other keywords
        return a.reduce(partial(general_reduction, reduce, name), axis=axis, keepdims=keepdims)
    options = {"axis": axis, "out": out, "keepdims": keepdims}
    # Others' functions may know fewer keywords than NumPy's.
    options = {key: value for key, value in options.items() if value is not None}
    options |= {} if dtype is None else {"dtype": dtype}
    options |= {} if initial is _NOTHING else {"initial": initial}
    options |= {} if where is True else {"where": where}
    if keepdims is False:
        del options["keepdims"]
    with np.errstate(all="ignore"):  # as quiet as the reductions of vekt
        return getattr(np, name)(a, **options)


def _has_numbers(x: Any) -> bool:
    return x.dtype.kind in "biufc" or is_bfloat16(x.dtype)


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
        neutral = initial if name in ("max", "min") else _NEUTRAL[name]
        if name == "sum" and is_minus_zero(initial):
            neutral = initial
        if neutral is _NOTHING or not _has_numbers(x):
            return NotImplemented
        if getattr(where, "dtype", _BOOL) != _BOOL:
            return NotImplemented  # NumPy's error
        mask = np.asarray(where, bool)
        mask = mask if mask.shape == x.shape else np.broadcast_to(mask, x.shape)
        if name == "mean":
            return masked_mean(reduce, x, axis, out, keepdims, dtype, mask)
        try:
            x = np.where(mask, x, np.asarray(neutral).astype(x.dtype))
        except (TypeError, ValueError):
            return NotImplemented
    first = None if initial is _NOTHING else np.asarray(initial)
    if first is not None:
        if first.ndim or first.dtype.kind not in "biufc" or not _has_numbers(x):
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
    if name == "sum" and is_minus_zero(initial) and result.dtype.kind == "f":
        minus_zero = reduce(_ALL, (x == 0) & np.signbit(x), axis, None, None, keepdims)
        result = np.where(minus_zero, -result, result)[()]
    if out is None or result is out:
        return result
    if not isinstance(out, np.ndarray) or not out.flags.writeable:
        return NotImplemented
    if out.shape != np.shape(result) or out.dtype.newbyteorder("=") != result.dtype:
        return NotImplemented
    out[...] = result
    return out


def sum_to_shape(x: Any, shape: Any) -> Any:
    r"""Sum over the axes along which `shape` was broadcast: the gradient of `broadcast_to`.

    Parameters
    ----------
    x : array_like
        Numbers, such as the gradient of a result.
    shape : tuple of int or int
        The operand's shape, which broadcasts to that of `x`.

    Returns
    -------
    ndarray
        Of this shape, with the dtype of `vk.sum`; `x` itself where it has this shape.

    Raises
    ------
    ValueError
        If `shape` does not broadcast to the shape of `x`.

    Notes
    -----
    .. math:: g_j = \sum_{i \text{ that came from } j} x_i

    In the notes' layers b (n, 1) is added to every column of Z (n, m), so that db is the sum of dZ
    over the columns.

    References
    ----------
    A. G. Baydin et al., Automatic Differentiation in Machine Learning: a Survey, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> dz = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> vk.sum_to_shape(dz, (2, 1))
    array([[ 6.],
           [15.]])
    >>> vk.sum_to_shape(dz, (3,))
    array([5., 7., 9.])
    """
    if type(x) is not np.ndarray and not hasattr(x, "__array_function__"):
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
    return sum(x, axis=(*range(extra), *ones), keepdims=True).reshape(wanted)


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    pairs = zip(shape, to, strict=True)
    return not [1 for n, m in pairs if n not in (1, m)]


def broadcast_to(x: Any, shape: Any) -> Any:
    r"""View of an array as one of a larger shape: `numpy.broadcast_to`.

    Parameters
    ----------
    x : array_like
        Of any dtype.
    shape : tuple of int or int
        To which the shape of `x` broadcasts.

    Returns
    -------
    ndarray
        A read-only view, in which several elements share their memory.

    Raises
    ------
    ValueError
        If the shape of `x` does not broadcast to this one.

    Notes
    -----
    .. math:: y_i = x_j \text{ for each } i \text{ that comes from } j

    Nothing is copied, and the functions of vekt read such views as they are.

    References
    ----------
    The rules of broadcasting in NumPy's user guide.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.broadcast_to(np.array([[1], [2]]), (2, 3))
    array([[1, 1, 1],
           [2, 2, 2]])
    """
    return np.broadcast_to(unmasked("broadcast_to", "x", x), shape)
