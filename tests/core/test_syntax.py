"""Text becomes trees in many threads, while others are in the middle of theirs."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import vekt as vk
from vekt._core.syntax import expression, module
from vekt._fuse.parse import compiled

DEEP = "-" * 40 + "(" * 20 + "a" + ")" * 20


@pytest.fixture
def interrupted() -> Iterator[None]:
    """Have the garbage collector let other threads run, which it does within a tree."""

    def others(*_: Any) -> None:
        time.sleep(1e-4)

    former, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.callbacks.append(others)
    gc.set_threshold(5)
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*former)
    gc.callbacks.remove(others)


@pytest.mark.parametrize(
    "read",
    [
        lambda k: expression(f"{DEEP} + {k}"),
        lambda k: module(f"{DEEP} + {k}"),
        lambda k: compiled(f"a * {DEEP} + {k}"),
        lambda k: vk.evaluate(f"a + {DEEP} + {k}", {"a": 1.0}),
    ],
    ids=["expression", "module", "compiled", "evaluate"],
)
def test_trees_of_many_threads(read: Callable[[int], Any], interrupted: None) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert all(x is not None for x in pool.map(read, range(64)))
