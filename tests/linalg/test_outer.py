"""outer: np.outer's numbers, types and errors, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt.linalg import _vectors


@pytest.fixture
def outer(isa):
    kernel = native.build("outer", isa)
    return lambda a, b, out=None: _vectors.general_outer(kernel, a, b, out)


@pytest.mark.parametrize(
    "dtype", ["f4", "f8", "f2", "i1", "u4", "i8", "?", "c8", "c16", "g", ">f4", "O"]
)
@pytest.mark.parametrize(("m", "n"), [(0, 3), (3, 0), (1, 1), (3, 7), (17, 33), (200, 5), (5, 200)])
def test_like_numpy(outer, dtype, m, n, rng):
    a, b = ((rng.normal(size=k) * 9).astype(dtype) for k in (m, n))
    expected = np.outer(a, b)
    assert_array_equal(outer(a, b), expected, strict=True)
    assert_array_equal(outer(a[::-1], np.repeat(b, 2)[::2]), expected[::-1])
    out = np.empty_like(expected)
    assert outer(a, b, out) is out
    assert_array_equal(out, expected)
    assert_array_equal(reference.outer(a, b), expected)


def test_threads(outer, rng, set_threads):
    for m, n in ((3, 500_000), (500_000, 3), (1500, 900)):
        a, b = rng.normal(size=m), rng.normal(size=n)
        for threads in (1, 3):
            set_threads(threads)
            assert_array_equal(outer(a, b), np.outer(a, b))


def test_types_and_shapes(outer, rng):
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(4,)).astype("f4")
    assert_array_equal(outer(a, b), np.outer(a, b), strict=True)
    assert_array_equal(outer(a, a.T), np.outer(a, a.T), strict=True)
    assert_array_equal(outer(2.0, a), np.outer(2.0, a), strict=True)
    assert_array_equal(outer([1, 2], [True]), np.outer([1, 2], [True]), strict=True)
    out = np.empty((3, 2), "f8").T
    b = b.astype("f8")
    assert outer(a[:, 0], b[:3], out) is out
    assert_array_equal(out, np.outer(a[:, 0], b[:3]))
    assert_array_equal(outer(b[:2], b[:2], np.empty((2, 2), "f8")), np.outer(b[:2], b[:2]))


def test_out_may_overlap(outer):
    memory = np.arange(1.0, 17)
    expected = np.outer(memory[:4], memory[2:6])
    out = memory.reshape(4, 4)
    assert_array_equal(outer(memory[:4], memory[2:6], out), expected)


def test_special_values_without_warnings(outer):
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e200, 5e-324])
    with np.errstate(all="ignore"):
        expected = np.outer(special, special)
    with np.errstate(all="raise"):
        assert_array_equal(outer(special, special), expected)
        half = np.full(3, 60000, "f2")
        assert np.isinf(outer(half, half)).all()


def test_errors():
    a = np.ones(3)
    with pytest.raises(ValueError, match="shape"):
        vk.outer(a, a, np.empty((3, 4)))
    with pytest.raises(ValueError, match="read-only"):
        vk.outer(a, a, np.broadcast_to(1.0, (3, 3)))
    with pytest.raises(TypeError):
        vk.outer(a, a, np.empty((3, 3), "i4"))
    with pytest.raises(TypeError):
        vk.outer(["x"], a)


def test_dask_stays_lazy():
    dask = pytest.importorskip("dask.array")
    lazy = vk.outer(dask.ones(3), dask.ones(4))
    assert isinstance(lazy, dask.Array)
    assert lazy.compute().shape == (3, 4)
