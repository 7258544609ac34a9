"""The guides tell the truth: their examples run, their commands and their names exist."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from vekt._core import native
from vekt.cli.app import app
from vekt.elementwise import __all__ as elementwise
from vekt.linalg import __all__ as products
from vekt.reductions import __all__ as reductions

DOCS = Path(__file__).parents[2] / "docs"
README = (DOCS.parent / "README.md").read_text("utf-8")
TEXTS = {p.relative_to(DOCS).as_posix(): p.read_text("utf-8") for p in DOCS.rglob("*.md")}
TEXTS["../README.md"] = README
GUIDES = [name for name, text in TEXTS.items() if ">>> " in text or "\n```python\n" in text]
IMPORTED = re.compile(r"^\s*(?:>>> |\.\.\. )?(?:import|from) (\w+)", re.M)
SCRIPT = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
FENCE = re.compile(r"^```.*", re.M)  # behind an example it is no output


def sections(text: str) -> Iterator[str]:
    """Yield the sections of a page but for those that want what is not here."""
    for section in re.split(r"^(?=##+ )", text, flags=re.M):
        if "def fma(" in section and native.SELECTED in ("x86_v2", "generic"):
            continue  # whose kernels round twice
        if all(map(find_spec, IMPORTED.findall(section))):
            yield section


@pytest.mark.parametrize("guide", GUIDES)
def test_examples(guide: str) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    names: dict[str, object] = {"__name__": "__main__"}
    for section in sections(TEXTS[guide]):
        for k, part in enumerate(SCRIPT.split(section)):
            if k % 2:
                exec(compile(part, guide, "exec"), names)
                continue
            text = FENCE.sub("", part)
            examples = doctest.DocTestParser().get_doctest(text, names, guide, guide, 0)
            runner.run(examples, clear_globs=False)
            names = examples.globs
    assert runner.failures == 0


def anchors(text: str) -> set[str]:
    """Return the anchors that headings have on a forge."""
    headings = re.findall(r"^#+ (.*)", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*TEXTS, "../CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", (DOCS / page).read_text("utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if ":" in target:
            assert re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/[\w./#?=&%+-]*)?", target), target
            continue
        name, _, anchor = target.partition("#")
        path = (DOCS / page).parent / name if name else DOCS / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text("utf-8")), target


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("video.npy").touch()  # what one of them reads
    text = "\n".join(TEXTS.values()).replace("\\\n", " ")
    lines = re.findall(r"^    vekt (\w+)(.*?)(?:  +#.*)?$", text, re.M)
    lines += re.findall(r"`vekt (\w+)([^`]*)`", text)
    assert lines
    elsewhere = {isa: native.SELECTED for isa in native.TARGETS if isa not in native.SUPPORTED}
    for name, arguments in lines:
        for isa, here in elsewhere.items():  # which another processor runs
            arguments = arguments.replace(isa, here)
        app.commands[name].make_context(name, shlex.split(arguments))


def test_every_product_is_in_the_guide() -> None:
    assert not [name for name in products if f"`vk.{name}(" not in TEXTS["linalg.md"]]


def test_every_reduction_is_in_the_guide() -> None:
    assert not [name for name in reductions if f"`vk.{name}(" not in TEXTS["reductions.md"]]


def test_every_elementwise_function_is_in_the_guide() -> None:
    assert not [name for name in elementwise if f"`vk.{name}(" not in TEXTS["elementwise.md"]]
