"""The reference pages of the site, made of the specs and the docstrings of an installed `vekt`.

A page for each spec has its functions in full; one for each other namespace tells what they are
called there, and what differs.  `pages()` is all of them by file name, without the ending.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from gallery import call_of
from numpydoc.docscrape import NumpyDocString
from numpydoc.docscrape_sphinx import SphinxClassDoc, SphinxDocString

import vekt as vk
from vekt._spec.families import ALL, specs
from vekt._spec.spec import Spec

# Families whose page has another title than their name; docs/reference/index.md lists them.
TITLES = {
    "rows": "Functions along an axis",
    "elementwise": "Elementwise operations",
    "linalg": "Linear algebra",
    "layers": "Dense layers",
    "optim": "Optimisers",
}
FAMILIES = {
    family: TITLES.get(family, family.capitalize())
    for family in dict.fromkeys(spec.family for spec in ALL)
}
# What has no spec: the page, its title, its names.
OTHERS = {
    "fuse": ("Fused expressions", ["fuse", "evaluate", "re_evaluate", "validate"]),
    "stream": ("Arrays by parts", ["stream"]),
    "threads": (
        "Threads",
        [
            "get_num_threads",
            "set_num_threads",
            "num_threads",
            "threading.register_threadpoolctl",
        ],
    ),
    "upcasts": ("Warnings of upcasts", ["warn_upcasts", "UpcastWarning"]),
    "config": ("What runs here", ["show_config", "config.get_config"]),
}
# Classes and functions of a module, in full.
MODULES = ("network", "models", "optim")
# Every name once more, in short.
TWINS = ("jit", "reference", "autograd", "dlpack")
_BESIDE = {"layers": ["PackedWeights"]}
_CONFIG = {"use_plots": False, "show_class_members": False, "class_members_toctree": False}


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    made = {}
    for family, head in FAMILIES.items():
        if family not in MODULES:
            made |= {spec.name: _spec_page(spec) for spec in specs(family)}
            made[f"family-{family}"] = _family_page(head, specs(family), _BESIDE.get(family, []))
    for names in _BESIDE.values():
        made |= {name: f"{_title(name)}\n{_entry(f'vekt.{name}')}" for name in names}
    for page, (head, names) in OTHERS.items():
        made[page] = _page(head, names)
    if left := _left():
        made["family-other"] = _page("Other functions", left)
    for name in MODULES:
        made[f"vekt-{name}"] = _module_page(name)
    for name in TWINS:
        made[f"vekt-{name}"] = _twin_page(name)
    made["vekt-ufuncs"] = _ufuncs_page()
    return made


def write(folder: Path) -> None:
    """Write the pages that are new or other than they were, and remove those of what is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for path in folder.glob("*.rst"):
        if path.stem not in made:
            path.unlink()
    for name, text in made.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


# ---- pages


def _left() -> list[str]:
    """Return the public names that no other page has."""
    known = {name for spec in ALL for name in (*spec.public_names, *spec.alias_names)}
    known.update(*_BESIDE.values(), *(names for _, names in OTHERS.values()))
    return [n for n in vk.__all__ if n not in known and not inspect.ismodule(getattr(vk, n))]


def _page(head: str, names: list[str]) -> str:
    return "\n".join([_title(head), *(_entry(f"vekt.{name}") for name in names)])


def _spec_page(spec: Spec) -> str:
    parts = [_title(spec.name)]
    parts += [
        f".. figure:: ../../gallery/{name}.svg\n   :figclass: graph\n   :alt: Graph of {name}\n"
        f"\n   ``{call}``\n"
        for name, call in _pictured(spec)
    ]
    if here := [t for t in TWINS[:3] if spec.name in import_module(f"vekt.{t}").__all__]:
        links = ", ".join(f":py:obj:`vekt.{twin}.{spec.name}`" for twin in here)
        parts.append(f"Also as {links}.\n")
    parts += [_entry(f"vekt.{name}") for name in spec.public_names]
    parts += [
        _described(f"vekt.{alias}", f"Another name of :py:obj:`vekt.{name}`.")
        for alias, name in spec.alias_names.items()
    ]
    return "\n".join(parts)


def _pictured(spec: Spec) -> Iterable[tuple[str, str]]:
    """Return the pictures of the gallery and what is drawn in each."""
    if spec.family == "activations":
        return [(kernel.name, call_of(spec, kernel)) for kernel in spec.kernels]
    operands = ", ".join(spec.inputs)
    return [(spec.name, f"{spec.name}({operands})")] if spec.family in ("gates", "rows") else []


def _family_page(head: str, family: Iterable[Spec], beside: list[str]) -> str:
    rows = [(name, spec) for spec in family for name in spec.public_names[:1]]
    lines = [(f":py:obj:`{name} <vekt.{name}>`", spec.summary) for name, spec in rows]
    lines += [(f":py:obj:`{name} <vekt.{name}>`", _summary(_of(f"vekt.{name}"))) for name in beside]
    names = sorted([*(name for name, _ in rows), *beside])
    parts = [_title(head), _table(lines), _toctree(names)]
    if head == FAMILIES["activations"]:
        parts += [_module("vekt.activations"), _entry("vekt.activations.get")]
    return "\n".join(parts)


def _module_page(name: str) -> str:
    module = import_module(f"vekt.{name}")
    parts = [_title(f"vekt.{name}"), _module(module.__name__), _rest(module)]
    return "\n".join([*parts, *(_entry(f"vekt.{name}.{other}") for other in module.__all__)])


