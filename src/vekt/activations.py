"""Activation functions with their gradients: `vekt.NAME` and its companions, generated from rows.

An operation without parameters is the ufunc itself; one with parameters is a Python function over
the ufuncs of `vekt.ufuncs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import ufuncs
from ._functions import public_functions
from ._registry import OPS


def get(identifier: str | Callable[..., Any]) -> Callable[..., Any]:
    """Activation function by its name.

    Parameters
    ----------
    identifier : str or callable
        Name of an activation, such as "gelu"; a callable is returned as it is.

    Returns
    -------
    callable
        The function `vekt.NAME`.

    Raises
    ------
    ValueError
        If no activation has this name.

    Examples
    --------
    >>> import vekt as vk
    >>> vk.activations.get("gelu") is vk.gelu
    True
    """
    if callable(identifier):
        return identifier
    if isinstance(identifier, str) and identifier in OPS:
        return _PUBLIC[identifier]
    raise ValueError(f"unknown activation {identifier!r}; expected one of {', '.join(OPS)}")


def _public() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {}
    for op in OPS.values():
        if op.params:
            functions |= public_functions(op, vars(ufuncs), "vekt")
        else:
            functions |= {name: getattr(ufuncs, name) for name in op.public_names}
    return functions


_PUBLIC = _public()
globals().update(_PUBLIC)
__all__ = [*_PUBLIC, "get"]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Any]: ...
