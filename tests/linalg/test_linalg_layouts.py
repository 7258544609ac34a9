"""The products of arrays in any layout: the bits of contiguous ones, and NumPy's answers."""

from __future__ import annotations

import math
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core import native

NAMES = ["matmul", "vecdot", "matvec", "vecmat"]
CORES = {"matmul": ("nk", "km"), "vecdot": ("k", "k"), "matvec": ("nk", "k"), "vecmat": ("k", "km")}


def misaligned(x):
    raw = np.empty(x.nbytes + 1, np.uint8)[1:]
    moved = raw.view(x.dtype).reshape(x.shape)
    moved[...] = x
    return moved


def spread(x):
    """Every second element along each axis, from the last one on."""
    wide = np.ones([2 * n for n in x.shape], x.dtype)
    part = wide[(slice(None, None, -2),) * x.ndim]
    part[...] = x
    return part


def within(x):
    """Part of the rows of a wider array."""
    wide = np.ones([*x.shape[:-1], x.shape[-1] + 5], x.dtype) if x.ndim else np.ones(6, x.dtype)
    part = wide[..., 2 : 2 + x.shape[-1]] if x.ndim else wide[2]
    part[...] = x
    return part


LAYOUTS = {
    "contiguous": lambda x: x,
    "Fortran": lambda x: x.copy("F"),
    "turned": lambda x: np.flip(np.flip(x).copy()),
    "last axis turned": lambda x: x[..., ::-1].copy()[..., ::-1],
    "within": within,
    "spread": spread,
    "transposed stack": lambda x: np.moveaxis(np.moveaxis(x, 0, -1).copy(), -1, 0),
    "misaligned": misaligned,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "read-only": lambda x: np.broadcast_to(x, x.shape),
}


def operands(name, sizes, dtype, stacks=((), ())):
    """Small integers, so that every sum is exact, in the dtype."""
    rng = np.random.default_rng(math.prod(sizes.values()) + 7)
    shapes = [
        (*stack, *(sizes[c] for c in core)) for stack, core in zip(stacks, CORES[name], strict=True)
    ]
    kind = np.dtype(dtype).kind
    x, y = (rng.integers(0 if kind in "bu" else -8, 9, shape).astype(dtype) for shape in shapes)
    return (x, y * (1 - 2j)) if kind == "c" else (x, y)


def numpys(name, x, y):
    """NumPy's result, also where it has no such function yet."""
    if name == "matvec":
        return np.matmul(x, y[..., None])[..., 0]
    if name == "vecmat":
        return np.matmul(x.conj()[..., None, :], y)[..., 0, :]
    return getattr(np, name)(x, y)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["?", "B", "h", "i", "l", "e", "f", "d", "F", "D"])
@pytest.mark.parametrize("name", NAMES)
def test_layouts(isa, name, dtype, layout):
    product, change = native.build_products(isa)[name], LAYOUTS[layout]
    for stacks in [((), ()), ((2,), (2,)), ((3, 2), (2,)), ((), (4,))]:
        x, y = operands(name, {"n": 9, "k": 20, "m": 17}, dtype, stacks)
        x, y = x.astype(dtype), y.astype(dtype)
        expected = product(x, y)
        assert_array_equal(expected, numpys(name, x, y))
        assert_array_equal(product(change(x), y), expected)
        assert_array_equal(product(x, change(y)), expected)
        assert_array_equal(product(change(x), change(y)), expected)
        if layout != "read-only" and np.ndim(expected):  # flipping a scalar gives no array
            out = change(np.zeros_like(expected))
            assert product(x, y, out) is out
            assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_bits_of_long_sums(isa, dtype, rng):
    """Sums that round, over several runs of additions, are the same in every layout."""
    product = native.build_products(isa)["matmul"]
    x, y = rng.normal(size=(13, 700)).astype(dtype), rng.normal(size=(700, 35)).astype(dtype)
    expected = product(x, y)
    for change in LAYOUTS.values():
        assert_array_equal(product(change(x), change(y)), expected)
    assert_array_equal(product(y.T, x.T), expected.T)
    assert_array_equal(product(np.broadcast_to(x[:1], x.shape), y), product(x[[0] * 13], y))
    column = np.broadcast_to(x[:, :1], x.shape)
    assert_array_equal(product(column, y), product(column.copy(), y))


