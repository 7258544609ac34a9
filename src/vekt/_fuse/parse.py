"""Expressions in strings, read as data and never executed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from vekt import elementwise
from vekt._core.syntax import expression
from vekt._fuse.functions import of_parts
from vekt._fuse.fused import fuse
from vekt._fuse.numbers import is_huge
from vekt._fuse.text import alike, contains
from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY

_MOST_CHARACTERS, _DEEPEST, _MOST_EXPRESSIONS = 20_000, 100, 256

_UFUNCS = [
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "arctan2",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "log",
    "log10",
    "log1p",
    "log2",
    "exp",
    "expm1",
    "exp2",
    "sqrt",
    "cbrt",
    "hypot",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "sign",
    "maximum",
    "minimum",
    "fmod",
    "isnan",
    "isfinite",
    "isinf",
    "signbit",
    "copysign",
    "nextafter",
    "square",
    "reciprocal",
]
_REDUCTIONS = ("sum", "mean", "prod", "min", "max", "any", "all")
_OPTIONS = ("axis", "keepdims")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in _UFUNCS},
    **{
        op.name: getattr(elementwise, op.name)
        for op in (*ELEMENTARY, *BINARY)
        if op.name in _UFUNCS
    },
    "abs": np.absolute,
    "absolute": np.absolute,
    "conj": np.conjugate,
    "conjugate": np.conjugate,
    "round": np.round,
    "where": np.where,
    "real": np.real,
    "imag": np.imag,
    "complex": of_parts,
    "clip": np.clip,
    "copy": np.copy,
    "ones_like": np.ones_like,
    "contains": contains,
    **{name: getattr(np, name) for name in _REDUCTIONS},
}
"""What expressions may call; reductions take an axis and keepdims, too."""


def _arguments(name: str) -> int:
    """How many arguments a function takes, beside those that a reduction has."""
    several = {"where": 3, "clip": 3, "complex": 2, "contains": 2}
    return several.get(name) or int(getattr(FUNCTIONS[name], "nin", 1))


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: lambda x, y: x / y,
    ast.FloorDiv: lambda x, y: x // y,
    ast.Mod: lambda x, y: x % y,
    ast.Pow: lambda x, y: x**y,
    ast.LShift: lambda x, y: x << y,
    ast.RShift: lambda x, y: x >> y,
    ast.BitAnd: lambda x, y: x & y,
    ast.BitOr: lambda x, y: x | y,
    ast.BitXor: lambda x, y: x ^ y,
}
_UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: lambda x: -x,
    ast.UAdd: lambda x: +x,
    ast.Invert: lambda x: ~x,
}
_PARTS = ("real", "imag")  # the attributes that there are
_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: lambda x, y: x < y,
    ast.LtE: lambda x, y: x <= y,
    ast.Gt: lambda x, y: x > y,
    ast.GtE: lambda x, y: x >= y,
    ast.Eq: lambda x, y: x == y,
    ast.NotEq: lambda x, y: x != y,
}


class ExpressionSyntaxError(SyntaxError, ValueError):
    """An expression that Python cannot read, a ValueError as all that is refused."""


class TruthError(ValueError, TypeError):
    """`and`, `or` and `not` of arrays; a TypeError, too, as NumExpr's is."""


