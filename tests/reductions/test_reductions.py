"""Reductions: NumPy's values, types and errors on any layout; sums at least as accurate."""

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

import vekt as vk
from vekt import reductions, reference
from vekt._core import native as _native
from vekt.cli.compare.reduction_tasks import reduction_tasks
from vekt.cli.peers import PEERS

NAMES = ("sum", "mean", "max", "min", "argmax", "argmin", "any", "all")
FLOATS = ["float16", "float32", "float64"]
DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]
SHAPES = [(1,), (31,), (5000,), (40_001,), (7, 9), (300, 3), (3, 300), (9, 600), (600, 9)]
SHAPES += [(130, 33, 5), (5, 2000, 3), (2, 3, 4, 600), (30, 10, 2, 8), (4, 6, 90, 3), (4, 6, 300)]


def reduction_of(isa):
    reduce = _native.build("reduce", isa)

    def function(name, x, axis=None, keepdims=False, **options):
        return reductions.general_reduction(reduce, name, x, axis, keepdims=keepdims, **options)

    return function


@pytest.fixture
def reduction(isa):
    return reduction_of(isa)


def layouts(x):
    yield x
    yield np.asfortranarray(x)
    yield x[::-1]
    yield np.repeat(x, 2, axis=-1)[..., ::2]
    yield np.moveaxis(x, 0, -1)
    yield np.broadcast_to(x, (2, *x.shape))


def numbers(rng, shape, dtype):
    x = rng.integers(-200, 200, shape)
    if dtype == "?":
        return rng.random(shape) < rng.choice([0.001, 0.5, 0.999])
    return (x / 8).astype(dtype) if dtype[0] in "fc" else (x * (x & 1)).astype(dtype)


def true(name, x, axis=None, keepdims=False):
    """NumPy's answer, with sums of halves formed in double."""
    if x.dtype != "f2" or name not in ("sum", "mean"):
        return getattr(np, name)(x, axis=axis, keepdims=keepdims)
    return getattr(np, name)(x, axis=axis, keepdims=keepdims, dtype="f8").astype("f2")


def assert_same(result, expected, exact=True):
    assert type(result) is type(expected)
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    if exact:
        if not np.all(result == expected):  # which is the faster question
            assert_array_equal(result, expected)
    else:
        digits = 1e-3 if result.dtype == "f2" else 1e-6 if result.dtype.char in "fF" else 1e-14
        np.testing.assert_allclose(result, expected, rtol=digits, atol=digits)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_like_numpy(dtype, name, rng):
    functions = [reduction_of(isa) for isa in _native.SUPPORTED]  # NumPy's answer serves all
    for shape in SHAPES:
        for x in layouts(numbers(rng, shape, dtype)):
            axes = [None, *range(x.ndim), *itertools.combinations(range(x.ndim), 2)]
            for axis in axes:
                if name.startswith("arg") and isinstance(axis, tuple):
                    continue
                keepdims = bool(rng.integers(2))
                expected = true(name, x, axis, keepdims)
                for reduction in functions:
                    # Sums of multiples of 1/8 are exact.
                    assert_same(reduction(name, x, axis, keepdims), expected, name != "mean")


@pytest.mark.parametrize("name", NAMES)
def test_every_operation(reduction, name, rng):
    for dtype, shape in itertools.product(DTYPES, [(90, 70), (3000, 3), (40, 6, 50)]):
        x = numbers(rng, shape, dtype)
        for axis in range(x.ndim):
            assert_same(reduction(name, x, axis), true(name, x, axis), name != "mean")


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_whole_range_of_integers(reduction, dtype, rng):
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, (40, 900), dtype, endpoint=True)
    x[3, 5], x[7, 600] = info.min, info.max
    for name, axis in itertools.product(NAMES, (None, 0, 1)):
        result, expected = reduction(name, x, axis), getattr(np, name)(x, axis=axis)
        if name == "mean":
            np.testing.assert_allclose(result, expected, rtol=1e-15, atol=1e-15 * float(info.max))
        else:
            assert_same(result, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(100_003,), (400, 300), (3000, 10), (10, 3000), (20, 30, 40)])
def test_sums_are_no_less_accurate(reduction, dtype, shape, rng):
    x = rng.normal(size=shape).astype(dtype)
    for axis in (None, *range(x.ndim)):
        wide = np.sum(x.astype(np.longdouble), axis=axis)
        for name, true in (("sum", wide), ("mean", wide / (x.size / wide.size))):
            ours = np.abs(reduction(name, x, axis) - true)
            theirs = np.abs(getattr(np, name)(x, axis=axis) - true)
            half = np.spacing(np.abs(true).astype(dtype)).astype(float) * 0.5001
            if dtype == "float64":  # one result's error is a matter of luck
                few = np.size(ours) < 9
                assert np.linalg.norm(ours) <= (10 if few else 1.1) * np.linalg.norm(theirs + half)
            else:
                assert np.all(ours <= half)


def test_equal_numbers(reduction):
    for dtype, n in itertools.product(("f4", "f8"), (999, 16_384, 1_000_003)):
        x = np.full(n, 0.7, dtype)
        true = np.longdouble(x[0]) * n
        assert abs(reduction("sum", x) - true) <= 4 * np.spacing(x.dtype.type(true))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(3, 5), (5, 70), (70, 5), (3000, 3), (2, 20_000), (500, 300)])
