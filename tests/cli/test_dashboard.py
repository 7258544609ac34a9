"""The pages of `asv publish` show the notes' graph in a browser that has no network.

Needs the extra "bench", git, npm and Chromium:
`python -m pytest -m slow tests/cli/test_dashboard.py`.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from browser import chromium, served
from matplotlib.pyplot import imread

pytestmark = pytest.mark.slow

SUITE = Path(__file__).parents[2] / "asv_bench"
GRAPH = "#bench_notes.TimeNotes.time_z?y-axis-scale=log"


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of a repository with two commits, both measured with the installed vekt."""
    root = tmp_path_factory.mktemp("repository")
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost")
    run(*git, "init", "--quiet", "--initial-branch=main", cwd=root)
    suite = root / "asv_bench"
    shutil.copytree(SUITE, suite, ignore=shutil.ignore_patterns(".asv", "__pycache__"))
    asv = (sys.executable, "-m", "asv")
    run(*asv, "machine", "--yes", "--machine=test", cwd=suite, HOME=str(root))
    for day in (1, 2):
        date = f"2020-01-0{day}T12:00:00Z"
        run(*git, "commit", "--quiet", "--allow-empty", "--message=change", cwd=root,
            GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)  # fmt: skip
        commit = run("git", "rev-parse", "HEAD", cwd=root).strip()
        run(*asv, "run", "--quick", "--python=same", f"--set-commit-hash={commit}",
            "--bench=TimeNotes", "--machine=test", cwd=suite, HOME=str(root))  # fmt: skip
    run(*asv, "publish", "--no-pull", cwd=suite)
    return suite / ".asv" / "html"


@pytest.fixture(scope="module")
def address(pages: Path) -> Iterator[str]:
    with served(pages) as found:
        yield found


def test_a_library_that_is_not_listed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from asv.util import UserError  # an extra that the default run does without

    monkeypatch.syspath_prepend(str(SUITE))
    dashboard = importlib.import_module("dashboard")
    with pytest.raises(UserError, match=r"wants cdn\.example/other\.js"):
        dashboard.rewrite('<script src="https://cdn.example/other.js"></script>')


def test_pages_name_no_remote_file(pages: Path) -> None:
    text = (pages / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'<(?:script|link|img)\b[^>]*\b(?:src|href)="([^"]+)"', text)
    assert len(loaded) > 15
    for name in loaded:
        assert "//" not in name
        assert (pages / name).is_file() or name == "regressions.xml"


def test_the_notes_graph_names_its_lines(address: str, tmp_path: Path) -> None:
    document = chromium(tmp_path, "--dump-dom", address + GRAPH)
    for dtype, implementation in product(["float32", "float64"], ["loop", "numpy", "jit", "vekt"]):
        assert f">dtype-{dtype}; implementation-{implementation}<" in document


def test_the_notes_graph_shows_its_lines(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "graph.png"
    chromium(tmp_path / "profile", f"--screenshot={picture}", address + GRAPH)
    plot = imread(picture)[130:760, 500:1440, :3]  # right of the legend, inside the frame
    coloured = plot.max(axis=-1) - plot.min(axis=-1) > 0.2
    assert coloured.sum(axis=0).min() >= 3  # lines from the first commit to the second
