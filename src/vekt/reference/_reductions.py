"""The functions of `vekt.reductions` in plain NumPy: floats in a wider dtype, rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vekt._core.axes import has_mask, unmasked
from vekt._spec.docstrings import documented
from vekt._spec.functions import python_function
from vekt._spec.reductions import NOTHING, PUBLIC_NAMES, REDUCTIONS, SHAPING
from vekt._spec.spec import Spec
from vekt.reference._vectors import _wider

__all__ = [*PUBLIC_NAMES]


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


def _reduced(name: str, a: ArrayLike, **given: Any) -> Any:
    if has_mask(a):  # NumPy asks its method, which takes no more than this
        own = REDUCTIONS[name].signature().parameters
        asked = {key: value for key, value in given.items() if value is not own[key].default}
        return getattr(np, name)(a, **asked)
    if name == "sum" and given["initial"] is NOTHING:
        given["initial"] = 0
    options = {key: value for key, value in given.items() if value is not NOTHING}
    if name in ("sum", "mean"):
        return _add(name, a, **options)
    return getattr(np, name)(np.asarray(a), **options)


def _body(spec: Spec) -> list[str]:
    given = ", ".join(f"{n}={n}" for n in spec.signature().parameters)
    return [f"return _reduced({spec.name!r}, {given})"]


_FUNCTIONS = {
    name: python_function(spec, "", "vekt.reference", _body(spec), {"_reduced": _reduced})
    for name, spec in REDUCTIONS.items()
}
globals().update(_FUNCTIONS)


@documented(SHAPING["sum_to_shape"], "", "vekt.reference")
def sum_to_shape(x: ArrayLike, shape: Any) -> Any:
    array = np.asarray(unmasked("sum_to_shape", "x", x))
    wanted = np.empty(shape)
    np.broadcast_to(wanted, array.shape)  # raises ValueError where it does not
    ones = (1,) * (array.ndim - wanted.ndim) + wanted.shape
    axes = tuple(k for k, n in enumerate(ones) if n != array.shape[k])
    return (
        array
        if ones == array.shape == wanted.shape
        else _FUNCTIONS["sum"](array, axes).reshape(shape)
    )


@documented(SHAPING["broadcast_to"], "", "vekt.reference")
def broadcast_to(x: ArrayLike, shape: Any) -> Any:
    return np.broadcast_to(unmasked("broadcast_to", "x", x), shape)