class _Reader:
    """Checks an expression and computes it from values of its names."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > _MOST_CHARACTERS:
            raise ValueError(f"expression: more than {_MOST_CHARACTERS} characters")
        try:
            self.tree = expression(text.strip()).body
        except UnicodeEncodeError:
            raise ValueError("expression: a character that is none") from None
        except (SyntaxError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", None) or "nested too deeply"
            raise ExpressionSyntaxError(f"expression: {reason}: {text[:80]!r}") from None
        self.names: list[str] = []
        self._check(self.tree, 0)

    def _refuse(self, node: ast.AST, why: str, error: type[Exception] = ValueError) -> Any:
        shown = ast.get_source_segment(self.text.strip(), node) or ""
        raise error(f"expression: {why}: {shown[:80]!r}")

    def _check(self, node: ast.AST, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"expression: nested more than {_DEEPEST} deep")
        left, rest = _spine(node)
        for part in rest:  # a long sum is not deep
            self._check_operator(part)
            self._check(part.right, depth + 1)
        self._check_other(left, depth)

    def _check_operator(self, node: ast.BinOp) -> None:
        if type(node.op) not in _BINARY:
            self._refuse(node, "this operator is not allowed")

    def _check_other(self, node: ast.AST, depth: int) -> None:
        children: list[ast.AST] = []
        if isinstance(node, ast.Constant):
            self._check_constant(node)
        elif isinstance(node, ast.Name):
            if node.id.startswith("_"):
                self._refuse(node, "names that begin with an underscore are not allowed")
            if node.id not in self.names:
                self.names.append(node.id)
        elif isinstance(node, ast.UnaryOp):
            if type(node.op) not in _UNARY:
                self._refuse(node, "`not` is for truth values; write ~ for arrays", TruthError)
            children = [node.operand]
        elif isinstance(node, ast.Compare):
            if any(type(op) not in _COMPARISONS for op in node.ops):
                self._refuse(node, "this comparison is not allowed")
            if len(node.ops) > 1:
                self._refuse(node, "a chain of comparisons; join pairs with &")
            children = _but_text(node.left, *node.comparators)
        elif isinstance(node, ast.Call):
            children = self._check_call(node)
        elif isinstance(node, ast.Attribute) and node.attr in _PARTS:
            children = [node.value]
        elif isinstance(node, ast.BoolOp):
            why = "`and` and `or` are for truth values; write & and | for arrays"
            self._refuse(node, why, TruthError)
        else:
            self._refuse(node, f"{type(node).__name__} is not allowed")
        for child in children:
            self._check(child, depth + 1)

    def _check_constant(self, node: ast.Constant) -> None:
        if type(node.value) not in (bool, int, float, complex):
            self._refuse(node, "only numbers may stand there; text, where it is compared")
        if type(node.value) is int and node.value.bit_length() > 64:
            self._refuse(node, "an integer of more than 64 bits")

    def _check_call(self, node: ast.Call) -> list[ast.AST]:
        if not isinstance(node.func, ast.Name):
            return list(self._refuse(node, "only functions may be called"))
        name = node.func.id
        if name not in FUNCTIONS:
            self._refuse(
                node, f"there is no function {name}; expected one of {', '.join(FUNCTIONS)}"
            )
        given = [keyword.arg for keyword in node.keywords]
        for keyword in node.keywords:
            if name not in _REDUCTIONS or keyword.arg not in _OPTIONS:
                self._refuse(node, f"{name} has no keyword {keyword.arg}")
            self._option(str(keyword.arg), keyword.value)
        if any(isinstance(x, ast.Starred) for x in node.args):
            self._refuse(node, "starred arguments are not allowed")
        count, most = len(node.args), _arguments(name)
        if name in _REDUCTIONS:
            if count not in (1, 2) or (count == 2 and "axis" in given):
                self._refuse(node, f"{name} takes an array, an axis and keepdims")
            for x in node.args[1:]:
                self._option("axis", x)
            return [node.args[0]]
        if count != most and not (name == "round" and count == 2):
            self._refuse(
                node, f"{name} takes {most} argument{'s' * (most > 1)}, but {count} were given"
            )
        if name == "round":
            self._option("decimals", *node.args[1:])
            return [node.args[0]]
        return _but_text(*node.args) if name == "contains" else [*node.args]

    def _option(self, name: str, *nodes: ast.AST) -> Any:
        """Read an axis, keepdims, or a number of decimals: what stands there itself."""
        if not nodes:
            return 0
        (node,) = nodes
        if name == "axis" and isinstance(node, ast.Tuple):
            return tuple(self._integer(x) for x in node.elts)
        if isinstance(node, ast.Constant) and node.value is None and name == "axis":
            return None
        if isinstance(node, ast.Constant) and type(node.value) is bool and name == "keepdims":
            return node.value
        return self._integer(node)

    def _integer(self, node: ast.AST) -> int:
        negative = isinstance(node, ast.UnaryOp) and type(node.op) is ast.USub
        number = node.operand if isinstance(node, ast.UnaryOp) and negative else node
        if not isinstance(number, ast.Constant) or type(number.value) is not int:
            self._refuse(node, "an axis is an integer, a tuple of them, or None")
        elif number.value > _MOST_CHARACTERS:
            self._refuse(node, "no array has so many axes")
        value: Any = getattr(number, "value", 0)
        return int(-value if negative else value)

    def compute(self, values: Mapping[str, Any]) -> Any:
        """Return the value of the expression, as NumPy or symbols have it."""
        return self._value(self.tree, values)

    def _value(self, node: ast.AST, values: Mapping[str, Any]) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return values[node.id]
        if isinstance(node, ast.UnaryOp):
            return _UNARY[type(node.op)](self._value(node.operand, values))
        if isinstance(node, ast.BinOp):
            left, rest = _spine(node)
            x = self._value(left, values)
            for part in rest:
                x = self._binary(part, x, self._value(part.right, values))
            return x
        if isinstance(node, ast.Compare):
            x, y = self._value(node.left, values), self._value(node.comparators[0], values)
            return _COMPARISONS[type(node.ops[0])](*alike(x, y))
        if isinstance(node, ast.Attribute):
            return FUNCTIONS[node.attr](self._value(node.value, values))
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        function = FUNCTIONS[node.func.id]
        keywords = {str(k.arg): self._option(str(k.arg), k.value) for k in node.keywords}
        if node.func.id in _REDUCTIONS:
            axes = [self._option("axis", x) for x in node.args[1:]]
            return function(self._value(node.args[0], values), *axes, **keywords)
        if node.func.id == "round":
            decimals = self._option("decimals", *node.args[1:])
            return function(self._value(node.args[0], values), decimals)
        return function(*(self._value(x, values) for x in node.args))

    def _binary(self, node: ast.BinOp, x: Any, y: Any) -> Any:
        name = {ast.Pow: "power", ast.LShift: "left_shift"}.get(type(node.op))
        if name and is_huge(name, x, y):
            self._refuse(node, "a power of large constants")
        return _BINARY[type(node.op)](x, y)


def _spine(node: ast.AST) -> tuple[ast.AST, list[ast.BinOp]]:
    """Take a chain such as a + b - c apart: its first operand, and operations in their order."""
    parts: list[ast.BinOp] = []
    while isinstance(node, ast.BinOp):
        parts.append(node)
        node = node.left
    return node, parts[::-1]


def _but_text(*nodes: ast.AST) -> list[ast.AST]:
    """Return operands without constants of text, which may stand among them."""
    return [
        x for x in nodes if not (isinstance(x, ast.Constant) and isinstance(x.value, (str, bytes)))
    ]


class DivisionByZeroError(ValueError, ZeroDivisionError):
    """An expression in which one of Python's numbers is divided by zero."""


@lru_cache(_MOST_EXPRESSIONS)
def compiled(text: str) -> tuple[tuple[str, ...], Any]:
    """Return the names of an expression's variables, and the fused function of them."""
    if not isinstance(text, str):
        raise TypeError(f"expression: expected a string, got {type(text).__name__}")
    reader = _Reader(text)
    names = tuple(name for name in reader.names)

    def function(*values: Any) -> Any:
        return reader.compute(dict(zip(names, values, strict=True)))

    return names, fuse(function, nin=len(names))
