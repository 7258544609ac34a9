"""The cross entropy of softmax: errors, options, layouts, limits, errors of use."""

from __future__ import annotations

import inspect

import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from peer_statements import INSTALLED, execute

import vekt as vk
from vekt import reference
from vekt._core import native as _native
from vekt.cli.compare.loss_tasks import softmax_tasks
from vekt.reference import ulp_error

loss_of, both_of = vk.softmax_cross_entropy, vk.softmax_cross_entropy_value_and_grad
OPTIONS = {
    "none": {},
    "smoothing": {"label_smoothing": 0.1},
    "ignored": {"ignore_index": 0},
    "weight": {"weight": True},
    "all": {"weight": True, "label_smoothing": 0.2, "ignore_index": 0},
    "sum": {"reduction": "sum"},
}


def rows(shape, dtype="float64", scale=6.0):
    rng = np.random.default_rng(5)
    x = rng.normal(0, scale, shape).astype(dtype)
    labels = rng.integers(0, shape[-1], shape[:-1])
    if labels.size:
        labels.flat[0] = shape[-1] - 1  # ignore_index leaves a row
    return x, labels


def filled(options, n):
    weight = {"weight": np.linspace(0.5, 2, n)} if "weight" in options else {}
    return {**options, **weight}


@pytest.mark.parametrize("shape", [(37, 10), (5, 64), (6, 65), (3, 700), (16, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors(shape, dtype, isa):
    """Of the kernel: each loss within 2 ULP, each slope within 4, however certain the row is."""
    x, labels = rows(shape, dtype, 12.0)
    kernel = _native.build("cross_entropy", isa)
    loss, dx = np.empty(shape[:-1], dtype), np.empty(shape, dtype)
    kernel(x, labels, np.ones(shape[:-1]), 1.0, 0.0, loss, dx, False)
    wide = np.float64 if dtype == "float32" else np.longdouble
    options = {"reduction": "none"}
    true, slope = reference.softmax_cross_entropy_value_and_grad(
        x.astype(wide if dtype == "float32" else dtype), labels, **options
    )
    assert ulp_error(loss, true.astype(wide)).max() <= 2.5
    assert ulp_error(dx, slope.astype(wide)).max() <= 4.5


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("shape", [(23, 10), (4, 3, 70)])
def test_options(options, shape):
    x, labels = rows(shape)
    options = filled(options, shape[-1])
    loss, dx = both_of(x, labels, **options)
    true, slope = reference.softmax_cross_entropy_value_and_grad(x, labels, **options)
    assert_allclose(loss, true, 1e-14)
    assert_allclose(dx, slope, 1e-11, 1e-16)
    assert loss_of(x, labels, **options) == loss
    step = np.random.default_rng(1).normal(size=shape)
    up, down = (loss_of(x + sign * 1e-5 * step, labels, **options) for sign in (1, -1))
    assert_allclose((up - down) / 2e-5, (dx * step).sum(), 1e-7)


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2, "weight": True}])
@pytest.mark.parametrize("n", [7, 100])
def test_probabilities(options, n):
    x, labels = rows((9, n))
    options = filled(options, n)
    one_hot = np.eye(n)[labels]
    if not options:
        for got, expected in zip(both_of(x, one_hot), both_of(x, labels), strict=True):
            assert_allclose(got, expected, 1e-13, 1e-16)
        assert loss_of(x, one_hot.astype(int)) == loss_of(x, one_hot)
    t = np.random.default_rng(2).random((9, n))
    got = both_of(x, t, **options)
    expected = reference.softmax_cross_entropy_value_and_grad(x, t, **options)
    assert_allclose(got[0], expected[0], 1e-13)
    assert_allclose(got[1], expected[1], 1e-12, 1e-13)


@pytest.mark.parametrize("options", [{}, {"weight": True, "label_smoothing": 0.1}])
def test_torch(options):
    torch = pytest.importorskip("torch")
    x, labels = rows((40, 9), "float32")
    options = filled(options, 9)
    theirs = dict(options)
    if options:
        theirs["weight"] = torch.tensor(options["weight"], dtype=torch.float32)
    X = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(X, torch.tensor(labels), **theirs)
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(
            torch.nn.functional.cross_entropy(X, torch.tensor(labels), **theirs), X
        )
    loss, dx = both_of(x, labels, **options)
    assert_allclose(loss, expected.item(), 2e-6)
    assert_allclose(dx, slope.numpy(), 1e-4, 1e-8)


@given(data=st.data(), n=st.sampled_from([1, 3, 17, 64, 66, 130]), axis=st.sampled_from([0, 1, -1]))
def test_layouts(data, n, axis):
    """The bits do not depend on the layout, the dtype's byte order, or where the result goes."""
    dtype = data.draw(st.sampled_from(["<f4", ">f4", "<f8", "<f2"]))
    x, labels = rows((data.draw(st.integers(1, 40)), n), dtype)
    native = x.astype(x.dtype.newbyteorder("="))
    expected = both_of(native, labels, reduction="sum")
    room = np.zeros((x.shape[0] * 2, n * 3), dtype)
    view = room[::2, ::-3]
    view[...] = x
    turned = view if axis else view.T
    got = both_of(turned, labels.astype("i2"), axis=axis, reduction="sum")
    assert_array_equal(got[0], expected[0])
    assert_array_equal(got[1] if axis else got[1].T, expected[1])
    loss, dx = both_of(native, labels, reduction="sum", out=native)
    assert dx is native
    assert_array_equal(dx, expected[1])
    assert loss == expected[0]


