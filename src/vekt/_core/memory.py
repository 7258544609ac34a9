"""How much memory of large results may wait for the next ones."""

from __future__ import annotations

import os
from collections.abc import Mapping
from reprlib import repr as shortened

from vekt._core import cgroups, environment

PARTS = 8
"""One of so many parts of the memory there is."""


def bytes_kept(environ: Mapping[str, str] = os.environ, root: str = "/") -> int:
    """Return how many bytes may wait: an eighth of the memory, none where ``VEKT_RECYCLE`` is 0.

    Parameters
    ----------
    environ : mapping of str to str
        Environment variables.
    root : str
        Where ``proc`` and ``sys`` are mounted.

    Raises
    ------
    ValueError
        If ``VEKT_RECYCLE`` is neither 0 nor 1.
    """
    choice = environment.value(environment.RECYCLE, environ) or "1"
    if choice not in {"0", "1"}:
        raise ValueError(f"{environment.RECYCLE}={shortened(choice)} must be 0 or 1")
    return int(choice) * (available(root) // PARTS)


def available(root: str = "/") -> int:
    """Return how many bytes of memory the machine has, and the cgroups allow."""
    try:
        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # a system that does not tell
        most = 1 << 30
    limits = cgroups.limits(root, "memory", ["memory.max"], ["memory.limit_in_bytes"])
    numbers = (cgroups.whole_number(words[0]) for words in limits if words)
    return min([most, *(number for number in numbers if number)])
