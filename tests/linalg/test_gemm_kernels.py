"""The float products as the C drivers see them: order of sums, layouts, packing, threads."""

from __future__ import annotations

import numpy as np
import pytest
from products import (
    DTYPES,
    FUSED,
    LAYOUTS,
    RUN,
    by_contract,
    multiply,
    multiply_stack,
    operands,
    same_bits,
)

from vekt._core import native


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
@pytest.mark.parametrize(
    ("m", "k", "n"), [(1, 40, 70), (5, 300, 33), (99, 600, 98), (40, 20, 16), (40, 300, 1)]
)
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
    results = [multiply(a, b, isa=isa) for isa in native.SUPPORTED if isa in FUSED]
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
    multiply_stack(a, b, out, isa=isa)
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


@pytest.mark.parametrize(
    ("m", "k", "n"), [(30, 64, 40), (30, 500, 40), (30, 4096, 40), (32, 784, 128)]
)
def test_error_bound(rng, isa, m, k, n):
    """gamma_k |A||B|; long sums near the error of NumPy's BLAS, whose order each processor has."""
    a, b = operands(rng, m, k, n, np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    error = multiply(a, b, isa=isa) - exact
    unit = k * 2.0**-24
    bound = unit / (1 - unit) * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64))
    assert (np.abs(error) <= bound).all()
    if k > RUN:
        assert np.sqrt(np.mean(error**2)) <= 1.25 * np.sqrt(np.mean((a @ b - exact) ** 2))
