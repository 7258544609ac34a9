"""Sums over millions of equal elements do not saturate, in any namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vekt as vk
from vekt import jit, optim, reference

N = 2**22 + 3
SMALL = 2**18  # sums that float16 holds
LABELS = np.zeros(N // 4, np.int64)


def logits(x: Any) -> Any:
    return np.zeros((N // 4, 2), x.dtype)


# each one with what it gives, of n elements v, and how many there can be in float16
CASES: dict[str, tuple[Callable[[Any], Any], Callable[[float, int], float]]] = {
    "sum": (vk.sum, lambda v, n: v * n),
    "mean": (vk.mean, lambda v, n: v),
    "mean of columns": (lambda x: vk.mean(x[:, None], axis=0), lambda v, n: v),
    "sum_to_shape": (lambda x: vk.sum_to_shape(x, (1,)), lambda v, n: v * n),
    "dot": (lambda x: vk.dot(x, x), lambda v, n: v * v * n),
    "vecdot": (lambda x: vk.vecdot(x, x), lambda v, n: v * v * n),
    "vecdot of columns": (
        lambda x: vk.vecdot(x[:, None], x[:, None], axis=0),
        lambda v, n: v * v * n,
    ),
    "matmul": (lambda x: vk.matmul(x, x), lambda v, n: v * v * n),
    "matvec": (lambda x: vk.matvec(x[None], x), lambda v, n: v * v * n),
    "norm": (vk.norm, lambda v, n: v * n**0.5),
    "norm 1": (lambda x: vk.norm(x, 1), lambda v, n: v * n),
    "norm 3": (lambda x: vk.norm(x, 3), lambda v, n: v * n ** (1 / 3)),
    "norm of columns": (lambda x: vk.norm(x[:, None], axis=0), lambda v, n: v * n**0.5),
    "cosine_similarity": (lambda x: vk.cosine_similarity(x, x), lambda v, n: 1.0),
    "jit.norm": (jit.norm, lambda v, n: v * n**0.5),
    "jit.norm 1": (lambda x: jit.norm(x, 1), lambda v, n: v * n),
    "jit.dot": (lambda x: jit.dot(x, x), lambda v, n: v * v * n),
    "reference.norm": (reference.norm, lambda v, n: v * n**0.5),
    "reference.dot": (lambda x: reference.dot(x, x), lambda v, n: v * v * n),
    "fused sum": (lambda x: vk.fuse(lambda x: np.sum(x * x))(x), lambda v, n: v * v * n),
    "fused mean": (lambda x: vk.fuse(lambda x: np.mean(x))(x), lambda v, n: v),
    "evaluate": (lambda x: vk.evaluate("sum(a)", {"a": x}), lambda v, n: v * n),
    "prelu's slope": (
        lambda x: vk.prelu_backward(x, -x, x.dtype.type(0.5))[1],
        lambda v, n: -v * v * n,
    ),
    "jit, prelu's slope": (
        lambda x: jit.prelu_backward(x, -x, x.dtype.type(0.5))[1],
        lambda v, n: -v * v * n,
    ),
    "global norm": (lambda x: optim.clip_by_global_norm([x.copy()], 1e30), lambda v, n: v * n**0.5),
    "norm of many": (
        lambda x: optim.clip_by_global_norm([v.copy() for v in np.array_split(x, 99)], 1e30),
        lambda v, n: v * n**0.5,
    ),
    "cross entropy": (
        lambda x: vk.softmax_cross_entropy(logits(x), LABELS),
        lambda v, n: np.log(2),
    ),
    "weighted cross entropy": (
        lambda x: vk.softmax_cross_entropy(logits(x), LABELS, weight=[0.1, 0.1]),
        lambda v, n: np.log(2),
    ),
    "reference, cross entropy": (
        lambda x: reference.softmax_cross_entropy(logits(x), LABELS),
        lambda v, n: np.log(2),
    ),
}


@pytest.mark.parametrize("dtype", ["f4", "f2"])
@pytest.mark.parametrize("name", CASES)
def test_constant_rows(name: str, dtype: str) -> None:
    function, expected = CASES[name]
    x = np.full(N if dtype == "f4" else SMALL, 0.1, dtype)
    result = float(np.ravel(function(x))[0])
    tolerance = 1e-6 if dtype == "f4" else 1.5e-3
    assert result == pytest.approx(expected(float(x[0]), x.size), rel=tolerance)


@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_blocks_of_dask(dtype: str) -> None:
    da = pytest.importorskip("dask.array")
    x = np.full(N if dtype == "f4" else SMALL, 0.1, dtype)
    lazy, v, n = da.from_array(x, chunks=x.size // 40), float(x[0]), x.size
    tolerance = 1e-6 if dtype == "f4" else 1.5e-3
    for result, expected in (
        (vk.sum(lazy), v * n),
        (vk.mean(lazy), v),
        (vk.norm(lazy), v * n**0.5),
        (vk.matmul(lazy, lazy), v * v * n),
        (vk.cosine_similarity(lazy, lazy), 1.0),
    ):
        assert float(np.asarray(result)) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_counts_beyond_a_mantissa(dtype: str) -> None:
    """Of elements that are not zero, and of the support of sparsemax."""
    n = 2**24 + 3
    ones = np.ones(n, dtype)
    if dtype == "f4":
        assert vk.norm(ones, 0) == np.float32(n)
        assert vk.norm(ones[:, None], 0, axis=0) == np.float32(n)
        half = np.where(np.arange(n) % 2 == 0, 0, -1).astype(dtype)
        assert np.max(np.abs(vk.sparsemax(half) * ((n + 1) // 2) - (half == 0))) < 1e-6
    assert vk.mean(ones) == 1
    dx = vk.sparsemax_backward(ones, ones)
    np.testing.assert_array_equal(dx, 0)