def _twin_page(name: str) -> str:
    module = import_module(f"vekt.{name}")
    parts = [_title(f"vekt.{name}"), _module(module.__name__), _rest(module)]
    names = [*module.__all__]
    if name != "dlpack":
        known = {n: spec for spec in ALL for n in (*spec.public_names, *spec.alias_names)}
        for family, head in FAMILIES.items():
            here = [n for n in names if n in known and known[n].family == family]
            if here:
                parts += [_title(head, "-"), *(_short(f"vekt.{name}", n) for n in here)]
        names = [n for n in names if n not in known]
        parts += [_title("Only here", "-")] if names else []
    return "\n".join([*parts, *(_entry(f"vekt.{name}.{other}") for other in names)])


def _ufuncs_page() -> str:
    module = vk.ufuncs
    parts = [_title("vekt.ufuncs"), _module(module.__name__), _rest(module)]
    names = ", ".join(f"``{name}``" for name in module.__all__)
    return "\n".join([*parts, f"Their names: {names}.\n"])


# ---- entries


def _entry(path: str) -> str:
    """Describe a function or a class with all of its docstring."""
    found = _of(path)
    if inspect.isclass(found):
        return _class(path, found)
    return _described(path, _rest(found), _signature(found))


def _class(path: str, found: type) -> str:
    text = str(SphinxClassDoc(found, doc=_prepared(inspect.getdoc(found) or ""), config=_CONFIG))
    parts = [_described(path, text, _signature(found), "class")]
    for name, member in _members(found):
        kind = "property" if isinstance(member, property) else "method"
        of = "" if kind == "property" else _signature(member)
        parts.append(_indented(_described(name, _rest(member), of, kind)))
    return "\n".join(parts)


def _members(found: type) -> Iterator[tuple[str, Any]]:
    """Yield what a class and those of its bases that are ours define for everybody."""
    ours = [c for c in found.__mro__ if c.__module__.startswith("vekt.")]
    names = dict.fromkeys(name for c in ours for name in vars(c) if not name.startswith("_"))
    for name in names:
        member = inspect.getattr_static(found, name)
        member = getattr(member, "__func__", getattr(member, "fn", member))  # of `available_if`
        if (callable(member) or isinstance(member, property)) and inspect.getdoc(member):
            yield name, member


def _short(namespace: str, name: str) -> str:
    """Tell what a twin is, and how exact."""
    found = _of(f"{namespace}.{name}")
    doc = NumpyDocString(inspect.getdoc(found) or "")
    error = [note for note in "\n".join(doc["Notes"]).split("\n\n") if note.startswith("Error")]
    other = f"As :py:obj:`vekt.{name}`." if name in vk.__all__ else ""
    text = "\n\n".join([_escaped(" ".join(doc["Summary"])), *map(_escaped, error), other])
    return _described(f"{namespace}.{name}", text, _signature(found))


def _described(path: str, text: str, signature: str = "", kind: str = "function") -> str:
    if kind != "property":
        signature = signature or "(...)"
    return f".. py:{kind}:: {path}{signature}\n\n{_indented(text)}\n"


def _of(path: str) -> Any:
    """Return what a dotted name stands for."""
    _, *names = path.split(".")
    found: Any = vk
    for name in names:
        found = getattr(found, name)
    return found


def _signature(found: Any) -> str:
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):
        first = (inspect.getdoc(found) or "").partition("\n")[0]
        return first[first.find("(") :] if "(" in first else "(...)"
    kept = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    if kept and kept[0].name == "self":
        del kept[0]
    text = str(signature.replace(parameters=kept, return_annotation=signature.empty))
    return re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", text)


def _summary(found: Any) -> str:
    return _escaped(" ".join(NumpyDocString(inspect.getdoc(found) or "")["Summary"]))


def _rest(found: Any) -> str:
    """Return a docstring as reStructuredText."""
    return str(SphinxDocString(_prepared(inspect.getdoc(found) or ""), config=_CONFIG))


# Words that begin a note, and what is a formula and nothing else.
_LABEL = re.compile(r"^(Formula|Limits at -inf and inf|Error|Use|Cost|Compatibility|For \w+=\w+):")
_FORMULA = re.compile(
    r"^(Formula[^:]*:) ((?:(?!\. |`|;).)*)(?:; its gradient: ((?:(?!\. |`).)*))?\.$"
)
_HEAD = re.compile(r"^(?:\w[\w ]*\n *-+\n)?")  # of a section


def _prepared(doc: str) -> str:
    """Mark what a docstring leaves plain, so that it reads well in a terminal."""
    return "\n\n".join(map(_paragraph, doc.split("\n\n")))


def _paragraph(text: str) -> str:
    if ">>> " in text or ".. math::" in text:
        return text
    head = _HEAD.match(text)[0]
    text = text.removeprefix(head)
    if formula := _FORMULA.match(" ".join(text.split())):
        gradient = f"\n\n**Its gradient:** ``{formula[3]}``" if formula[3] else ""
        return f"{head}**{formula[1]}** ``{formula[2]}``{gradient}"
    return head + _LABEL.sub(r"**\g<0>**", _escaped(text))


def _escaped(text: str) -> str:
    """Keep vertical bars, outside of code, from naming a substitution."""
    return "".join(
        part if part[:1] == "`" else part.replace("|", r"\|")
        for part in re.split(r"(`[^`]*`)", text)
    )


# ---- reStructuredText


def _title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}\n"


def _module(name: str) -> str:
    return f".. py:module:: {name}\n\n.. py:currentmodule:: None\n"


def _indented(text: str) -> str:
    return "".join(f"   {line}" if line.strip() else line for line in text.splitlines(True))


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"   * - {name}\n     - {said}\n" for name, said in rows)
    return f".. list-table::\n   :widths: 30 70\n\n{lines}"


def _toctree(names: Iterable[str]) -> str:
    return ".. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in names)
