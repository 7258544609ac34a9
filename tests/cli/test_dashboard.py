"""The pages of `asv publish` show the notes' graph in a browser that has no network.

Needs the extra "bench", git, npm and Chromium:
`python -m pytest -m slow tests/cli/test_dashboard.py`.
"""

from __future__ import annotations

import functools
import http.server
import importlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from matplotlib.pyplot import imread

pytestmark = pytest.mark.slow

SUITE = Path(__file__).parents[2] / "asv_bench"
# The last one lets no name resolve: whatever the page wants from elsewhere will be missing.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--window-size=1500,900",
    "--virtual-time-budget=15000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
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


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def address(pages: Path) -> Iterator[str]:
    handler = functools.partial(QuietHandler, directory=str(pages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def chromium(profile: Path, *arguments: str) -> str:
    """Run Chromium headless, and return what it prints."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "this test needs Chromium"
    done = subprocess.run(
        [program, *FLAGS, f"--user-data-dir={profile}", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


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
