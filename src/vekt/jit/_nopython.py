"""The public functions in nopython mode: which kernel a call means."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numba import types

from vekt._spec.spec import Spec
from vekt.jit._jitable import overloads


def register(
    op: Spec, kind: str, function: Callable[..., Any], compiled: Mapping[str, Callable[..., Any]]
) -> None:
    """Teach Numba to compile calls of a public function of this operation over these kernels.

    Parameters that are left out decide among the kernels by types, flags at run time.
    """
    name, params, kernels = op.name + kind, op.params_of(kind), op.kernels_of(kind)
    operands = op.form(kind).operands
    signature = ", ".join([*operands, *(f"{p.name}={p.default}" for p in params)])
    names = ", ".join(p.name for p in params)
    flags = {p.name for p in params if p.kind == "flag"}

    def implementation(given: Sequence[Any]) -> Callable[..., Any]:
        at_default = {p.name for p, t in zip(params, given, strict=True) if _is_default(t)}
        scope: dict[str, Any] = {"inf": math.inf}
        branches: list[tuple[str, str]] = []
        for kernel in kernels:
            left_out = {p.name for p in params if p.name not in flags} - set(kernel.params)
            terms = [flag if on else f"not {flag}" for flag, on in kernel.flags.items() if flags]
            condition = " and ".join(terms) or "True"
            served = [earlier for earlier, _ in branches]
            if condition in served or not left_out <= at_default:
                continue
            scope[f"_{kernel.name}"] = compiled[kernel.name + kind]
            # A parameter left out is None to Numba only if that is its default.
            arguments = [*operands] + [
                str(p.none_means) if p.default is None and p.name in at_default else p.name
                for p in params
                if p.name in kernel.params
            ]
            branches.append((condition, f"return _{kernel.name}({', '.join(arguments)})"))
        *conditional, (_, otherwise) = branches
        lines = [f"def {name}({signature}):"]
        lines += [f"    if {condition}: {call}" for condition, call in conditional]
        lines.append(f"    {otherwise}")
        exec("\n".join(lines), scope)
        implemented: Callable[..., Any] = scope[name]
        return implemented

    scope: dict[str, Any] = {"implementation": implementation}
    exec(f"def types_of({signature}):\n    return implementation([{names}])", scope)
    overloads(function)(scope["types_of"])


def _is_default(kind: Any) -> bool:
    """Whether this is the type of a parameter left out, or of None."""
    return isinstance(kind, types.Omitted | types.NoneType) or not isinstance(kind, types.Type)
