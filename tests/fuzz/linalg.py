"""Products, norms, cosines, outer products and transposed copies."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

import vekt as vk
from vekt import reference

from . import arrays
from .activations import add_output
from .check import Case
from .draws import Draw
from .rows import axis_of
from .truth import BFLOAT16, Truth, common_dtype, unit

_PRODUCTS = ("matmul", "dot", "vecdot", "matvec", "vecmat", "tensordot", "outer")
_OTHERS = ("norm", "cosine_similarity", "transpose_copy")
NAMES = {*_PRODUCTS, *_OTHERS}


def case(draw: Draw) -> Case:
    """Draw a call of linear algebra."""
    name = draw.pick((*_PRODUCTS, *_OTHERS))
    if name in _OTHERS:
        return _alone(draw, name)
    options: dict[str, Any] = {}
    left, right = _shapes(draw, name, options)
    dtype = draw.pick(arrays.NUMBERS)
    args = [_matrix(draw, left, dtype), _matrix(draw, right, dtype)]
    if name in ("matmul", "vecdot", "matvec", "vecmat") and draw.chance(8):
        options["dtype"] = draw.pick(("f8", "f4", "c16", "i4"))
    if name == "matmul" and draw.chance(15):
        options["deterministic"] = "batch"
    made = Case(name, getattr(vk, name), args, options, _expectation(name))
    if name != "tensordot" and draw.chance(25):
        add_output(draw, made)
        if made.out is not None and name == "dot":
            _strict_output(made)
    made.threads = 1 + draw.below(2)
    kinds = [np.asarray(x).dtype.kind for x in args]
    made.same_bits = "c" not in kinds
    made.may_refuse = any(np.asarray(x).dtype.char in "OSUMmVgG" for x in args)
    return made


def _strict_output(made: Case) -> None:
    """`numpy.dot` asks for the very dtype and layout; what vekt takes beyond that is no fault."""
    true = made.expect(*made.args, **made.options)
    if made.bad or made.out.dtype != true.dtype or not made.out.flags.carray:
        made.out, made.bad = None, ""


def _matrix(draw: Draw, shape: tuple[int, ...], dtype: Any) -> Any:
    if draw.chance(15):
        dtype = draw.pick(arrays.NUMBERS)
    if draw.chance(1):
        dtype = draw.pick(("U3", "S2", "M8[s]"))
    return arrays.laid_out(draw, arrays.values(draw, shape, dtype, tame=draw.chance(85)))


def _side(draw: Draw) -> int:
    return draw.pick((1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 0, 33, 65, 130))


def _shapes(draw: Draw, name: str, options: Any) -> Any:
    m, k, n = (_side(draw) for _ in range(3))
    while m * k * n > 60_000:
        m, k, n = (max(1, x // 2) for x in (m, k, n))
    other = k + 1 if draw.chance(4) else k
    stack = tuple(draw.pick((1, 2, 3)) for _ in range(draw.below(3)))
    left_stack, right_stack = (
        tuple(1 if draw.chance(20) else x for x in stack[draw.below(2) if stack else 0 :])
        for _ in range(2)
    )
    if name == "outer":
        return (m,) if draw.chance(60) else (m, 2), (n,) if draw.chance(60) else (1, n)
    if name == "vecdot":
        if draw.chance(30):
            options["keepdims"] = True
        return (*left_stack, k), (*right_stack, other)
    if name == "matvec":
        return (*left_stack, m, k), (*right_stack, other)
    if name == "vecmat":
        return (*left_stack, k), (*right_stack, other, n)
    if name == "tensordot":
        options["axes"] = draw.pick((1, 2, ([-1], [0]), ([-1, 0], [0, 1]), (0, 0), 0))
        return (m % 9, other % 9, k % 9), (k % 9, m % 9, n % 5)
    left, right = (*left_stack, m, k), (*right_stack, other, n)
    if draw.chance(20):
        left = (k,)
    if draw.chance(20):
        right = (other,)
    if name == "dot" and draw.chance(5):
        left = ()
    return left, right


def _expectation(name: str) -> Any:
    function = getattr(np, name)

    def expect(a: Any, b: Any, deterministic: Any = None, **options: Any) -> Truth:
        bfloat16 = BFLOAT16 in (a.dtype, b.dtype)
        wanted = np.dtype(options.get("dtype") or "c16")
        if bfloat16:
            if wanted.kind == "i":
                raise TypeError(f"no cast of bfloat16 to {wanted}")
            if "c" in a.dtype.kind + b.dtype.kind and wanted.kind != "c":
                raise TypeError(f"no cast of complex numbers to {wanted}")
            stored = np.dtype(options["dtype"]) if options.get("dtype") else common_dtype(a, b)
            model = function(*(np.zeros(x.shape, "f4") for x in (a, b)), **_without_dtype(options))
        else:
            model = function(a, b, **options)
            stored = np.asarray(model).dtype
        kind = None if bfloat16 else type(model)
        if not (stored.kind in "fc" or stored == BFLOAT16) or stored.char in "gG":
            return Truth(np.asarray(model), stored, kind=kind)
        wide_kind = np.clongdouble if stored.kind == "c" else np.longdouble
        x, y = (v.astype(stored).astype(wide_kind) for v in (a, b))
        wide = np.asarray(function(x, y, **_without_dtype(options)))
        size = np.asarray(function(np.abs(x), np.abs(y), **_without_dtype(options)), np.longdouble)
        part = np.empty(0, stored).real.dtype if stored.kind == "c" else stored
        compute = np.dtype("f4") if part.itemsize < 4 else part
        count = max((1, *a.shape, *b.shape)) * max((1, *a.shape))
        eps = float(np.finfo(compute).eps)
        terms = min(count, 256) + count // 256
        slack = (
            np.where(np.isfinite(size), size, 0) * eps * (4 + terms)
            + unit(np.zeros_like(size), compute) * count
        )
        free = ~(size < np.finfo(compute).max / 4)
        return Truth(wide, stored, slack, kind=kind, free=free)

    return expect


def _without_dtype(options: Any) -> Any:
    return {key: value for key, value in options.items() if key != "dtype"}


def _alone(draw: Draw, name: str) -> Case:
    shape = arrays.shape_of(draw, most=4)
    dtype = draw.pick(arrays.NUMBERS if name != "cosine_similarity" else arrays.REAL)
    if name == "transpose_copy":
        x = arrays.laid_out(draw, arrays.values(draw, shape, dtype))
        options: dict[str, Any] = {}
        if draw.chance(50):
            options["axes"] = draw.shuffled(len(shape))

        def copied(x: Any, axes: Any = None) -> Truth:
            y = np.transpose(x, axes)
            return Truth(y, y.dtype.newbyteorder("="), kind=np.ndarray)

        made = Case(name, vk.transpose_copy, [x], options, copied)
        if draw.chance(30):
            add_output(draw, made)
        elif not x.dtype.isnative:
            made.args[0] = x.astype(x.dtype.newbyteorder("="))
        return made
    x = arrays.laid_out(draw, arrays.values(draw, shape, dtype))
    options = {"axis": axis_of(draw, len(shape))} if draw.chance(60) else {}
    if name == "cosine_similarity":
        y = arrays.laid_out(draw, arrays.values(draw, shape, draw.pick((dtype, "f8"))))
        made = Case(name, vk.cosine_similarity, [x, y], options, _cosine)
        made.same_bits = False
        return made
    if draw.chance(50):
        options["ord"] = draw.pick((None, 2, 1, np.inf, -np.inf, 0, 3, "fro", -1, 0.5))
    if draw.chance(30):
        options["keepdims"] = True
    made = Case(name, vk.norm, [x], options, _norm, may_refuse=options.get("axis") == 1.5)
    made.same_bits = False
    return made


def _cosine(a: Any, b: Any, axis: Any = -1) -> Truth:
    stored = common_dtype(a, b)
    if stored.kind in "biu":
        stored = np.dtype("f8")
    shape = np.broadcast_shapes(a.shape, b.shape)
    np.sum(np.empty(shape), axis)
    if shape == () and axis is not None:
        raise np.exceptions.AxisError(-1, 0)
    kind = np.longdouble if stored.itemsize == 8 else np.dtype("f8")
    x, y = (v.astype(stored).astype(kind) for v in (a, b))
    xx, yy, xy = (np.sum(v, axis) for v in (x * x, y * y, x * y))
    zero = ((xx == 0) & (yy < np.inf)) | ((yy == 0) & (xx < np.inf))  # NaN is less than nothing
    cosine = np.clip(xy / (np.sqrt(xx) * np.sqrt(yy)), -1, 1)
    wide = np.where(zero, 0, cosine).astype(np.longdouble)
    compute = np.dtype("f4") if stored.itemsize < 4 else stored
    largest = max(np.abs(x).max(initial=0), np.abs(y).max(initial=0))
    free = ~(largest < 1e150) | bool(np.any((np.abs(x) < 1e-150) & (x != 0)))
    return Truth(wide, stored, 4 * np.finfo(compute).eps, free=free)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Truth:
    if x.dtype != BFLOAT16:
        model = np.linalg.norm(x, ord, axis, keepdims)
        stored = np.asarray(model).dtype
    else:
        np.linalg.norm(x.astype("f4"), ord, axis, keepdims)
        stored = BFLOAT16
    singular = ord in (2, -2, "nuc") and x.ndim != 1 and (axis is None or np.size(axis) == 2)
    kind = _wide_kind(x)
    kind = {np.longdouble: np.float64, np.clongdouble: np.complex128}[kind] if singular else kind
    wide = np.asarray(reference.norm(x.astype(kind), ord, axis, keepdims))
    compute = np.dtype("f4") if stored.itemsize < 4 else stored
    eps = float(np.finfo(compute).eps)
    whole = not singular and ord in (None, 1, 2, np.inf, -np.inf, 0, "fro")
    info = ml_dtypes.finfo(stored)
    free = ~np.isfinite(wide) | (not whole) & ~((wide > info.tiny) & (wide < info.max / 4))
    free = free | (x.dtype.kind == "c" and ord not in (None, 2, "fro"))
    rough = 2 if whole else 16 + x.size * 2
    return Truth(
        wide.astype(np.longdouble), stored, rough * unit(wide, compute) + eps * 0, free=free
    )


def _wide_kind(x: Any) -> Any:
    if x.dtype.kind == "c":
        return np.clongdouble
    if x.dtype.char in "OUSMmV" and x.dtype != BFLOAT16:
        raise TypeError(x.dtype)
    return np.longdouble
