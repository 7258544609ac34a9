"""A graph of values: each node is computed from others, and none is there twice."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from vekt._fuse import numbers
from vekt._spec.binary import BINARY

DType = np.dtype[Any]
BOOL = np.dtype("?")
FLOAT = np.dtype("f4")
DOUBLE = np.dtype("f8")
WEAK: dict[type, DType] = {
    bool: BOOL,
    int: np.dtype("i8"),
    float: DOUBLE,
    complex: np.dtype("c16"),
}
"""Python's numbers, which take the dtype of what they meet, and in which dtype they are kept."""

_NEVER_RAISE = ("add", "subtract", "multiply", "negative", "positive", "absolute")
"""Operators that give Python's floating point numbers what they give arrays of float64."""
_BINARY = {op.name: getattr(np, op.name) for op in BINARY}
_COMPUTE_IN_FLOAT = ("float16", "bfloat16")


class UnfusableError(Exception):
    """These dtypes have no program; NumPy may still know what to do."""


class Node:
    """A value.

    `op` is a ufunc, a reduction, or one of "input", "constant", "cast", "where", "real", "imag",
    "complex", "copy", "python" (what Python computes of its numbers) and "number" (a number of
    Python's in a dtype); `value` is the number of an input or of a ufunc's output, what a constant
    is, what Python does, how a number is converted, or the axis and keepdims of a reduction.
    `weak` is the type of Python's numbers that the value is of, or None.
    """

    __slots__ = ("args", "dtype", "op", "value", "weak")

    def __init__(
        self, op: Any, args: tuple[Node, ...], dtype: DType, value: Any, weak: type | None
    ) -> None:
        self.op, self.args, self.dtype, self.value, self.weak = op, args, dtype, value, weak

    @property
    def name(self) -> str:
        """Name of what computes it."""
        if self.op == "python":
            return str(self.value)
        return self.op if isinstance(self.op, str) else str(self.op.__name__)

    @property
    def given(self) -> Any:
        """What NumPy's promotion is told of it."""
        return self.dtype if self.weak in (None, bool) else self.weak

    @property
    def is_pythons(self) -> bool:
        """Whether Python computes it, at each call: integers have any size there."""
        return self.op == "python" or (self.op == "input" and self.weak in (bool, int))

    @property
    def is_float(self) -> bool:
        """Whether a gradient may be asked for."""
        return self.dtype.kind == "f" or self.dtype.name == "bfloat16"


REDUCTIONS = ("sum", "mean", "max", "min", "prod", "any", "all")
_COMPARISONS: dict[str, Any] = {
    name: numbers.OPERATORS[name]
    for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
}


