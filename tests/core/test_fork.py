"""A forked child finishes its own threaded work, whatever its parent was doing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys, threading
import numpy as np
import vekt as vk
from vekt._core import native

vk.set_num_threads(3)
native.keep_results(0)  # what waits has a thread, too
x = np.linspace(-5, 5, 2_000_000)
expected = vk.gelu(x)
total = vk.dot(x, x)

def check():
    assert np.array_equal(vk.gelu(x), expected)
    assert vk.dot(x, x) == total

def child():
    check()
    if hasattr(os, "listdir") and os.path.isdir("/proc/self/task"):
        assert len(os.listdir("/proc/self/task")) == 3  # it has a pool of its own

def fork(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""

AFTER_WORK = """
fork(child)
check()
"""

GRANDCHILD = """
def parent_of_another():
    child()
    fork(child)
fork(parent_of_another)
check()
"""

DURING_WORK = """
stop = threading.Event()
def busy():
    while not stop.is_set():
        check()
worker = threading.Thread(target=busy)
worker.start()
for _ in range(20):
    fork(child)
stop.set()
worker.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("situation", [AFTER_WORK, GRANDCHILD, DURING_WORK])
def test_child_computes(situation):
    ignored = "ignore:This process.*is multi-threaded:DeprecationWarning"  # fork in CPython 3.12
    subprocess.run(
        [sys.executable, "-W", ignored, "-c", SCRIPT + situation], check=True, timeout=120
    )


POOL = """
import multiprocessing
import numpy as np
import vekt as vk

vk.set_num_threads(2)
x = np.linspace(-5, 5, 2_000_000)

def work(i):
    return float(vk.gelu(x + i).sum())

if __name__ == "__main__":
    here = [work(i) for i in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(work, range(4)) == here
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_multiprocessing(tmp_path):
    path = tmp_path / "pool.py"
    path.write_text(POOL)
    subprocess.run([sys.executable, path], check=True, timeout=120)


HELD = """
import threading
from vekt import upcasts
from vekt._core import syntax

def first():
    with upcasts._lock.held(), syntax._alone.held():
        held.set()
        done.wait()

def child():
    with vk.warn_upcasts():
        assert vk.evaluate("x + 1", {"x": 1.0}) == 2

held, done = threading.Event(), threading.Event()
thread = threading.Thread(target=first)
thread.start()
held.wait()
fork(child)
done.set()
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_finds_locks_free():
    test_child_computes(HELD)
