"""The environment variables that vekt reads, all of them, and no other file reads any."""

from __future__ import annotations

import os
from collections.abc import Mapping

ISA = "VEKT_ISA"
MACHINE = "VEKT_MACHINE"
THREADS = "VEKT_NUM_THREADS"
OPENMP_THREADS = "OMP_NUM_THREADS"
RECYCLE = "VEKT_RECYCLE"
CACHE = "VEKT_CACHE_DIR"
USERS_CACHE = "XDG_CACHE_HOME"

VARIABLES = {
    ISA: "caps the instruction set: one of this build's; anything else is an error",
    MACHINE: "pretends another processor's caches: a name that is known; anything else is an error",
    THREADS: "threads of a call, 1 to 1024; anything else is an error",
    OPENMP_THREADS: "the same where the former says nothing; other values are ignored",
    RECYCLE: "0 gives memory of results back at once, 1 does not; anything else is an error",
    CACHE: "folder for compiled code; one that cannot be written to is ignored",
    USERS_CACHE: "where that folder is by default; other than absolute paths are ignored",
}
"""What each of them says; for all, being empty is being absent."""


def value(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return what a variable says, without white space around it; "" where it says nothing."""
    if name not in VARIABLES:
        raise KeyError(f"{name} is not among the variables that vekt reads")
    return environ.get(name, "").strip()
