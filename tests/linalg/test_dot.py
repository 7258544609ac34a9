"""dot: NumPy's answers and errors, closer to the true sum, with the same bits for any layout."""

from __future__ import annotations

import math
import pickle
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core import native

BLOCK = 16384
LENGTHS = [
    0,
    1,
    2,
    7,
    8,
    9,
    31,
    32,
    33,
    64,
    100,
    255,
    1000,
    4097,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    3 * BLOCK + 5,
    200_003,
]


@pytest.fixture
def dot(isa):
    return native.build("dot", isa)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", LENGTHS)
def test_against_the_exact_sum(dot, dtype, n, rng):
    a, b = rng.normal(size=(2, n)).astype(dtype)
    result = dot(a, b)
    exact = math.fsum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))
    size = math.fsum(abs(x * y) for x, y in zip(a.tolist(), b.tolist(), strict=True))
    assert type(result) is np.dtype(dtype).type
    # Within a block at least 32 lanes share the terms; lanes and blocks are added pairwise.
    roundings = min(n, BLOCK) / 32 + 20
    assert abs(float(result) - exact) <= roundings * np.finfo(dtype).eps / 2 * size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 33, 1000, BLOCK + 1, 1_300_001])
def test_same_bits_for_any_layout_and_thread_count(dot, dtype, n, rng):
    a, b = rng.normal(size=(2, n)).astype(dtype)
    expected = dot(a, b)
    assert dot(b, a) == expected
    wide = np.zeros((n, 3), dtype)
    wide[:, 1] = a
    assert dot(wide[:, 1], b) == expected
    assert dot(a[::-1].copy()[::-1], b) == expected
    assert dot(a.astype(a.dtype.newbyteorder()), b) == expected
    raw = np.empty(a.nbytes + 1, np.uint8)
    raw[1:] = a.view(np.uint8)
    assert dot(raw[1:].view(dtype), b) == expected
    for threads in (1, 2, 3, 7):
        with vk.num_threads(threads):
            assert dot(a, b) == expected
            assert dot(wide[:, 1], b) == expected
    repeated = np.broadcast_to(a[:1], (n,))
    assert dot(repeated, b) == dot(repeated.copy(), b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_very_many_blocks(dot, dtype):
    """More partial sums than fit on the stack."""
    n = 600 * BLOCK + 1
    assert dot(np.ones(n, dtype), np.ones(n, dtype)) == n


def test_mixed_precision(dot, rng):
    a, b = rng.normal(size=(2, 500))
    result = dot(a.astype("float32"), b)
    assert type(result) is np.float64
    assert result == dot(a.astype("float32").astype("float64"), b)


def test_special_values(dot):
    for special in (np.nan, np.inf, -np.inf):
        a = np.ones(100)
        a[41] = special
        assert_array_equal(dot(a, np.ones(100)), np.dot(a, np.ones(100)))
    assert np.isnan(dot(np.array([np.inf, -np.inf]), np.ones(2)))
    with np.errstate(all="raise"):
        assert dot(np.full(3, 1e30, "float32"), np.full(3, 1e30, "float32")) == np.inf
    assert dot(np.full(1, 1e-45, "float32"), np.ones(1, "float32")) == np.float32(1e-45)


def test_out(dot):
    a = np.arange(5.0)
    out = np.empty(())
    assert dot(a, a, out) is out
    assert out == 30
    assert dot(a, a, out=out) is out
    assert dot(a, b=a, out=None) == 30
    assert dot(b=a, a=a) == 30


def test_lists_and_subclasses(dot):
    assert dot([1.0, 2.0], (3.0, 4.0)) == 11

    class Special(np.ndarray):
        pass

    assert dot(np.ones(3).view(Special), np.ones(3)) == 3


@pytest.mark.parametrize(
    ("a", "b", "error", "message"),
    [
        (np.ones(3), np.ones(4), ValueError, r"shapes \(3,\) and \(4,\) not aligned: 3 .* != 4"),
        (np.array(["x", "y"]), np.ones(2), TypeError, "a must be .* not <U1"),
        (np.ones(2), np.ones(2, "M8[s]"), TypeError, "b must be .* not datetime64"),
    ],
)
def test_bad_operands(dot, a, b, error, message):
    out = np.full((), 7.0)
    with pytest.raises(error, match=message):
        dot(a, b, out)
    assert out == 7


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.empty(1), ValueError),
        (np.empty((), "float32"), ValueError),
        (np.empty((), ">f8"), ValueError),
        (np.broadcast_to(0.0, ()), ValueError),
        ([0.0], TypeError),
        (0.0, TypeError),
    ],
)
def test_bad_out(dot, out, error):
    before = np.array(out)
    with pytest.raises(error, match="out"):
        dot(np.ones(3), np.ones(3), out)
    assert_array_equal(before, out)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((np.ones(2),), {}),
        ((np.ones(2),) * 4, {}),
        ((np.ones(2),) * 2, {"a": np.ones(2)}),
        ((np.ones(2),) * 2, {"axis": 0}),
        ((), {"b": np.ones(2)}),
    ],
)
def test_bad_calls(dot, args, kwargs):
    with pytest.raises(TypeError, match=r"dot\(\)"):
        dot(*args, **kwargs)


def test_other_arrays_are_not_silently_converted(dot):
    class Elsewhere:
        def __array_function__(self, *args):
            raise AssertionError

        def __array__(self, *args, **kwargs):
            raise AssertionError

    with pytest.raises(TypeError, match="a is of a type with its own array functions"):
        dot(Elsewhere(), np.ones(3))


def test_an_array_whose_conversion_fails(dot):
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        dot(np.ones(2), Broken())


def test_public_function():
    assert pickle.loads(pickle.dumps(vk.dot)) is vk.dot
    assert vk.dot.__text_signature__ == "($module, a, b, out=None)"


def test_from_many_threads(rng):
    a, b = rng.normal(size=(2, 700_000))
    expected = vk.dot(a, b)
    results = []
    callers = [
        threading.Thread(target=lambda: results.extend(vk.dot(a, b) for _ in range(50)))
        for _ in range(4)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(results) == 200
    assert set(results) == {expected}
