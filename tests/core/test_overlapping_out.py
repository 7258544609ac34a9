"""An output may share memory with any operand, in any way: the result is as if it did not."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from interpreters import run

import vekt as vk

DTYPES = ("f8", "f4", "f2", "i8", "c16")
OPTIONS: tuple[dict[str, Any], ...] = ({}, {"axis": 0}, {"axis": 1}, {"axis": 1, "keepdims": True})
ENTROPY = "softmax_cross_entropy_value_and_grad"
SHAPES = {
    "matmul": ((5, 5), (5, 5)),
    "dot": ((5, 5), (5, 5)),
    "matvec": ((5, 5), (5,)),
    "vecmat": ((5,), (5, 5)),
    "einsum": ((5, 5), (5, 5)),
    "outer": ((5,), (5,)),
    "dense": ((5, 5), (5, 5), (5,)),
    "prelu": ((6, 5), (5,)),
    "glu_backward": ((6, 3), (6, 6)),
    "logsumexp_backward": ((5,), (6, 5)),
}


def parameters_of(function: Any) -> Any:
    if isinstance(function, np.ufunc):
        return {"out": None}
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


OWN_TESTS = ("dense_backward", "evaluate", "stream", "validate")  # called in another way
FUNCTIONS = [
    name
    for name in vk.__all__
    if "out" in parameters_of(getattr(vk, name)) and name not in OWN_TESTS
]


def operands_of(name: str, dtype: str, rng: np.random.Generator) -> list[Any]:
    function = getattr(vk, name)
    nin = getattr(function, "nin", None)
    if nin is None:
        nin = sum(
            p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            for p in parameters_of(function).values()
        )
    shapes = SHAPES.get(name, ((6, 5),) * nin)
    operands: list[Any] = [(3 * rng.normal(0, 1, shape)).astype(dtype) for shape in shapes]
    if name == "where":
        operands[0] = operands[0].real > 0
    if name == "take":
        operands[1] = rng.integers(-5, 5, (6, 5))
    if name == ENTROPY:
        operands[1] = rng.integers(0, 5, 6)
    return operands


def shared(array: Any, out: Any) -> Iterator[tuple[Any, Any]]:
    """Yield copies of an array, and outputs whose memory begins in, before or behind theirs."""
    for offset in (0, array.itemsize, 3 * out.itemsize, -out.itemsize, out.nbytes // 16 * 8):
        for order in ("C", "backwards", "F"):
            room = np.zeros(array.nbytes + 2 * out.nbytes + 512, "u1")
            copy = room[256 : 256 + array.nbytes].view(array.dtype).reshape(array.shape)
            copy[...] = array
            memory = room[256 + offset : 256 + offset + out.nbytes].view(out.dtype)
            target = memory.reshape(out.shape, order="F" if order == "F" else "C")
            yield copy, target[::-1] if order == "backwards" and out.ndim else target


@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_if_apart(name, rng):
    function = getattr(vk, name)
    if name == "einsum":
        function = partial(function, "ij,jk->ki")
    checked = 0
    for dtype in DTYPES:
        operands = operands_of(name, dtype, rng)
        for options in OPTIONS:
            if not set(options) <= set(parameters_of(function)):
                continue
            try:
                results = function(*(x.copy() for x in operands), **options)
            except (TypeError, ValueError):
                continue
            if name == ENTROPY:  # whose out is for the gradient
                results = results[1]
            several = isinstance(results, tuple)
            expected = [np.asarray(x) for x in (results if several else (results,))]
            for which in range(len(expected)):
                for k, operand in enumerate(operands):
                    for copy, target in shared(operand, expected[which]):
                        call = [copy if j == k else x.copy() for j, x in enumerate(operands)]
                        outs = [np.empty_like(x) for x in expected]
                        outs[which] = target
                        if name == "dot" and not target.flags.c_contiguous:
                            continue  # which is an error, as in NumPy
                        function(*call, out=tuple(outs) if several else outs[0], **options)
                        np.testing.assert_array_equal(target, expected[which], str((dtype, k)))
                        checked += 1
    assert checked >= 15


@pytest.mark.parametrize("n", [3, 40, 1000])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_labels_in_the_memory_of_the_gradient(n, dtype, rng):
    for rows in (1, 7, 300):
        for first in (0, n - 1, rows * n // 2):
            x = rng.normal(0, 3, (rows, n)).astype(dtype)
            labels = rng.integers(0, n, rows)
            loss, slope = vk.softmax_cross_entropy_value_and_grad(x, labels)
            room = np.zeros(rows * n * 8 + rows * 8 + n * 8, "u1")
            out = room[: x.nbytes].view(dtype).reshape(x.shape)
            mine = room[first * 8 : (first + rows) * 8].view("i8")
            mine[...] = labels
            found = vk.softmax_cross_entropy_value_and_grad(x, mine, out=out)
            assert found[0] == loss
            np.testing.assert_array_equal(out, slope)


RACE = """
import sys, threading
import numpy as np
import vekt as vk
sys.setswitchinterval(1e-6)
dtype, n = sys.argv[1:]
n = int(n)
rows = 400_000 // n
x = np.zeros((rows, n), dtype)
labels = np.zeros(rows, "i8")
done = False
def spoil():
    while not done:
        labels[:] = 2**40
        labels[:] = -(2**50)
        labels[:] = 1
thread = threading.Thread(target=spoil)
thread.start()
for _ in range(200):
    for options in ({}, {"ignore_index": -1}, {"weight": np.ones(n)}):
        try:
            vk.softmax_cross_entropy_value_and_grad(x, labels, reduction="sum", **options)
        except (ValueError, IndexError):
            pass
done = True
thread.join()
print("alive")
"""


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("n", [5, 500])
def test_labels_that_another_thread_writes(dtype, n):
    done = run(f"import sys; sys.argv[1:] = {[dtype, str(n)]!r}\n" + RACE, check=False)
    assert done.stdout == "alive\n", (done.returncode, done.stderr[-500:])
