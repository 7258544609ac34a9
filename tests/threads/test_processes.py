"""Children of every kind compute what their parents do, whatever those are doing meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Two threads keep the pool and the caches busy: one with kernels, one with functions to be traced.
BUSY = """
import itertools, os, sys, threading
import numpy as np
import vekt as vk

vk.set_num_threads(3)
x = np.linspace(-5, 5, 1_000_000)
terms = vk.fuse(lambda a, b: np.exp(a) * b + vk.mish(a))

def computed(i):
    y = x[i:]
    return [
        float(vk.sum(vk.gelu(y))), float(vk.dot(y, y)), float(vk.sum(terms(y, 2.0))),
        float(vk.evaluate("sum(a * a)", {"a": y})), float(vk.softmax(y)[0]),
        float(terms.value_and_grad(y[:9], 1.0)[1][1]),
    ]

stop = threading.Event()

def compute():
    while not stop.is_set():
        vk.gelu(x)
        vk.matmul(x[:250_000].reshape(500, 500), x[:250_000].reshape(500, 500))

def trace():
    for k in itertools.count():
        if stop.is_set():
            return
        vk.fuse(lambda a: a * k + vk.gelu(a))(x[:9])
        terms(x[:9].reshape(3, 1, 3)[:, :, : 1 + k % 3], 1.5)
        vk.evaluate(f"a + {k}", {"a": x[:9]})

if __name__ == "__main__":
    here = [computed(i) for i in range(4)]
    threads = [threading.Thread(target=work) for work in (compute, trace)]
    for thread in threads:
        thread.start()
    try:
        there = run()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert there == here, (there, here)
    assert [computed(i) for i in range(4)] == here
"""

POOL = """
def run():
    import multiprocessing
    with multiprocessing.get_context(METHOD).Pool(2) as pool:
        return pool.map(computed, range(4))
"""

LOKY = """
def run():
    import joblib
    with joblib.parallel_config(backend="loky"):
        return joblib.Parallel(2)(joblib.delayed(computed)(i) for i in range(4))
"""

DASK = """
def run():
    import dask
    return list(dask.compute(*map(dask.delayed(computed), range(4)), scheduler=METHOD))
"""

FORK = """
def run():
    here = []
    for i in range(4):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writing, repr(computed(i)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as file:
            here.append(eval(file.read()))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return here
"""

WAYS = {
    "os.fork": FORK,
    "fork": POOL.replace("METHOD", "'fork'"),
    "forkserver": POOL.replace("METHOD", "'forkserver'"),
    "spawn": POOL.replace("METHOD", "'spawn'"),
    "loky": LOKY,
    "dask threads": DASK.replace("METHOD", "'threads'"),
    "dask processes": DASK.replace("METHOD", "'processes'"),
}


def run(script: str, tmp_path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a file, as spawned children want to import it."""
    path = tmp_path / "parent.py"
    path.write_text(script)
    ignored = "ignore:This process.*is multi-threaded:DeprecationWarning"  # fork in CPython 3.12
    return subprocess.run(
        [sys.executable, "-W", ignored, path], capture_output=True, text=True, timeout=timeout
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("way", WAYS)
def test_children_of_a_busy_parent(way, tmp_path):
    done = run(WAYS[way] + BUSY, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.stress
@pytest.mark.parametrize("way", WAYS)
def test_many_children_of_a_busy_parent(way, tmp_path):
    for _ in range(20):
        test_children_of_a_busy_parent(way, tmp_path)


HELD = """
import os, signal, threading, time
import numpy as np
import vekt as vk

x = np.linspace(-3, 3, 9)
tracing = threading.Event()
slow = True

def function(a):
    tracing.set()
    if slow:
        time.sleep(0.3)
    return CALLED

f = vk.fuse(function)
expected = x * 2 + vk.gelu(x)

def first():
    CALL

thread = threading.Thread(target=first)
thread.start()
tracing.wait()
pid = os.fork()
if pid == 0:
    signal.alarm(30)  # a lock that nobody is there to release
    slow = False
    os._exit(not np.array_equal(f(x), expected))
thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize(
    "call", ["f(x)", "f.value_and_grad(x)", "f.explain()", "f(x[:2], dtype='f4')"]
)
def test_a_child_forked_while_a_function_is_traced(call, tmp_path):
    script = HELD.replace("CALLED", "a * 2 + vk.gelu(a)").replace("CALL", call)
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


EXIT = """
import atexit, sys, threading, time
import numpy as np
import vekt as vk

vk.set_num_threads(3)
x = np.linspace(-5, 5, 3_000_000)
square = x[:1_000_000].reshape(1000, 1000)
terms = vk.fuse(lambda a: np.exp(a) * np.sin(a) + a)
terms(x)
started = threading.Semaphore(0)

def work(call):
    call()
    started.release()
    while True:
        call()

calls = [
    lambda: vk.gelu(x), lambda: vk.matmul(square, square), lambda: terms(x),
    lambda: vk.softmax(square, axis=0), lambda: vk.sum(square, axis=0),
    lambda: vk.evaluate("a * a", {"a": x}), lambda: vk.dense(square, square, activation="gelu"),
    lambda: vk.gelu(x[:9]), lambda: terms.value_and_grad(x[:9]),
]
for call in calls:
    threading.Thread(target=work, args=(call,), daemon=True).start()
for call in calls:
    started.acquire()
WAY
"""
LEAVING = {
    "end": "",
    "sys.exit": "sys.exit(0)",
    "in atexit": "atexit.register(lambda: vk.gelu(x))",
    "in __del__": "class A:\n    def __del__(self, f=vk.gelu, x=x): f(x)\na = A()",
    "later": "time.sleep(0.3)",
}


@pytest.mark.parametrize("way", LEAVING)
def test_the_interpreter_ends_while_threads_compute(way, tmp_path):
    done = run(EXIT.replace("WAY", LEAVING[way]), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.stress
@pytest.mark.parametrize("way", LEAVING)
def test_the_interpreter_ends_many_times(way, tmp_path):
    for _ in range(50):
        test_the_interpreter_ends_while_threads_compute(way, tmp_path)
