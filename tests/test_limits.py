"""Signs of zero, dtypes of results, and outputs that overlap their inputs."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import vekt as vk
from vekt import reference

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype("f2"), BFLOAT16, np.dtype("f4"), np.dtype("f8")]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_sums_that_begin_with_minus_zero(dtype: str) -> None:
    x = np.array([[-0.0, -0.0], [-0.0, 0.0], [1.0, -1.0]], dtype)
    for axis in (0, 1, None):
        expected = np.add.reduce(x, axis=axis, initial=-0.0)
        result = vk.sum(x, axis=axis, initial=-0.0)
        np.testing.assert_array_equal(np.signbit(result), np.signbit(expected))
        np.testing.assert_array_equal(result, expected)
        assert type(result) is type(expected)
    assert np.signbit(vk.sum(np.array([-0.0, 1.0], dtype), initial=-0.0, where=[True, False]))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("ord", [None, 0, 1, 2, 3, 0.5, -2, np.inf, -np.inf])
def test_norms_keep_their_dtype(dtype: Any, ord: Any) -> None:
    x = np.arange(1, 5).astype(dtype)
    for space in (vk, reference):
        assert np.asarray(space.norm(x, ord)).dtype == dtype, space


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_prelu_gradients_keep_their_dtype(dtype: Any) -> None:
    x = np.arange(-2, 2).astype(dtype)
    for space in (vk, reference):
        for result in space.prelu_backward(x, x, x[:1]):
            assert np.asarray(result).dtype == dtype, space


@pytest.mark.parametrize(
    ("source", "target"),
    [(slice(0, 16), slice(0, 32, 2)), (slice(0, 32, 2), slice(1, 17)), (slice(0, 16), slice(1, 17)),
     (slice(15, None, -1), slice(4, 20)), (slice(0, 48, 3), slice(16, 0, -1))],
)  # fmt: skip
def test_transposed_copies_into_overlapping_vectors(source: slice, target: slice) -> None:
    memory = np.arange(64.0)
    expected = memory[source].copy()
    np.testing.assert_array_equal(vk.transpose_copy(memory[source], out=memory[target]), expected)


def test_streams_refuse_shifted_outputs() -> None:
    memory = np.arange(64.0)
    with pytest.raises(ValueError, match="shares memory"):
        vk.stream(lambda x: x + 1, memory[:48], out=memory[1:49], chunk_bytes=64)
    with pytest.raises(ValueError, match="shares memory"):
        vk.stream(lambda x: x + 1, memory[47::-1], out=memory[:48], chunk_bytes=64)
    np.testing.assert_array_equal(memory, np.arange(64.0))
    vk.stream(lambda x: x + 1, memory[::2], out=memory[1::2], chunk_bytes=64)
    vk.stream(lambda x: x + 1, memory, out=memory, chunk_bytes=64)
    np.testing.assert_array_equal(memory[1::2], np.arange(2, 66, 2.0))
