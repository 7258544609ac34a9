"""Sums of products over labelled axes in compiled functions.

The subscripts are constants, so that the function which is compiled for them is written here: views
with one axis for each label, products of two of them at a time, and the sums of single ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype
from numpy.lib.stride_tricks import as_strided

from vekt.jit._einsum import einsum
from vekt.jit._jitable import jitable, overloads
from vekt.jit._linalg import matmul
from vekt.jit._products import common_kind, converter
from vekt.jit._reductions import FUNCTIONS as REDUCTIONS
from vekt.jit._views import literal
from vekt.linalg._einsum.subscripts import Label, Labels, as_text, parsed

NAMES = ("einsum",)


@jitable
def _agreed(known: int, length: int) -> int:
    """Return the length of a label, of which 1 broadcasts."""
    if known != length and known != 1 and length != 1:
        raise ValueError("einsum: the lengths of a label differ")
    return length if known == 1 else known


@jitable
def _alike(first: int, second: int) -> int:
    """Return the length of a diagonal, along which nothing broadcasts."""
    if first != second:
        raise ValueError("einsum: the lengths along a diagonal differ")
    return first


@jitable
def _step(step: int, own: int, length: int) -> int:
    return step if own == length else 0


def _packed(items: Iterable[str]) -> str:
    """Write a tuple."""
    return f"({''.join(f'{item}, ' for item in items)})"


class _Writer:
    """Writes the lines of a contraction."""

    def __init__(self, inputs: tuple[Labels, ...], wanted: Labels, summed: str) -> None:
        self.wanted, self.summed = wanted, summed
        self.lines: list[str] = []
        labels = dict.fromkeys(label for term in inputs for label in term)
        self.sizes = {label: f"n{i}" for i, label in enumerate(labels)}
        self._lengths(inputs)
        terms = [self._operand(i, term) for i, term in enumerate(inputs)]
        while len(terms) > 1:
            self._pair(terms)
        self._finish(*terms[0])

    def _write(self, line: str) -> None:
        self.lines.append(f"    {line}")

    def _shape(self, labels: Iterable[Label]) -> str:
        return _packed(self.sizes[label] for label in labels)

    def _lengths(self, inputs: tuple[Labels, ...]) -> None:
        for size in self.sizes.values():
            self._write(f"{size} = 1")
        for i, labels in enumerate(inputs):
            for k, label in enumerate(labels):
                size, own, first = self.sizes[label], f"x{i}.shape[{k}]", labels.index(label)
                if first < k:
                    own = f"_alike(x{i}.shape[{first}], {own})"
                self._write(f"{size} = _agreed({size}, {own})")

    def _operand(self, i: int, labels: Labels) -> tuple[str, Labels]:
        """View an operand with one axis for each label, the diagonal of one that comes twice."""
        kept = tuple(dict.fromkeys(labels))
        steps = [
            " + ".join(
                f"_step(x{i}.strides[{k}], x{i}.shape[{k}], {self.sizes[label]})"
                for k, other in enumerate(labels)
                if other == label
            )
            for label in kept
        ]
        self._write(f"x{i} = as_strided(x{i}, {self._shape(kept)}, {_packed(steps)})")
        return f"x{i}", kept

    def _merged(self, name: str, labels: Labels, groups: list[Labels]) -> str:
        """Write an array with one axis for each of these groups of labels: a view if it can be."""
        view = self._spread(name, labels, [label for group in groups for label in group])
        if all(len(group) == 1 for group in groups):
            return view
        lengths = ["*".join(self.sizes[label] for label in group) or "1" for group in groups]
        return f"np.ascontiguousarray({view}).reshape({_packed(lengths)})"

    def _spread(self, name: str, labels: Labels, wanted: Sequence[Label]) -> str:
        """Write a view with these axes, of step 0 where the array has no such label."""
        if labels == tuple(wanted):
            return name
        steps = [f"{name}.strides[{labels.index(x)}]" if x in labels else "0" for x in wanted]
        return f"as_strided({name}, {self._shape(wanted)}, {_packed(steps)})"

    def _sum_alone(self, term: tuple[str, Labels], needed: set[Label]) -> tuple[str, Labels]:
        """Sum over the labels that nothing else has."""
        name, labels = term
        axes = [k for k, label in enumerate(labels) if label not in needed]
        if not axes:
            return term
        self._write(f"{name} = {self.summed}({name}, {_packed(map(str, axes))})")
        kept = tuple(label for label in labels if label in needed)
        if not kept:
            self._write(f"{name} = np.full(1, {name})")
        self._write(f"{name} = {name}.astype(dtype).reshape({self._shape(kept)})")
        return name, kept

    def _pair(self, terms: list[tuple[str, Labels]]) -> None:
        """Multiply the first two terms, and sum over what no other term and the result have."""
        (a, first), (b, second), *others = terms
        later = {*self.wanted, *(label for _, labels in others for label in labels)}
        a, first = self._sum_alone((a, first), later | {*second})
        b, second = self._sum_alone((b, second), later | {*first})
        both = tuple(label for label in first if label in second)
        stack = tuple(label for label in both if label in later)
        contracted = tuple(label for label in both if label not in later)
        rows = tuple(label for label in first if label not in both)
        columns = tuple(label for label in second if label not in both)
        kept = stack + rows + columns
        if contracted:
            single = [(label,) for label in stack]
            left = self._merged(a, first, [*single, rows, contracted])
            right = self._merged(b, second, [*single, contracted, columns])
            product = f"matmul({left}, {right})"
        else:
            left = self._spread(a, first, kept)
            right = self._spread(b, second, kept)
            product = f"np.asarray({left} * {right}).astype(dtype)"
        self._write(f"{a} = ({product}).reshape({self._shape(kept)})")
        terms[:2] = [(a, kept)]

    def _finish(self, name: str, labels: Labels) -> None:
        name, labels = self._sum_alone((name, labels), {*self.wanted})
        if self.wanted:
            view = self._spread(name, labels, self.wanted)
            self._write(f"return np.ascontiguousarray({view}.copy())")
        else:
            self._write(f"return {name}[()]")


@overloads(einsum, prefer_literal=True)
def _einsum_types(*operands: Any) -> Any:
    packed = len(operands) == 1 and isinstance(operands[0], types.BaseTuple)
    given: Any = operands[0] if packed else operands
    if len(given) < 2:
        raise TypingError("einsum: expected subscripts and operands")
    subscripts, *arrays = [literal(x) for x in given]
    if not isinstance(subscripts, str):
        raise TypingError("einsum: the subscripts must be a constant in compiled functions")
    kind: Any = common_kind("einsum", *arrays)
    try:
        text, _ = as_text((subscripts,))
        inputs, wanted = parsed(text, [x.ndim for x in arrays])
    except ValueError as error:
        raise TypingError(str(error)) from None
    dtype = as_dtype(kind)
    writer = _Writer(inputs, wanted, "any_of" if dtype.kind == "b" else "sum_of")
    converted = [f"    x{i} = convert{i}(operands[{i + 1}])" for i in range(len(arrays))]
    scope: dict[str, Any] = {
        "np": np,
        "as_strided": as_strided,
        "matmul": matmul,
        "dtype": dtype,
        "_agreed": _agreed,
        "_alike": _alike,
        "_step": _step,
        "sum_of": REDUCTIONS["sum"],
        "any_of": REDUCTIONS["any"],
        **{f"convert{i}": converter(x, kind) for i, x in enumerate(arrays)},
    }
    exec("\n".join(["def einsum(*operands):", *converted, *writer.lines]), scope)
    return scope["einsum"]
