"""Derivatives: what a gradient with respect to a function's result means for its operands.

A rule gets an `Algebra`, the node, its result's gradient dy, and gives the operands' gradients, or
None for those that have none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vekt._fuse.graph import Graph, Node, is_kernel, topological
from vekt._fuse.parameters import PARAMETERS
from vekt._spec.elementwise import OPS

Gradients = Sequence[Node | None]


class Algebra:
    """Arithmetic on nodes, in the dtypes of NumPy's operators."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __getattr__(self, name: str) -> Callable[..., Node]:
        """Any ufunc of NumPy's that has one output."""
        ufunc = getattr(np, name)
        return lambda *args: self.graph.one(ufunc, *args)

    def like(self, y: Node, name: str, *args: Node) -> Node:
        """Return NumPy's ufunc of these, or vekt's function of that name if `y` is one's result."""
        own = self.graph.kernel(OPS[name].kernel.name, *args) if isinstance(y.op, str) else None
        return own or self.graph.one(getattr(np, name), *args)

    def zero(self, x: Node) -> Node:
        """Zero in the dtype of `x`."""
        return self.graph.constant(0, x.dtype)

    def where(self, condition: Node, x: Node | float, y: Node | float) -> Node:
        """`x` where the condition holds, else `y`; numbers count as Python's."""
        nodes = (v if isinstance(v, Node) else self.graph.constant(v) for v in (x, y))
        return self.graph.where(condition, *nodes)

    def times(self, dy: Node, factor: Node | float) -> Node:
        """Dy * factor, but zero where dy is masked, even if the factor is not finite there."""
        if dy.op == "where":
            condition, x, y = dy.args
            if is_number(y, 0):
                return self.graph.where(condition, self.times(x, factor), self.zero(dy))
            if is_number(x, 0):
                return self.graph.where(condition, self.zero(dy), self.times(y, factor))
        if is_number(dy, 1) and isinstance(factor, Node):
            return self.graph.cast(factor, dy.dtype)
        return self.graph.cast(self.multiply(dy, factor), dy.dtype)

    def over(self, dy: Node, divisor: Node | float) -> Node:
        """Dy / divisor, likewise."""
        if dy.op == "where" and any(is_number(v, 0) for v in dy.args[1:]):
            return self.times(dy, self.reciprocal(divisor))
        return self.graph.cast(self.divide(dy, divisor), dy.dtype)


def is_number(x: Node, value: float) -> bool:
    """Whether a node is this constant."""
    return x.op == "constant" and bool(x.value == value)


def gradients(
    graph: Graph, results: Sequence[tuple[Node, Node]], wrt: Sequence[Node]
) -> list[Node | None]:
    """Derive the gradients of a sum of products of nodes and their weights.

    Parameters
    ----------
    graph : Graph
        Where new nodes go.
    results : sequence of (Node, Node)
        Values, and the gradients with respect to them.
    wrt : sequence of Node
        What the gradients are asked for.

    Returns
    -------
    list of Node or None
        One for each of `wrt`, None where no result depends on it in a way that has a derivative.
    """
    algebra = Algebra(graph)
    order = topological([y for y, _ in results], wrt)
    depends = set(wrt)
    for node in order:
        if any(x in depends for x in node.args):
            depends.add(node)
    sums: dict[Node, Node] = {}

    def add(x: Node, dx: Node) -> None:
        if x in depends and x.is_float:
            dx = graph.cast(dx, x.dtype)
            sums[x] = algebra.add(sums[x], dx) if x in sums else dx

    for y, dy in results:
        add(y, dy)
    for node in reversed(order):
        if node not in sums or node in wrt:
            continue
        for x, dx in zip(node.args, _gradients_of(algebra, node, sums[node], depends), strict=True):
            if dx is not None:
                add(x, dx)
    return [sums.get(x) for x in wrt]


def _gradients_of(algebra: Algebra, node: Node, dy: Node, depends: set[Node]) -> Gradients:
    name = node.name
    if node.op == "number":
        return [dy]
    if is_kernel(node.op):
        return _of_kernel(algebra, node, dy, depends)
    rule = RULES.get(name)
    if rule is None:
        if name in _FLAT:
            return [None] * len(node.args)
        raise TypeError(f"{name} has no gradient here")
    if node.value and isinstance(node.op, np.ufunc):
        name = f"{name}, output {node.value}"
        if name not in RULES:
            raise TypeError(f"{name} has no gradient here")
        rule = RULES[name]
    if any(x in depends and x.dtype.kind == "c" for x in node.args):
        raise TypeError("the gradient of an expression with complex numbers is not defined here")
    return rule(algebra, node, dy, *node.args)


