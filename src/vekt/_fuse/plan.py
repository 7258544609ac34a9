"""What calls of one signature do: passes over memory, one after another, and the same backwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._fuse.graph import REDUCTIONS, Graph, Node, UnfusableError, leaves, topological
from vekt._fuse.numbers import Fixed, UnforeseenError, as_dtype, identity
from vekt._fuse.passes import SCALAR, Pass, Result, Tier
from vekt._fuse.recorded import Recorded, can_record
from vekt._fuse.rules import Algebra, gradients
from vekt._fuse.spread import check_shape, spread, spread_value
from vekt._fuse.symbols import NUMBERS, Symbol, refuse, scalar_of

Array = NDArray[Any]
_MOST_RECORDED = 256


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
    """The passes that compute a traced function, and those of its gradients."""

    def __init__(self, traced: Traced, tier: Tier | None = None) -> None:
        self.traced, self.tier = traced, tier or Tier()
        self.forward = self._passes(traced.outputs)
        self.numbers = {x for step in self.forward for x in step.inputs if x.op == "number"}
        self._backward: dict[Any, Any] = {}
        self._last: tuple[list[Any], dict[Node, Any]] | None = None  # numbers of the last call
        self._together: Pass | None = None
        self._recorded: dict[Any, Recorded | None] = {}

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

    def __call__(self, arrays: Sequence[Array], out: Sequence[Array | None] = ()) -> list[Any]:
        """Results for arrays."""
        values = self._run(arrays, out)
        return [values[y] for y in self.traced.outputs]

    def quick(self, arrays: Sequence[Any], both: bool = False) -> list[Any] | None:
        """Return results, with the gradients of their sum for `both`, of native arrays.

        None where they are not contiguous, or a call takes more than programs.
        """
        for x in arrays:
            if not x.flags.carray:
                return None
        key = (both, *[x.shape for x in arrays])
        if key not in self._recorded:
            if len(self._recorded) >= _MOST_RECORDED:
                self._recorded.clear()
            self._recorded[key] = self._record(arrays, both)
        found = self._recorded.get(key)
        return None if found is None else found(arrays)

    def _record(self, arrays: Sequence[Array], both: bool) -> Recorded | None:
        if self.numbers:
            return None
        inputs, outputs = self.values(arrays), self.traced.outputs
        if not both:
            steps = [(step, step.inputs) for step in self.forward]
            return Recorded(steps, inputs, {}, outputs) if can_record(self.forward) else None
        if not self._is_one or self._together is None or not can_record([self._together]):
            return None
        step, wrt = self._together, self._wrt
        if not set(self.traced.inputs) <= set(wrt):
            return None
        first = self.forward[0]
        shape = np.broadcast_shapes(*(np.shape(inputs[x]) for x in first.inputs))
        given = step.inputs[len(first.inputs) :]
        scales = dict(zip(given, self._scales(shape), strict=False))
        if len(scales) < len(given):  # numbers that others are computed of
            return None
        nodes = [r.node for r in first.results]
        wanted = [(step, nodes.index(y)) for y in outputs]
        wanted += [(step, len(nodes) + wrt.index(x)) for x in self.traced.inputs]
        return Recorded([(step, step.inputs)], inputs, scales, wanted)

    def _scales(self, shape: tuple[int, ...]) -> list[Array]:
        """Return gradients of means with respect to each of their elements."""
        means = [y for y in self.traced.outputs if y.op == "mean"]
        return [np.asarray(spread(y, np.ones((), y.dtype), shape)) for y in means]

    @property
    def _is_one(self) -> bool:
        """Whether results and gradients are one pass."""
        extremes = any(y.op in ("max", "min") for y in self.traced.outputs)
        return len(self.forward) == 1 and not extremes

    def _run(self, arrays: Sequence[Array], out: Sequence[Array | None] = ()) -> dict[Node, Any]:
        values = self.values(arrays)
        wanted = dict(zip(self.traced.outputs, out, strict=False)) if len(out) else {}
        for step in self.forward:
            targets = [wanted.get(r.node) for r in step.results] if wanted else ()
            results = step([values[x] for x in step.inputs], targets)
            for made, value in zip(step.results, results, strict=True):
                values[made.node] = value
        return values

    # ---- gradients

    def backward(self, dys: Sequence[Any], arrays: Sequence[Array]) -> list[Any]:
        """Gradients with respect to the operands, None for those that have none."""
        values = self._run(arrays) if len(self.forward) > 1 else self.values(arrays)
        self._check_gradients()
        return self._reverse(list(zip(self.traced.outputs, dys, strict=True)), values)

    def _check_gradients(self) -> None:
        if self._underivable:
            raise TypeError(self._underivable)

    @cached_property
    def _underivable(self) -> str:
        """Why there are no gradients, or ""."""
        for y in self.traced.outputs:
            if not y.is_float:
                return f"a result of dtype {y.dtype} has no gradient"
        products = any(x.op == "prod" and x.is_float for x in topological(self.traced.outputs))
        return "a product along axes has no gradient" if products else ""

    def _reverse(self, weights: list[tuple[Node, Any]], values: dict[Node, Any]) -> list[Any]:
        sums: dict[Node, Any] = {}
        for y, dy in weights:
            sums[y] = sums[y] + dy if y in sums else dy
        for step in reversed(self.forward):
            for x, dx in self._reverse_pass(step, sums, values):
                sums[x] = sums[x] + dx if x in sums else dx
        return self._gradients_in(sums, values)

    def _gradients_in(self, sums: dict[Node, Any], values: dict[Node, Any]) -> list[Any]:
        """One for each operand: zeros where nothing depends on it, None for integers."""
        if any(x.op == "constant" and x.is_float for x in self.traced.inputs):
            raise TypeError("no gradient with respect to numbers of which others are computed so")
        return [
            None
            if not x.is_float
            else sums[x]
            if x in sums
            else np.zeros(np.shape(values[x]), x.dtype)[()]
            for x in self.traced.inputs
        ]

    def _reverse_pass(
        self, step: Pass, sums: dict[Node, Any], values: dict[Node, Any]
    ) -> list[tuple[Node, Any]]:
        """Gradients with respect to the inputs of a pass."""
        arrays = [np.asarray(values[x]) for x in step.inputs]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        known = tuple(r.node for r in step.results if r.node in sums)
        if not known or not arrays:
            return []
        given: list[Any] = []
        for node in known:
            dy = spread(node, np.asarray(sums.pop(node)), shape)
            check_shape(node, dy, shape)
            if node.op in ("max", "min"):
                y = values.get(node)
                if y is None:
                    y = step(arrays)[[r.node for r in step.results].index(node)]
                y = spread_value(node, np.asarray(y), shape)
                given += [dy / self._ties(step, node)([*arrays, y])[0], y]
            else:
                given.append(dy)
        backward, wrt = self._backward_of(step, known, tuple(np.asarray(v).dtype for v in given))
        if backward is None:
            return []
        more = self._more(backward, len(arrays) + len(given), values)
        return list(zip(wrt, backward([*arrays, *given, *more]), strict=True))

    @staticmethod
    def _more(step: Pass, start: int, values: dict[Node, Any]) -> list[Any]:
        """Numbers that only the gradients want."""
        return [values[x] if x in values else as_dtype(x, values) for x in step.inputs[start:]]

    def _ties(self, step: Pass, node: Node) -> Pass:
        """How often the extreme value is met, along the axes and keeping them."""
        key = ("ties", node)
        if key not in self._backward:
            graph = self.traced.graph
            y = graph.input(len(self.traced.inputs) + 1, node.dtype)
            same = graph.call(np.equal, node.args[0], y)[0]
            count = graph.reduce("sum", graph.cast(same, node.dtype), node.value[0], True)
            self._backward[key] = Pass([*step.inputs, y], [Result(graph, count)], self.tier)
        found: Pass = self._backward[key]
        return found

    def _backward_of(self, step: Pass, known: tuple[Node, ...], dtypes: tuple[Any, ...]) -> Any:
        key = (step, known, dtypes)
        if key not in self._backward:
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
            self._backward[key] = self._gradient_pass(step, given, results)
        return self._backward[key]

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

    def value_and_grad(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Any]]:
        """Results, and the gradients of their sum; in one pass wherever there is but one."""
        self._check_gradients()
        if self._is_one:
            return self._both(self.forward[0], arrays)
        values = self._run(arrays)
        outputs = self.traced.outputs
        ones = [(y, np.ones(np.shape(values[y]), y.dtype)) for y in outputs]
        return [values[y] for y in outputs], self._reverse(ones, values)

    def _both(self, step: Pass, arrays: Sequence[Array]) -> tuple[list[Any], list[Any]]:
        graph, outputs = self.traced.graph, self.traced.outputs
        if self._together is None:
            given: list[Node] = []
            results: Any = []
            for y in outputs:
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
            self._together = Pass(inputs, [*forward, *more], self.tier)
            self._wrt = wrt
        values = self.values(arrays)
        used = [np.asarray(values[x]) for x in step.inputs]
        shape = np.broadcast_shapes(*(a.shape for a in used))
        scales = self._scales(shape)
        more = self._more(self._together, len(used) + len(scales), values)
        results = self._together([*used, *scales, *more])
        n = len(step.results)
        by_node = dict(zip((r.node for r in step.results), results[:n], strict=True))
        sums = dict(zip(self._wrt, results[n:], strict=True))
        return [by_node[y] for y in outputs], self._gradients_in(sums, values)


__all__ = ["Plan", "Traced", "UnfusableError"]
