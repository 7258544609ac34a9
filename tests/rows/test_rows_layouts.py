"""softmax and its kin on any memory: layouts, axes, masks, outputs, threads, errors."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core import native
from vekt._spec.row_functions import row_functions
from vekt._spec.rows import ROW_OPS

FS = {
    isa: row_functions(native.build("rows", isa), "vekt.rows")
    for isa in {native.SUPPORTED[0], native.SUPPORTED[-1]}
}
DTYPES = ("float32", "float64", "float16")


def bits(a):
    """Return the bits, of a NaN only that it is one: its sign says nothing."""
    a = np.where(np.isnan(a), np.array(np.nan, a.dtype), a)
    return np.ascontiguousarray(a).view(f"u{a.itemsize}")


@st.composite
def strided(draw, shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    """Array of this shape with any order of axes, steps, signs of steps and alignment."""
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([1, 1, 1, 2, -1, -3])) for _ in shape]
    large = [shape[i] * abs(steps[i]) for i in order]
    item = np.dtype(dtype).itemsize
    raw = np.zeros(int(np.prod(large, dtype=int)) * item + 8, np.uint8)
    start = draw(st.sampled_from([0, 0, 1, 4]))
    base = raw[start : start + raw.size - 8].view(dtype).reshape(large)
    array = base.transpose(np.argsort(order))[tuple(slice(None, None, s) for s in steps)]
    array[...] = np.random.default_rng(seed).standard_normal(shape)
    assert array.shape == shape
    return array


@st.composite
def cases(draw) -> tuple[Any, ...]:
    ndim = draw(st.integers(1, 4))
    long = draw(st.sampled_from([3, 20, 70, 300]))
    sizes = [long, *draw(st.permutations([1, 2, 5, 18]))]
    shape = tuple(draw(st.permutations(sizes[:ndim])))
    axis = draw(
        st.one_of(
            st.none(),
            st.integers(-ndim, ndim - 1),
            st.lists(st.integers(0, ndim - 1), unique=True, min_size=1).map(tuple),
        )
    )
    dtype = draw(st.sampled_from(DTYPES))
    return shape, axis, dtype, draw(st.integers(0, 99))


@settings(deadline=None, max_examples=60)
@given(st.data(), cases(), st.sampled_from(sorted(ROW_OPS)), st.sampled_from(sorted(FS)))
def test_same_bits_for_any_layout(data, case, name, isa):
    shape, axis, dtype, seed = case
    op, function = ROW_OPS[name], FS[isa][name]
    x = data.draw(strided(shape, dtype, seed))
    plain = np.array(x, order="C")
    expected = function(plain, axis)
    assert_array_equal(bits(function(x, axis)), bits(expected))
    assert_array_equal(bits(function(x.astype(x.dtype.newbyteorder()), axis)), bits(expected))
    if not op.reduces:
        out = data.draw(strided(shape, dtype, 0))
        assert function(x, axis, out=out) is out
        assert_array_equal(bits(out), bits(expected))
        dy = data.draw(strided(shape, dtype, seed + 1))
        gradient = FS[isa][op.public_names[1]]
        dx = gradient(np.array(dy, order="C"), np.array(expected, order="C"), axis)
        assert_array_equal(bits(gradient(dy, expected, axis, out=dy)), bits(dx))
    assert function(x, axis, out=x if not op.reduces else None) is not None
    if not op.reduces:
        assert_array_equal(bits(x), bits(expected))


@settings(deadline=None, max_examples=40)
@given(st.data(), cases(), st.sampled_from(sorted(ROW_OPS)))
def test_masks(data, case, name):
    """A mask is the same as elements that count as nothing."""
    shape, axis, dtype, seed = case
    mask_shape = tuple(data.draw(st.sampled_from([n, 1])) for n in shape)
    mask_shape = mask_shape[data.draw(st.integers(0, len(shape) - 1)) :]
    where = np.random.default_rng(seed).random(mask_shape) < 0.6
    function = getattr(vk, name)
    x = data.draw(strided(shape, dtype, seed))
    nothing = float(ROW_OPS[name].facts["lowest"])
    masked = np.where(where, x, np.dtype(dtype).type(nothing))
    expected = function(masked, axis)
    spoilt = np.where(np.broadcast_to(where, shape), x, np.nan).astype(dtype)
    assert_array_equal(bits(function(spoilt, axis, where=where)), bits(expected))
    if name == "logsumexp":
        dx = vk.logsumexp_backward(expected, spoilt, axis, where=where)
        assert_array_equal(bits(dx), bits(vk.logsumexp_backward(expected, masked, axis)))


def test_axis_tuples_are_one_long_row(rng):
    x = rng.standard_normal((3, 4, 5, 6)).astype("f4")
    rows = x.transpose(0, 2, 1, 3).reshape(15, 24)
    for name in ROW_OPS:
        function = getattr(vk, name)
        got = function(x, (1, 3))
        assert_array_equal(got, function(x, (-1, -3)))
        if name != "logsumexp":
            got = got.transpose(0, 2, 1, 3).reshape(15, 24)
        assert_array_equal(got.reshape(function(rows).shape), function(rows))
    kept = vk.logsumexp(x, (1, 3), keepdims=True)
    assert kept.shape == (3, 1, 5, 1)
    assert_array_equal(kept, vk.logsumexp(x, (1, 3))[:, None, :, None])
    assert vk.softmax(x, ()).shape == x.shape
    assert_array_equal(vk.softmax(x, ()), np.ones_like(x))
    assert vk.softmax(3.0, None) == 1
    assert vk.logsumexp(np.float32(3), None) == 3


def test_a_row_does_not_depend_on_its_neighbours(rng):
    for n in (5, 10, 100):
        x = rng.standard_normal((40, n)).astype("f4")
        x[3], x[7, 0], x[9] = -np.inf, np.inf, np.nan
        for name in ROW_OPS:
            whole = getattr(vk, name)(x)
            for i in range(40):
                assert_array_equal(bits(getattr(vk, name)(x[i])), bits(whole[i]))


@pytest.mark.parametrize("shape", [(3000, 10), (300, 1000), (2, 50_000), (10, 3000)])
def test_threads_give_the_same_bits(shape, rng, set_threads):
    x, dy = rng.standard_normal((2, 4, *shape)).astype("f4")
    for op in ROW_OPS.values():
        for axis in (-1, 0, 1, (0, 2)):
            set_threads(1)
            y = getattr(vk, op.name)(x, axis)
            gradient, operands = getattr(vk, op.public_names[1]), (y, x) if op.reduces else (dy, y)
            dx = gradient(*operands, axis)
            set_threads(3)
            assert_array_equal(bits(getattr(vk, op.name)(x, axis)), bits(y))
            assert_array_equal(bits(gradient(*operands, axis)), bits(dx))


def test_from_many_threads(rng):
    x = rng.standard_normal((500, 100))
    expected, results = vk.softmax(x), []
    callers = [
        threading.Thread(target=lambda: results.extend(vk.softmax(x) for _ in range(20)))
        for _ in range(4)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(results) == 80
    assert all((result == expected).all() for result in results)


@pytest.mark.parametrize("n", [10, 100])
def test_overlapping_operands(n, rng):
    """As if they did not overlap."""
    for name in ("softmax", "log_softmax", "sparsemax"):
        function = getattr(vk, name)
        memory = rng.standard_normal((50, n))
        for source, target in (
            (np.s_[1:], np.s_[:-1]),
            (np.s_[:-1], np.s_[1:]),
            (np.s_[:], np.s_[::-1]),
        ):
            m = memory.copy()
            expected = function(m[source].copy())
            function(m[source], out=m[target])
            assert_array_equal(m[target], expected)
    square = rng.standard_normal((n, n))
    expected = vk.softmax(square.copy())
    vk.softmax(square, out=square.T)
    assert_array_equal(square.T, expected)
    x = rng.standard_normal((n, n))
    expected = vk.logsumexp(x.copy())
    assert_array_equal(vk.logsumexp(x, out=x[:, 0]), expected)
    y, dy = vk.softmax(rng.standard_normal((n, n))), rng.standard_normal((n, n))
    expected = vk.softmax_backward(dy, y)
    assert_array_equal(vk.softmax_backward(dy, y, out=y), expected)


def test_outputs(rng):
    x = rng.standard_normal((6, 7)).astype("f4")
    expected = vk.softmax(x)
    wider = np.empty((6, 7))
    assert vk.softmax(x, out=wider) is wider
    assert_array_equal(wider, expected)
    swapped = np.empty((6, 7), ">f4")
    assert_array_equal(vk.softmax(x, out=(swapped,)), expected)
    fortran = vk.softmax(np.asfortranarray(x))
    assert fortran.flags.f_contiguous
    assert_array_equal(fortran, expected)
    total = np.empty(6, "f4")
    assert vk.logsumexp(x, out=total) is total
    zero = np.empty((), "f4")
    assert vk.logsumexp(x, None, out=zero) is zero


def test_broadcast_operands(rng):
    x = np.broadcast_to(rng.standard_normal(30), (20, 30))
    for axis in (0, 1):
        assert_array_equal(vk.softmax(x, axis), vk.softmax(x.copy(), axis))
    y = vk.softmax(x.copy())
    assert_array_equal(vk.softmax_backward(1.0, y), vk.softmax_backward(np.ones_like(y), y))
    dy = rng.standard_normal(30)
    wide = np.broadcast_to(dy, y.shape).copy()
    assert_array_equal(vk.softmax_backward(dy, y), vk.softmax_backward(wide, y))


def test_dask_arrays_stay_lazy(rng):
    array = pytest.importorskip("dask.array")
    x = rng.standard_normal((20, 30)).astype("f4")
    lazy = array.from_array(x, chunks=(7, 8))
    for name in ROW_OPS:
        for axis in (-1, 0, (0, 1)):
            y = getattr(vk, name)(lazy, axis)
            assert isinstance(y, array.Array)
            expected = getattr(vk, name)(x, axis)
            assert y.dtype == expected.dtype
            assert y.shape == expected.shape
            assert_array_equal(y.compute(scheduler="synchronous"), expected)
    assert vk.logsumexp(lazy, keepdims=True).shape == (20, 1)
    mask, dy = x > 0, x * x
    assert_array_equal(vk.softmax(lazy, where=mask), vk.softmax(x, where=mask))
    assert_array_equal(vk.softmax_backward(lazy, dy), vk.softmax_backward(x, dy))
    with pytest.raises(TypeError, match="out is for NumPy arrays alone"):
        vk.softmax(lazy, out=np.empty_like(x))


BAD = [
    ("softmax", (np.ones(3), 1), {}, np.exceptions.AxisError, "axis 1 is out of bounds"),
    ("softmax", (3.0,), {}, np.exceptions.AxisError, "out of bounds"),
    ("softmax", (np.ones((2, 2)), (0, -2)), {}, ValueError, "duplicate value"),
    ("softmax", (np.ones(3), 1.5), {}, TypeError, "float"),
    ("softmax", (np.ones(3, "D"),), {}, TypeError, "x has dtype complex128"),
    ("softmax", (np.ones(3, object),), {}, TypeError, "x has dtype object"),
    ("softmax", (np.ones(3, "g"),), {}, TypeError, "x has dtype"),
    ("softmax", (["a"],), {}, TypeError, "x has dtype <U1"),
    ("softmax", (np.ones(3),), {"dtype": "i4"}, TypeError, "dtype must be a float dtype"),
    ("softmax", (np.ones(3),), {"where": np.ones(3)}, TypeError, "Cannot cast"),
    ("softmax", (np.ones(3),), {"where": np.ones(2, bool)}, ValueError, "where of shape"),
    ("softmax", (np.ones(3),), {"where": np.ones((2, 3), bool)}, ValueError, "where of shape"),
    ("softmax", (np.ones(3),), {"out": np.ones(4)}, ValueError, "out of shape"),
    ("softmax", (np.ones(3),), {"out": np.ones((1, 3))}, ValueError, "out of shape"),
    ("softmax", (np.ones(3),), {"out": np.ones(3, "i8")}, TypeError, "cannot be cast"),
    ("softmax", (np.ones(3),), {"out": np.broadcast_to(1.0, 3)}, ValueError, "read-only"),
    ("softmax", (np.ones(3),), {"out": [1.0] * 3}, TypeError, "out must be an array"),
    ("logsumexp", (np.ones((2, 3)),), {"out": np.ones((2, 3))}, ValueError, "out of shape"),
    ("logsumexp", (np.ones((2, 3)),), {"out": np.ones((2, 1))}, ValueError, "out of shape"),
    ("softmax_backward", (np.ones(3), np.ones(2)), {}, ValueError, "dy of shape"),
    ("softmax_backward", (np.ones((2, 3)), np.ones(3)), {}, ValueError, "dy of shape"),
    ("softmax_backward", (np.ones(3), np.ones(3, "D")), {}, TypeError, "y has dtype complex"),
    ("logsumexp_backward", (np.ones(3), np.ones((2, 3))), {}, ValueError, "dy of shape"),
]


@pytest.mark.parametrize(("name", "args", "options", "error", "message"), BAD)
def test_bad_input(name, args, options, error, message):
    before = np.array(options.get("out", 0))
    with pytest.raises(error, match=message):
        getattr(vk, name)(*args, **options)
    assert_array_equal(before, np.array(options.get("out", 0)))


def test_other_arrays_are_not_silently_converted():
    class Elsewhere:
        def __array_function__(self, *args):
            raise AssertionError

    with pytest.raises(TypeError, match="own array functions"):
        vk.softmax(Elsewhere())
