"""Products of tensors: views that make them products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike, NDArray

from vekt._core.axes import plain
from vekt._core.native import matmul
from vekt._core.operands import is_bfloat16, natural_dtype

Axes = int | tuple[int | Sequence[int], int | Sequence[int]] | Sequence[int | Sequence[int]]


def tensordot(a: ArrayLike, b: ArrayLike, axes: Axes = 2) -> Any:
    x, y = np.asarray(plain("tensordot", "a", a)), np.asarray(plain("tensordot", "b", b))
    x_axes, y_axes = _pairs(x.ndim, y.ndim, axes)
    return _contract(x, y, x_axes, y_axes, None)


def dot_general(a: ArrayLike, b: ArrayLike, out: NDArray[Any] | None = None) -> Any:
    """`dot` of operands that are not both vectors, by the rules of `numpy.dot`.

    The last axis of `a` and the last but one of `b` are summed over; a scalar multiplies.
    """
    x, y = np.asarray(plain("dot", "a", a)), np.asarray(plain("dot", "b", b))
    if out is not None:
        _check_out(out, x, y)
    if x.ndim == 0 or y.ndim == 0:
        with np.errstate(all="ignore"):
            return np.multiply(x, y, out=out)
    if x.ndim == 1 or y.ndim <= 2:
        return matmul(x, y, out)
    if x.shape[-1] != y.shape[-2]:
        raise ValueError(
            f"dot: shapes {x.shape} and {y.shape} not aligned: "
            f"{x.shape[-1]} (dim {x.ndim - 1}) != {y.shape[-2]} (dim {y.ndim - 2})"
        )
    return _contract(x, y, (x.ndim - 1,), (y.ndim - 2,), out)


def without_kernel(name: str, *operands: Any, **options: Any) -> Any:
    """Call NumPy's product of this name, for dtypes such as longdouble and objects."""
    function = getattr(np, name, None)
    if function is None:
        dtypes = ", ".join(str(np.asarray(x).dtype) for x in operands)
        raise TypeError(f"{name}: no kernel for {dtypes}, and this NumPy has no {name}")
    if name == "dot":  # which knows nothing of bfloat16 beside longdouble
        a, b, *out = operands
        a, b = (x.astype("f4") if is_bfloat16(x.dtype) else x for x in (a, b))
        operands = (a, b, *out)
    for letter, x in zip("ab", operands if name == "dot" else (), strict=False):
        if x.dtype.kind in "SUVM":  # of which NumPy's `dot` says what it happens to meet
            raise TypeError(f"dot: {letter} must be of numbers, objects or spans, not {x.dtype}")
    with np.errstate(all="ignore"):  # as quiet as the kernels
        return function(*operands, **options)


def _pairs(a_ndim: int, b_ndim: int, axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the axes of both operands that are summed over, as non-negative numbers."""
    try:
        a_axes, b_axes = axes
    except TypeError:
        n = index(axes)
        a_axes, b_axes = range(a_ndim - n, a_ndim), range(n)
        if not 0 <= n <= min(a_ndim, b_ndim):
            raise ValueError(
                f"tensordot: axes={n} of operands with {a_ndim} and {b_ndim} dimensions"
            ) from None
    first, second = _normalized(a_axes, a_ndim, "a"), _normalized(b_axes, b_ndim, "b")
    if len(first) != len(second):
        raise ValueError(
            f"tensordot: {len(first)} axes of a, but {len(second)} of b, in axes={axes}"
        )
    return first, second


def _normalized(axes: Any, ndim: int, name: str) -> tuple[int, ...]:
    """Return axes as non-negative numbers, which differ."""
    try:
        numbers = tuple(axes)
    except TypeError:
        numbers = (axes,)
    # AxisError, a ValueError and an IndexError, beyond the bounds.
    found = tuple([normalize_axis_index(i, ndim) for i in numbers])
    if len(set(found)) != len(found):
        raise ValueError(f"tensordot: an axis of {name} occurs twice in {numbers}")
    return found


def _contract(
    x: NDArray[Any],
    y: NDArray[Any],
    x_axes: tuple[int, ...],
    y_axes: tuple[int, ...],
    out: NDArray[Any] | None,
) -> Any:
    """Sum over pairs of axes by one product of matrices."""
    x_shape, y_shape = x.shape, y.shape
    lengths = [x_shape[i] for i in x_axes]
    if lengths != [y_shape[j] for j in y_axes]:
        raise ValueError(
            f"tensordot: the lengths of axes {x_axes} of a, shape {x_shape}, and {y_axes} of b, "
            f"shape {y_shape}, differ"
        )
    rows = [i for i in range(x.ndim) if i not in x_axes]
    columns = [j for j in range(y.ndim) if j not in y_axes]
    above, below = [x_shape[i] for i in rows], [y_shape[j] for j in columns]
    m, k, n = prod(above), prod(lengths), prod(below)
    # Views where the strides allow it, otherwise copies.
    left = x.transpose(*rows, *x_axes).reshape(m, k)
    right = y.transpose(*y_axes, *columns).reshape(k, n)
    if out is None:
        return matmul(left, right).reshape(above + below)
    matmul(left, right, out.reshape(m, n))
    return out


def _check_out(out: Any, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Raise ValueError unless `out` is what np.dot would have made."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"dot: out must be an array, not {type(out)}")
    shape = x.shape + y.shape if x.ndim == 0 or y.ndim == 0 else x.shape[:-1] + _without_sum(y)
    dtype = natural_dtype(x, y)
    if out.shape != shape or out.dtype != dtype or not out.flags.carray:
        raise ValueError(
            f"dot: out must be a writeable C-contiguous array of {dtype} with shape {shape}, "
            f"got {out.dtype} with shape {out.shape}"
        )


def _without_sum(y: NDArray[Any]) -> tuple[int, ...]:
    """Shape of the second operand without the axis that `dot` sums over."""
    return (*y.shape[:-2], *y.shape[-1:]) if y.ndim > 1 else ()
