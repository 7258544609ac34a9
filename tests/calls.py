"""A call of nearly every driver, on matrices of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import vekt as vk


def calls_of(n: int) -> dict[str, Callable[[], Any]]:
    """Return calls by a name of each, on matrices of n x n."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (n, n))
    s = x.astype("f4")
    h = x.astype("f2")
    i = (x * 5).astype("i4")
    labels = np.arange(n) % n
    terms = vk.fuse(lambda a, b: np.where(a > b, np.exp(a) + b * 2, a * b) - a / (b * b + 1))
    summed = vk.fuse(lambda a, b: (np.exp(a) * b + a).sum(axis=0))
    spread = vk.fuse(lambda a: (a - a.mean(axis=-1, keepdims=True)).max())
    return {
        "fuse": lambda: terms(x, x.T),
        "fuse scalars": lambda: terms(x, 1.5),
        "fuse f4": lambda: terms(s, s[::-1]),
        "fuse sum": lambda: summed(x, x.T),
        "fuse mean": lambda: spread(x),
        "evaluate": lambda: vk.evaluate("a * b + exp(a) / (b * b + 1)", {"a": x, "b": x.T}),
        "gelu": lambda: vk.gelu(x),
        "gelu f2": lambda: vk.gelu(h[:, ::-1]),
        "gelu grad": lambda: vk.gelu_value_and_grad(i),
        "backward": lambda: vk.gelu_backward(x, s),
        "add": lambda: vk.add(x, h.T),
        "where": lambda: vk.where(x > 0, i.T, s),
        "softmax": lambda: vk.softmax(x),
        "softmax T": lambda: vk.softmax(h.T, axis=0),
        "logsumexp": lambda: vk.logsumexp(s, axis=0),
        "sparsemax": lambda: vk.sparsemax(x.T),
        "loss": lambda: vk.softmax_cross_entropy_value_and_grad(x, labels),
        "matmul": lambda: vk.matmul(x, x.T),
        "matmul few": lambda: vk.matmul(x[:2], x),
        "matmul f2": lambda: vk.matmul(h, h.T),
        "matmul i4": lambda: vk.matmul(i, i),
        "matmul c16": lambda: vk.matmul(x * 1j, x),
        "matvec": lambda: vk.matvec(x.T, x[0]),
        "matvec f4": lambda: vk.matvec(s, s[:, 1]),
        "vecmat": lambda: vk.vecmat(x[:, 0], x),
        "vecdot": lambda: vk.vecdot(x * 1j, x),
        "dot": lambda: vk.dot(x.ravel(), x.T.ravel()),
        "dot strided": lambda: vk.dot(x[:, 1], h[:, 0]),
        "outer": lambda: vk.outer(x[0], x[:, 1]),
        "tensordot": lambda: vk.tensordot(x, x, 2),
        "einsum": lambda: vk.einsum("ij,kj,k->i", x, x.T, x[0]),
        "sum": lambda: vk.sum(x.T, axis=0),
        "sum i1": lambda: vk.sum(i.astype("i1"), axis=0),
        "mean": lambda: vk.mean(h, axis=0),
        "argmax": lambda: vk.argmax(x, axis=0),
        "argmax T": lambda: vk.argmax(h.T, axis=0),
        "norm": lambda: vk.norm(h, axis=0),
        "cosine": lambda: vk.cosine_similarity(x, x.T, axis=0),
        "top_k": lambda: vk.top_k(x.T, n // 3),
        "take": lambda: vk.take(s, labels, 1),
        "scatter_add": lambda: vk.scatter_add(x.copy(), labels, x),
        "one_hot": lambda: vk.one_hot(labels, n),
        "transpose": lambda: vk.transpose_copy(x.T),
        "prelu": lambda: vk.prelu(x, x[0]),
        "prelu backward": lambda: vk.prelu_backward(x, x, x[0]),
        "dense": lambda: vk.dense(x, x, x[0], activation="gelu"),
        "dense backward": lambda: vk.dense_backward(x, x, x, z=x, activation="gelu"),
    }
