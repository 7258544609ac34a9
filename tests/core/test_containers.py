"""Functions of rows, reductions and products of containers: what stays, and what is refused."""

from __future__ import annotations

from typing import Any

import dask.array as da
import ml_dtypes
import numpy as np
import pandas
import pytest
import xarray
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._spec.activations import OPS
from vekt._spec.rows import ROW_OPS
from vekt.network import Network

ROWS = list(ROW_OPS)
AXES = [-1, 0, None]


class Special(np.ndarray):
    """A subclass."""


def dask_arrays(x: Any) -> dict[str, Any]:
    """Return the array in even, uneven and empty blocks, and in blocks of unknown size."""
    lazy = da.from_array(x, chunks=(2, 3))
    rows, columns = (
        da.from_array(np.ones(n, bool), chunks=c) for n, c in zip(x.shape, (2, 3), strict=True)
    )
    return {
        "even": lazy,
        "uneven": da.from_array(x, chunks=((1, 0, x.shape[0] - 1), (1, x.shape[1] - 1))),
        "rows unknown": lazy[rows],
        "columns unknown": lazy[:, columns],
    }


DASK = list(dask_arrays(np.ones((4, 6))))


def computed(lazy: Any) -> Any:
    """Return the values of a lazy array, which tells its dtype before."""
    assert isinstance(lazy, da.Array)
    values = lazy.compute(scheduler="sync")
    assert all(n == m or np.isnan(n) for n, m in zip(lazy.shape, np.shape(values), strict=True))
    assert np.asarray(values).dtype == lazy.dtype
    return values


@pytest.fixture
def x(rng: np.random.Generator) -> Any:
    return rng.normal(size=(4, 6))


@pytest.fixture(params=["numpy", "dask"])
def labelled(request: Any, x: Any) -> Any:
    made = xarray.DataArray(x, dims=("a", "b"), coords={"a": list("wxyz"), "b": range(6)}, name="q")
    return made if request.param == "numpy" else made.chunk({"a": 2, "b": 3})


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ROWS)
class TestRows:
    """Functions of rows and their gradients."""

    def test_xarray(self, name: str, axis: Any, labelled: Any, x: Any) -> None:
        op, function = ROW_OPS[name], getattr(vk, name)
        backward = getattr(vk, op.public_names[1])
        result, expected = function(labelled, axis), function(x, axis)
        assert isinstance(result, xarray.DataArray)
        assert_array_equal(result.values, expected)
        assert (result.chunks is None) == (labelled.chunks is None)
        reduced = labelled.sum([labelled.dims[i] for i in ([0, 1] if axis is None else [axis])])
        like = reduced if op.reduces else np.exp(labelled)
        assert (result.dims, result.name, list(result.coords)) == (
            (like.dims, like.name, list(like.coords))
        )
        gradient = backward(result, labelled if op.reduces else result, axis)
        assert gradient.dims == labelled.dims
        assert_array_equal(gradient.values, backward(expected, x if op.reduces else expected, axis))
        masked = function(labelled, axis, where=labelled > 0)
        assert_array_equal(masked.values, function(x, axis, where=x > 0))

    @pytest.mark.parametrize("kind", DASK)
    def test_dask(self, name: str, axis: Any, kind: str, x: Any) -> None:
        op, function, lazy = ROW_OPS[name], getattr(vk, name), dask_arrays(x)[kind]
        backward = getattr(vk, op.public_names[1])
        result, expected = function(lazy, axis), function(x, axis)
        assert_array_equal(computed(result), expected)
        gradient = backward(result, lazy if op.reduces else result, axis)
        assert_array_equal(
            computed(gradient), backward(expected, x if op.reduces else expected, axis)
        )
        assert_array_equal(
            computed(function(lazy, axis, where=lazy > 0)), function(x, axis, where=x > 0)
        )
        if op.reduces:
            kept = function(lazy, axis, keepdims=True)
            assert_array_equal(computed(kept), function(x, axis, keepdims=True))
            assert_array_equal(
                computed(backward(kept, lazy, axis, keepdims=True)),
                backward(expected, x, axis),
            )

    def test_pandas(self, name: str, axis: Any, x: Any) -> None:
        op, function = ROW_OPS[name], getattr(vk, name)
        frame = pandas.DataFrame(x, list("wxyz"), list("abcdef"))
        result = function(frame, axis)
        assert_array_equal(np.asarray(result), function(x, axis))
        if not op.reduces:
            assert isinstance(result, pandas.DataFrame)
            assert result.index.equals(frame.index)
            assert result.columns.equals(frame.columns)
            series = frame["a"].copy()
            assert function(series, out=series) is series
            assert_array_equal(series, function(x[:, 0].copy()))
            assert getattr(vk, op.public_names[1])(series, series).index.equals(series.index)
        elif axis is not None:
            assert isinstance(result, pandas.Series)
            assert result.index.equals(frame.columns if axis == 0 else frame.index)

    def test_what_has_no_index(self, name: str, axis: Any, x: Any) -> None:
        op, function, row = ROW_OPS[name], getattr(vk, name), x[0]
        backward = getattr(vk, op.public_names[1])
        dy = function(row)
        index, numbers = pandas.Index(row, name="n"), pandas.array(row, "Float64")
        for given in (index, numbers, xarray.Variable("a", row)):
            result = function(given, axis)
            assert_array_equal(np.asarray(result), function(row))
            assert_array_equal(np.asarray(backward(dy, given)), backward(dy, row))
            if given is not numbers and not op.reduces:
                assert type(result) is type(given)
        if not op.reduces:
            assert function(index).name == "n"

    def test_subclasses(self, name: str, axis: Any, x: Any) -> None:
        op, function = ROW_OPS[name], getattr(vk, name)
        for kind in (Special, np.matrix):
            result = function(x.view(kind), axis)
            assert type(result) is kind or op.reduces
            assert_array_equal(np.asarray(result), function(x, axis))

    def test_sequences(self, name: str, axis: Any, x: Any) -> None:
        function = getattr(vk, name)
        for given in (x.tolist(), memoryview(x)):
            assert_array_equal(function(given, axis), function(x, axis))


