"""The operations of `vekt.elementwise` on NumPy alone: for what their engine is not made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._axes import unmasked
from vekt._elementwise_ops import ElementwiseOp
from vekt._elementwise_types import common_dtype, signature_of


def function(op: ElementwiseOp) -> Callable[..., Any]:
    """Return the operation with its own parameters."""
    if op.numpy:
        made: Callable[..., Any] = getattr(np, op.numpy)
        return made
    own: dict[str, Callable[..., Any]] = {
        "multiply_add": multiply_add,
        "scale_shift": scale_shift,
        "where": where,
        "clip": clip,
    }
    return own[op.name]


def multiply_add(
    a: Any, b: Any, c: Any, out: Any = None, *, where: Any = True, dtype: Any = None
) -> Any:
    """Compute a*b + c with two roundings, or whatever the operands make of it."""
    options = {} if where is True else {"where": where}
    types = signature_of((a, b, c))
    if dtype is None and types is not None:
        dtype = common_dtype(types)
    product = np.multiply(a, b, dtype=dtype)
    return np.add(product, c, out=out, dtype=dtype, **options)


def scale_shift(
    x: Any, scale: Any, shift: Any, out: Any = None, *, where: Any = True, dtype: Any = None
) -> Any:
    """Compute x*scale + shift with two roundings."""
    return multiply_add(x, scale, shift, out, where=where, dtype=dtype)


def where(condition: Any, x: Any = ..., y: Any = ..., out: Any = None) -> Any:
    """Choose as `numpy.where` does."""
    given = [choice for choice in (x, y) if choice is not ...]
    if not given and out is None:
        return np.where(condition)
    if len(given) < 2:
        raise ValueError("where: either both or neither of x and y should be given")
    for name, operand in (("condition", condition), ("x", x), ("y", y)):
        unmasked("where", name, operand)
    chosen = np.where(condition, x, y)
    if out is None:
        return chosen
    if isinstance(out, tuple):
        (out,) = out
    np.copyto(out, chosen, casting="same_kind")
    return out


def clip(x: Any, min: Any = None, max: Any = None, out: Any = None, **options: Any) -> Any:
    """Limit as `numpy.clip` does."""
    if out is not None:
        options["out"] = out[0] if isinstance(out, tuple) else out
    limits = {"min": min, "max": max}
    for name, own in (("a_min", "min"), ("a_max", "max")):
        limit = options.pop(name, None)
        if limit is not None and limits[own] is not None:
            raise TypeError(f"clip: {own} and {name} are the same limit; give one of them")
        limits[own] = limits[own] if limit is None else limit
    return np.clip(x, limits["min"], limits["max"], **options)
