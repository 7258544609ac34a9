"""Little stack and little memory: a result or MemoryError, never a crash."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from interpreters import printed, run

CALLS = f"""
import threading, sys, json
import numpy as np
import vekt as vk
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from calls import calls_of
"""

THREADS = """
vk.set_num_threads(2)
calls = {(name, n): call for n in (3, 70, 700) for name, call in calls_of(n).items()}
def same(a, b):
    if isinstance(a, tuple):
        return all(map(same, a, b))
    return np.array_equal(a, b)
wrong = []
for name, call in calls.items():
    expected = call()
    found = []
    threading.stack_size(STACK)
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    threading.stack_size(0)
    if not same(found[0], expected):
        wrong.append(name)
print(json.dumps([len(calls), wrong]))
"""


def test_threads_with_small_stacks():
    """128 KiB, of which Python and NumPy take their share."""
    script = CALLS + THREADS.replace("STACK", str(128 << 10))
    count, wrong = json.loads(printed(script))
    assert count > 100
    assert not wrong


MEMORY = """
import resource
vk.set_num_threads(1)
for call in calls_of(8).values():  # all modules are there, and what is compiled
    call()
everything = calls_of(300)
warm = np.ones(10)
page = resource.getpagesize()
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * page
left = LEFT
ended = {"ran": 0, "refused": 0}
def work():
    for name, call in everything.items():
        resource.setrlimit(resource.RLIMIT_AS, (used + left, resource.RLIM_INFINITY))
        try:
            call()
            ended["ran"] += 1
        except MemoryError:
            ended["refused"] += 1
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
# A stack that is there as a whole: the first one grows, and a process whose stack cannot ends.
threading.stack_size(1 << 20)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(json.dumps(ended))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits what is mapped")
@pytest.mark.parametrize("kibibytes", [0, 64, 256, 512, 1024, 2048, 4096, 16384, 65536])
def test_memory_ends(kibibytes):
    done = run(CALLS + MEMORY.replace("LEFT", str(kibibytes << 10)), check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    ended = json.loads(done.stdout)
    assert sum(ended.values()) > 30
    if kibibytes >= 65536:
        assert not ended["refused"]
