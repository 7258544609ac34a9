"""How many threads this process may use: environment, CPU affinity and cgroup quota."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from reprlib import repr as shortened

from vekt._core import environment

MAX_THREADS = 1024
"""More are never started (csrc/runtime/threads.c)."""


def default_num_threads(environ: Mapping[str, str] = os.environ, root: str = "/") -> int:
    """Return the number of threads to start with.

    ``VEKT_NUM_THREADS`` decides, else ``OMP_NUM_THREADS``, else the cores that the CPU affinity
    and the CPU quota of the cgroup allow.  ``OMP_NUM_THREADS`` is meant for other programs: a
    value that is no number from 1 to 1024 is ignored.

    Parameters
    ----------
    environ : mapping of str to str
        Environment variables.
    root : str
        Where ``proc`` and ``sys`` are mounted.

    Raises
    ------
    ValueError
        If ``VEKT_NUM_THREADS`` is set but is not a whole number from 1 to 1024.
    """
    own = environment.value(environment.THREADS, environ)
    if own:
        threads = _positive_int(own)
        if threads is None:
            raise ValueError(
                f"{environment.THREADS}={shortened(own)} must be a whole number "
                f"from 1 to {MAX_THREADS}"
            )
        return threads
    openmp = (
        environment.value(environment.OPENMP_THREADS, environ).split(",")[0].strip()
    )  # "4,2": one number per level
    return _positive_int(openmp) or available_cores(root)


def available_cores(root: str = "/") -> int:
    """Return the number of cores that affinity and cgroup allow, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _cgroup_quota(root))))


def _positive_int(text: str, most: float = MAX_THREADS) -> int | None:
    """Return a whole number of 1 to `most`; None for any other text."""
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        return None
    number = int(digits)
    return number if number <= most else None


def _cgroup_quota(root: str) -> float:
    """Cores' worth of CPU time allowed by cgroups of version 1 and 2, infinite without a limit."""
    lines = _read(root, "proc/self/cgroup").splitlines()
    quota = math.inf
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if not controllers:
            mount, files = "sys/fs/cgroup", ["cpu.max"]
        elif "cpu" in controllers.split(","):
            mount, files = "sys/fs/cgroup/cpu", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        for group in _with_parents(path):
            words = " ".join(_read(root, mount, group, file) for file in files).split()
            quota = min(quota, _ratio(words))
    return quota


def _with_parents(path: str) -> list[str]:
    """Return a group and all above it: every one of them may set a limit."""
    parts = path.strip("/").split("/")
    return ["/".join(parts[:n]) for n in range(len(parts), -1, -1)]


def _ratio(words: list[str]) -> float:
    """Quota over period; infinite for "max", -1 and missing files."""
    quota, period = (
        (_positive_int(word, math.inf) for word in words) if len(words) == 2 else (None, None)
    )
    return quota / period if quota and period else math.inf


def _read(*path: str) -> str:
    # not pathlib: it would be a tenth of the import time of vekt
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123
            return file.read()
    except OSError:
        return ""
