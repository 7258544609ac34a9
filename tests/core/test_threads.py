"""Threads: limits, the environment, and the same bits for any number of them."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import threadpoolctl
from interpreters import printed
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core import native
from vekt._core.cpu_count import available_cores, default_num_threads

NAMES = sorted({kernel["name"] for kernel in native.kernels()})
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("n", [1_234_567])
def test_same_bits_for_any_number_of_threads(kernels, dtype, n, rng):
    x = rng.normal(0, 3, n).astype(dtype)
    for name in ("gelu", "leaky_relu", "gelu_value_and_grad"):
        ufunc = kernels[name]
        operands = [x] if ufunc.nin == 1 else [x, x[::-1] if n % 2 else np.array(0.25, dtype)]
        expected = None
        for threads in (1, 2, 3):
            with vk.num_threads(threads):
                result = ufunc(*operands)
            expected = result if expected is None else expected
            assert_array_equal(result, expected)
    piece = kernels["gelu"](x[n // 2 : n // 2 + 100].copy())
    assert_array_equal(kernels["gelu"](x)[n // 2 : n // 2 + 100], piece)


def test_large_in_place_and_strided(kernels, rng):
    x = rng.normal(0, 3, 5_000_000).astype("float32")
    expected = kernels["gelu"](x)
    with vk.num_threads(3):
        assert_array_equal(kernels["gelu"](x[::-2]), expected[::-2])
        assert_array_equal(kernels["gelu"](x, out=np.empty((x.size, 2), "f4")[:, 1]), expected)
        kernels["gelu"](x, out=x)
    assert_array_equal(x, expected)


@pytest.mark.parametrize("name", ["relu", "relu_backward", "relu_value_and_grad"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_outputs_in_used_memory(kernels, name, dtype, rng):
    """Light kernels write these past the cache; alignment and neighbours are no concern of it."""
    ufunc = kernels[name]
    n = (16 << 20) // np.dtype(dtype).itemsize + 7
    operands = [rng.normal(0, 3, n).astype(dtype) for _ in range(ufunc.nin)]
    expected = ufunc(*operands)
    for offset in (0, 1, 5):
        memory = [np.full(n + 8, 9, dtype) for _ in range(ufunc.nout)]
        out = tuple(m[offset : offset + n] for m in memory)
        with vk.num_threads(1 + offset % 3):
            ufunc(*operands, out=out)
        assert_array_equal(np.array(out), np.array(expected).reshape(ufunc.nout, n))
        assert all((m[:offset] == 9).all() and (m[offset + n :] == 9).all() for m in memory)


@pytest.mark.parametrize("name", ["gelu", "leaky_relu", "gelu_value_and_grad"])
@pytest.mark.parametrize("shift", [-1000, -1, 1, 1000])
def test_large_overlap(kernels, name, shift, rng):
    """An out that overlaps its input, shifted by less than any thread's share."""
    ufunc = kernels[name]
    n = 1_000_000
    memory = rng.normal(0, 3, n + abs(shift))
    first, second = memory[abs(shift) :], memory[: -abs(shift)]
    x, out = (first, second) if shift > 0 else (second, first)
    rest = [np.full(n, 0.25)] * (ufunc.nin - 1)
    expected = ufunc(x.copy(), *rest)
    with vk.num_threads(3):
        if ufunc.nout == 1:
            assert_array_equal(ufunc(x, *rest, out=out), expected)
        else:
            value, gradient = ufunc(x, *rest, out=(out, None))
            assert_array_equal(value, expected[0])
            assert_array_equal(gradient, expected[1])


def test_limits(set_threads):
    set_threads(3)
    assert vk.get_num_threads() == 3
    with vk.num_threads(2):
        assert vk.get_num_threads() == 2
        with vk.num_threads(5):
            assert vk.get_num_threads() == 5
        assert vk.get_num_threads() == 2
        set_threads(4)
        assert vk.get_num_threads() == 2
    assert vk.get_num_threads() == 4
    with pytest.raises(KeyError), vk.num_threads(1):
        raise KeyError
    assert vk.get_num_threads() == 4


