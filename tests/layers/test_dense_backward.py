"""dense_backward: central differences, exact bits of its products, accurate sums, any operands."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from conftest import ufuncs_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from test_dense import matrices

import vekt as vk
from vekt import _ufuncs, reference
from vekt._core import native
from vekt.cli.cases import Case, all_cases

CASES = all_cases()


def operands(m: int, k: int, n: int, dtype: Any = "f4", seed: int = 0) -> list[np.ndarray]:
    """Return dy, x, w, z."""
    rng = np.random.default_rng(seed)
    shapes = ((m, n), (m, k), (k, n), (m, n))
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


class TestGradients:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_central_differences(self, case: Case):
        rng = np.random.default_rng(3)
        x, w, b, dy = (rng.uniform(0.1, 1, shape) for shape in ((4, 3), (3, 5), 5, (4, 5)))
        if case.kernel.domain[1] == 0:
            w, b = -w, -b
        w[:, 3:] *= -1 if case.kernel.domain == (-math.inf, math.inf) else 1
        activation = (case.op.name, case.keywords)
        _, z = vk.dense(x, w, b, activation, return_preactivation=True)
        gradients = vk.dense_backward(dy, x, w, z, activation)
        step = 1e-6
        for gradient, variable in zip(gradients, (x, w, b), strict=True):
            assert gradient.shape == variable.shape
            for place in np.ndindex(variable.shape):
                former, losses = variable[place], []
                for change in (step, -step):
                    variable[place] = former + change
                    losses.append((dy * reference.dense(x, w, b, activation)).sum())
                variable[place] = former
                difference = (losses[0] - losses[1]) / (2 * step)
                assert_allclose(gradient[place], difference, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_reference(self, dtype: str, case: Case):
        dy, x, w, z = operands(300, 20, 30, dtype)
        if case.kernel.domain[1] == 0:
            z = -np.abs(z)
        activation = (case.op.name, case.keywords)
        result = vk.dense_backward(dy, x, w, z, activation)
        for value, truth in zip(
            result, reference.dense_backward(dy, x, w, z, activation), strict=True
        ):
            assert_allclose(
                value, truth, rtol=0, atol=400 * np.finfo(dtype).eps * np.abs(truth).max()
            )


class TestBits:
    # One block and many, of rows around the length of a run; one row, one column.
    SHAPES = ((1100, 9, 2100), (513, 30, 65), (1, 64, 64), (300, 5, 1), (257, 1, 40), (9000, 3, 70))

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_products(self, isa: str, dtype: str, shape: tuple[int, int, int]):
        dy, x, w, z = operands(*shape, dtype)
        matmul = native.build_products(isa)["matmul"]
        for name in ("tanh", None):
            kernels = native.build_activation(name, (), isa)
            dx, dw, db = _ufuncs.dense_backward(dy, x, w, z, kernels, None, None, None)
            dz = ufuncs_of(isa)["tanh_backward"](dy, z) if name else dy
            assert_array_equal(dx, matmul(dz, w.T))
            assert_array_equal(dw, matmul(x.T, dz))
            eps = np.finfo(dtype).eps
            scale = 1 if dtype == "f4" else 300
            true = np.array([math.fsum(column) for column in dz.T.astype("f8")])
            bound = (
                scale * eps * np.abs(dz).sum(axis=0, dtype="f8")
                if scale > 1
                else eps * np.abs(true)
            )
            assert (np.abs(db - true) <= bound + 1e-30).all()

    def test_threads(self, set_threads: Callable[[int], None]):
        dy, x, w, z = operands(3000, 60, 500)
        results = []
        for threads in (1, 2, 3):
            set_threads(threads)
            results.append(vk.dense_backward(dy, x, w, z, "mish"))
        for result in results[1:]:
            for value, first in zip(result, results[0], strict=True):
                assert_array_equal(value, first)


class TestLayouts:
    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_any(self, data: st.DataObject):
        dtype = data.draw(st.sampled_from(["f4", "f8"]))
        m = data.draw(st.sampled_from([0, 1, 2, 17, 40, 300]))
        k, n = (data.draw(st.sampled_from([0, 1, 2, 17, 40])) for _ in range(2))
        dy, z = (data.draw(matrices(m, n, dtype)) for _ in range(2))
        x, w = data.draw(matrices(m, k, dtype)), data.draw(matrices(k, n, dtype))
        activation = data.draw(st.sampled_from([None, "relu", "tanh"]))
        plain = [np.ascontiguousarray(v) for v in (dy, x, w, z)]
        expected = vk.dense_backward(*plain, activation)
        result = vk.dense_backward(dy, x, w, z, activation)
        shapes = [(m, k), (k, n), (n,)]
        out = [np.full(shape, 7, dtype) for shape in shapes]
        if data.draw(st.booleans()):
            out = [np.full([2 * size for size in shape[::-1]], 7, dtype) for shape in shapes]
            out = [array[tuple([slice(None, None, -2)] * array.ndim)].T for array in out]
        given_out = tuple(array if data.draw(st.booleans()) else None for array in out)
        into = vk.dense_backward(dy, x, w, z, activation, out=given_out)
        for value, other, target, truth in zip(result, into, given_out, expected, strict=True):
            assert_array_equal(value, truth)
            assert_array_equal(other, truth)
            assert target is None or other is target

    def test_samples_in_columns(self):
        rng = np.random.default_rng(0)
        da, a, w, z = (rng.standard_normal(s) for s in ((5, 300), (7, 300), (5, 7), (5, 300)))
        dx, dw, db = vk.dense_backward(da.T, a.T, w.T, z.T, "tanh")
        assert dx.T.flags.c_contiguous
        assert dw.T.flags.c_contiguous
        dz = da * (1 - np.tanh(z) ** 2)
        assert_allclose(dw.T, dz @ a.T, rtol=1e-12, atol=1e-12)
        assert_allclose(dx.T, w.T @ dz, rtol=1e-12, atol=1e-12)
        assert_allclose(db, dz.sum(axis=1), rtol=1e-12, atol=1e-12)

    def test_leading_axes(self):
        dy, x, w, z = operands(60, 7, 5)
        dx, dw, db = vk.dense_backward(dy, x, w, z, "gelu")
        for lead in ((3, 20), (3, 4, 5), (1, 60, 1)):
            folded = [v.reshape(*lead, -1) for v in (dy, x, z)]
            result = vk.dense_backward(*folded[:2], w, folded[2], "gelu")
            assert_array_equal(result[0], dx.reshape(*lead, 7))
            assert_array_equal(result[1], dw)
            assert_array_equal(result[2], db)
        swapped = [v.reshape(3, 20, -1).transpose(1, 0, 2) for v in (dy, x, z)]
        result = vk.dense_backward(*swapped[:2], w, swapped[2], "gelu")
        assert_array_equal(result[0], dx.reshape(3, 20, 7).transpose(1, 0, 2))
        single = vk.dense_backward(dy[0], x[0], w, z[0], "gelu")
        assert [v.shape for v in single] == [(7,), (7, 5), (5,)]
        assert_array_equal(single[0], dx[0])

    def test_out_over_an_operand(self):
        expected = vk.dense_backward(*operands(40, 40, 40), "silu")
        for over_dx, over_dw in ((0, 1), (1, 2), (2, 3), (3, 0)):
            given = operands(40, 40, 40)
            out = (given[over_dx], given[over_dw], None)
            result = vk.dense_backward(*given, "silu", out=out)
            assert result[0] is out[0]
            assert result[1] is out[1]
            for value, truth in zip(result, expected, strict=True):
                assert_array_equal(value, truth)
        given = operands(40, 40, 40)
        db = given[0][0]  # a row of dy
        vk.dense_backward(*given, "silu", out=(None, None, db))
        assert_array_equal(db, expected[2])


class TestArguments:
    def test_first_layer(self):
        given = operands(9, 8, 7)
        dx, dw, db = vk.dense_backward(*given, "relu")
        none, *rest = vk.dense_backward(*given, "relu", need_dx=False)
        assert none is None
        assert_array_equal(rest[0], dw)
        assert_array_equal(rest[1], db)
        assert vk.dense_backward(*(v.tolist() for v in given), "relu", need_dx=False)[0] is None
        assert reference.dense_backward(*given, "relu", need_dx=False)[0] is None
        assert dx.shape == (9, 8)

    def test_no_activation_needs_no_z(self):
        dy, x, w, z = operands(9, 8, 7)
        for activation in (None, "linear", vk.linear):
            for operand in (dy, dy.astype("f8")):
                result = vk.dense_backward(operand, x, w, None, activation)
                full = vk.dense_backward(operand, x, w, z, activation)
                for value, truth in zip(result, full, strict=True):
                    assert_array_equal(value, truth)
                assert_allclose(result[2], dy.sum(axis=0), rtol=1e-5)

    def test_parameters(self):
        dy, x, w, z = operands(9, 8, 7)
        dz = vk.leaky_relu_backward(dy, z, 0.25)
        slope = functools.partial(vk.leaky_relu, negative_slope=0.25)
        for activation in (slope, ("leaky_relu", {"negative_slope": 0.25})):
            assert_array_equal(vk.dense_backward(dy, x, w, z, activation)[1], vk.matmul(x.T, dz))

    @pytest.mark.parametrize("dtype", ["f2", ml_dtypes.bfloat16])
    def test_16_bits_round_once(self, dtype: Any):
        given = operands(300, 8, 7, dtype)
        result = vk.dense_backward(*given, "silu")
        wide = vk.dense_backward(*(v.astype("f4") for v in given), "silu")
        for value, single in zip(result, wide, strict=True):
            assert value.dtype == dtype
            assert_array_equal(value, single.astype(dtype))

    def test_integers(self):
        dy, x, w = (np.arange(size * 3).reshape(size, 3) - 5 for size in (4, 4, 3))
        dx, dw, db = vk.dense_backward(dy, x, w, dy, "relu")
        dz = dy * (dy > 0)
        assert dx.dtype == dw.dtype == db.dtype == "f8"
        assert_array_equal(dx, dz @ w.T)
        assert_array_equal(dw, x.T @ dz)
        assert_array_equal(db, dz.sum(axis=0))

    def test_empty_batch(self):
        for name in (None, "gelu"):
            dx, dw, db = vk.dense_backward(*operands(0, 3, 4), name)
            assert dx.shape == (0, 3)
            assert_array_equal(dw, np.zeros((3, 4)))
            assert_array_equal(db, np.zeros(4))

    def test_quiet(self):
        special = np.float32([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, 0, -1])
        dy, z = (v.reshape(8, 8) for v in np.meshgrid(special, special))
        with np.errstate(all="raise"):
            for case in CASES:
                activation = (case.op.name, case.keywords)
                _, _, db = vk.dense_backward(
                    dy, np.ones((8, 8), "f4"), np.eye(8, dtype="f4"), z, activation
                )
                assert np.isnan(db[0])

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"dy": np.ones((2, 3), "f4")}, ValueError, r"expected dy of shape \(2, 4\)"),
            (
                {"x": np.ones((3, 3), "f4")},
                ValueError,
                r"expected x of shape \(2, 3\) .* got \(3, 3\)",
            ),
            (
                {"z": np.ones((2, 5), "f4")},
                ValueError,
                r"expected z of shape \(2, 4\) .* got \(2, 5\)",
            ),
            ({"w": np.ones(4, "f4")}, ValueError, "w must be 2-D"),
            ({"z": None}, TypeError, "z is missing"),
            ({"activation": "tahn"}, ValueError, "did you mean tanh"),
            ({"x": np.ones((2, 3), "c8")}, TypeError, "complex64"),
            ({"out": [None, None, None]}, TypeError, "tuple of three"),
            ({"out": (None, None)}, TypeError, "tuple of three"),
            ({"out": (np.ones((2, 3), "f4"), None, None), "need_dx": False}, ValueError, "need_dx"),
            ({"out": (np.ones((2, 4), "f4"), None, None)}, ValueError, r"expected shape \(2, 3\)"),
            ({"out": (None, np.ones((3, 4), "i4"), None)}, TypeError, "cannot cast"),
            ({"out": (None, None, np.ones((1, 4), "f4"))}, ValueError, r"expected shape \(4,\)"),
        ],
    )
    def test_errors(self, change: dict[str, Any], error: type[Exception], message: str):
        names = ("dy", "x", "w", "z")
        arguments = (
            dict(zip(names, operands(2, 3, 4), strict=True)) | {"activation": "tanh"} | change
        )
        with pytest.raises(error, match=message):
            vk.dense_backward(**arguments)

    def test_nothing_is_written_before_an_error(self):
        given = operands(2, 3, 4)
        out = tuple(np.full(shape, 7, "f4") for shape in ((2, 3), (3, 4), (4,)))
        out[2].flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            vk.dense_backward(*given, "tanh", out=out)
        assert all((array == 7).all() for array in out)
