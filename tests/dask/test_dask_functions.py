"""Functions with several results, gradients of gates, cosines and cross entropies on Dask's arrays.

Even, uneven, empty and unknown blocks: lazy, with NumPy's numbers, shapes and dtypes.
"""

from __future__ import annotations

import pickle
from typing import Any

import dask
import dask.array as da
import numpy as np
import pandas
import pytest
import xarray
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import ufuncs
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS
from vekt._spec.losses import LOSSES

SHAPE = (5, 6, 4)
BLOCKS = ((1, 0, 4), (4, 2), 3)
ALONG = {"rows": 0, "columns": 2}


def lazily(kind: str, x: Any) -> Any:
    """Return an array in blocks; in one of two kinds their sizes are not known along an axis."""
    axis = ALONG.get(kind)
    lazy = da.from_array(x, chunks=BLOCKS[: x.ndim] if x.ndim > 1 else 3)
    if axis is None or x.ndim != len(SHAPE):
        return lazy
    everything = da.from_array(np.ones(x.shape[axis], bool), chunks=(lazy.chunks[axis],))
    return lazy[(slice(None),) * axis + (everything,)]


@pytest.fixture(params=["uneven", "rows", "columns"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def assert_same(lazy: Any, expected: Any, **tolerance: float) -> None:
    """Compare a lazy result, or several of one call, with those in memory."""
    several = isinstance(expected, tuple)
    given = lazy if several else (lazy,)
    wanted = expected if several else (expected,)
    assert all(isinstance(a, da.Array) for a in given)
    for a, values, want in zip(given, dask.compute(*given, scheduler="sync"), wanted, strict=True):
        assert a.dtype == values.dtype == np.asarray(want).dtype
        assert a.ndim == np.ndim(want)
        assert values.shape == np.shape(want)
        if tolerance:
            assert_allclose(values, want, **tolerance)
        else:
            assert_array_equal(values, want)


PUBLIC = [
    *(f"{op.name}_value_and_grad" for op in OPS.values()),
    *(f"{name}_backward" for name in GATE_OPS if name != "glu"),
    *(f"{loss.name}_value_and_grad" for loss in LOSSES.values()),
]
RAW = [name for name in ufuncs.__all__ if getattr(ufuncs, name).nout > 1]
OPERANDS = {"_value_and_grad": 1, "_backward": 3}


@pytest.mark.parametrize("name", PUBLIC)
def test_several_results(name: str, kind: str, rng: np.random.Generator) -> None:
    function = getattr(vk, name)
    of_loss = name.removesuffix("_value_and_grad") in LOSSES
    n = 2 if of_loss else next(n for end, n in OPERANDS.items() if name.endswith(end))
    for dtype in ("f8", "f4", "f2", "i2"):
        given = [rng.uniform(0.1, 3, SHAPE).astype(dtype) for _ in range(n)]
        lazy = [lazily(kind, x) for x in given]
        assert_same(function(*lazy), function(*given))
        if n > 1:  # beside arrays in memory, numbers, and arrays without dimensions
            assert_same(function(lazy[0], *[2.0] * (n - 1)), function(given[0], *[2.0] * (n - 1)))
            one = lazily(kind, given[0][:1, :1, :1].reshape(()))
            assert_same(function(*lazy[:-1], one), function(*given[:-1], given[0][0, 0, 0]))
        if n > 1 and kind == "uneven":
            assert_same(function(given[0], *lazy[1:]), function(*given))
            assert_same(function(lazy[0], *(x[0] for x in given[1:])), function(*_first(given)))


def _first(given: Any) -> Any:
    return given[0], *(x[0] for x in given[1:])


@pytest.mark.parametrize("name", RAW)
def test_raw_ufuncs_of_several_results(name: str, rng: np.random.Generator) -> None:
    function = getattr(ufuncs, name)
    assert isinstance(function, np.ufunc)
    assert pickle.loads(pickle.dumps(function)) is function
    given = [rng.uniform(0.1, 0.9, (3, 4)) for _ in range(function.nin)]
    lazy = [da.from_array(x, chunks=(2, 3)) for x in given]
    assert_same(function(*lazy), function(*given))
    assert_same(
        function(*lazy, dtype=np.float32),
        tuple(r.astype("f4") for r in function(*given)),
        rtol=1e-5,
    )
    with pytest.raises(TypeError, match=f"{name}: Dask arrays take neither out nor where"):
        function(*lazy, out=(None, np.empty((3, 4))))
    with pytest.raises(TypeError, match=f"{name}: {function.nin} operands expected, got 7"):
        function(*[lazy[0]] * 7)
    if function.nin > 1:
        with pytest.raises(ValueError, match="shape mismatch"):
            function(da.ones((3, 5), chunks=2), *lazy[1:])
    for wrong in (object(), "text", lazy[0].astype(complex)):
        with pytest.raises(TypeError):
            function(wrong, *lazy[1:])


def test_containers_of_several_results(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 3))
    for data in (x, da.from_array(x, chunks=2)):
        array = xarray.DataArray(data, dims=("a", "b"))
        for results in (vk.gelu_value_and_grad(array), vk.swiglu_backward(data, array, x)):
            assert all(type(result) is xarray.DataArray for result in results)
            assert all(type(result.data) is type(data) for result in results)
    frame = pandas.DataFrame(x)
    assert all(type(result) is pandas.DataFrame for result in vk.tanh_value_and_grad(frame))


MIDDLE: list[Any] = [((), None), (6, 1), ((6, 1), None), ((1, 6, 1), None)]
LONG: list[Any] = [(4, None), (4, -1), (5, 0), (SHAPE, None)]


@pytest.mark.parametrize("lazy_alpha", [False, True])
@pytest.mark.parametrize(("shape", "axis"), MIDDLE + LONG)
def test_prelu(shape: Any, axis: Any, lazy_alpha: bool, rng: np.random.Generator) -> None:
    x, dy, alpha = rng.normal(size=SHAPE), rng.normal(size=SHAPE), rng.uniform(size=shape)
    slopes = da.from_array(alpha, chunks=2) if lazy_alpha and shape else alpha
    for kind in ("uneven", *ALONG) if (shape, axis) in MIDDLE else ("uneven",):
        lazy, slope = lazily(kind, x), lazily(kind, dy)
        assert_same(vk.prelu(lazy, slopes, axis), vk.prelu(x, alpha, axis))
        expected = vk.prelu_backward(dy, x, alpha, axis)
        assert_same(vk.prelu_backward(slope, lazy, slopes, axis), expected, rtol=1e-12)
    with pytest.raises(TypeError, match="take no out"):
        vk.prelu_backward(slope, lazy, slopes, axis, out=(x, alpha))
    with pytest.raises(ValueError, match=r"shape mismatch|1-d"):
        vk.prelu_backward(slope, lazy, np.ones((5, 9, 1)), axis)


def test_glu_backward(kind: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=SHAPE)
    lazy = lazily(kind, x)
    for dtype in ("f8", "f4", "i4"):
        expected = vk.glu_backward(x[:, :3].astype(dtype), x.astype(dtype), 1)
        assert_same(
            vk.glu_backward(lazy[:, :3].astype(dtype), lazy.astype(dtype), axis=1), expected
        )
    assert_same(vk.glu_backward(2.0, lazy, 1), vk.glu_backward(2.0, x, 1))
    assert_same(vk.glu(lazy, 1), vk.glu(x, 1))
    for wrong in (lazy, lazy[None, :, :3], np.ones((1, 5, 3, 4))):
        with pytest.raises(ValueError, match="glu_backward: expected dy|shape mismatch"):
            vk.glu_backward(wrong, lazy, 1)
    with pytest.raises(TypeError, match="take no out"):
        vk.glu_backward(lazy[:, :3], lazy, 1, out=x)
    if kind == "columns":
        for call in (lambda: vk.glu(lazy), lambda: vk.glu_backward(1.0, lazy)):
            with pytest.raises(ValueError, match="axis 2 is of unknown length"):
                call()


@pytest.mark.parametrize("axis", [-1, 0, 1, (0, 2), None])
def test_cosine_similarity(axis: Any, kind: str, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=SHAPE), rng.normal(size=SHAPE)
    lazy = lazily(kind, x)
    for dtype in ("f8", "f4", "f2", "i4"):
        a, b = (10 * x).astype(dtype), (10 * y).astype(dtype)
        one, other = lazily(kind, a), lazily(kind, b)
        expected = vk.cosine_similarity(a, b, axis)
        assert_same(
            vk.cosine_similarity(one, other, axis), expected, rtol=4 * np.finfo(expected.dtype).eps
        )
    line = y[:1, :, :1]
    expected = vk.cosine_similarity(line, x, axis)
    assert_same(vk.cosine_similarity(line, lazy, axis), expected, rtol=1e-14)
    if kind == "uneven" or axis is None or (kind == "columns" and axis != 0 and axis != 1):
        expected = vk.cosine_similarity(x, y[0], axis)
        assert_same(vk.cosine_similarity(lazy, y[0], axis), expected, rtol=1e-14)
    with pytest.raises(np.exceptions.AxisError):
        vk.cosine_similarity(lazy, lazy, 3)
    with pytest.raises(TypeError, match="complex128 are not supported"):
        vk.cosine_similarity(lazy, 1j * y, axis)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"weight": True},
    {"label_smoothing": 0.1},
    {"weight": True, "label_smoothing": 0.2},
    {"ignore_index": True},
    {"ignore_index": True, "weight": True},
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", OPTIONS, ids="-".join)
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_cross_entropy(
    axis: int, options: dict[str, Any], reduction: str, kind: str, rng: np.random.Generator
) -> None:
    n, x = SHAPE[axis], rng.normal(size=SHAPE)
    classes = rng.integers(0, n, np.delete(SHAPE, axis))
    lazy = lazily(kind, x)
    for t in (classes, vk.softmax(x, axis)):
        given = dict(options, axis=axis, reduction=reduction)
        if "weight" in options:
            given["weight"] = rng.uniform(0.5, 1, n)
        if "ignore_index" in options:
            if t is not classes:
                continue
            given["ignore_index"] = int(classes.flat[0])
        labels = lazily(kind, t) if t.ndim == x.ndim else _labels(kind, t, axis % 3)
        expected = vk.softmax_cross_entropy_value_and_grad(x, t, **given)
        assert_same(
            vk.softmax_cross_entropy_value_and_grad(lazy, labels, **given), expected, atol=1e-14
        )
        assert_same(vk.softmax_cross_entropy(lazy, labels, **given), expected[0], atol=1e-14)
        if kind == "uneven":
            assert_same(vk.softmax_cross_entropy(lazy, t, **given), expected[0], atol=1e-14)
            assert_same(vk.softmax_cross_entropy(x, labels, **given), expected[0], atol=1e-14)
            narrow = vk.softmax_cross_entropy_value_and_grad(x.astype("f2"), t, **given)
            assert_same(
                vk.softmax_cross_entropy_value_and_grad(lazy.astype("f2"), labels, **given),
                narrow,
                atol=4e-3,
            )


