"""Little stack and little memory: a result or MemoryError, never a crash."""

from __future__ import annotations

import json
import sys

import pytest
from interpreters import printed, run

CALLS = """
import threading, sys, json
import numpy as np
import vekt as vk

rng = np.random.default_rng(1)
def calls_of(n):
    x = rng.normal(0, 1, (n, n))
    s = x.astype("f4")
    h = x.astype("f2")
    i = (x * 5).astype("i4")
    labels = np.arange(n) % n
    terms = vk.fuse(lambda a, b: np.where(a > b, np.exp(a) + b * 2, a * b) - a / (b * b + 1))
    summed = vk.fuse(lambda a, b: (np.exp(a) * b + a).sum(axis=0))
    spread = vk.fuse(lambda a: (a - a.mean(axis=-1, keepdims=True)).max())
    return {
        "fuse": lambda: terms(x, x.T), "fuse scalars": lambda: terms(x, 1.5),
        "fuse f4": lambda: terms(s, s[::-1]), "fuse sum": lambda: summed(x, x.T),
        "fuse mean": lambda: spread(x),
        "evaluate": lambda: vk.evaluate("a * b + exp(a) / (b * b + 1)", {"a": x, "b": x.T}),
        "gelu": lambda: vk.gelu(x), "gelu f2": lambda: vk.gelu(h[:, ::-1]),
        "gelu grad": lambda: vk.gelu_value_and_grad(i), "backward": lambda: vk.gelu_backward(x, s),
        "add": lambda: vk.add(x, h.T), "where": lambda: vk.where(x > 0, i.T, s),
        "softmax": lambda: vk.softmax(x), "softmax T": lambda: vk.softmax(h.T, axis=0),
        "logsumexp": lambda: vk.logsumexp(s, axis=0), "sparsemax": lambda: vk.sparsemax(x.T),
        "loss": lambda: vk.softmax_cross_entropy_value_and_grad(x, labels),
        "matmul": lambda: vk.matmul(x, x.T), "matmul few": lambda: vk.matmul(x[:2], x),
        "matmul f2": lambda: vk.matmul(h, h.T), "matmul i4": lambda: vk.matmul(i, i),
        "matmul c16": lambda: vk.matmul(x * 1j, x), "matvec": lambda: vk.matvec(x.T, x[0]),
        "matvec f4": lambda: vk.matvec(s, s[:, 1]), "vecmat": lambda: vk.vecmat(x[:, 0], x),
        "vecdot": lambda: vk.vecdot(x * 1j, x), "dot": lambda: vk.dot(x.ravel(), x.T.ravel()),
        "dot strided": lambda: vk.dot(x[:, 1], h[:, 0]), "outer": lambda: vk.outer(x[0], x[:, 1]),
        "tensordot": lambda: vk.tensordot(x, x, 2), "sum": lambda: vk.sum(x.T, axis=0),
        "sum i1": lambda: vk.sum(i.astype("i1"), axis=0), "mean": lambda: vk.mean(h, axis=0),
        "argmax": lambda: vk.argmax(x, axis=0), "argmax T": lambda: vk.argmax(h.T, axis=0),
        "norm": lambda: vk.norm(h, axis=0), "cosine": lambda: vk.cosine_similarity(x, x.T, axis=0),
        "transpose": lambda: vk.transpose_copy(x.T), "prelu": lambda: vk.prelu(x, x[0]),
        "prelu backward": lambda: vk.prelu_backward(x, x, x[0]),
        "dense": lambda: vk.dense(x, x, x[0], activation="gelu"),
        "dense backward": lambda: vk.dense_backward(x, x, x, z=x, activation="gelu"),
    }
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
