"""The functions of `vekt.reductions` in plain NumPy: floats in a wider dtype, rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vekt._spec.docs.reductions import documented
from vekt.reference._vectors import _wider

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


def _add(name: str, a: ArrayLike, axis: Any, dtype: Any, out: Any, **options: Any) -> Any:
    """Sum or mean in the wider dtype."""
    x = np.asarray(a)
    natural = getattr(np, name)(x[(slice(0, 1),) * x.ndim] if x.size else x, dtype=dtype).dtype
    if natural.kind not in "fcV":
        return getattr(np, name)(x, axis, dtype, out, **options)
    with np.errstate(all="ignore"):
        wide = getattr(np, name)(x.astype(_wider(natural)), axis, **options)
        result = np.asarray(wide).astype(natural)
    if out is None:
        return result[()]
    np.copyto(out, result, casting="same_kind")
    return out


@documented
def sum(
    a: ArrayLike,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    """Sum of elements along axes."""
    return _add("sum", a, axis, dtype, out, keepdims=keepdims, initial=initial, where=where)


@documented
def mean(
    a: ArrayLike,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    """Arithmetic mean of elements along axes."""
    return _add("mean", a, axis, dtype, out, keepdims=keepdims, where=where)


@documented
def max(
    a: ArrayLike,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Any:
    """Greatest element along axes."""
    return np.max(np.asarray(a), axis, out, keepdims, initial, where)


@documented
def min(
    a: ArrayLike,
    axis: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Any:
    """Least element along axes."""
    return np.min(np.asarray(a), axis, out, keepdims, initial, where)


@documented
def argmax(a: ArrayLike, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
    """Position of the greatest element along an axis."""
    return np.argmax(np.asarray(a), axis, out, keepdims=keepdims)


@documented
def argmin(a: ArrayLike, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
    """Position of the least element along an axis."""
    return np.argmin(np.asarray(a), axis, out, keepdims=keepdims)


@documented
def any(
    a: ArrayLike, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """Tell whether an element along axes is true."""
    return np.any(np.asarray(a), axis, out, keepdims, where=where)


@documented
def all(
    a: ArrayLike, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """Tell whether all elements along axes are true."""
    return np.all(np.asarray(a), axis, out, keepdims, where=where)


def sum_to_shape(x: ArrayLike, shape: Any) -> Any:
    """Sum over the axes along which `shape` was broadcast: the gradient of `broadcast_to`.

    Parameters
    ----------
    x : array_like
        Numbers.
    shape : tuple of int or int
        The operand's shape, which broadcasts to that of `x`.

    Returns
    -------
    ndarray
        Of this shape.
    """
    array = np.asarray(x)
    wanted = np.empty(shape)
    np.broadcast_to(wanted, array.shape)  # raises ValueError where it does not
    ones = (1,) * (array.ndim - wanted.ndim) + wanted.shape
    axes = tuple(k for k, n in enumerate(ones) if n != array.shape[k])
    return array if ones == array.shape == wanted.shape else sum(array, axes).reshape(shape)


def broadcast_to(x: ArrayLike, shape: Any) -> Any:
    """View of an array as one of a larger shape.

    Parameters
    ----------
    x : array_like
        Of any dtype.
    shape : tuple of int or int
        To which the shape of `x` broadcasts.

    Returns
    -------
    ndarray
        A read-only view.
    """
    return np.broadcast_to(x, shape)
