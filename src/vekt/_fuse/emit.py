"""Operations that are compiled, in LLVM's language.

Each is one that IEEE 754, or arithmetic modulo a power of two, defines to the last bit, and none
may be contracted or reordered: the result is that of kernels, one after the other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from vekt._fuse.graph import FLOAT, DType, Node, is_kernel


class Machine(NamedTuple):
    """What the loops of an instruction set are made for."""

    cpu: str
    vector_bytes: int
    registers: int
    fused: bool = True
    """Whether it multiplies and adds with one rounding, rounds to whole numbers, and has halves."""


MACHINES = {
    "x86_v4": Machine("x86-64-v4", 64, 32),
    "x86_v3": Machine("x86-64-v3", 32, 16),
    "x86_v2": Machine("x86-64-v2", 16, 16, fused=False),
    "neon": Machine("generic", 16, 32),
    "generic": Machine("", 16, 16, fused=False),
}

_TYPES = {"?": "i1", "e": "half", "f": "float", "d": "double"}
_TYPES |= {c: f"i{8 * np.dtype(c).itemsize}" for c in "bBhHiIlLqQ"}


def llvm_type(dtype: DType) -> str:
    return _TYPES[dtype.char]


class Emitter:
    """Writes instructions on vectors."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.lines: list[str] = []
        self.declarations: set[str] = set()
        self._count = 0

    def type(self, element: str) -> str:
        """Return the type of vectors."""
        return f"<{self.lanes} x {element}>"

    def new(self, text: str) -> str:
        """Add an instruction; return the name of its result."""
        self._count += 1
        self.lines.append(f"  %v{self._count} = {text}")
        return f"%v{self._count}"

    def constant(self, value: Any, dtype: DType) -> str:
        """Return one number in all lanes."""
        kind = llvm_type(dtype)
        if dtype.kind == "f":
            bits = struct.unpack("<Q", struct.pack("<d", float(value)))[0]
            text = f"0x{bits:016X}" if kind != "half" else f"0xH{np.float16(value).view('u2'):04X}"
        else:
            text = str(int(value))
        return f"splat ({kind} {text})"

    def call(self, name: str, dtype: DType, *operands: str) -> str:
        """Call one of LLVM's own functions, of and to one dtype."""
        vector = self.type(llvm_type(dtype))
        number = {"float": "f32", "double": "f64"}.get(llvm_type(dtype), llvm_type(dtype))
        function = f"@llvm.{name}.v{self.lanes}{number}"
        self.declarations.add(f"declare {vector} {function}({', '.join([vector] * len(operands))})")
        return self.new(f"call {vector} {function}({', '.join(f'{vector} {x}' for x in operands)})")

    def plain(self, operation: str, dtype: DType, *operands: str) -> str:
        """Apply an instruction to operands of one dtype."""
        return self.new(f"{operation} {self.type(llvm_type(dtype))} {', '.join(operands)}")

    def compare(self, how: str, dtype: DType, x: str, y: str) -> str:
        """Compare by lt, le, gt, ge, eq or ne; NaN is only unequal."""
        if dtype.kind == "f":
            return self.plain(f"fcmp {'u' if how == 'ne' else 'o'}{how}", dtype, x, y)
        sign = "" if how in ("eq", "ne") else "s" if dtype.kind == "i" else "u"
        return self.plain(f"icmp {sign}{how}", dtype, x, y)

    def select(self, mask: str, dtype: DType, x: str, y: str) -> str:
        """Take `x` where the mask is set, else `y`."""
        vector = self.type(llvm_type(dtype))
        return self.new(f"select {self.type('i1')} {mask}, {vector} {x}, {vector} {y}")

    def truth(self, dtype: DType, x: str) -> str:
        """Whether it is not zero."""
        if dtype.kind == "b":
            return x
        return self.compare("ne", dtype, x, self.constant(0, dtype))

    def convert(self, to: DType, dtype: DType, x: str) -> str:
        """Convert with one rounding; integers wrap around."""
        source, target = llvm_type(dtype), llvm_type(to)
        if to.kind == "b":
            return self.truth(dtype, x)
        if source == target:
            return x
        if dtype.kind == "f":
            how = "fpext" if to.itemsize > dtype.itemsize else "fptrunc"
        elif to.kind == "f":
            how = "sitofp" if dtype.kind == "i" else "uitofp"
        elif dtype.kind != "b" and to.itemsize < dtype.itemsize:
            how = "trunc"
        else:
            how = "sext" if dtype.kind == "i" else "zext"
        return self.new(f"{how} {self.type(source)} {x} to {self.type(target)}")


