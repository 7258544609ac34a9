"""Products of elements that lie apart: those of contiguous copies; of truth values, NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk


def layouts(x):
    """Yield a matrix with steps of its own along both axes."""
    yield np.repeat(x, 2, 1)[:, ::2]
    yield x[:, ::-1].copy()[:, ::-1]
    yield np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, 1::3]


@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("shape", [(1, 300, 70), (2, 257, 65), (4, 600, 33), (3, 1000, 32)])
def test_few_rows_of_complex_numbers(rng, dtype, shape):
    """The bits are those of a product that is not short of rows, too."""
    m, k, n = shape
    a, b = (
        (rng.standard_normal(s) + 1j * rng.standard_normal(s)).astype(dtype)
        for s in ((m, k), (k, n))
    )
    many = np.matmul(np.repeat(a, 8, 0)[:8], b)
    assert np.allclose(vk.matmul(a, b)[0], many[0], rtol=1e-3 if dtype == "c8" else 1e-10)
    for y in layouts(b):
        for x in (a, np.asfortranarray(a)):
            assert_array_equal(vk.matmul(x, y), vk.matmul(a, b))
            out = np.empty((n, m), dtype).T
            assert_array_equal(vk.matmul(x, y, out=out), vk.matmul(a, b))
        assert_array_equal(vk.vecmat(a[0], y), vk.vecmat(a[0], b))


@pytest.mark.parametrize("k", [255, 256, 300, 1000])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (20, 20)])
def test_truth_is_found_wherever_it_is(rng, k, shape):
    """Pairs of true values among the first steps, later, or nowhere; any byte may be true."""
    m, n = shape
    for place in (None, 0, 62, 63, 64, 65, k - 1):
        a, b = np.zeros((m, k), "u1"), np.zeros((k, n), "u1")
        a[:, ::2] = 1
        b[1::2] = 2  # no pair
        if place is not None:
            a[m - 1, place], b[place, n - 1] = 4, 8
        for x in (a, np.asfortranarray(a), np.repeat(a, 2, 1)[:, ::2]):
            for y in (b, np.asfortranarray(b), *layouts(b)):
                expected = np.matmul((a != 0), (b != 0))
                result = vk.matmul(x.view("?"), y.view("?"))
                assert result.dtype == bool
                assert_array_equal(result.view("u1"), expected)
    a, b = rng.random((m, k)) < 0.5, rng.random((k, n)) < 0.5
    for y in layouts(b):
        assert_array_equal(vk.matmul(a[:, ::-1], y[::-1]).view("u1"), np.matmul(a, b))
