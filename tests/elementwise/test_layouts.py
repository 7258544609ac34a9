"""Random shapes and memory layouts: the same bits as from contiguous arrays of the same numbers."""

from __future__ import annotations

import numpy as np
from conftest import ufuncs_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core import native

SHAPES = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, min_side=0, max_side=7)
DTYPES = st.sampled_from(["<f4", ">f4", "<f8", ">f8"])
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def laid_out(draw: st.DrawFn, shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    """Random numbers in a view with any order of axes, steps of -3 to 3 and any alignment."""
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([-3, -2, -1, 1, 2, 3])) for _ in shape]
    room = tuple(shape[axis] * abs(steps[axis]) for axis in order)
    size = int(np.prod(room)) * np.dtype(dtype).itemsize
    offset = draw(st.integers(0, 8))
    raw = np.zeros(size + offset, np.uint8)[offset:]
    array = raw.view(dtype).reshape(room).transpose(np.argsort(order))
    view = array[(..., *(slice(None, None, step) for step in steps))]
    view = view[(..., *(slice(0, side) for side in shape))]  # an Ellipsis keeps 0-d arrays
    view[...] = np.random.default_rng(seed).normal(0, 5, shape)
    return view


def plain(array: np.ndarray) -> np.ndarray:
    """Return a contiguous, aligned copy in native byte order."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)


@given(data=st.data(), shapes=SHAPES, dtype=DTYPES, seed=SEEDS)
def test_elementwise(data: st.DataObject, shapes, dtype: str, seed: int) -> None:
    dy = data.draw(laid_out(shapes.input_shapes[0], dtype, seed))
    x = data.draw(laid_out(shapes.input_shapes[1], dtype, seed + 1))
    out = data.draw(laid_out(shapes.result_shape, dtype, seed + 2))
    ufuncs = ufuncs_of(data.draw(st.sampled_from(native.SUPPORTED)))
    name = data.draw(st.sampled_from(["gelu", "tanh", "leaky_relu"]))
    params = (0.125,) * (name == "leaky_relu")
    assert_array_equal(ufuncs[name](x, *params), ufuncs[name](plain(x), *params))
    wide = [plain(a) for a in np.broadcast_arrays(dy, x)]
    expected = ufuncs[f"{name}_backward"](*wide, *params)
    result = ufuncs[f"{name}_backward"](dy, x, *params, out=out)
    assert result is out
    assert_array_equal(out, expected)


@given(data=st.data(), n=st.integers(0, 200), dtype=DTYPES, seed=SEEDS)
def test_dot(data: st.DataObject, n: int, dtype: str, seed: int) -> None:
    a, b = (data.draw(laid_out((n,), dtype, seed + i)) for i in range(2))
    assert vk.dot(a, b) == vk.dot(plain(a), plain(b))


@given(
    shift=st.integers(-9, 9), n=st.integers(0, 70), step=st.sampled_from([-2, -1, 1, 2]), seed=SEEDS
)
def test_overlap(shift: int, n: int, step: int, seed: int) -> None:
    """An output that overlaps an input works as if it did not."""
    memory = np.random.default_rng(seed).normal(0, 5, 2 * n + 20).astype("f4")
    x, out = memory[9 : 9 + n], memory[9 + shift : 9 + shift + 2 * n : abs(step)][::step][:n]
    out = out if out.size == n else memory[9 + shift : 9 + shift + n]
    expected = vk.sigmoid(x.copy())
    vk.sigmoid(x, out=out)
    assert_array_equal(out, expected)
