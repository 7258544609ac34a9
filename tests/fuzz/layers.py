"""Dense layers: the bits of a product, a sum and an activation, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

import vekt as vk
from vekt._spec.activations import OPS

from . import arrays
from .activations import add_output
from .check import Case
from .draws import Draw
from .truth import Truth, computing, float_dtype

NAMES = {"dense", "dense_backward", "PackedWeights"}
_DTYPES = ("f4", "f8", "f2", arrays.BFLOAT16, "i4", "u1")


def case(draw: Draw) -> Case:
    """Draw a call of a dense layer."""
    backward, packed = draw.chance(45), draw.chance(25)
    k, n = (draw.pick((1, 2, 3, 4, 5, 8, 16, 17, 33, 65, 130, 0)) for _ in range(2))
    rows = tuple(draw.pick((1, 2, 3, 7, 16, 33, 0)) for _ in range(draw.below(3)))
    dtype = draw.pick(_DTYPES)
    options: dict[str, Any] = {}
    activation = draw.pick((None, *OPS)) if draw.chance(80) else None
    if activation is not None or draw.chance(20):
        options["activation"] = activation
    x = _array(draw, (*rows, k), dtype)
    w = _array(draw, (k + 1 if draw.chance(3) else k, n), dtype)
    if backward:
        dy, z = _array(draw, (*rows, n), dtype), _array(draw, (*rows, n), dtype)
        if draw.chance(15):
            options["need_dx"] = False
        made = Case("dense_backward", vk.dense_backward, [dy, x, w, z], options, _backward)
        made.same_bits = False  # db is summed in the order of memory
        return made
    args = [x, w]
    if draw.chance(60):
        args.append(_array(draw, draw.pick(((n,), (1,), (), (*rows[-1:], n))), dtype))
    if draw.chance(30):
        options["return_preactivation"] = True
    if packed:
        return _packed_case(args, options)
    options["deterministic"] = "batch"
    made = Case("dense", vk.dense, args, options, _dense)
    if draw.chance(30):
        add_output(draw, made)
        outs = made.out if isinstance(made.out, tuple) else (made.out,)
        if x.dtype.itemsize < 4 and any(o is not None and o.dtype.itemsize > 2 for o in outs):
            made.out, made.bad = None, ""  # the rounding is to the dtype of `out`
    made.threads = 1 + draw.below(2)
    return made


def _array(draw: Draw, shape: tuple[int, ...], dtype: Any) -> Any:
    if draw.chance(8):
        dtype = draw.pick(arrays.NUMBERS)
    return arrays.laid_out(draw, arrays.values(draw, shape, dtype, tame=draw.chance(90)))


def _stepwise(x: Any, w: Any, b: Any, activation: Any, compute: Any) -> Any:
    z = vk.matmul(x.astype(compute), w.astype(compute), deterministic="batch")
    z = z if b is None else z + np.asarray(b).astype(compute)
    y = z if activation is None else getattr(vk, activation)(z)
    return np.asarray(y), np.asarray(z)


def _dense(
    x: Any,
    w: Any,
    b: Any = None,
    activation: Any = None,
    return_preactivation: bool = False,
    deterministic: Any = None,
) -> Any:
    stored = float_dtype(x, w, *([] if b is None else [b]))
    shape = np.matmul(np.empty(x.shape), np.empty(w.shape)).shape
    if b is not None:
        np.broadcast_to(b, shape)
    y, z = _stepwise(x, w, b, activation, computing(stored))
    truths = tuple(Truth(v.astype(stored), stored) for v in (y, z))
    return truths if return_preactivation else truths[0]


def _packed_case(args: list[Any], options: Any) -> Case:
    def call(x: Any, w: Any, *b: Any, **options: Any) -> Any:
        stored = float_dtype(x, w, *b)
        packed = vk.PackedWeights(w.astype(computing(stored)))
        return vk.dense(
            x.astype(computing(stored)),
            packed,
            *(v.astype(computing(stored)) for v in b),
            **options,
        )

    def expect(x: Any, w: Any, *b: Any, **options: Any) -> Any:
        compute = computing(float_dtype(x, w, *b))
        return _dense(*(v.astype(compute) for v in (x, w, *b)), **options)

    return Case("PackedWeights", call, args, options, expect)


def _backward(dy: Any, x: Any, w: Any, z: Any, activation: Any = None, need_dx: bool = True) -> Any:
    stored = float_dtype(dy, x, w, z)
    compute = computing(stored)
    k, n = w.shape
    if dy.shape[:-1] != x.shape[:-1] or x.shape[-1] != k:
        raise ValueError("shapes")
    dy, x, w, z = (v.astype(compute) for v in (dy, x, w, z))
    dz = dy if activation is None else np.asarray(getattr(vk, activation + "_backward")(dy, z))
    m = int(np.prod(dy.shape[:-1]))
    flat, rows = dz.reshape(m, n), x.reshape(m, k)
    dx = vk.matmul(flat, w.T, deterministic="batch").reshape(x.shape)
    dw = vk.matmul(rows.T, flat, deterministic="batch")
    wide = flat.astype(np.longdouble)
    db, size = wide.sum(axis=0), np.abs(wide).sum(axis=0)
    eps = float(np.finfo(compute).eps)
    close = []
    for value, left, right in ((dx, flat, w.T), (dw, rows.T, flat)):
        terms = np.matmul(np.abs(left).astype("f8"), np.abs(right).astype("f8")).reshape(
            value.shape
        )
        slack = terms * eps * 4 * (2 + min(256, left.shape[1]))
        wide_value = value.astype(np.longdouble)
        close.append(
            Truth(
                wide_value,
                stored,
                slack,
                free=~np.isfinite(terms) | (terms > np.finfo(compute).max / 4),
            )
        )
    slack = size * 2.0**-52 * (2 + m) + eps * np.abs(db)
    of_bias = Truth(db, stored, slack, free=~(size < np.finfo(compute).max / 4))
    return (close[0] if need_dx else None), close[1], of_bias
