"""Norms, cosine similarity, outer product and transposed copies: what Python calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from vekt._core.operands import is_bfloat16
from vekt.jit._gates import _entry as entry
from vekt.jit._linalg import documented, finished

_SAME_SIZE = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)} | {16: np.dtype("c16")}
"""Dtypes as which the elements of a copy are moved, by their size in bytes."""


def _computable(name: str, *operands: Any, kinds: str) -> tuple[Any, list[Any]]:
    """Dtype of the result, and the operands in a native dtype of these kinds to compute with."""
    arrays = [np.asarray(x) for x in operands]
    wide = [x.astype("f4") if is_bfloat16(x.dtype) else x for x in arrays]
    dtype = np.result_type(*wide)
    if dtype.kind in "biu" and "?" not in kinds:
        dtype = np.dtype("f8")
    stored = dtype
    if dtype.char not in kinds:
        raise TypeError(f"{name}: dtype {dtype} is not supported")
    if all(is_bfloat16(x.dtype) for x in arrays):
        stored = arrays[0].dtype
    dtype = np.dtype("f4") if dtype == np.float16 else dtype.newbyteorder("=")
    return stored, [x.astype(dtype, copy=False) for x in wide]


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """Return a matrix whose rows run along these axes; a copy where they do not lie so."""
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    kept = moved.shape[: x.ndim - len(axes)]
    length = math.prod(moved.shape[len(kept) :])
    return np.require(moved.reshape(math.prod(kept), length), requirements=["C", "A", "W"])


@documented
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of a vector or a matrix, or of many of them along axes.

    Parameters
    ----------
    x : array_like
        Numbers.  Integers and bool compute in float64.
    ord : {None, 0, 1, 2, inf, -inf, 'fro', 'nuc'} or number, optional
        The order, as in `numpy.linalg.norm`.  None means 2 for vectors and 'fro' for matrices.
    axis : int, tuple of two ints or None, default None
        The axis along which the vectors lie, or the two of the matrices.
    keepdims : bool, default False
        Keep reduced axes with length one; not in compiled functions.

    Returns
    -------
    scalar or ndarray
        Of the dtype of `x`, of its real parts' where it is complex.

    Raises
    ------
    ValueError
        For an order that vectors or matrices do not have, more than two axes, or no elements where
        the norm is undefined.
    TypeError
        For dtypes that have no norm; in compiled functions a TypingError.

    Notes
    -----
    Sums are formed in float64, and again with scaled elements where squares overflow or vanish.
    Compiled functions know the orders 1, -1, inf, -inf and 'fro' of matrices, of those along two
    axes only the last; from Python the singular values that others need come from NumPy.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> float(vk.jit.norm(np.array([3.0, 4.0]) * 2.0**1000) / 2.0**1000)
    5.0
    >>> vk.jit.norm(np.array([[3.0, 4.0], [5.0, 12.0]]), axis=1)
    array([ 5., 13.])
    """
    stored, (y,) = _computable("norm", x, kinds="efdFD")
    axes = range(y.ndim) if axis is None else normalize_axis_tuple(axis, y.ndim)
    if ord is not None and not (len(axes) == 1 or (len(axes) == 2 and ord == "fro")):
        # Sums along one axis and then the other, or singular values.
        result = np.linalg.norm(y, ord, axis, keepdims)
    elif isinstance(ord, str) and len(axes) == 1:
        raise ValueError(f"norm: vectors have no norm {ord!r}")
    else:
        result = _run_norms(_rows(y, tuple(axes)), 2.0 if ord in (None, "fro") else float(ord))
        result = result.reshape([1 if k in axes else n for k, n in enumerate(y.shape)])
        result = result if keepdims else result.squeeze(tuple(axes))
    return finished(np.asarray(result), np.empty(0, stored).real.dtype, None)


@documented
def cosine_similarity(a: Any, b: Any, axis: int = -1) -> Any:
    """Cosine of the angles between vectors.

    Parameters
    ----------
    a, b : array_like
        Vectors along `axis`; the shapes broadcast.  Integers and bool compute in float64.
    axis : int, default -1
        Where the vectors lie.

    Returns
    -------
    scalar or ndarray
        Between -1 and 1, of the common dtype and of the broadcast shape without `axis`.

    Raises
    ------
    ValueError
        If the shapes do not broadcast, or `axis` is out of bounds.
    TypeError
        For dtypes that are not real numbers up to float64; in compiled functions a TypingError.

    Notes
    -----
    Sums are formed in float64, and again with scaled elements where squares overflow or vanish.
    The cosine with a vector of zeros is 0, with an infinite element NaN, and of a vector with
    itself exactly 1.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> float(vk.jit.cosine_similarity(np.array([1.0, 0.0]), np.array([3.0, 4.0])))
    0.6
    """
    stored, arrays = _computable("cosine_similarity", a, b, kinds="efd")
    x, y = np.broadcast_arrays(*arrays)
    (at,) = normalize_axis_tuple(axis, x.ndim)
    result = _run_cosines(_rows(x, (at,)), _rows(y, (at,)))
    return finished(result.reshape(x.shape[:at] + x.shape[at + 1 :]), stored, None)


@documented
def outer(a: Any, b: Any, out: Any = None) -> Any:
    """Tensor product of two vectors.

    Parameters
    ----------
    a, b : array_like
        Vectors; arrays of more axes count as their elements in order.
    {out}

    Returns
    -------
    ndarray
        The products `a[i] * b[j]` in the common dtype; of shape (a.size, b.size).

    Raises
    ------
    ValueError
        If `out` does not fit.
    TypeError
        For dtypes that are no numbers; in compiled functions a TypingError.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.outer(np.array([1, 2]), np.array([3, 4, 5]))
    array([[ 3,  4,  5],
           [ 6,  8, 10]])
    """
    stored, arrays = _computable("outer", a, b, kinds="?bBhHiIlLqQefdFD")
    with np.errstate(over="ignore"):
        return finished(_run_outer(*(x.ravel() for x in arrays)), stored, out)


@documented
def transpose_copy(a: Any, axes: Any = None, out: Any = None) -> Any:
    """Contiguous copy of the transposed array.

    Parameters
    ----------
    a : array_like
        Array of any dtype.
    axes : tuple of int or None, default None
        Order of the axes as for `numpy.transpose`; None reverses them.
    {out}

    Returns
    -------
    ndarray
        The copy, in C order.

    Raises
    ------
    ValueError
        If `axes` is not an order of the axes, or if `out` does not fit.

    Notes
    -----
    The last two axes of the copy are moved in tiles that stay in the first-level cache.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.transpose_copy(np.array([[1, 2], [3, 4]]))
    array([[1, 3],
           [2, 4]])
    """
    x = np.transpose(a, axes)
    moved = None if x.dtype.hasobject else _SAME_SIZE.get(x.dtype.itemsize)
    if moved is None:
        copy = np.array(x, order="C")
    else:
        copy = _run_transpose(x.view(moved).T).view(x.dtype)
    return finished(copy, x.dtype, out) if out is not None else copy


@entry
def _run_norms(rows, order):  # type: ignore[no-untyped-def]
    return norm(rows, order, 1)


@entry
def _run_cosines(x, y):  # type: ignore[no-untyped-def]
    return cosine_similarity(x, y)


@entry
def _run_outer(x, y):  # type: ignore[no-untyped-def]
    return outer(x, y)


@entry
def _run_transpose(x):  # type: ignore[no-untyped-def]
    return transpose_copy(x)
