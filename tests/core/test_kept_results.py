"""Memory of large results waits for the next ones, within bounds, and not for long."""

from __future__ import annotations

import os
import threading
import time
import tracemalloc
import warnings
from contextlib import suppress
from itertools import islice
from textwrap import dedent

import numpy as np
import pytest
from interpreters import printed
from memory.calls import MAKERS
from operands import several

import vekt as vk
from vekt._core import memory, native
from vekt._core.memory import bytes_kept

handler_of = np._core.multiarray.get_handler_name  # type: ignore[attr-defined]
BLOCKS, NUMPYS = "vekt_blocks", "default_allocator"
N = 40_000
LARGE = 1 << 17
SQUARES = {"matmul", "einsum", "tensordot", "dense", "dense_backward", "broadcast_to"}
# NumPy makes these itself: losses times weights, and what a mask or a condition leaves.
CROSS_ENTROPY = {"softmax_cross_entropy", "softmax_cross_entropy_value_and_grad"}
NUMPYS_OWN = {*CROSS_ENTROPY, "mean", "max", "min", "where", "one_hot", "take"}


@pytest.fixture(autouse=True)
def kept():
    """Nothing waits, and as much may as by default."""
    native.keep_results(0)
    native.keep_results(1 << 30)
    yield
    native.keep_results(bytes_kept())


def owner(x):
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def large_results(name):
    """Return the memory of large results of a few calls, but for operands'."""
    calls = MAKERS[name](300 if name in SQUARES else N, np.dtype("f8"))
    for function, args, options in islice(calls, 6):
        given = [owner(a) for a in args if isinstance(a, np.ndarray)]
        results = ()
        with suppress(TypeError), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong or unwise is among the calls
            results = several(function(*args, **options))
        for made in (owner(result) for result in results if isinstance(result, np.ndarray)):
            if made.nbytes >= LARGE and all(made is not a for a in given):
                yield made


@pytest.mark.parametrize(
    "name", [name for name in MAKERS if "." not in name and name not in NUMPYS_OWN]
)
def test_large_results_of_every_function_are_of_blocks(name):
    assert {handler_of(x) for x in large_results(name)} <= {BLOCKS}


def test_some_functions_have_large_results():
    for name in ("gelu", "exp", "softmax", "matmul", "outer", "einsum", "fuse"):
        assert list(large_results(name))


@pytest.mark.parametrize("call", [vk.gelu, vk.exp, vk.ufuncs.gelu, lambda x: vk.add(x, x.T)])
def test_memory_of_the_former_result_is_taken_again(call):
    x = np.ones((300, 300))
    first = call(x)
    address, expected = first.ctypes.data, first.copy()
    del first
    again = call(x)
    assert again.ctypes.data == address
    assert np.array_equal(again, expected)


