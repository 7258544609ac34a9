"""Norms, cosines, outer products and transposed copies in compiled functions."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from numpy.testing import assert_allclose, assert_array_equal

from vekt import jit


@njit
def norm(x):  # type: ignore[no-untyped-def]
    return jit.norm(x)


@njit
def norm_of_order(x, order):  # type: ignore[no-untyped-def]
    return jit.norm(x, order)


ORDERS = [0.0, 1.0, 2.0, 3.0, -1.0, 0.5, np.inf, -np.inf]


@pytest.mark.parametrize("order", ORDERS)
def test_orders_of_vectors(order, rng) -> None:
    x = rng.normal(size=1001)
    want = np.linalg.norm(x, order)
    assert_allclose(norm_of_order(x, order), want, rtol=1e-14)
    assert_allclose(jit.norm(x, order), want, rtol=1e-14)


def test_matrices_and_axes(rng) -> None:
    x = rng.normal(size=(20, 30))

    @njit
    def run(x, axis):  # type: ignore[no-untyped-def]
        return jit.norm(x), jit.norm(x, "fro"), jit.norm(x, None, axis)

    total, frobenius, rows = run(x, 0)
    assert total == frobenius
    assert_allclose(total, np.linalg.norm(x), rtol=1e-15)
    assert_allclose(rows, np.linalg.norm(x, axis=0), rtol=1e-15)
    for order in (1.0, -1.0, np.inf, -np.inf):
        assert_allclose(norm_of_order(x, order), np.linalg.norm(x, order), rtol=1e-14)
    with pytest.raises(ValueError, match="orders"):
        norm_of_order(x, 3.0)
    stack = rng.normal(size=(3, 4, 5))
    for axis in (0, -1, (0, 2)):
        for keepdims in (False, True):
            want = np.linalg.norm(stack, None, axis, keepdims)
            got = jit.norm(stack, None, axis, keepdims)
            assert_allclose(got, want, rtol=1e-14)
            assert got.shape == want.shape
    assert_allclose(jit.norm(x, "nuc"), np.linalg.norm(x, "nuc"))


def test_range_and_dtypes(rng) -> None:
    """Squares may leave the range where the result does not."""
    x = rng.normal(size=50)
    for scale in (2.0**1000, 2.0**-700, 2.0**-1022):
        assert_allclose(norm(x * scale) / scale, norm(x), rtol=1e-12)
    assert norm(np.array([5e-324])) == 5e-324
    assert norm(np.array([np.inf, np.nan])) != 0.0
    assert np.isnan(norm(np.array([1.0, np.nan])))
    assert norm(np.array([1.0, -np.inf])) == np.inf
    assert norm(np.array([])) == 0.0
    single = (x * 1e30).astype("f4")
    got = jit.norm(single)
    assert got.dtype == "f4"
    assert_allclose(got, np.linalg.norm(single.astype("f8")), rtol=1e-7)
    assert norm(np.array([3, 4])) == 5.0
    assert_allclose(norm(x * 1j), norm(x), rtol=1e-15)
    with pytest.raises(ValueError, match="elements"):
        norm_of_order(np.array([]), np.inf)
    with pytest.raises(TypeError):
        jit.norm(["a"])


def test_cosine_similarity(rng) -> None:
    a, b = rng.normal(size=(7, 9)), rng.normal(size=9)
    run = njit(lambda a, b: jit.cosine_similarity(a, b))
    want = a @ b / np.linalg.norm(a, axis=1) / np.linalg.norm(b)
    assert_allclose(run(a, b), want, atol=1e-15)
    assert_allclose(run(a * 2.0**900, b * 2.0**-900), want, atol=1e-15)
    assert_array_equal(run(a, a[0])[0], 1.0)
    assert_allclose(jit.cosine_similarity(a.T, b[:, None], axis=0), want, atol=1e-15)
    with_zeros = run(a * np.array([0.0, 1, 1, 1, 1, np.inf, np.nan])[:, None], b)
    assert with_zeros[0] == 0.0
    assert_array_equal(np.isnan(with_zeros), [False] * 5 + [True] * 2)
    assert jit.cosine_similarity([1.0, 0.0], [0, 2]) == 0.0
    with pytest.raises(TypeError):
        jit.cosine_similarity(a * 1j, b)


def test_outer(rng) -> None:
    a, b = rng.normal(size=5).astype("f4"), rng.normal(size=(2, 3))

    @njit
    def run(a, b, out):  # type: ignore[no-untyped-def]
        jit.outer(a, b, out)
        return jit.outer(a, b)

    out = np.zeros((5, 12))[:, ::2]
    assert_array_equal(run(a, b, out), np.outer(a, b), strict=True)
    assert_array_equal(out, np.outer(a, b))
    shared = np.arange(25.0).reshape(5, 5)
    want = np.outer(shared[0], shared[:, 1])
    assert_array_equal(jit.outer(shared[0], shared[:, 1], shared), want)
    half = a.astype("f2")
    assert_array_equal(jit.outer(half, half), np.outer(half, half), strict=True)
    with pytest.raises(ValueError, match="shape"):
        run(a, b, out[1:])


def test_transpose_copy(rng) -> None:
    a = rng.normal(size=(70, 45))

    @njit
    def run(a, out):  # type: ignore[no-untyped-def]
        jit.transpose_copy(a, None, out)
        return jit.transpose_copy(a)

    out = np.zeros((45, 140))[:, ::2]
    got = run(a, out)
    assert got.flags.c_contiguous
    assert_array_equal(got, a.T)
    assert_array_equal(out, a.T)
    square = rng.normal(size=(40, 40))
    want = square.T.copy()
    assert_array_equal(jit.transpose_copy(square, out=square), want)
    stack = rng.normal(size=(3, 4, 5))
    got = njit(lambda x: jit.transpose_copy(x, (1, 2, 0)))(stack)
    assert_array_equal(got, stack.transpose(1, 2, 0))
    for dtype in ("?", "f2", "c16", "M8[s]", "O", "S3"):
        data = np.arange(6).reshape(2, 3).astype("i8").astype(dtype)
        assert_array_equal(jit.transpose_copy(data), data.T, strict=True)
    with pytest.raises(TypingError, match="out"):
        njit(lambda a: jit.transpose_copy(a, None, a.astype(np.float32)))(a)
