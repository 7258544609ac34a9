"""`vekt.evaluate`: expressions in strings, read as data and never executed."""

from __future__ import annotations

import ast
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

import numpy as np

from vekt import elementwise

from .fused import fuse
from .symbols import Symbol, _node

_MOST_CHARACTERS, _DEEPEST, _MOST_EXPRESSIONS = 20_000, 100, 256
_LARGEST_POWER = 1024

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
    "square",
    "reciprocal",
]
_REDUCTIONS = ("sum", "mean", "min", "max")


def _complex(x: Any, y: Any) -> Any:
    symbol = next(v for v in (x, y) if isinstance(v, Symbol))
    graph = symbol._graph
    return Symbol(graph, graph.complex(_node(graph, x), _node(graph, y)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in _UFUNCS},
    **{name: getattr(elementwise, name) for name in ("exp", "log", "sin", "cos")},
    "abs": np.absolute,
    "absolute": np.absolute,
    "conj": np.conjugate,
    "conjugate": np.conjugate,
    "round": np.rint,
    "where": np.where,
    "real": np.real,
    "imag": np.imag,
    "complex": _complex,
    "clip": np.clip,
    **{name: getattr(np, name) for name in _REDUCTIONS},
}
"""What expressions may call; `sum`, `mean`, `min` and `max` take an axis too."""

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda x, y: x + y,
    ast.Sub: lambda x, y: x - y,
    ast.Mult: lambda x, y: x * y,
    ast.Div: lambda x, y: x / y,
    ast.FloorDiv: lambda x, y: x // y,
    ast.Mod: lambda x, y: x % y,
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
_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: lambda x, y: x < y,
    ast.LtE: lambda x, y: x <= y,
    ast.Gt: lambda x, y: x > y,
    ast.GtE: lambda x, y: x >= y,
    ast.Eq: lambda x, y: x == y,
    ast.NotEq: lambda x, y: x != y,
}


class _Reader:
    """Checks an expression and computes it from values of its names."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > _MOST_CHARACTERS:
            raise ValueError(f"expression: more than {_MOST_CHARACTERS} characters")
        try:
            self.tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", None) or "nested too deeply"
            raise ValueError(f"expression: {reason}: {text[:80]!r}") from None
        self.names: list[str] = []
        self._check(self.tree, 0)

    def _refuse(self, node: ast.AST, why: str) -> Any:
        shown = ast.get_source_segment(self.text.strip(), node) or ""
        raise ValueError(f"expression: {why}: {shown[:80]!r}")

    def _check(self, node: ast.AST, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"expression: nested more than {_DEEPEST} deep")
        children: list[ast.AST] = []
        if isinstance(node, ast.Constant):
            self._check_constant(node)
        elif isinstance(node, ast.Name):
            if node.id.startswith("_"):
                self._refuse(node, "names that begin with an underscore are not allowed")
            if node.id not in self.names:
                self.names.append(node.id)
        elif isinstance(node, ast.BinOp):
            if type(node.op) is not ast.Pow and type(node.op) not in _BINARY:
                self._refuse(node, "this operator is not allowed")
            children = [node.left, node.right]
        elif isinstance(node, ast.UnaryOp):
            if type(node.op) not in _UNARY:
                self._refuse(node, "`not` is for truth values; write ~ for arrays")
            children = [node.operand]
        elif isinstance(node, ast.Compare):
            if any(type(op) not in _COMPARISONS for op in node.ops):
                self._refuse(node, "this comparison is not allowed")
            if len(node.ops) > 1:
                self._refuse(node, "a chain of comparisons; join pairs with &")
            children = [node.left, *node.comparators]
        elif isinstance(node, ast.Call):
            children = self._check_call(node)
        elif isinstance(node, ast.BoolOp):
            self._refuse(node, "`and` and `or` are for truth values; write & and | for arrays")
        else:
            self._refuse(node, f"{type(node).__name__} is not allowed")
        for child in children:
            self._check(child, depth + 1)

    def _check_constant(self, node: ast.Constant) -> None:
        if type(node.value) not in (bool, int, float, complex):
            self._refuse(node, "only numbers may stand there")
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
        for keyword in node.keywords:
            if name not in _REDUCTIONS or keyword.arg not in ("axis", "keepdims"):
                self._refuse(node, f"{name} has no keyword {keyword.arg}")
            self._literal(keyword.value)
        if any(isinstance(x, ast.Starred) for x in node.args):
            self._refuse(node, "starred arguments are not allowed")
        if name in _REDUCTIONS:
            for x in node.args[1:]:
                self._literal(x)
            return [*node.args[:1]]
        return [*node.args]

    def _literal(self, node: ast.AST) -> Any:
        """Read an axis: integers, None, True or False alone."""
        if isinstance(node, ast.Tuple):
            return tuple(self._literal(x) for x in node.elts)
        if isinstance(node, ast.UnaryOp) and type(node.op) is ast.USub:
            return -self._literal(node.operand)
        if isinstance(node, ast.Constant) and type(node.value) in (int, bool, type(None)):
            return node.value
        return self._refuse(node, "an axis is an integer, a tuple of them, or None")

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
            x, y = self._value(node.left, values), self._value(node.right, values)
            constant = not isinstance(x, Symbol) and not isinstance(y, Symbol)
            grows = constant and type(node.op) in (ast.Pow, ast.LShift)
            if grows and max(abs(x), abs(y)) > _LARGEST_POWER:
                self._refuse(node, "a power of large constants")
            return x**y if type(node.op) is ast.Pow else _BINARY[type(node.op)](x, y)
        if isinstance(node, ast.Compare):
            x, y = self._value(node.left, values), self._value(node.comparators[0], values)
            return _COMPARISONS[type(node.ops[0])](x, y)
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        function = FUNCTIONS[node.func.id]
        keywords = {str(k.arg): self._literal(k.value) for k in node.keywords}
        if node.func.id in _REDUCTIONS:
            axes = [self._literal(x) for x in node.args[1:]]
            return function(self._value(node.args[0], values), *axes, **keywords)
        return function(*(self._value(x, values) for x in node.args))


_cache: OrderedDict[str, tuple[tuple[str, ...], Any]] = OrderedDict()
_lock = Lock()


def compiled(text: str) -> tuple[tuple[str, ...], Any]:
    """Return the names of an expression's variables, and the fused function of them."""
    found = _cache.get(text)
    if found is None:
        if not isinstance(text, str):
            raise TypeError(f"expression: expected a string, got {type(text).__name__}")
        reader = _Reader(text)
        names = tuple(name for name in reader.names)
        if not names:
            raise ValueError("expression: there is no variable in it")

        def function(*values: Any) -> Any:
            try:
                return reader.compute(dict(zip(names, values, strict=True)))
            except (OverflowError, ZeroDivisionError) as error:
                raise ValueError(f"expression: {error}") from None

        found = names, fuse(function, nin=len(names))
        with _lock:
            _cache[text] = found
            while len(_cache) > _MOST_EXPRESSIONS:
                _cache.popitem(last=False)
    return found


