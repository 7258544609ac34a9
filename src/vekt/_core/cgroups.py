"""What the system allows this process: the limits of its cgroups, read as text."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator


def whole_number(text: str, most: float = math.inf) -> int | None:
    """Return a whole number of 1 to `most`; None for any other text."""
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        return None
    number = int(digits)
    return number if number <= most else None


def limits(root: str, controller: str, second: list[str], first: list[str]) -> Iterator[list[str]]:
    """Walk the words in the files of this process' groups, and of all above them.

    Parameters
    ----------
    root : str
        Where ``proc`` and ``sys`` are mounted.
    controller : str
        What the limit is of: cpu, memory.
    second, first : list of str
        Names of the files in cgroups of versions 2 and 1.
    """
    lines = _read(root, "proc/self/cgroup").splitlines()
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if not controllers:
            mount, files = "sys/fs/cgroup", second
        elif controller in controllers.split(","):
            mount, files = f"sys/fs/cgroup/{controller}", first
        else:
            continue
        for group in _with_parents(path):
            yield " ".join(_read(root, mount, group, file) for file in files).split()


def _with_parents(path: str) -> list[str]:
    """Return a group and all above it: every one of them may set a limit."""
    parts = path.strip("/").split("/")
    return ["/".join(parts[:n]) for n in range(len(parts), -1, -1)]


def _read(*path: str) -> str:
    # not pathlib: it would be a tenth of the import time of vekt
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123
            return file.read()
    except OSError:
        return ""
