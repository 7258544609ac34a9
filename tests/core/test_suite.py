"""What the tests themselves promise: what did not run is said at the end, the quick ones exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import conftest
import pytest

ROOT = Path(__file__).parents[2]


class Reporter:
    """As much of pytest's reporter as a summary needs."""

    def __init__(self, *reasons: str) -> None:
        self.lines: list[str] = []
        self.write_line = self.section = self.lines.append
        reports = [SimpleNamespace(longrepr=("file", 1, f"Skipped: {why}")) for why in reasons]
        self.stats = {"skipped": reports}


def summary(reporter: Reporter) -> list[str]:
    hook = conftest.pytest_terminal_summary(reporter)
    next(hook)
    assert not reporter.lines  # pytest's own lines come first
    with pytest.raises(StopIteration):
        next(hook)
    return reporter.lines


def test_what_did_not_run_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "find_spec", lambda name: None if name == "jax" else name)
    title, *lines = summary(Reporter("one core", "no torch", "one core"))
    assert title == "what did not run"
    assert lines[:2] == ["2 skipped: one core", "1 skipped: no torch"]
    assert lines[2:] == ["no comparisons with jax: not installed (extra `peers`)"]
    monkeypatch.setattr(conftest, "find_spec", lambda name: name)
    assert summary(Reporter()) == []


def test_quick_tests_are_of_every_room() -> None:
    """The command in CONTRIBUTING names files that exist, of each folder of the tests."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    command = re.search(r"^pytest -n auto (tests/.*?[^\\])\n", text, re.M | re.S)
    assert command is not None
    paths = [
        f"{before}{name}{after}"
        for word in shlex.split(command[1].replace("\\\n", " "))
        if not word.startswith("--")
        for before, names, after in [re.fullmatch(r"([^{]*)\{?([^}]*)\}?(.*)", word).groups()]
        for name in names.split(",")
    ]
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    rooms = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")} - {"emulated"}
    assert {Path(path).parent.name for path in paths} == rooms
