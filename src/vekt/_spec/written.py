"""Specs of functions with facts of their own, written as one docstring for all namespaces."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator, Mapping
from typing import Any

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
    name, _, takes = _joined(call).removesuffix(")").partition("(")
    known = dict(shared or {})
    for names, kind, doc in _entries(sections.get("Parameters", "")):
        for each in names.split(", "):
            known[each] = Param(each, doc=doc, kind="option", type=kind)
    operands: list[Param] = []
    params: list[Param] = []
    options: list[Param] = []
    by_position = params
    by_name = True
    for token in takes.split(", "):
        each, _, default = token.partition("=")
        if token in ("/", "*"):
            by_name &= token != "/"
            by_position = options if token == "*" else params
        elif default:
            by_position.append(_with_default(known[each], literal_eval(default)))
        else:
            operands.append(known[each])
    results = [Param(n, doc=doc, type=kind) for n, kind, doc in _entries(sections["Returns"])]
    notes = "\n\n".join([*more, sections.get("Notes", "")])
    made = Kind(
        _joined(summary),
        tuple(operands),
        tuple(results),
        tuple(options),
        tuple(_notes(notes)),
        sections.get("Examples", ""),
        by_name,
        tuple((n, doc) for n, _, doc in _entries(sections.get("Raises", ""))),
        tuple(params),
        sections.get("See Also", ""),
    )
    return name, made, _joined(sections.get("References", ""))


def _joined(text: str) -> str:
    return " ".join(text.split())


def _with_default(p: Param, default: Any) -> Param:
    return Param(p.name, default, p.doc, "axis" if p.name == "axis" else p.kind, type=p.type)


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