def _of_kernel(algebra: Algebra, node: Node, dy: Node, depends: set[Node]) -> Gradients:
    """Use that the gradient of one of vekt's own functions is a kernel too."""
    from vekt import ufuncs

    name = node.name.removesuffix("_value_and_grad")
    backward = f"{name}_backward"
    if node.value or backward not in ufuncs.__all__:
        raise TypeError(f"{node.name} has no second gradient here")
    gradient = getattr(ufuncs, backward)
    if gradient.nout > 1:  # a gate
        return algebra.graph.call(gradient, dy, *node.args)
    dx = _masked_call(algebra, gradient, dy, *node.args)
    if any(x in depends for x in node.args[1:]):
        return [dx, *PARAMETERS[name](algebra, dy, *node.args)]
    return [dx, *(None for _ in node.args[1:])]


def _masked_call(algebra: Algebra, backward: Any, dy: Node, *args: Node) -> Node:
    if dy.op == "where":
        condition, x, y = dy.args
        zero = algebra.zero(dy)
        if is_number(y, 0):
            return algebra.graph.where(condition, _masked_call(algebra, backward, x, *args), zero)
        if is_number(x, 0):
            return algebra.graph.where(condition, zero, _masked_call(algebra, backward, y, *args))
    return algebra.graph.call(backward, dy, *args)[0]


# ---- the rules

_FLAT = frozenset(
    [
        "floor",
        "ceil",
        "trunc",
        "rint",
        "sign",
        "floor_divide",
        "isnan",
        "isinf",
        "isfinite",
        "heaviside",
        "spacing",
        "signbit",
    ]
)
RULES: dict[str, Callable[..., Gradients]] = {}


def _rule(*names: str) -> Callable[[Callable[..., Gradients]], Callable[..., Gradients]]:
    def register(function: Callable[..., Gradients]) -> Callable[..., Gradients]:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def _factor(name: str, derivative: Callable[[Algebra, Node, Node], Node | float]) -> None:
    """Register a function of x and y = f(x) that gives f'(x)."""
    RULES[name] = lambda a, y, dy, x: [a.times(dy, derivative(a, x, y))]


def _divisor(name: str, inverse: Callable[[Algebra, Node, Node], Node]) -> None:
    """Register a function of x and y = f(x) that gives 1 / f'(x)."""
    RULES[name] = lambda a, y, dy, x: [a.over(dy, inverse(a, x, y))]


_ONE = {"cast", "copy", "positive", "conjugate", "modf"}
RULES |= dict.fromkeys(_ONE, lambda a, y, dy, x: [dy])
_LN2, _LN10, _ERF_SLOPE = math.log(2), math.log(10), 2 / math.sqrt(math.pi)


def _gaussian(a: Algebra, x: Node, y: Node) -> Node:
    """Return exp(-x^2)."""
    return a.like(y, "exp", a.negative(a.square(x)))


RULES["negative"] = lambda a, y, dy, x: [a.negative(dy)]
_factor("square", lambda a, x, y: a.multiply(x, 2.0))
_factor("absolute", lambda a, x, y: a.sign(x))
_factor("fabs", lambda a, x, y: a.sign(x))
for _name in ("exp", "exponential"):
    _factor(_name, lambda a, x, y: y)
_factor("exp2", lambda a, x, y: a.multiply(y, _LN2))
_factor("expm1", lambda a, x, y: a.like(y, "exp", x))
_factor("sin", lambda a, x, y: a.like(y, "cos", x))
_factor("cos", lambda a, x, y: a.negative(a.like(y, "sin", x)))
_factor("tan", lambda a, x, y: a.add(a.square(y), 1.0))
_factor("sinh", lambda a, x, y: a.like(y, "cosh", x))
_factor("cosh", lambda a, x, y: a.like(y, "sinh", x))
_factor("tanh", lambda a, x, y: a.subtract(1.0, a.square(y)))
_factor("rsqrt", lambda a, x, y: a.multiply(a.multiply(a.square(y), y), -0.5))
_factor("reciprocal", lambda a, x, y: a.negative(a.square(y)))
for _name in ("deg2rad", "radians"):
    _factor(_name, lambda a, x, y: math.pi / 180)
for _name in ("rad2deg", "degrees"):
    _factor(_name, lambda a, x, y: 180 / math.pi)
_factor("expit", lambda a, x, y: a.multiply(y, a.subtract(1.0, y)))
_factor("erf", lambda a, x, y: a.multiply(_gaussian(a, x, y), _ERF_SLOPE))
_factor("erfc", lambda a, x, y: a.multiply(_gaussian(a, x, y), -_ERF_SLOPE))
_divisor("sqrt", lambda a, x, y: a.multiply(y, 2.0))
_divisor("cbrt", lambda a, x, y: a.multiply(a.square(y), 3.0))
_divisor("log", lambda a, x, y: x)
_divisor("log2", lambda a, x, y: a.multiply(x, _LN2))
_divisor("log10", lambda a, x, y: a.multiply(x, _LN10))
_divisor("log1p", lambda a, x, y: a.add(x, 1.0))
_divisor("arcsin", lambda a, x, y: a.sqrt(a.subtract(1.0, a.square(x))))
_divisor("arccos", lambda a, x, y: a.negative(a.sqrt(a.subtract(1.0, a.square(x)))))
_divisor("arctan", lambda a, x, y: a.add(a.square(x), 1.0))
_divisor("arcsinh", lambda a, x, y: a.sqrt(a.add(a.square(x), 1.0)))
_divisor("arccosh", lambda a, x, y: a.sqrt(a.subtract(a.square(x), 1.0)))
_divisor("arctanh", lambda a, x, y: a.subtract(1.0, a.square(x)))


