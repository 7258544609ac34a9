"""A graph of values: each node is computed from others, and none is there twice."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

DType = np.dtype[Any]
WEAK: dict[type, DType] = {int: np.dtype("i8"), float: np.dtype("f8"), complex: np.dtype("c16")}
"""Python's numbers, which take the dtype of what they meet, and in which dtype they are kept."""

BOOL = np.dtype("?")
FLOAT = np.dtype("f4")
_COMPUTE_IN_FLOAT = ("float16", "bfloat16")


class UnfusableError(Exception):
    """These dtypes have no program; NumPy may still know what to do."""


class Node:
    """A value.

    `op` is a ufunc, or one of "input", "constant", "cast", "where", "real", "imag", "complex",
    "copy", "sum", "mean", "max" and "min"; `value` is the number of an input or of a ufunc's
    output, what a constant is, or the axis and keepdims of a reduction.  `weak` is the type of
    Python's numbers that the value behaves like, or None.
    """

    __slots__ = ("args", "dtype", "op", "value", "weak")

    def __init__(
        self, op: Any, args: tuple[Node, ...], dtype: DType, value: Any, weak: type | None
    ) -> None:
        self.op, self.args, self.dtype, self.value, self.weak = op, args, dtype, value, weak

    @property
    def name(self) -> str:
        """Name of what computes it."""
        return self.op if isinstance(self.op, str) else str(self.op.__name__)

    @property
    def given(self) -> Any:
        """What NumPy's promotion is told of it."""
        return self.weak or self.dtype

    @property
    def is_float(self) -> bool:
        """Whether a gradient may be asked for."""
        return self.dtype.kind == "f" or self.dtype.name == "bfloat16"


REDUCTIONS = ("sum", "mean", "max", "min")


def is_kernel(ufunc: Any) -> bool:
    """Whether it is a ufunc of vekt's, whose loops are rows of the table of kernels."""
    home = sys.modules.get("vekt.ufuncs")
    if home is None or not isinstance(ufunc, np.ufunc):
        return False
    return vars(home).get(ufunc.__name__) is ufunc


