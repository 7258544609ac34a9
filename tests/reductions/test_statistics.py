"""Variances, moments, products, counts, and what skips NaN: NumPy's answers, at least as exact."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reduction_cases import assert_same, layouts, numbers

import vekt as vk
from vekt import reductions, reference
from vekt._core import native
from vekt._spec.statistics import STATISTICS
from vekt.reductions._statistics import statistic

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]
SHAPES = [(1,), (31,), (5000,), (7, 9), (300, 3), (3, 300), (9, 600), (5, 2000, 3), (4, 6, 90, 3)]
SQUARES = ("var", "std", "moments", "nanvar", "nanstd")


def statistics_of(isa: Any) -> Any:
    reduce = native.build("reduce", isa)

    def function(name: str, x: Any, **options: Any) -> Any:
        return statistic(reductions.general_reduction, reduce, name, x, **options)

    return function


@pytest.fixture
def function(isa: Any) -> Any:
    return statistics_of(isa)


def by_numpy(name: str, x: Any, **options: Any) -> Any:
    """NumPy's answer without its warnings; `moments` as two calls."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "moments":
            both = {k: v for k, v in options.items() if k not in ("ddof", "correction")}
            return np.mean(x, **both), np.var(x, **options)
        return getattr(np, name)(x, **options)


def true(name: str, x: Any, **options: Any) -> Any:
    """Return the same, formed in a longer dtype and rounded to NumPy's."""
    results = by_numpy(name, x, **options)
    if x.dtype.kind not in "fc" and name not in (*SQUARES, "nanmean"):
        return results
    if x.dtype.kind == "c" and name[:3] == "nan":  # NumPy's own
        return results
    narrow = x.astype("f8") if x.dtype.kind in "biu" else x
    wide = by_numpy(name, narrow.astype(np.result_type(narrow, np.longdouble)), **options)
    with np.errstate(over="ignore"):
        if name == "moments":
            return tuple(w.astype(r.dtype) for w, r in zip(wide, results, strict=True))
        return np.asarray(wide).astype(np.asarray(results).dtype)[()]


def assert_near(result: Any, expected: Any) -> None:
    pairs = (
        zip(result, expected, strict=True) if isinstance(result, tuple) else [(result, expected)]
    )
    for one, other in pairs:
        assert_same(one, other, np.asarray(one).dtype.kind not in "fc")


def with_nan(x: Any, rng: np.random.Generator) -> Any:
    if x.dtype.kind == "f":
        x[rng.random(x.shape) < 0.3] = np.nan
    return x


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_like_numpy(dtype: str, name: str, rng: np.random.Generator) -> None:
    functions = [statistics_of(isa) for isa in native.SUPPORTED]
    for shape in SHAPES:
        x = numbers(rng, shape, dtype)
        if name == "prod":
            few = rng.random(shape) < 9 / x.size
            x = np.where(few, 2, rng.choice([1, -1], shape)).astype(dtype)
        for y in layouts(with_nan(x, rng) if name[:3] == "nan" else x):
            axes = [None, *range(y.ndim), *itertools.combinations(range(y.ndim), 2)]
            axis = axes[rng.integers(len(axes))]
            options: dict[str, Any] = {"axis": axis, "keepdims": bool(rng.integers(2))}
            expected = true(name, y, **options)
            for function in functions:
                assert_near(function(name, y, **options), expected)


