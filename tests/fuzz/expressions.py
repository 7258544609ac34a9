"""Random functions of arrays and Python's numbers, fused, beside NumPy: the same bits."""

from __future__ import annotations

import operator
from importlib.util import find_spec
from typing import Any

import numpy as np

import vekt as vk

from . import arrays
from .check import Case
from .draws import Draw
from .truth import Truth, unit

NAMES = {"fuse"}
_DTYPES = ("f8", "f4", "i8", "u1", "i4", "?", "f2", "c16", "c8", "i1", "i2", "u2", "u4", "u8")
_INTEGERS = (1, 0, -1, 2, 3, 7, 127, 128, -128, 255, 256, 300, -129, 2**15, 65535, 2**31, -(2**31))
_INTEGERS += (2**32, 2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1)
_FLOATS = (0.5, 0.0, -0.0, -1.5, 2.0, 3.0, 1e5, 1e-9, 1e39, 1e300, np.inf, -np.inf, np.nan)
_SCALARS = (True, False, 1j, np.float32(1.5), np.int16(7), np.uint8(200), np.float64(-0.0))
_SCALARS += (np.bool_(True), np.complex64(1 - 2j), np.uint64(2**64 - 1), np.float16(3))
_SCALARS += (np.array(2.5), np.array(3))
_EXPONENTS = (2, -1, 0.5, 2.0, 0, 1, 10, np.float32(1.5), np.array(2), True, -2)
_SUMS = ("sum", "mean", "prod")
_REDUCTIONS = (*_SUMS, "max", "min", "any", "all")


def _converted(x: Any, dtype: str) -> Any:
    """Convert arrays, where NumPy defines the result; numbers have no such method."""
    if not hasattr(x, "dtype"):
        return x
    if np.dtype(dtype).kind in "iu" and x.dtype.kind not in "biu":
        dtype = "c16" if x.dtype.kind == "c" else "f8"
    return x.astype(dtype)


def _filled(x: Any, y: Any) -> Any:
    """Fill an array; integers with what has a defined value there."""
    if not hasattr(x, "dtype"):
        return y
    undefined = x.dtype.kind in "iu" and hasattr(y, "dtype") and y.dtype.kind not in "biu"
    return np.full_like(x, y, dtype="c16" if undefined else None)


def _inverted(x: Any) -> Any:
    """Invert the bits; of Python's bools, which is deprecated, as integers."""
    return ~x if hasattr(x, "dtype") else ~(x + 0)


def _shifted(shift: Any) -> Any:
    """Limit how far Python's integers are shifted."""

    def by(x: Any, y: Any) -> Any:
        return shift(x, y if hasattr(y, "dtype") or hasattr(x, "dtype") else y % 70)

    return by


def _named(*functions: Any) -> dict[str, Any]:
    return {f.__name__: f for f in functions}


_UNARY: dict[str, Any] = {
    **_named(operator.neg, operator.pos, abs, np.sqrt, np.exp, np.sin, np.sign, np.floor, np.rint),
    **_named(np.log1p, np.isnan, np.isfinite, np.signbit, np.logical_not, np.square),
    **_named(np.reciprocal, np.positive, np.conjugate, np.real, np.imag, np.round, np.zeros_like),
    "~": _inverted,
    "round 1": lambda x: np.round(x, 1),
    "ones_like": lambda x: np.ones_like(x, dtype="f4"),
    **{f"to {t}": lambda x, t=t: _converted(x, t) for t in _DTYPES},
}
_BINARY: dict[str, Any] = {
    **_named(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv),
    **_named(operator.mod, operator.and_, operator.or_, operator.xor, operator.lt, operator.le),
    **_named(operator.gt, operator.ge, operator.eq, operator.ne, np.maximum, np.minimum, np.fmax),
    **_named(np.hypot, np.arctan2, np.copysign, np.logical_and, np.logical_or, np.logical_xor),
    **_named(np.add, np.less, np.multiply, np.float_power, np.heaviside, np.gcd),
    "full_like": _filled,
    "lshift": _shifted(operator.lshift),
    "rshift": _shifted(operator.rshift),
    "same": lambda x, y: np.where(x, y, y),
    "one": lambda x, y: np.where(x > 0, 1.0, 1.0) + y,
    "there and back": lambda x, y: _converted(_converted(x, "f8"), getattr(x, "dtype", "f8")) + y,
    "twice": lambda x, y: operator.neg(-x) * 1 / 4 + y,
}
_TERNARY: dict[str, Any] = {
    "where": np.where,
    "where less": lambda x, y, z: np.where(x < y, z, x),
    "clip": np.clip,
}
_ALL = _UNARY | _BINARY | _TERNARY


