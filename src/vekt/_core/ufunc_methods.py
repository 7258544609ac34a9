"""What vekt's own callables have of a ufunc: its methods, and its attributes.

Both types, Function and Dispatcher, hand on to the ufunc that they stand for, if there is one.
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

import numpy as np


def method(function: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a ufunc's method of this name, with the parameters of a function by name."""
    if function.nin != 2 and name != "at":
        what = "outer product" if name == "outer" else name
        raise ValueError(f"{function.__name__}: {what} only supported for binary functions")
    if function.nout > 1:
        raise ValueError(f"{function.__name__}: {name} only supported for one output")
    if not hasattr(function, "chosen"):
        ufunc = getattr(function.fallback, "ufunc", None)
        own = name == "outer" and getattr(function.fallback, "rounds_alone", False)
        if ufunc is not None and not own:
            with np.errstate(all="ignore"):
                return getattr(ufunc, name)(*args, **options)
        params: dict[str, Any] = {}
    else:
        params = _taken_out(function, options)
        ufunc, numbers = function.chosen(params)
        if not numbers:
            return getattr(ufunc, name)(*args, **options)
    if name == "outer":
        a, b = (x if hasattr(x, "reshape") else np.asarray(x) for x in args)
        return function(a.reshape(a.shape + (1,) * b.ndim), b, **params, **options)
    if name == "at" and function.nin == 1:
        return _at(function, params, *args, **options)
    what = "with parameters that are numbers" if params else "for a function without a ufunc"
    raise ValueError(f"{function.__name__}: {name} is not supported {what}")


def _at(function: Any, params: dict[str, Any], a: Any, indices: Any, /) -> None:
    """Apply in place, to an element as often as its index occurs."""
    if not isinstance(a, np.ndarray):
        raise TypeError(f"{function.__name__}: at: expected an ndarray, got {type(a).__name__}")
    places = np.arange(a.size).reshape(a.shape)[indices]
    unique, counts = np.unique(places, return_counts=True)
    for times in range(counts.max(initial=0)):
        index = np.unravel_index(unique[counts > times], a.shape)
        a[index] = function(a[index], **params)


def attribute(function: Any, name: str) -> Any:
    """Return a ufunc's attribute of this name, of a Dispatcher."""
    known = {"nargs": function.nin + function.nout, "identity": None, "signature": None}
    ufunc = getattr(function.fallback, "numpy", None)
    if isinstance(ufunc, np.ufunc):
        return getattr(ufunc, name)
    if name in known:
        return known[name]
    types = getattr(function.fallback, "types", None)
    if types is None or name == "resolve_dtypes":
        raise AttributeError(f"{function.__name__} has no attribute {name!r}")
    return types if name == "types" else len(types)


_INTERNAL = {"add", "chosen", "fallback", "keeps_arrays", "refuses_negative", "run"}
_OF_FUSED = ("__wrapped__", "backward", "explain", "graph", "value_and_grad")


def directory(function: Any) -> list[str]:
    """Return what dir() lists: what callers may use, of a fused function its gradients, too."""
    names = {*object.__dir__(function), *_OF_FUSED} - _INTERNAL
    return sorted(name for name in names if hasattr(function, name))


def undocumented(function: Any) -> str:
    """Return what help() says of a function without a docstring, and not what its type is."""
    try:
        call = f"{function.__name__}{signature(function)}\n\n"
    except (AttributeError, TypeError, ValueError):
        call = ""
    return f"{call}A function made by `vekt.fuse`, which runs in one pass: `explain()` tells how."


def _taken_out(function: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Take a function's parameters out of the keywords."""
    parameters = function.__signature__.parameters.values()
    names = [p.name for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    return {name: options.pop(name) for name in names if name in options}
