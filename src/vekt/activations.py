"""Activation functions with their gradients: `vekt.NAME` and its companions, made from specs.

An operation without parameters is the ufunc itself; one with parameters is an object of C that
chooses among the ufuncs of `vekt.ufuncs`.  Each is made at its first use, so that `import vekt`
stays quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from vekt import ufuncs
from vekt._core.names import no_attribute
from vekt._spec.activations import OPS
from vekt._spec.functions import native_function
from vekt._spec.names import NAMES

_KINDS = {op.name + kind: (op, kind) for op in OPS.values() for kind in op.kinds}
_ALIASES = {alias: name for op in OPS.values() for alias, name in op.alias_names.items()}

__all__ = [*_KINDS, *_ALIASES, "get"]


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
    if isinstance(identifier, str) and identifier in NAMES:
        function: Callable[..., Any] = getattr(sys.modules["vekt"], identifier)
        return function
    raise ValueError(f"unknown activation {identifier!r}; expected one of {', '.join(NAMES)}")


def __getattr__(name: str) -> Any:
    if name in _ALIASES:
        made = getattr(sys.modules[__name__], _ALIASES[name])
    elif name in _KINDS:
        made = native_function(*_KINDS[name], ufuncs)
    else:
        raise no_attribute(__name__, name, __all__)
    return globals().setdefault(name, made)


def __dir__() -> list[str]:
    return __all__
