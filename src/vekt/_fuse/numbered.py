"""One program for all shapes of arrays, and for Python's numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vekt._core import native

if TYPE_CHECKING:
    from vekt._fuse.graph import Node
    from vekt._fuse.passes import Pass
    from vekt._fuse.plan import Traced


class Numbered:
    """One program on arrays and on what Python computes of numbers, which are often the same.

    Parameters
    ----------
    step : Pass
        Of one program.
    traced : Traced
        What it computes.
    values : callable
        Gives the values of numbers for operands; UnforeseenError where they are not as foreseen.
    """

    def __init__(
        self, step: Pass, traced: Traced, values: Callable[[Sequence[Any]], dict[Node, Any]]
    ) -> None:
        inputs, self._step, self._values = traced.inputs, step, values
        self._dtypes = tuple(y.dtype for y in traced.outputs)
        self._numbers = [x for x in step.inputs if x.op == "number"]
        order = [*inputs, *self._numbers]
        self._places = [order.index(x) for x in step.inputs]
        self._given = [k for k, x in enumerate(inputs) if x.weak]
        self._last: tuple[list[Any], tuple[Any, ...]] = [], ()
        self._dispatcher = native.build_dispatcher(
            "numbered", len(self._places), 0, _left_alone, ""
        )
        self._add()

    def _add(self) -> None:
        step = self._step
        after: Any = {} if step.left is None else {"after": (step.left, self._promote)}
        assert step.only is not None
        signature = tuple(x.dtype for x in step.inputs)
        self._dispatcher.add(signature, step.only.capsule, self._dtypes, **after)

    def _promote(self) -> None:
        self._step.promote()
        if self._step.only is not None:
            self._add()

    def __call__(self, args: Sequence[Any]) -> Any:
        """Return results, NotImplemented for arrays that the engine does not take as they are."""
        key = [x if type(x) is int else x.hex() for x in [args[k] for k in self._given]]
        last = self._last
        if last[0] != key:
            found = self._values(args)
            last = self._last = key, tuple([found[x] for x in self._numbers])
        values = (*args, *last[1])
        return self._dispatcher(*[values[k] for k in self._places])


def _left_alone(*_: Any) -> Any:
    return NotImplemented
