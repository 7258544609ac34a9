"""Every public function has a spec, and whatever else tells of it agrees with that."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vekt as vk
from vekt import jit, reference
from vekt._core import native
from vekt._spec.docstrings import docstring, headed
from vekt._spec.families import ALL, specs
from vekt._spec.spec import Spec

ROOT = Path(__file__).parents[2]

# Public, and no function of a family.
OTHERS = {
    "PackedWeights": "a class of arrays",
    "activations": "a module",
    **dict.fromkeys(("evaluate", "re_evaluate", "validate"), "compiles a text"),
    "fuse": "compiles a function",
    "get_num_threads": "a setting",
    "num_threads": "a setting",
    "set_num_threads": "a setting",
    "warn_upcasts": "a setting",
    "UpcastWarning": "a kind of warning",
    "show_config": "prints",
    "stream": "calls a function of one's own",
    "ufuncs": "a module",
}
NOT_IN_JIT = {"losses", "elementwise", "optim"}
NUMPY_HAS_IN_JIT = {"broadcast_to", "sum_to_shape"}  # the first, and sums for the other

FUNCTIONS = [(spec, kind) for spec in ALL for kind in spec.kinds]
each = pytest.mark.parametrize(("spec", "kind"), FUNCTIONS, ids=[s.name + k for s, k in FUNCTIONS])
NAMESPACES = {"vekt": vk, "vekt.jit": jit, "vekt.reference": reference}


def function_of(spec: Spec, kind: str) -> Any:
    home = vk.optim if spec.family == "optim" else vk
    return getattr(home, spec.name + kind)


def sections(text: str) -> dict[str, str]:
    """Sections of a docstring by their titles, the summary by ""."""
    head, *parts = re.split(r"\n\n(\S[\w ]*)\n-+\n", "\n" + text)
    return {"": head, **dict(zip(parts[::2], parts[1::2], strict=True))}


def described(section: str) -> list[str]:
    return [n for line in re.findall(r"(?m)^(\S.*?) : ", section) for n in line.split(", ")]


def test_every_public_function_has_a_spec() -> None:
    names = [n for s in ALL if s.family != "optim" for n in (*s.public_names, *s.alias_names)]
    assert len(set(names)) == len(names)
    assert set(names) | set(OTHERS) == set(vk.__all__)
    classes = {"Optimizer": "what all share", "get": "finds one by its name"}
    assert {spec.name for spec in specs("optim")} | set(classes) == set(vk.optim.__all__)


@pytest.mark.parametrize("family", sorted({spec.family for spec in ALL}))
def test_modules_list_what_their_specs_say(family: str) -> None:
    for home in {spec.home for spec in specs(family)}:
        module = import_module(home)
        names = {n for s in specs(family) if s.home == home for n in s.public_names}
        assert names <= set(dir(module))
        for name in names:
            assert getattr(module, name) is (getattr(vk, name, None) or getattr(vk.optim, name))


def calls_of(function: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("namespace", NAMESPACES)
@each
def test_signatures_are_those_of_the_spec(spec: Spec, kind: str, namespace: str) -> None:
    if namespace == "vekt":
        function = function_of(spec, kind)
    else:
        function = getattr(NAMESPACES[namespace], spec.name + kind, None)
    if function is None:
        assert namespace == "vekt.jit" or spec.family == "optim"
        assert spec.family in NOT_IN_JIT or spec.name in NUMPY_HAS_IN_JIT or kind  # gradients
        return
    form = spec.form(kind)
    if isinstance(function, np.ufunc):
        assert not spec.params
        assert (function.nin, function.nout) == (len(form.operands), form.nout)
    elif namespace == "vekt.jit" and spec.family == "elementwise":  # exp, log: as activations
        twin = jit.silu if len(spec.inputs) == 1 else jit.swiglu  # whose operands have other names
        assert [c[1:] for c in calls_of(function)] == [c[1:] for c in calls_of(twin)]
        assert "no `casting`, `order` or `subok`" in " ".join(function.__doc__.split())
    else:
        wanted = spec.signature(kind).parameters.values()
        assert calls_of(function) == [(p.name, p.kind, p.default) for p in wanted]


@each
def test_docstrings_are_those_of_the_spec(spec: Spec, kind: str) -> None:
    for name, namespace in NAMESPACES.items():
        function = getattr(namespace, spec.name + kind, None)
        if spec.family == "optim":
            function, name = getattr(vk.optim, spec.name), "vekt.optim"
        if function is None or isinstance(function, np.ufunc):
            continue
        if name == "vekt.jit" and spec.family in NOT_IN_JIT:  # exp and log are others there
            continue
        takes = inspect.signature(function).parameters
        text = docstring(spec, kind, name, takes)
        own = isinstance(function, native.Function | native.Dispatcher)
        shown = headed(spec, kind) if own else text
        assert inspect.cleandoc(function.__doc__).strip() == inspect.cleandoc(shown).strip()
        found = sections(text)
        assert sorted(described(found.get("Parameters", ""))) == sorted(takes)
        results = [p.name for p in spec.kinds[kind].results]
        assert described(found.get("Returns", "")) == results
        order = ["Parameters", "Returns", "Raises", "See Also", "Notes", "References", "Examples"]
        titles = [title for title in found if title]
        assert titles == [title for title in order if title in titles]
        assert "Examples" in titles
        assert ">>> " in found["Examples"]
        assert not re.search(r"\{(?!\s*['\"\\\d-]|None|i\b)\w*\}", found["Examples"])


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="an installed test suite")
def test_the_documentation_names_every_function() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    words = set(re.findall(r"\w+", "\n".join(p.read_text(encoding="utf-8") for p in pages)))
    assert [spec.name for spec in ALL if spec.name not in words] == []
    assert [spec.name for spec in ALL if not spec.summary.endswith((".", "?", "`"))] == []


@pytest.mark.skipif(not (ROOT / "asv_bench").is_dir(), reason="an installed test suite")
def test_every_function_has_a_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "asv_bench"))
    common = import_module("benchmarks.common")
    asked: set[str] = set()
    monkeypatch.setattr(common, "refuse_gaps", lambda home, names: asked.add(home))
    for path in (ROOT / "asv_bench" / "benchmarks").glob("bench_*.py"):
        if "refuse_gaps" in path.read_text(encoding="utf-8"):
            import_module(f"benchmarks.{path.stem}")
    assert asked == {spec.home.removesuffix("._prelu") for spec in ALL}
    monkeypatch.undo()
    for home in asked:
        with pytest.raises(ImportError, match="no benchmark"):
            common.refuse_gaps(home, ())
