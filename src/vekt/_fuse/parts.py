"""Programs in parts, for what is too much for one; arrays keep the values between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._core import native
from vekt._fuse.graph import Node, topological
from vekt._fuse.lower import Call, Program, TooLargeError, calls_of
from vekt._fuse.segments import MAX_OPERANDS

Array = NDArray[Any]
_MOST_BYTES = 768
"""Of one element, in all values of a program (csrc/engine/program.h)."""
_TOGETHER = 1 << 14
"""Elements that go through all parts before the next ones, so that a cache holds what is kept."""


class Part:
    """A program, the numbers of the results that it gives, and the values kept for later ones."""

    __slots__ = ("kept", "program", "results")

    def __init__(self, program: Program, results: Sequence[int], kept: Sequence[Node]) -> None:
        self.program, self.results, self.kept = program, tuple(results), tuple(kept)


def parts_of(
    inputs: Sequence[Node], outputs: Sequence[Node], isa: str, compile: bool = False
) -> list[Part]:
    """Return programs that give the outputs one after another, a single one where that can be."""
    try:
        whole = Program(inputs, outputs, isa, compile)
        return [Part(whole, range(len(outputs)), ())]
    except TooLargeError:
        calls = calls_of([x for x in topological(outputs, inputs) if x.op != "constant"])
    asked: dict[Node, int] = {}  # which result has a value first; the others are copies
    for k, y in enumerate(outputs):
        asked.setdefault(y, k)
    made = {y for call in calls for y in call}
    copies = [k for k, y in enumerate(outputs) if y not in made or asked[y] != k]
    last = {x: k for k, call in enumerate(calls) for x in call[0].args}
    last |= {outputs[k]: len(calls) for k in copies}
    stretches: list[tuple[list[list[Node]], list[int], list[Node]]] = []
    for first, end in _stretches(calls, asked, last):
        inside = [y for call in calls[first:end] for y in call]
        results = [asked[y] for y in inside if y in asked]
        stretches.append((calls[first:end], results, [y for y in inside if last.get(y, 0) >= end]))
    few = MAX_OPERANDS // 2
    stretches += [([], copies[k : k + few], []) for k in range(0, len(copies), few)]
    parts = []
    for some, results, kept in stretches:
        own = {y for call in some for y in call}
        needed = [x for call in some for x in call[0].args] + [outputs[k] for k in results]
        read = dict.fromkeys(x for x in needed if x not in own and x.op != "constant")
        program = Program([*read], [*(outputs[k] for k in results), *kept], isa, compile)
        parts.append(Part(program, results, kept))
    return parts


def _stretches(
    calls: Sequence[list[Node]], asked: dict[Node, int], last: dict[Node, int]
) -> Iterator[tuple[int, int]]:
    """Cut calls where a program has room for no more."""
    sizes = [sum(dtype.itemsize for dtype in Call(call).dtypes) for call in calls]
    first = 0
    while first < len(calls):
        own: set[Node] = set()
        read: set[Node] = set()
        end = first
        while end < len(calls):
            more = own.union(calls[end])
            wider = read.union(x for x in calls[end][0].args if x not in more)
            arrays = sum(x.op != "constant" for x in wider)
            written = [y for y in more for _ in range((y in asked) + (last.get(y, 0) > end))]
            size = sum(sizes[first : end + 1]) + sum(x.dtype.itemsize for x in (*wider, *written))
            if end > first and (arrays + len(written) > MAX_OPERANDS or size > _MOST_BYTES):
                break
            own, read, end = more, wider, end + 1
        yield first, end
        first = end


Execute = Callable[..., None]


def run_parts(
    execute: Execute,
    parts: Sequence[Part],
    shape: tuple[int, ...],
    inputs: dict[Node, Array],
    views: Sequence[Array],
    kinds: Sequence[int],
    divisors: Sequence[float],
) -> None:
    """Run parts on arrays that broadcast to a shape, on some elements after others.

    Where results are reduced, on all of them: those of one call are added in one order.
    """
    size = math.prod(shape)
    axis = int(np.argmax(shape)) if shape else 0
    step = size
    if not any(kinds) and size > _TOGETHER:
        step = max(1, _TOGETHER * shape[axis] // size)
        inputs = {node: np.broadcast_to(x, shape) for node, x in inputs.items()}
    kept: dict[Node, Array] = {}
    for begin in range(0, shape[axis] if step < size else 1, step or 1):
        cut = (slice(None),) * axis + (slice(begin, begin + step),) if step < size else ()
        values = {node: x[cut] for node, x in inputs.items()} if cut else dict(inputs)
        own = [view[cut] for view in views] if cut else views
        here = own[0].shape if cut else shape
        for part in parts:
            for node in part.kept:
                if node not in kept or kept[node].shape != here:
                    kept[node] = native.empty(here, node.dtype, ())
            values |= {node: kept[node] for node in part.kept}
            outs = [own[k] for k in part.results] + [kept[node] for node in part.kept]
            execute(
                part.program,
                here,
                [values[x] for x in part.program.inputs],
                outs,
                [kinds[k] for k in part.results] + [0] * len(part.kept),
                [divisors[k] for k in part.results] + [0.0] * len(part.kept),
            )
