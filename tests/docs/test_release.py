"""What a forge runs is what the pages say, for the Pythons that the package names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WORKFLOWS = {
    p.stem: yaml.safe_load(p.read_text("utf-8")) for p in ROOT.glob(".github/workflows/*.yml")
}


def commands(workflow: str) -> list[str]:
    """Return what a workflow runs, each entry of its matrix in turn."""
    found: list[str] = []
    for job in WORKFLOWS[workflow]["jobs"].values():
        chosen: Any = job.get("strategy", {}).get("matrix", {}).get("command", [""])
        steps = [step["run"] for step in job["steps"] if "run" in step]
        found += [step.replace("${{ matrix.command }}", each) for step in steps for each in chosen]
    return found


def test_pythons_are_the_same_everywhere() -> None:
    named = [
        found[1]
        for text in PROJECT["project"]["classifiers"]
        if (found := re.search(r"Python :: (3\.\d+)$", text))
    ]
    built = PROJECT["tool"]["cibuildwheel"]["build"]
    assert [f"cp{name.replace('.', '')}-*" for name in named] == [b for b in built if "t-" not in b]
    assert f"PYTHONS = {named}".replace("'", '"') in (ROOT / "tools/noxfile.py").read_text("utf-8")
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"
    assert f"CPython {named[0]} to {named[-1]}" in (ROOT / "docs/start/install.md").read_text(
        "utf-8"
    )


def test_a_forge_runs_the_commands_of_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    both = re.findall(r"^python3 -m venv .*", text, re.M)
    assert len(both) == 2
    assert set(both) <= set(commands("test"))
    assert ".ci/run" in commands("test")


def test_longer_tests_are_those_of_contributing() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for command in commands("nightly"):
        what = command.replace("expressions --seconds 1800", "programs --seconds 1800")
        assert what in text or what.startswith("pip install"), command


def test_publishing_wants_no_secret() -> None:
    publish = WORKFLOWS["release"]["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert "secrets" not in (ROOT / ".github/workflows/release.yml").read_text("utf-8")


def test_the_version_is_one() -> None:
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text("utf-8"))
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert version
    assert version[1] == cited["version"]
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
