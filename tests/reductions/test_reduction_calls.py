"""Calls of reductions: out, dtype, where and errors as NumPy has them, and what is no array."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from reduction_cases import NAMES, assert_same, reduction_of

import vekt as vk
from vekt import reference
from vekt.cli.compare.reduction_tasks import reduction_tasks
from vekt.cli.peers import PEERS


@pytest.fixture
def reduction(isa):
    return reduction_of(isa)


def outcome(function, *args, **options):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "mean of empty slice"
        try:
            return function(*args, **options)
        except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError) as error:
            return type(error)


AXES = st.one_of(st.none(), st.integers(-3, 3), st.lists(st.integers(-3, 3), max_size=3).map(tuple))
OUTS = st.one_of(st.none(), hnp.arrays(st.sampled_from(["f4", "f8", "i8", "?"]), (3, 2)))


@settings(deadline=None, max_examples=300)
@given(
    x=hnp.arrays(
        st.sampled_from(["f4", "f8", "i4", "u1", "c16", "?", ">f8", ">i2", "O", "m8[s]"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements=st.integers(0, 1),
    )
    | st.just([[1, 2], [3, 4]]),
    name=st.sampled_from(NAMES),
    axis=AXES,
    options=st.fixed_dictionaries(
        {},
        optional={
            "keepdims": st.booleans(),
            "dtype": st.sampled_from(["f4", "f8", "i8", "i4", "c16"]),
            "initial": st.sampled_from([0, 3, 2.5, 700, -1]),
            "where": st.sampled_from([True, False, [True, False], np.ones((2, 1), bool)]),
            "out": OUTS,
        },
    ),
)
def test_errors_and_types_like_numpy(x: Any, name: str, axis: Any, options: Any) -> None:
    both = [{**options}, {**options}]
    if options.get("out") is not None:
        both = [{**options, "out": options["out"].copy()} for _ in both]
    expected = outcome(getattr(np, name), x, axis, **both[0])
    result = outcome(getattr(vk, name), x, axis, **both[1])
    if isinstance(expected, type):
        assert isinstance(result, type), (result, expected)
        assert issubclass(result, expected) or issubclass(expected, result)
        return
    assert np.shape(result) == np.shape(expected)
    assert type(result) is type(expected)
    if hasattr(result, "dtype") and result.dtype != object:
        assert result.dtype == expected.dtype
    if name == "mean" and np.asarray(expected).dtype.kind == "f":
        np.testing.assert_allclose(result, expected, rtol=1e-6)
    else:
        assert_array_equal(result, expected)


def test_out(reduction, rng):
    x = rng.normal(size=(6, 5))
    out = np.zeros((5, 2))[:, 0]
    assert reduction("sum", x, 0, out=out) is out
    np.testing.assert_allclose(out, np.sum(x, 0))
    expected = vk.sum(x, 1, keepdims=True)
    assert_array_equal(vk.sum(x, 1, out=x[:, 2:3], keepdims=True), expected)
    assert_array_equal(x[:, 2:3], expected)
    frozen = np.zeros(5)
    frozen.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        vk.max(x, 0, out=frozen)


def test_dtype(reduction, rng):
    x = rng.normal(size=(70, 30)).astype("f4")
    assert_array_equal(reduction("sum", x, 0, dtype="f8"), np.sum(x, 0, "g").astype("f8"))
    large = np.full(9, 2**62, "i8")
    assert reduction("sum", large, dtype=float) == 9 * 2.0**62
    assert reduction("sum", large) == np.sum(large)
    assert reduction("sum", np.full(100, 2.0**15, "f2"), dtype="f4") == 100 * 2.0**15


def test_where(reduction, rng):
    x = rng.normal(size=(40, 30)).astype("f4")
    mask = x > 0
    for name, options in (("sum", {}), ("mean", {}), ("max", {"initial": -9}), ("any", {})):
        result = reduction(name, x, 0, where=mask, **options)
        assert_same(result, getattr(np, name)(x, 0, where=mask, **options), exact=False)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", "bfloat16"])
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_masked_sums_are_rounded_once(name, dtype, rng):
    """As sums without a mask: in double, in any byte order, whether or not there is an `out`."""
    dtype = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype
    x = rng.normal(0, 100, (9, 400)).astype(dtype)
    native = x.dtype.newbyteorder("=")
    mask = rng.random((9, 400)) < 0.9
    wide = getattr(np, name)(x.astype(np.longdouble), 1, where=mask)
    slack = 4e-15 * np.sum(np.abs(x.astype("f8")), 1, where=mask)
    function = getattr(vk, name)
    result = function(x, 1, where=mask)
    assert result.dtype == native
    unit = np.abs(np.spacing(result.astype(native))).astype("f8")
    assert (np.abs(result.astype(np.longdouble) - wide) <= unit / 2 + slack).all()
    out = np.zeros(9, native)
    assert function(x, 1, where=mask, out=out) is out
    assert_array_equal(out, result)
    if x.dtype.itemsize > 2:
        assert_array_equal(function(x, 1, where=mask, dtype=native), result)
    if name == "mean":
        assert function(x[0, 0], where=True) == x[0, 0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4"])
def test_results_go_to_the_other_byte_order(name, dtype, rng):
    x = (rng.normal(0, 100, (7, 900))).astype(dtype)
    function = getattr(vk, name)
    expected = function(x, 1)
    out = np.zeros(7, expected.dtype.newbyteorder())
    for operand in (x, x.astype(x.dtype.newbyteorder())):
        assert function(operand, 1, out=out) is out
        assert_array_equal(out, expected)


def test_whatever_is_an_array(rng):
    assert vk.sum([3, 4]) == 7
    assert vk.sum(2.5) == 2.5
    assert vk.max(np.ma.masked_array([3.0, 4.0], mask=[0, 1])) == 3

    class Special(np.ndarray):
        pass

    assert type(vk.sum(np.ones((2, 3)).view(Special), axis=0)) is Special
    pandas = pytest.importorskip("pandas")
    assert vk.max(pandas.Series([1.0, 5.0])) == 5
    dask = pytest.importorskip("dask.array")
    lazy = vk.mean(dask.ones((4, 6), chunks=2), axis=0)
    assert isinstance(lazy, dask.Array)
    assert_array_equal(lazy.compute(), 1)


def test_a_decided_result_stops_early(rng):
    x = np.zeros(3_000_000, bool)
    x[1] = True
    assert vk.any(x) == np.True_
    assert vk.all(~x) == np.False_
    assert vk.all(~x[5:]) == np.True_
    y = np.ones(3_000_000, "f4")
    y[40_000] = 0
    assert vk.all(y) == np.False_


def test_no_warnings_and_no_flags():
    with np.errstate(all="raise"):
        for name in NAMES:
            getattr(vk, name)(np.array([[1e308, 1e308, np.inf, np.nan, 5e-324]]), 1)
            getattr(vk, name)(np.full(4, 6e4, "f2"))


class TestBroadcasting:
    """Sums that undo it."""

    @pytest.mark.parametrize(
        "shape", [(), (1,), (4,), (3, 1), (1, 4), (2, 1, 4), (2, 3, 4), (1, 1, 1)]
    )
    def test_sum_to_shape(self, shape, rng):
        x = rng.integers(-9, 9, (2, 3, 4)).astype("f4")
        result = vk.sum_to_shape(x, shape)
        assert result.shape == shape
        operand = np.zeros(shape)
        for place in np.ndindex(*shape):
            operand[place] = 1
            assert np.sum(vk.broadcast_to(operand, x.shape) * x) == result[place]
            operand[place] = 0
        assert_array_equal(reference.sum_to_shape(x, shape), result)

    @pytest.mark.parametrize("shape", [(3,), (2, 2, 3, 4), (2, 3, 5), (0,)])
    def test_other_shapes(self, shape):
        for module in (vk, reference):
            with pytest.raises(ValueError, match="broadcast|more dimensions"):
                module.sum_to_shape(np.ones((2, 3, 4)), shape)

    def test_lazy(self):
        dask = pytest.importorskip("dask.array")
        lazy = vk.sum_to_shape(dask.ones((6, 4), chunks=2), (1, 4))
        assert isinstance(lazy, dask.Array)
        assert_array_equal(lazy.compute(), np.full((1, 4), 6.0))


def test_compared_with_numpy(rng):
    for task in reduction_tasks(NAMES, "uint8"):
        if task.elements <= 100_000:
            names = {"np": np, "vk": vk, **task.operands}
            assert_same(
                eval(task.statement, names), eval(PEERS["numpy"].statements[task.name], names)
            )


def test_reference(rng):
    x = rng.normal(size=(30, 20)).astype("f4")
    for name, axis in itertools.product(NAMES, (None, 0)):
        result = getattr(vk, name)(x, axis)
        assert_same(result, getattr(reference, name)(x, axis), exact=True)
    assert reference.sum(np.float16([300] * 300)).dtype == np.float16
    out = np.zeros(20, "f4")
    assert reference.mean(x, 0, out=out) is out
