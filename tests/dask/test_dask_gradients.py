"""Gradients of layers and fused functions of Dask arrays: lazy, the same numbers."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk

COMPUTED = {"scheduler": "sync"}


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
@pytest.mark.parametrize(("leading", "chunks"), [((40,), (7,)), ((6, 8), (4, 3)), ((), ())])
def test_layers(dtype, leading, chunks, rng):
    x, w = (rng.normal(size=shape).astype(dtype) for shape in ((*leading, 5), (5, 3)))
    y, z = vk.dense(x, w, None, "gelu", return_preactivation=True)
    dy = rng.normal(size=y.shape).astype(dtype)
    lazy_dy, lazy_z = (da.from_array(a, chunks=(*chunks, 2)) for a in (dy, z))
    wanted = vk.dense_backward(dy, x, w, z, "gelu")
    for weights in (w, da.from_array(w, chunks=2)):
        lazy = vk.dense_backward(lazy_dy, x, weights, lazy_z, "gelu")
        assert all(isinstance(g, da.Array) for g in lazy)
        for g, plan, want in zip(dask.compute(*lazy, **COMPUTED), lazy, wanted, strict=True):
            assert plan.shape == g.shape == want.shape
            assert plan.dtype == g.dtype == want.dtype
            tolerance = 1e-5 if dtype == "f4" else 1e-13
            assert_allclose(g, want, tolerance, tolerance)
    none, dw, _ = vk.dense_backward(lazy_dy, x, w, None, need_dx=False)
    assert none is None
    assert_allclose(dw, vk.dense_backward(dy, x, w, None)[1], 1e-5, 1e-5)


def test_one_task_gives_all_three(rng):
    lazy = da.from_array(rng.normal(size=(40, 5)), chunks=(10, 5))
    counted = []

    def count(block):
        counted.append(len(block))
        return block

    dy = lazy.map_blocks(count, meta=np.empty((0, 0)))
    dask.compute(*vk.dense_backward(dy, lazy, np.ones((5, 5)), None), **COMPUTED)
    assert counted == [10] * 4


def test_bad_layers():
    lazy, w = da.ones((4, 3), chunks=2), np.ones((3, 3))
    with pytest.raises(TypeError, match="take no out"):
        vk.dense_backward(lazy, lazy, w, None, out=(None, None, None))
    with pytest.raises(TypeError, match="z is missing"):
        vk.dense_backward(lazy, lazy, w, None, "relu")
    with pytest.raises(ValueError, match=r"x of shape \(4, 3\).*got \(5, 3\)"):
        vk.dense_backward(lazy, np.ones((5, 3)), w, None)


@vk.fuse
def scaled(x, w, b, scale=2.0):
    return vk.mish(x * w + b) * scale


ARRAYS = np.random.default_rng(5)
X, W, B, DY = (ARRAYS.normal(size=shape) for shape in ((10, 6), 6, (10, 1), (10, 6)))
LAZY = da.from_array(X, chunks=(4, 5))


@pytest.mark.parametrize(
    ("args", "lazy"),
    [
        ((X, W, B), (LAZY, W, da.from_array(B, chunks=(3, 1)))),
        ((X, W, 0.5), (LAZY, da.from_array(W, chunks=4), 0.5)),
        ((X, 2, B), (LAZY, 2, B)),
        (
            (X.astype("f4"), np.float32(3), B.astype("f4")),
            (LAZY.astype("f4"), np.float32(3), B.astype("f4")),
        ),
    ],
)
def test_fused(args, lazy):
    dy = DY.astype(args[0].dtype)
    value, gradients = scaled.value_and_grad(*lazy)
    expected, wanted = scaled.value_and_grad(*args)
    assert_array_equal(value.compute(**COMPUTED), expected)
    pairs = list(zip(gradients, wanted, strict=True))
    pairs += zip(
        scaled.backward(da.from_array(dy, chunks=3), *lazy, scale=0.5),
        scaled.backward(dy, *args, scale=0.5),
        strict=True,
    )
    for g, want in pairs:
        if want is None:
            assert g is None
            continue
        assert isinstance(g, da.Array)
        assert g.shape == want.shape
        assert g.dtype == want.dtype
        tolerance = 1e-5 if want.dtype == "f4" else 1e-12
        assert_allclose(g.compute(**COMPUTED), want, tolerance, tolerance)


def test_fused_of_one_array_and_a_dtype():
    curve = vk.fuse(lambda x: vk.tanh(x) ** 2)
    lazy = da.from_array(np.linspace(-1, 1, 12), chunks=5)
    wanted = curve.backward(np.float32(1), lazy.compute(), dtype=np.float32)
    slope = curve.backward(np.float32(1), lazy, dtype=np.float32)
    assert slope.dtype == wanted.dtype == "f4"
    assert_array_equal(slope.compute(scheduler="processes", num_workers=1), wanted)


def test_bad_fused():
    with pytest.raises(TypeError, match="one result for each element"):
        vk.fuse(lambda x: vk.sum(x)).value_and_grad(LAZY)
    with pytest.raises(ValueError, match=r"broadcasts to \(10, 6\), got \(3,\)"):
        scaled.backward(np.ones(3), LAZY, W, B)
    with pytest.raises(TypeError, match="has no gradient"):
        vk.fuse(lambda x: x > 0).backward(1.0, LAZY)
