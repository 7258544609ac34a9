"""dot of every dtype: NumPy's result types, wrap-around and promotion; proven bounds."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core import native

BLOCK = 16384
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
INTEGERS = [*"bBhHiIlLqQ"]
NUMPY = ["?", *INTEGERS, *"efdFD"]
# Around vectors and runs of four of them, the 64 bytes of truth values, and the blocks.
LENGTHS = [0, 1, 2, 3, 7, 15, 16, 31, 33, 63, 64, 65, 127, 257, 1000, BLOCK, 2 * BLOCK + 9]


@pytest.fixture
def dot(isa):
    return native.build("dot", isa)


def vectors(rng, n, dtype):
    """Return two vectors; of integers, every value alike."""
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        return rng.integers(0, 256, 2 * n * dtype.itemsize, np.uint8).view(dtype).reshape(2, n)
    x = rng.standard_normal((2, n))
    return (x + 1j * rng.standard_normal((2, n)) if dtype.kind == "c" else x).astype(dtype)


def layouts(x):
    """Yield the vector with other steps, backwards, and off its alignment."""
    wide = np.zeros((len(x), 3), x.dtype)
    wide[:, 1] = x
    yield wide[:, 1]
    yield x[::-1].copy()[::-1]
    raw = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype)
    raw[...] = x
    yield raw


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap_around(rng, dot, dtype):
    for n in LENGTHS:
        a, b = vectors(rng, n, dtype)
        got, expected = dot(a, b), np.dot(a, b)
        assert type(got) is type(expected)
        assert got == expected
        for x in layouts(a):
            assert dot(x, b) == dot(b, x) == expected
        assert dot(a.astype(a.dtype.newbyteorder()), b) == expected


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 200, BLOCK + 1, 3 * BLOCK])
def test_one_pair_of_true_values_is_found(dot, n):
    a, b = np.zeros((2, n), bool)
    a[::2] = True
    b[1::2] = True
    assert dot(a, b) is np.False_
    for place in {0, n // 2, n - 1}:
        x, y = a.copy(), b.copy()
        x[place] = y[place] = True
        assert dot(x, y) is np.True_
        assert all(dot(z, y) is np.True_ for z in layouts(x))


def test_no_truth_in_nothing(dot):
    assert dot(np.zeros(0, bool), np.zeros(0, bool)) is np.False_


@pytest.mark.parametrize("dtype", ["e", BFLOAT16, "F", "D"], ids=str)
def test_within_the_bound(rng, dot, dtype):
    """At most as many roundings as there are terms; 16-bit results make one more."""
    dtype = np.dtype(dtype)
    bits = 53 if dtype == "D" else 24
    for n in LENGTHS:
        a, b = vectors(rng, n, dtype)
        got = dot(a, b)
        assert type(got) is dtype.type
        exact = np.sum(a.astype("G") * b.astype("G"))
        size = np.sum(abs(a.astype("G")) * abs(b.astype("G")))
        last = {"float16": 2.0**-11, "bfloat16": 2.0**-8}.get(dtype.name, 0) * abs(exact)
        assert abs(got.astype("G") - exact) <= 2 * (2 * n + 2) * 2.0**-bits * size + 1.01 * last
        for x in layouts(a):
            assert_array_equal(dot(x, b), got)
        for threads in (1, 3):
            with vk.num_threads(threads):
                assert_array_equal(dot(a, b), got)


@pytest.mark.parametrize("dtype", ["b", "l", "D", "?"])
def test_many_blocks_on_many_threads(dot, dtype):
    """More partial sums than fit on the stack, and enough bytes for threads."""
    n = 600 * BLOCK + 1
    a = np.ones(n, dtype)
    for threads in (1, 2):
        with vk.num_threads(threads):
            assert dot(a, a) == np.asarray(n).astype(dtype)


@pytest.mark.parametrize("first", NUMPY)
@pytest.mark.parametrize("second", NUMPY)
def test_result_types_are_those_of_numpy(first, second):
    a, b = np.array([3, 0, 1], first), np.array([2, 5, 1], second)
    got, expected = vk.dot(a, b), np.dot(a, b)
    assert type(got) is type(expected)
    assert got == expected


@pytest.mark.parametrize("other", NUMPY)
def test_bfloat16_beside_others(other):
    """As in NumPy where NumPy has a common dtype, otherwise it counts as float32."""
    a, b = np.array([3, 0, 1], BFLOAT16), np.array([2, 5, 1], other)
    promotes = other in "?bBfdFD"
    expected = np.result_type(a, b) if promotes else np.result_type(np.float32, b)
    for got in (vk.dot(a, b), vk.dot(b, a)):
        assert got.dtype == expected
        assert got == (7 if other != "?" else 4)


def test_integers_of_the_notes():
    assert vk.dot([1, 2, 3], [4, 5, 6]) == 32
    assert type(vk.dot([1, 2, 3], [4, 5, 6])) is np.int64
    assert_array_equal(vk.dot([[1, 2], [3, 4]], [[5, 6], [7, 8]]), [[19, 22], [43, 50]])


@pytest.mark.parametrize("dtype", ["?", "b", "e", BFLOAT16, "D"], ids=str)
def test_out(dtype):
    a = np.ones(3, dtype)
    out = np.zeros((), dtype)
    assert vk.dot(a, a, out) is out
    assert out == np.dot(a, a)
    with pytest.raises(ValueError, match="out must be an aligned 0-d array of native"):
        vk.dot(a, a, np.zeros((), "f"))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((), ()),
        ((), (3,)),
        ((2, 3), ()),
        ((2, 3), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3, 4)),
        ((2, 5, 3), (3,)),
        ((3,), (2, 3, 4)),
        ((2, 5, 3), (4, 3, 2)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 4)),
    ],
)
@pytest.mark.parametrize("dtype", ["l", "d"])
def test_other_shapes(a, b, dtype):
    x = np.arange(np.prod(a, dtype=int)).reshape(a).astype(dtype)
    y = np.arange(np.prod(b, dtype=int)).reshape(b).astype(dtype)
    expected = np.asarray(np.dot(x, y))
    assert_array_equal(vk.dot(x, y), expected)
    out = np.empty_like(expected)
    assert vk.dot(x, y, out=out) is out
    assert_array_equal(out, expected)


@pytest.mark.parametrize(("a", "b"), [((2, 3), (2,)), ((3,), (2, 3)), ((2, 3, 4), (2, 3, 4))])
def test_shapes_that_do_not_fit(a, b):
    with pytest.raises(ValueError, match=r"3|4"):
        vk.dot(np.ones(a), np.ones(b))


def test_quiet(dot):
    with np.errstate(all="raise"):
        large = np.full(40, 60000, "e")
        assert dot(large, large) == np.inf
        assert np.isnan(dot(large * 0 + np.nan, large))
