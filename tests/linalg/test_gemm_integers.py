"""Products of integers and truth values: NumPy's results to the last bit, wrapped around."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numpy.testing import assert_array_equal
from products import LAYOUTS, fortran, multiply, spread

import vekt as vk

Array = npt.NDArray[Any]

DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
KERNELS = ["bool", "int8", "int16", "int32", "int64"]  # signed and unsigned ones share theirs

# Around the widths of vectors, tiles and panels; words of four bytes; blocks of k and of columns.
SHAPES = [
    (1, 1, 1),
    (1, 300, 1),
    (5, 70, 1),
    (1, 70, 131),
    (2, 33, 3),
    (3, 4, 5),
    (4, 1, 64),
    (7, 17, 15),
    (16, 16, 16),
    (17, 19, 33),
    (20, 130, 65),
    (33, 66, 129),
    (131, 515, 70),
    (18, 20, 2100),
    (6, 1030, 40),
]


def operand(rng: np.random.Generator, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return every value of the dtype alike; of truth values few, so that both results occur."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.1
    size = int(np.prod(shape)) * dtype.itemsize
    return rng.integers(0, 256, size, dtype=np.uint8).view(dtype).reshape(shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_to_numpy(rng, isa, dtype, shape):
    m, k, n = shape
    a, b = operand(rng, (m, k), dtype), operand(rng, (k, n), dtype)
    assert_array_equal(multiply(a, b, isa=isa), a @ b)


@pytest.mark.parametrize("dtype", KERNELS)
def test_layouts(rng, isa, dtype):
    for m, k, n in [(1, 65, 70), (70, 65, 1), (2, 40, 37), (37, 40, 2), (19, 150, 69)]:
        a, b = operand(rng, (m, k), dtype), operand(rng, (k, n), dtype)
        expected = a @ b
        for a_layout in LAYOUTS:
            for b_layout in LAYOUTS:
                out = rng.choice(LAYOUTS)(operand(rng, (m, n), dtype))
                x, y = a_layout(a), b_layout(b)
                assert_array_equal(multiply(x, y, out, isa=isa), expected)


@pytest.mark.parametrize("dtype", KERNELS)
@pytest.mark.parametrize(
    "shape", [(1, 40, 66), (66, 40, 1), (5, 300, 17), (20, 700, 70), (8, 0, 9)]
)
@pytest.mark.parametrize("layout", [np.ascontiguousarray, fortran, spread])
def test_accumulate(rng, isa, dtype, shape, layout):
    m, k, n = shape
    a, b, c = (operand(rng, s, dtype) for s in ((m, k), (k, n), (m, n)))
    expected = c | a @ b if dtype == "bool" else c + a @ b
    out = layout(c)
    assert_array_equal(multiply(a, b, out, isa=isa, accumulate=True), expected)


@pytest.mark.parametrize("dtype", KERNELS)
def test_neighbours_stay(rng, isa, dtype):
    """Nothing is written between or beside the elements of c."""
    for m, n in [(3, 5), (17, 35), (20, 130)]:
        a, b = operand(rng, (m, 21), dtype), operand(rng, (21, n), dtype)
        for step in (1, 2):
            room = operand(rng, (m + 2, (n + 2) * step), dtype)
            before, inside = room.copy(), (slice(1, m + 1), slice(step, (n + 1) * step, step))
            multiply(a, b, room[inside], isa=isa)
            before[inside] = a @ b
            assert_array_equal(room, before)


@pytest.mark.parametrize("dtype", KERNELS)
def test_broadcast_operands(rng, isa, dtype):
    row, column = operand(rng, (1, 50), dtype), operand(rng, (50, 1), dtype)
    a, b = np.broadcast_to(row, (21, 50)), np.broadcast_to(column, (50, 36))
    assert_array_equal(multiply(a, b, isa=isa), a @ b)


def test_no_columns_no_rows(isa):
    for m, n in [(0, 3), (3, 0), (0, 0)]:
        empty = multiply(np.ones((m, 4), np.int32), np.ones((4, n), np.int32), isa=isa)
        assert empty.shape == (m, n)


def test_truth_does_not_wrap_around(isa):
    """As many true terms as there are values of the lanes."""
    for k in (256, 65536):
        a, b = np.ones((20, k), bool), np.ones((k, 70), bool)
        assert multiply(a, b, isa=isa).all()


def test_truth_is_any_byte_but_zero(isa, rng):
    values = np.array([0, 0, 0, 1, 2, 4, 128, 255], np.uint8)
    a, b = rng.choice(values, (19, 40)), rng.choice(values, (40, 70))
    for x, y in [(a, b), (a[:1], b), (a, b[:, :1])]:
        got = multiply(x.view(bool), y.view(bool), isa=isa)
        assert_array_equal(got.view(np.uint8), ((x != 0) @ (y != 0)).astype(np.uint8))


@pytest.mark.parametrize("dtype", KERNELS)
def test_threads_and_stacks(rng, dtype, set_threads):
    a, b = operand(rng, (3, 150, 130), dtype), operand(rng, (3, 130, 140), dtype)
    expected = np.matmul(a, b)
    for threads in (1, 2, 3):
        set_threads(threads)
        assert_array_equal(vk.matmul(a, b), expected)
        assert_array_equal(vk.matmul(a[0], b[0]), expected[0])
