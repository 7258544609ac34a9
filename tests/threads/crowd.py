"""Calls whose results are known from a run of one thread, and threads that make them all at once.

The calls come from the fuzzer, whose groups know every public function, from the forms of all specs
on operands large enough to leave the GIL and to share out the work, and from expressions in such
numbers that what is planned for some is forgotten over others.
"""

from __future__ import annotations

import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from calls import calls_of
from forms import FORMS, operands_of
from fuzz.arrays import memory_of
from fuzz.draws import Draw
from fuzz.groups import GROUPS
from fuzz.truth import same_elements

import vekt as vk
from vekt._spec.activations import OPS

Call = Callable[[], Any]
LARGE = (40, 1000)  # more than what is computed with the GIL, or by one thread
FEW, MANY = 3, 600  # MANY: more than any cache keeps


def drawn_calls(
    calls: int, seed: int = 0, groups: Iterable[str] = GROUPS
) -> Iterator[tuple[str, Call]]:
    """Yield random calls of each group, on arrays of their own each time they are made."""
    for group in groups:
        for number in range(calls):
            draw = Draw(f"{group}:{seed}:{number}")
            with np.errstate(all="ignore"):
                case = GROUPS[group].case(draw)
            if "where" not in case.options or case.out is not None:  # else some of it is nobody's
                yield f"{case.name} {group} {seed}:{number}", _again(group, draw.choices)


def _again(group: str, choices: list[int]) -> Call:
    def call() -> Any:
        with np.errstate(all="ignore"):
            case = GROUPS[group].case(Draw(choices=choices))
            options = dict(case.options) if case.out is None else {**case.options, "out": case.out}
            try:
                found = case.function(*case.args, **options)
            except Exception as error:
                found = error
        outs = case.out if isinstance(case.out, tuple) else (case.out,)
        written = [memory_of(x) for x in (*case.args, *outs) if isinstance(x, np.ndarray)]
        return found, *written

    return call


def large_calls() -> Iterator[tuple[str, Call]]:
    """Yield calls of all functions of specs, and of what has none, on large arrays."""
    for name in FORMS:
        # One dtype each will do: the functions of a kind differ in their kernels alone.
        dtype = "f4" if name in OPS else "f8"
        operands = operands_of(name, dtype, LARGE)
        if name == "glu_backward":
            operands[0] = operands[1][:, : LARGE[1] // 2]
        elif name == "logsumexp_backward":
            operands[0] = operands[1][:, 0]
        yield name, lambda name=name, operands=operands: getattr(vk, name)(*operands)
    yield from calls_of(130).items()


def crowded_calls(count: int) -> Iterator[tuple[str, Call]]:
    """Yield calls that share caches: of shapes, of expressions, of layers' activations."""
    shared = vk.fuse(lambda a, b: (a * b + vk.gelu(a) - b / 2, a - b))
    summed = vk.fuse(lambda a, b: (np.exp(a) * b).mean(axis=0))
    x = np.linspace(-3, 3, 3 * count)
    compiled = vk.fuse(lambda a, b: (a + b) * (a - b) + 2 * a)  # a longer life has machine code
    for k in range(1, count):
        a, b = x[:k], x[-k:]
        dtype = ("f4", "f8", "i4")[k % 3]
        c, d = a.astype(dtype).reshape(1, k), b.astype(dtype)
        yield f"shapes {k}", lambda c=c, d=d: shared(c, d)
        yield f"gradients {k}", lambda a=a, b=b: summed.value_and_grad(a, b)
        yield f"evaluate {k}", lambda k=k, a=a: vk.evaluate(f"a * {k} + exp(a)", {"a": a})
        yield f"new {k}", lambda k=k, a=a: vk.fuse(lambda t: vk.mish(t) * k)(a)
        yield (
            f"dense {k}",
            lambda k=k, a=a: vk.dense(a[None], a[:, None], None, ("elu", {"alpha": k / 8})),
        )
        yield f"constant {k}", lambda k=k, a=a: shared(a, float(k))
    wide = np.linspace(-3, 3, 50_000)
    for k in range(FEW):
        yield f"compiled {k}", lambda k=k: compiled(wide, wide[k])


def same(found: Any, expected: Any) -> bool:
    """Whether both are the same values, arrays to the bit but for the kinds of NaN, or errors."""
    if isinstance(expected, BaseException):
        return type(found) is type(expected)
    if isinstance(expected, tuple | list):
        return (
            type(found) is type(expected)
            and len(found) == len(expected)
            and all(map(same, found, expected))
        )
    if isinstance(expected, np.ndarray | np.generic):
        one, other = np.asarray(found), np.asarray(expected)
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if one.dtype.kind == "O" or not one.dtype.isbuiltin:
            return True  # of no dtype that is computed with
        with np.errstate(all="ignore"):
            native = one.dtype.newbyteorder("=")
            return bool(np.all(same_elements(one.astype(native), other.astype(native))))
    return type(found) is type(expected)


class Crowd:
    """Threads that make calls in any order, and what came out different."""

    def __init__(self, calls: Iterable[tuple[str, Call]]) -> None:
        with vk.num_threads(1), _silent():
            self.calls = list(calls)
            self.expected = [_found(call) for _, call in self.calls]
        self.made = 0
        self.wrong: list[str] = []

    def run(self, threads: int, seconds: float, least: int = 1, seed: int = 0) -> None:
        """Let so many threads call for some seconds, each at least so often.

        Meanwhile the number of threads of the pool changes all the time.
        """
        begin, end = threading.Barrier(threads + 1), time.monotonic() + seconds
        counts = [0] * threads
        workers = [
            threading.Thread(target=self._work, args=(begin, end, least, f"{seed}:{k}", counts, k))
            for k in range(threads)
        ]
        former, choice = vk.get_num_threads(), random.Random(seed)
        with _switching_often(), _silent():
            try:
                for worker in workers:
                    worker.start()
                begin.wait()
                for worker in workers:
                    while worker.is_alive():
                        vk.set_num_threads(choice.choice((1, 2, 3, 4, 8)))
                        worker.join(0.002)
            finally:
                vk.set_num_threads(former)
        self.made += sum(counts)

    def _work(
        self, begin: Any, end: float, least: int, seed: str, counts: list[int], own: int
    ) -> None:
        choice = random.Random(seed)
        begin.wait()
        while counts[own] < least or time.monotonic() < end:
            which = choice.randrange(len(self.calls))
            name, call = self.calls[which]
            if choice.random() < 0.3:
                with vk.num_threads(choice.randint(1, 6)):
                    found = _found(call)
            else:
                found = _found(call)
            counts[own] += 1
            if not same(found, self.expected[which]):
                self.wrong.append(f"{name}: {_told(found)} for {_told(self.expected[which])}")


def _found(call: Call) -> Any:
    try:
        return call()
    except Exception as error:
        return error


def _told(x: Any) -> str:
    return repr(x)[:300]


@contextmanager
def _silent() -> Iterator[None]:
    """Let no warning become an error: NumPy's functions change the filters of all threads."""
    with warnings.catch_warnings():
        warnings.resetwarnings()  # a filter that is set again is missing for a moment
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _switching_often() -> Iterator[None]:
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(former)
