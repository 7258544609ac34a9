"""reduce, accumulate, outer and at of the raw ufuncs work element after element."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk

BINARY = [
    name
    for name in ("elu", "leaky_relu", "relu_backward", "sigmoid_backward_from_output", "swiglu")
    if getattr(vk.ufuncs, name).nin == 2
]


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_reduce_and_accumulate(kernels, name, dtype, rng):
    ufunc = kernels[name]
    x = rng.normal(1, 0.3, 50).astype(dtype)
    running = [x[0]]
    for value in x[1:]:
        running.append(ufunc(running[-1], value))
    assert_array_equal(ufunc.accumulate(x), np.array(running))
    assert_array_equal(ufunc.reduce(x), running[-1])


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("axis", [0, 1])
def test_along_an_axis(kernels, name, axis, rng):
    ufunc = kernels[name]
    table = rng.normal(1, 0.3, (6, 70))
    lines = table if axis == 1 else table.T
    expected = np.array([ufunc.accumulate(line.copy()) for line in lines])
    assert_array_equal(ufunc.reduce(table, axis=axis), expected[:, -1])
    accumulated = ufunc.accumulate(table, axis=axis)
    assert_array_equal(accumulated if axis == 1 else accumulated.T, expected)


@pytest.mark.parametrize("name", BINARY)
def test_outer(kernels, name, rng):
    ufunc = kernels[name]
    a, b = rng.normal(size=(2, 30))
    assert_array_equal(ufunc.outer(a, b), ufunc(a[:, None], b[None, :]))


@pytest.mark.parametrize("name", BINARY)
def test_at(kernels, name, rng):
    ufunc = kernels[name]
    x, y = rng.normal(size=(2, 10))
    index = [3, 3, 0, 9]
    expected = x.copy()
    for i in index:
        expected[i] = ufunc(expected[i], y[i])
    ufunc.at(x, index, y[index])
    assert_array_equal(x, expected)


def test_at_of_one_operand(kernels):
    x = np.array([-1.0, 2.0, -3.0])
    kernels["relu"].at(x, [0, 1])
    assert_array_equal(x, [0, 2, -3])
