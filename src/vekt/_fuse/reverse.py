"""Gradients of a plan: passes backwards through its passes, as steps of a bound call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vekt import elementwise
from vekt._fuse.graph import REDUCTIONS, Node, leaves, topological
from vekt._fuse.operands import broadcast_shape
from vekt._fuse.passes import SCALAR, Pass, Result, Tier
from vekt._fuse.rules import Algebra, gradients
from vekt._fuse.spread import check_shape, spread, spread_value

if TYPE_CHECKING:
    from vekt._fuse.bound import Value
    from vekt._fuse.plan import Traced, _Binding

Gradients = list["Value | None"]


class Reverse:
    """The passes of gradients, which calls on arrays of all shapes share.

    Parameters
    ----------
    traced : Traced
        What the gradients are of.
    forward : sequence of Pass
        The passes that compute it.
    tier : Tier
        As for a pass.
    """

    def __init__(self, traced: Traced, forward: Sequence[Pass], tier: Tier) -> None:
        self.traced, self.forward, self.tier = traced, forward, tier
        self._passes: dict[Any, Any] = {}
        # Not properties that are cached: in Python 3.11 those have a lock, for all objects one.
        self._underivable, self._together = cache(self._why_underivable), cache(self._make_together)

    def backward(self, binding: _Binding, dys: Sequence[Value]) -> Gradients:
        """Add gradients with respect to the operands, None for those that have none."""
        if len(self.forward) > 1:
            for step in self.forward:
                binding.run(step)
        self._check()
        return self._reverse(binding, dict(zip(self.traced.outputs, dys, strict=True)))

    def both(self, binding: _Binding) -> tuple[list[Value], Gradients]:
        """Add results, and the gradients of their sum; in one pass wherever there is but one."""
        self._check()
        outputs = self.traced.outputs
        if len(self.forward) == 1 and not any(y.op in ("max", "min") for y in outputs):
            return self._in_one(binding)
        for step in self.forward:
            binding.run(step)
        ones = {y: binding.bound.constant(np.ones((), y.dtype)) for y in outputs}
        return [binding.value(y) for y in outputs], self._reverse(binding, ones)

    def _check(self) -> None:
        if why := self._underivable():
            raise TypeError(why)

    def _why_underivable(self) -> str:
        """Why there are no gradients, or ""."""
        for y in self.traced.outputs:
            if not y.is_float:
                return f"a result of dtype {y.dtype} has no gradient"
        products = any(x.op == "prod" and x.is_float for x in topological(self.traced.outputs))
        return "a product along axes has no gradient" if products else ""

    def _reverse(self, binding: _Binding, sums: dict[Node, Value]) -> Gradients:
        """Add gradients of values, by those that have been found, until only operands are left."""
        for step in reversed(self.forward):
            for x, dx in self._reverse_pass(binding, step, sums):
                sums[x] = binding.bound.apply(elementwise.add, sums[x], dx) if x in sums else dx
        return self._gradients_in(binding, sums)

    def _gradients_in(self, binding: _Binding, sums: dict[Node, Value]) -> Gradients:
        """One for each operand: zeros where nothing depends on it, None for integers."""
        inputs = self.traced.inputs
        if any(x.op == "constant" and x.is_float for x in inputs):
            raise TypeError("no gradient with respect to numbers of which others are computed so")

        def zeros(x: Node) -> Value:
            shape = binding.value(x).shape
            return binding.bound.call(partial(np.zeros, shape, x.dtype), (), shape, x.dtype)

        return [None if not x.is_float else sums[x] if x in sums else zeros(x) for x in inputs]

    def _reverse_pass(
        self, binding: _Binding, step: Pass, sums: dict[Node, Value]
    ) -> list[tuple[Node, Value]]:
        """Add gradients with respect to the inputs of a pass."""
        bound = binding.bound
        taken = [binding.value(x) for x in step.inputs]
        shape = broadcast_shape(*(v.shape for v in taken))
        known = tuple(r.node for r in step.results if r.node in sums)
        if not known or not taken:
            return []
        given: list[Value] = []
        for node in known:
            dy = spread(bound, node, bound.array(sums.pop(node)), shape)
            check_shape(node, dy.shape, shape)
            if node.op in ("max", "min"):
                y = binding.values.get(node)
                if y is None:
                    y = bound.run(step, taken)[[r.node for r in step.results].index(node)]
                y = spread_value(bound, node, y, len(shape))
                (ties,) = bound.run(self._ties(step, node), [*taken, y])
                given += [bound.apply(elementwise.divide, dy, ties), y]
            else:
                given.append(dy)
        backward, wrt = self._backward_of(step, known, tuple(v.dtype for v in given))
        if backward is None:
            return []
        more = [binding.value(x) for x in backward.inputs[len(taken) + len(given) :]]
        return list(zip(wrt, bound.run(backward, [*taken, *given, *more]), strict=True))

    def _in_one(self, binding: _Binding) -> tuple[list[Value], Gradients]:
        """Add results and gradients from one pass."""
        (step,), (together, wrt), bound = self.forward, self._together(), binding.bound
        taken = [binding.value(x) for x in step.inputs]
        shape = broadcast_shape(*(v.shape for v in taken))
        for y in self.traced.outputs:
            if y.op == "mean":
                taken.append(spread(bound, y, bound.constant(np.ones((), y.dtype)), shape))
        taken += [binding.value(x) for x in together.inputs[len(taken) :]]
        results = bound.run(together, taken)
        n = len(step.results)
        by_node = dict(zip((r.node for r in step.results), results[:n], strict=True))
        sums = dict(zip(wrt, results[n:], strict=True))
        return [by_node[y] for y in self.traced.outputs], self._gradients_in(binding, sums)

    # ---- passes

    def _make_together(self) -> tuple[Pass, Sequence[Node]]:
        """Results and gradients as one pass, which takes the gradients of means."""
        graph, (step,) = self.traced.graph, self.forward
        given: list[Node] = []
        results: list[tuple[Node, Node]] = []
        for y in self.traced.outputs:
            if y.op == "mean":
                dy = graph.input(len(self.traced.inputs) + len(given), y.dtype)
                given.append(dy)
            else:
                dy = graph.constant(1, y.dtype)
            results.append((y.args[0] if y.op in REDUCTIONS else y, dy))
        inner, wrt = self._gradient_pass(step, given, results)
        forward = [Result(graph, r.node) for r in step.results]
        more = inner.results if inner else ()
        inputs = inner.inputs if inner else [*step.inputs, *given]
        return Pass(inputs, [*forward, *more], self.tier), wrt

    def _ties(self, step: Pass, node: Node) -> Pass:
        """How often the extreme value is met, along the axes and keeping them."""
        key = ("ties", node)
        if key not in self._passes:
            graph = self.traced.graph
            y = graph.input(len(self.traced.inputs) + 1, node.dtype)
            same = graph.call(np.equal, node.args[0], y)[0]
            count = graph.reduce("sum", graph.cast(same, node.dtype), node.value[0], True)
            self._passes[key] = Pass([*step.inputs, y], [Result(graph, count)], self.tier)
        found: Pass = self._passes[key]
        return found

    def _backward_of(self, step: Pass, known: tuple[Node, ...], dtypes: tuple[Any, ...]) -> Any:
        key = (step, known, dtypes)
        if key not in self._passes:
            graph, algebra = self.traced.graph, Algebra(self.traced.graph)
            number = 2 * len(self.traced.inputs) + 100
            given = [graph.input(number + k, d) for k, d in enumerate(dtypes)]
            left = iter(given)
            results = []
            for node in known:
                dy = next(left)
                x = node.args[0] if node.op in REDUCTIONS else node
                if node.op in ("max", "min"):
                    same = algebra.equal(x, next(left))
                    dy = graph.where(
                        same, graph.cast(dy, node.dtype), graph.constant(0, node.dtype)
                    )
                results.append((x, dy))
            self._passes[key] = self._gradient_pass(step, given, results)
        return self._passes[key]

    def _gradient_pass(
        self, step: Pass, given: list[Node], results: list[tuple[Node, Node]]
    ) -> Any:
        graph, inputs = self.traced.graph, [*step.inputs, *given]
        wrt = {x: k for k, x in enumerate(step.inputs) if x.op != "number"}
        for x in topological([x for x in step.inputs if x.op == "number"]):
            if x.op == "input" and x.is_float:
                wrt.setdefault(x, SCALAR)
        slopes = gradients(graph, results, [*wrt])
        found = [(x, dx) for x, dx in zip(wrt, slopes, strict=True) if dx is not None]
        if not found:
            return None, ()
        inputs += [x for x in leaves(*(dx for _, dx in found)) if x not in inputs]
        outputs = [Result(graph, dx, like=wrt[x]) for x, dx in found]
        return Pass(inputs, outputs, self.tier), tuple(x for x, _ in found)