def is_kernel(ufunc: Any) -> bool:
    """Whether it is a ufunc of vekt's, whose loops are in the table of kernels."""
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
        array = numbers.converted(value, dtype)
        key = ("constant", array.tobytes(), dtype, weak)
        found = self._nodes.get(key)
        if found is None:
            kept = value if weak else array
            found = self._nodes[key] = Node("constant", (), dtype, kept, weak)
        return found

    def number(self, value: Any) -> Node:
        """One of Python's numbers as such: True is 1 to others of them, not to arrays."""
        if type(value) is bool:
            return self._node("constant", (), BOOL, value, bool)
        return self.constant(value)

    def cast(self, x: Node, dtype: DType, wrap: bool = False) -> Node:
        """`x` in another dtype; integers that it cannot hold are errors unless they may wrap."""
        if x.op == "constant":
            if x.weak is None and x.dtype == dtype:
                return x
            with np.errstate(all="ignore"):
                value = np.asarray(x.value).astype(dtype) if wrap or x.weak is None else x.value
                return self.constant(value, dtype)
        if x.is_pythons:
            return self.number_in(x, dtype, "wrap" if wrap else "")
        if x.dtype == dtype:
            return x
        if x.dtype.kind == "c" and dtype == BOOL:
            return self.call(np.not_equal, x, self.constant(0, x.dtype))[0]
        if x.op == "cast" and x.args[0].dtype == dtype and _is_exact(dtype, x.dtype):
            return self.cast(x.args[0], dtype)  # there and back, which loses nothing
        return self._node("cast", (x,), dtype)

    def number_in(self, x: Node, dtype: DType, how: str = "") -> Node:
        """Return what calls give for one of Python's numbers in a dtype, as `numbers.as_dtype`."""
        return self._node("number", (x,), dtype, how)

    def strong(self, x: Node) -> Node:
        """Strip the weakness of a value that is no constant."""
        if x.weak is None:
            return x
        if x.is_pythons or x.op == "constant":
            return self.cast(x, x.dtype)
        return self._node("copy", (x,), x.dtype)

    def copy(self, x: Node, number: int) -> Node:
        """Return a value of its own, the same as `x`; those of other numbers are others."""
        return self._node("copy", (x,), x.dtype, number)

    def python(self, name: str, *args: Node) -> Node:
        """Return what an operator of Python gives for its numbers.

        What floating point numbers give without an error is computed with the arrays, so that the
        call stays one pass; all else by Python itself, before.
        """
        kind = numbers.type_of(name, [x.value if x.op == "constant" else x.weak for x in args])
        compares = name in _COMPARISONS and all(x.weak is float for x in args)
        real = all(x.weak is not complex for x in args)
        if compares or (kind is float and real and name in _NEVER_RAISE):
            operands = tuple(self.cast(x, DOUBLE) for x in args)
            return self._node(getattr(np, name), operands, WEAK[kind], 0, kind)
        return self._node("python", args, WEAK[kind], name, kind)

    def call(self, ufunc: Any, *args: Node, dtype: Any = None) -> tuple[Node, ...]:
        """Return outputs of a ufunc, in the dtypes that NumPy gives them."""
        args = self._met(args)
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

    def _met(self, args: Sequence[Node]) -> tuple[Node, ...]:
        """Operands of a ufunc; where nothing else tells a dtype, Python's integers are i8."""
        alone = all(x.weak for x in args)
        try:
            return tuple(self.strong(x) if alone and x.weak is int else x for x in args)
        except OverflowError:
            raise UnfusableError("an integer that NumPy has a dtype of its own for") from None

    def kernel(self, name: str, *args: Node) -> Node | None:
        """Apply a kernel to operands of one dtype; None where only other dtypes would do."""
        args = self._met(args)
        first = args[0]
        if len(args) == 1:
            dtype = np.exp.resolve_dtypes((first.given, None))[0]
        elif name in _BINARY:
            try:
                dtype = _BINARY[name].resolve_dtypes((*(x.given for x in args), None))[-1]
            except TypeError:
                return None
        else:
            dtype = np.result_type(*(self._example(x) for x in args))
        inner = FLOAT if dtype.name in _COMPUTE_IN_FLOAT else dtype
        if inner.char not in "fd":
            return None
        if name in _BINARY:  # numbers of Python become 16 bits first, as NumPy's loop takes them
            args = tuple(self.cast(x, dtype) for x in args)
        result = self._node(name, tuple(self.cast(x, inner) for x in args), inner)
        return self.cast(result, dtype)

    def _outputs(self, ufunc: Any, args: Sequence[Node], types: Any) -> tuple[Node, ...]:
        try:
            operands = tuple(self.cast(x, t) for x, t in zip(args, types, strict=False))
        except OverflowError:
            return (self._out_of_bounds(ufunc.__name__, args),)
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
            return (self.strong(simpler),)
        outputs = types[ufunc.nin :]
        return tuple(self._node(ufunc, operands, t, k) for k, t in enumerate(outputs))

    def _out_of_bounds(self, name: str, args: Sequence[Node]) -> Node:
        """Compare integers of a dtype with one that it cannot hold; all else is NumPy's error."""
        for k, (x, other) in enumerate(zip(args, args[::-1], strict=True)):
            if x.op != "constant" or x.weak is not int or other.dtype.kind not in "iu":
                continue
            if name in _COMPARISONS and other.weak is None:
                operands = (0, x.value) if k else (x.value, 0)  # beyond all that it can hold
                return self.like(_COMPARISONS[name](*operands), other, BOOL)
        raise

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
        condition = self._truth(condition)
        dtype = np.result_type(*(self._example(v) for v in (x, y)))
        if dtype.kind not in "biufc" and dtype.name != "bfloat16":
            raise UnfusableError(f"where of {dtype}")
        x, y = (self._chosen(v, dtype) for v in (x, y))
        if x is y and x.op != "constant" and not leaves(condition).keys() - leaves(x).keys():
            return self.strong(x)
        if all(v.op == "constant" for v in (condition, x, y)):
            return x if condition.value else y
        return self._node("where", (condition, x, y), dtype)

    def _truth(self, x: Node) -> Node:
        """Take a condition: integers of Python's have any size there."""
        if x.weak is int:
            constant = x.op == "constant"
            return self.constant(bool(x.value)) if constant else self.number_in(x, BOOL, "truth")
        return self.cast(x, BOOL)

    def _chosen(self, x: Node, dtype: DType) -> Node:
        """Take an operand of `np.where`, which lets integers wrap around."""
        if x.op == "constant" and x.weak:
            with np.errstate(all="ignore"):
                return self.constant(np.where(True, x.value, np.zeros((), dtype)), dtype)
        return self.cast(x, dtype, wrap=True)

    @staticmethod
    def _example(x: Node) -> Any:
        return x.weak(0) if x.weak else x.dtype

    def like(self, value: Any, x: Node, dtype: DType | None = None) -> Node:
        """Make a number of a dtype, of `x` by default, and, in the end, of the shape of `x`."""
        to = dtype or x.dtype
        if isinstance(value, Node) and value.weak:
            y = self.number_in(value, to, "fill")
        elif isinstance(value, Node) and _shaped(value) - _shaped(x):
            raise UnfusableError("full_like of an array of another shape, perhaps")
        elif isinstance(value, Node):
            y = self.cast(value, to)
        else:
            with np.errstate(all="ignore"):
                y = self.constant(np.full_like(np.empty((), to), value), to)
        return self._node("where", (self.constant(True), y, self.cast(x, to)), to)

    def part(self, name: str, x: Node) -> Node:
        """Real or imaginary part of an array."""
        if x.dtype.kind == "c":
            return self._node(name, (x,), np.dtype(f"f{x.dtype.itemsize // 2}"))
        return x if name == "real" else self.like(0, x)

    def complex(self, x: Node, y: Node) -> Node:
        """Complex number of two parts."""
        dtype = np.result_type(self._example(x), self._example(y), np.float32)
        if dtype.kind != "f" or dtype.itemsize > 8:
            raise TypeError(f"complex: expected real numbers, got {x.dtype} and {y.dtype}")
        parts = self.cast(x, dtype), self.cast(y, dtype)
        return self._node("complex", parts, np.dtype(f"c{2 * dtype.itemsize}"))

    def reduce(self, name: str, x: Node, axis: Any, keepdims: bool) -> Node:
        """Reduce along axes, to the dtype that NumPy gives the result."""
        dtype = x.dtype
        if name in ("any", "all"):
            dtype = BOOL
        elif name in ("sum", "prod") and dtype.kind in "biu":
            dtype = np.dtype("u8" if dtype.kind == "u" else "i8")
        elif name == "mean" and dtype.kind in "biu":
            dtype = DOUBLE
        return self._node(name, (self.strong(x),), dtype, (axis, keepdims))


def _is_exact(dtype: DType, to: DType) -> bool:
    """Whether values of a dtype are the same in another; NumPy counts i8 to f8 as safe."""
    wide = dtype.kind in "iu" and dtype.itemsize == 8 and to.kind not in "iu"
    return not wide and np.can_cast(dtype, to, "safe")


def leaves(*nodes: Node) -> dict[Node, None]:
    """Find inputs, numbers and reduced values that values are computed from, elementwise."""
    found: dict[Node, None] = {}
    seen: set[Node] = set()
    stack = [*nodes]
    while stack:
        x = stack.pop()
        if x in seen:
            continue
        seen.add(x)
        if x.op in ("input", "number") or x.op in REDUCTIONS:
            found[x] = None
        else:
            stack += x.args
    return found


def _shaped(node: Node) -> set[Node]:
    """Find leaves that may have dimensions."""
    return {x for x in leaves(node) if x.op != "number" and x.weak is None}


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
