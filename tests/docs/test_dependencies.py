"""The table of dependencies is that of pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_has_every_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = {("build", requirement) for requirement in project["build-system"]["requires"]}
    declared |= {("run time", requirement) for requirement in project["project"]["dependencies"]}
    for extra, requirements in project["project"]["optional-dependencies"].items():
        declared |= {(f"`{extra}`", r) for r in requirements if not r.startswith("vekt[")}
    listed = set()
    for line in (ROOT / "docs/dependencies.md").read_text("utf-8").splitlines():
        if match := re.match(r"\| (`.*?`) \| (.*?) \|", line):
            for needed_for in match[2].split(", "):
                listed |= {
                    (needed_for, requirement) for requirement in re.findall("`(.*?)`", match[1])
                }
    assert listed == declared


def test_the_page_of_installing_has_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    page = (ROOT / "docs/start/install.md").read_text("utf-8")
    extras = page.partition("| extra |")[2].partition("\n\n")[0]
    listed = re.findall(r"^\| `(\w+)` \|", extras, re.M)
    assert sorted(listed) == sorted(project["project"]["optional-dependencies"])
