"""Public functions with true signatures and docstrings, generated from the rows of the registry.

Each function is compiled from a few lines of source, as dataclasses do, so that a call costs no
more than one written by hand.  All three namespaces use the same generator over their own raw
functions: ufuncs in `vekt`, loops compiled by Numba in `vekt.jit`, NumPy in `vekt.reference`.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from typing import Any

from vekt._core.domains import at_least
from vekt._spec.docs.activations import docstring, function_docstring
from vekt._spec.op import Kernel, Op, Param, inf

__all__ = ["INPUTS", "docstring", "public_function", "public_functions"]

INPUTS = {
    "": "x",
    "_backward": "dy, x",
    "_value_and_grad": "x",
    "_backward_from_output": "dy, y",
}
"""Operands before the parameters, by what follows the operation's name."""

_OPTIONS = {
    "": ("out", "where", "dtype"),
    "_backward": ("out",),
    "_value_and_grad": (),
    "_backward_from_output": ("out",),
}
_OPTION_DEFAULTS = {"out": None, "where": True, "dtype": None}


def public_functions(
    op: Op, raw: Mapping[str, Callable[..., Any]], module: str
) -> dict[str, Callable[..., Any]]:
    """Generate the public functions of an operation.

    Parameters
    ----------
    op : Op
        Row of the registry.
    raw : mapping of str to callable
        For each kernel NAME of the row: NAME, NAME_backward, NAME_value_and_grad and, where the row
        has it, NAME_backward_from_output.  Called with the operands in the order of the kernel and,
        unless all are at their defaults, with the options as keywords.
    module : str
        Dotted name of the module whose attributes the functions will be.

    Returns
    -------
    dict
        The functions by their public names.
    """
    return {op.name + kind: public_function(op, kind, raw, module) for kind in op.kinds}


def public_function(
    op: Op, kind: str, raw: Mapping[str, Callable[..., Any]], module: str
) -> Callable[..., Any]:
    """Generate the public function of one kind: what follows the operation's name in its own."""
    name = op.name + kind
    source = _source(op, kind)
    filename = f"<vekt {module}.{name}>"
    scope: dict[str, Any] = {"_inf": inf, "_flag": _flag, "_is_default": _is_default}
    scope["_at_least"] = at_least
    scope |= {f"_default_{p.name}": p.default for p in op.params}
    scope |= {f"_{kernel.name}{kind}": raw[kernel.name + kind] for kernel in op.kernels_of(kind)}
    exec(compile(source, filename, "exec"), scope)
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    function: Callable[..., Any] = scope[name]
    function.__module__ = module
    function.__doc__ = function_docstring(op, kind, module)
    return function


def _source(op: Op, kind: str) -> str:
    """Python source of one public function."""
    params = op.params_of(kind)
    options = _OPTIONS[kind]
    signature = [INPUTS[kind], *(f"{p.name}=_default_{p.name}" for p in params)]
    signature += ["*"] * bool(options)
    signature += [f"{option}={_OPTION_DEFAULTS[option]}" for option in options]
    lines = [f"def {op.name}{kind}({', '.join(signature)}):"]
    for flag in (p for p in params if p.kind == "flag"):
        lines += [
            f"    if {flag.name} is not False and {flag.name} is not True:",
            f"        {flag.name} = _flag({flag.name}, {flag.name!r})",
        ]
    for param in (p for p in params if p.least > -inf):
        it, least = param.name, param.least
        lines += [  # the common case without a call, which costs as much as a small array
            f"    if {it} is not _default_{it} "
            f"and not (type({it}) is float and {it} >= {least!r}):",
            f"        {it} = _at_least({op.name + kind!r}, {it!r}, {it}, {least!r})",
        ]
    kernels = op.kernels_of(kind)
    for kernel in kernels[:-1]:
        lines.append(f"    if {_condition(op, kernel)}:")
        lines += ["        " + line for line in _call(kernel, kind, INPUTS[kind], params)]
    lines += ["    " + line for line in _call(kernels[-1], kind, INPUTS[kind], params)]
    return "\n".join(lines) + "\n"


def _condition(op: Op, kernel: Kernel) -> str:
    """Expression that is true when this kernel serves the call."""
    terms = [f"{name} is {value}" for name, value in kernel.flags.items()]
    for param in op.array_params:
        if param.name not in kernel.params:
            default = f"_default_{param.name}"
            terms.append(f"({param.name} is {default} or _is_default({param.name}, {default}))")
    return " and ".join(terms)


def _call(kernel: Kernel, kind: str, inputs: str, params: tuple[Param, ...]) -> list[str]:
    """Lines that return the kernel's result, without keywords wherever possible."""
    taken = [p for p in params if p.name in kernel.params]
    lines = [
        f"if {p.name} is None: {p.name} = _{p.none_means}"
        for p in taken
        if p.none_means is not None
    ]
    arguments = ", ".join([inputs, *(p.name for p in taken)])
    call = f"_{kernel.name}{kind}"
    options = _OPTIONS[kind]
    if options:
        at_default = " and ".join(f"{option} is {_OPTION_DEFAULTS[option]}" for option in options)
        keywords = ", ".join(f"{option}={option}" for option in options)
        lines += [
            f"if not ({at_default}):",
            *(
                [f"    if where is True: return {call}({arguments}, out=out, dtype=dtype)"]
                if "where" in options
                else []
            ),  # pandas takes no out beside a where
            f"    return {call}({arguments}, {keywords})",
        ]
    return [*lines, f"return {call}({arguments})"]


def _is_default(value: Any, default: Any) -> bool:
    """Whether a number that the user wrote equals the default; arrays never do."""
    return type(value) in (int, float) and bool(value == default)


def _flag(value: Any, name: str) -> bool:
    """Convert NumPy's bool; refuse everything else, since "none" would be true."""
    if type(value).__name__ in ("bool", "bool_") and type(value).__module__ == "numpy":
        return bool(value)
    raise TypeError(f"{name} must be a bool, not {value!r}")
