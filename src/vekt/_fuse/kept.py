"""What is known of calls of known kinds: on few elements, nothing else takes long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vekt._core import native
from vekt._fuse.numbers import UnforeseenError
from vekt._fuse.plan import Plan
from vekt._fuse.segments import MAX_OPERANDS

_MOST = 64
_NUMBERS = (int, float)


class Kept:
    """Plans of calls on native arrays and on Python's numbers, by the dtypes and types of these."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Plan | Numbered] = {}

    def keep(self, args: tuple[Any, ...], plan: Plan) -> None:
        """Let calls with arguments of these kinds find the plan at once."""
        if not all(
            x.dtype.isnative if type(x) is np.ndarray else type(x) in _NUMBERS for x in args
        ):
            return
        known: Plan | Numbered = plan
        if not all(type(x) is np.ndarray for x in args):
            if not is_quick(plan):
                return
            known = Numbered(plan)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[_kinds(args)] = known

    def plan(self, args: tuple[Any, ...]) -> Plan | None:
        """Return the plan of a call on arrays alone."""
        known = self._known.get(_kinds(args))
        return known if isinstance(known, Plan) else None

    def call(self, args: tuple[Any, ...]) -> Any:
        """Return the results of a call, NotImplemented where it takes more to find them."""
        known = self._known.get(_kinds(args))
        if known is None:
            return NotImplemented
        if isinstance(known, Numbered):
            return known(args)
        results = known.quick(args)
        if results is None:
            results = known(args)
        return tuple(results) if known.traced.is_tuple else results[0]


def _kinds(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([x.dtype if type(x) is np.ndarray else type(x) for x in args])


def is_quick(plan: Plan) -> bool:
    """Whether a plan is one program, for any numbers."""
    step = plan.forward[0]
    return (
        plan.is_elementwise
        and step.only is not None
        and len(step.results) == len(plan.traced.outputs)
        and plan.traced.is_tuple == (len(step.results) > 1)
        and 0 < len(step.inputs) < MAX_OPERANDS
        and all(x.op == "input" for x in plan.traced.inputs)
    )


class Numbered:
    """One program on arrays and on what Python computes of numbers, which are often the same.

    Parameters
    ----------
    plan : Plan
        Of which `is_quick` is true.
    """

    def __init__(self, plan: Plan) -> None:
        inputs, self._plan, self._step = plan.traced.inputs, plan, plan.forward[0]
        self._numbers = [x for x in self._step.inputs if x.op == "number"]
        order = [*inputs, *self._numbers]
        self._places = [order.index(x) for x in self._step.inputs]
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
        outputs = tuple(y.dtype for y in self._plan.traced.outputs)
        self._dispatcher.add(signature, step.only.capsule, outputs, **after)

    def _promote(self) -> None:
        self._step.promote()
        if self._step.only is not None:
            self._add()

    def __call__(self, args: Sequence[Any]) -> Any:
        """Return results, NotImplemented where numbers are not as foreseen."""
        key = [x if type(x) is int else x.hex() for x in [args[k] for k in self._given]]
        last = self._last
        if last[0] != key:
            try:
                found = self._plan.values(args)
            except UnforeseenError:
                return NotImplemented
            last = self._last = key, tuple([found[x] for x in self._numbers])
        values = (*args, *last[1])
        return self._dispatcher(*[values[k] for k in self._places])


def _left_alone(*_: Any) -> Any:
    return NotImplemented
