"""Public functions with true signatures and docstrings, made from the rows of the registry.

In `vekt`, one with parameters is an object of C, which chooses among ufuncs; in `vekt.jit` and
`vekt.reference` each is compiled from a few lines of source, as dataclasses do, so that a call
costs no more than one written by hand.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from typing import Any

from vekt._core import native
from vekt._core.domains import at_least
from vekt._spec.form import OPTIONS, Choice, Form
from vekt._spec.op import INPUTS, inf

__all__ = ["INPUTS", "chosen_flag", "native_function", "public_function"]

Raw = Mapping[str, Callable[..., Any]]


def native_function(form: Form, raw: Mapping[str, Any], doc: str, module: str = "vekt") -> Any:
    """Make the function of `vekt` over its ufuncs, by kernel name."""
    places = {p.name: place for place, p in enumerate(form.params)}
    made = native.Function(
        form.name,
        form.operands,
        tuple((p.name, p.default, p.kind == "flag", p.least, p.none_means) for p in form.params),
        tuple(
            (
                raw[choice.kernel],
                tuple(choice.requires(p.name) for p in form.params),
                tuple(places[name] for name in places if name in choice.params),
            )
            for choice in form.choices
        ),
    )
    made.__module__ = module
    made.__doc__ = doc
    made.__signature__ = form.signature
    return made


def public_function(form: Form, raw: Raw, doc: str, module: str) -> Callable[..., Any]:
    """Make the function of `vekt.jit` or `vekt.reference`.

    Parameters
    ----------
    form : Form
        How it is called.
    raw : mapping of str to callable
        The kernels by name.  Called with the operands in the order of the kernel and, unless all
        are at their defaults, with the options as keywords.
    doc, module : str
        Its docstring, and the dotted name of the module whose attribute it will be.

    Returns
    -------
    callable
        The function.
    """
    source = _source(form)
    filename = f"<vekt {module}.{form.name}>"
    scope: dict[str, Any] = {"_inf": inf, "_flag": chosen_flag, "_is_default": _is_default}
    scope["_at_least"] = at_least
    scope |= {f"_default_{p.name}": p.default for p in form.params}
    scope |= {f"_{choice.kernel}": raw[choice.kernel] for choice in form.choices}
    exec(compile(source, filename, "exec"), scope)
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    function: Callable[..., Any] = scope[form.name]
    function.__module__ = module
    function.__doc__ = doc
    return function


def _source(form: Form) -> str:
    """Python source of one public function."""
    signature = [*form.operands, "/", *(f"{p.name}=_default_{p.name}" for p in form.params)]
    signature += ["*", *(f"{option}={OPTIONS[option]}" for option in form.options)]
    lines = [f"def {form.name}({', '.join(signature)}):"]
    for flag in (p for p in form.params if p.kind == "flag"):
        lines += [
            f"    if {flag.name} is not False and {flag.name} is not True:",
            f"        {flag.name} = _flag({flag.name}, {flag.name!r})",
        ]
    for param in (p for p in form.params if p.least > -inf):
        it, least = param.name, param.least
        lines += [  # the common case without a call, which costs as much as a small array
            f"    if {it} is not _default_{it} "
            f"and not (type({it}) is float and {it} >= {least!r}):",
            f"        {it} = _at_least({form.name!r}, {it!r}, {it}, {least!r})",
        ]
    for choice in form.choices[:-1]:
        lines.append(f"    if {_condition(form, choice)}:")
        lines += ["        " + line for line in _call(form, choice)]
    lines += ["    " + line for line in _call(form, form.choices[-1])]
    return "\n".join(lines) + "\n"


def _condition(form: Form, choice: Choice) -> str:
    """Expression that is true when this kernel serves the call."""
    terms = [f"{name} is {value}" for name, value in (choice.flags or {}).items()]
    for param in form.params:
        if param.kind == "array" and param.name not in choice.params:
            default = f"_default_{param.name}"
            terms.append(f"({param.name} is {default} or _is_default({param.name}, {default}))")
    return " and ".join(terms)


def _call(form: Form, choice: Choice) -> list[str]:
    """Lines that return the kernel's result, without keywords wherever possible."""
    taken = [p for p in form.params if p.name in choice.params]
    lines = [
        f"if {p.name} is None: {p.name} = _{p.none_means}"
        for p in taken
        if p.none_means is not None
    ]
    call = f"_{choice.kernel}({', '.join([*form.operands, *(p.name for p in taken)])}"
    at_default = " and ".join(f"{option} is {OPTIONS[option]}" for option in form.options)
    keywords = ", ".join(f"{option}={option}" for option in form.options)
    return [*lines, f"if {at_default}: return {call})", f"return {call}, {keywords})"]


def _is_default(value: Any, default: Any) -> bool:
    """Whether a number that the user wrote equals the default; arrays never do."""
    return type(value) in (int, float) and bool(value == default)


def chosen_flag(value: Any, name: str) -> bool:
    """Return a bool, or NumPy's as one; refuse everything else, since "none" would be true."""
    if type(value) is bool:
        return value
    if type(value).__name__ in ("bool", "bool_") and type(value).__module__ == "numpy":
        return bool(value)
    raise TypeError(f"{name} must be a bool, not {value!r}")
