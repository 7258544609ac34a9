"""Gradients of other libraries' arrays: of their values, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from vekt._fuse.plan import Plan


def values_of(name: str, operands: Sequence[Any]) -> list[Any]:
    """Return the values of operands, as arrays and numbers.

    Raises
    ------
    TypeError
        If one of them is a masked array: what a gradient is where there is no value is not defined.
    """
    if any(isinstance(x, np.ma.MaskedArray) for x in operands):
        raise TypeError(f"{name}: masked arrays have no gradients; fill them first")
    return [x if type(x) in (int, float) else np.asarray(x) for x in operands]


def check_value(name: str, plan: Plan, operands: list[Any], value: Any) -> None:
    """Refuse operands of which the function makes something else than of arrays of their values.

    Labels may be aligned, and ``*`` may be a product of matrices.
    """
    values = value if isinstance(value, tuple) else (value,)
    try:
        same = all(_is_close(np.asarray(x), y) for x, y in zip(values, plan(operands), strict=True))
    except ValueError:  # dimensions that have names broadcast otherwise
        same = False
    if not same:
        raise TypeError(
            f"{name}: no gradient, since the function gives something else for "
            f"{type(values[0]).__name__} than for arrays; align their labels, or convert them"
        )


def check_gradient(name: str, dy: Any, value: Any) -> None:
    """Refuse a gradient whose labels are others than those of the value."""
    if isinstance(dy, (np.ndarray, np.generic, int, float, list)):
        return
    if not _is_close(np.asarray(value + dy), np.asarray(value) + np.asarray(dy)):
        raise TypeError(f"{name}: dy has other labels than the result")


def like(x: Any, gradient: Any) -> Any:
    """Return a gradient as an array of the kind of `x`, with its labels."""
    if gradient is None or type(x) in (int, float, np.ndarray, list) or isinstance(x, np.generic):
        return gradient
    return np.subtract(gradient, np.logical_and(x, False))  # as it is, signs of zeros too


def _is_close(x: Any, y: Any) -> bool:
    if x.dtype.kind not in "biufc" or np.shape(x) != np.shape(y):
        return False
    with np.errstate(all="ignore"):
        return bool(np.allclose(x, y, rtol=1e-2 if y.dtype.itemsize == 2 else 1e-5, equal_nan=True))