@pytest.mark.parametrize("name", STATISTICS)
def test_signatures_are_numpys(name: str, rng: np.random.Generator) -> None:
    """Each keyword alone and with the others, masks, outputs, and the reference."""
    x = with_nan(rng.normal(2, 1, (5, 8)), rng) if name[:3] == "nan" else rng.normal(2, 1, (5, 8))
    given = {
        "dtype": ("f4", "f8"),
        "ddof": (1, 0.5),
        "correction": (2,),
        "initial": (3.0,),
        "where": (rng.random((5, 8)) < 0.8, [True, False] * 4),
    }
    spec = STATISTICS[name].signature().parameters
    for dtype in ("f4", "f8", "i4"):
        y = np.nan_to_num(x).astype(dtype) if dtype == "i4" else x.astype(dtype)
        for key in given.keys() & spec.keys():
            for value in given[key]:
                if key == "dtype" and dtype == "i4" and name in ("prod", "nansum"):
                    continue  # of integers
                options = {"axis": 1, key: value}
                if key == "where" and "initial" in spec:
                    options["initial"] = 2
                expected = by_numpy(name, y, **options)
                result = getattr(vk, name)(y, **options)
                for module in (vk, reference):
                    result = getattr(module, name)(y, **options)
                    pairs = zip(np.atleast_2d(result), np.atleast_2d(expected), strict=True)
                    for one, other in pairs:
                        assert one.dtype == other.dtype
                        assert_allclose(one, other, rtol=2e-6, atol=1e-6)
    if "out" in spec:
        out = np.zeros((2, 5), np.asarray(by_numpy(name, x, axis=1)).dtype)[::-1][0]
        assert getattr(vk, name)(x, axis=1, out=out) is out
        assert_allclose(out, by_numpy(name, x, axis=1), rtol=1e-12)
        square = x[:, :5].copy()
        expected = getattr(vk, name)(square, axis=0)
        if expected.dtype == square.dtype:  # overlapping
            getattr(vk, name)(square, axis=0, out=square[1])
            assert_array_equal(square[1], expected)
    if "correction" in spec:
        with pytest.raises(ValueError, match="simultaneously"):
            getattr(vk, name)(x, ddof=1, correction=1)


def outcome(call: Any, *args: Any, **options: Any) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(*args, **options)
        except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError) as error:
            return type(error)