def _labels(kind: str, classes: Any, axis: int) -> Any:
    """Return lazy labels in the blocks that logits have beside the axis of the classes."""
    spread = np.expand_dims(classes, axis)
    taken = tuple(0 if i == axis else slice(None) for i in range(3))
    blocks = tuple((1,) if i == axis else own for i, own in enumerate(BLOCKS))
    lazy = da.from_array(spread, chunks=blocks)
    along = ALONG.get(kind, axis)
    if along != axis:
        everything = da.from_array(np.ones(SHAPE[along], bool), chunks=(lazy.chunks[along],))
        lazy = lazy[(slice(None),) * along + (everything,)]
    return lazy[taken]


def test_softmax_cross_entropy_of_one_row(rng: np.random.Generator) -> None:
    x = rng.normal(size=7)
    expected = vk.softmax_cross_entropy_value_and_grad(x, 3)
    lazy = da.from_array(x, chunks=2)
    assert_same(vk.softmax_cross_entropy_value_and_grad(lazy, 3), expected, rtol=1e-14)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_bad_cross_entropies(reduction: str) -> None:
    lazy = da.ones((5, 3), chunks=2)
    labels = np.zeros(5, int)
    for wrong, error, words in (
        (labels[:2], ValueError, r"expected labels of shape \(5,\), or \(5, 3\)"),
        (labels[:, None, None], ValueError, "expected labels of shape"),
        (np.ones(5), TypeError, "labels must be integers"),
        (lazy.astype(complex), TypeError, "complex128"),
    ):
        with pytest.raises(error, match=words):
            vk.softmax_cross_entropy(lazy, wrong, reduction=reduction)
    wrong_options: list[tuple[dict[str, Any], str]] = [
        ({"label_smoothing": 2}, "label_smoothing must be"),
        ({"weight": np.ones(4)}, r"expected weight of shape \(3,\)"),
        ({"axis": 2}, "axis 2 is out of bounds"),
        ({"reduction": "median"}, "reduction must be one of"),
    ]
    for options, words in wrong_options:
        with pytest.raises(ValueError, match=words):
            vk.softmax_cross_entropy(lazy, labels, **{"reduction": reduction, **options})
    with pytest.raises(ValueError, match="label 9 .* is not a class"):
        vk.softmax_cross_entropy(lazy, labels + 9, reduction=reduction).compute(scheduler="sync")
    with pytest.raises(TypeError, match="take no out"):
        vk.softmax_cross_entropy_value_and_grad(lazy, labels, out=np.ones((5, 3)))


def test_means_without_a_row() -> None:
    lazy = da.ones((5, 3), chunks=2)
    mean = vk.softmax_cross_entropy(lazy, np.full(5, -1), ignore_index=-1)
    with pytest.raises(ValueError, match="none that counts, to average"):
        mean.compute(scheduler="sync")


def test_gradients_of_several_functions_in_other_processes() -> None:
    x = np.linspace(-1, 1, 12).reshape(4, 3)
    lazy = da.from_array(x, chunks=2)
    results = (
        *vk.leaky_relu_value_and_grad(lazy, 0.25),
        *vk.softmax_cross_entropy_value_and_grad(lazy, [0, 1, 2, 1]),
    )
    expected = (
        *vk.leaky_relu_value_and_grad(x, 0.25),
        *vk.softmax_cross_entropy_value_and_grad(x, [0, 1, 2, 1]),
    )
    computed = dask.compute(*results, scheduler="processes", num_workers=1)
    for values, want in zip(computed, expected, strict=True):
        assert_allclose(values, want, rtol=1e-14, atol=1e-16)
