"""How many threads this process may use: environment, CPU affinity and cgroup quota."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from reprlib import repr as shortened

from vekt._core import cgroups, environment

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
        threads = cgroups.whole_number(own, MAX_THREADS)
        if threads is None:
            raise ValueError(
                f"{environment.THREADS}={shortened(own)} must be a whole number "
                f"from 1 to {MAX_THREADS}"
            )
        return threads
    openmp = (
        environment.value(environment.OPENMP_THREADS, environ).split(",")[0].strip()
    )  # "4,2": one number per level
    return cgroups.whole_number(openmp, MAX_THREADS) or available_cores(root)


def available_cores(root: str = "/") -> int:
    """Return the number of cores that affinity and cgroup allow, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _cgroup_quota(root))))


def _cgroup_quota(root: str) -> float:
    """Cores' worth of CPU time allowed by cgroups of version 1 and 2, infinite without a limit."""
    limits = cgroups.limits(root, "cpu", ["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"])
    return min((_ratio(words) for words in limits), default=math.inf)


def _ratio(words: list[str]) -> float:
    """Quota over period; infinite for "max", -1 and missing files."""
    quota, period = (
        (cgroups.whole_number(word) for word in words) if len(words) == 2 else (None, None)
    )
    return quota / period if quota and period else math.inf
