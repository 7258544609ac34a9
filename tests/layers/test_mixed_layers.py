"""Dense layers of several dtypes, and of integers."""

from __future__ import annotations

from itertools import product

import ml_dtypes
import numpy as np
import pytest

import vekt as vk
from vekt import reference
from vekt._core.operands import result_dtype

DTYPES = [np.dtype(c) for c in "?bBhiqefd"] + [np.dtype(ml_dtypes.bfloat16)]


def numbers(rng, shape, dtype):
    if dtype.kind in "bu":
        return rng.integers(0, 2, shape).astype(dtype)
    return (4 * rng.standard_normal(shape)).astype(dtype)


def cast(arrays, dtype):
    with np.errstate(all="ignore"):
        return [x.astype(dtype) for x in arrays]


def same_bits(results, expected):
    for result, right in zip(results, expected, strict=True):
        assert result.dtype == right.dtype
        assert result.tobytes() == right.tobytes()


def test_bits_of_a_cast():
    rng = np.random.default_rng(0)
    for first, second in product(DTYPES, DTYPES):
        x, w, b = (
            numbers(rng, shape, dtype)
            for shape, dtype in (((6, 7, 300), first), ((300, 33), second), (33, first))
        )
        dtype = result_dtype(None, x, w, b)
        single = np.dtype("f4") if dtype.itemsize == 2 else dtype
        for weights in (w, np.asfortranarray(w), w[::-1]):
            given = vk.dense(x, weights, b, "gelu", return_preactivation=True)
            same_bits(
                given,
                cast(
                    vk.dense(*cast((x, weights, b), single), "gelu", return_preactivation=True),
                    dtype,
                ),
            )
        dy, z = numbers(rng, (6, 7, 33), second), numbers(rng, (6, 7, 33), first)
        for activation in (None, "gelu"):
            dtype = result_dtype(None, dy, x, w, z)
            single = np.dtype("f4") if dtype.itemsize == 2 else dtype
            same_bits(
                vk.dense_backward(dy, x, w, z, activation),
                cast(vk.dense_backward(*cast((dy, x, w, z), single), activation), dtype),
            )


def test_packed_weights_beside_narrow_samples():
    rng = np.random.default_rng(1)
    w = rng.standard_normal((700, 40), dtype="f")
    for dtype in "Bef":
        x = numbers(rng, (600, 700), np.dtype(dtype))
        np.testing.assert_array_equal(
            vk.dense(x, vk.PackedWeights(w), None, "relu"), vk.dense(x.astype("f"), w, None, "relu")
        )


@pytest.mark.parametrize("module", [vk, reference])
def test_integers_are_exact(module):
    rng = np.random.default_rng(2)
    x = rng.integers(0, 256, (2, 5, 700)).astype("B")
    w = rng.integers(-128, 128, (700, 40)).astype("b")
    b = rng.integers(-1000, 1000, 40).astype("i")
    expected = x.astype("q") @ w.astype("q") + b
    y = module.dense(x, w, b, dtype=np.int32)
    assert y.dtype == np.int32
    np.testing.assert_array_equal(y, expected)
    out = np.empty(y.shape, "q")
    assert module.dense(x, w, b, "linear", out=out, dtype="i") is out
    np.testing.assert_array_equal(out, expected)
    y, z = module.dense(x, w, b, return_preactivation=True, dtype="i")
    np.testing.assert_array_equal(y, z)
    assert not np.shares_memory(y, z)
    for bad in (
        lambda: module.dense(x, w, b, "relu", dtype="i"),
        lambda: module.dense(x.astype("f"), w, b, dtype="i"),
        lambda: module.dense(x, w, b.astype("f"), dtype="i"),
        lambda: module.dense(x, w, b, dtype="S3"),
    ):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(ValueError, match="shape|mismatch"):
        module.dense(x, w[1:], b, dtype="i")


@pytest.mark.parametrize("dtype", ["e", "f", "d"])
def test_floats_that_are_asked_for(dtype):
    rng = np.random.default_rng(3)
    x, w, b = rng.standard_normal((8, 20)), rng.integers(-9, 9, (20, 6)).astype("b"), np.ones(6)
    y = vk.dense(x, w, b, "tanh", dtype=dtype)
    assert y.dtype == dtype
    expected = reference.dense(x, w, b, "tanh", dtype=dtype)
    np.testing.assert_allclose(y, expected, rtol=2e-3 if dtype == "e" else 1e-5)
    with pytest.raises(TypeError, match="packed|cast"):
        vk.dense(x, vk.PackedWeights(w), b, dtype="i" if dtype == "e" else "e")
