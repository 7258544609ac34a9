"""Plans of contractions, which know the subscripts and the shapes, strides and dtypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from vekt.linalg._einsum.paths import path_of
from vekt.linalg._einsum.products import MANY, Pair, summed
from vekt.linalg._einsum.subscripts import Label, Labels, lengths, parsed
from vekt.linalg._einsum.terms import Step, Term, arranged, chained, contiguous, distinct, packed

Plan = Callable[[Sequence[Any], Any], Any]
"""A function of the operands and of an array for the result, or None."""

LENGTH = 16
"""What labels count as where a path must not depend on lengths."""


class Contraction:
    """What subscripts mean for operands of given shapes."""

    def __init__(self, text: str, shapes: Sequence[tuple[int, ...]]) -> None:
        self.inputs, self.output = parsed(text, [len(shape) for shape in shapes])
        self.sizes: dict[Label, int] = lengths(self.inputs, shapes)
        self.shape = tuple(self.sizes[x] for x in self.output)
        self.shapes = shapes

    @property
    def rounds_once(self) -> bool:
        """Whether there is one sum, or one product with its sums."""
        if len(self.inputs) == 1:
            return True
        own = [
            {x for x, n in zip(labels, shape, strict=True) if n == self.sizes[x]}
            for labels, shape in zip(self.inputs, self.shapes, strict=True)
        ]
        return len(own) == 2 and own[0] ^ own[1] <= set(self.output)

    def plan(
        self,
        layouts: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
        dtype: np.dtype[Any],
        optimize: Any,
        deterministic: Any,
        out_strides: tuple[int, ...] | None,
    ) -> Plan:
        """Return the plan for operands of these shapes and strides, all of one dtype."""
        terms, firsts = [], []
        for labels, (shape, strides) in zip(self.inputs, layouts, strict=True):
            steps, term = distinct(labels, shape, strides, self.sizes)
            terms.append(term)
            firsts.append(chained(steps))
        if out_strides is None:
            target = contiguous(self.output, self.sizes)
        else:
            target = Term(self.output, self.shape, out_strides)
        sizes = self.sizes if deterministic is None else dict.fromkeys(self.sizes, LENGTH)
        path = path_of([t.labels for t in terms], self.output, sizes, optimize)
        if len(terms) == 1:
            return _single(terms[0], firsts[0], target, dtype)
        pairs = _pairs(len(terms), path)
        if len(pairs) == 1:
            pair = Pair(terms[0], terms[1], self.output, self.sizes, dtype, deterministic)
            return _of_two(firsts, pair.into(target))
        return self._steps(terms, firsts, pairs, target, dtype, deterministic)

    def _steps(
        self,
        terms: list[Term],
        firsts: list[Step | None],
        pairs: list[tuple[int, int]],
        target: Term,
        dtype: np.dtype[Any],
        deterministic: Any,
    ) -> Plan:
        """Return a plan of several products; each takes the place of its first operand."""
        known: list[Term | None] = list(terms)
        products = []
        for n, (i, j) in enumerate(pairs):
            left, right = known[i], known[j]
            assert left is not None
            assert right is not None
            known[j] = None
            others = (t.labels for k, t in enumerate(known) if k != i and t is not None)
            kept = {*self.output}.union(*others)
            pair = Pair(left, right, kept, self.sizes, dtype, deterministic)
            last = n == len(pairs) - 1
            result = target if last else contiguous(pair.natural, self.sizes)
            products.append((i, j, pair.into(result), last))
            known[i] = result

        def run(operands: Sequence[Any], out: Any) -> Any:
            values = [
                x if first is None else first(x) for x, first in zip(operands, firsts, strict=True)
            ]
            for i, j, product, last in products:
                values[i] = product(values[i], values[j], out if last else None)
                values[j] = None  # which may be large
            return values[0]

        return run


def _pairs(n: int, path: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Return products of two, by the places of the operands, for a path whose steps take any.

    The first of two is the one with the earliest operand in it, whose place the result takes.
    """
    places = list(range(n))
    pairs = []
    for step in path:
        chosen = sorted(places[i] for i in step)
        places = [x for x in places if x not in chosen] + chosen[:1]
        pairs += [(chosen[0], other) for other in chosen[1:]]
    return pairs + [(min(places), other) for other in sorted(places)[1:]]


def _of_two(firsts: list[Step | None], product: Any) -> Plan:
    left, right = firsts
    if left is None and right is None:
        return lambda operands, out: product(*operands, out)

    def run(operands: Sequence[Any], out: Any) -> Any:
        x, y = operands
        return product(x if left is None else left(x), y if right is None else right(y), out)

    return run


def _single(term: Term, first: Step | None, target: Term, dtype: np.dtype[Any]) -> Plan:
    """Return the plan of sums over one operand, or of its copy in another order."""
    labels: Labels = target.labels
    steps, left = summed(term, labels, dtype, labels)
    befores = [first] if first else []
    if first and steps and len(term.labels) > 1 and prod(term.shape) >= MANY:
        befores.append(packed)  # of short diagonals, whose sums are faster from a copy
    view = chained([*befores, *steps])
    turned = None
    if not steps:
        sizes = dict(zip(left.labels, left.shape, strict=True))
        turned = arranged(left, [[x] for x in labels], sizes)

    def run(operands: Sequence[Any], out: Any) -> Any:
        (x,) = operands
        x = x if view is None else view(x)
        x = x if turned is None else turned(x)
        if out is not None:
            out[...] = packed(x) if np.may_share_memory(out, x) else x
            return out
        return x if steps else packed(x) if labels else x[()]

    return run
