"""PackedWeights: the same bits as the weights they were made from."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import dask.array
import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import _ufuncs
from vekt._core import native

SHAPES = [
    (1, 1),
    (3, 5),
    (64, 32),
    (65, 33),
    (300, 70),
    (7, 1),
    (1, 40),
    (1030, 520),
    (0, 3),
    (3, 0),
]


def weights(shape: tuple[int, ...], dtype: Any = "f4") -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("shape", SHAPES)
class TestValues:
    def test_dense(self, isa: str, shape: tuple[int, int], dtype: str):
        w = weights(shape, dtype)
        kernels = native.build_activation("silu", (), isa)
        b = weights(shape[1:], dtype)
        for stored in (w, w.T.copy().T, np.repeat(w, 2, axis=1)[:, ::2], w[::-1].copy()[::-1]):
            packed = native.pack_weights(stored, isa)
            for m in (1, 3, 14, 100):
                x = weights((m, shape[0]), dtype)
                y = _ufuncs.dense(x, packed, b, kernels, None, None, True, True)
                for value, truth in zip(
                    y, _ufuncs.dense(x, w, b, kernels, None, None, True, True), strict=True
                ):
                    assert_array_equal(value, truth)
                columns = _ufuncs.dense(
                    np.asfortranarray(x), packed, b, kernels, None, None, True, True
                )
                assert_array_equal(columns[0], y[0])

    def test_way_back(self, shape: tuple[int, int], dtype: str):
        w = weights(shape, dtype)
        w[:1] = -0.0
        w[1:2] = np.nan
        packed = vk.PackedWeights(w)
        for restored in (packed, pickle.loads(pickle.dumps(packed)), copy.deepcopy(packed)):
            array = np.asarray(restored)
            assert array.dtype == dtype
            assert_array_equal(array, w)
            assert_array_equal(np.signbit(array[:1]), np.signbit(w[:1]))


class TestObject:
    def test_attributes(self):
        packed = vk.PackedWeights(weights((20, 30)))
        assert packed.shape == (20, 30)
        assert packed.dtype == np.float32
        assert packed.nbytes >= 2400
        assert repr(packed) == "PackedWeights(shape=(20, 30), dtype=float32)"
        for name in ("shape", "dtype", "nbytes", "other"):
            with pytest.raises(AttributeError):
                setattr(packed, name, 1)

    def test_dtypes(self):
        for given, expected in (
            ("f2", "f4"),
            (ml_dtypes.bfloat16, "f4"),
            (">f8", "f8"),
            (">f4", "f4"),
            ("i4", "f8"),
            ("?", "f8"),
        ):
            w = (8 * weights((4, 3))).astype(given)
            packed = vk.PackedWeights(w)
            assert packed.dtype == expected
            assert packed.dtype.isnative
            assert_array_equal(np.asarray(packed), w.astype(expected))
        assert vk.PackedWeights([[1, 2]]).shape == (1, 2)

    def test_is_a_copy(self):
        w = weights((4, 3))
        packed, x = vk.PackedWeights(w), np.eye(4, dtype="f4")
        former = w.copy()
        w[:] = 0
        assert_array_equal(vk.dense(x, packed), former)
        array = np.asarray(packed)
        array[:] = 0
        assert_array_equal(vk.dense(x, packed), former)

    def test_as_an_array(self):
        w = weights((4, 3))
        packed = vk.PackedWeights(w)
        assert np.asarray(packed, "f8").dtype == np.float64
        assert_array_equal(np.array(packed), w)
        with pytest.raises(ValueError, match="without a copy"):
            np.array(packed, copy=False)
        dy, x = weights((5, 3)), weights((5, 4))
        for value, truth in zip(
            vk.dense_backward(dy, x, packed, None), vk.dense_backward(dy, x, w, None), strict=True
        ):
            assert_array_equal(value, truth)

    def test_operands_of_other_kinds(self):
        w = weights((4, 3))
        packed = vk.PackedWeights(w)
        for x in (
            weights((2, 5, 4)),
            weights((4,)),
            weights((5, 4), "f2"),
            weights((3, 2, 4)).transpose(1, 0, 2),
        ):
            assert_array_equal(vk.dense(x, packed, 1.0, "relu"), vk.dense(x, w, 1.0, "relu"))
        x = weights((4, 4))
        out = x[:, :3]
        expected = vk.dense(x, packed)
        assert vk.dense(x, packed, out=out) is out
        assert_array_equal(out, expected)

    def test_errors(self):
        for w, error, message in (
            (weights((3,)), ValueError, r"must be 2-D, but has shape \(3,\)"),
            (weights((3, 4, 5)), ValueError, "2-D"),
            (weights((3, 4), "c8"), TypeError, "complex64"),
            (dask.array.ones((3, 4)), TypeError, "convert it"),
        ):
            with pytest.raises(error, match=message):
                vk.PackedWeights(w)
        packed = vk.PackedWeights(weights((4, 3)))
        with pytest.raises(ValueError, match=r"x of shape \(..., 4\) .* got \(2, 3\)"):
            vk.dense(weights((2, 3)), packed)
        with pytest.raises(TypeError, match="packed as float32, but x and b make it float64"):
            vk.dense(weights((2, 4), "f8"), packed)
