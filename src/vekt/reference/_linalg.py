"""Products of vectors, matrices and tensors in plain NumPy, rounded once, at the end.

float64 and complex128 are summed in longdouble, shorter floats in float64.  Integers are summed
modulo 2**64, which leaves the lower bits exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.typing import ArrayLike, NDArray

from vekt._core.operands import checked_out, natural_dtype
from vekt._spec.math import two_product
from vekt.reference._rounding import narrowed, wider

Array = NDArray[Any]
Axes = Sequence[int | tuple[int, ...]] | None

__all__ = ["dot", "matmul", "matvec", "tensordot", "vecdot", "vecmat"]


def matmul(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: Any = None,
    *,
    dtype: Any = None,
    axes: Axes = None,
    deterministic: Literal["batch"] | None = None,
) -> Any:
    """Matrix product of two arrays, exact but for the sums' own rounding and one at the end.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., n, k) and (..., k, m); a vector counts as one row in front, as one column
        behind.
    out : ndarray or None, optional
        Where the result goes.
    dtype : dtype, optional
        The dtype that the operands are taken as.
    axes : list of tuple of int, optional
        Where the matrices lie in x1, x2 and the result.
    deterministic : {None, "batch"}, optional
        As for `vekt.matmul`; it makes no difference here.

    Returns
    -------
    ndarray or scalar
        `sum(x1[..., i, l] * x2[..., l, j] for l in range(k))`.

    Examples
    --------
    >>> from vekt import reference
    >>> reference.matmul([[1, 2], [3, 4]], [[5, 6], [7, 8]])
    array([[19, 22],
           [43, 50]])
    """
    options: dict[str, Any] = {} if axes is None else {"axes": axes}
    return _rounded(lambda x, y: np.matmul(x, y, **options), x1, x2, out, dtype)


def vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: Any = None,
    *,
    axis: int = -1,
    keepdims: bool = False,
    dtype: Any = None,
) -> Any:
    """Dot products of the vectors along an axis, the first ones conjugated; see `matmul`.

    Parameters
    ----------
    x1, x2 : array_like
        Of equal length along the axis; the other dimensions broadcast.
    out : ndarray or None, optional
        Where the result goes.
    axis : int, optional
        The axis that is summed over.
    keepdims : bool, optional
        Whether that axis stays, with length 1.
    dtype : dtype, optional
        The dtype that the operands are taken as.

    Returns
    -------
    ndarray or scalar
        `sum(conj(x1[..., i]) * x2[..., i] for i in range(n))`.

    Examples
    --------
    >>> from vekt import reference
    >>> reference.vecdot([[1, 2], [3, 4]], [5, 6])
    array([17, 39])
    """
    options: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    return _rounded(lambda x, y: np.vecdot(x, y, **options), x1, x2, out, dtype)


def matvec(
    x1: ArrayLike, x2: ArrayLike, /, out: Any = None, *, dtype: Any = None, axes: Axes = None
) -> Any:
    """Matrices times vectors; see `matmul`.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., m, n) and (..., n).
    out : ndarray or None, optional
        Where the result goes.
    dtype : dtype, optional
        The dtype that the operands are taken as.
    axes : list of tuple of int, optional
        Where the matrices and vectors lie in x1, x2 and the result.

    Returns
    -------
    ndarray
        `sum(x1[..., i, j] * x2[..., j] for j in range(n))`.

    Examples
    --------
    >>> from vekt import reference
    >>> reference.matvec([[1, 2], [3, 4]], [5, 6])
    array([17, 39])
    """

    def core(x: Array, y: Array) -> Array:
        x, y, back = _cores_last(x, y, axes, (2, 1))
        return back(np.vecdot(x.conj(), y[..., None, :]))

    return _rounded(core, x1, x2, out, dtype)


def vecmat(
    x1: ArrayLike, x2: ArrayLike, /, out: Any = None, *, dtype: Any = None, axes: Axes = None
) -> Any:
    """Vectors, conjugated, times matrices; see `matmul`.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., n) and (..., n, m).
    out : ndarray or None, optional
        Where the result goes.
    dtype : dtype, optional
        The dtype that the operands are taken as.
    axes : list of tuple of int, optional
        Where the vectors and matrices lie in x1, x2 and the result.

    Returns
    -------
    ndarray
        `sum(conj(x1[..., i]) * x2[..., i, j] for i in range(n))`.

    Examples
    --------
    >>> from vekt import reference
    >>> reference.vecmat([5, 6], [[1, 2], [3, 4]])
    array([23, 34])
    """

    def core(x: Array, y: Array) -> Array:
        x, y, back = _cores_last(x, y, axes, (1, 2))
        return back(np.vecdot(x[..., None, :], np.swapaxes(y, -1, -2)))

    return _rounded(core, x1, x2, out, dtype)


def tensordot(a: ArrayLike, b: ArrayLike, axes: Any = 2) -> Any:
    """Sum of products over any axes of two arrays; see `matmul`.

    Parameters
    ----------
    a, b : array_like
        The tensors.
    axes : int or pair of int or of sequences of int, optional
        The axes of `a`, and those of `b`, that are summed over; a number n means the last n of `a`
        and the first n of `b`.

    Returns
    -------
    ndarray
        Its shape is what is left of that of `a`, followed by what is left of that of `b`.

    Examples
    --------
    >>> from vekt import reference
    >>> reference.tensordot([[1, 2], [3, 4]], [[5, 6], [7, 8]], axes=2)
    array(70)
    """
    return _rounded(lambda x, y: np.tensordot(x, y, axes), a, b, None, None, scalars=False)


def dot(a: ArrayLike, b: ArrayLike, out: Any = None) -> Any:
    """Dot product by NumPy's rules; of two real vectors exact but for one rounding at the end.

    Parameters
    ----------
    a, b : array_like
        Two vectors of equal length; or arrays, the last axis of `a` and the last but one of `b`
        being summed over; or a scalar and anything that it multiplies.
    out : ndarray or None, optional
        Where the result goes.

    Returns
    -------
    scalar or ndarray
        Sum of `a[i] * b[i]`.

    Examples
    --------
    >>> from vekt import reference
    >>> reference.dot([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    np.float64(32.0)
    """
    x, y = np.asarray(a), np.asarray(b)
    dtype = natural_dtype(x, y)
    real = dtype.kind not in "biuc"  # ml_dtypes' bfloat16 has kind V
    core = _exact_sum if real and x.ndim == y.ndim == 1 and x.shape == y.shape else np.dot
    if out is not None:
        out = checked_out(out, dtype=dtype)
    return _rounded(core, x, y, out, None)


def _exact_sum(x: Array, y: Array) -> Any:
    """Sum of the products of two vectors of real numbers, which double holds, rounded to double."""
    with np.errstate(all="ignore"):
        product, error = two_product(x.astype("f8"), y.astype("f8"))
    if not np.isfinite(product).all():
        return product.sum()
    # Splitting overflows long before the product does; its error is then far below.
    error[~np.isfinite(error)] = 0
    return np.float64(math.fsum(np.concatenate([product, error])))


def _rounded(
    core: Callable[[Array, Array], Any],
    x1: Any,
    x2: Any,
    out: Any,
    dtype: Any,
    scalars: bool = True,
) -> Any:
    """Widen the operands, apply the function and round once."""
    narrow = natural_dtype(x1, x2) if dtype is None else np.dtype(dtype)
    wide = np.dtype("u8") if narrow.kind in "biu" else wider(narrow)
    with np.errstate(all="ignore"):
        x, y = (np.asarray(operand).astype(narrow).astype(wide) for operand in (x1, x2))
        result = narrowed(np.asarray(core(x, y)), narrow)
    if out is None:
        return result[()] if scalars else result
    target = checked_out(out, result.shape)
    np.copyto(target, result, casting="same_kind")
    return target


def _cores_last(
    x: Array, y: Array, axes: Axes, dims: tuple[int, int]
) -> tuple[Array, Array, Callable[[Array], Array]]:
    """Move core dimensions to the end; the function takes the last axis of the result back."""
    for operand, n in zip((x, y), dims, strict=True):
        if operand.ndim < n:
            raise ValueError(f"expected at least {n} dimensions, got shape {operand.shape}")
    if axes is None:
        return x, y, lambda result: result
    moved = [
        np.moveaxis(operand, normalize_axis_tuple(at, operand.ndim), range(-n, 0))
        for operand, at, n in zip((x, y), axes, dims, strict=False)
    ]
    to = axes[2] if len(axes) > 2 else -1
    place = to[0] if isinstance(to, tuple) else to

    def back(result: Array) -> Array:
        return np.moveaxis(result, -1, normalize_axis_index(place, result.ndim))

    return moved[0], moved[1], back
