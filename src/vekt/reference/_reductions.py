"""The functions of `vekt.reductions` in plain NumPy: floats in a wider dtype, rounded once."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vekt._core.axes import has_mask, unmasked
from vekt._spec.docstrings import documented
from vekt._spec.functions import python_function
from vekt._spec.reductions import NOTHING, REDUCTIONS, SHAPING
from vekt._spec.scans import SCANS
from vekt._spec.spec import Spec
from vekt._spec.statistics import PUBLIC_NAMES, STATISTICS
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


def _running(name: str, a: ArrayLike, axis: Any, dtype: Any, out: Any) -> Any:
    """Join the elements so far in the wider dtype."""
    if has_mask(a):
        return getattr(np, name)(a, **_asked(name, {"axis": axis, "dtype": dtype, "out": out}))
    x = np.asarray(a)
    natural = getattr(np, name)(x[(slice(0, 1),) * x.ndim], axis, dtype).dtype
    if natural.kind not in "fcV":
        return getattr(np, name)(x, axis, dtype, out)
    with np.errstate(all="ignore"):
        result = getattr(np, name)(x.astype(_wider(natural)), axis).astype(natural)
    if out is None:
        return result
    np.copyto(out, result, casting="same_kind")
    return out


def _asked(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is at its default."""
    own = (REDUCTIONS | STATISTICS | SCANS)[name].signature().parameters
    return {key: value for key, value in given.items() if value is not own[key].default}


def _reduced(name: str, a: ArrayLike, **given: Any) -> Any:
    if has_mask(a):  # NumPy asks its method, which takes no more than this
        return getattr(np, name)(a, **_asked(name, given))
    if name == "sum" and given["initial"] is NOTHING:
        given["initial"] = 0
    options = {key: value for key, value in given.items() if value is not NOTHING}
    if name in ("sum", "mean"):
        return _add(name, a, **options)
    return getattr(np, name)(np.asarray(a), **options)


def _statistic(name: str, a: ArrayLike, **given: Any) -> Any:
    """Compute a statistic in the wider dtype."""
    if name == "moments":
        mean = _statistic("mean", a, **_without(given, "ddof", "correction"))
        return mean, _statistic("var", a, **given)
    if has_mask(a):
        return getattr(np, name)(a, **_asked(name, given))
    options = {key: value for key, value in given.items() if value is not NOTHING}
    if "correction" in options and not options.get("ddof"):
        options["ddof"] = options.pop("correction")
    x, out, dtype = np.asarray(a), options.pop("out", None), options.pop("dtype", None)
    if dtype is not None:
        options["dtype"] = dtype
    sample = {k: v for k, v in options.items() if k not in ("where", "ddof", "mean", "initial")}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "All-NaN slice encountered"
        function = getattr(np, name)
        one = x[(slice(0, 1),) * x.ndim] if x.size else x
        natural = np.asarray(function(one, **sample)).dtype if x.size else np.dtype(bool)
        if natural.kind in "fcV" and x.dtype.kind in "biufcV":
            wide = {key: value for key, value in options.items() if key != "dtype"}
            result = np.asarray(function(x.astype(_wider(_of(x, natural))), **wide)).astype(natural)
        else:
            result = np.asarray(function(x, **options))
    if out is None:
        return result[()]
    np.copyto(out, result, casting="same_kind")
    return out


def _of(x: Any, natural: Any) -> Any:
    """Dtype of complex numbers, or of the result."""
    return x.dtype if x.dtype.kind == "c" else natural


def _without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in names}


def _body(spec: Spec) -> list[str]:
    given = ", ".join(f"{n}={n}" for n in spec.signature().parameters)
    if spec.name in SCANS:
        return [f"return _running({spec.name!r}, a, axis, dtype, out)"]
    function = "_reduced" if spec.name in REDUCTIONS else "_statistic"
    return [f"return {function}({spec.name!r}, {given})"]


_SCOPE = {"_reduced": _reduced, "_statistic": _statistic, "_running": _running}
_FUNCTIONS = {
    name: python_function(spec, "", "vekt.reference", _body(spec), _SCOPE)
    for name, spec in (REDUCTIONS | STATISTICS | SCANS).items()
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
