"""The order in which more than two operands are contracted."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from vekt.linalg._einsum.subscripts import LETTERS, Label, Labels

OPTIMAL = 4
"""Operands of which the best path is looked for; of more it takes milliseconds."""

Path = tuple[tuple[int, ...], ...]


def path_of(
    inputs: Sequence[Labels], output: Labels, sizes: dict[Label, int], optimize: Any
) -> Path:
    """Return which of the operands each step takes; its result becomes the last of them.

    A step takes one, two or more operands, as the path or the strategy that `optimize` is has it.
    """
    n = len(inputs)
    if optimize is False or optimize is None:  # in the order in which they stand
        return ((0, 1), *((0, n - k) for k in range(2, n))) if n > 1 else ((0,),)
    if n <= 2 and optimize is True:
        return (tuple(range(n)),)
    if len(sizes) > len(LETTERS):  # more than either has letters for
        return path_of(inputs, output, sizes, False)
    letters = {label: LETTERS[i] for i, label in enumerate(sizes)}
    terms = ["".join(letters[label] for label in labels) for labels in inputs]
    text = ",".join(terms) + "->" + "".join(letters[label] for label in output)
    if optimize is True or (isinstance(optimize, str) and optimize not in ("greedy", "optimal")):
        try:
            contract_path = import_module("opt_einsum").contract_path
        except ImportError:
            pass
        else:
            shapes = [tuple(sizes[label] for label in labels) for labels in inputs]
            strategy = "auto" if optimize is True else optimize
            return _of_tuples(contract_path(text, *shapes, shapes=True, optimize=strategy)[0])
    if optimize is True and n <= OPTIMAL:
        optimize = "optimal"
    dummies = [np.broadcast_to(np.int8(0), [sizes[x] for x in labels]) for labels in inputs]
    return _of_tuples(np.einsum_path(text, *dummies, optimize=optimize)[0][1:])


def _of_tuples(path: Sequence[Sequence[int]]) -> Path:
    return tuple(tuple(int(i) for i in step) for step in path)