class Graph:
    """Makes nodes; asked for one that it has made, gives that."""

    def __init__(self) -> None:
        self._nodes: dict[Any, Node] = {}

    def _node(
        self, op: Any, args: tuple[Node, ...], dtype: DType, value: Any = None, weak: Any = None
    ) -> Node:
        key = (op, args, dtype, value, weak)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(op, args, dtype, value, weak)
        return found

    def input(self, number: int, given: Any) -> Node:
        """Input of a dtype, or of a type of Python's numbers."""
        weak = given if isinstance(given, type) else None
        return self._node("input", (), WEAK[weak] if weak else given, number, weak)

    def constant(self, value: Any, dtype: DType | None = None) -> Node:
        """Python's number, NumPy's scalar, or either of them in a dtype."""
        weak = None
        if dtype is None:
            if isinstance(value, (bool, np.generic)):
                dtype = np.asarray(value).dtype
            else:
                weak = type(value)
                dtype = WEAK[weak]
                if weak is int and not -(2**63) <= value < 2**63:
                    # a number of Python's own, which some dtype that it meets may hold
                    return self._node("constant", (), dtype, value, weak)
        array = np.asarray(value, dtype)
        key = ("constant", array.tobytes(), dtype, weak)
        found = self._nodes.get(key)
        if found is None:
            kept = value if weak else array
            found = self._nodes[key] = Node("constant", (), dtype, kept, weak)
        return found

    def cast(self, x: Node, dtype: DType, wrap: bool = False) -> Node:
        """`x` in another dtype; integers that it cannot hold are errors unless they may wrap."""
        if x.op == "constant":
            if x.weak is None and x.dtype == dtype:
                return x
            with np.errstate(all="ignore"):
                value = np.asarray(x.value).astype(dtype) if wrap or x.weak is None else x.value
                return self.constant(value, dtype)
        if x.dtype == dtype:
            return x
        if x.op == "cast" and x.args[0].dtype == dtype and np.can_cast(dtype, x.dtype, "safe"):
            return self.cast(x.args[0], dtype)  # there and back, which loses nothing
        return self._node("cast", (x,), dtype)

    def strong(self, x: Node) -> Node:
        """Strip the weakness of a value that is no constant."""
        if x.weak is None:
            return x
        if x.op == "cast":
            return self._node("cast", x.args, x.dtype)
        return self._node("copy", (x,), x.dtype)

    def weakened(self, x: Node, weak: type) -> Node:
        """`x`, a result of Python's numbers alone, as one of them."""
        x = self.cast(x, WEAK[weak])
        return self._node(x.op, x.args, x.dtype, x.value, weak)

    def call(self, ufunc: Any, *args: Node, dtype: Any = None) -> tuple[Node, ...]:
        """Return outputs of a ufunc, in the dtypes that NumPy gives them."""
        given = (*(x.given for x in args), *(None,) * ufunc.nout)
        if dtype is None:
            types = ufunc.resolve_dtypes(given)
        else:
            signature = (*(None,) * ufunc.nin, *(np.dtype(dtype),) * ufunc.nout)
            types = ufunc.resolve_dtypes(given, signature=signature, casting="same_kind")
        if is_kernel(ufunc) and types[0].name in _COMPUTE_IN_FLOAT:
            halves = tuple(self.cast(x, t) for x, t in zip(args, types, strict=False))
            inside = self._outputs(ufunc, halves, (FLOAT,) * ufunc.nargs)
            return tuple(self.cast(y, types[0]) for y in inside)
        return self._outputs(ufunc, args, types)

    def kernel(self, name: str, *args: Node) -> Node | None:
        """Apply a kernel to operands of one dtype; None where only other dtypes would do."""
        first = args[0]
        if len(args) == 1:
            dtype = np.exp.resolve_dtypes((first.given, None))[0]
        else:
            dtype = np.result_type(*(self._example(x) for x in args))
        inner = FLOAT if dtype.name in _COMPUTE_IN_FLOAT else dtype
        if inner.char not in "fd":
            return None
        result = self._node(name, tuple(self.cast(x, inner) for x in args), inner)
        return self.cast(result, dtype)

    def _outputs(self, ufunc: Any, args: Sequence[Node], types: Any) -> tuple[Node, ...]:
        try:
            operands = tuple(self.cast(x, t) for x, t in zip(args, types, strict=False))
        except OverflowError:
            if ufunc.__name__ in ("less", "less_equal", "greater", "greater_equal", "equal"):
                raise UnfusableError(f"{ufunc.__name__} with an integer out of bounds") from None
            raise
        for t in types:
            if t.kind not in "biufc" and t.name != "bfloat16":
                raise UnfusableError(f"{ufunc.__name__} of {t}")
        if ufunc.__name__ == "power" and types[0].kind == "i" and not self._is_natural(operands[1]):
            raise UnfusableError("integers to powers that may be negative")
        if all(x.op == "constant" for x in operands):
            with np.errstate(all="ignore"):
                results = ufunc(*(x.value for x in operands))
            results = results if ufunc.nout > 1 else (results,)
            return tuple(
                self.constant(r, t) for r, t in zip(results, types[ufunc.nin :], strict=False)
            )
        simpler = self._simplified(ufunc.__name__, operands)
        if simpler is not None and simpler.dtype == types[-1]:
            return (simpler,)
        outputs = types[ufunc.nin :]
        return tuple(self._node(ufunc, operands, t, k) for k, t in enumerate(outputs))

    def _simplified(self, name: str, operands: tuple[Node, ...]) -> Node | None:
        """Find a value of the same bits that takes less, or None."""
        x = operands[0]
        if name == "positive" or (name == "conjugate" and x.dtype.kind != "c"):
            return x
        if name == "negative" and x.op is np.negative:
            return x.args[0]
        if name not in ("multiply", "divide") or x.dtype.kind not in "iuf":
            return None
        y = operands[1]
        if y.op == "constant" and y.value == 1:
            return x
        if name == "multiply":
            return y if x.op == "constant" and x.value == 1 else None
        if y.op == "constant" and y.dtype.kind == "f" and abs(math.frexp(y.value)[0]) == 0.5:
            inverse = 1 / float(y.value)  # exact: y is a power of two
            if np.finfo(y.dtype).tiny <= abs(inverse) <= np.finfo(y.dtype).max:
                return self._node(np.multiply, (x, self.constant(inverse, y.dtype)), y.dtype, 0)
        return None

    @staticmethod
    def _is_natural(x: Node) -> bool:
        return x.op == "constant" and bool(x.value >= 0)

    def one(self, ufunc: Any, *args: Node | float) -> Node:
        """Output of a ufunc that has one; numbers count as Python's."""
        nodes = (x if isinstance(x, Node) else self.constant(x) for x in args)
        return self.call(ufunc, *nodes)[0]

    def where(self, condition: Node, x: Node, y: Node) -> Node:
        """`x` where the condition holds, else `y`."""
        if condition.dtype != BOOL:
            zero = self.constant(0, condition.dtype)
            condition = self.call(np.not_equal, condition, zero)[0]
        kinds = [self._example(v) for v in (x, y)]
        dtype = np.result_type(*kinds)
        x, y = self.cast(x, dtype, wrap=True), self.cast(y, dtype, wrap=True)
        if x is y:
            return x
        if all(v.op == "constant" for v in (condition, x, y)):
            return x if condition.value else y
        return self._node("where", (condition, x, y), dtype)

    @staticmethod
    def _example(x: Node) -> Any:
        return x.weak(0) if x.weak else x.dtype

    def like(self, value: Any, x: Node) -> Node:
        """Make a constant of the dtype and, in the end, of the shape of `x`."""
        y = self.cast(self.constant(value), x.dtype, wrap=True)
        return self._node("where", (self.constant(True), y, x), x.dtype)

    def part(self, name: str, x: Node) -> Node:
        """Real or imaginary part."""
        if x.dtype.kind != "c":
            return x if name == "real" else self.like(0, x)
        return self._node(name, (self.strong(x),), np.dtype(f"f{x.dtype.itemsize // 2}"))

    def complex(self, x: Node, y: Node) -> Node:
        """Complex number of two parts."""
        dtype = np.result_type(self._example(x), self._example(y), np.float32)
        if dtype.kind != "f" or dtype.itemsize > 8:
            raise TypeError(f"complex: expected real numbers, got {x.dtype} and {y.dtype}")
        parts = self.cast(x, dtype), self.cast(y, dtype)
        return self._node("complex", parts, np.dtype(f"c{2 * dtype.itemsize}"))

    def reduce(self, name: str, x: Node, axis: Any, keepdims: bool) -> Node:
        """Sum, mean, maximum or minimum along axes, in the dtype that NumPy gives it."""
        dtype = x.dtype
        if name == "sum" and dtype.kind in "bi":
            dtype = np.dtype("i8")
        elif name == "sum" and dtype.kind == "u":
            dtype = np.dtype("u8")
        elif name == "mean" and dtype.kind in "biu":
            dtype = np.dtype("f8")
        return self._node(name, (self.strong(x),), dtype, (axis, keepdims))


def topological(outputs: Sequence[Node], leaves: Sequence[Node] = ()) -> list[Node]:
    """All nodes that the outputs need, each after what it is computed from; leaves need nothing."""
    order: list[Node] = []
    seen = set(leaves)
    stack = [(node, False) for node in reversed(outputs)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(x, False) for x in reversed(node.args)]
    return order
