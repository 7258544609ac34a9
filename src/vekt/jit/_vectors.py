"""Norms, cosine similarity, outer product and transposed copies: what Python calls."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from vekt._core.axes import unmasked
from vekt._core.operands import is_bfloat16
from vekt._spec.docstrings import documented
from vekt._spec.linalg import LINALG
from vekt.jit._gates import _entry as entry
from vekt.jit._linalg import finished

_SAME_SIZE = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)} | {16: np.dtype("c16")}
"""Dtypes as which the elements of a copy are moved, by their size in bytes."""


def _computable(name: str, kinds: str, **operands: Any) -> tuple[Any, list[Any]]:
    """Dtype of the result, and the operands in a native dtype of these kinds to compute with."""
    arrays = [np.asarray(unmasked(name, key, x)) for key, x in operands.items()]
    wide = [x.astype("f4") if is_bfloat16(x.dtype) else x for x in arrays]
    dtype = np.result_type(*wide)
    if dtype.kind in "biu" and "?" not in kinds:
        dtype = np.dtype("f8")
    stored = dtype
    if dtype.char not in kinds:
        raise TypeError(f"{name}: dtype {dtype} is not supported")
    if all(is_bfloat16(x.dtype) for x in arrays):
        stored = arrays[0].dtype
    dtype = np.dtype("f4") if dtype == np.float16 else dtype.newbyteorder("=")
    return stored, [x.astype(dtype, copy=False) for x in wide]


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """Return a matrix whose rows run along these axes; a copy where they do not lie so."""
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    kept = moved.shape[: x.ndim - len(axes)]
    length = math.prod(moved.shape[len(kept) :])
    return np.require(moved.reshape(math.prod(kept), length), requirements=["C", "A", "W"])


@documented(LINALG["norm"], "", "vekt.jit")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    stored, (y,) = _computable("norm", "efdFD", x=x)
    axes = range(y.ndim) if axis is None else normalize_axis_tuple(axis, y.ndim)
    if ord is not None and not (len(axes) == 1 or (len(axes) == 2 and ord == "fro")):
        # Sums along one axis and then the other, or singular values.
        result = np.linalg.norm(y, ord, axis, keepdims)
    elif isinstance(ord, str) and len(axes) == 1:
        raise ValueError(f"norm: vectors have no norm {ord!r}")
    else:
        result = _run_norms(_rows(y, tuple(axes)), 2.0 if ord in (None, "fro") else float(ord))
        result = result.reshape([1 if k in axes else n for k, n in enumerate(y.shape)])
        result = result if keepdims else result.squeeze(tuple(axes))
    return finished(np.asarray(result), np.empty(0, stored).real.dtype, None)


@documented(LINALG["cosine_similarity"], "", "vekt.jit")
def cosine_similarity(a: Any, b: Any, axis: int = -1) -> Any:
    stored, arrays = _computable("cosine_similarity", "efd", a=a, b=b)
    x, y = np.broadcast_arrays(*arrays)
    (at,) = normalize_axis_tuple(axis, x.ndim)
    result = _run_cosines(_rows(x, (at,)), _rows(y, (at,)))
    return finished(result.reshape(x.shape[:at] + x.shape[at + 1 :]), stored, None)


@documented(LINALG["outer"], "", "vekt.jit")
def outer(a: Any, b: Any, out: Any = None) -> Any:
    stored, arrays = _computable("outer", "?bBhHiIlLqQefdFD", a=a, b=b)
    with np.errstate(over="ignore"):
        return finished(_run_outer(*(x.ravel() for x in arrays)), stored, out)


@documented(LINALG["transpose_copy"], "", "vekt.jit")
def transpose_copy(a: Any, axes: Any = None, out: Any = None) -> Any:
    x = np.transpose(unmasked("transpose_copy", "a", a), axes)
    moved = None if x.dtype.hasobject else _SAME_SIZE.get(x.dtype.itemsize)
    if moved is None:
        copy = np.array(x, order="C")
    else:
        copy = _run_transpose(x.view(moved).T).view(x.dtype)
    return finished(copy, x.dtype, out) if out is not None else copy


@entry
def _run_norms(rows, order):  # type: ignore[no-untyped-def]
    return norm(rows, order, 1)


@entry
def _run_cosines(x, y):  # type: ignore[no-untyped-def]
    return cosine_similarity(x, y)


@entry
def _run_outer(x, y):  # type: ignore[no-untyped-def]
    return outer(x, y)


@entry
def _run_transpose(x):  # type: ignore[no-untyped-def]
    return transpose_copy(x)