def test_small_results_are_numpys():
    assert handler_of(vk.gelu(np.ones(LARGE // 8 - 1))) == NUMPYS
    assert handler_of(vk.gelu(np.ones(LARGE // 8))) == BLOCKS


def test_results_begin_at_lines():
    for n in (LARGE, LARGE + 1, 10**6, 3 * 10**6):
        assert vk.relu(np.ones(n, "f4")).ctypes.data % 64 == 0


def test_what_waits_is_bounded():
    native.keep_results(10 << 20)
    results = [vk.relu(np.ones(1 << 18)) for _ in range(9)]  # 2 MiB each
    assert native.kept_results() == 0
    while results:
        results.pop()
        assert native.kept_results() <= 10 << 20
    assert native.kept_results() > 4 << 20
    vk.relu(np.ones(2 << 20))  # larger than what may wait
    assert native.kept_results() <= 10 << 20
    native.keep_results(0)
    assert native.kept_results() == 0


def test_what_waits_goes_back_after_seconds():
    x = np.ones(1 << 20)
    vk.relu(x)
    assert native.kept_results() >= x.nbytes
    end = time.monotonic() + 10
    while native.kept_results() and time.monotonic() < end:
        time.sleep(0.1)
    assert native.kept_results() == 0


def test_none_is_kept_where_that_is_not_wanted():
    script = """
        import numpy as np, vekt as vk
        from vekt._core import native
        vk.gelu(np.ones(10**6))
        print(native.kept_results(), np._core.multiarray.get_handler_name(vk.gelu(np.ones(10**6))))
    """
    assert printed(dedent(script), VEKT_RECYCLE="0").split() == ["0", NUMPYS]
    bytes_, handler = printed(dedent(script), VEKT_RECYCLE="1").split()
    assert int(bytes_) >= 8 * 10**6
    assert handler == BLOCKS


@pytest.mark.parametrize("value", ["2", "-1", "yes", "0.5"])
def test_the_variable_is_named_where_it_is_wrong(value):
    with pytest.raises(ValueError, match="VEKT_RECYCLE"):
        bytes_kept({"VEKT_RECYCLE": value})


def test_an_eighth_of_the_memory_waits(tmp_path):
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert bytes_kept({}, str(tmp_path)) == whole // 8
    assert bytes_kept({"VEKT_RECYCLE": "0"}, str(tmp_path)) == 0


@pytest.mark.parametrize(
    ("lines", "file"),
    [
        ("0::/a/b", "sys/fs/cgroup/a/memory.max"),
        ("5:memory:/a", "sys/fs/cgroup/memory/a/memory.limit_in_bytes"),
    ],
)
def test_cgroups_bound_the_memory(tmp_path, lines, file):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(lines)
    limit = tmp_path / file
    limit.parent.mkdir(parents=True)
    limit.write_text("1000000\n")
    assert memory.available(str(tmp_path)) == 1_000_000
    limit.write_text("max\n")
    assert memory.available(str(tmp_path)) > 1_000_000


def test_another_handler_stays():
    x = np.ones(10**5)
    assert handler_of(native.call_aligned(vk.gelu, (x,), {})) == "vekt_aligned"
    assert handler_of(vk.gelu(x)) == BLOCKS
    assert handler_of(np.ones(10**6)) == NUMPYS


def test_the_handler_is_numpys_again_after_an_error():
    with pytest.raises(TypeError):
        vk.ufuncs.gelu(np.ones(10**6), dtype="O")
    with pytest.raises(ValueError, match="shape"):
        vk.add(np.ones((10**5, 2)), np.ones((10**5, 3)))
    assert handler_of(np.ones(10**6)) == NUMPYS


def test_operands_with_code_of_their_own_keep_numpys():
    class Own(np.ndarray):
        def __array_finalize__(self, other):
            self.made = handler_of(np.ones(10**6))

    assert vk.ufuncs.gelu(np.ones(10**6).view(Own)).made == NUMPYS


def test_results_are_resized():
    y = vk.gelu(np.ones(LARGE, "f4"))
    expected = y.copy()
    for n in (LARGE + 5, 3 * LARGE, LARGE, 100):
        y.resize(n, refcheck=False)
        assert np.array_equal(y[:100], expected[:100])
    y.resize(10**6, refcheck=False)
    assert not y[100:].any()


def test_tracemalloc_knows_them():
    x = np.ones(10**6)
    tracemalloc.start()
    try:
        y = vk.gelu(x)
        held, _ = tracemalloc.get_traced_memory()
        assert held >= y.nbytes
        del y
        assert tracemalloc.get_traced_memory()[0] < held - x.nbytes // 2
    finally:
        tracemalloc.stop()


def test_threads_have_results_of_their_own():
    wrong = []

    def work(k):
        for i in range(60):
            n = LARGE + 1000 * (i % 7)
            x = np.full(n, float(k), "f4")
            y, z = vk.add(x, 1), vk.multiply(x, 2)
            if not ((y == k + 1).all() and (z == 2 * k).all()):
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="no list of threads")  # noqa: PTH112
def test_a_fork_finds_nothing_waiting_and_no_thread():
    script = """
        import os, threading
        import numpy as np, vekt as vk
        from vekt._core import native
        vk.set_num_threads(1)
        x = np.ones(10**6)
        expected = vk.gelu(x)
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                vk.gelu(x)
        for with_others in (False, True):
            others = [threading.Thread(target=busy) for _ in range(2 * with_others)]
            for thread in others:
                thread.start()
            for _ in range(9):
                vk.gelu(x)
                assert native.kept_results()
                child = os.fork()
                if child == 0:
                    try:
                        assert len(os.listdir("/proc/self/task")) == 1
                        assert native.kept_results() == 0
                        assert np.array_equal(vk.gelu(x), expected)
                        assert native.kept_results() > 0
                    except BaseException as error:
                        print(error, flush=True)
                        os._exit(1)
                    os._exit(0)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                if not with_others:
                    assert len(os.listdir("/proc/self/task")) == 1
            stop.set()
            for thread in others:
                thread.join()
        print("done")
    """
    assert printed(dedent(script)).strip() == "done"


@pytest.mark.skipif(os.name != "posix", reason="no limits of memory")
def test_what_waits_is_given_back_before_memory_ends():
    script = """
        import resource
        import numpy as np, vekt as vk
        from vekt._core import native
        vk.set_num_threads(1)
        small = np.ones(4 << 20)  # 32 MiB
        half = np.ones(16 << 20, "f4")
        vk.relu(small)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (56 << 20), -1))
        assert native.kept_results() >= 32 << 20
        print(vk.relu(half).sum())  # 64 MiB, which only fit without what waits
        try:
            vk.outer(np.ones(1 << 14), np.ones(1 << 14))
        except MemoryError:
            print("too large")
    """
    total, error = printed(dedent(script)).splitlines()
    assert float(total) == 16 << 20
    assert error == "too large"
