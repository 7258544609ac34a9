"""Which kernel an activation given to a layer stands for."""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vekt._core.domains import at_least
from vekt._spec.activations import OPS
from vekt._spec.functions import chosen_flag
from vekt._spec.names import NAMES
from vekt._spec.spec import Kernel, Spec

Activation = str | Callable[..., Any] | tuple[Any, Mapping[str, Any]] | None

_ALIASES = {alias: op.name for op in OPS.values() for alias in op.aliases}
_NAMESPACES = ("vekt.activations", "vekt.reference", "vekt.jit")


def kernel_of(activation: Any) -> tuple[Kernel | None, tuple[float, ...]]:
    """Find an activation's kernel.

    Parameters
    ----------
    activation : str, callable, tuple or None
        Name of an elementwise activation, its function in any namespace, either of them in a pair
        with a mapping of parameters, or a `functools.partial` of the function.

    Returns
    -------
    kernel : Kernel or None
        Its facts; None where the activation changes nothing.
    params : tuple of float
        Its parameters.

    Raises
    ------
    ValueError
        If there is no such activation.
    TypeError
        If it does not take such parameters.
    """
    given: dict[str, Any] = {}
    while not isinstance(activation, str) and activation is not None:
        if isinstance(activation, tuple) and len(activation) == 2:
            activation, more = activation
            if not isinstance(more, Mapping):
                raise TypeError(f"activation: expected a mapping of parameters, got {more!r}")
        elif isinstance(activation, functools.partial) and not activation.args:
            activation, more = activation.func, activation.keywords
        else:
            activation, more = _name_of(activation), {}
        given = {**more, **given}
    op = OPS["linear"] if activation is None else _find(activation)
    values: dict[str, Any] = {p.name: p.default for p in op.params} | _checked(op, given)
    kernel = next(k for k in op.kernels if _serves(k, op, values))
    if kernel.name == "linear":
        return None, ()
    for p in op.params:
        if values[p.name] is None:
            values[p.name] = p.none_means
    return kernel, tuple(float(values[name]) for name in kernel.params)


def fused_behind(activation: Any) -> Any:
    """Find what stands behind a function made by `vekt.fuse`; None for other activations."""
    home = sys.modules.get("vekt._fuse.fused")
    fallback = getattr(activation, "fallback", None) if home is not None else None
    return fallback if home is not None and isinstance(fallback, home.Fused) else None


def changes(activation: Any) -> bool:
    """Whether there is an activation that changes anything."""
    if isinstance(activation, (tuple, functools.partial)):
        inner = activation[0] if isinstance(activation, tuple) else activation.func
    else:
        inner = activation
    return fused_behind(inner) is not None or kernel_of(activation)[0] is not None


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", None)
    if isinstance(name, str):
        for namespace in _NAMESPACES:
            if getattr(sys.modules.get(namespace), name, None) is function:
                return name
    raise ValueError(
        f"activation: {function!r} is not one of vekt's activations; "
        'expected a name such as "gelu", or a function such as vekt.gelu'
    )


def _find(name: str) -> Spec:
    op = OPS.get(_ALIASES.get(name, name))
    if op is not None:
        return op
    if name in NAMES:
        raise ValueError(f"activation: {name} is not elementwise; apply it to the layer's result")
    near = difflib.get_close_matches(name, [*OPS, *_ALIASES])
    hint = f"did you mean {' or '.join(near)}?" if near else f"expected one of {', '.join(OPS)}"
    raise ValueError(f"activation: unknown name {name!r}; {hint}")


def _checked(op: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    params = {p.name: p for p in op.params}
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if name not in params:
            takes = ", ".join(params) or "none"
            raise TypeError(f"activation: {op.name} has no parameter {name!r}; it takes {takes}")
        if params[name].kind == "flag":
            checked[name] = chosen_flag(value, name)
        elif value is None and params[name].none_means is not None:
            checked[name] = None
        else:
            checked[name] = _number(name, value)
            at_least(op.name, name, checked[name], params[name].least)
    return checked


def _number(name: str, value: Any) -> float:
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "biuf":
        return float(value)
    raise TypeError(f"activation: {name} must be a number, not {value!r}")


def _serves(kernel: Kernel, op: Spec, values: Mapping[str, Any]) -> bool:
    """Whether the kernel takes these values: the rule of `Spec`."""
    if any(values[name] is not flag for name, flag in kernel.flags.items()):
        return False
    return all(p.name in kernel.params or values[p.name] == p.default for p in op.array_params)
