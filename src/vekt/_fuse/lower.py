"""From nodes to a program: an order, registers, and what computes each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vekt._core import native
from vekt._fuse.graph import DType, Node, UnfusableError, is_kernel, topological
from vekt._fuse.segments import MAX_OPERANDS, Loop, Segment, cost, segmented

# Exact, or rounded once: the kernels of the table give NumPy's bits.
_ROUNDED_ONCE = frozenset(
    [
        "absolute",
        "add",
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
    "clip",
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


class TooLargeError(UnfusableError):
    """One program has no room for it."""


class Instruction:
    """One kernel of a program and the numbers of its values, inputs first."""

    __slots__ = ("name", "nin", "values", "what")

    def __init__(self, what: Any, name: str, nin: int, values: tuple[int, ...]) -> None:
        self.what, self.name, self.nin, self.values = what, name, nin, values

    @property
    def cost(self) -> int:
        """Rough picoseconds per element of what is not in the table of kernels."""
        if isinstance(self.what, Loop):
            return cost(self.what.segment)
        if isinstance(self.what, str):
            return 50 if self.name in ("cast", "copy", "real", "imag", "complex") else 0
        return 50 if self.name in _QUICK else 1000


class Call:
    """What computes values from others; `None` stands for a value that nobody asked for."""

    __slots__ = ("args", "dtypes", "in_place", "name", "nodes", "what")

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Take the results of one call of a ufunc, or one node."""
        first = nodes[0]
        self.name, self.args = first.name, first.args
        self.what, self.in_place = _kernel_of(first)
        count = _nout(first)
        by_number = {y.value if count > 1 else 0: y for y in nodes}
        self.nodes = [by_number.get(number) for number in range(count)]
        self.dtypes = [_dtype_of_output(first, number) for number in range(count)]

    @classmethod
    def compiled(cls, segment: Segment, isa: str) -> Call:
        """Take a segment."""
        from vekt._fuse.compile import compiled

        call = cls.__new__(cls)
        call.what, call.name, call.in_place = compiled(segment, isa), "compiled", True
        call.args, call.nodes = segment.inputs, list(segment.outputs)
        call.dtypes = [node.dtype for node in segment.outputs]
        return call


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
    compile : bool
        Whether operations that are defined to the last bit become machine code together.
    """

    def __init__(
        self,
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        isa: str = native.SELECTED,
        compile: bool = False,
    ) -> None:
        self.inputs, self.outputs, self.isa = tuple(inputs), tuple(outputs), isa
        if len(inputs) + len(outputs) > MAX_OPERANDS:
            raise TooLargeError(f"more than {MAX_OPERANDS} arguments and results together")
        self.order = calls_of([x for x in topological(outputs, inputs) if x.op != "constant"])
        steps = segmented(self.order, inputs, outputs, isa)
        self.operations = sum(len(x) for x in steps if isinstance(x, Segment))
        """How many of them are, or would be, compiled."""
        whole = compile and len(steps) == 1 and isinstance(steps[0], Segment)
        calls = (
            [Call.compiled(x, isa) if isinstance(x, Segment) else Call(x) for x in steps]
            if compile
            else [Call(x) for x in self.order]
        )
        needed = dict.fromkeys(x for call in calls for x in call.args)
        needed |= {} if whole else dict.fromkeys(outputs)
        self.constants = [node for node in needed if node.op == "constant"]
        self.dtypes: list[DType] = [x.dtype for x in (*inputs, *outputs, *self.constants)]
        self.first_register = len(self.dtypes)
        self.instructions: list[Instruction] = []
        self._place = {node: k for k, node in enumerate(inputs)}
        start = len(inputs) + len(outputs)
        self._place |= {node: start + k for k, node in enumerate(self.constants)}
        self._free: dict[DType, list[int]] = {}
        if whole:  # its operands are the program's own
            self._emit(calls[0].what, "compiled", len(inputs), tuple(range(start)))
        else:
            self._lower(calls)
        self.target = native._address(native.TARGETS[isa])
        self.capsule = self._build()

    def _build(self) -> Any:
        constants = tuple(np.asarray(node.value, node.dtype) for node in self.constants)
        instructions = tuple((i.what, *i.values) for i in self.instructions)
        try:
            return native.program(
                self.target,
                tuple(self.dtypes),
                len(self.inputs),
                len(self.outputs),
                constants,
                instructions,
                sum(i.cost for i in self.instructions),
            )
        except ValueError as error:
            large = str(error).startswith("program: too many")
            raise (TooLargeError if large else UnfusableError)(str(error)) from None

    def _lower(self, calls: list[Call]) -> None:
        last = {x: k for k, call in enumerate(calls) for x in call.args}
        outputs = {node: len(self.inputs) + k for k, node in reversed([*enumerate(self.outputs)])}
        for k, call in enumerate(calls):
            sources = tuple(self._place[x] for x in call.args)
            dying = [self._place[x] for x in call.args if last[x] == k]
            if call.in_place:
                self._release(dying)
            places, unread = [], []
            for node, dtype in zip(call.nodes, call.dtypes, strict=True):
                place = outputs[node] if node in outputs else self._register(dtype)
                if node is not None:
                    self._place[node] = place
                if node not in last:
                    unread.append(place)
                places.append(place)
            self._emit(call.what, call.name, len(sources), (*sources, *places))
            self._release(unread if call.in_place else [*dying, *unread])
        for k, node in enumerate(self.outputs, len(self.inputs)):
            if self._place[node] != k:
                self._emit("copy", "copy", 1, (self._place[node], k))

    def _emit(self, what: Any, name: str, nin: int, values: tuple[int, ...]) -> None:
        self.instructions.append(Instruction(what, name, nin, values))

    def _register(self, dtype: DType) -> int:
        free = self._free.get(dtype)
        if free:
            return free.pop()
        self.dtypes.append(dtype)
        return len(self.dtypes) - 1

    def _release(self, places: Sequence[int]) -> None:
        """Let registers whose values nobody reads any more be used again."""
        for place in sorted({p for p in places if p >= self.first_register}):
            self._free.setdefault(self.dtypes[place], []).append(place)

    @property
    def block(self) -> int:
        """Elements computed at a time."""
        return int(native.program_block(self.capsule))


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


def calls_of(nodes: list[Node]) -> list[list[Node]]:
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
