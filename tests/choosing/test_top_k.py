"""top_k: what a stable sort gives, to the bit, for every dtype, layout, order and thread count."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import choosing, jit, reference
from vekt._core import native

DTYPES = ["f4", "f8", "f2", ml_dtypes.bfloat16, "?", *"bhilBHIL", ">f4", ">u8", ">i2", ">f2"]


@pytest.fixture
def top_k(isa: str) -> Any:
    kernel = native.build("top_k", isa)
    return lambda x, k, axis=-1: choosing.general_top_k(kernel, x, k, axis)


def numbers(dtype: Any, shape: Any, rng: np.random.Generator) -> Any:
    """Return numbers, many of them equal, with the extremes of the dtype among them."""
    kind = np.dtype(dtype)
    x = rng.integers(0, 200, shape)
    if kind.kind in "iu":
        x = x.astype(kind)
        ends = np.array([np.iinfo(kind).min, np.iinfo(kind).max], kind)
    elif kind.kind == "b":
        return x.astype(kind)
    else:
        x = ((x - 100) / 8).astype(kind)
        ends = np.array([np.inf, -np.inf, np.nan, -np.nan, 0.0, -0.0]).astype(kind)
    flat = x.reshape(-1)
    if x.size > 9:
        flat[rng.integers(0, x.size, len(ends))] = ends
    return x


def check(top_k: Any, x: Any, k: int, axis: int = -1) -> None:
    values, indices = top_k(x, k, axis)
    right, places = reference.top_k(x, k, axis)
    assert_array_equal(indices, places)
    assert indices.dtype == np.intp
    assert (values.dtype, values.tobytes()) == (right.dtype, right.tobytes())
    assert values.flags.c_contiguous


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_like_a_stable_sort(top_k: Any, dtype: Any, rng: np.random.Generator) -> None:
    for shape in ((1,), (40,), (3, 300), (20_000,)):
        x = numbers(dtype, shape, rng)
        n = shape[-1]
        for k in {0, 1, n // 9, n - 1, n} if n < 1000 else (3, n // 5):
            check(top_k, x, k)
    x = numbers(dtype, (6, 70, 5), rng)
    for view in (x, x.transpose(2, 0, 1), x[::-1, ::3, ::-2], np.broadcast_to(x[:, :1], x.shape)):
        for axis in range(-3, 3):
            check(top_k, view, min(view.shape[axis], 3), axis)


ORDERS = {
    "random": lambda n, rng: rng.normal(size=n),
    "rising": lambda n, rng: np.arange(n),
    "falling": lambda n, rng: -np.arange(n),
    "constant": lambda n, rng: np.full(n, -3.0),
    "zeros": lambda n, rng: np.where(np.arange(n) % 2, 0.0, -0.0),
    "NaN": lambda n, rng: np.full(n, np.nan),
    "few NaN": lambda n, rng: np.where(rng.integers(0, 9000, n) == 0, np.nan, rng.normal(size=n)),
    "the least": lambda n, rng: np.full(n, -np.inf),
    "with a period": lambda n, rng: np.arange(n) % 256,
    "a late period": lambda n, rng: np.arange(n) // 256 + 1e6 * (np.arange(n) % 256 == 7),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "u8"])
def test_every_order(top_k: Any, order: str, dtype: str, rng: np.random.Generator) -> None:
    x = ORDERS[order](30_000, rng)
    if dtype[0] != "f":
        x = np.nan_to_num(x, posinf=9e6, neginf=0 if dtype[0] == "u" else -9e6)
        x = (abs(x) if dtype[0] == "u" else x) // 1
    for k in (1, 50, 3000):
        check(top_k, x.astype(dtype), k)


def test_threads(top_k: Any, rng: np.random.Generator, set_threads: Any) -> None:
    """Rows are shared, and so are the segments of one."""
    for shape in ((64, 5000), (1, 700_001), (2, 600_000)):
        x = rng.integers(0, 90_000, shape).astype("f4")
        for threads in (1, 2, 3):
            set_threads(threads)
            for k in (1, 50):
                check(top_k, x, k)


def test_bad_input() -> None:
    x = np.ones((2, 3))
    for space in (vk, jit, reference):
        for k in (-1, 4):
            with pytest.raises(ValueError, match=f"k is {k}, but axis 1 has 3"):
                space.top_k(x, k)
        for k in (1.5, "1", None, [1]):
            with pytest.raises(TypeError):
                space.top_k(x, k)
        for dtype in ("c16", "g", "O", "M8[s]", "U3"):
            with pytest.raises(TypeError, match="is not supported"):
                space.top_k(np.zeros(3, dtype), 1)
        with pytest.raises(np.exceptions.AxisError):
            space.top_k(x, 1, 2)
        with pytest.raises(np.exceptions.AxisError):
            space.top_k(3.0, 1)
        for shape in ((0,), (3, 0), (0, 3)):
            values, indices = space.top_k(np.empty(shape, "f4"), 0)
            assert values.shape == indices.shape == (*shape[:-1], 0)
        values, indices = space.top_k([[1, 3, 2]], k=np.int8(2), axis=1)
        assert_array_equal(values, [[3, 2]])
        assert_array_equal(indices, [[1, 2]])
