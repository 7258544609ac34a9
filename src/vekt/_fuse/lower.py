"""From nodes to a program: an order, registers, and what computes each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vekt import _native, _ufuncs

from .graph import DType, Node, UnfusableError, is_kernel, topological

MAX_OPERANDS = 32

# Exact, or rounded once: the kernels of the table give NumPy's bits.
_ROUNDED_ONCE = frozenset(
    [
        "absolute",
        "add",
        "clip",
        "divide",
        "maximum",
        "minimum",
        "multiply",
        "negative",
        "reciprocal",
        "sqrt",
        "square",
        "subtract",
    ]
)
_QUICK = _ROUNDED_ONCE | {
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "not_equal",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "invert",
    "isfinite",
    "isinf",
    "isnan",
    "positive",
    "sign",
}


class Instruction:
    """One kernel of a program and the numbers of its values, inputs first."""

    __slots__ = ("name", "nin", "values", "what")

    def __init__(self, what: Any, name: str, nin: int, values: tuple[int, ...]) -> None:
        self.what, self.name, self.nin, self.values = what, name, nin, values

    @property
    def cost(self) -> int:
        """Rough picoseconds per element of what has no row in the table of kernels."""
        if isinstance(self.what, str):
            return 50 if self.name in ("cast", "copy", "real", "imag", "complex") else 0
        return 50 if self.name in _QUICK else 1000


class Program:
    """An operation of the broadcast engine, in a capsule, with what it is made of.

    Parameters
    ----------
    inputs : sequence of Node
        Values that are given.
    outputs : sequence of Node
        Values that are asked for.
    isa : str
        Instruction set whose kernels it runs.
    """

    def __init__(
        self, inputs: Sequence[Node], outputs: Sequence[Node], isa: str = _native.SELECTED
    ) -> None:
        self.inputs, self.outputs, self.isa = tuple(inputs), tuple(outputs), isa
        if len(inputs) + len(outputs) > MAX_OPERANDS:
            raise UnfusableError(f"more than {MAX_OPERANDS} arguments and results together")
        order = topological(outputs, inputs)
        self.constants = [node for node in order if node.op == "constant"]
        self.dtypes: list[DType] = [x.dtype for x in (*inputs, *outputs, *self.constants)]
        self.first_register = len(self.dtypes)
        self.instructions: list[Instruction] = []
        self._place = {node: k for k, node in enumerate(inputs)}
        start = len(inputs) + len(outputs)
        self._place |= {node: start + k for k, node in enumerate(self.constants)}
        self._free: dict[DType, list[int]] = {}
        calls = _calls([node for node in order if node.op != "constant"])
        self._lower(calls)
        for k, node in enumerate(outputs):
            if self._place[node] != len(inputs) + k:
                self._emit("copy", "copy", 1, (self._place[node], len(inputs) + k))
        self.capsule = self._build()

    def _build(self) -> Any:
        constants = tuple(np.asarray(node.value, node.dtype) for node in self.constants)
        instructions = tuple((i.what, *i.values) for i in self.instructions)
        target = _native._address(_native.TARGETS[self.isa])
        try:
            return _ufuncs.program(
                target,
                tuple(self.dtypes),
                len(self.inputs),
                len(self.outputs),
                constants,
                instructions,
                sum(i.cost for i in self.instructions),
            )
        except ValueError as error:
            raise UnfusableError(str(error)) from None

    def _lower(self, calls: list[list[Node]]) -> None:
        last = {x: k for k, call in enumerate(calls) for x in call[0].args}
        outputs = {node: len(self.inputs) + k for k, node in reversed([*enumerate(self.outputs)])}
        for k, call in enumerate(calls):
            node = call[0]
            what, in_place = _kernel_of(node)
            sources = tuple(self._place[x] for x in node.args)
            dying = {x for x in node.args if last[x] == k}
            if in_place:
                self._release(dying)
            by_number = {y.value if len(call) > 1 or _nout(node) > 1 else 0: y for y in call}
            results = []
            for number in range(_nout(node)):
                y = by_number.get(number)
                if y in outputs:
                    place = outputs[y]
                else:
                    place = self._register(_dtype_of_output(node, number))
                if y is not None:
                    self._place[y] = place
                results.append(place)
            self._emit(what, node.name, len(sources), (*sources, *results))
            if not in_place:
                self._release(dying)
            self._release({y for y in call if y not in last}, results, by_number)

    def _emit(self, what: Any, name: str, nin: int, values: tuple[int, ...]) -> None:
        self.instructions.append(Instruction(what, name, nin, values))

    def _register(self, dtype: DType) -> int:
        free = self._free.get(dtype)
        if free:
            return free.pop()
        self.dtypes.append(dtype)
        return len(self.dtypes) - 1

    def _release(self, nodes: set[Node], results: Any = (), by_number: Any = None) -> None:
        """Let registers whose values nobody reads any more be used again."""
        places = {self._place[x] for x in nodes}
        places |= {p for k, p in enumerate(results) if by_number.get(k) is None}
        for place in sorted(places):
            if place >= self.first_register:
                self._free.setdefault(self.dtypes[place], []).append(place)

    @property
    def block(self) -> int:
        """Elements computed at a time."""
        return int(_ufuncs.program_block(self.capsule))


def _nout(node: Node) -> int:
    return node.op.nout if isinstance(node.op, np.ufunc) else 1


def _dtype_of_output(node: Node, number: int) -> DType:
    if _nout(node) == 1 or node.value == number:
        return node.dtype
    if is_kernel(node.op):
        return node.dtype
    given = (*(x.dtype for x in node.args), *(None,) * node.op.nout)
    dtype: DType = node.op.resolve_dtypes(given)[node.op.nin + number]
    return dtype


def _calls(nodes: list[Node]) -> list[list[Node]]:
    """Nodes that one call of a ufunc gives, together, where the first of them was."""
    calls: dict[Any, list[Node]] = {}
    for node in nodes:
        together = isinstance(node.op, np.ufunc) and node.op.nout > 1
        calls.setdefault((node.op, node.args) if together else node, []).append(node)
    return list(calls.values())


def _kernel_of(node: Node) -> tuple[Any, bool]:
    """Tell what computes a node, and whether it may write to the memory that it reads."""
    if isinstance(node.op, str):
        return node.op, node.op != "cast"
    if is_kernel(node.op):
        return node.op.__name__, True
    same = all(x.dtype == node.dtype for x in node.args)
    if same and node.name in _ROUNDED_ONCE and node.dtype.char in "fd":
        return node.name, True
    return node.op, False