def test_glu_of_dataarray(labelled: Any, x: Any) -> None:
    result = vk.glu(labelled)
    assert result.dims == labelled.dims
    assert list(result.coords) == ["a"]
    assert_array_equal(result.values, vk.glu(x))


def test_gradients_of_glu_and_prelu(labelled: Any, x: Any) -> None:
    """They are what their operand is, whatever the order of the other's dimensions."""
    dy = vk.glu(labelled)
    expected, slopes = vk.glu_backward(vk.glu(x), x), vk.prelu_backward(x, x, 0.1)
    for upstream in (dy, dy.transpose("b", "a"), vk.glu(x)):
        dx = vk.glu_backward(upstream, labelled)
        assert (dx.dims, list(dx.coords)) == (labelled.dims, list(labelled.coords))
        assert_array_equal(dx.values, expected)
    for upstream in (labelled, labelled.transpose("b", "a"), x):
        dx, dalpha = vk.prelu_backward(upstream, labelled, 0.1)
        assert (dx.dims, list(dx.coords)) == (labelled.dims, list(labelled.coords))
        assert_array_equal(dx.values, slopes[0])
        np.testing.assert_allclose(np.asarray(dalpha), slopes[1], rtol=1e-12)
    for kind in (Special, np.matrix):
        assert type(vk.glu_backward(vk.glu(x), x.view(kind))) is kind
        assert type(vk.prelu_backward(x, x.view(kind), 0.1)[0]) is kind
    frame = pandas.DataFrame(x, list("wxyz"), list("abcdef"))
    for dx in (vk.glu_backward(vk.glu(x), frame), vk.prelu_backward(x, frame, 0.1)[0]):
        assert dx.index.equals(frame.index)


@pytest.mark.parametrize("name", ["matmul", "vecdot", "matvec", "vecmat"])
def test_products_by_name_are_refused(name: str, labelled: Any, x: Any) -> None:
    function = getattr(vk, name)
    for operands in ((labelled, x), (x, labelled), (labelled, labelled)):
        with pytest.raises(TypeError, match="xarray"):
            function(*operands)


@pytest.mark.parametrize("name", ["argmax", "argmin", "max", "any", "sum"])
def test_reductions_of_dataarray(name: str, labelled: Any, x: Any) -> None:
    function = getattr(vk, name)
    for options in ({}, {"axis": 0}, {"axis": -1}, {"axis": 1, "keepdims": True}):
        result = function(labelled, **options)
        assert isinstance(result, xarray.DataArray)
        np.testing.assert_allclose(result.values, function(x, **options))


