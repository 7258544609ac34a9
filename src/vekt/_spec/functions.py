"""Public functions with true signatures and docstrings, made from the specs.

In `vekt`, one over ufuncs with parameters is an object of C, which chooses among them; others are
compiled from a few lines of source, as dataclasses do, so that a call costs no more than one
written by hand.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vekt._core import native
from vekt._core.domains import at_least
from vekt._spec.docstrings import docstring, headed
from vekt._spec.form import Choice, Form, inf
from vekt._spec.spec import Spec

Raw = Mapping[str, Callable[..., Any]]


def native_function(spec: Spec, kind: str, ufuncs: Any) -> Any:
    """Make the function of `vekt` over kernels that are attributes of `ufuncs`.

    Of an operation without parameters it is the ufunc itself.
    """
    form = spec.form(kind)
    if not spec.params:
        return getattr(ufuncs, form.choices[0].kernel)
    places = {p.name: place for place, p in enumerate(form.params)}
    made = native.Function(
        form.name,
        form.operands,
        tuple((p.name, p.default, p.kind == "flag", p.least, p.none_means) for p in form.params),
        tuple(
            (
                getattr(ufuncs, choice.kernel),
                tuple(choice.requires(p.name) for p in form.params),
                tuple(places[name] for name in places if name in choice.params),
            )
            for choice in form.choices
        ),
    )
    made.__module__ = "vekt"
    made.__doc__ = headed(spec, kind)
    made.__signature__ = form.signature
    return made


def python_function(
    spec: Spec, kind: str, module: str, body: Iterable[str], scope: Mapping[str, Any]
) -> Callable[..., Any]:
    """Make a function of Python with the signature and the docstring of a spec.

    Parameters
    ----------
    spec, kind : Spec, str
        Which function it is.
    module : str
        The dotted name of the module whose attribute it will be.
    body : iterable of str
        Its lines.
    scope : mapping
        What they refer to; _default_NAME, the default of NAME, is there.

    Returns
    -------
    callable
        The function.
    """
    form = spec.form(kind)
    options = form.options or {}
    defaults = {**{p.name: p.default for p in form.params}, **options}
    star = "*" if form.any_number else ""
    parts = [
        *(star + name for name in form.operands),
        *([] if form.by_name or star else ["/"]),
        *(f"{p.name}=_default_{p.name}" for p in form.params),
        *(["*"] if options and not star else []),
        *(f"{name}=_default_{name}" for name in options),
    ]
    head = f"def {form.name}({', '.join(parts)}):"
    source = "\n".join([head, *("    " + line for line in body)]) + "\n"
    filename = f"<vekt {module}.{form.name}>"
    known = {**scope, **{f"_default_{name}": default for name, default in defaults.items()}}
    known["__name__"] = module  # tells a user's line from these
    exec(compile(source, filename, "exec"), known)
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    function: Callable[..., Any] = known[form.name]
    function.__module__ = module
    function.__doc__ = docstring(spec, kind, module.removesuffix(f".{spec.family}"))
    return function


def forwarding(
    spec: Spec, kind: str, module: str, to: Callable[..., Any], *first: Any
) -> Callable[..., Any]:
    """Make a function of Python that hands all it is given, by name, to another.

    `first` are what that takes before.
    """
    given = ", ".join(f"{name}={name}" for name in spec.signature(kind).parameters)
    scope = {"_to": to, "_first": first}
    return python_function(spec, kind, module, [f"return _to(*_first, {given})"], scope)


def public_function(spec: Spec, kind: str, raw: Raw, module: str) -> Callable[..., Any]:
    """Make the function of `vekt.jit` or `vekt.reference` that chooses among kernels, by name.

    They are called with the operands in the order of the kernel and, unless all are at their
    defaults, with the options as keywords.
    """
    form = spec.form(kind)
    scope: dict[str, Any] = {"_inf": inf, "_flag": chosen_flag, "_is_default": _is_default}
    scope["_at_least"] = at_least
    scope |= {f"_{choice.kernel}": raw[choice.kernel] for choice in form.choices}
    return python_function(spec, kind, module, _choosing(form), scope)


def _choosing(form: Form) -> list[str]:
    """Body of a function that chooses among kernels."""
    lines = []
    for flag in (p for p in form.params if p.kind == "flag"):
        lines += [
            f"if {flag.name} is not False and {flag.name} is not True:",
            f"    {flag.name} = _flag({flag.name}, {flag.name!r})",
        ]
    for param in (p for p in form.params if p.least > -inf):
        it, least = param.name, param.least
        lines += [  # the common case without a call, which costs as much as a small array
            f"if {it} is not _default_{it} and not (type({it}) is float and {it} >= {least!r}):",
            f"    {it} = _at_least({form.name!r}, {it!r}, {it}, {least!r})",
        ]
    for choice in form.choices[:-1]:
        lines.append(f"if {_condition(form, choice)}:")
        lines += ["    " + line for line in _call(form, choice)]
    return lines + _call(form, form.choices[-1])


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
    taken, options = [p for p in form.params if p.name in choice.params], form.options or {}
    lines = [
        f"if {p.name} is None: {p.name} = _{p.none_means}"
        for p in taken
        if p.none_means is not None
    ]
    call = f"_{choice.kernel}({', '.join([*form.operands, *(p.name for p in taken)])}"
    at_default = " and ".join(f"{option} is {default}" for option, default in options.items())
    keywords = ", ".join(f"{option}={option}" for option in options)
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
