"""What a result must be: a number with a tolerance, or the very elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from .arrays import BFLOAT16

Array = np.ndarray[Any, Any]
WEAK = (bool, int, float)


@dataclass
class Truth:
    """True values in a wide dtype, how far off a result may be before it is rounded, its dtype.

    Without a tolerance the result has these very elements.  `kind` is the type of the result, and
    `free` says which elements may be anything.
    """

    wide: Any
    dtype: np.dtype[Any]
    tolerance: Any = None
    signed: bool = False
    kind: type | None = None
    free: Any = False

    def refutes(self, got: Any, mask: Any = True) -> str:
        """Tell what is wrong with a result where the mask is true; "" where nothing is."""
        if self.kind is not None and type(got) is not self.kind:
            return f"type {type(got).__name__}, not {self.kind.__name__}"
        array, wide = np.asarray(got), np.asarray(self.wide)
        if array.dtype != self.dtype or not array.dtype.isnative:
            return f"dtype {array.dtype.str}, not {self.dtype}"
        if np.ndim(mask):
            wide = np.broadcast_to(wide, np.broadcast_shapes(wide.shape, np.shape(mask)))
        if array.shape != wide.shape:
            return f"shape {array.shape}, not {wide.shape}"
        with np.errstate(all="ignore"):
            mask = np.asarray(mask) & ~np.asarray(self.free)
            wrong = ~self._right(array, wide) & mask
            told = ""
            if self.signed and not wrong.any():
                wrong, told = self._other_sign(array, wide) & mask, "sign of zero: "
        if not wrong.any():
            return ""
        at = tuple(int(i[0]) for i in np.nonzero(wrong)) if wrong.ndim else ()
        allowed = "" if self.tolerance is None else f" +- {_at(self.tolerance, wide.shape, at)!r}"
        return (
            f"{told}{array[at]!r} for {wide[at]!r}{allowed} at {at}, {wrong.sum()} of {wrong.size}"
        )

    def _right(self, got: Array, wide: Array) -> Any:
        if self.tolerance is None:
            return same_elements(got, wide)
        if got.dtype.kind == "c":
            return self._close(got.real, wide.real) & self._close(got.imag, wide.imag)
        return self._close(got, wide)

    def _close(self, got: Array, wide: Array) -> Any:
        beyond = np.ldexp(wide.dtype.type(1), ml_dtypes.finfo(got.dtype).maxexp)
        tolerance = np.asarray(self.tolerance).astype(wide.dtype)
        if got.dtype.itemsize < 4:
            tolerance = tolerance + unit(wide, got.dtype) / 2
        computed, true = (np.clip(x.astype(wide.dtype), -beyond, beyond) for x in (got, wide))
        near = np.abs(computed - true) <= tolerance
        near |= (
            (np.abs(computed) == beyond)
            & (np.abs(true) + tolerance >= beyond)
            & (np.signbit(computed) == np.signbit(true))
        )
        return (computed == true) | near | (np.isnan(computed) & np.isnan(true))

    def _other_sign(self, got: Array, wide: Array) -> Any:
        both = (got == 0) & (wide == 0)
        return both & (np.signbit(got) != np.signbit(wide))


def _at(x: Any, shape: tuple[int, ...], at: Any) -> Any:
    return np.broadcast_to(np.asarray(x), shape)[at]


def unit(wide: Any, dtype: np.dtype[Any]) -> Any:
    """Return the distance of numbers of a dtype around these values."""
    info = ml_dtypes.finfo(dtype)
    wide = np.asarray(wide)
    with np.errstate(all="ignore"):
        exponent = np.frexp(np.where(np.isfinite(wide), wide, 1))[1] - 1
        exponent = np.where(wide == 0, info.minexp, exponent)
        exponent = np.clip(exponent, info.minexp, info.maxexp - 1)
        step = np.ldexp(wide.dtype.type(1), exponent - info.nmant)
        return np.where(
            np.isinf(wide), np.ldexp(wide.dtype.type(1), info.maxexp - 1 - info.nmant), step
        )


def same_elements(x: Array, y: Array) -> Any:
    """Compare element by element, zeros with their signs, NaN with any NaN."""
    if x.dtype.kind == "c":
        return same_elements(x.real, y.real) & same_elements(x.imag, y.imag)
    if x.dtype.kind in "fV" and x.dtype.char != "V":
        return ((x == y) & (np.signbit(x) == np.signbit(y))) | ((x != x) & (y != y))
    if x.dtype == BFLOAT16:
        return same_elements(x.astype("f4"), y.astype("f4"))
    if x.dtype.kind in "mM":
        return (x == y) | (np.isnat(x) & np.isnat(y))
    return np.asarray((x == y) | ((x != x) & (y != y)))


def float_dtype(*operands: Any, dtype: Any = None, casting: str = "same_kind") -> np.dtype[Any]:
    """Return the dtype of an activation's result: NumPy's, float64 for integers."""
    if dtype is not None:
        common = np.dtype(dtype).newbyteorder("=")
        for x in operands:
            if type(x) not in WEAK and not np.can_cast(np.asarray(x).dtype, common, casting):
                raise TypeError(f"{np.asarray(x).dtype} cannot be cast to {common}")
        if common.kind in "biu":
            raise TypeError(f"no float: {common}")
    else:
        common = common_dtype(*operands)
    if common.kind in "biu":
        return np.dtype("f8")
    if common != BFLOAT16 and common.char not in "efd":
        raise TypeError(f"no float: {common}")
    return common


def common_dtype(*operands: Any) -> np.dtype[Any]:
    """Return NumPy's result type; bfloat16 is float32 beside other floats."""
    weak = [x for x in operands if type(x) in WEAK]
    dtypes = [np.asarray(x).dtype for x in operands if type(x) not in WEAK]
    if BFLOAT16 in dtypes:
        others = [d for d in dtypes if d != BFLOAT16]
        if all(d in ("?", "i1", "u1") for d in others) and not any(
            type(x) is complex for x in weak
        ):
            return BFLOAT16
        dtypes = [np.dtype("f4"), *others]
    return np.result_type(*dtypes, *weak).newbyteorder("=")


def computing(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that kernels compute in."""
    return np.dtype("f4") if dtype.itemsize < 4 else dtype


def widened(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return an operand as the kernels see it, in a dtype that holds its products."""
    with np.errstate(all="ignore"):
        wide = np.longdouble if dtype.itemsize == 8 else np.float64
        return np.asarray(x).astype(dtype).astype(wide)


def leaves_range(x: Any, compute: np.dtype[Any]) -> Any:
    """Tell where a step of a calculation overflows, or loses digits among subnormal numbers."""
    info, size = np.finfo(compute), np.abs(x)
    return ~(size <= info.max) | ((size < info.tiny) & (size > 0))
