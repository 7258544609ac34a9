"""Products, dense layers and norms; their gradients are products again, by vekt's kernels."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f

import vekt as vk

from . import _activations

Function = Callable[..., Any]

__all__ = [
    "cosine_similarity",
    "dense",
    "dot",
    "matmul",
    "matvec",
    "norm",
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
    """`vekt.vecmat` for real numbers: products of vectors with matrices, both in stacks."""
    return matmul(x1[..., None, :], x2)[..., 0, :]


vecdot: Function = primitive(vk.vecdot)
defvjp(
    vecdot,
    lambda y, a, b: unbroadcast_f(a, lambda g: g[..., None] * b),
    lambda y, a, b: unbroadcast_f(b, lambda g: g[..., None] * a),
)

outer: Function = primitive(vk.outer)
defvjp(
    outer,
    lambda y, a, b: lambda g: np.reshape(matmul(g, np.ravel(b)), np.shape(a)),
    lambda y, a, b: lambda g: np.reshape(matmul(np.ravel(a), g), np.shape(b)),
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
    lambda y, x, w, b=None: lambda g: matmul(g, np.transpose(w)),
    lambda y, x, w, b=None: lambda g: matmul(np.transpose(_rows(x)), _rows(g)),
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


_length: Function = primitive(vk.norm)
defvjp(_length, lambda y, x, *_: lambda g: g * x / y, argnums=(0,))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`vekt.norm`: the kernel for lengths, autograd's functions for norms of other orders."""
    one_axis = isinstance(axis, int) or (axis is None and np.ndim(x) == 1)
    if ord is None or ord == "fro" or (ord == 2 and one_axis):
        axes = tuple(range(np.ndim(x))) if axis is None else axis
        y = _length(x, None, axes, True)
    elif one_axis and ord in (1, np.inf):
        axes = 0 if axis is None else axis
        y = (np.sum if ord == 1 else np.max)(np.abs(x), axis=axes, keepdims=True)
    else:
        return np.linalg.norm(x, ord, axis)
    return y if keepdims else np.squeeze(y, axes)


def cosine_similarity(a: Any, b: Any, axis: int = -1) -> Any:
    """`vekt.cosine_similarity`, of three sums that are differentiated."""
    lengths = norm(a, axis=axis) * norm(b, axis=axis)
    return np.sum(a * b, axis=axis) / lengths


transpose_copy: Function = primitive(vk.transpose_copy)
defvjp(
    transpose_copy,
    lambda y, x, axes=None: lambda g: np.transpose(g, None if axes is None else np.argsort(axes)),
    argnums=(0,),
)