W = np.ones((6, 2))
MASKED = {
    **{name: getattr(vk, name) for name in ROWS},
    **{
        f"{name}_backward": lambda m, name=name: getattr(vk, f"{name}_backward")(m, m)
        for name in ROWS
    },
    "norm": vk.norm,
    "cosine_similarity": lambda m: vk.cosine_similarity(m, m),
    "outer": lambda m: vk.outer(m, m),
    "transpose_copy": vk.transpose_copy,
    "top_k": lambda m: vk.top_k(m, 1),
    "take": lambda m: vk.take(m, [0]),
    "take, places": lambda m: vk.take(np.arange(9), m.astype(int)),
    "scatter_add": lambda m: vk.scatter_add(m, [0], 1.0),
    "scatter_add, values": lambda m: vk.scatter_add(np.zeros(m.shape), np.arange(4), m),
    "one_hot": lambda m: vk.one_hot(m.astype(int), 3),
    "dot": lambda m: vk.dot(m, W),
    "dot, second": lambda m: vk.dot(W.T, m.T),
    "matmul": lambda m: vk.matmul(m, W),
    "matmul, second": lambda m: vk.matmul(W.T, m.T),
    "vecdot": lambda m: vk.vecdot(m, m),
    "matvec": lambda m: vk.matvec(m, W[:, 0]),
    "vecmat": lambda m: vk.vecmat(W[:, 0], m.T),
    "tensordot": lambda m: vk.tensordot(m, W, 1),
    "einsum": lambda m: vk.einsum("ij,jk", m, W),
    "einsum, second": lambda m: vk.einsum("ij->", m),
    "dense": lambda m: vk.dense(m, W),
    "softmax_cross_entropy": lambda m: vk.softmax_cross_entropy(m, [0, 1, 2, 3]),
    "sum_to_shape": lambda m: vk.sum_to_shape(m, (6,)),
    "broadcast_to": lambda m: vk.broadcast_to(m, (2, 4, 6)),
    "where": lambda m: vk.where(True, m, 0),
    "where, condition": lambda m: vk.where(m, 1, 0),
    "stream": lambda m: vk.stream(np.negative, m),
    "evaluate": lambda m: vk.evaluate("2 * a", {"a": m}),
    "evaluate, second": lambda m: vk.evaluate("b - a", {"a": m, "b": m.data}),
    "evaluate, a sum": lambda m: vk.evaluate("sum(a)", {"a": m}),
    "a fused gradient": lambda m: vk.fuse(lambda x: vk.gelu(x) * 2).backward(m.data, m),
    "glu_backward": lambda m: vk.glu_backward(m[:, :3], m),
    "glu_backward, dy": lambda m: vk.glu_backward(m[:, :3], m.data),
    "an optimiser's gradients": lambda m: vk.optim.SGD().step([m.data], [m]),
    "an optimiser's parameters": lambda m: vk.optim.Adam().step([m], [m.data]),
    "clip_by_global_norm": lambda m: vk.optim.clip_by_global_norm([m.data, m], 1.0),
    "a network's samples": lambda m: Network([4, 1], "tanh").fit(m, m.data[:1] > 0, epochs=1),
    "a network's targets": lambda m: Network([4, 1], "tanh").fit(
        m.data, np.ma.masked_all((1, m.shape[1])), epochs=1
    ),
    "a network's answers": lambda m: Network([4, 1], "tanh").predict(m),
    "prelu_backward": lambda m: vk.prelu_backward(m, m, 0.1),
}


@pytest.mark.parametrize("name", MASKED)
def test_masks_are_not_ignored(name: str, x: Any) -> None:
    with pytest.raises(
        TypeError, match=r"is a masked array, and its mask would be ignored|masked arrays have no"
    ):
        MASKED[name](np.ma.masked_array(x, mask=x > 0))


KEEPING = {
    "gelu": vk.gelu,
    "relu with parameters": lambda m: vk.relu(m, 0.1),
    "swiglu": lambda m: vk.swiglu(m, m),
    "glu": vk.glu,
    "prelu": lambda m: vk.prelu(m, 0.1),
    "add": lambda m: vk.add(m, m),
    "multiply_add": lambda m: vk.multiply_add(m, m, m),
    "clip": lambda m: vk.clip(m, 0, 1),
    "fused": lambda m: vk.fuse(lambda x, y: vk.gelu(x) * y)(m.data, m),
    "fused, several results": lambda m: vk.fuse(lambda x: (x, x + 1))(m)[1],
    "squared_error": lambda m: vk.squared_error(m, m),
    "sum": lambda m: vk.sum(m, axis=0),
    "max": lambda m: vk.max(m, axis=0),
}


