"""Operations are added to a dispatcher, and put in others' places, while other threads call it."""

from __future__ import annotations

import random
import sys
import threading

import ml_dtypes
import numpy as np
import pytest
from interpreters import printed

import vekt as vk
from vekt._core import native

TYPES = ("f4", "f8", "f2", "i4", "i8", "u1", "i2", "c8", "c16")
THREADS = 16


def together(work) -> None:
    """Let threads begin at once."""
    begin = threading.Barrier(THREADS)

    def start(k: int) -> None:
        begin.wait()
        work(k)

    threads = [threading.Thread(target=start, args=(k,)) for k in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("seed", range(8))
def test_entries_come_and_are_replaced_while_others_call(seed):
    dispatcher = native.build_dispatcher("f", 2, 1, lambda d, args, options: np.add(*args), "")
    dtypes = [np.dtype(t) for t in TYPES]
    operations = {t: native.numpy_operation(np.add, (t, t, t), 100) for t in dtypes}
    added, called, wrong = [], [], []

    def work(k: int) -> None:
        choice = random.Random(f"{seed} {k}")
        for _ in range(40):
            t = choice.choice(dtypes)
            if choice.random() < 0.4:
                added.append(t)
                dispatcher.add((t, t), operations[t], (t,), after=(20, lambda: called.append(1)))
            x = np.arange(5).astype(t)
            if not np.array_equal(dispatcher(x, x), x + x):
                wrong.append(t)

    together(work)
    assert not wrong
    assert 0 < len(called) <= len(added)  # once for each, at most
    for t in dtypes:
        assert np.array_equal(dispatcher(np.ones(3, t), np.ones(3, t)), np.full(3, 2, t))


def test_what_is_made_when_first_wanted_is_made_once():
    """Ufuncs of bfloat16, gufuncs of products: of kernels that nobody has called."""
    made = [
        (native.build_ufunc("elu", 1), native.build_products(native.SELECTED)) for _ in range(20)
    ]
    x = np.linspace(-2, 2, 9).astype(ml_dtypes.bfloat16)
    stack = np.arange(16.0).reshape(2, 2, 4).swapaxes(0, 1)
    expected = vk.elu(x, 0.5), stack @ stack.swapaxes(1, 2)
    wrong = []

    def work(k: int) -> None:
        for elu, products in made:
            found = elu(x, 0.5), products["matmul"](stack, stack.swapaxes(1, 2), dtype="f8")
            if not all(map(np.array_equal, found, expected)):
                wrong.append(found)

    together(work)
    assert not wrong


@pytest.mark.skipif(not hasattr(sys, "_is_gil_enabled"), reason="a Python that has a GIL always")
def test_the_gil_stays_as_it_was():
    script = (
        "import sys; was = sys._is_gil_enabled(); import vekt; print(was, sys._is_gil_enabled())"
    )
    assert len(set(printed(script).split())) == 1
