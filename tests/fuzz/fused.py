"""Random expressions by `vekt.fuse` and `vekt.evaluate`, beside NumPy step by step."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

import vekt as vk

from . import arrays
from .activations import add_output
from .check import Case
from .draws import Draw
from .truth import Truth, unit

NAMES = {"fuse", "evaluate", "re_evaluate", "validate"}  # the last two by tests/fuse
COMPILED = None if find_spec("llvmlite") is None else True
_BINARY = ("({} + {})", "({} - {})", "({} * {})", "({} / {})", "maximum({}, {})", "minimum({}, {})")
_UNARY = ("(-{})", "abs({})", "sqrt({})", "square({})", "floor({})")
_COMPARE = ("<", "<=", ">", ">=", "==", "!=")
_REDUCED = ("sum", "max", "min", "mean")  # of everything
_DTYPES = ("f8", "f4", "f4", "f8", "i4", "i8", "u1", "i2", "?", "f2")
_SPACE = {n: getattr(np, n) for n in ("maximum", "minimum", "sqrt", "square", "floor", "where")}
_SPACE |= {"abs": np.abs, "sum": np.sum, "max": np.max, "min": np.min, "mean": np.mean}
_SPACE["gelu"] = lambda x: vk.gelu(x)
_SPACE["sigmoid"] = lambda x: vk.sigmoid(x)


def case(draw: Draw) -> Case:
    """Draw an expression, and operands for it."""
    made = _drawn(draw)
    made.may_refuse = any(np.asarray(x).dtype.char in "OSUMmVgG" for x in made.args)
    return made


def _drawn(draw: Draw) -> Case:
    count = 1 + draw.below(3)
    names = "abc"[:count]
    text = _expression(draw, names, 1 + draw.below(4))
    shape = arrays.shape_of(draw, most=4)
    args = [arrays.operand(draw, shape, _DTYPES) for _ in names]
    reduced = draw.pick(_REDUCED) if draw.chance(20) else ""
    inner = _function(names, text)
    text = f"{reduced}({text})" if reduced else text
    model = _function(names, text)

    def expect(*args: Any) -> Truth:
        operands = [x if type(x) in (bool, int, float) else np.asarray(x) for x in args]
        result = np.asarray(model(*operands))
        if reduced in ("sum", "mean") and result.dtype.kind == "f":
            return _summed(reduced, np.asarray(inner(*operands)), result.dtype)
        return Truth(result, result.dtype)

    if draw.chance(35) and "gelu" not in text and "sigmoid" not in text:
        made = _evaluated(text, names, args, expect)
        made.same_bits = reduced not in ("sum", "mean")
        return made
    fused = vk.fuse(model, compile=draw.pick((None, COMPILED)) if draw.chance(5) else None)
    made = Case("fuse", fused, args, {}, expect, notes={"text": text})
    if draw.chance(25):
        add_output(draw, made)
    made.same_bits = reduced not in ("sum", "mean")
    made.threads = 1 + draw.below(2)
    return made


def _function(names: str, text: str) -> Any:
    return eval(f"lambda {', '.join(names)}: {text}", dict(_SPACE))


def _summed(name: str, terms: Any, dtype: Any) -> Truth:
    wide = terms.astype(np.longdouble)
    total = np.asarray(getattr(np, name)(wide))
    finite = np.isfinite(wide)
    size = np.asarray(np.abs(wide).sum())
    largest = np.abs(wide).sum(where=finite)
    slack = np.where(np.isfinite(size), size, 0) * np.finfo("f8").eps * (2 + np.log2(1 + wide.size))
    compute = np.dtype("f4") if dtype.itemsize < 4 else dtype
    free = ~(largest < np.finfo(compute).max)  # a part of the sum may overflow
    return Truth(total, dtype, slack + unit(total, compute), free=free)


def _evaluated(text: str, names: str, args: list[Any], expect: Any) -> Case:
    def evaluate(*args: Any) -> Any:
        return vk.evaluate(text, dict(zip(names, args, strict=True)))

    return Case("evaluate", evaluate, args, {}, expect, notes={"text": text})


def _expression(draw: Draw, names: str, depth: int) -> str:
    if depth == 0:
        if draw.chance(25):
            return draw.pick(("2", "0.5", "1", "3.0", "100"))
        return draw.pick(names)
    kind = draw.below(6)
    first = _expression(draw, names, depth - 1)
    if kind == 0:
        return draw.pick(_UNARY).format(first)
    second = _expression(draw, names, draw.below(depth))
    if kind == 1:
        condition = f"({draw.pick(names)} {draw.pick(_COMPARE)} {second})"
        return f"where({condition}, {first}, {_expression(draw, names, 0)})"
    if kind == 2:
        return draw.pick(("gelu({})", "sigmoid({})")).format(first)
    return draw.pick(_BINARY).format(first, second)