@pytest.mark.parametrize("name", KEEPING)
def test_masks_are_kept(name: str, x: Any) -> None:
    m = np.ma.masked_array(x, mask=x > 0)
    m[:, 2] = np.ma.masked
    assert np.ma.getmaskarray(KEEPING[name](m))[..., 2].all()


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "bfloat16", "i4", "i2", "u1", "?", "c16"])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "any", "all"])
def test_reductions_of_dask_blocks(name: str, dtype: str, rng: np.random.Generator) -> None:
    """Unknown, empty and uneven blocks, and none: NumPy's result, dtype and error."""
    function = getattr(vk, name)
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    x = (20 * rng.normal(size=(7, 9, 5))).astype(kind)
    chosen = np.array([True, True, True, True, False, True, True])
    lazy = da.from_array(x, chunks=((0, 3, 0, 4), (5, 4), 5))
    flat, keep = da.from_array(x.ravel(), chunks=50), np.arange(x.size) > 60
    cases = [
        (lazy, x, (None, 0, (0, 2), -1)),
        (lazy[da.from_array(chosen, chunks=((0, 3, 0, 4),))], x[chosen], (None, 1, (0, 1))),
        (flat[da.from_array(keep, chunks=50)], x.ravel()[keep], (None,)),
        (da.from_array(x[0, 0, 0].reshape(())), x[0, 0, 0].reshape(()), (None,)),
    ]
    narrow = dtype in ("f2", "bfloat16")
    for operand, whole, axes in cases:
        for axis in axes:
            for keepdims in (False, True) if axis is None else (False,):
                expected = function(whole, axis=axis, keepdims=keepdims)
                result = computed(function(operand, axis=axis, keepdims=keepdims))
                assert result.dtype == expected.dtype
                assert result.shape == expected.shape
                np.testing.assert_allclose(
                    result.astype("c16"), expected.astype("c16"), rtol=1e-2 if narrow else 1e-6
                )
    nothing = flat[da.from_array(np.zeros(x.size, bool), chunks=50)]
    if name in ("max", "min"):
        with pytest.raises(ValueError, match="zero-size array"):
            computed(function(nothing))
    else:
        result = computed(function(nothing))
        assert np.isnan(result) if name == "mean" else result == (name == "all")


OUT = {
    **{op.name: (getattr(vk, op.name), 1) for op in OPS.values()},
    **{f"{op.name}_backward": (getattr(vk, f"{op.name}_backward"), 2) for op in OPS.values()},
    **{
        name: (getattr(vk, name), 2)
        for name in ("swiglu", "geglu", "reglu", "prelu", "squared_error", "huber", "add")
    },
}


@pytest.mark.parametrize("name", OUT)
def test_series_as_out(name: str) -> None:
    function, n = OUT[name]
    series = pandas.Series(np.linspace(-0.9, 0.9, 6), index=list("abcdef"))
    expected = function(*[series.to_numpy()] * n)
    function(*[series] * n, out=series)
    assert_array_equal(series.to_numpy(), expected)
    assert list(series.index) == list("abcdef")


@pytest.mark.parametrize("kind", ["even", "uneven", "rows unknown"])
def test_gradients_of_dask_blocks(kind: str, x: Any, rng: np.random.Generator) -> None:
    w, b, dy = rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=(4, 3))
    lazy, slope = dask_arrays(x)[kind], dask_arrays(dy)[kind].rechunk({1: -1})
    fused = vk.fuse(lambda x, w: vk.mish(x * w) + x)
    z = vk.dense(lazy, w, b)
    for made, expected in (
        ([vk.dense(lazy, w, b, "gelu")], [vk.dense(x, w, b, "gelu")]),
        (
            vk.dense_backward(slope, lazy, w, z, "gelu"),
            vk.dense_backward(dy, x, w, vk.dense(x, w, b), "gelu"),
        ),
        ([fused(lazy, w[:, 0])], [fused(x, w[:, 0])]),
        (fused.backward(lazy, lazy, w[:, 0]), fused.backward(x, x, w[:, 0])),
        (fused.backward(lazy, lazy, 2.0), fused.backward(x, x, 2.0)),
        (fused.backward(lazy, lazy, lazy), fused.backward(x, x, x)),
        (fused.value_and_grad(lazy, w[:, 0])[1], fused.value_and_grad(x, w[:, 0])[1]),
    ):
        for one, other in zip(made, expected, strict=True):
            np.testing.assert_allclose(computed(one), other, rtol=1e-12)


NJIT = {
    "gelu": 1, "gelu_backward": 2, "elu_value_and_grad": 1, "tanh_backward_from_output": 2,
    "relu": 1, "relu_backward": 2, "swiglu": 2, "swiglu_backward": 3, "geglu_backward": 3,
    "prelu": 2, "prelu_backward": 3,
}  # fmt: skip
"""One function of each kind that Numba compiles, with its number of operands."""


@pytest.mark.parametrize("name", NJIT)
def test_njit_takes_no_dimensions(name: str) -> None:
    numba = pytest.importorskip("numba")
    function, n = getattr(vk, name), NJIT[name]
    names = ", ".join("abc"[:n])
    scope = {"function": function}
    exec(f"def call({names}): return function({names})", scope)
    call = numba.njit(scope["call"])
    single = np.array(1.5)
    mixed = [(single,) * n, (1.5,) * n, (np.ones(2), *(single,) * (n - 1))]
    for operands in [*mixed, (np.ones((2, 0)),) * n, (*(single,) * (n - 1), 1.5)]:
        results, expected = call(*operands), function(*operands)
        if not isinstance(expected, tuple):
            results, expected = (results,), (expected,)
        for result, other in zip(results, expected, strict=True):
            np.testing.assert_allclose(result, other, rtol=1e-6)
            assert np.shape(result) == np.shape(other)
