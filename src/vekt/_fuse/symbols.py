"""What a function of arrays is called with to learn what it computes."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from vekt._fuse.graph import Graph, Node, UnfusableError
from vekt._spec.elementwise import OPS

NUMBERS = (bool, int, float, complex, np.bool_, np.number)
OWN_BITS = {op.kernel.name for op in OPS.values() if op.facts["rounds_alone"]}
_REDUCED_BY = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_or": "any",
    "logical_and": "all",
}
_PACKAGES = (f"{__name__.partition('.')[0]}.", "numpy.")


FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""NumPy's and vekt's functions that take symbols, by name: `functions` has them."""


class TraceError(TypeError):
    """The function depends on the values of an array, or on more than its arguments."""


def refuse(message: str) -> NoReturn:
    """Raise a TraceError that names the user's line."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGES):
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    shown = f": {text}" if text else ""
    raise TraceError(f"{message}\n  {file}, line {line}{shown}") from None


def _reduction(name: str) -> Callable[..., Any]:
    """Make the method of arrays."""
    return lambda self, *args, **named: FUNCTIONS[name](self, *args, **named)


class Symbol:
    """Stands for an array, or one of Python's numbers, of known dtype but no known values."""

    __slots__ = ("_graph", "_node")
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, graph: Graph, node: Node) -> None:
        self._graph, self._node = graph, node

    def __repr__(self) -> str:
        return f"<{self._node.name} of {self._node.given}, while a function is traced>"

    # ---- what calls itself on arrays

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "reduce" and ufunc.__name__ in _REDUCED_BY:
            return FUNCTIONS[_REDUCED_BY[ufunc.__name__]](*inputs, **{"axis": 0, **kwargs})
        if method != "__call__":
            refuse(f"np.{ufunc.__name__}.{method} cannot be fused")
        dtype = kwargs.pop("dtype", None)
        if kwargs.pop("where", True) is not True:
            refuse("where= cannot be fused; use np.where")
        if kwargs.pop("out", None) is not None:
            refuse("out= cannot be fused inside; give it to the fused function")
        for name in kwargs:
            refuse(f"{name}= cannot be fused")
        if not isinstance(ufunc, np.ufunc):
            ufunc = getattr(np, ufunc.__name__, ufunc)  # a function of vekt's over NumPy's
        if ufunc.signature is not None:
            refuse(f"{ufunc.__name__} works on more than one element at a time")
        nodes = [node_of(self._graph, x) for x in inputs]
        results = tuple(
            Symbol(self._graph, y) for y in self._graph.call(ufunc, *nodes, dtype=dtype)
        )
        return results if len(results) > 1 else results[0]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        known = FUNCTIONS.get(func.__name__)
        if known is None or not (func.__module__ or "").startswith("numpy"):
            refuse(f"{func.__module__}.{func.__name__} cannot be fused")
        return known(*args, **kwargs)

    def __vekt_function__(self, kernel: str, numpy: Any, args: Any, options: Any) -> Any:
        """Apply one of vekt's elementwise functions: its own kernel where bits are not NumPy's."""
        if kernel in OWN_BITS and not options:
            y = self._graph.kernel(kernel, *(node_of(self._graph, x) for x in args))
            if y is not None:
                return Symbol(self._graph, y)
        return numpy(*args, **options)

    def __vekt_refuse__(self, message: str) -> NoReturn:
        """Raise the error of a function that no symbol can go through."""
        refuse(message)

    # ---- what an array has

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the array; numbers of Python's have none."""
        if self._node.weak is not None:
            raise AttributeError("dtype")
        return self._node.dtype

    @property
    def real(self) -> Symbol:
        """Real part."""
        return self._part("real")

    @property
    def imag(self) -> Symbol:
        """Imaginary part."""
        return self._part("imag")

    def _part(self, name: str) -> Symbol:
        if self._node.weak is not None:
            return python(name, self)
        return Symbol(self._graph, self._graph.part(name, self._node))

    def astype(self, dtype: Any, **kwargs: Any) -> Symbol:
        """Convert to a dtype."""
        if self._node.weak is not None:
            self.__getattr__("astype")
        kwargs.pop("copy", None)
        if kwargs:
            refuse(f"astype: {', '.join(kwargs)} cannot be fused")
        graph = self._graph
        return Symbol(graph, graph.strong(graph.cast(self._node, np.dtype(dtype), wrap=True)))

    def conj(self) -> Any:
        """Complex conjugate."""
        return np.conjugate(self) if self._node.weak is None else python("conjugate", self)

    conjugate = conj

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """Limit to an interval."""
        return FUNCTIONS["clip"](self, min, max)

    sum, mean, max, min, prod, any, all = map(
        _reduction, ("sum", "mean", "max", "min", "prod", "any", "all")
    )

    # ---- what only values can answer

    def __bool__(self) -> bool:
        refuse(
            "the truth of an array is known only when the function runs; "
            "write np.where(condition, a, b) for a choice, & and | for `and` and `or`"
        )

    def __float__(self) -> float:
        refuse(
            "an array is no number while the function is traced; use NumPy's functions, not math"
        )

    __int__ = __index__ = __complex__ = __float__

    def __len__(self) -> int:
        refuse(
            "shapes are known only when the function runs; one fused function serves all of them"
        )

    def __iter__(self) -> Any:
        refuse("a fused function works element by element and cannot loop over an array")

    def __getitem__(self, index: Any) -> Any:
        refuse("a fused function works element by element; index the array before the call")

    def __matmul__(self, other: Any) -> Any:
        refuse("matmul works on more than one element at a time")

    __rmatmul__ = __matmul__

    def __setitem__(self, index: Any, value: Any) -> None:
        refuse("a fused function cannot assign to an array; np.where chooses between values")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        refuse("this function needs the values of an array and cannot be fused")

    def __getattr__(self, name: str) -> Any:
        if self._node.weak is not None:
            raise AttributeError(f"a {self._node.weak.__name__} has no attribute {name}")
        if not hasattr(np.ndarray, name) or name.startswith("__"):
            raise AttributeError(f"an array has no attribute {name}")
        if name in ("shape", "ndim", "size"):
            self.__len__()
        refuse(f"the attribute {name} of an array cannot be fused")


