"""Locks that a forked child finds free, whichever thread of its parent holds them."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from threading import RLock
from typing import Any
from weakref import WeakSet


class Lock:
    """A lock that one thread may take several times, for what is put together and then kept.

    What its holder has not finished must be of no harm: a forked child takes the lock all the same.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock: Any = RLock()
        _alive.add(self)

    def held(self) -> AbstractContextManager[Any]:
        """Return what holds it for a `with` block."""
        lock: AbstractContextManager[Any] = self._lock
        return lock


_alive: WeakSet[Lock] = WeakSet()


def _free() -> None:
    for lock in _alive:
        lock._lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free)
