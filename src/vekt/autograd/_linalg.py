"""Products and dense layers; their gradients are products again, by vekt's kernels."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import match_complex, unbroadcast_f

import vekt as vk
from vekt.autograd import _activations

Function = Callable[..., Any]

__all__ = [
    "dense",
    "dot",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "transpose_copy",
    "vecdot",
    "vecmat",
]

matmul: Function = primitive(vk.matmul)


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _as_matrices(g: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Give vectors, and the product of such, the dimension that matmul adds to them."""
    if np.ndim(a) == 1:
        g = g[None] if np.ndim(b) == 1 else g[..., None, :]
        a = a[None, :]
    if np.ndim(b) == 1:
        g, b = g[..., None], b[:, None]
    return g, a, b


def _matmul_da(y: Any, a: Any, b: Any, **options: Any) -> Function:
    def vjp(g: Any) -> Any:
        g, left, right = _as_matrices(g, a, b)
        da = unbroadcast_f(left, lambda g: matmul(g, _transposed(right), **options))(g)
        return np.reshape(da, np.shape(a))

    return vjp


def _matmul_db(y: Any, a: Any, b: Any, **options: Any) -> Function:
    def vjp(g: Any) -> Any:
        g, left, right = _as_matrices(g, a, b)
        db = unbroadcast_f(right, lambda g: matmul(_transposed(left), g, **options))(g)
        return np.reshape(db, np.shape(b))

    return vjp


defvjp(matmul, _matmul_da, _matmul_db)


def matvec(x1: Any, x2: Any) -> Any:
    """`vekt.matvec`: products of matrices with vectors, both in stacks."""
    return matmul(x1, x2[..., None])[..., 0]


def vecmat(x1: Any, x2: Any) -> Any:
    """`vekt.vecmat`: products of vectors, conjugated, with matrices, both in stacks."""
    return matmul(np.conj(x1)[..., None, :], x2)[..., 0, :]


_vecdot: Function = primitive(vk.vecdot)
defvjp(
    _vecdot,
    lambda y, a, b: unbroadcast_f(a, lambda g: np.conj(g[..., None] * b)),
    lambda y, a, b: unbroadcast_f(b, lambda g: g[..., None] * np.conj(a)),
)


def vecdot(x1: Any, x2: Any, *, axis: int = -1, keepdims: bool = False) -> Any:
    """`vekt.vecdot`: dot products along an axis, the first vectors conjugated."""
    if axis != -1:
        x1, x2 = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    y = _vecdot(x1, x2)
    return np.expand_dims(y, axis) if keepdims else y


outer: Function = primitive(vk.outer)
defvjp(
    outer,
    lambda y, a, b: lambda g: match_complex(a, np.reshape(matmul(g, np.ravel(b)), np.shape(a))),
    lambda y, a, b: lambda g: match_complex(b, np.reshape(matmul(np.ravel(a), g), np.shape(b))),
)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """`vekt.tensordot`: a product of matrices after the axes are in order."""
    left, right = np.ndim(a), np.ndim(b)
    if isinstance(axes, int):
        axes = range(left - axes, left), range(axes)
    a_axes, b_axes = ([i] if isinstance(i, int) else list(i) for i in axes)
    a_axes, b_axes = [i % left for i in a_axes], [i % right for i in b_axes]
    rows = [i for i in range(left) if i not in a_axes]
    columns = [i for i in range(right) if i not in b_axes]
    if [a.shape[i] for i in a_axes] != [b.shape[i] for i in b_axes]:
        raise ValueError(f"tensordot: shapes {a.shape} and {b.shape} differ along axes {axes}")
    k = prod(a.shape[i] for i in a_axes)
    m = prod(a.shape[i] for i in rows)
    n = prod(b.shape[i] for i in columns)
    left_matrix = np.reshape(np.transpose(a, rows + a_axes), (m, k))
    right_matrix = np.reshape(np.transpose(b, b_axes + columns), (k, n))
    shape = [a.shape[i] for i in rows] + [b.shape[i] for i in columns]
    return np.reshape(matmul(left_matrix, right_matrix), shape)


def dot(a: Any, b: Any) -> Any:
    """`vekt.dot`: of vectors, matrices and tensors, over the last axis of `a`."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(b) <= 2:
        return matmul(a, b)
    return tensordot(a, b, (-1, -2))


_affine: Function = primitive(vk.dense)
defvjp(
    _affine,
    lambda y, x, w, b=None: lambda g: match_complex(x, matmul(g, np.transpose(w))),
    lambda y, x, w, b=None: lambda g: match_complex(w, matmul(np.transpose(_rows(x)), _rows(g))),
    lambda y, x, w, b=None: unbroadcast_f(b, lambda g: g),
)


def _rows(x: Any) -> Any:
    return np.reshape(x, (-1, x.shape[-1]))


def dense(x: Any, w: Any, b: Any = None, activation: Any = None) -> Any:
    """`vekt.dense`: x @ w + b, then an activation by its name, or a function of such primitives."""
    z = _affine(x, w) if b is None else _affine(x, w, b)
    if activation is None:
        return z
    return (getattr(_activations, activation) if isinstance(activation, str) else activation)(z)


transpose_copy: Function = primitive(vk.transpose_copy)
defvjp(
    transpose_copy,
    lambda y, x, axes=None: lambda g: np.transpose(g, None if axes is None else np.argsort(axes)),
    argnums=(0,),
)