def test_nan_and_infinity(reduction, dtype, shape, rng):
    for special in (np.nan, -np.nan, np.inf, -np.inf):
        x = rng.normal(size=shape).astype(dtype)
        x[tuple(rng.integers(shape))] = special
        x[tuple(rng.integers(shape))] = special
        for name, axis in itertools.product(NAMES, (None, 0, 1)):
            expected = np.asarray(getattr(np, name)(x, axis=axis), float)
            result = np.asarray(reduction(name, x, axis), float)
            assert_array_equal(np.isnan(result), np.isnan(expected))
            if name not in ("sum", "mean"):
                assert_array_equal(result, expected)
    zeros = np.zeros(shape, dtype)
    zeros[1, 1] = -0.0
    assert reduction("any", zeros) == np.False_
    assert_array_equal(reduction("argmax", zeros, 1), 0)
    assert_array_equal(reduction("argmin", -zeros, 0), 0)


def test_bfloat16(reduction, rng):
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x = rng.normal(size=(300, 40)).astype(bfloat16)
    wide = x.astype("f8")
    for name, axis in itertools.product(NAMES, (None, 0, 1)):
        result = reduction(name, x, axis)
        expected = getattr(np, name)(wide, axis=axis)
        if name in ("sum", "mean", "max", "min"):
            expected = expected.astype(bfloat16)
        assert_array_equal(result, expected)


def test_means_of_integers(reduction, rng):
    for dtype in ("i8", "u8"):
        x = rng.integers(2**61, 2**62, (50, 60), dtype)
        for axis in (None, 0, 1):
            expected = np.mean(x.astype(np.longdouble), axis=axis)
            np.testing.assert_allclose(reduction("mean", x, axis), expected.astype(float), 1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_first_of_equals(reduction, name, rng):
    if not name.startswith("arg"):
        x = np.zeros((1, 1))
        assert_same(reduction(name, x, 0), getattr(np, name)(x, axis=0))
        return
    for dtype, shape in itertools.product(
        ["f4", "f8", "f2", "i1", "u8"], [(70_000,), (20_000, 3), (9, 900)]
    ):
        x = rng.integers(0, 4, shape).astype(dtype)
        for y in (x, x.T, x[::-1]):
            for axis in (None, *range(x.ndim)):
                assert_same(reduction(name, y, axis), getattr(np, name)(y, axis=axis))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i2", "u4", "i8"])
def test_positions_among_columns(reduction, dtype, rng):
    """The last rows alone, parts of a column, several elements of a column side by side."""
    for shape in [(5, 130), (300, 70), (1000, 3), (2001, 2), (131, 1, 5), (40, 13)]:
        x = rng.integers(0, 9, shape).astype(dtype)
        x[-1] = 9
        if dtype[0] == "f":
            x[rng.random(shape) < 0.001] = np.nan
            x[:, -1] = -np.inf
        for name, axis in itertools.product(("argmax", "argmin"), range(x.ndim)):
            assert_same(reduction(name, x, axis), getattr(np, name)(x, axis=axis))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8"])
def test_long_double_works_afterwards(reduction, dtype, rng):
    """What MMX registers are used for, as gcc 12 does, makes the next long double NaN."""
    for name in NAMES:
        for axis in (0, 1):
            reduction(name, rng.integers(0, 99, (300, 70)).astype(dtype), axis)
    assert np.sum(np.ones(9, np.longdouble)) == 9


def test_same_bits_for_any_thread_count(rng, set_threads):
    arrays = [rng.normal(size=s) for s in ((1_100_000,), (400_000, 3), (1100, 1000), (3, 400_000))]
    arrays += [(40 * x).astype("i2") for x in arrays]
    results = []
    for threads in (1, 2, 5):
        set_threads(threads)
        results.append(
            [
                getattr(vk, name)(np.tile(x, 1), axis).tobytes()
                for x in arrays
                for axis in (None, *range(x.ndim))
                for name in ("sum", "argmax", "all")
            ]
        )
    assert results[0] == results[1] == results[2]


def test_instruction_sets_with_fma_agree(rng):
    x = rng.normal(size=(333, 77))
    sets = [_native.build("reduce", i) for i in _native.SUPPORTED if i in ("x86_v3", "x86_v4")]
    for dtype, axis in itertools.product(("f4", "f8"), (0, 1, None)):
        y = x.astype(dtype)
        results = [reductions.general_reduction(f, "sum", y, axis).tobytes() for f in sets]
        assert len(set(results)) <= 1


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
            assert_same(eval(task.statement, names), eval(PEERS["numpy"].rows[task.name], names))


def test_reference(rng):
    x = rng.normal(size=(30, 20)).astype("f4")
    for name, axis in itertools.product(NAMES, (None, 0)):
        result = getattr(vk, name)(x, axis)
        assert_same(result, getattr(reference, name)(x, axis), exact=True)
    assert reference.sum(np.float16([300] * 300)).dtype == np.float16
    out = np.zeros(20, "f4")
    assert reference.mean(x, 0, out=out) is out
