"""What calls on operands of known shapes and dtypes do, found once: steps on numbered values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vekt._fuse.operands import broadcast_shape, in_native_order

if TYPE_CHECKING:
    from vekt._fuse.passes import Layout, Pass

Array = NDArray[Any]
Kind = Any
"""What a call is bound to: the dtype and the shape of an array, the type of anything else."""


def kinds_of(operands: Sequence[Any]) -> tuple[Kind, ...]:
    """Return what a call with these operands is bound to."""
    return tuple([(x.dtype, x.shape) if type(x) is np.ndarray else type(x) for x in operands])


class Value(NamedTuple):
    """A value of a call: its place among all, and the type of a number in place of its dtype."""

    place: int
    shape: tuple[int, ...]
    dtype: Any


class Bound:
    """Steps from operands to results.

    Parameters
    ----------
    kinds : sequence
        Of the operands: arrays, and Python's numbers.
    """

    __slots__ = (
        "_answer",
        "_arrays",
        "_constants",
        "_count",
        "_steps",
        "_swapped",
        "_wanted",
        "operands",
    )

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.operands: list[Value] = []
        self._arrays: list[int] = []
        self._swapped: list[int] = []
        for k, kind in enumerate(kinds):
            if isinstance(kind, type):
                self.operands.append(Value(k, (), kind))
                continue
            dtype, shape = kind
            self._arrays.append(k)
            if not dtype.isnative:
                self._swapped.append(k)
            self.operands.append(Value(k, shape, in_native_order(dtype)))
        self._count = len(kinds)
        self._constants: dict[int, Any] = {}
        self._steps: list[Callable[[list[Any]], None]] = []
        self._wanted: list[tuple[int, bool] | None] = []
        self._answer: Callable[[list[Any]], Any] = tuple

    # ---- what the steps are

    def _new(self, shape: tuple[int, ...], dtype: Any) -> Value:
        self._count += 1
        return Value(self._count - 1, shape, dtype)

    def constant(self, array: Any) -> Value:
        """Add a value that is the same in all calls."""
        value = self._new(array.shape, array.dtype)
        self._constants[value.place] = array
        self._steps.append(lambda values: values.append(array))
        return value

    def call(
        self,
        function: Callable[..., Any],
        taken: Sequence[Value],
        shape: tuple[int, ...],
        dtype: Any,
    ) -> Value:
        """Add what a function gives for values, at once where they are the same in all calls."""
        if taken and all(v.place in self._constants for v in taken):
            return self.constant(function(*[self._constants[v.place] for v in taken]))
        if len(taken) == 1:
            place = taken[0].place
            self._steps.append(lambda values: values.append(function(values[place])))
        else:
            places = [v.place for v in taken]
            self._steps.append(lambda values: values.append(function(*[values[k] for k in places])))
        return self._new(shape, dtype)

    def array(self, x: Value) -> Value:
        """Add a number as an array."""
        if not isinstance(x.dtype, type):
            return x
        return self.call(np.asarray, [x], (), np.dtype(x.dtype))

    def apply(self, function: Callable[..., Any], x: Value, y: Value) -> Value:
        """Add what a function of `vekt.elementwise` gives, which warns of nothing."""
        examples = (
            v.dtype(1) if isinstance(v.dtype, type) else np.ones((), v.dtype) for v in (x, y)
        )
        dtype = function(*examples).dtype
        shape = broadcast_shape(x.shape, y.shape)
        return self.call(partial(_array, function), (x, y), shape, dtype)

    def reshape(self, x: Value, shape: tuple[int, ...]) -> Value:
        """Add an array in another shape."""
        return self.call(lambda array: array.reshape(shape), (x,), shape, x.dtype)

    def run(self, step: Pass, taken: Sequence[Value]) -> list[Value]:
        """Add the results of a pass."""
        layout: Layout = step.layout(tuple([v.shape for v in taken]))
        places = [v.place for v in taken]

        def run(values: list[Any]) -> None:
            values += step.run(layout, [values[k] for k in places])

        self._steps.append(run)
        return [
            self._new(final, r.final_dtype)
            for r, (_, final, _) in zip(step.results, layout.results, strict=True)
        ]

    def finish(
        self, wanted: Sequence[Value | None], answer: Callable[[list[Any]], Any] = tuple
    ) -> Bound:
        """Tell which values are the results, and what a call makes of them."""
        self._wanted = [None if v is None else (v.place, v.shape == ()) for v in wanted]
        self._answer = answer
        return self

    # ---- calls

    def results(self, operands: Sequence[Any]) -> list[Any]:
        """Return the results for operands of these kinds."""
        values = [*operands]
        for k in self._arrays:
            if not values[k].flags.aligned:
                values[k] = values[k].copy()
        for k in self._swapped:
            values[k] = values[k].astype(values[k].dtype.newbyteorder("="))
        for step in self._steps:
            step(values)
        return [
            None if found is None else values[found[0]][()] if found[1] else values[found[0]]
            for found in self._wanted
        ]

    def __call__(self, operands: Sequence[Any]) -> Any:
        """Return what a call on operands of these kinds gives."""
        return self._answer(self.results(operands))


def _array(function: Callable[..., Any], *operands: Any) -> Array:
    return np.asarray(function(*operands))