def node_of(graph: Graph, x: Any) -> Node:
    if isinstance(x, Symbol):
        if x._graph is not graph:
            refuse("this value was kept from another call of the function")
        return x._node
    if isinstance(x, NUMBERS):
        return graph.constant(x)
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return graph.constant(scalar_of(x))
    if isinstance(x, np.ndarray):
        refuse("an array that the function finds elsewhere is to be one of its arguments")
    refuse(f"{type(x).__name__} cannot be fused")


def scalar_of(x: np.ndarray[Any, Any]) -> Any:
    """Return the element of an array without dimensions."""
    if x.dtype.kind not in "biufc" and x.dtype.name != "bfloat16":
        raise UnfusableError(f"a constant of {x.dtype}")
    return x[()]


def graph_of(*values: Any) -> Graph:
    return next(x._graph for x in values if isinstance(x, Symbol))


# ---- operators


_PYTHONS = (bool, int, float, complex)


def is_number(x: Any) -> bool:
    """Whether it is one of Python's numbers, or stands for one."""
    return type(x) in _PYTHONS or (isinstance(x, Symbol) and x._node.weak is not None)


def python(name: str, *values: Any) -> Symbol:
    """Apply one of Python's operators to its numbers, or take a part of them."""
    if name in ("real", "conjugate") and values[0]._node.weak in (int, float):
        return values[0]  # type: ignore[no-any-return]
    graph = graph_of(*values)
    nodes = (x._node if isinstance(x, Symbol) else graph.number(x) for x in values)
    return Symbol(graph, graph.python(name, *nodes))


def _power(x: Any, y: Any) -> Any:
    """As NumPy's arrays do, whole exponents to 8 as products, other floats by vekt's own kernel."""
    is_complex = isinstance(x, Symbol) and x._node.dtype.kind == "c"
    if is_complex and isinstance(y, Symbol) and y._node.weak:
        raise UnfusableError("a complex power that depends on the number")
    if type(y) is int and y == 2 and isinstance(x, Symbol):
        return np.square(x)
    if isinstance(x, Symbol) and x._node.dtype.kind in "fc" and type(y) in (int, float):
        shortcut = {2: np.square, -1: np.reciprocal, 0.5: np.sqrt}.get(y)
        if shortcut is not None:
            return shortcut(x)
        if y in range(3, 9):
            half: Any = _power(x, int(y) // 2) if y > 3 else x
            square = np.square(half)  # not half * half: x**2 is the same value then
            return square * x if y % 2 else square
    if isinstance(x, (Symbol, *NUMBERS)) and isinstance(y, (Symbol, *NUMBERS)):
        graph = graph_of(x, y)
        own = graph.kernel("power", node_of(graph, x), node_of(graph, y))
        if own is not None:
            return Symbol(graph, own)
    return np.power(x, y)


def _operator(ufunc: Any, name: str, reflected: bool) -> Callable[[Any, Any], Any]:
    def apply(self: Symbol, other: Any) -> Any:
        if not isinstance(other, (Symbol, np.ndarray, *NUMBERS)):
            if name in (
                "eq",
                "ne",
            ):  # which Python would answer by identity, with one truth for all
                refuse(f"a comparison with {type(other).__name__} cannot be fused; ask `is None`")
            return NotImplemented
        x, y = (other, self) if reflected else (self, other)
        if is_number(x) and is_number(y):
            return python(ufunc.__name__, x, y)
        return _power(x, y) if name == "pow" else ufunc(x, y)

    return apply


_BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}
_ufunc: Any
for _name, _ufunc in _BINARY.items():
    setattr(Symbol, f"__{_name}__", _operator(_ufunc, _name, reflected=False))
    setattr(Symbol, f"__r{_name}__", _operator(_ufunc, _name, reflected=True))
for _name, _ufunc in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    setattr(Symbol, f"__{_name}__", _operator(_ufunc, _name, reflected=False))


def _unary(ufunc: Any) -> Callable[[Symbol], Any]:
    def apply(self: Symbol) -> Any:
        return ufunc(self) if self._node.weak is None else python(ufunc.__name__, self)

    return apply


for _name, _ufunc in {
    "neg": np.negative,
    "pos": np.positive,
    "abs": np.absolute,
    "invert": np.invert,
}.items():
    setattr(Symbol, f"__{_name}__", _unary(_ufunc))