@pytest.mark.parametrize("dtype", ["i", "f", "d", "D"])
@pytest.mark.parametrize("name", NAMES)
def test_out_that_overlaps(name, dtype):
    product = getattr(vk, name)
    x, y = operands(name, {"n": 6, "k": 6, "m": 6}, dtype)
    expected = numpys(name, x, y)
    for source in (0, 1):
        pair = [x.copy(), y.copy()]
        memory = pair[source]
        if memory.ndim < expected.ndim:
            continue
        out = memory[(0,) * (memory.ndim - expected.ndim)]
        assert_array_equal(product(*pair, out=out[...]), expected)
    memory = np.zeros(80, dtype)  # parts of one array, a row apart
    x2, out = memory[: x.size].reshape(x.shape), memory[6 : 6 + expected.size]
    x2[...] = x
    assert_array_equal(product(x2, y, out=out.reshape(expected.shape)), expected)
    square = operands("matmul", {"n": 6, "k": 6, "m": 6}, dtype)[0]
    expected = np.matmul(square, square.T)
    assert_array_equal(vk.matmul(square, square.T, out=square), expected)
    assert_array_equal(vk.matmul(square, square, out=square.T), np.matmul(expected, expected).T)


def test_outputs_between_the_elements_of_an_operand():
    memory = np.arange(60.0).reshape(6, 10)
    x, out = memory[:, :6:2], memory[:, 1:4:2]
    expected = np.matmul(x.copy(), np.ones((3, 2)))
    assert_array_equal(vk.matmul(x, np.ones((3, 2)), out=out), expected)


def test_huge_strides():
    far = np.zeros((3, 1 << 20), "f")[:, :: 1 << 19]
    far[...] = [[1, 2], [3, 4], [5, 6]]
    assert_array_equal(vk.matmul(far.T, far), [[35, 44], [44, 56]])


def test_very_long_empty_shapes():
    long = 1 << 40
    assert vk.matmul(np.ones((0, long)), np.ones((long, 0))).shape == (0, 0)
    assert vk.matmul(np.ones((0, 3), "f"), np.ones((3, 0), "f")).shape == (0, 0)
    assert vk.matmul(np.ones((long, 0)), np.ones((0, 0))).shape == (long, 0)


@st.composite
def calls(draw):
    """Name, operands and output of a product, in random shapes and layouts."""
    name = draw(st.sampled_from(NAMES))
    dtype = draw(st.sampled_from(["?", "b", "H", "i", "l", "e", "f", "d", "F", "D"]))
    other = draw(st.sampled_from([dtype, dtype, dtype, "f", "h"]))
    sizes = {c: draw(st.integers(0, 6)) for c in "nkm"}
    stack = draw(st.lists(st.integers(0, 3), max_size=2))
    stacks = [
        [1 if draw(st.booleans()) else n for n in stack][draw(st.integers(0, len(stack))) :]
        for _ in range(2)
    ]
    x = operands(name, sizes, dtype, stacks)[0].astype(dtype)
    y = operands(name, sizes, other, stacks)[1].astype(other)
    layouts = [LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))] for _ in range(3)]
    return name, layouts[0](x), layouts[1](y), layouts[2]


@settings(max_examples=400, deadline=None)
@given(calls())
def test_random_calls(call):
    name, x, y, layout = call
    product = getattr(vk, name)
    expected = numpys(name, x, y)
    result = product(x, y)
    assert type(result) is type(expected)
    assert result.dtype == expected.dtype
    assert_array_equal(result, expected)
    out = np.zeros(expected.shape, expected.dtype)
    out = layout(out) if out.ndim else out
    if out.flags.writeable:
        assert product(x, y, out=out) is out
        assert_array_equal(out, expected)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_contractions(data):
    a = data.draw(st.lists(st.integers(0, 4), max_size=4))
    n = data.draw(st.integers(0, len(a)))
    a_axes = data.draw(st.permutations(range(len(a))))[:n]
    b_free = data.draw(st.lists(st.integers(0, 4), max_size=4 - n))
    b_axes = data.draw(st.permutations(range(n + len(b_free))))[:n]
    free = iter(b_free)
    lengths = dict(zip(b_axes, (a[i] for i in a_axes), strict=True))
    b = [lengths[j] if j in lengths else next(free) for j in range(n + len(b_free))]
    rng = np.random.default_rng(n)
    x, y = (rng.integers(-9, 9, shape).astype("f") for shape in (a, b))
    x, y = (
        LAYOUTS[data.draw(st.sampled_from(sorted(LAYOUTS)))](v) if v.ndim else v for v in (x, y)
    )
    result, expected = (f(x, y, (a_axes, b_axes)) for f in (vk.tensordot, np.tensordot))
    assert result.dtype == expected.dtype
    assert_array_equal(result, expected)


def test_threads_of_python():
    """The functions may run at once, and the GIL is free while a large product runs."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 90, 90))
    expected = [vk.matmul(v, v) for v in x]
    results = [None] * 8

    def work(i):
        for _ in range(20):
            results[i] = vk.matmul(x[i], x[i])
            vk.matmul(x, x)

    threads = [Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_array_equal(results, expected)
