"""Scripts in a new interpreter, with warnings as errors."""

from __future__ import annotations

import os
import subprocess
import sys


def run(script: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with these environment variables on top of this process's."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, **environment},
        check=check,
        capture_output=True,
        text=True,
        timeout=120,
    )


def printed(script: str, **environment: str) -> str:
    """Run a script that must succeed, and return what it printed."""
    return run(script, **environment).stdout