@settings(deadline=None, max_examples=300)
@given(
    x=hnp.arrays(
        st.sampled_from(["f2", "f4", "f8", "i4", "u1", "c16", "?", ">f8", "O", "g", "m8[s]"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements=st.integers(0, 1),
    )
    | st.just([[1, 2], [3, 4]]),
    name=st.sampled_from([name for name in STATISTICS if name != "moments"]),
    axis=st.one_of(
        st.none(), st.integers(-3, 3), st.lists(st.integers(-3, 3), max_size=3).map(tuple)
    ),
    options=st.fixed_dictionaries(
        {},
        optional={
            "keepdims": st.booleans(),
            "dtype": st.sampled_from(["f4", "f8", "i8", "c16"]),
            "initial": st.sampled_from([0, 3, 2.5]),
            "ddof": st.sampled_from([0, 1, 3, 2.5]),
            "where": st.sampled_from([True, [True, False], np.ones((2, 1), bool)]),
            "out": st.one_of(
                st.none(), hnp.arrays(st.sampled_from(["f4", "f8", "i8", "?"]), (3, 2))
            ),
        },
    ),
)
def test_errors_and_types_are_numpys(x: Any, name: str, axis: Any, options: Any) -> None:
    both = [{**options}, {**options}]
    if options.get("out") is not None:
        both = [{**options, "out": options["out"].copy()} for _ in both]
    expected = outcome(getattr(np, name), x, axis=axis, **both[0])
    result = outcome(getattr(vk, name), x, axis=axis, **both[1])
    if isinstance(expected, type):
        assert isinstance(result, type), (result, expected)
        assert issubclass(result, expected) or issubclass(expected, result)
        return
    assert not isinstance(result, type), (result, expected)
    assert np.shape(result) == np.shape(expected)
    assert type(result) is type(expected)
    if hasattr(result, "dtype") and result.dtype != object:
        assert result.dtype == expected.dtype
        if result.dtype.kind in "fc":
            assert_allclose(result, expected, rtol=1e-3, atol=1e-6)
            return
    assert_array_equal(result, expected)


# ---- how exact ----


def hard_lines(rng: np.random.Generator, dtype: str) -> Any:
    """Large means, drift, one element far away wherever it is, equal numbers, a wide range."""
    n = 20_011
    x = rng.normal(size=n)
    yield x * 1e-3 + 1e4
    yield x + np.linspace(0, 1e6, n)
    for at in (0, 1, 4096, n - 1):
        yield np.where(np.arange(n) == at, 1e7, x)
    yield np.full(n, 0.7)
    yield np.exp(10 * x)
    yield np.where(np.arange(n) < n // 2, -1e5, 1e5) + x
    if dtype == "f8":
        yield x * 1e-2 + 1e10


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_variances_are_no_less_accurate(
    function: Any, dtype: str, rng: np.random.Generator
) -> None:
    """Beside NumPy's two passes, along lines and across; float32 is as if rounded once."""
    for x in hard_lines(rng, dtype):
        x = x.astype(dtype)
        exact = np.var(x.astype(np.longdouble))
        mean = np.mean(x.astype(np.longdouble))
        unit = np.spacing(dtype_of(dtype, exact))
        for y, axis in ((x, None), (np.stack([x] * 3, 1), 0), (x.reshape(1, -1, 1), 1)):
            got_mean, variance = function("moments", y, axis=axis)
            error = np.max(np.abs(np.asarray(variance) - exact))
            theirs = np.max(np.abs(np.var(y, axis=axis).astype(np.longdouble) - exact))
            assert error <= (0.51 * unit if dtype == "f4" else max(theirs, 4 * unit))
            slack = 4 * np.finfo(dtype).eps * np.mean(np.abs(x.astype("f8")))
            assert np.all(np.abs(got_mean - mean) <= slack)
    assert function("var", np.full(4097, 0.7, dtype)) == 0


def dtype_of(dtype: str, value: Any) -> Any:
    return np.dtype(dtype).type(value)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_variances_of_the_whole_range_of_integers(
    function: Any, dtype: str, rng: np.random.Generator
) -> None:
    info = np.iinfo(dtype)
    x = rng.integers(info.min, info.max, (40, 900), dtype, endpoint=True)
    x[3, 5], x[7, 600] = info.min, info.max
    for axis in (None, 0, 1):
        expected = np.var(x.astype(np.longdouble), axis=axis).astype("f8")
        assert_allclose(function("var", x, axis=axis), expected, rtol=1e-15)
    assert function("prod", x[0] | 1) == np.prod(x[0] | 1)
    assert_array_equal(function("count_nonzero", x, axis=0), np.count_nonzero(x, axis=0))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_products_do_not_leave_the_range_on_the_way(function: Any, dtype: str) -> None:
    """In blocks and columns, however large and small factors lie; NumPy's often do."""
    large = {"f4": 1e30, "f8": 1e200}[dtype]
    for n in (2, 40, 64, 1000, 40_000):
        pairs = np.full(n, large, dtype)
        pairs[n // 2 :] = np.dtype(dtype).type(1) / pairs[0]
        mixed = pairs.copy()
        mixed[::2], mixed[1::2] = pairs[0], pairs[-1]
        for x in (pairs, mixed, mixed[::-1]):
            expected = float(np.longdouble(x[0]) * np.longdouble(x[-1])) ** (n // 2)
            for y, axis in ((x, None), (np.stack([x] * 3, 1), 0), (np.stack([x] * 40, 1), 0)):
                assert_allclose(function("prod", y, axis=axis), expected, rtol=1e-2)
            assert function("prod", np.append(x, x.dtype.type(-0.0))) == 0
            assert np.isnan(function("prod", np.append(x, [0, np.inf]).astype(dtype)))
            assert function("prod", np.append(x, -np.inf).astype(dtype)) == -np.inf
        assert function("prod", np.full(n, large, dtype)) == np.inf
    assert function("prod", np.array([5e-324, 0.5, 2.0, 4.0])) == 5e-324 * 4


# ---- special numbers, and the order ----


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(3, 5), (5, 70), (70, 5), (3000, 3), (2, 9000)])
def test_nan_and_infinity(function: Any, dtype: str, shape: Any, rng: np.random.Generator) -> None:
    for special in ((np.nan,), (np.inf,), (-np.inf,), (np.inf, -np.inf), (np.nan, np.inf)):
        x = rng.normal(1, 0.1, shape).astype(dtype)
        for value in special:
            x[tuple(rng.integers(shape))] = value
        x[1] = np.nan if np.nan in special else x[1]
        for name, axis in itertools.product(STATISTICS, (None, 0, 1)):
            result, expected = function(name, x, axis=axis), true(name, x, axis=axis)
            pairs = (
                zip(result, expected, strict=True) if name == "moments" else [(result, expected)]
            )
            for one, other in pairs:
                digits = {"f2": 5e-2, "f4": 1e-5, "f8": 1e-12}[dtype]
                assert_allclose(np.float64(one), np.float64(other), rtol=digits, atol=1e-7)


def test_nothing_but_nan() -> None:
    """NumPy's results, without its warnings; of both zeros those of max and min."""
    x = np.full((3, 50), np.nan, "f4")
    x[2, 7], x[1] = -np.inf, 5
    for name in (name for name in STATISTICS if name[:3] == "nan"):
        for y in (x, x.T.copy().T, np.repeat(x, 3, 1)[:, ::3]):
            assert_array_equal(getattr(vk, name)(y, axis=1), by_numpy(name, y, axis=1))
    assert np.isnan(vk.nanmax(x[:1]))
    assert vk.nanmax(x[:1], initial=3) == 3
    assert np.isnan(vk.nanvar(np.float64([np.nan, 2, np.nan]), ddof=1))
    for zeros in ([-0.0, np.nan, 0.0], [0.0, -0.0, np.nan], [np.nan, -0.0, 0.0]):
        assert not np.signbit(vk.nanmax(np.array(zeros)))
        assert np.signbit(vk.nanmin(np.array(zeros)))


@pytest.mark.parametrize("name", [*SQUARES, "nanmean", "nansum", "prod"])
def test_same_bits(name: str, rng: np.random.Generator, set_threads: Any) -> None:
    """For any number of threads, alignment and byte order, and on every target with fma."""
    for dtype in ("f4", "f8", "i4"):
        for shape in ((1_300_000,), (1300, 900), (900, 1300), (80_000, 7)):
            x = (rng.normal(size=shape) * 1e-3 + 1).astype(dtype)
            for axis in (None, 0, -1):
                found = []
                for threads in (1, 2, 5):
                    set_threads(threads)
                    found.append(getattr(vk, name)(x, axis=axis))
                set_threads(1)
                swapped = x.astype(x.dtype.newbyteorder())
                found.append(getattr(vk, name)(swapped, axis=axis))
                for isa in native.SUPPORTED:
                    if isa not in ("x86_v2", "generic"):
                        found.append(statistics_of(isa)(name, x, axis=axis))
                for other in found[1:]:
                    assert np.asarray(other).tobytes() == np.asarray(found[0]).tobytes()


def test_what_has_no_kernel() -> None:
    """Objects, dates, longdouble, nothing at all, scalars, lists, subclasses."""
    for x in (
        np.array([1, 2, 4], object),
        np.longdouble([1, 2, 4]),
        [1.0, 2.0],
        3.5,
        np.float32(2),
    ):
        for name in ("var", "prod", "count_nonzero", "moments"):
            assert_array_equal(getattr(vk, name)(x), by_numpy(name, x))
    assert vk.count_nonzero(np.array(["", "a"])) == 1
    assert vk.count_nonzero(np.array([0, 1j, 1])) == 2
    assert vk.prod(np.zeros((0, 3)), axis=0).tolist() == [1, 1, 1]
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        assert np.isnan(vk.var(np.ones(1), ddof=1))
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        vk.var(np.ones((2, 3)), axis=1, where=[True, False, False], ddof=1)
    masked = np.ma.masked_array([1.0, 2.0, 9.0], [0, 0, 1])
    assert vk.var(masked) == 0.25
