"""Checks of operands for the namespaces written in Python; the kinds of error are NumPy's."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._core.axes import refuse_boxes

Array = NDArray[Any]

_WEAK = (bool, int, float)
_FIT_BFLOAT16 = {np.dtype("?"), np.dtype("i1"), np.dtype("u1")}


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Tell whether this is ml_dtypes' bfloat16, without importing that package."""
    package = sys.modules.get("ml_dtypes")  # where it is missing, no array can have its dtypes
    return package is not None and dtype.type is package.bfloat16


def is_half(dtype: np.dtype[Any]) -> bool:
    """Tell whether this is float16 or bfloat16, which are stored only."""
    return dtype.type is np.float16 or is_bfloat16(dtype)


def array_to_add(function: str, values: Any, dtype: np.dtype[Any]) -> Array:
    """Return values as an array that may be cast to a dtype; bfloat16 counts as float32.

    Python's numbers take that dtype; TypeError for what is of another kind.
    """
    weak: bool = type(values) in (bool, int) or (type(values) is float and dtype.kind not in "biu")
    terms = np.asarray(values, dtype if weak else None)
    one, other = (np.dtype("f4") if is_bfloat16(x) else x for x in (terms.dtype, dtype))
    if not (weak or np.can_cast(one, other, "same_kind")):
        raise TypeError(f"{function}: values of dtype {terms.dtype} cannot be added to {dtype}")
    return terms


def result_dtype(dtype: Any, *operands: Any) -> np.dtype[Any]:
    """Find the dtype of the result: `dtype`, if given, for operands that are acceptable.

    It is float16, bfloat16, float32 or float64.  Python scalars are weak, integers and bool become
    float64; bfloat16 counts as float32 beside others, which is how NumPy's ufuncs see it.
    TypeError for everything else.
    """
    natural = _common_dtype(operands)
    if dtype is None:
        return natural
    requested: np.dtype[Any] = np.dtype(dtype)
    if requested not in (np.float16, np.float32, np.float64) and not is_bfloat16(requested):
        raise TypeError(f"dtype: expected float16, bfloat16, float32 or float64, got {requested}")
    return requested


def _common_dtype(operands: tuple[Any, ...]) -> np.dtype[Any]:
    dtype = _promoted(operands)
    if dtype.kind in "biu":
        return np.dtype("f8")
    if not is_bfloat16(dtype) and (dtype.kind != "f" or dtype.itemsize > 8):
        raise TypeError(f"dtype {dtype} is not supported; expected a real dtype up to float64")
    return dtype


def natural_dtype(*operands: Any) -> np.dtype[Any]:
    """Find the common dtype of the operands of a product: any of numbers, or of objects.

    Python scalars are weak; bfloat16 counts as float32 beside others, which is how NumPy's ufuncs
    see it.  TypeError for dtypes that have no product.
    """
    dtype = _promoted(operands)
    if dtype.kind not in "biufcO" and not is_bfloat16(dtype):
        raise TypeError(f"dtype {dtype} is not supported; expected one of numbers or objects")
    return dtype


def _promoted(operands: tuple[Any, ...]) -> np.dtype[Any]:
    refuse_boxes(*operands)
    weak = [x for x in operands if type(x) in _WEAK]
    dtypes = [np.asarray(x).dtype for x in operands if type(x) not in _WEAK]
    others = [dtype for dtype in dtypes if not is_bfloat16(dtype)]
    if len(others) < len(dtypes):
        if all(dtype in _FIT_BFLOAT16 for dtype in others):
            return next(dtype for dtype in dtypes if is_bfloat16(dtype)).newbyteorder("=")
        dtypes = [np.dtype("f4"), *others]
    dtype: np.dtype[Any] = np.result_type(*dtypes, *weak)
    return dtype


def operand_dtype(*operands: Any) -> np.dtype[Any]:
    """Find the dtype in which the kernels compute with these operands: float32 or float64."""
    return computing_dtype(None, *operands)


def computing_dtype(dtype: Any, *operands: Any) -> np.dtype[Any]:
    """Find the dtype in which the kernels compute what `result_dtype` stores."""
    stored = result_dtype(dtype, *operands)
    return np.dtype("f4") if stored.itemsize < 4 else stored


def mask_of(where: Any) -> NDArray[np.bool_]:
    """Return a mask as NumPy takes it: an array of bool, or a list of what is true or false."""
    mask = where if hasattr(where, "dtype") else np.asarray(where, dtype=bool)
    if mask.dtype != bool:
        raise TypeError(f"where: expected bool, got {mask.dtype}")
    return np.asarray(mask)


def broadcast(a: Any, shape: tuple[int, ...]) -> Array:
    """Broadcast to this shape and no larger one."""
    try:
        return np.broadcast_to(a, shape)
    except ValueError:
        raise ValueError(f"shape {np.shape(a)} does not broadcast to {shape}") from None


def vectors(a: Any, b: Any) -> tuple[Array, Array]:
    """Return two vectors of equal length in their common dtype."""
    x, y = np.asarray(a), np.asarray(b)
    if x.ndim != 1 or y.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"dot: expected two vectors of equal length, got shapes a {x.shape} and b {y.shape}"
        )
    dtype = operand_dtype(x, y)
    return x.astype(dtype, copy=False), y.astype(dtype, copy=False)


def masked_by(where: Any) -> dict[str, Any]:
    """Return the keyword of a mask, if there is one: pandas takes no `out` beside it."""
    return {} if where is True else {"where": where}


def checked_out(
    out: Any, shape: tuple[int, ...] | None = None, dtype: np.dtype[Any] | None = None
) -> Array:
    """Return the array to write to, if it is writeable and of this shape and dtype."""
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out: expected an ndarray, got {type(out).__name__}")
    if not out.flags.writeable:
        raise ValueError("out: the array is read-only")
    if shape is not None and out.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {out.shape}")
    if dtype is not None and out.dtype != dtype:
        raise ValueError(f"out: expected dtype {dtype}, got {out.dtype}")
    return out


def outs_of(out: Any, count: int) -> tuple[Any, ...]:
    """Return what `out=` holds for each of several results: arrays or None."""
    if out is None:
        return (None,) * count
    if not isinstance(out, tuple):
        raise TypeError(f"out: expected a tuple of {count} arrays, got {type(out).__name__}")
    if len(out) != count:
        raise ValueError(f"out: expected a tuple of {count} arrays, got {len(out)}")
    return out


def stored(result: Any, out: Any, where: Any = True, shape: tuple[int, ...] | None = None) -> Any:
    """Copy a result to where it was asked for: `out`, of this shape, or a new array for a mask."""
    if out is None and where is True:
        return result[()]
    if out is None:
        out = np.empty(np.broadcast_shapes(np.shape(result), np.shape(where)), result.dtype)
    target = checked_out(out, shape)
    np.copyto(target, result, where=mask_of(where), casting="same_kind")
    return target