@_rule("add")
def _add(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    return [dy, dy]


@_rule("subtract")
def _subtract(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    return [dy, a.negative(dy)]


@_rule("multiply")
def _multiply(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    return [a.times(dy, right), a.times(dy, left)]


@_rule("multiply_add")
def _multiply_add(a: Algebra, y: Node, dy: Node, x: Node, z: Node, added: Node) -> Gradients:
    return [a.times(dy, z), a.times(dy, x), dy]


@_rule("divide")
def _divide(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    quotient = a.over(dy, right)
    return [quotient, a.negative(a.times(quotient, y))]


@_rule("power", "float_power")
def _power(a: Algebra, y: Node, dy: Node, base: Node, exponent: Node) -> Gradients:
    slope = a.multiply(exponent, a.like(y, "power", base, a.subtract(exponent, 1.0)))
    if exponent.op == "constant":
        return [a.times(dy, slope), None]
    slope = a.where(a.equal(exponent, 0), 0.0, slope)
    logarithm = a.like(y, "log", a.where(a.equal(base, 0), 1.0, base))
    return [a.times(dy, slope), a.times(dy, a.multiply(y, logarithm))]


@_rule("arctan2")
def _arctan2(a: Algebra, y: Node, dy: Node, up: Node, across: Node) -> Gradients:
    squares = a.add(a.square(up), a.square(across))
    return [a.times(dy, a.divide(across, squares)), a.negative(a.times(dy, a.divide(up, squares)))]


@_rule("hypot")
def _hypot(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    length = a.where(a.equal(y, 0), 1.0, y)
    return [a.times(dy, a.divide(x, length)) for x in (left, right)]


def _greater(a: Algebra, dy: Node, x: Node, other: Node) -> Node:
    """Take dy where x is the greater one, half of it where both are equal."""
    half = a.where(a.equal(x, other), a.times(dy, 0.5), a.zero(dy))
    return a.where(a.greater(x, other), dy, half)


@_rule("maximum", "fmax")
def _maximum(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    return [_greater(a, dy, left, right), _greater(a, dy, right, left)]


@_rule("minimum", "fmin")
def _minimum(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    return [
        _greater(a, dy, a.negative(x), a.negative(z)) for x, z in ((left, right), (right, left))
    ]


@_rule("clip")
def _clip(a: Algebra, y: Node, dy: Node, x: Node, low: Node, high: Node) -> Gradients:
    zero = a.zero(dy)
    inside = a.logical_and(a.greater_equal(x, low), a.less_equal(x, high))
    return [
        a.where(inside, dy, zero),
        a.where(a.less(x, low), dy, zero),
        a.where(a.greater(x, high), dy, zero),
    ]


@_rule("logaddexp")
def _logaddexp(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    return [a.times(dy, a.like(y, "exp", a.subtract(x, y))) for x in (left, right)]


@_rule("logaddexp2")
def _logaddexp2(a: Algebra, y: Node, dy: Node, left: Node, right: Node) -> Gradients:
    return [a.times(dy, a.exp2(a.subtract(x, y))) for x in (left, right)]


@_rule("remainder", "divmod, output 1")
def _remainder(a: Algebra, y: Node, dy: Node, x: Node, divisor: Node) -> Gradients:
    return [dy, a.negative(a.times(dy, a.floor_divide(x, divisor)))]


@_rule("fmod")
def _fmod(a: Algebra, y: Node, dy: Node, x: Node, divisor: Node) -> Gradients:
    return [dy, a.negative(a.times(dy, a.trunc(a.divide(x, divisor))))]


@_rule("divmod", "modf, output 1")
def _whole(a: Algebra, y: Node, dy: Node, *args: Node) -> Gradients:
    return [None] * len(args)


@_rule("copysign")
def _copysign(a: Algebra, y: Node, dy: Node, x: Node, sign: Node) -> Gradients:
    return [a.times(dy, a.multiply(a.copysign(1.0, x), a.copysign(1.0, sign))), None]


@_rule("where")
def _where(a: Algebra, y: Node, dy: Node, condition: Node, x: Node, z: Node) -> Gradients:
    zero = a.zero(dy)
    return [None, a.where(condition, dy, zero), a.where(condition, zero, dy)]
