"""take, scatter_add and one_hot: NumPy's bits, types and errors, in any layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import choosing, jit, reference
from vekt._core import native

NUMBERS = ["f4", "f8", "f2", ml_dtypes.bfloat16, "?", *"bhilBHIL", "F", "D", ">f4", ">i8", ">D"]
OTHERS = ["U3", "S5", "M8[s]", "O", "g", "V6", [("a", "i4"), ("b", "f8")]]
PLACES: list[Any] = [
    0,
    -1,
    [],
    [1, 0, 1],
    np.array([[2, -2], [0, 1]], "i1"),
    np.array([1, 0], "u8"),
]
COMPILED = ("f4", "f2", "F", "l")
"""Dtypes for which Numba compiles twins here, a second each; the kernels are the same."""


@pytest.fixture
def take(isa: str) -> Any:
    kernel = native.build("take", isa)
    return lambda x, i, axis=None, mode="raise", out=None: choosing.general_take(
        kernel, x, i, axis, mode, out
    )


@pytest.fixture
def scatter_add(isa: str) -> Any:
    kernel = native.build("scatter_add", isa)
    return lambda x, i, v, axis=0: choosing.general_scatter_add(kernel, x, i, v, axis)


def layouts(x: Any) -> Iterator[Any]:
    """Yield views of a copy of an array of three dimensions, which all differ in layout."""
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        yield np.array(x.transpose(order), order="C").transpose(np.argsort(order))
    wide = np.zeros((*x.shape[:2], 2 * x.shape[2]), x.dtype)
    for part in (slice(None, None, 2), slice(-1, None, -2)):
        wide[:, :, part] = x
        yield wide[:, :, part]
    room = np.zeros(x.nbytes + 1, "u1")[1:].view(x.dtype) if not x.dtype.hasobject else x.copy()
    unaligned = room.reshape(x.shape)[::-1]
    unaligned[...] = x
    yield unaligned


def made(dtype: Any, shape: Any, rng: np.random.Generator) -> Any:
    return rng.integers(0, 9, shape).astype("i8").astype(dtype)


@pytest.mark.parametrize("dtype", [*NUMBERS, *OTHERS], ids=str)
def test_take_like_numpy(take: Any, dtype: Any, rng: np.random.Generator) -> None:
    x = np.zeros((3, 4, 3), dtype)
    if x.dtype.names is None and x.dtype.kind != "V":
        x = made(dtype, (3, 4, 3), rng)
    for view in layouts(x):
        for axis in (None, 0, 1, -1):
            for places in PLACES:
                expected = np.take(view, np.asarray(places, "i8"), axis)
                got = take(view, places, axis)
                assert_array_equal(got, expected, strict=True)
                out = np.zeros_like(expected)
                assert take(view, places, axis, out=out) is out
                assert_array_equal(out, expected)


def test_take_modes_outs_and_scalars(take: Any) -> None:
    x = np.arange(12.0).reshape(3, 4)
    far = np.array([-9, 0, 2**62, -(2**63), 3, 4])
    for mode in ("wrap", "clip"):
        for axis in (None, 0, 1):
            n = x.size if axis is None else x.shape[axis]
            near = far % n if mode == "wrap" else far.clip(0, n - 1)  # NumPy's wrap takes years
            for function in (take, jit.take, reference.take):
                assert_array_equal(function(x, far, axis, mode), np.take(x, near, axis))
    huge = np.array([2**64 - 1, 5], "u8")
    for function in (take, jit.take):
        assert_array_equal(function(x, huge, mode="wrap"), x.ravel()[[(2**64 - 1) % 12, 5]])
        assert_array_equal(function(x, huge, mode="clip"), [11, 5])
    assert type(take(x, 5)) is np.float64
    assert take(np.float32(3), [0, 0]).tolist() == take(3.0, [0, 0], 0).tolist() == [3, 3]
    assert_array_equal(take(x, True), 1.0)
    narrow = np.zeros((3, 2), "f4")
    assert take(x, [0, 3], 1, out=narrow.T[::-1].T) is not None
    assert_array_equal(narrow, x[:, [3, 0]])
    assert take(x, [2, 1, 0], 0, out=x) is x  # overlap: as if there were none
    assert_array_equal(x[:, 0], [8, 4, 0])
    places = np.array([3, 2, 1, 0])
    assert_array_equal(take(np.arange(4), places, out=places), [3, 2, 1, 0])


def test_take_bad_input(take: Any) -> None:
    x = np.arange(6).reshape(2, 3)
    kept = np.zeros(2, x.dtype)
    for function in (take, vk.take, jit.take, reference.take):
        for places in ([6, 0], [0, -7], np.array([0, 2**64 - 1], "u8"), [2**62, 0]):
            with pytest.raises(IndexError, match="out of bounds"):
                function(x, places, out=kept)
        for places in ([0.5], np.array([]), ["a"], [1j], None):
            with pytest.raises(TypeError):
                function(x, places, out=kept)
        for mode in ("raise", "wrap", "clip"):
            with pytest.raises(IndexError):
                function(np.empty((0, 3)), [0], 0, mode)
            assert function(np.empty((0, 3)), [], 0, mode).shape == (0, 3)
        for mode in ("no", "RAISE"):
            with pytest.raises(ValueError, match="mode"):
                function(x, [0], mode=mode)
        with pytest.raises(np.exceptions.AxisError):
            function(x, [0], 2)
        with pytest.raises(ValueError, match="shape"):
            function(x, [0], out=kept)
        with pytest.raises(TypeError, match="Cannot cast"):
            function(x * 1j, [0, 1], out=kept)
        frozen = np.zeros(2)
        frozen.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            function(x, [0, 1], out=frozen)
    assert not kept.any()


@pytest.mark.parametrize("dtype", [*NUMBERS, "g", "O", "m8[s]"], ids=str)
def test_scatter_add_like_numpy(scatter_add: Any, dtype: Any, rng: np.random.Generator) -> None:
    x = made(dtype, (3, 4, 3), rng)
    for axis in (0, 1, -1):
        for places in PLACES:
            at = axis % 3
            i = np.asarray(places, "i8")
            shape = x.shape[:at] + i.shape + x.shape[at + 1 :]
            values = (rng.integers(1, 99, shape) / 8).astype(x.dtype)
            expected = x.copy()
            np.add.at(expected, (*(slice(None),) * at, i), values)
            for view in layouts(x):
                assert scatter_add(view, places, values, axis) is view
                assert_array_equal(view, expected, strict=True)
            for space in (jit, reference) if dtype in COMPILED else (reference,):
                again = x.copy()
                space.scatter_add(again, places, values[..., ::-1][..., ::-1], axis)
                assert_array_equal(again, expected, strict=True)


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "F", "i4"])
def test_scatter_add_has_the_bits_of_any_thread_count(
    dtype: str, rng: np.random.Generator, set_threads: Any
) -> None:
    for shape, axis, count in (((40, 3000), 0, 500), ((9, 50, 7), 1, 6000), ((1000,), 0, 300_000)):
        x = (rng.normal(size=shape) * 9).astype(dtype)
        places = rng.integers(-shape[axis], shape[axis], count)
        values = (rng.normal(size=(*shape[:axis], count, *shape[axis + 1 :])) * 9).astype(dtype)
        expected = x.copy()
        np.add.at(expected, (*(slice(None),) * axis, places), values)
        for threads in (1, 2, 3, 7):
            set_threads(threads)
            assert vk.scatter_add(x.copy(), places, values, axis).tobytes() == expected.tobytes()


def test_scatter_add_broadcasts_casts_and_overlaps(scatter_add: Any) -> None:
    x = np.zeros((4, 3), "f4")
    scatter_add(x, [0, 0, 3], 1)
    scatter_add(x, [1, 1], np.array([1.0, 2.0, 3.0]))
    assert_array_equal(x, [[2] * 3, [2, 4, 6], [0] * 3, [1] * 3])
    small = np.full(3, 250, "u1")
    assert_array_equal(scatter_add(small, [0, 0, 2], 9), [12, 250, 3])
    y = np.arange(5.0)
    assert_array_equal(scatter_add(y, [0, 1, 2], y[::-1][:3]), [4, 4, 4, 3, 4])
    i = np.arange(4)
    assert_array_equal(scatter_add(i, i, 1), [1, 2, 3, 4])
    t = np.zeros((2, 3), ml_dtypes.bfloat16)
    assert_array_equal(scatter_add(t, [2], np.ones((2, 1)), 1)[:, 2], [1, 1])


def test_scatter_add_bad_input(scatter_add: Any) -> None:
    x = np.zeros((4, 3), "f4")
    for function in (scatter_add, jit.scatter_add, reference.scatter_add):
        for places in ([0, 4], [-5, 0], np.array([0, 2**64 - 1], "u8")):
            with pytest.raises(IndexError, match="out of bounds|bounds"):
                function(x, places, 1.0)
        for places in ([0.5], [True], ["a"], None):
            with pytest.raises(TypeError):
                function(x, places, 1.0)
        for values in ([1j], ["a"], np.array([None])):
            with pytest.raises((TypeError, ValueError)):
                function(x, [0], values)
        with pytest.raises(TypeError, match="cannot be added|Cannot cast"):
            function(np.zeros(3, "i4"), [0], 1.5)
        with pytest.raises(ValueError, match="broadcast|dimensions"):
            function(x, [0, 1], np.ones((3, 3)))
        with pytest.raises(ValueError, match="broadcast|dimensions"):
            function(x, [0, 1], np.ones((2, 2, 3)))
        with pytest.raises(TypeError, match="must be an ndarray"):
            function([0.0, 1.0], [0], 1.0)
        with pytest.raises(np.exceptions.AxisError):
            function(x, [0], 1.0, 2)
        with pytest.raises(np.exceptions.AxisError):
            function(np.zeros(()), [0], 1.0)
        frozen = np.zeros(3)
        frozen.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            function(frozen, [0], 1.0)
    assert not x.any()


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_one_hot(dtype: Any) -> None:
    for places in ([[0, 2, -1], [3, 9, 1]], 1, [], np.array([[[1], [0]]], "u1")):
        expected = np.equal(np.asarray(places, "i8")[..., None], np.arange(3)).astype(dtype)
        for axis in range(-1, expected.ndim):
            want = np.moveaxis(expected, -1, axis)
            for space in (vk, jit, reference):
                got = space.one_hot(places, 3, axis, dtype)
                assert_array_equal(got, want, strict=True)
                assert got.flags.c_contiguous


def test_one_hot_bad_input() -> None:
    for space in (vk, jit, reference):
        assert space.one_hot([0], 0).shape == (1, 0)
        assert space.one_hot([0], 1).dtype == np.float32
        for places in ([0.0], ["a"], None):
            with pytest.raises(TypeError):
                space.one_hot(places, 3)
        with pytest.raises(TypeError):
            space.one_hot([0], 2.5)
        with pytest.raises(ValueError, match="negative"):
            space.one_hot([0], -1)
        with pytest.raises(np.exceptions.AxisError):
            space.one_hot([0], 2, 2)
        for dtype in ("O", "U3", "M8[s]"):
            with pytest.raises(TypeError, match="not one of numbers"):
                space.one_hot([0], 2, dtype=dtype)
