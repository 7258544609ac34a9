"""The float products as the C drivers see them: order of sums, layouts, packing, threads."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from vekt._kernels import ffi, lib

from vekt import _native

Array = npt.NDArray[Any]

RUN: int = lib.VEKT_PRODUCT_RUN
FUSED = ("x86_v4", "x86_v3", "neon")  # where v_mad rounds once
BEST = _native.SUPPORTED[0]
DTYPES = (np.float32, np.float64)


def kind(dtype: npt.DTypeLike) -> int:
    return int(lib.VEKT_PRODUCT_F32 if np.dtype(dtype) == np.float32 else lib.VEKT_PRODUCT_F64)


def set_matrix(matrix: Any, x: Array) -> None:
    matrix.data = ffi.cast("char *", x.ctypes.data)
    matrix.row, matrix.col = x.strides


def multiply(
    a: Array,
    b: Array,
    out: Array | None = None,
    *,
    isa: str = BEST,
    accumulate: bool = False,
    packed: bool = False,
    serial: bool = True,
) -> Array:
    """Return a @ b, in `out` if given, by one call of the driver."""
    target = _native.TARGETS[isa]
    if out is None:
        out = np.full((a.shape[0], b.shape[1]), np.nan, a.dtype)
    product = ffi.new("vekt_product *")
    product.m, product.k = a.shape
    product.n = b.shape[1]
    set_matrix(product.a, a)
    set_matrix(product.b, b)
    set_matrix(product.c, out)
    product.accumulate = accumulate
    if packed:
        size = lib.vekt_packed_bytes(target, kind(a.dtype), *b.shape)
        memory = np.empty(size // 8 + 8, np.float64)
        start = memory.ctypes.data + -memory.ctypes.data % 64
        b_matrix = ffi.addressof(product, "b")
        lib.vekt_pack(target, kind(a.dtype), ffi.cast("void *", start), b_matrix, *b.shape)
        product.packed = ffi.cast("void *", start)
        product.b.data = ffi.NULL
    driver = lib.vekt_matmul_serial if serial else lib.vekt_matmul
    assert driver(target, kind(a.dtype), product) == 0
    return out


def operands(
    rng: np.random.Generator, m: int, k: int, n: int, dtype: npt.DTypeLike
) -> tuple[Array, Array]:
    return (
        rng.standard_normal((m, k)).astype(dtype),
        rng.standard_normal((k, n)).astype(dtype),
    )


def same_bits(x: Array, y: Array) -> bool:
    return np.ascontiguousarray(x).tobytes() == np.ascontiguousarray(y).tobytes()


def fused(x: Array, y: Array, z: Array) -> Array:
    """Return x*y + z, rounded once."""
    if x.dtype == np.float32:  # of 64 bits or more, a second rounding is as good as never seen
        wide = x.astype(np.longdouble) * y + z
        return np.asarray(wide.astype(np.float32))
    exact = np.frompyfunc(lambda u, v, w: float(Fraction(u) * Fraction(v) + Fraction(w)), 3, 1)
    return np.asarray(exact(x, y, z).astype(np.float64))


def by_contract(a: Array, b: Array, c: Array | None, isa: str) -> Array:
    """Return the product in the order of sums that csrc/matmul.h lays down."""
    for first in range(0, a.shape[1], RUN):
        run = np.zeros((a.shape[0], b.shape[1]), a.dtype)
        for p in range(first, min(first + RUN, a.shape[1])):
            x, y = np.broadcast_arrays(a[:, p, None], b[None, p, :])
            run = fused(x, y, run) if isa in FUSED else x * y + run
        c = run if c is None else c + run
    assert c is not None
    return c


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "k", "n"), [(17, 1, 5), (3, 30, 33), (15, 2 * RUN + 3, 2)])
def test_order_of_sums(rng, isa, dtype, m, k, n):
    a, b = operands(rng, m, k, n, dtype)
    c = rng.standard_normal((m, n)).astype(dtype)
    assert same_bits(multiply(a, b, isa=isa), by_contract(a, b, None, isa))
    into = multiply(a, b, c.copy(), isa=isa, accumulate=True)
    assert same_bits(into, by_contract(a, b, c, isa))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [*range(2, 36), 47, 64, 65, 96, 97, 127, 128, 161])
def test_exact_on_small_integers(rng, isa, dtype, size):
    m, k, n = size + 1, size, 2 * size - 1
    a = rng.integers(-9, 10, (m, k))
    b = rng.integers(-9, 10, (k, n))
    c = multiply(a.astype(dtype), b.astype(dtype), isa=isa)
    np.testing.assert_array_equal(c, a @ b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("m", "k", "n"), [(300, 300, 300), (31, 1100, 70), (200, 600, 999), (150, 9, 2100)]
)
def test_exact_over_several_blocks(rng, isa, dtype, m, k, n):
    a = rng.integers(-9, 10, (m, k)).astype(dtype)
    b = rng.integers(-9, 10, (k, n)).astype(dtype)
    np.testing.assert_array_equal(
        multiply(a, b, isa=isa), a.astype(np.float64) @ b.astype(np.float64)
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_does_not_depend_on_its_batch(rng, isa, dtype):
    a, b = operands(rng, 400, 700, 150, dtype)
    whole = multiply(a, b, isa=isa)
    for rows in (
        slice(0, 1),
        slice(5, 7),
        slice(100, 107),
        slice(3, 14),
        slice(17, 40),
        slice(399, 400),
    ):
        assert same_bits(multiply(a[rows], b, isa=isa), whole[rows]), rows


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_column_does_not_depend_on_its_neighbours(rng, isa, dtype):
    a, b = operands(rng, 40, 300, 200, dtype)
    whole = multiply(a, b, isa=isa)
    for columns in (slice(0, 2), slice(31, 34), slice(15, 80), slice(100, 200)):
        assert same_bits(multiply(a, b[:, columns], isa=isa), whole[:, columns]), columns


def fortran(x: Array) -> Array:
    return np.asfortranarray(x)


def padded(x: Array) -> Array:
    room = np.zeros((x.shape[0], x.shape[1] + 5), x.dtype)
    room[:, 3:-2] = x
    return room[:, 3:-2]


def spread(x: Array) -> Array:
    room = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    room[1::2, 2::3] = x
    return room[1::2, 2::3]


def backward(x: Array) -> Array:
    return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]


def misaligned(x: Array) -> Array:
    room = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    room[...] = x
    return room


def aliasing(x: Array) -> Array:
    """Rows a multiple of 4 KB apart."""
    room = np.zeros((x.shape[0], -(-x.shape[1] // 1024) * 1024), x.dtype)
    room[:, : x.shape[1]] = x
    return room[:, : x.shape[1]]


def aliasing_columns(x: Array) -> Array:
    return aliasing(np.ascontiguousarray(x.T)).T


LAYOUTS: tuple[Callable[[Array], Array], ...] = (
    np.ascontiguousarray,
    fortran,
    padded,
    spread,
    backward,
    misaligned,
    aliasing,
    aliasing_columns,
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(("m", "k", "n"), [(29, 270, 37), (150, 33, 200)])
def test_same_bits_in_every_layout(rng, isa, dtype, accumulate, m, k, n):
    a, b = operands(rng, m, k, n, dtype)
    c = rng.standard_normal((m, n)).astype(dtype)
    expected = multiply(a, b, c.copy(), isa=isa, accumulate=accumulate)
    for position in range(3):
        for change in LAYOUTS:
            arrays = [a, b, c.copy()]
            arrays[position] = change(arrays[position])
            result = multiply(arrays[0], arrays[1], arrays[2], isa=isa, accumulate=accumulate)
            assert same_bits(result, expected), (position, change.__name__)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_is_written_between_the_elements(rng, isa, dtype):
    a, b = operands(rng, 31, 40, 45, dtype)
    for steps in ((1, 1), (1, 2), (2, 3)):
        for transpose in (False, True):
            room = np.full((33 * steps[0], 47 * steps[1]), 7, dtype)
            out = room[steps[0] :: steps[0], steps[1] :: steps[1]][:31, :45]
            if transpose:
                room = np.full((47 * steps[1], 33 * steps[0]), 7, dtype)
                out = room.T[steps[0] :: steps[0], steps[1] :: steps[1]][:31, :45]
            multiply(a, b, out, isa=isa)
            out[...] = 7
            assert (room == 7).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_broadcast_operands(rng, isa, dtype):
    row, column = operands(rng, 1, 50, 1, dtype)
    a, b = np.broadcast_to(row, (40, 50)), np.broadcast_to(column, (50, 60))
    expected = multiply(a.copy(), b.copy(), isa=isa)
    assert same_bits(multiply(a, b, isa=isa), expected)
    one = np.broadcast_to(dtype(0.1), (40, 50))
    assert same_bits(multiply(one, b, isa=isa), multiply(one.copy(), b.copy(), isa=isa))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "k", "n"), [(1, 40, 70), (5, 300, 33), (99, 600, 98), (40, 20, 16), (40, 300, 1)])
def test_packed_weights_give_the_same_bits(rng, isa, dtype, m, k, n):
    a, b = operands(rng, m, k, n, dtype)
    expected = multiply(a, b, isa=isa)
    for change in LAYOUTS:
        assert same_bits(multiply(a, change(b), isa=isa, packed=True), expected), change.__name__
    out = np.zeros((m, n), dtype, order="F")
    assert same_bits(multiply(a, b, out, isa=isa, packed=True), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits_on_instruction_sets_with_fma(rng, dtype):
    a, b = operands(rng, 60, 700, 100, dtype)
    results = [multiply(a, b, isa=isa) for isa in _native.SUPPORTED if isa in FUSED]
    assert all(same_bits(results[0], other) for other in results[1:])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [(256, 256, 256), (40, 700, 257), (500, 300, 129), (3000, 70, 30), (1, 999, 3000)],
)
def test_same_bits_for_any_number_of_threads(rng, set_threads, dtype, packed, m, k, n):
    a, b = operands(rng, m, k, n, dtype)
    expected = multiply(a, b)
    for threads in (1, 2, 3, 5):
        set_threads(threads)
        assert same_bits(multiply(a, b, packed=packed, serial=False), expected), threads
        out = np.zeros((m, n), dtype, order="F")
        assert same_bits(multiply(a, b, out, serial=False), expected), threads


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("count", "size"), [(0, 4), (1, 5), (5, 200), (700, 8), (3000, 13)])
def test_stacks(rng, isa, set_threads, threads, count, size):
    set_threads(threads)
    a, b = rng.standard_normal((2, count, size, size), np.float32)
    out = np.zeros((count, size, size), np.float32)
    product = ffi.new("vekt_product *")
    product.m = product.k = product.n = size
    if count:
        for matrix, x in ((product.a, a), (product.b, b), (product.c, out)):
            set_matrix(matrix, x[0])
    steps = [x.strides[0] for x in (a, b, out)]
    target = _native.TARGETS[isa]
    assert lib.vekt_matmul_stack(target, lib.VEKT_PRODUCT_F32, product, count, steps) == 0
    for i in range(0, count, max(1, count // 7)):
        assert same_bits(out[i], multiply(a[i], b[i], isa=isa))


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_steps_of_k(isa, dtype):
    a, b = np.zeros((20, 0), dtype), np.zeros((0, 40), dtype)
    assert (multiply(a, b, isa=isa) == 0).all()
    c = np.full((20, 40), 3, dtype)
    assert (multiply(a, b, c, isa=isa, accumulate=True) == 3).all()


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 3, 0), (0, 0, 0)])
def test_nothing_to_do(isa, shape):
    m, k, n = shape
    assert multiply(np.zeros((m, k)), np.zeros((k, n)), isa=isa).shape == (m, n)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_gigabytes_apart(rng, isa, dtype):
    """Steps that overflow 32 bits; a view of one's own memory backwards and forwards."""
    a, b = operands(rng, 2, 40, 40, dtype)
    far = np.lib.stride_tricks.as_strided(a[0], (1, 40), (2**40, a.itemsize))
    assert same_bits(multiply(far, b, isa=isa), multiply(a[:1], b, isa=isa))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_special_values_stay_in_their_row_and_column(rng, isa, value):
    a, b = operands(rng, 30, 20, 50, np.float32)
    a[7, 3] = value
    c = multiply(a, b, isa=isa)
    assert not np.isfinite(c[7]).any()
    assert np.isfinite(np.delete(c, 7, axis=0)).all()
    b[11, 44] = value
    c = multiply(a, b, isa=isa)
    assert not np.isfinite(c[:, 44]).any()


@pytest.mark.parametrize("k", [64, 500, 4096])
def test_error_bound(rng, isa, k):
    """gamma_k |A||B|; long sums no more than a tenth above the error of NumPy's BLAS."""
    a, b = operands(rng, 30, k, 40, np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    error = multiply(a, b, isa=isa) - exact
    unit = k * 2.0**-24
    bound = unit / (1 - unit) * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64))
    assert (np.abs(error) <= bound).all()
    if k > RUN:
        assert np.sqrt(np.mean(error**2)) <= 1.1 * np.sqrt(np.mean((a @ b - exact) ** 2))
