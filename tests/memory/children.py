"""Modules of tests in processes of their own, which a wrong call may end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent


def ended(trace: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in tests/ to its end; it keeps the name of the call under way in `trace`."""
    return subprocess.run(
        [sys.executable, *arguments, "--trace", str(trace)],
        cwd=TESTS,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def died(process: subprocess.CompletedProcess[str]) -> bool:
    """Tell whether it was killed, by a signal or by a sanitizer."""
    return process.returncode < 0 or "Sanitizer" in process.stderr


def succeeds(capsys: Any, trace: Path, *arguments: str, **environment: str) -> None:
    """Run a module, which must find nothing, and print its last line."""
    process = ended(trace, "-m", *arguments, **environment)
    said = f"{process.stdout[-2000:]}{process.stderr[-4000:]}"
    if died(process):
        pytest.fail(f"exit {process.returncode} in {trace.read_text().strip()}\n{said}")
    assert process.returncode == 0, said
    with capsys.disabled():
        print("\n" + process.stdout.splitlines()[-1], end="")
