"""Steps of a contraction: sums over one operand, products of two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.native import matmul, vecdot
from vekt.elementwise import multiply
from vekt.linalg._einsum.subscripts import Label, Labels
from vekt.linalg._einsum.terms import (
    Step,
    Term,
    arranged,
    chained,
    contiguous,
    is_far,
    packed,
    runs,
)
from vekt.reductions import any as any_true
from vekt.reductions import sum as add

FEW = 64
"""Rows or columns below which a copy of the operand pays that gives more of them in a product."""

VERY_FEW = 16
"""Those below which it pays to copy the result."""

MANY = 4096
"""Elements from which on a copy pays that brings those together that are summed."""

Product = Callable[[Any, Any, Any], Any]
"""A function of two operands and of an array for the result, or None."""


def summed(
    term: Term, kept: Collection[Label], dtype: np.dtype[Any], order: Labels | None = None
) -> tuple[list[Step], Term]:
    """Sum over the labels that are not kept; what is left is in this order, or as it was."""
    left = tuple(x for x in term.labels if x in kept) if order is None else order
    gone = [x for x in term.labels if x not in kept]
    if not gone:
        return [], term
    axes = [term.labels.index(x) for x in (*left, *gone)]
    steps: list[Step] = []
    if axes != sorted(axes):
        steps.append(lambda x: x.transpose(axes))
    over = tuple(range(len(left), len(axes)))
    if dtype == np.bool_:
        steps.append(partial(any_true, axis=over))
    else:
        steps.append(partial(add, axis=over, dtype=dtype))
    return steps, contiguous(left, dict(zip(term.labels, term.shape, strict=True)))


class Pair:
    """The product of two operands, summed over what both have and nothing after it wants.

    `dtype` is that of the result, where the operands' own product would have another.
    """

    def __init__(
        self,
        left: Term,
        right: Term,
        kept: Collection[Label],
        sizes: dict[Label, int],
        dtype: np.dtype[Any],
        deterministic: Any,
    ) -> None:
        first, left = summed(left, {*kept, *right.labels}, dtype)
        second, right = summed(right, {*kept, *left.labels}, dtype)
        self.steps = first, second
        self.left, self.right, self.sizes, self.dtype = left, right, sizes, dtype
        shared = [x for x in left.labels if x in right.labels]
        self.stacked = [x for x in shared if x in kept]
        self.contracted = [x for x in shared if x not in kept]
        self.rows = [x for x in left.labels if x not in right.labels]
        self.columns = [x for x in right.labels if x not in left.labels]
        self.options = {} if deterministic is None else {"deterministic": deterministic}

    @property
    def natural(self) -> Labels:
        """The order of labels in which a result costs least."""
        return (*self.stacked, *self.rows, *self.columns)

    def into(self, target: Term) -> Product:
        """Return the function whose result has these labels and strides."""
        if not self.contracted:
            return self._elementwise(target)
        plan = self._blocked(target)
        if plan is not None:
            return plan
        inner = self._blocked(contiguous(self.natural, self.sizes), whatever=True)
        assert inner is not None
        axes = [self.natural.index(x) for x in target.labels]

        def reordered(x: Any, y: Any, out: Any) -> Any:
            result = inner(x, y, None).transpose(axes)
            if out is None:
                return packed(result)
            out[...] = result
            return out

        return reordered

    def _views(self, left: Any, right: Any, packs: bool = False) -> tuple[Step | None, Step | None]:
        """Return the steps of both operands, with one axis for each group of labels after them.

        If it `packs`, operands are copied whose sums would jump through memory.
        """
        first, second = self.steps
        one, other = (
            arranged(term, groups, self.sizes, packs and is_far(term, self.contracted[-1]))
            for term, groups in ((self.left, left), (self.right, right))
        )
        return chained([*first, one] if one else first), chained(
            [*second, other] if other else second
        )

    def _elementwise(self, target: Term) -> Product:
        groups = [[x] for x in target.labels]
        return _called(multiply, self._views(groups, groups), None, target, self.dtype, {})

    def _blocked(self, target: Term, whatever: bool = False) -> Product | None:
        """Return products of matrices, or of vectors, in a stack; None for very small ones.

        Rows that are not one axis, in the operand or in the result, are split: some of their labels
        count as the stack's.  Where few rows would be left, the operand is copied instead.
        """
        place = target.labels.index
        rows, columns = sorted(self.rows, key=place), sorted(self.columns, key=place)
        row_runs = self._split(self.left, target, rows)
        column_runs = self._split(self.right, target, columns)
        main_rows = max(row_runs, key=self._length, default=[])
        main_columns = max(column_runs, key=self._length, default=[])
        small = any(
            self._length(main) < min(VERY_FEW, self._length(labels))
            for main, labels in ((main_rows, rows), (main_columns, columns))
        )
        if small and not whatever:
            return None
        apart = [x for x in (*rows, *columns) if x not in main_rows and x not in main_columns]
        stack = sorted([*self.stacked, *apart], key=place)
        return self._product(target, stack, main_rows, main_columns)

    def _split(self, term: Term, target: Term, labels: list[Label]) -> list[list[Label]]:
        """Split labels into runs: one axis in the result and, if not too short, in the operand."""
        without_copy = runs((term, target), labels)
        with_copy = runs((target,), labels)
        longest = max(map(self._length, without_copy), default=1)
        if longest < min(FEW, max(map(self._length, with_copy), default=1)):
            return with_copy
        return without_copy

    def _length(self, labels: Sequence[Label]) -> int:
        return prod(self.sizes[x] for x in labels)

    def _product(
        self, target: Term, stack: list[Label], rows: list[Label], columns: list[Label]
    ) -> Product:
        groups = [[x] for x in stack]
        k = [self.contracted]
        no_rows, no_columns = not self.rows, not self.columns
        complex_numbers = self.dtype.kind == "c"  # whose first vector vecdot conjugates
        packs = self._length([*stack, *self.contracted]) >= MANY and no_rows and no_columns
        if stack and no_rows and no_columns and not complex_numbers:
            function: Any = vecdot
            left = right = [*groups, *k]
            result, options = groups, {}
        else:
            # A missing axis is left out where there is no stack: matmul takes vectors.
            m = [] if no_rows and not stack else [rows]
            n = [] if no_columns and not stack else [columns]
            function, options = matmul, self.options
            left, right, result = [*groups, *m, *k], [*groups, *k, *n], [*groups, *m, *n]
        shown = arranged(target, result, self.sizes)
        return _called(
            function, self._views(left, right, packs), shown, target, self.dtype, options
        )


def _called(
    function: Any,
    views: tuple[Step | None, Step | None],
    shown: Step | None,
    target: Term,
    dtype: np.dtype[Any],
    options: dict[str, Any],
) -> Product:
    """Return the call of a product of views, `shown` being what gives that of the result."""
    shape = target.shape
    left, right = views

    def product(x: Any, y: Any, out: Any) -> Any:
        if left is not None:
            x = left(x)
        if right is not None:
            y = right(y)
        if shown is None and out is None:
            return function(x, y, **options)
        if out is None:
            out = native.empty(shape, dtype, ())
        function(x, y, out=out if shown is None else shown(out), **options)
        return out

    if left is None and right is None and shown is None and not options:
        return lambda x, y, out: function(x, y) if out is None else function(x, y, out=out)
    return product
