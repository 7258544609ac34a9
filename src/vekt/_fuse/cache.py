"""Machine code on disk, between processes.

A file is a checksum and an object file.  The checksum is keyed with the hash of all that the code
depends on, so that a file under another name, or a link to one, counts as damaged.  What is
damaged, is no plain file, or could have been written by another user counts as missing, and is made
anew.  Any number of processes may write at once: each to a file of its own, which then takes the
name.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from vekt._core import environment

MOST_BYTES = 64 << 20
"""When there is more, the files that were used last stay, three quarters of it."""

_DIGEST_BYTES = 32
_ABANDONED = 3600  # seconds after which what a writer left has none any more
_MISSING = (OSError, RuntimeError)  # the latter for a user without a home, as of Path.home
# A name that is a link is not followed, one of a pipe is not waited for.
_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _FLAGS |= vars(os).get(_name, 0)


def directory() -> Path:
    """Return where files are: ``VEKT_CACHE_DIR``, else ``vekt`` in the user's cache."""
    own = environment.value(environment.CACHE)
    if own:
        return Path(own)
    caches = Path(environment.value(environment.USERS_CACHE))
    if not caches.is_absolute():
        caches = Path.home() / ".cache"
    if not caches.is_absolute():
        raise RuntimeError("no home")
    return caches / "vekt"


def load(key: str) -> bytes | None:
    """Return what is kept under a key, None where nothing is that can be trusted.

    Parameters
    ----------
    key : str
        64 hexadecimal digits: the hash of all that the data depend on.
    """
    with suppress(*_MISSING):
        home = directory()
        if not _is_ours(home.stat()):
            return None
        descriptor = os.open(home / key, _FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not (stat.S_ISREG(status.st_mode) and _is_ours(status)):
                return None
            if status.st_size > MOST_BYTES:
                return None
            content = file.read()
            if os.utime in os.supports_fd:
                os.utime(descriptor)  # it was used
        digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if digest != _digest(key, data):
            return None
        return data
    return None


def store(key: str, data: bytes) -> None:
    """Keep data under a key, if the directory can be written to."""
    with suppress(*_MISSING):
        home = directory()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(home.stat()):
            return
        descriptor, name = tempfile.mkstemp(prefix=f"{key}.", dir=home)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_digest(key, data) + data)
            Path(name).replace(home / key)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _prune(home)


def _digest(key: str, data: bytes) -> bytes:
    keyed = hashlib.blake2b(data, digest_size=_DIGEST_BYTES, key=bytes.fromhex(key))
    return keyed.digest()


def _prune(home: Path) -> None:
    """Remove what has not been used for longest, and what writers have left."""
    now, kept = time.time(), []
    for entry in os.scandir(home):
        with suppress(OSError):  # another process may be removing, too
            status = entry.stat(follow_symlinks=False)
            if entry.name[64:65] == "." and now - status.st_mtime > _ABANDONED:
                Path(entry.path).unlink()
            elif _is_key(entry.name) and stat.S_ISREG(status.st_mode):
                kept.append((status.st_mtime, status.st_size, entry.path))
    if sum(size for _, size, _ in kept) <= MOST_BYTES:
        return
    total = 0
    for _, size, path in sorted(kept, reverse=True):
        total += size
        if total > MOST_BYTES * 3 // 4:
            with suppress(OSError):
                Path(path).unlink()


def _is_key(name: str) -> bool:
    return len(name) == 64 and not name.strip("0123456789abcdef")


def _is_ours(status: os.stat_result) -> bool:
    """Whether only this user could have written it."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
