"""What calls of one signature do: passes over memory, one after another, and the same backwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._core.locks import Lock
from vekt._fuse.bound import Bound, Kind, Value, kinds_of
from vekt._fuse.graph import REDUCTIONS, Graph, Node, UnfusableError, leaves, topological
from vekt._fuse.numbered import Numbered
from vekt._fuse.numbers import Fixed, UnforeseenError, as_dtype, identity
from vekt._fuse.passes import Pass, Result, Tier
from vekt._fuse.reverse import Reverse
from vekt._fuse.segments import MAX_OPERANDS
from vekt._fuse.symbols import NUMBERS, Symbol, refuse, scalar_of

Array = NDArray[Any]
_MOST_BOUND = 64


class Traced:
    """The graph of a function for operands of given dtypes.

    Parameters
    ----------
    function : callable
        Takes as many symbols as there are dtypes.
    given : sequence of dtype or type
        Dtypes of arrays, types of Python's numbers, or numbers that are the same in all calls.
    dtype : dtype, optional
        What arrays are converted to first, in the same pass.
    before : bool
        Whether they are converted before the pass instead, so that it has gradients in this dtype.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        given: Sequence[Any],
        dtype: Any = None,
        before: bool = False,
    ) -> None:
        self.graph = Graph()
        self.inputs: list[Node] = []
        values: list[Any] = []
        for k, x in enumerate(given):
            if isinstance(x, Fixed):
                self.inputs.append(self.graph.constant(x.value))
                values.append(x.value)
                continue
            to = x if dtype is None or isinstance(x, type) else dtype
            node = self.graph.input(k, to if before else x)
            self.inputs.append(node)
            values.append(Symbol(self.graph, node if node.weak else self.graph.cast(node, to)))
        with np.errstate(all="ignore"):
            results = function(*values)
        self.is_tuple = isinstance(results, (tuple, list))
        results = results if self.is_tuple else (results,)
        self.outputs: list[Node] = []
        for k, result in enumerate(results):  # each in memory of its own
            y = self._output(result)
            self.outputs.append(self.graph.copy(y, k) if y in self.outputs else y)

    def _output(self, x: Any) -> Node:
        if isinstance(x, Symbol):
            if x._graph is not self.graph:
                refuse("a result was kept from another call of the function")
            return self.graph.cast(x._node, x._node.dtype)
        if isinstance(x, np.ndarray) and x.ndim == 0:
            x = scalar_of(x)
        if not isinstance(x, NUMBERS):
            refuse(f"the function is to return arrays, not {type(x).__name__}")
        constant = self.graph.constant(x)
        try:
            return self.graph.strong(constant)
        except OverflowError:
            raise UnfusableError("an integer of Python's own as a result") from None

    @property
    def is_elementwise(self) -> bool:
        """Whether each result has the shape to which all operands broadcast."""
        needed = {x for x in self.inputs if x.op == "input"}
        return all(node.name not in REDUCTIONS for node in topological(self.outputs)) and all(
            needed <= set(topological([y])) for y in self.outputs
        )


def _leaves(node: Node) -> tuple[Node, ...]:
    """Return what a pass for a value takes: inputs, or numbers for them, in their order."""
    start = node.args if node.op in REDUCTIONS else (node,)
    return tuple(sorted(leaves(*start), key=lambda x: (_position(x), id(x))))


def _position(x: Node) -> int:
    source = x.args[0] if x.op == "number" else x
    return int(source.value) if source.op == "input" else sys.maxsize


