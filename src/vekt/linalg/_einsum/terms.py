"""What is known of operands before a call: labels, lengths and strides; and views by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from vekt._core.native import transpose_copy
from vekt.linalg._einsum.subscripts import Label, Labels

Step = Callable[[Any], Any]


class Term(NamedTuple):
    """An operand: the labels of its axes, which differ, their lengths and strides."""

    labels: Labels
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def stride(self, label: Label) -> int:
        """Return the stride along a label, 0 where there is no such axis."""
        return self.strides[self.labels.index(label)] if label in self.labels else 0


def contiguous(labels: Labels, sizes: dict[Label, int]) -> Term:
    """Return what is known of a new array in C order."""
    shape = tuple(sizes[x] for x in labels)
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return Term(labels, shape, tuple(reversed(strides)))


def chained(steps: Sequence[Step]) -> Step | None:
    """Return one function that takes these steps, None for none."""
    if len(steps) < 2:
        return steps[0] if steps else None

    def chain(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return chain


def distinct(
    labels: Labels, shape: tuple[int, ...], strides: tuple[int, ...], sizes: dict[Label, int]
) -> tuple[list[Step], Term]:
    """Take diagonals where a label occurs again, and drop axes that broadcast."""
    steps: list[Step] = []
    while len(set(labels)) < len(labels):
        j = next(j for j, label in enumerate(labels) if label in labels[:j])
        i = labels.index(labels[j])
        steps.append(_diagonal(i, j))
        rest = [k for k in range(len(labels)) if k not in (i, j)]
        strides = (*(strides[k] for k in rest), strides[i] + strides[j])
        shape = (*(shape[k] for k in rest), shape[i])
        labels = (*(labels[k] for k in rest), labels[i])
    kept = [k for k, (x, n) in enumerate(zip(labels, shape, strict=True)) if n == sizes[x]]
    if len(kept) < len(labels):
        chosen = tuple(slice(None) if k in kept else 0 for k in range(len(labels)))
        steps.append(lambda x: x[(*chosen, ...)])
        labels = tuple(labels[k] for k in kept)
        shape = tuple(shape[k] for k in kept)
        strides = tuple(strides[k] for k in kept)
    return steps, Term(labels, shape, strides)


def _diagonal(i: int, j: int) -> Step:
    return lambda x: x.diagonal(0, i, j)


def is_one(term: Term, labels: Sequence[Label]) -> bool:
    """Tell whether axes can be taken together as one without a copy."""
    long = [(n, term.stride(x)) for x in labels if (n := term.shape[term.labels.index(x)]) != 1]
    return all(above == n * step for (_, above), (n, step) in pairwise(long))


def runs(terms: Iterable[Term], labels: Sequence[Label]) -> list[list[Label]]:
    """Split labels into those that neighbours can be taken together with, in all of the terms."""
    terms = list(terms)
    found: list[list[Label]] = []
    for label in labels:
        if found and all(is_one(term, [*found[-1], label]) for term in terms):
            found[-1].append(label)
        else:
            found.append([label])
    return found


def is_far(term: Term, label: Label) -> bool:
    """Tell whether neighbours along this axis are further apart than those along another."""
    own = abs(term.stride(label))
    steps = [abs(step) for n, step in zip(term.shape, term.strides, strict=True) if n > 1]
    return own > min(steps, default=own)


def arranged(
    term: Term, groups: Sequence[Sequence[Label]], sizes: dict[Label, int], packs: bool = False
) -> Step | None:
    """Return what gives an operand one axis for each group of labels; None for nothing to do.

    Groups of what the operand has not become axes of length 1.  It is copied only if a group is
    not one axis in memory, or if it `packs`.
    """
    present = [[x for x in group if x in term.labels] for group in groups]
    order = [term.labels.index(x) for group in present for x in group]
    shape = tuple(prod(sizes[x] for x in group) for group in present)
    copies = packs or not all(is_one(term, group) for group in present)
    moves = order != sorted(order)
    reshapes = shape != tuple(term.shape[i] for i in order)
    axes = tuple(order)
    if copies:
        return lambda x: packed(x.transpose(axes)).reshape(shape)
    if moves and reshapes:
        return lambda x: x.transpose(axes).reshape(shape)
    if moves:
        return lambda x: x.transpose(axes)
    return (lambda x: x.reshape(shape)) if reshapes else None


def packed(x: Any) -> Any:
    """Return a copy in C order."""
    copy = transpose_copy(x, None) if isinstance(x, np.ndarray) else NotImplemented
    return np.array(x, order="C") if copy is NotImplemented else copy
