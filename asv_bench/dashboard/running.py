"""What the command has asv do: measure commits, and publish what was measured."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path

from click import ClickException
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from .targets import best_target

SUITE = Path(__file__).parents[1]
LOG = SUITE / ".asv" / "dashboard.log"
PAGES = SUITE / ".asv" / "html"
_NEWS = re.compile(r"(?:\[ *([0-9.]+)%\] )?·+ (.*)")
ROUNDS = 3
_SOME_FAILED = 2  # asv's status, where it has saved all the others


def require() -> None:
    """Raise ClickException if something is missing, rather than when all has been measured."""
    packages = [name for name in ("asv", "virtualenv") if importlib.util.find_spec(name) is None]
    programs = [name for name in ("git", "npm") if shutil.which(name) is None]
    if packages:
        raise ClickException(f"No {' and no '.join(packages)} here: pip install '.[bench]'")
    if programs:
        raise ClickException(f"The dashboard needs {' and '.join(programs)} on the path.")


def commits(wanted: str) -> list[str]:
    """Return the hashes of the last so many commits, or of a range of git's, newest first."""
    if wanted.isdecimal():
        return _git("rev-list", "--first-parent", f"--max-count={wanted}", "HEAD")
    return _git("rev-list", "--first-parent", wanted, "--")


def measure(hashes: list[str], bench: list[str], skip_existing: bool) -> bool:
    """Build the commits and run benchmarks; return whether each was successful.

    All commits are measured in turns, so that what disturbs one for a while does not decide.
    """
    _asv("machine", "--yes", title="Machine")
    turns = ("--interleave-rounds", f"--attribute=rounds={ROUNDS}", "--record-samples")
    arguments = ["run", "HASHFILE:-", *turns, *(f"--bench={one}" for one in bench)]
    if skip_existing:
        arguments.append("--skip-existing-successful")
    status = _asv(
        *arguments, title="Measuring", hashes=hashes, environment=build_environment(hashes)
    )
    return status == 0


def publish() -> Path:
    """Write the pages, and return where they are."""
    _asv("publish", "--no-pull", title="Publishing")
    return PAGES


def build_environment(hashes: list[str]) -> dict[str, str]:
    """Return what has pip build for the instruction set of this processor alone.

    Without a vekt that knows it, or with commits that know no such choice, that is nothing, and all
    sets are built, which takes five times as long.
    """
    target = best_target()
    known = all("'targets'" in _shown(f"{commit}:meson.options") for commit in hashes)
    if target is None or not known:
        return {}
    return {"PIP_CONFIG_SETTINGS": f"setup-args=-Dtargets={target}"}


def _asv(
    *arguments: str,
    title: str,
    hashes: list[str] | None = None,
    environment: dict[str, str] | None = None,
) -> int:
    """Run asv under a bar of progress; its own words go to the log."""
    LOG.parent.mkdir(exist_ok=True)
    last: deque[str] = deque(maxlen=30)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}", style="dim"),
    )
    with (
        LOG.open("a", encoding="utf-8") as log,
        Progress(*columns) as progress,
        subprocess.Popen(
            [sys.executable, "-u", "-m", "asv", *arguments],
            cwd=SUITE,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        task = progress.add_task(title, total=100, now="")
        process.stdin.write("\n".join(hashes or []))
        process.stdin.close()
        for line in process.stdout:
            log.write(line)
            log.flush()
            last.append(line)
            if (found := _NEWS.match(line)) is not None:
                share, now = found.groups()
                now = now[: max(0, progress.console.width - 75)]
                progress.update(task, completed=float(share) if share else None, now=now)
        status = process.wait()
        if status in (0, _SOME_FAILED):
            progress.update(task, completed=100, now="")
    if status not in (0, _SOME_FAILED):
        raise ClickException(f"asv {arguments[0]} failed; {LOG} has all of it:\n{''.join(last)}")
    return status


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=SUITE, capture_output=True, text=True)
    if done.returncode:
        raise ClickException(f"git {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout.split()


def _shown(name: str) -> str:
    done = subprocess.run(["git", "show", name], cwd=SUITE, capture_output=True, text=True)
    return done.stdout