def test_num_threads_holds_for_this_thread_only(set_threads):
    set_threads(3)
    seen = []
    with vk.num_threads(1):
        other = threading.Thread(target=lambda: seen.append(vk.get_num_threads()))
        other.start()
        other.join()
    assert seen == [3]


@pytest.mark.parametrize(
    ("n", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (1.5, TypeError),
        ("2", TypeError),
        (None, TypeError),
        (2**40, ValueError),
    ],
)
def test_bad_numbers(n, error):
    before = vk.get_num_threads()
    with pytest.raises(error):
        vk.set_num_threads(n)
    with pytest.raises(error), vk.num_threads(n):
        pass
    assert vk.get_num_threads() == before


def test_the_count_changes_both_ways_while_others_compute(set_threads, rng):
    """Concurrent callers, of whom one holds the pool at a time, all get their results."""
    x = rng.normal(0, 3, 700_000)
    expected = vk.gelu(x)
    wrong = []

    def compute(seed: int) -> None:
        for count in np.random.default_rng(seed).integers(1, 6, 15):
            vk.set_num_threads(int(count))
            if not np.array_equal(vk.gelu(x), expected):
                wrong.append(seed)

    callers = [threading.Thread(target=compute, args=(seed,)) for seed in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells of all threads")
def test_workers_may_run_wherever_the_caller_may(rng):
    """Those that met it on its processor have left it, and are as free as before."""
    x = rng.normal(0, 3, 1_000_000).astype("float32")
    with vk.num_threads(4 * CORES):
        for _ in range(20):
            vk.gelu(x, out=x)
    allowed = os.sched_getaffinity(0)
    threads = [int(path.name) for path in Path("/proc/self/task").iterdir()]
    deadline = monotonic() + 5  # the last of them may be on its way
    while any(os.sched_getaffinity(thread) != allowed for thread in threads):
        assert monotonic() < deadline
        sleep(0.001)


def test_threads_are_kept_up_to_the_limit_and_small_work_wakes_none():
    script = """
import os, json, time, numpy as np, vekt as vk
def threads(expected=None):
    number = lambda: len(os.listdir("/proc/self/task"))
    deadline = time.monotonic() + 20  # those that end may be on their way
    while expected and number() != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return number()
vk.set_num_threads(3)
counts = [threads()]
vk.sigmoid(np.ones(1000)); vk.dot(np.ones(1000), np.ones(1000)); counts.append(threads())
x = np.ones(4_000_000)
for _ in range(3): vk.sigmoid(x); vk.dot(x, x)
counts.append(threads())
expected = vk.sigmoid(x)
for limit in (2, 1, 3, 40, 2, 5):
    vk.set_num_threads(limit)
    counts.append(threads(counts[0] + limit - 1 if limit < 3 else None))
    for _ in range(3): assert (vk.sigmoid(x) == expected).all()
with vk.num_threads(4):  # for some lines: the limit of the process says how many stay
    for _ in range(3): vk.sigmoid(x)
counts.append(threads())
print(json.dumps(counts))
"""
    if not Path("/proc/self/task").exists():
        return
    # Nothing waits for the next result: there is a thread for that.
    start, *more = (int(n) for n in json.loads(printed(script, VEKT_RECYCLE="0")))
    assert [n - start for n in more] == [0, 2, 1, 0, 0, 2, 1, 1, 4]


class TestDefault:
    """VEKT_NUM_THREADS, else OMP_NUM_THREADS, else affinity and cgroup."""

    @pytest.mark.parametrize(
        ("environment", "expected"),
        [
            ({"VEKT_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}, 3),
            ({"VEKT_NUM_THREADS": "", "OMP_NUM_THREADS": "2"}, 2),
            ({"OMP_NUM_THREADS": "4,2"}, 4),
            ({"OMP_NUM_THREADS": "0"}, CORES),
            ({"OMP_NUM_THREADS": "many"}, CORES),
            ({"OMP_NUM_THREADS": "-3"}, CORES),
            ({"OMP_NUM_THREADS": "1e9"}, CORES),
            ({"OMP_NUM_THREADS": "1025"}, CORES),
            ({"OMP_NUM_THREADS": "99999999999"}, CORES),
            ({"OMP_NUM_THREADS": "9" * 5000}, CORES),
            ({"OMP_NUM_THREADS": "0007"}, 7),
            ({"VEKT_NUM_THREADS": "1024", "OMP_NUM_THREADS": "99999999999"}, 1024),
            ({}, CORES),
        ],
    )
    def test_environment(self, environment, expected, tmp_path):
        assert default_num_threads(environment, str(tmp_path)) == expected

    @pytest.mark.parametrize("value", ["0", "-2", "two", "1.5", "1025", "99999999999", "9" * 5000])
    def test_bad_value(self, value):
        with pytest.raises(ValueError, match="VEKT_NUM_THREADS"):
            default_num_threads({"VEKT_NUM_THREADS": value})

    def test_at_import(self):
        script = "import vekt; print(vekt.get_num_threads())"
        assert printed(script, VEKT_NUM_THREADS="7").strip() == "7"

    @pytest.mark.parametrize(
        ("files", "expected"),
        [
            ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "100000 100000\n"}, 1),
            (
                {
                    "proc/self/cgroup": "0::/a/b\n",
                    "sys/fs/cgroup/a/cpu.max": "50000 100000\n",
                    "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
                },
                1,
            ),
            ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, CORES),
            ({"proc/self/cgroup": "0::/gone\n", "sys/fs/cgroup/cpu.max": "90000 100000\n"}, 1),
            (
                {
                    "proc/self/cgroup": "3:cpu,cpuacct:/x\n0::/y\n",
                    "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "20000\n",
                    "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
                },
                1,
            ),
            (
                {
                    "proc/self/cgroup": "3:cpu,cpuacct:/x\n",
                    "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "-1\n",
                    "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
                },
                CORES,
            ),
            ({}, CORES),
        ],
    )
    def test_cgroup(self, files, expected, tmp_path):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert available_cores(str(tmp_path)) == expected

    def test_affinity(self):
        if not hasattr(os, "sched_setaffinity"):
            return
        script = (
            "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
            "import vekt; print(vekt.get_num_threads())"
        )
        assert printed(script, VEKT_NUM_THREADS="", OMP_NUM_THREADS="").strip() == "1"


