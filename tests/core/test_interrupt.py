"""Ctrl-C ends long calls: a part of `out` stays as it was, and the next call is none the worse."""

from __future__ import annotations

import json
import sys

import pytest
from interpreters import printed

SCRIPT = """
import json, signal
import numpy as np
import vekt as vk
from vekt._core import native

native.watch_signals(0.001)  # so that arrays need not be large
vk.set_num_threads(THREADS)
handled = 0

def handler(number, frame):
    global handled
    handled += 1
    # Python code may run here, with calls of its own in the midst of another one.
    assert vk.sum(vk.gelu(small @ small.T)) > 0
    vk.matmul(small.astype("f4"), small.astype("f4").T)
    if raises:
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, handler)
rng = np.random.default_rng(0)
small = rng.uniform(size=(50, 50))
x = rng.normal(size=(2000, 4000))
alpha = np.full(4000, 0.25)
s, n = x.astype("f4"), (x * 9).astype("i8")
far = np.lib.stride_tricks.as_strided(x, (300, 2000, 4000), (0, 32000, 8))  # long, but no memory
terms = vk.fuse(lambda a: np.exp(a) * np.sin(a) + a * a)
calls = {
    "ufunc": lambda out: [vk.silu(x, out=out) for _ in range(9)],
    "ufunc of integers": lambda out: [vk.silu(n, out=out) for _ in range(9)],
    "function": lambda out: [vk.log1mexp_backward(x, -x - 9, out=out) for _ in range(9)],
    "parameters": lambda out: [vk.elu(x, 0.3, out=out) for _ in range(9)],
    "elementwise": lambda out: [vk.add(x, x[0], out=out) for _ in range(99)],
    "prelu": lambda out: [vk.prelu(x, alpha) for _ in range(99)],
    "gate": lambda out: [vk.glu(x) for _ in range(9)],
    "rows": lambda out: [vk.softmax(x, axis=0, out=out) for _ in range(9)],
    "loss": lambda out: [vk.softmax_cross_entropy(x, np.zeros(2000, int)) for _ in range(9)],
    "fused": lambda out: [terms(x, out=out) for _ in range(9)],
    "fused gradient": lambda out: [terms.value_and_grad(x) for _ in range(9)],
    "evaluate": lambda out: [vk.evaluate("a * a + exp(a)", {"a": x}, out=out) for _ in range(9)],
    "sum": lambda out: vk.sum(far),
    "argmax": lambda out: vk.argmax(far, axis=1),
    "norm": lambda out: vk.norm(far),
    "dot": lambda out: [vk.dot(x.ravel(), x.ravel()) for _ in range(99)],
    "matmul": lambda out: [vk.matmul(x, x.T) for _ in range(4)],
    "matmul of integers": lambda out: vk.matmul(n[:, :600], n[:600]),
    "stack": lambda out: vk.matmul(far[:, :50], x.T[:, :50]),
    "dense": lambda out: [vk.dense(s, s.T, activation="gelu") for _ in range(9)],
    "transpose": lambda out: [vk.transpose_copy(x) for _ in range(99)],
    "top_k": lambda out: vk.top_k(far[0], 9),
    "take": lambda out: [vk.take(x, np.arange(2000), 0) for _ in range(99)],
    "scatter_add": lambda out: [vk.scatter_add(x.copy(), np.arange(2000), x) for _ in range(99)],
    "outer": lambda out: [vk.outer(x[0], x[1]) for _ in range(99)],
}
report = {}
for name, call in calls.items():
    raises, ended = True, 0
    for _ in range(20):
        out = np.full(x.shape, -7.0)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            call(out)
        except KeyboardInterrupt:
            ended += 1
            break
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    raises, former = False, handled
    expected = vk.silu(x[:300])
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.002)
    same = all(np.array_equal(vk.silu(x[:300]), expected) for _ in range(5))
    signal.setitimer(signal.ITIMER_REAL, 0)
    report[name] = [ended, same]

# The call itself ends, not the loop around it: there is more than it could do in the time.
left = 0
for _ in range(20):
    out = np.full((8000, 4000), -7.0)
    big = np.broadcast_to(x, (4, 2000, 4000)).reshape(8000, 4000)
    raises = True
    signal.setitimer(signal.ITIMER_REAL, 0.005)
    try:
        vk.log1mexp(big, out=out)
    except KeyboardInterrupt:
        left += int((out == -7.0).sum())
    signal.setitimer(signal.ITIMER_REAL, 0)
print(json.dumps([report, left]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no interval timers there")
@pytest.mark.parametrize("threads", [1, 2])
def test_calls_end_early(threads: int) -> None:
    report, left = json.loads(printed(SCRIPT.replace("THREADS", str(threads))))
    assert len(report) > 20
    assert {name: [1, True] for name in report} == report
    assert left > 0


def test_other_threads_do_not_watch() -> None:
    """Python runs handlers in the main thread alone."""
    script = """
import threading, numpy as np
made = []
def work():
    import vekt as vk
    made.append(vk.gelu(np.ones(3_000_000))[-1])
thread = threading.Thread(target=work)
thread.start(); thread.join()
import vekt as vk
print(made[0] == vk.gelu(1.0))
"""
    assert printed(script).strip() == "True"
