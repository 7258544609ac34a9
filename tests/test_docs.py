"""The guides tell the truth: their examples run, their commands and their names exist."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from vekt.cli.app import app
from vekt.linalg import __all__ as products
from vekt.reductions import __all__ as reductions

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = ["fuse.md", "linalg.md", "reductions.md"]


@pytest.mark.parametrize("guide", GUIDES)
def test_examples(guide: str) -> None:
    result = doctest.testfile(str(DOCS / guide), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("guide", [guide for guide in GUIDES if guide != "fuse.md"])
def test_commands(guide: str) -> None:
    lines = re.findall(r"^    vekt (\w+)(.*?)(?:  +#.*)?$", (DOCS / guide).read_text("utf-8"), re.M)
    assert lines
    for name, arguments in lines:
        app.commands[name].make_context(name, shlex.split(arguments))


def test_every_product_is_in_the_guide() -> None:
    text = (DOCS / "linalg.md").read_text("utf-8")
    assert not [name for name in products if f"`vk.{name}(" not in text]


def test_every_reduction_is_in_the_guide() -> None:
    text = (DOCS / "reductions.md").read_text("utf-8")
    assert not [name for name in reductions if f"`vk.{name}(" not in text]
