"""norm: np.linalg.norm's answers and errors, within an ULP, without overflow, on any layout."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from operands import layouts

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt.linalg import _vectors

INF = np.inf
VECTOR_ORDERS = [None, 0, 1, 2, INF, -INF]
MATRIX_ORDERS = [None, "fro", 1, -1, INF, -INF]
REAL = ["float32", "float64"]
SHAPES = [(1,), (31,), (5000,), (7, 9), (300, 3), (3, 300), (9, 600), (600, 9), (130, 33, 5)]


@pytest.fixture
def norm(isa):
    norms = native.build("norms", isa)

    def function(x, ord=None, axis=None, keepdims=False):
        return _vectors.general_norm(norms, x, ord, axis, keepdims)

    return function


def wide(x):
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)


def assert_within(result, x, ord, axis, keepdims=False, ulp=None):
    """Check shape and error: sums of floats round once to speak of, those of doubles more often."""
    if axis is None and ord in (None, 2):
        true = np.sqrt(np.sum(wide(x) ** 2))  # pairwise, where NumPy's norm sums in order
    else:
        true = np.asarray(np.linalg.norm(wide(x), ord, axis, keepdims))
    assert np.shape(result) == true.shape
    bound = ulp or (1 if x.dtype == np.float32 else 4 if ord in (1, -1, INF, -INF) else 2)
    assert np.max(reference.ulp_error(np.asarray(result), true), initial=0) <= bound


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("shape", SHAPES)
def test_accuracy(norm, dtype, shape, rng):
    for x in layouts(rng.normal(size=shape).astype(dtype)):
        assert_within(norm(x), x, None, None)
        for axis, ord in itertools.product(range(x.ndim), VECTOR_ORDERS):
            result = norm(x, ord, axis)
            assert np.asarray(result).dtype == x.dtype
            assert_within(result, x, ord, axis)
        for axes, ord in itertools.product(itertools.permutations(range(x.ndim), 2), MATRIX_ORDERS):
            assert_within(norm(x, ord, axes, True), x, ord, axes, True)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("n", [4095, 4096, 4097, 100_000, 3_000_001])
def test_long_vectors(norm, dtype, n, rng):
    x = rng.normal(size=n).astype(dtype)
    for ord in VECTOR_ORDERS:
        assert_within(norm(x, ord), x, ord, None)
    same = np.full(n, 0.7, dtype)  # roundings of one kind
    assert_within(norm(same), same, None, None, ulp=2)


@pytest.mark.parametrize("scale", [2.0**-1074, 1e-320, 1e-200, 1e-162, 1e150, 1e200, 1e305])
def test_no_overflow_in_float64(norm, scale, rng):
    x = np.trunc(rng.uniform(1, 100, size=(40, 6))) * scale
    for axis in (0, 1, None):
        assert_within(norm(x, axis=axis), x, None, axis)
        assert_within(norm(x.T, axis=axis), x.T, None, axis)
    mixed = x.copy()
    mixed[::2] = rng.normal(size=(20, 6))
    assert_within(norm(mixed, axis=1), mixed, None, 1)


@pytest.mark.parametrize("scale", [2.0**-149, 1e-40, 1e-25, 1e-15, 1e15, 1e25, 1e37])
@pytest.mark.parametrize("n", [3, 70, 9000])
def test_no_overflow_in_float32(norm, scale, n, rng):
    x = (np.trunc(rng.uniform(1, 4, size=(2, n))) * scale).astype("f4")
    for axis in (0, 1):
        assert_within(norm(x, axis=axis), x, None, axis)
        assert_within(norm(np.asfortranarray(x), axis=axis), x, None, axis)


@pytest.mark.parametrize("ord", [3, 2.5, -2, 0.5, -1])
def test_other_orders_are_scaled(norm, ord):
    x = np.array([[3.0, 4.0, 5.0], [1e200, 2e200, 1e199], [1e-200, 3e-200, 2e-200], [0, 0, 0]])
    expected = np.linalg.norm(x[0], ord)
    assert norm(x[0], ord) == expected
    for row, scale in ((1, 1e200), (2, 1e-200)):
        true = np.linalg.norm(x[row] / scale, ord) * scale
        np.testing.assert_allclose(norm(x[row], ord), true, rtol=1e-13)
        np.testing.assert_allclose(norm(x, ord, 1)[row], true, rtol=1e-13)
    with np.errstate(all="ignore"):
        assert norm(x, ord, 1)[3] == np.linalg.norm(x[3], ord)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("shape", [(3, 5), (5, 70), (70, 5), (9000, 2), (2, 9000), (500, 300)])
def test_nan_and_infinity(norm, dtype, shape, rng):
    for special, ord in itertools.product((np.nan, INF, -INF), VECTOR_ORDERS):
        x = rng.normal(size=shape).astype(dtype)
        x[tuple(rng.integers(shape))] = special
        if not np.isnan(special):
            x[tuple(rng.integers(shape))] = INF
        for axis in (0, 1):
            got, expected = norm(x, ord, axis), np.linalg.norm(wide(x), ord, axis)
            assert_array_equal(np.isnan(got), np.isnan(expected))
            assert_array_equal(np.isinf(got), np.isinf(expected))
    x[...] = np.nan
    assert np.isnan(norm(x))
    assert norm(x, 0, 0)[0] == shape[0]
    x[...] = -0.0
    for ord in VECTOR_ORDERS:
        assert_array_equal(norm(x, ord, 0), 0)


@pytest.mark.parametrize(
    "dtype", ["i1", "u8", "?", "f2", "bfloat16", "c8", "c16", ">f4", ">f8", "g"]
)
def test_dtypes(norm, dtype, rng):
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    x = (rng.normal(size=(40, 70)) * 3).astype(dtype)
    if x.dtype.kind == "c":
        x += 1j * rng.normal(size=x.shape).astype(x.real.dtype)
    narrow = dtype if not isinstance(dtype, str) else np.linalg.norm(np.ones(2, dtype)).dtype
    eps = 2.0**-7 if narrow is dtype else np.finfo(narrow).eps
    wider = x.astype(np.clongdouble if x.dtype.kind == "c" else np.longdouble)
    for axis, ord in itertools.product((0, 1), VECTOR_ORDERS):
        result = norm(x, ord, axis)
        assert result.dtype == narrow
        expected = np.linalg.norm(wider, ord, axis)
        np.testing.assert_allclose(result.astype(np.longdouble), expected, rtol=2 * eps)
    assert norm(x, 1).dtype == narrow


def test_half_does_not_overflow(norm):
    x = np.full((30, 20), 300, "f2")
    assert norm(x) == np.float16(300 * 600**0.5)
    assert norm(x, axis=0).tolist() == np.full(20, 300 * 30**0.5).astype("f2").tolist()


@pytest.mark.parametrize("dtype", REAL)
def test_same_bits_for_any_thread_count(dtype, rng, set_threads):
    arrays = [
        rng.normal(size=s).astype(dtype) for s in ((3_000_000,), (1_000_000, 3), (1500, 2000))
    ]
    results = []
    for threads in (1, 2, 5):
        set_threads(threads)
        results.append(
            [
                [
                    vk.norm(x).tobytes(),
                    *(vk.norm(x, o, a).tobytes() for a in range(x.ndim) for o in (1, 2)),
                ]
                for x in arrays
            ]
        )
    assert results[0] == results[1] == results[2]


def test_instruction_sets_with_fma_agree(rng):
    x = rng.normal(size=(333, 77))
    sets = [native.build("norms", i) for i in native.SUPPORTED if i in ("x86_v3", "x86_v4")]
    for dtype, axis in itertools.product(REAL, (0, 1, None)):
        results = {
            np.asarray(_vectors.general_norm(f, x.astype(dtype), None, axis, False)).tobytes()
            for f in sets
        }
        assert len(results) <= 1


def outcome(function, *args):
    with np.errstate(all="ignore"):
        try:
            return function(*args)
        except (ValueError, TypeError, IndexError) as error:
            return type(error)


ORDERS = st.sampled_from([*VECTOR_ORDERS, "fro", "nuc", -1, -2, 3, "no such order"])
AXES = st.one_of(st.none(), st.integers(-3, 3), st.tuples(st.integers(-3, 2), st.integers(-3, 2)))


@settings(deadline=None, max_examples=300)
@given(
    x=hnp.arrays(
        st.sampled_from(["f4", "f8", "i4", "c16"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements=st.integers(-9, 9),
    ),
    ord=ORDERS,
    axis=AXES,
    keepdims=st.booleans(),
    order=st.sampled_from("CFK"),
)
def test_like_numpy(x: Any, ord: Any, axis: Any, keepdims: Any, order: Any) -> None:
    x = x[::-1].T if order == "K" and x.ndim else np.asarray(x, order=order)
    expected = outcome(np.linalg.norm, x, ord, axis, keepdims)
    result = outcome(vk.norm, x, ord, axis, keepdims)
    if isinstance(expected, type):
        assert isinstance(result, type)
        assert issubclass(result, expected) or issubclass(expected, result)
        return
    assert np.shape(result) == np.shape(expected)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def test_whatever_is_an_array(rng):
    assert vk.norm([3, 4]) == 5
    assert vk.norm([[1, 2], [3, 4]], 1) == 6
    assert vk.norm(np.ma.masked_array([3.0, 4.0])) == 5
    dask = pytest.importorskip("dask.array")
    assert float(vk.norm(dask.ones(4)).compute()) == 2


def test_no_warnings_and_no_flags():
    with np.errstate(all="raise"):
        for x in ([1e200, INF, np.nan, 5e-324], [np.float32(1e38)] * 9):
            for ord in VECTOR_ORDERS:
                vk.norm(np.array(x), ord)


def test_reference(rng):
    x = rng.normal(size=(20, 30))
    for ord in MATRIX_ORDERS:
        assert vk.norm(x, ord) == pytest.approx(reference.norm(x, ord), rel=1e-15)
    assert reference.norm(np.array([3.0, 4.0]) * 2.0**600) == 5 * 2.0**600
    assert reference.norm(x.astype("f4"), axis=0).dtype == np.float32
    assert reference.norm(x, "nuc") == pytest.approx(np.linalg.norm(x, "nuc"))
