"""Products of vectors, matrices and tensors in plain NumPy, rounded once, at the end.

float64 and complex128 are summed in longdouble, shorter floats in float64.  Integers are summed
modulo 2**64, which leaves the lower bits exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.typing import ArrayLike, NDArray

from vekt._core.axes import unmasked
from vekt._core.operands import checked_out, is_bfloat16, natural_dtype
from vekt._spec.docstrings import documented
from vekt._spec.functions import forwarding
from vekt._spec.linalg import LINALG
from vekt._spec.math import two_product
from vekt.linalg._einsum.subscripts import as_text
from vekt.reference._rounding import narrowed, wider

Array = NDArray[Any]
Axes = Sequence[int | tuple[int, ...]] | None
Casting = Literal["no", "equiv", "safe", "same_kind", "unsafe"]
Order = Literal["K", "A", "C", "F"]

__all__ = ["dot", "einsum", "matmul", "matvec", "tensordot", "vecdot", "vecmat"]


def check_deterministic(name: str, deterministic: Any) -> None:
    """Refuse what is no choice; here they make no difference."""
    if deterministic not in (None, "batch"):
        raise ValueError(f"{name}: deterministic must be None or 'batch', got {deterministic!r}")


def _matmul(axes: Axes, axis: int | None, deterministic: Any, **given: Any) -> Any:
    check_deterministic("matmul", deterministic)
    options = {k: v for k, v in (("axes", axes), ("axis", axis)) if v is not None}
    return _rounded("matmul", partial(np.matmul, **options), **given)


def _vecdot(axes: Axes, axis: int, keepdims: bool, **given: Any) -> Any:
    options: dict[str, Any] = {"axis": axis} if axes is None else {"axes": axes}
    return _rounded("vecdot", partial(np.vecdot, keepdims=keepdims, **options), **given)


def _matvec(axes: Axes, **given: Any) -> Any:
    def core(x: Array, y: Array) -> Array:
        x, y, back = _cores_last(x, y, axes, (2, 1))
        return back(np.vecdot(x.conj(), y[..., None, :]))

    return _rounded("matvec", core, **given)


def _vecmat(axes: Axes, **given: Any) -> Any:
    def core(x: Array, y: Array) -> Array:
        x, y, back = _cores_last(x, y, axes, (1, 2))
        return back(np.vecdot(x[..., None, :], np.swapaxes(y, -1, -2)))

    return _rounded("vecmat", core, **given)


matmul, vecdot, matvec, vecmat = (
    forwarding(LINALG[name], "", "vekt.reference", product)
    for name, product in (
        ("matmul", _matmul),
        ("vecdot", _vecdot),
        ("matvec", _matvec),
        ("vecmat", _vecmat),
    )
)


@documented(LINALG["tensordot"], "", "vekt.reference")
def tensordot(a: ArrayLike, b: ArrayLike, axes: Any = 2) -> Any:
    tensors = partial(np.tensordot, axes=axes)
    return _rounded("tensordot", tensors, a, b, None, None, scalars=False)


@documented(LINALG["dot"], "", "vekt.reference")
def dot(a: ArrayLike, b: ArrayLike, out: Any = None) -> Any:
    x, y = (np.asarray(unmasked("dot", name, v)) for name, v in (("a", a), ("b", b)))
    dtype = natural_dtype(x, y)
    real = is_bfloat16(dtype) or dtype.char in "efd"
    core = _exact_sum if real and x.ndim == y.ndim == 1 and x.shape == y.shape else np.dot
    if out is not None:
        out = checked_out(out, dtype=dtype)
    return _rounded("dot", core, x, y, out, None)


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
    name: str,
    core: Callable[[Array, Array], Any],
    x1: Any,
    x2: Any,
    out: Any,
    dtype: Any,
    scalars: bool = True,
    casting: Casting = "same_kind",
    order: Order = "K",
    subok: bool = True,
) -> Any:
    """Widen the operands, apply the function and round once; results are of no subclass."""
    for operand, x in zip(LINALG[name].form().operands, (x1, x2), strict=True):
        unmasked(name, operand, x)
    result = _rounded_once(core, (x1, x2), dtype, casting)
    if out is None:
        result = np.asarray(result, order=order)
        return result[()] if scalars else result
    target = checked_out(out, result.shape)
    np.copyto(target, result, casting=casting)
    return target


def _wide(narrow: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype to sum in: of longdouble and objects their own."""
    if narrow.kind in "biu":
        return np.dtype("u8")
    return narrow if narrow.char in "gGO" else wider(narrow)


def _rounded_once(
    core: Callable[..., Any], operands: Sequence[Any], dtype: Any, casting: Casting
) -> Array:
    """Widen operands, apply the function and round its result to their dtype."""
    narrow = natural_dtype(*operands) if dtype is None else np.dtype(dtype)
    wide = _wide(narrow)
    with np.errstate(all="ignore"):
        widened = [np.asarray(x).astype(narrow, casting=casting).astype(wide) for x in operands]
        return narrowed(np.asarray(core(*widened)), narrow)


@documented(LINALG["einsum"], "", "vekt.reference")
def einsum(
    *operands: Any,
    out: Any = None,
    dtype: Any = None,
    order: Any = "K",
    casting: Casting = "safe",
    optimize: Any = True,
    deterministic: Any = None,
) -> Any:
    check_deterministic("einsum", deterministic)
    text, arrays = as_text(operands)
    arrays = tuple(np.asarray(unmasked("einsum", f"operand {i}", x)) for i, x in enumerate(arrays))
    result = _rounded_once(partial(np.einsum, text), arrays, dtype, casting)
    if out is not None:
        target = checked_out(out, result.shape)
        np.copyto(target, result, casting=casting)
        return target
    if order in ("A", "a") and not all(x.flags.f_contiguous for x in arrays):
        order = "C"
    return np.array(result, order=order)[()]


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