class TestThreadpoolctl:
    """The pool shows up in threadpoolctl and obeys its limits."""

    def test_limits(self, set_threads):
        vk.threading.register_threadpoolctl()
        vk.threading.register_threadpoolctl()
        set_threads(3)
        (pool,) = [p for p in threadpoolctl.threadpool_info() if p["internal_api"] == "vekt"]
        assert pool["num_threads"] == 3
        assert pool["user_api"] == "vekt"
        with threadpoolctl.threadpool_limits(1):
            assert vk.get_num_threads() == 1
        with threadpoolctl.threadpool_limits(2, user_api="vekt"):
            assert vk.get_num_threads() == 2
        assert vk.get_num_threads() == 3

    @pytest.mark.parametrize(
        ("script", "expected"),
        [
            ("import threadpoolctl, vekt", "True"),
            ("import vekt, threadpoolctl", "False"),
            ("import vekt, threadpoolctl; vekt.threading.register_threadpoolctl()", "True"),
        ],
    )
    def test_registration(self, script, expected):
        script += "\nprint('vekt' in [p['user_api'] for p in threadpoolctl.threadpool_info()])"
        assert printed(script).strip() == expected


@pytest.mark.parametrize("form", ["power", "out", "where", "fused", "evaluate"])
def test_exponents_that_another_thread_makes_negative(form):
    n = np.full(200_000, 2)
    fused = vk.fuse(lambda a, b: a**b)
    call = {
        "power": lambda: vk.power(n, n),
        "out": lambda: vk.power(n, n, out=np.zeros_like(n)),
        "where": lambda: vk.power(n, n, where=n > 0, out=np.zeros_like(n)),
        "fused": lambda: fused(n, n),
        "evaluate": lambda: vk.evaluate("a**b", {"a": n, "b": n}),
    }[form]
    done = threading.Event()

    def spoil():
        while not done.is_set():
            n[:] = -1
            n[:] = 2

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        end = monotonic() + 1
        while monotonic() < end:
            with suppress(ValueError):
                call()
    finally:
        done.set()
        thread.join()