def case(draw: Draw) -> Case:
    """Draw a function of two arrays and two numbers, and those."""
    tree = _tree(draw, 1 + draw.below(4))
    if not {"x", "y"} & set(_leaves(tree)):
        tree = ("add", "x", tree)
    exponent: Any = None
    reduction, options = "", {}
    if draw.chance(15):
        reduction = draw.pick(_REDUCTIONS)
        options["axis"] = draw.pick((None, 0, -1))
        if draw.chance(30):
            options["keepdims"] = True
    elif draw.chance(12):
        exponent = draw.pick((*_EXPONENTS, "y"))
    shape = arrays.shape_of(draw, most=3)
    args = [_array(draw, shape), _array(draw, shape), _number(draw), _number(draw)]

    def value(x: Any, y: Any, s: Any, t: Any) -> Any:
        names = {"x": x, "y": y, "s": s, "t": t}
        result = _evaluated(tree, names)
        return result if exponent is None else result ** names.get(str(exponent), exponent)

    def function(x: Any, y: Any, s: Any, t: Any) -> Any:
        result = value(x, y, s, t)
        return getattr(np, reduction)(result, **options) if reduction else result

    def expect(*args: Any) -> Truth:
        result = value(*args)
        if reduction:
            return _reduced(reduction, result, options)
        result = np.asarray(result)
        if exponent is not None and result.dtype.kind in "fc":
            return _near(result)
        return Truth(result, result.dtype, free=result.dtype == object)

    compile = draw.chance(10) and find_spec("llvmlite") is not None
    notes = {"tree": tree, "exponent": exponent, "reduction": reduction, **options}
    fused = vk.fuse(function, compile=compile)
    made = Case("fuse", lambda *args: _native(fused(*args)), args, {}, expect, notes=notes)
    # One number has no axis, which may be told before what else is wrong.
    made.errors = () if shape else (np.exceptions.AxisError,)
    made.same_bits = reduction not in _SUMS and exponent is None
    made.threads = 1 + draw.below(2)
    return made


def _native(x: Any) -> Any:
    """Return NumPy's result in the byte order of the machine."""
    array = np.asarray(x)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _number(draw: Draw) -> Any:
    return draw.pick(_FLOATS) if draw.chance(40) else draw.pick(_INTEGERS)


def _array(draw: Draw, shape: tuple[int, ...]) -> Any:
    sides = [1 if draw.chance(20) else n for n in shape]
    if draw.chance(20):
        sides = sides[draw.below(len(sides) + 1) :]
    return arrays.laid_out(draw, arrays.values(draw, tuple(sides), draw.pick(_DTYPES)))


def _tree(draw: Draw, depth: int) -> Any:
    kind = draw.below(16) if depth else 0
    if kind < 2:
        if draw.chance(15):
            return ("constant", draw.pick(_SCALARS) if draw.chance(30) else _number(draw))
        return draw.pick("xxyyxst")
    if kind < 7:
        return draw.pick([*_UNARY]), _tree(draw, depth - 1)
    if kind < 14:
        name, first = draw.pick([*_BINARY]), _tree(draw, depth - 1)
        if name == "full_like" and not {"x", "y"} & set(_leaves(first)):
            first = "x"
        return name, first, _tree(draw, depth - 1)
    return draw.pick([*_TERNARY]), *(_tree(draw, depth - 1) for _ in range(3))


def _leaves(tree: Any) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    return [] if tree[0] == "constant" else [x for part in tree[1:] for x in _leaves(part)]


def _evaluated(tree: Any, names: dict[str, Any]) -> Any:
    """Value of a tree; arrays in place of NumPy's scalars, which have laws of their own."""
    if isinstance(tree, str):
        return names[tree]
    name, *operands = tree
    if name == "constant":
        result = operands[0]
    else:
        result = _ALL[name](*(_evaluated(x, names) for x in operands))
    return np.asarray(result) if isinstance(result, np.generic) else result


def _near(result: Any) -> Truth:
    """Allow NumPy's own powers the last digits, which depend on strides there."""
    part = np.dtype(f"f{result.dtype.itemsize // 2}") if result.dtype.kind == "c" else result.dtype
    size = np.abs(result).astype(np.longdouble)
    wide = result.astype(np.clongdouble if result.dtype.kind == "c" else np.longdouble)
    return Truth(wide, result.dtype, 4 * unit(size, part), free=_is_odd(result))


def _is_odd(result: Any) -> Any:
    """Whether complex numbers are not finite: which NaN they have depends on the algorithm."""
    return (result.dtype.kind == "c") & ~np.isfinite(result)


def _reduced(name: str, terms: Any, options: dict[str, Any]) -> Truth:
    result = np.asarray(getattr(np, name)(terms, **options))
    if result.dtype.kind not in "fc":
        return Truth(result, result.dtype)
    if name not in _SUMS:
        return Truth(
            result.astype(np.longdouble) if result.dtype.kind == "f" else result, result.dtype, 0
        )
    terms = np.asarray(terms)
    wide = terms.astype(np.clongdouble if terms.dtype.kind == "c" else np.longdouble)
    total = np.asarray(getattr(np, name)(wide, **options))
    size = np.asarray(getattr(np, name)(np.abs(wide), **options))
    part = np.dtype(f"f{result.dtype.itemsize // 2}") if result.dtype.kind == "c" else result.dtype
    compute = np.dtype("f4") if part.itemsize < 4 and name != "prod" else part
    largest = np.asarray(np.max(np.abs(wide), **options, initial=0))
    if name == "prod":  # of some terms, in any order
        size = np.asarray(np.prod(np.maximum(np.abs(wide), 1), **options))
        least = np.asarray(np.prod(np.minimum(np.abs(wide), 1), **options, where=wide != 0))
    whole = np.isfinite(size) & (size < np.finfo(compute).max)
    slack = np.where(whole, size, 0) * np.finfo(compute).eps * (4 + wide.size)
    free = ~whole & (np.isfinite(largest) | (result.dtype.kind == "c") | (name == "prod"))
    if name == "prod":
        free |= least < np.finfo(compute).tiny
    return Truth(total, result.dtype, slack + unit(np.abs(total), part), free=free)
