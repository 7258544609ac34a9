"""transpose_copy: every byte where np.transpose puts it, whatever the item size and layout."""

from __future__ import annotations

import ctypes
import itertools
import mmap
import sys
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt.linalg import _vectors

DTYPES = [
    "u1",
    "i2",
    "f4",
    "f8",
    "c16",
    "S3",
    "U3",
    "?",
    ">f4",
    "M8[s]",
    [("a", "i2"), ("b", "f4")],
]
SHAPES = [
    (),
    (5,),
    (0, 3),
    (64, 64),
    (129, 260),
    (300, 3),
    (3, 300),
    (300, 17),
    (40, 2, 50),
    (6, 7, 8, 9),
]


@pytest.fixture
def transpose_copy(isa):
    kernel = native.build("transpose_copy", isa)
    return lambda a, axes=None, out=None: _vectors.general_transpose_copy(kernel, a, axes, out)


def random(shape, dtype, rng):
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(rng.integers(0, 2, size, "u1").tobytes(), dtype).reshape(shape)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_like_numpy(transpose_copy, dtype, shape, rng):
    x = random(shape, dtype, rng)
    for axes in itertools.permutations(range(x.ndim)):
        for view in (x, x[::-1], x[..., ::2], np.asfortranarray(x)) if x.ndim else (x,):
            expected = np.ascontiguousarray(view.transpose(axes)) if x.ndim else view
            got = transpose_copy(view, axes)
            assert got.flags.c_contiguous
            assert got.flags.owndata
            assert got.dtype == expected.dtype
            assert got.shape == expected.shape
            assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8", "c16"])
def test_rows_that_alias_and_edges_of_tiles(transpose_copy, dtype, rng):
    for rows, columns in ((1024, 1024), (1023, 1026), (2049, 17), (16, 4096)):
        x = random((rows, columns + 3), dtype, rng)[:, 3:]
        assert transpose_copy(x).tobytes() == x.T.tobytes()


def test_threads(transpose_copy, rng, set_threads):
    x = random((1500, 1700), "f4", rng)
    for threads in (1, 2, 5):
        set_threads(threads)
        assert_array_equal(transpose_copy(x), x.T)


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_any_strides(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=7))
    dtype = data.draw(st.sampled_from(["u1", "i2", "f4", "f8", "c16", "S5"]))
    memory = np.arange(200_000 * np.dtype(dtype).itemsize, dtype="u1").view(dtype)
    steps = [data.draw(st.integers(-20, 20)) * memory.itemsize for _ in shape]
    x = np.lib.stride_tricks.as_strided(memory[100_000:], shape, steps)
    axes = data.draw(st.one_of(st.none(), st.permutations(range(len(shape)))))
    assert vk.transpose_copy(x, axes).tobytes() == x.transpose(axes).tobytes()
    assert reference.transpose_copy(x, axes).tobytes() == x.transpose(axes).tobytes()


def test_out(transpose_copy, rng):
    x = rng.normal(size=(30, 20))
    out = np.empty((20, 30))
    assert transpose_copy(x, out=out) is out
    assert_array_equal(out, x.T)
    for other in (np.empty((30, 20)).T, np.empty((20, 30), "f4"), np.empty((20, 60))[:, ::2]):
        assert transpose_copy(x, out=other) is other
        assert_array_equal(other, x.T.astype(other.dtype))
        assert_array_equal(reference.transpose_copy(x, out=other), other)


def test_out_may_overlap(transpose_copy, rng):
    x = rng.normal(size=(40, 40))
    expected = x.T.copy()
    assert transpose_copy(x, out=x) is x
    assert_array_equal(x, expected)
    memory = np.arange(1000.0)
    a, out = memory[:900].reshape(30, 30), memory[100:].reshape(30, 30)
    expected = a.T.copy()
    assert_array_equal(transpose_copy(a, out=out), expected)


def test_objects(transpose_copy):
    x = np.array([[1, "a"], [None, []]], object)
    assert transpose_copy(x).tolist() == x.T.tolist()
    out = np.empty((2, 2), object)
    assert transpose_copy(x, out=out).tolist() == x.T.tolist()


def test_errors():
    x = np.ones((3, 4))
    for axes in ((0,), (0, 0), (0, 2)):
        with pytest.raises(ValueError, match="ax"):
            vk.transpose_copy(x, axes)
    with pytest.raises(ValueError, match=r"out: expected shape \(4, 3\)"):
        vk.transpose_copy(x, out=np.empty((3, 4)))
    with pytest.raises(ValueError, match="read-only"):
        vk.transpose_copy(x, out=np.broadcast_to(1.0, (4, 3)))
    with pytest.raises(TypeError, match="cast"):
        vk.transpose_copy(x, out=np.empty((4, 3), "i4"))
    with pytest.raises(TypeError, match="out"):
        vk.transpose_copy(x, out=[1])
    assert vk.transpose_copy([[1, 2]]).tolist() == [[1], [2]]


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect as Linux has it")
@pytest.mark.parametrize("item", [1, 2, 4, 8])
def test_reads_nothing_beyond(transpose_copy, item, rng):
    """Rows shorter than a vector, of which whole ones are read, at the end of memory."""
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 4 * page)
    begin = np.frombuffer(memory, np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    last = ctypes.c_void_p(begin.ctypes.data + 3 * page)
    assert libc.mprotect(last, ctypes.c_size_t(page), 0) == 0
    try:
        readable = begin[: 3 * page]
        readable[:] = rng.integers(0, 9, 3 * page)
        for rows, n in itertools.product((1, 15, 16, 17, 40, 70), (1, 3, 7, 10, 15, 16, 19)):
            x = readable[-rows * n * item :].view(f"u{item}").reshape(rows, n)
            assert_array_equal(transpose_copy(x), x.T)
            assert_array_equal(vk.argmax(x, 1), np.argmax(x, 1))
            assert_array_equal(vk.sum(x, 1), np.sum(x, 1))
            if item > 1:
                y = (x % 16).astype(f"f{item}")
                z = readable[-rows * n * item :].view(y.dtype).reshape(rows, n)
                z[...] = y
                assert_array_equal(vk.max(z, 1), np.max(y, 1))
    finally:
        assert libc.mprotect(last, ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE) == 0
