"""Products of 16-bit floats and of complex numbers: proven bounds, layouts, special values."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from numpy.testing import assert_array_equal
from products import LAYOUTS, multiply

import vekt as vk

Array = npt.NDArray[Any]

HALVES = [np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)]
COMPLEX = [np.dtype(np.complex64), np.dtype(np.complex128)]

# Around the blocks of planes.h: 512 rows and columns, one more at the end, and a run of k.
SHAPES = [
    (1, 1, 1),
    (1, 600, 1),
    (130, 33, 1),
    (1, 70, 131),
    (3, 4, 5),
    (16, 16, 16),
    (33, 257, 31),
    (65, 520, 70),
    (515, 33, 9),
    (5, 19, 513),
    (9, 20, 1030),
]


def operand(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def gamma(k: int, bits: int) -> float:
    """Return the bound of the relative error of k roundings to so many bits."""
    roundings = k * 2.0**-bits
    return roundings / (1 - roundings)


def assert_rounded_once(got: Array, a: Array, b: Array, c: Array | None = None) -> None:
    """Assert that `got` is a b + c, summed in float32 in any order, then rounded to its dtype.

    Both roundings are monotonic: the result lies between those of the ends of the interval that
    holds every float32 sum.  Products of 16-bit floats are exact in float64.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)
    z = np.zeros(()) if c is None else c.astype(np.float64)
    slack = gamma(a.shape[1] + 1, 24) * (abs(x) @ abs(y) + abs(z))
    with np.errstate(over="ignore"):
        low, high = ((x @ y + z + sign * slack).astype(got.dtype) for sign in (-1, 1))
    assert (low <= got).all()
    assert (got <= high).all()


def assert_close(got: Array, a: Array, b: Array, c: Array | None = None) -> None:
    """Assert that the real and the imaginary parts are sums of 2k products each."""
    wide = np.clongdouble
    exact = a.astype(wide) @ b.astype(wide) + (0 if c is None else c)
    parts, factors = ((abs(x.real), abs(x.imag)) for x in (a, b))
    size = [parts[0] @ factors[0] + parts[1] @ factors[1]]
    size += [parts[0] @ factors[1] + parts[1] @ factors[0]]
    bound = gamma(2 * a.shape[1] + 2, 24 if got.dtype == np.complex64 else 53)
    for i, part in enumerate(("real", "imag")):
        start = 0 if c is None else abs(getattr(c, part))
        error = abs(getattr(got.astype(wide) - exact, part))
        assert (error <= bound * (size[i] + start)).all()


def check(got: Array, a: Array, b: Array, c: Array | None = None) -> None:
    (assert_close if got.dtype.kind == "c" else assert_rounded_once)(got, a, b, c)


@pytest.mark.parametrize("dtype", HALVES + COMPLEX, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_within_the_bound(rng, isa, dtype, shape):
    m, k, n = shape
    a, b, c = (operand(rng, s, dtype) for s in ((m, k), (k, n), (m, n)))
    check(multiply(a, b, isa=isa), a, b)
    check(multiply(a, b, c.copy(), isa=isa, accumulate=True), a, b, c)


@pytest.mark.parametrize("dtype", HALVES + COMPLEX, ids=str)
def test_layouts(rng, isa, dtype):
    for m, k, n in [(1, 65, 70), (70, 65, 1), (19, 150, 69)]:
        a, b = operand(rng, (m, k), dtype), operand(rng, (k, n), dtype)
        expected = multiply(a, b, isa=isa)
        for a_layout in LAYOUTS:
            for b_layout in LAYOUTS:
                out = rng.choice(LAYOUTS)(np.zeros((m, n), dtype))
                got = multiply(a_layout(a), b_layout(b), out, isa=isa)
                assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", HALVES + COMPLEX, ids=str)
def test_neighbours_stay(rng, isa, dtype):
    a, b = operand(rng, (17, 21), dtype), operand(rng, (21, 35), dtype)
    for step in (1, 2):
        room = operand(rng, (19, 37 * step), dtype)
        before, inside = room.copy(), (slice(1, 18), slice(step, 36 * step, step))
        multiply(a, b, room[inside], isa=isa)
        before[inside] = multiply(a, b, isa=isa)
        assert_array_equal(room, before)


@pytest.mark.parametrize("dtype", HALVES + COMPLEX, ids=str)
def test_sums_that_are_exact(isa, dtype):
    """Small integers: every float32 sum is exact, and the results are those of integers."""
    a = np.arange(30 * 70).reshape(30, 70) % 5 - 2
    b = np.arange(70 * 40).reshape(70, 40) % 3 - 1
    assert_array_equal(multiply(a.astype(dtype), b.astype(dtype), isa=isa), (a @ b).astype(dtype))


def test_sums_beyond_the_format(isa):
    """What float16 does not hold on the way is no loss where the result fits."""
    a = np.array([[300, 300, 300, -300]], np.float16)
    b = np.array([[300, 0.001], [300, 0.001], [-300, 0.001], [300, 0.001]], np.float16)
    got = multiply(a, b, isa=isa)
    assert_array_equal(got[0, 0], 0)
    assert_rounded_once(got, a, b)
    large = np.full((1, 3), 300, np.float16)
    assert np.isposinf(multiply(large, large.T.copy(), isa=isa))


@pytest.mark.parametrize("dtype", HALVES + COMPLEX, ids=str)
def test_no_terms(isa, dtype):
    a, b = np.ones((4, 0), dtype), np.ones((0, 5), dtype)
    assert_array_equal(multiply(a, b, isa=isa), np.zeros((4, 5), dtype))
    c = np.full((4, 5), 3, dtype)
    assert_array_equal(multiply(a, b, c.copy(), isa=isa, accumulate=True), c)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_special_values(isa, dtype):
    a = np.ones((4, 20), dtype)
    a[0, 3], a[1, 7], a[2, 5], a[2, 6] = np.nan, np.inf, np.inf, -np.inf
    tiny = np.finfo(np.float16).smallest_subnormal if dtype == np.float16 else 1e-40
    a[3] = 0
    a[3, 9] = tiny
    got = multiply(a, np.ones((20, 33), dtype), isa=isa)
    assert np.isnan(got[0]).all()
    assert np.isposinf(got[1]).all()
    assert np.isnan(got[2]).all()
    assert_array_equal(got[3], np.full(33, tiny).astype(dtype))


@pytest.mark.parametrize("dtype", HALVES + COMPLEX, ids=str)
def test_bits_do_not_depend_on_the_batch(rng, isa, dtype):
    a, b = operand(rng, (200, 300), dtype), operand(rng, (300, 40), dtype)
    whole = multiply(a, b, isa=isa)
    for rows in (slice(0, 1), slice(30, 37), slice(3, 190)):
        assert_array_equal(multiply(a[rows], b, isa=isa), whole[rows])


@pytest.mark.parametrize("dtype", HALVES + COMPLEX, ids=str)
def test_bits_do_not_depend_on_the_threads(rng, dtype, set_threads):
    a, b = operand(rng, (260, 270), dtype), operand(rng, (270, 300), dtype)
    set_threads(1)
    expected = vk.matmul(a, b)
    for threads in (2, 3):
        set_threads(threads)
        assert_array_equal(vk.matmul(a, b), expected)
