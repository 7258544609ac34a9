"""Dask, xarray, pandas and ndarray subclasses pass through and stay what they are."""

from __future__ import annotations

import dask.array
import numpy as np
import pandas
import pytest
import xarray
from distributed import Client, LocalCluster
from numpy.testing import assert_array_equal

import vekt as vk

CALLS = [
    vk.sigmoid,
    vk.tanh,
    vk.gelu,
    vk.relu,
    lambda x: vk.gelu(x, approximate=True),
    lambda x: vk.relu(x, 0.1, 6.0, 0.5),
    lambda x: vk.leaky_relu(x, negative_slope=0.3),
    lambda x: vk.gelu_backward(x, x),
]


@pytest.mark.parametrize("call", CALLS)
class TestStaysWhatItIs:
    """The same values, in the container that came in."""

    def test_dask(self, call, rng):
        x = rng.normal(size=(40, 30))
        lazy = dask.array.from_array(x, chunks=(10, 30))
        result = call(lazy)
        assert isinstance(result, dask.array.Array)
        assert result.dtype == x.dtype
        assert result.chunks == lazy.chunks
        assert_array_equal(result.compute(scheduler="threads"), call(x))

    def test_xarray(self, call, rng):
        x = xarray.DataArray(
            rng.normal(size=(4, 3)), dims=("row", "column"), coords={"row": list("abcd")}
        )
        result = call(x)
        assert isinstance(result, xarray.DataArray)
        assert result.dims == x.dims
        assert list(result.row.values) == list("abcd")
        assert_array_equal(result.values, call(x.values))

    def test_pandas(self, call, rng):
        series = pandas.Series(rng.normal(size=5), index=list("abcde"), name="z")
        result = call(series)
        assert isinstance(result, pandas.Series)
        assert result.index.equals(series.index)
        assert_array_equal(result.to_numpy(), call(series.to_numpy()))
        frame = pandas.DataFrame({"p": series, "q": -series})
        assert isinstance(call(frame), pandas.DataFrame)
        assert_array_equal(call(frame).to_numpy(), call(frame.to_numpy()))

    def test_subclass(self, call, rng):
        class Special(np.ndarray):
            pass

        x = rng.normal(size=7)
        result = call(x.view(Special))
        assert type(result) is Special
        assert_array_equal(np.asarray(result), call(x))


def test_masked_array():
    x = np.ma.masked_array([1.0, -2.0, 3.0], mask=[False, True, False])
    result = vk.relu(x)
    assert isinstance(result, np.ma.MaskedArray)
    assert result.filled(-9).tolist() == [1, -9, 3]


def test_dot_refuses_lazy_arrays():
    lazy = dask.array.ones(10, chunks=5)
    with pytest.raises(TypeError, match="b is of a type with its own array functions"):
        vk.dot(np.ones(10), lazy)


def test_dot_of_series():
    series = pandas.Series([1.0, 2.0])
    assert vk.dot(series, series) == 5


def test_dask_cluster_of_processes(rng):
    """Functions travel by name to other processes, which run their own pool."""
    lazy = dask.array.linspace(-5, 5, 2_000_000, chunks=500_000)
    x = lazy.compute(scheduler="sync")
    a, b = rng.normal(size=(2, 1000))
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        result = client.compute(vk.gelu(lazy)).result(timeout=60)
        activated = client.compute(vk.sigmoid(lazy)).result(timeout=60)
        product = client.submit(vk.dot, a, b).result(timeout=60)
    assert_array_equal(result, vk.gelu(x))
    assert_array_equal(activated, vk.sigmoid(x))
    assert product == vk.dot(a, b)
