"""One column, few rows, small products and stacks of them: kernels of their own, the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from products import (
    DTYPES,
    LAYOUTS,
    RUN,
    Array,
    by_contract,
    multiply,
    multiply_stack,
    operands,
    same_bits,
)
from vekt._kernels import lib

from vekt._core import native

BLOCK: int = lib.VEKT_DOT_BLOCK


def short(*arrays: Array) -> list[Array]:
    """Round to so few digits that products are exact and the definition is quick to check."""
    return [(np.round(x * 2**20) / 2**20).astype(x.dtype) for x in arrays]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(
    ("m", "k", "n"),
    [
        *((m, k, n) for m in range(1, 6) for k, n in ((3, 2), (40, 17), (RUN + 44, 70))),
        *((n, n, n) for n in (2, 4, 7, 8, 9, 15, 16, 17, 31, 32)),
        (3, 9, 5000),
        (1, 4 * RUN + 6, 33),
        (32, 31, 20),
        (15, 1, 32),
        (32, 64, 32),
    ],
)
def test_the_order_of_sums(rng, isa, dtype, accumulate, m, k, n):
    a, b, c = short(*operands(rng, m, k, n, dtype), rng.standard_normal((m, n)).astype(dtype))
    for right in (b, np.asfortranarray(b)):
        if accumulate:
            result = multiply(a, right, c.copy(), isa=isa, accumulate=True)
            assert same_bits(result, by_contract(a, b, c, isa))
        else:
            assert same_bits(multiply(a, right, isa=isa), by_contract(a, b, None, isa))


@pytest.mark.parametrize("dtype", DTYPES)
def test_few_rows_of_a_matrix_beyond_the_cache(rng, isa, dtype):
    a, b = operands(rng, 12, RUN + 13, 2051, dtype)
    for right in (b, np.asfortranarray(b)):
        whole = multiply(a, right, isa=isa)
        for m in range(1, 5):
            assert same_bits(multiply(a[:m], right, isa=isa), whole[:m]), m


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("accumulate", [False, True])
def test_one_row_by_dots(rng, isa, dtype, accumulate):
    """One that need not be invariant is the column of b^T a^T."""
    a, b = operands(rng, 1, 2 * RUN + 13, 523, dtype)
    columns, c = np.asfortranarray(b), rng.standard_normal((1, 523)).astype(dtype)
    options = {"isa": isa, "accumulate": accumulate}
    expected = multiply(columns.T, a.T, c.T.copy(), **options).T
    assert not same_bits(expected, multiply(a, columns, c.copy(), **options))
    for change in LAYOUTS:
        for left, out in ((change(a), c.copy()), (a, change(c.copy()))):
            got = multiply(left, columns, out, invariant=False, **options)
            assert same_bits(got, expected), change.__name__
    part = multiply(a, columns[:, 7:30], c[:, 7:30].copy(), invariant=False, **options)
    assert same_bits(part, expected[:, 7:30])


@pytest.mark.parametrize("dtype", DTYPES)
def test_more_rows_and_short_ones_stay_invariant(rng, isa, dtype):
    a, b = operands(rng, 2, RUN + 13, 70, dtype)
    columns = np.asfortranarray(b)
    assert same_bits(multiply(a, columns, isa=isa, invariant=False), multiply(a, b, isa=isa))
    row, short = a[:1, :64], np.asfortranarray(b[:64])
    assert same_bits(multiply(row, short, isa=isa, invariant=False), multiply(row, short, isa=isa))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(
    ("m", "k", "n"), [(1, 300, 50), (3, 40, 70), (4, 19, 33), (9, 9, 9), (32, 20, 31), (70, 90, 1)]
)
def test_same_bits_in_every_layout(rng, isa, dtype, accumulate, m, k, n):
    a, b = operands(rng, m, k, n, dtype)
    c = rng.standard_normal((m, n)).astype(dtype)
    expected = multiply(a, b, c.copy(), isa=isa, accumulate=accumulate)
    for change_a in LAYOUTS:
        for change_b in LAYOUTS:
            result = multiply(change_a(a), change_b(b), c.copy(), isa=isa, accumulate=accumulate)
            assert same_bits(result, expected), (change_a, change_b)
    for change_c in LAYOUTS:
        result = multiply(a, b, change_c(c.copy()), isa=isa, accumulate=accumulate)
        assert same_bits(result, expected), change_c


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [1, 3, 16, 65, 520])
@pytest.mark.parametrize("k", [1, 2, 30, 64, 65, 130, 700])
def test_a_column_is_a_dot_product_for_each_row(rng, isa, dtype, m, k):
    a, x = operands(rng, m, k, 1, dtype)
    dot = native.build("dot", isa)
    expected = np.array([[dot(row, x[:, 0])] for row in a])
    for change in LAYOUTS:
        assert same_bits(multiply(change(a), x, isa=isa), expected), change
        assert same_bits(multiply(a, change(x), isa=isa), expected), change
    c = rng.standard_normal((m, 1)).astype(dtype)
    assert same_bits(multiply(a, x, c.copy(), isa=isa, accumulate=True), c + expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_a_long_column(rng, isa, dtype, k):
    a, x = operands(rng, 19, k, 1, dtype)
    dot = native.build("dot", isa)
    expected = np.array([[dot(row, x[:, 0])] for row in a])
    wide = np.repeat(a, 2, axis=1)[:, ::2]
    for left in (a, np.asfortranarray(a), wide):
        assert same_bits(multiply(left, x, isa=isa), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [2, 30, 65, 72, 80])
def test_negative_zero_is_the_same_in_all_ways(isa, dtype, k):
    tiny = np.finfo(dtype).tiny
    a, x = np.full((17, k), -tiny, dtype), np.full((k, 1), tiny)
    zero = np.zeros((17, 1), dtype)
    assert same_bits(multiply(a, x, isa=isa), zero)
    assert same_bits(multiply(np.asfortranarray(a), x, isa=isa), zero)
    assert not np.signbit(native.build("dot", isa)(a[0], x[:, 0]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(8, 8, 8), (9, 9, 9), (3, 5, 2), (2, 7, 1), (3, 80, 40)])
@pytest.mark.parametrize("turned", [False, True])
def test_stacks(rng, isa, dtype, shape, turned):
    m, k, n = shape
    a = rng.standard_normal((5, m, k)).astype(dtype)
    b = rng.standard_normal((5, k, n)).astype(dtype)
    out = np.full((5, m, n), np.nan, dtype)
    if turned:
        b, out = (np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2) for x in (b, out))
    multiply_stack(a, b, out, isa=isa)
    for i in range(5):
        assert same_bits(out[i], multiply(a[i], b[i], isa=isa))
    one = np.broadcast_to(b[:1], b.shape)
    multiply_stack(a[::-1], one, out[::-1], isa=isa)
    for i in range(5):
        assert same_bits(out[i], multiply(a[i], b[0], isa=isa))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0, 5e-324])
@pytest.mark.parametrize(("m", "k", "n"), [(1, 70, 40), (3, 300, 40), (9, 9, 9), (20, 70, 1)])
def test_special_values_stay_in_their_row_and_column(rng, isa, dtype, value, m, k, n):
    a, b = (np.abs(x) for x in operands(rng, m, k, n, dtype))
    plain = multiply(a, b, isa=isa)
    for layout in (np.ascontiguousarray, np.asfortranarray):
        special = a.copy()
        special[-1, k - 1] = value
        result = multiply(layout(special), layout(b), isa=isa)
        assert same_bits(result[:-1], plain[:-1])
        assert np.all(np.isnan(result[-1]) if np.isnan(value) else ~np.isnan(result[-1]))
        special = b.copy()
        special[k - 1, -1] = value
        result = multiply(layout(a), layout(special), isa=isa)
        assert same_bits(result[:, :-1], plain[:, :-1])
        assert np.all(np.isnan(result[:, -1]) if np.isnan(value) else ~np.isnan(result[:, -1]))