# ---- operations: of an emitter, the dtype of operands, and these

Rule = Callable[..., str]
_RULES: dict[tuple[str, str], Rule] = {}


def _rule(names: str, kinds: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        _RULES.update({(name, kind): rule for name in names.split() for kind in kinds})
        return rule

    return register


def _instruction(name: str, kinds: str, operation: str) -> None:
    _rule(name, kinds)(lambda e, d, *x: e.plain(operation, d, *x))


for _name, _real, _integer, _logical in (
    ("add", "fadd", "add", "or"),
    ("subtract", "fsub", "sub", ""),
    ("multiply", "fmul", "mul", "and"),
    ("divide", "fdiv", "", ""),
    ("negative", "fneg", "", ""),
    ("bitwise_and", "", "and", "and"),
    ("bitwise_or", "", "or", "or"),
    ("bitwise_xor", "", "xor", "xor"),
    ("maximum", "", "", "or"),
    ("minimum", "", "", "and"),
):
    for _kinds, _operation in (("f", _real), ("iu", _integer), ("b", _logical)):
        if _operation:
            _instruction(_name, _kinds, _operation)

for _name, _function in (
    ("absolute", "fabs"),
    ("fabs", "fabs"),
    ("sqrt", "sqrt"),
    ("copysign", "copysign"),
    ("multiply_add", "fma"),
    ("floor", "floor"),
    ("ceil", "ceil"),
    ("trunc", "trunc"),
    ("rint", "rint"),
):
    _rule(_name, "f")(lambda e, d, *x, function=_function: e.call(function, d, *x))

for _name, _how in (
    ("less", "lt"),
    ("less_equal", "le"),
    ("greater", "gt"),
    ("greater_equal", "ge"),
    ("equal", "eq"),
    ("not_equal", "ne"),
):
    _rule(_name, "fiub")(lambda e, d, x, y, how=_how: e.compare(how, d, x, y))

for _name, _operation in (("logical_and", "and"), ("logical_or", "or"), ("logical_xor", "xor")):
    _rule(_name, "fiub")(
        lambda e, d, x, y, operation=_operation: e.plain(
            operation, np.dtype("?"), e.truth(d, x), e.truth(d, y)
        )
    )


@_rule("square", "fiu")
def _square(e: Emitter, d: DType, x: str) -> str:
    return e.plain("fmul" if d.kind == "f" else "mul", d, x, x)


@_rule("reciprocal", "f")
def _reciprocal(e: Emitter, d: DType, x: str) -> str:
    return e.plain("fdiv", d, e.constant(1, d), x)


@_rule("negative", "iu")
def _negative(e: Emitter, d: DType, x: str) -> str:
    return e.plain("sub", d, e.constant(0, d), x)


@_rule("absolute", "i")
def _absolute(e: Emitter, d: DType, x: str) -> str:
    return e.select(e.compare("lt", d, x, e.constant(0, d)), d, _negative(e, d, x), x)


@_rule("absolute", "u")
def _same(e: Emitter, d: DType, x: str) -> str:
    return x


@_rule("invert", "iub")
def _invert(e: Emitter, d: DType, x: str) -> str:
    return e.plain("xor", d, x, e.constant(1 if d.kind == "b" else -1, d))


@_rule("logical_not", "fiub")
def _logical_not(e: Emitter, d: DType, x: str) -> str:
    return _invert(e, np.dtype("?"), e.truth(d, x))


def _extreme(e: Emitter, d: DType, how: str, x: str, y: str) -> str:
    """Take the operand that is more extreme; NaN where either is, and else the second one."""
    extreme = e.select(e.compare(how, d, x, y), d, x, y)
    return e.select(e.compare("eq", d, x, x), d, extreme, x) if d.kind == "f" else extreme


@_rule("maximum", "fiu")
def _maximum(e: Emitter, d: DType, x: str, y: str) -> str:
    return _extreme(e, d, "gt", x, y)


@_rule("minimum", "fiu")
def _minimum(e: Emitter, d: DType, x: str, y: str) -> str:
    return _extreme(e, d, "lt", x, y)


@_rule("clip", "fiu")
def _clip(e: Emitter, d: DType, x: str, low: str, high: str) -> str:
    """Between numbers, as NumPy: where zeros are equal, `x` stays; NaN as a limit is the result."""
    x = e.select(e.compare("lt", d, x, low), d, low, x)
    x = e.select(e.compare("gt", d, x, high), d, high, x)
    for limit in (high, low) if d.kind == "f" else ():
        x = e.select(e.compare("ne", d, limit, limit), d, limit, x)
    return x


@_rule("sign", "fi")
def _sign(e: Emitter, d: DType, x: str) -> str:
    zero = e.constant(0, d)
    rest = e.select(e.compare("eq", d, x, zero), d, zero, x)
    below = e.select(e.compare("lt", d, x, zero), d, e.constant(-1, d), rest)
    return e.select(e.compare("gt", d, x, zero), d, e.constant(1, d), below)


@_rule("isnan", "f")
def _isnan(e: Emitter, d: DType, x: str) -> str:
    return e.compare("ne", d, x, x)


@_rule("isinf", "f")
def _isinf(e: Emitter, d: DType, x: str) -> str:
    return e.compare("eq", d, e.call("fabs", d, x), e.constant(np.inf, d))


@_rule("isfinite", "f")
def _isfinite(e: Emitter, d: DType, x: str) -> str:
    return e.compare("lt", d, e.call("fabs", d, x), e.constant(np.inf, d))


# vekt's own functions that are arithmetic: as in csrc/ops/piecewise.h


@_rule("vekt.relu", "f")
def _relu(e: Emitter, d: DType, x: str) -> str:
    zero = e.constant(0, d)
    return e.select(e.compare("gt", d, zero, x), d, zero, x)


@_rule("vekt.leaky_relu", "f")
def _leaky_relu(e: Emitter, d: DType, x: str, slope: str) -> str:
    zero = e.constant(0, d)
    flat = e.compare("eq", d, slope, zero)
    sloped = e.select(flat, d, zero, e.plain("fmul", d, slope, x))
    return e.select(e.compare("lt", d, x, zero), d, sloped, x)


_HALVES = frozenset(
    [
        "absolute",
        "add",
        "divide",
        "equal",
        "greater",
        "greater_equal",
        "isnan",
        "less",
        "less_equal",
        "multiply",
        "negative",
        "not_equal",
        "reciprocal",
        "sqrt",
        "square",
        "subtract",
    ]
)
"""What is computed in float32 and rounded, as NumPy does."""
_WHOLE = ("floor", "ceil", "trunc", "rint", "multiply_add")


def _key(node: Node) -> tuple[str, str]:
    name = f"vekt.{node.name}" if is_kernel(node.op) else node.name
    return name, node.args[0].dtype.kind


def has_type(dtype: DType, isa: str) -> bool:
    """Whether values of a dtype can be in registers."""
    return dtype.char in _TYPES and (dtype.char != "e" or MACHINES[isa].fused)


def is_plain(node: Node, isa: str) -> bool:
    """Whether a value's bits are defined, and its operation is known here."""
    dtypes = [node.dtype, *(x.dtype for x in node.args)]
    if not node.args or not all(has_type(d, isa) for d in dtypes):
        return False
    if node.op == "cast":
        source, target = node.args[0].dtype, node.dtype
        if "e" in (source.char, target.char):
            return {source.char, target.char} == {"e", "f"}
        return source.kind != "f" or target.kind in "fb"
    if node.op in ("where", "copy"):
        return True
    known = len(set(dtypes[1:])) == 1 and _key(node) in _RULES
    if node.name == "clip" and any(x.op != "constant" for x in node.args[1:]):
        return False  # NumPy's zeros are other ones between arrays
    if any(d.char == "e" for d in dtypes):
        return known and node.name in _HALVES
    return known and (MACHINES[isa].fused or node.name not in _WHOLE)


def value_of(e: Emitter, node: Node, operands: Sequence[str]) -> str:
    """Write what computes a node from the names of its operands; return the name of its value."""
    if node.op == "cast":
        return e.convert(node.dtype, node.args[0].dtype, operands[0])
    if node.op == "copy":
        return operands[0]
    if node.op == "where":
        return e.select(operands[0], node.dtype, *operands[1:])
    dtype, rule = node.args[0].dtype, _RULES[_key(node)]
    if dtype.char != "e":
        return rule(e, dtype, *operands)
    result = rule(e, FLOAT, *(e.convert(FLOAT, dtype, x) for x in operands))
    return result if node.dtype.kind == "b" else e.convert(dtype, FLOAT, result)