class Plan:
    """The passes that compute a traced function, and calls of them bound to shapes and dtypes."""

    def __init__(self, traced: Traced, tier: Tier | None = None) -> None:
        self.traced, self.tier = traced, tier or Tier()
        self.forward = self._passes(traced.outputs)
        self.numbers = {x for step in self.forward for x in step.inputs if x.op == "number"}
        self._last: tuple[list[Any], dict[Node, Any]] | None = None  # numbers of the last call
        self._reverse, self._lock = Reverse(traced, self.forward, self.tier), Lock()
        self.numbered = cache(self._numbered)
        self.bound = lru_cache(_MOST_BOUND)(self._bind)
        self.bound_reverse = lru_cache(_MOST_BOUND)(self._bind_reverse)

    def _passes(self, outputs: Sequence[Node]) -> list[Pass]:
        """Group values by what they are computed from: those have one shape."""
        order = [x for x in topological(outputs) if x.op in REDUCTIONS]
        order += [x for x in dict.fromkeys(outputs) if x.op not in REDUCTIONS]
        groups: dict[Any, list[Node]] = {}
        for node in order:
            groups.setdefault(_leaves(node), []).append(node)
        graph = self.traced.graph
        return [
            Pass(leaves, [Result(graph, node) for node in nodes], self.tier)
            for leaves, nodes in groups.items()
        ]

    @property
    def is_elementwise(self) -> bool:
        """Whether it is one pass whose results have the shape to which all operands broadcast."""
        return len(self.forward) == 1 and self.traced.is_elementwise

    def _numbered(self) -> Numbered | None:
        """Take Python's numbers and arrays of any shapes, where it is one program."""
        step, traced = self.forward[0], self.traced
        is_quick = (
            self.is_elementwise
            and step.only is not None
            and len(step.results) == len(traced.outputs)
            and traced.is_tuple == (len(step.results) > 1)
            and 0 < len(step.inputs) < MAX_OPERANDS
            and all(x.op == "input" for x in traced.inputs)
        )
        return Numbered(step, traced, self.values) if is_quick else None

    def foresees(self, operands: Sequence[Any]) -> bool:
        """Whether Python's numbers among operands are such as this is made for."""
        try:
            self.values(operands)
        except UnforeseenError:
            return False
        return True

    def values(self, operands: Sequence[Any]) -> dict[Node, Any]:
        """Values of inputs, and of numbers."""
        values = dict(zip(self.traced.inputs, operands, strict=True))
        if self.numbers:
            key = [identity(x) for x in operands if type(x) in (int, float)]
            last = self._last
            if last is None or last[0] != key:
                last = self._last = key, {x: as_dtype(x, values) for x in self.numbers}
            values |= last[1]
        return values

    def _number(self, x: Node, *operands: Any) -> Any:
        values = self.values(operands)
        if x.op == "input":
            return np.asarray(values[x], x.dtype)
        return values[x] if x in values else as_dtype(x, values)

    # ---- calls

    def __call__(self, arrays: Sequence[Any], out: Sequence[Array | None] = ()) -> list[Any]:
        """Results for arrays and numbers, into those of `out` that are given."""
        if not len(out):
            return self.bound(kinds_of(arrays)).results(arrays)
        values = self.values(arrays)
        wanted = dict(zip(self.traced.outputs, out, strict=False))
        for step in self.forward:
            targets = [wanted.get(r.node) for r in step.results]
            results = step([values[x] for x in step.inputs], targets)
            values |= zip((r.node for r in step.results), results, strict=True)
        return [values[y] for y in self.traced.outputs]

    def backward(self, dys: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
        """Gradients with respect to the operands, None for those that have none."""
        dys = [dy if type(dy) in (int, float) else np.asarray(dy) for dy in dys]
        bound = self.bound_reverse(kinds_of(arrays), kinds_of(dys))
        return bound.results([*arrays, *dys])

    def value_and_grad(self, arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Results, and the gradients of their sum; in one pass wherever there is but one."""
        results = self.bound_reverse(kinds_of(arrays)).results(arrays)
        n = len(self.traced.outputs)
        return results[:n], results[n:]

    def _bind(self, kinds: tuple[Kind, ...]) -> Bound:
        """Find what calls on such operands do."""
        binding = _Binding(self, kinds)
        for step in self.forward:
            binding.run(step)
        answer: Any = tuple if self.traced.is_tuple else itemgetter(0)
        return binding.bound.finish([binding.value(y) for y in self.traced.outputs], answer)

    def _bind_reverse(self, kinds: tuple[Kind, ...], dys: tuple[Kind, ...] | None = None) -> Bound:
        """Find what gradients for such operands take: those of the sum, with results, or of dys."""
        binding = _Binding(self, (*kinds, *(dys or ())))
        with self._lock.held():
            return self._reversed(binding, len(kinds), dys is None)

    def _reversed(self, binding: _Binding, nin: int, both: bool) -> Bound:
        if not both:
            gradients = self._reverse.backward(binding, binding.bound.operands[nin:])
            return binding.bound.finish(gradients, one_or_all)
        values, gradients = self._reverse.both(binding)
        n, is_tuple = len(values), self.traced.is_tuple

        def answer(results: list[Any]) -> tuple[Any, Any]:
            return tuple(results[:n]) if is_tuple else results[0], one_or_all(results[n:])

        return binding.bound.finish([*values, *gradients], answer)


class _Binding:
    """A call that is being bound: the values of the nodes met so far."""

    def __init__(self, plan: Plan, kinds: Sequence[Kind]) -> None:
        """Take what the operands of the plan are, and then others."""
        inputs = plan.traced.inputs
        self.bound = Bound(kinds)
        self._number, self._operands = plan._number, self.bound.operands[: len(inputs)]
        given = zip(inputs, self._operands, strict=True)
        self.values = {x: value for x, value in given if not x.weak}

    def value(self, x: Node) -> Value:
        """Return the value of a node; numbers are computed where they are wanted."""
        if x not in self.values:
            number = partial(self._number, x)
            self.values[x] = self.bound.call(number, self._operands, (), x.dtype)
        return self.values[x]

    def run(self, step: Pass) -> None:
        """Add the results of a pass."""
        results = self.bound.run(step, [self.value(x) for x in step.inputs])
        self.values |= zip((r.node for r in step.results), results, strict=True)


def one_or_all(gradients: list[Any]) -> Any:
    """Return what a function gives for these gradients."""
    return gradients[0] if len(gradients) == 1 else tuple(gradients)


__all__ = ["Plan", "Traced", "UnfusableError"]
