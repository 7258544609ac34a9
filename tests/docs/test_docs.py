"""The guides tell the truth: their examples run, their commands and their names exist."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from vekt.cli.app import app
from vekt.elementwise import __all__ as elementwise
from vekt.linalg import __all__ as products
from vekt.reductions import __all__ as reductions

DOCS = Path(__file__).parents[2] / "docs"
README = (DOCS.parent / "README.md").read_text("utf-8")
TEXTS = {path.name: path.read_text("utf-8") for path in DOCS.glob("*.md")}
GUIDES = [name for name, text in TEXTS.items() if ">>> " in text]


@pytest.mark.parametrize("guide", GUIDES)
def test_examples(guide: str) -> None:
    result = doctest.testfile(str(DOCS / guide), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


def test_readme_example() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
    exec(compile(code, "README.md", "exec"), {})


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("video.npy").touch()  # what one of them reads
    text = "\n".join([README, *TEXTS.values()]).replace("\\\n", " ")
    lines = re.findall(r"^    vekt (\w+)(.*?)(?:  +#.*)?$", text, re.M)
    lines += re.findall(r"`vekt (\w+)([^`]*)`", text)
    assert lines
    for name, arguments in lines:
        app.commands[name].make_context(name, shlex.split(arguments))


def test_every_product_is_in_the_guide() -> None:
    assert not [name for name in products if f"`vk.{name}(" not in TEXTS["linalg.md"]]


def test_every_reduction_is_in_the_guide() -> None:
    assert not [name for name in reductions if f"`vk.{name}(" not in TEXTS["reductions.md"]]


def test_every_elementwise_function_is_in_the_guide() -> None:
    assert not [name for name in elementwise if f"`vk.{name}(" not in TEXTS["elementwise.md"]]
