"""Operands along axes: the halves of an array, and the shape of a parameter against it."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index


def as_array(x: Any) -> Any:
    """Return `x` itself if it slices like an array (Dask's stay lazy), else an ndarray."""
    return x if hasattr(x, "__array_function__") or is_xarray(x) else np.asarray(x)


def is_dask(x: Any) -> bool:
    """Tell whether this is a lazy array of Dask, without importing that package."""
    return not isinstance(x, np.ndarray) and hasattr(x, "rechunk")


def is_xarray(x: Any) -> bool:
    """Tell whether this is an object of xarray, without importing that package."""
    return not isinstance(x, np.ndarray) and hasattr(x, "drop_vars")


def has_mask(x: Any) -> bool:
    """Tell whether this is a masked array, without importing that part of NumPy."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and isinstance(x, masked.MaskedArray)


def is_masked(x: Any) -> bool:
    """Tell whether an array has masked elements."""
    return has_mask(x) and bool(sys.modules["numpy.ma"].is_masked(x))


def unmasked(function: str, name: str, x: Any) -> Any:
    """Return an operand; TypeError for an array with masked elements.

    Ufuncs and reductions keep a mask, what reads elements together would ignore it.
    """
    if is_masked(x):
        raise TypeError(
            f"{function}: {name} is a masked array, and its mask would be ignored; fill it, as by "
            "x.filled(0), or take x.data"
        )
    return x


def refuse_boxes(*operands: Any) -> None:
    """Raise TypeError for what autograd traces: as an array of objects it has no gradient."""
    tracer = sys.modules.get("autograd.tracer")
    if tracer is not None and any(map(tracer.isbox, operands)):
        raise TypeError(
            "autograd differentiates the functions of vekt.autograd, not those of vekt: call the "
            "one of the same name there"
        )


def plain(function: str, name: str, x: Any) -> Any:
    """Return an operand that no other library has functions for; TypeError for Dask's arrays."""
    if type(x) is np.ndarray:
        return x
    refuse_boxes(x)
    unmasked(function, name, x)
    if isinstance(x, np.ndarray) or not hasattr(x, "__array_function__"):
        return x
    if hasattr(x, "__vekt_function__"):
        x.__vekt_refuse__(f"{function} works on more than one element at a time; call it outside")
    raise TypeError(
        f"{function}: {name} is of a type with its own array functions ({type(x)}); "
        "convert it to a numpy.ndarray first"
    )


def halves(x: Any, axis: int) -> tuple[Any, Any]:
    """Return views of the first and the second half of an array along an axis."""
    if not hasattr(x, "ndim"):  # xarray's Dataset, whose variables have axes of their own
        raise TypeError(f"expected an array, got {type(x).__name__}: take its parts one by one")
    axis = normalize_axis_index(axis, x.ndim)
    if math.isnan(x.shape[axis]):
        raise ValueError(f"axis {axis} is of unknown length; x.compute_chunk_sizes() finds it")
    half, odd = divmod(x.shape[axis], 2)
    if odd:
        raise ValueError(f"axis {axis} has odd length and no halves: shape {x.shape}")
    before = (slice(None),) * axis
    if is_xarray(x):  # labels along the axis would be aligned, and the halves have none in common
        labels = [name for name, labels in x.coords.items() if x.dims[axis] in labels.dims]
        x = x.drop_vars(labels)
    return x[(*before, slice(None, half))], x[(*before, slice(half, None))]


def along(alpha: Any, axis: int | None, ndim: int) -> Any:
    """Reshape a 1-d `alpha` so that it runs along this axis of `ndim` ones; None: as it is."""
    if axis is None:
        return alpha
    alpha = as_array(alpha)
    return alpha.reshape(along_shape(alpha.shape, axis, ndim))


def along_shape(slopes: tuple[int, ...], axis: int, ndim: int) -> tuple[int, ...]:
    """Shape to broadcast of slopes along this axis of `ndim` ones."""
    axis = normalize_axis_index(axis, ndim)
    if len(slopes) != 1:
        raise ValueError(f"alpha: with axis given it must be 1-d, but has shape {slopes}")
    return (*slopes, *(1,) * (ndim - 1 - axis))


def periods(
    shape: tuple[int, ...], alpha: tuple[int, ...]
) -> tuple[int, int, int, tuple[int, ...], tuple[int, ...]]:
    """Say how a parameter of shape `alpha` repeats over `shape`, to which it broadcasts.

    Returns
    -------
    outer, period, inner : int
        Elements before, in, and after the axes along which it varies: as a C-ordered array of
        these three lengths, what it multiplies has one value for each index of the second.
    full : tuple of int
        Shape of the axes that make up `period`.
    gaps : tuple of int
        Those among them along which the parameter is constant, and would have to be repeated.
    """
    padded = (1,) * (len(shape) - len(alpha)) + alpha
    varying = [k for k, n in enumerate(padded) if n != 1]
    if not varying:
        return 1, 1, math.prod(shape), (), ()
    first, last = varying[0], varying[-1] + 1
    full = shape[first:last]
    gaps = tuple(k for k, n in enumerate(padded[first:last]) if n != full[k])
    return math.prod(shape[:first]), math.prod(full), math.prod(shape[last:]), full, gaps