def test_out_over_the_targets_and_shifted():
    x, _ = rows((6, 5))
    t = np.random.default_rng(2).random((6, 5))
    expected = both_of(x, t)[1]
    assert_array_equal(both_of(x, t.copy(), out=(copy := t.copy()))[1], expected)
    assert both_of(x, copy, out=copy)[1] is copy
    memory = np.empty((7, 5))
    memory[:6] = x
    assert_array_equal(both_of(memory[:6], t, out=memory[1:])[1], expected)


def test_threads(set_threads):
    x, labels = rows((30_000, 10), "float32")
    results = []
    for threads in (1, 2):
        set_threads(threads)
        results.append(both_of(x, labels))
    assert results[0][0] == results[1][0]
    assert_array_equal(results[0][1], results[1][1])


def test_limits():
    inf, nan = np.inf, np.nan
    x = np.array([[0, 800], [0, 40], [inf, 1], [1, -inf], [nan, 1], [-inf, -inf]])
    loss, dx = both_of(x, [1, 1, 0, 1, 0, 0], reduction="none")
    assert_allclose(loss[:2], [0, np.exp(-40.0)], 1e-15)
    assert_array_equal(loss[2:], [0, inf, nan, inf])
    assert_allclose(dx[1], np.array([1, -1]) * np.exp(-40.0), 1e-15)
    assert_array_equal(dx[2], [0, 0])
    assert np.isnan(dx[4]).all()
    ignored = both_of(np.array([[nan, 1], [0.0, 0]]), [-100, 0], ignore_index=-100)
    assert_allclose(ignored[0], np.log(2))
    assert_array_equal(ignored[1], [[0, 0], [-0.5, 0.5]])
    assert loss_of(np.array([0.0, 0.0]), 1) == np.log(2)
    assert loss_of([[1, 2]], [0]).dtype == "f8"
    assert loss_of(np.ones((0, 3)), np.ones(0, int), reduction="sum") == 0


@pytest.mark.parametrize("module", [vk, reference])
def test_errors_of_use(module):
    x, labels = rows((4, 3))
    out = np.full((4, 3), 7.0)

    def refused(error, match, *args, **options):
        for name in ("softmax_cross_entropy", "softmax_cross_entropy_value_and_grad"):
            with pytest.raises(error, match=match):
                getattr(module, name)(*args, **options)

    refused(ValueError, "not a class: expected 0 to 2", x, [0, 1, 3, 0])
    refused(ValueError, "not a class", x, [0, 1, -1, 0])
    refused(ValueError, "not a class", x, [0, 1, -1, 0], ignore_index=-2)
    refused(ValueError, "not a class", x, np.array([0, 1, 2**63, 0], "u8"))
    refused(ValueError, "not a class", x, [0, 1, 9, 0], weight=[1, 1, 1])
    refused(TypeError, "labels must be integers, not float64", x, [0.0, 1, 2, 0])
    refused(ValueError, r"labels of shape \(4,\), or \(4, 3\).*got \(3,\)", x, [0, 1, 2])
    refused(ValueError, r"got \(4, 2\)", x, np.ones((4, 2)))
    refused(ValueError, "no classes", np.ones((4, 0)), labels)
    refused(ValueError, "label_smoothing must be in", x, labels, label_smoothing=1.5)
    refused(ValueError, r"weight of shape \(3,\), got \(2,\)", x, labels, weight=[1, 2])
    refused(ValueError, "reduction must be one of", x, labels, reduction="average")
    refused(ValueError, "no row", x, [1, 1, 1, 1], ignore_index=1)
    refused(ValueError, "no row", np.ones((0, 3)), np.ones(0, int))
    refused(ValueError, "ignore_index is for labels", x, np.ones((4, 3)), ignore_index=1)
    refused(TypeError, "complex", x.astype(complex), labels)
    if module is reference:
        refused(TypeError, "own array functions", dask.array.ones((4, 3)), labels)
    refused(np.exceptions.AxisError, "axis 2", x, labels, axis=2)
    both = module.softmax_cross_entropy_value_and_grad
    for wrong in (np.empty((4, 4)), np.empty((4, 3), "f4")):
        with pytest.raises(ValueError, match="out: expected"):
            both(x, labels, out=wrong)
    with pytest.raises(ValueError, match="not a class"):
        both(x, [0, 0, 0, 3], out=out)
    assert_array_equal(out, 7)


def test_signatures_agree():
    for name in ("softmax_cross_entropy", "softmax_cross_entropy_value_and_grad"):
        ours, theirs = (inspect.signature(getattr(m, name)) for m in (vk, reference))
        assert list(ours.parameters) == list(theirs.parameters)


@pytest.mark.parametrize("peer", [p for p in INSTALLED if p in ("numpy", "torch", "jax")])
def test_statements_of_peers(peer):
    for task in softmax_tasks([(12, 5)], "float64"):
        _, names = execute(peer, task.name, task.operands)
        loss, dx = both_of(task.operands["x"], task.operands["labels"])
        assert_allclose(np.asarray(names["loss"]), loss, 1e-12)
        if task.name.endswith("grad"):
            got = names["slope"] if peer != "numpy" else task.operands["out"]
            assert_allclose(np.asarray(got), dx, 1e-9, 1e-15)
