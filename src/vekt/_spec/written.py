"""Specs of functions with facts of their own, written as one docstring for all namespaces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import Any

from vekt._core.syntax import module
from vekt._spec.form import Param
from vekt._spec.spec import Kind, Note, Spec

_SECTION = re.compile(r"\n\n([A-Z][A-Za-z ]+)\n-+\n")


def written(text: str, home: str, shared: Mapping[str, Param] | None = None) -> Spec:
    """Make a spec of one function from its call and its docstring; see `kind_of`."""
    name, kind, source = kind_of(text, shared)
    return Spec(name=name, summary=kind.summary, kinds={"": kind}, home=home, source=source)


def kind_of(text: str, shared: Mapping[str, Param] | None = None) -> tuple[str, Kind, str]:
    """Return the name of a function, how it is called with what it does, and its sources.

    The first paragraph is the call, with defaults that are constants.  Parameters without an entry
    are those of `shared`.  A paragraph of the notes that begins with a namespace in brackets, such
    as [vekt.jit], is for that namespace alone.  In examples {f} is the function.
    """
    head, *parts = _SECTION.split(text.strip())
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    call, summary, *more = head.split("\n\n")
    name = call.partition("(")[0]
    known = dict(shared or {})
    for names, kind, doc in _entries(sections.get("Parameters", "")):
        for each in names.split(", "):
            known[each] = Param(each, doc=doc, kind="option", type=kind)
    operands, params, options, by_name = _arguments(_joined(call), known)
    results = [
        Param(n, doc=doc, type=kind) for n, kind, doc in _entries(sections.get("Returns", ""))
    ]
    notes = "\n\n".join([*more, sections.get("Notes", "")])
    made = Kind(
        _joined(summary),
        operands,
        tuple(results),
        options,
        tuple(_notes(notes)),
        sections.get("Examples", ""),
        by_name,
        tuple((n, doc) for n, _, doc in _entries(sections.get("Raises", ""))),
        params,
        sections.get("See Also", ""),
    )
    return name, made, _joined(sections.get("References", ""))


def _joined(text: str) -> str:
    return " ".join(text.split())


def _arguments(call: str, known: Mapping[str, Param]) -> tuple[Any, Any, Any, bool]:
    """Return operands, parameters and options, and whether operands are given by name too."""
    (function,) = module(f"def {call}: ...").body
    assert isinstance(function, ast.FunctionDef)
    takes = function.args
    by_position = [*takes.posonlyargs, *takes.args]
    required = len(by_position) - len(takes.defaults)
    operands = tuple(known[a.arg] for a in by_position[:required])
    if takes.vararg:
        any_number = known[takes.vararg.arg]
        operands += (Param(any_number.name, doc=any_number.doc, kind="any", type=any_number.type),)
    params = map(_with_default, by_position[required:], takes.defaults, repeat(known))
    options = map(_with_default, takes.kwonlyargs, takes.kw_defaults, repeat(known))
    return operands, tuple(params), tuple(options), not takes.posonlyargs


def _with_default(argument: ast.arg, default: Any, known: Mapping[str, Param]) -> Param:
    p = known[argument.arg]
    kind = "axis" if p.name == "axis" else p.kind
    return Param(p.name, ast.literal_eval(default), p.doc, kind, type=p.type)


def _entries(section: str) -> Iterator[tuple[str, str, str]]:
    """Names, what follows them after a colon, and the text below them."""
    for entry in re.split(r"\n(?=\S)", section.strip("\n")):
        head, _, doc = entry.partition("\n")
        names, _, kind = head.partition(" : ")
        if names:
            yield names, kind, _joined(doc)


def _notes(text: str) -> Iterator[Note]:
    for paragraph in filter(None, map(_joined, text.split("\n\n"))):
        if paragraph[0] == "[":
            module, _, note = paragraph[1:].partition("] ")
            yield module, note
        else:
            yield paragraph
