"""Dask's arrays go through lazily, block by block, in other processes too."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_array_equal

import vekt as vk

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "video.py"
COMPUTED = {"scheduler": "sync"}


@pytest.fixture
def video(monkeypatch):
    """Import the example, from where other processes find it too."""
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    yield importlib.import_module(EXAMPLE.stem)
    del sys.modules[EXAMPLE.stem]


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "any", "all", "argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "i4", "?", "c8"])
def test_reductions(name, dtype, rng):
    if dtype == "c8" and name not in ("sum", "mean", "any"):
        return
    x = rng.integers(0, 90, (40, 30, 4)).astype(dtype)
    lazy = da.from_array(x, chunks=(7, 30, 3))
    for axis in (None, 0, 2) if name.startswith("arg") else (None, 1, (0, 2)):
        result = getattr(vk, name)(lazy, axis)
        assert isinstance(result, da.Array)
        expected = getattr(np, name)(x, axis=axis)
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        np.testing.assert_allclose(result.compute(**COMPUTED), expected, rtol=1e-6)
    kept = vk.sum(lazy, 1, keepdims=True)
    assert kept.compute(**COMPUTED).shape == (40, 1, 4)


def test_sums_are_rounded_once(rng):
    x = rng.normal(size=(3000, 20)).astype("f4")
    lazy = da.from_array(x, chunks=(100, 20))
    for name in ("sum", "mean"):
        result = getattr(vk, name)(lazy, 0).compute(**COMPUTED)
        assert_array_equal(result, getattr(np, name)(x, axis=0, dtype="f8").astype("f4"))
    assert_array_equal(vk.sum(lazy, 0, dtype="f8"), x.sum(0, "f8"))


def test_elementwise(rng):
    x = rng.normal(size=(20, 30))
    lazy = da.from_array(x, chunks=(5, 30))
    for function in (vk.add, vk.multiply, vk.maximum):
        result = function(lazy, x[0])
        assert isinstance(result, da.Array)
        assert_array_equal(result.compute(**COMPUTED), function(x, x[0]))


@pytest.mark.parametrize("chunks", [(5, 12), (20, 4), (7, 5)])
def test_dense(chunks, rng):
    x, w, b = rng.normal(size=(20, 12)), rng.normal(size=(12, 9)), rng.normal(size=9)
    lazy = da.from_array(x, chunks=chunks)
    expected = vk.dense(x, w, b, "gelu", deterministic="batch")
    for weights in (w, da.from_array(w, chunks=(5, 4))):
        result = vk.dense(lazy, weights, b, "gelu")
        assert isinstance(result, da.Array)
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        np.testing.assert_allclose(result.compute(**COMPUTED), expected, rtol=1e-13, atol=1e-13)
    packed = vk.dense(lazy, vk.PackedWeights(w), None, partial(vk.leaky_relu, negative_slope=0.3))
    np.testing.assert_allclose(
        packed.compute(**COMPUTED), vk.leaky_relu(x @ w, 0.3), rtol=1e-12, atol=1e-12
    )
    stack = vk.dense(lazy.reshape(2, 10, 12), w, b.reshape(1, 1, 9))
    np.testing.assert_allclose(stack, (x @ w + b).reshape(2, 10, 9), rtol=1e-12, atol=1e-12)


def test_bad_layers():
    lazy = da.ones((4, 3), chunks=2)
    with pytest.raises(ValueError, match=r"x \(4, 3\) and w \(4, 5\)"):
        vk.dense(lazy, np.ones((4, 5)))
    with pytest.raises(ValueError, match=r"b \(7,\)"):
        vk.dense(lazy, np.ones((3, 5)), np.ones(7))
    with pytest.raises(TypeError, match="neither out nor"):
        vk.dense(lazy, np.ones((3, 5)), return_preactivation=True)


def test_example(video, tmp_path, capsys):
    """The video in parts, and through Dask in this process: the same numbers."""
    path = tmp_path / "video.npy"
    made = video.make(path, 0.01, size=(80, 60))
    n = made.size // 3
    for chunk_bytes in (100_000, 3_000_000):
        total = vk.stream(video.sums, made, combine=video.combine, chunk_bytes=chunk_bytes)
        mean, deviation = video.mean_and_deviation(*total, n)
        np.testing.assert_allclose(mean, np.mean(made, (0, 1, 2, 3)), rtol=1e-14)
        np.testing.assert_allclose(deviation, np.std(made, (0, 1, 2, 3)), rtol=1e-10)
    lazy = da.from_array(video.Frames(path), chunks=(1, 40, -1, -1, -1))
    lazy = [x.compute(**COMPUTED) for x in video.sums(lazy)]
    assert_array_equal(video.mean_and_deviation(*lazy, n), (mean, deviation))
    assert "make: 100%" in capsys.readouterr().out


def test_processes(video, tmp_path, rng):
    x, w = rng.normal(size=(2000, 30)).astype("f4"), rng.normal(size=(30, 8)).astype("f4")
    lazy = da.from_array(x, chunks=(500, 30))
    made = video.make(tmp_path / "video.npy", 0.01, size=(80, 60))
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with cluster, Client(cluster) as client:
        layer = vk.dense(lazy, w, None, "tanh")
        results = client.compute([layer, vk.sum(layer, 0), vk.matmul(lazy, w)])
        y, total, product = (future.result(timeout=60) for future in results)
        sums = video.with_dask(tmp_path / "video.npy", 2_000_000, client)
    assert_array_equal(y, vk.dense(x, w, None, "tanh", deterministic="batch"))
    np.testing.assert_allclose(total, y.sum(0), rtol=1e-5)
    assert_array_equal(product, vk.matmul(x, w, deterministic="batch"))
    assert_array_equal(sums, video.sums(made))


@vk.fuse
def scaled(x, w, shift=1.0):
    return vk.mish(x * w + shift)


class TestFused:
    def test_one_pass_over_each_block(self):
        x = np.random.default_rng(0).standard_normal((6, 8), np.float32)
        w = np.linspace(-1, 1, 8, dtype=np.float32)
        lazy = scaled(da.from_array(x, chunks=(4, 3)), w, shift=0.5)
        assert isinstance(lazy, da.Array)
        assert lazy.dtype == np.float32
        layers = [n for n in lazy.dask.layers if not n.startswith(("array", "rechunk"))]
        assert len(layers) == 1  # for the whole expression
        assert_array_equal(lazy.compute(scheduler="sync"), scaled(x, w, shift=0.5))
        assert_array_equal(vk.sum(lazy, 0).compute(), vk.sum(scaled(x, w, shift=0.5), 0))

    def test_functions_travel_to_other_processes(self):
        x = np.linspace(-1, 1, 12)
        local = vk.fuse(lambda x, y: np.where(x > y, x, vk.exp(y)))
        lazy = local(da.from_array(x, chunks=5), 0.25)
        assert_array_equal(lazy.compute(scheduler="processes", num_workers=1), local(x, 0.25))

    def test_reductions_and_several_results_go_step_by_step(self):
        x = np.ones((4, 6))
        total = vk.fuse(lambda x: vk.sum(x * 2, axis=0))
        assert_array_equal(total(da.from_array(x, chunks=2)).compute(), total(x))
        both = vk.fuse(lambda x: (x + 1, x * 2))
        for got, want in zip(both(da.from_array(x, chunks=2)), both(x), strict=True):
            assert_array_equal(got.compute(), want)