def evaluate(
    ex: str,
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
    out: Any = None,
    *,
    dtype: Any = None,
    _frame_depth: int = 1,
) -> Any:
    """Return the value of an expression in a string, in one pass over memory.

    NumExpr's function of the same name on vekt's engine: users of NumExpr change one import.
    Results have NumPy's dtypes; ``sin``, ``cos``, ``exp`` and ``log`` are vekt's own.

    Parameters
    ----------
    ex : str
        Python's operators on arrays and numbers, comparisons, and the functions ``where``, ``sin``,
        ``cos``, ``tan``, ``arcsin``, ``arccos``, ``arctan``, ``arctan2``, ``sinh``, ``cosh``,
        ``tanh``, ``arcsinh``, ``arccosh``, ``arctanh``, ``log``, ``log2``, ``log10``, ``log1p``,
        ``exp``, ``exp2``, ``expm1``, ``sqrt``, ``cbrt``, ``hypot``, ``abs``, ``sign``, ``floor``,
        ``ceil``, ``trunc``, ``round``, ``maximum``, ``minimum``, ``clip``, ``conj``, ``real``,
        ``imag``, ``complex``, ``sum``, ``mean``, ``min`` and ``max``, the last four with an axis.
        It is never executed as Python.
    local_dict, global_dict : mapping, optional
        Where variables are looked up; by default the caller's local and global ones.
    out : array, optional
        Where the result goes.
    dtype : dtype, optional
        What arrays are converted to first.

    Returns
    -------
    array or scalar
        The value.

    Raises
    ------
    ValueError
        If there is anything else in the expression.
    KeyError
        If a variable is missing.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> a, b, c = np.array([4.0, 9.0]), 1.0, 2.0
    >>> vk.evaluate("(a - b) / c")
    array([1.5, 4. ])
    >>> vk.evaluate("a.size")
    Traceback (most recent call last):
        ...
    ValueError: expression: Attribute is not allowed: 'a.size'
    """
    names, function = compiled(ex)
    if local_dict is None:
        frame = sys._getframe(_frame_depth)
        local_dict = frame.f_locals
        if global_dict is None:
            global_dict = frame.f_globals
    values = []
    for name in names:
        if name in local_dict:
            values.append(local_dict[name])
        elif global_dict is not None and name in global_dict:
            values.append(global_dict[name])
        else:
            raise KeyError(f"there is no variable {name}")
    values = [x if type(x) in (np.ndarray, int, float) else np.asarray(x) for x in values]
    if out is None and dtype is None:
        return function(*values)
    if dtype is None:
        return function(*values, out=out)
    return function(*values, out=out, dtype=dtype)
