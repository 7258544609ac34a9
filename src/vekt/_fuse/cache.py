"""Machine code on disk, between processes.

A file is a checksum and an object file; its name is a hash of all that it depends on.  One that is
damaged, or that another user could have written, counts as missing.  Any number of processes may
write at once: each to a file of its own, which then takes the name.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

VARIABLE = "VEKT_CACHE_DIR"


def directory() -> Path:
    """Return where files are: ``VEKT_CACHE_DIR``, else ``vekt`` in the user's cache."""
    own = os.environ.get(VARIABLE)
    if own:
        return Path(own)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "vekt"


def load(key: str) -> bytes | None:
    """Return what is kept under a key, None where nothing is that can be trusted."""
    try:
        with (directory() / key).open("rb") as file:
            status = os.fstat(file.fileno())
            if not _is_ours(status):
                return None
            content = file.read()
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return None
    digest, data = content[:32], content[32:]
    return data if hashlib.sha256(data).digest() == digest else None


def store(key: str, data: bytes) -> None:
    """Keep data under a key, if the directory can be written to."""
    try:
        home = directory()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(home.stat()):
            return
        descriptor, name = tempfile.mkstemp(prefix=f"{key}.", dir=home)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
            Path(name).replace(home / key)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError):
        return


def _is_ours(status: os.stat_result) -> bool:
    """Whether only this user could have written it."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
