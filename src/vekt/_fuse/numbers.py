"""Python's numbers: exact integers, and what NumPy's arrays take them for."""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from vekt._fuse.graph import Node

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "power": operator.pow,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "left_shift": operator.lshift,
    "right_shift": operator.rshift,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "negative": operator.neg,
    "positive": operator.pos,
    "absolute": operator.abs,
    "invert": operator.invert,
    "complex": complex,
    "real": operator.attrgetter("real"),
    "imag": operator.attrgetter("imag"),
    "conjugate": operator.methodcaller("conjugate"),
}
"""Python's operators, by the names of NumPy's ufuncs, and what its numbers have."""

_EXAMPLES: dict[type, Any] = {bool: True, int: 2, float: 2.0, complex: 2j}
_MOST_BITS = 4096
_QUIET = "bBhHiIlLqQd"
"""Dtypes to which integers are converted without a warning."""


class UnforeseenError(Exception):
    """A number is not what was foreseen when the function was traced."""


class Fixed:
    """A value that is the same in all calls, told from others that only equal it."""

    __slots__ = ("key", "value")

    def __init__(self, value: Any) -> None:
        self.value, self.key = value, identity(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def type_of(name: str, operands: Sequence[Any]) -> type:
    """Type of what an operator gives for numbers, or for types of them."""

    def example(x: Any) -> Any:
        if isinstance(x, type):
            return _EXAMPLES[x]
        return (2 if x > 0 else -2) if type(x) is int and abs(x) > 2 else x

    return type(OPERATORS[name](*map(example, operands)))


def is_huge(name: str, *operands: Any) -> bool:
    """Whether a power, or a shift, is an integer of thousands of bits."""
    if name not in ("power", "left_shift") or not all(type(x) is int for x in operands):
        return False
    x, y = operands
    bits: int = abs(x).bit_length()
    return bits > 0 and bool((bits * y if name == "power" else bits + y) > _MOST_BITS)


def value_of(node: Node, given: dict[Node, Any]) -> Any:
    """Compute a number from those that a call gives, as Python does.

    Raises
    ------
    UnforeseenError
        If it is of another type than foreseen, or no number of the dtype that it is wanted in.
    """
    if node.op == "input":
        return given[node]
    if node.op == "constant":
        return node.value if node.weak else np.asarray(node.value).item()
    operands = [value_of(x, given) for x in node.args]
    if node.op == "number":
        return as_dtype(node, given).item()
    if is_huge(node.name, *operands):
        raise UnforeseenError
    result = OPERATORS[node.name](*operands)
    if type(result) is not node.weak:
        raise UnforeseenError
    return result


def converted(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a number as an array of a dtype, by NumPy's way: OverflowError for large integers."""
    if dtype.kind == "b" and type(value) is int:
        value = np.array(value, "i8")
    return np.array(value, dtype)


def as_dtype(number: Node, given: dict[Node, Any]) -> Any:
    """Value of a node "number": one of Python's numbers as an array of its dtype.

    Conversions are strict, or as `np.where` ("wrap", and "truth" of its condition) or
    `np.full_like` ("fill") has them, or for what `np.clip` ignores out of bounds ("limit").
    """
    value, dtype = value_of(number.args[0], given), number.dtype
    try:
        if not number.value and type(value) is int and dtype.char in _QUIET:
            return np.array(value, dtype)
        with np.errstate(all="ignore"):
            if number.value == "truth":
                return np.array(bool(value))
            if number.value == "limit" and not np.iinfo(dtype).min < value < np.iinfo(dtype).max:
                raise UnforeseenError
            if number.value == "fill":
                return np.full_like(np.empty((), dtype), value)
            if number.value == "wrap" and type(value) is int:
                return np.array(value, "i8").astype(dtype)
            return converted(value, dtype)
    except OverflowError:
        raise UnforeseenError from None


def identity(x: Any) -> Any:
    """Tell values apart that are equal but not the same, as 0.0 and -0.0, or 1 and True."""
    if isinstance(x, tuple):
        return type(x), *map(identity, x)
    if type(x) is float:
        return float, struct.pack("d", x)
    if type(x) is complex:
        return complex, struct.pack("2d", x.real, x.imag)
    return type(x), x
