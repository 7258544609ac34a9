"""dense: its one pass has the bits of product, bias and activation one by one, on any operands."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import dask.array
import ml_dtypes
import numpy as np
import pytest
from conftest import ufuncs_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import _ufuncs, reference
from vekt._core import native
from vekt.cli.cases import Case, all_cases

CASES = all_cases()
# Around the sizes of tiles and runs, one row and one column; long rows and short ones.
SHAPES = [(1, 64, 64), (3, 5, 7), (29, 300, 33), (2, 3, 1100), (15, 7, 1), (130, 20, 300)]


def operands(m: int, k: int, n: int, dtype: Any = "f4", seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n), n)]


def one_by_one(isa: str, case: Case, x: Any, w: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    z = native.build_products(isa)["matmul"](x, w) + b
    return ufuncs_of(isa)[case.name](z, *case.params), z


class TestBits:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    def test_every_activation(self, isa: str, dtype: str, case: Case):
        kernels = native.build_activation(case.name, case.params, isa)
        for m, k, n in ((29, 40, 33), (2, 3, 1100)):
            x, w, b = operands(m, k, n, dtype)
            y, z = _ufuncs.dense(x, w, b, kernels, None, None, True, True)
            expected, sums = one_by_one(isa, case, x, w, b)
            assert_array_equal(z, sums)
            assert_array_equal(y, expected)

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_shapes(self, isa: str, dtype: str, shape: tuple[int, int, int]):
        x, w, b = operands(*shape, dtype)
        for name in ("relu", "gelu", None):
            case = next(c for c in CASES if c.name == (name or "linear"))
            kernels = native.build_activation(name, (), isa)
            for bias in (None, b):
                for keep in (False, True):
                    result = _ufuncs.dense(x, w, bias, kernels, None, None, keep, True)
                    product = native.build_products(isa)["matmul"](x, w)
                    z = product if bias is None else product + bias
                    y = ufuncs_of(isa)[case.name](z)
                    assert_array_equal(result[0] if keep else result, y)
                    if keep:
                        assert_array_equal(result[1], z)

    def test_no_bias_keeps_the_sign_of_zero(self):
        y = vk.dense(np.float32([[-0.0]]), np.float32([[1.0]]), np.float32([-0.0]))
        assert_array_equal(np.signbit(y), np.signbit(vk.matmul(np.float32([[-0.0]]), [[1.0]])))
        x, w, _ = operands(5, 1, 40)
        x[:] = 0
        assert_array_equal(np.signbit(vk.dense(x, w, activation="tanh")), np.signbit(x @ w))

    def test_batch(self):
        x, w, b = operands(300, 257, 70)
        whole = vk.dense(x, w, b, "silu")
        for rows in (slice(0, 1), slice(7, 14), slice(100, 299), slice(None, None, 3)):
            assert_array_equal(vk.dense(x[rows], w, b, "silu"), whole[rows])
            transposed = np.asfortranarray(w)
            y = vk.dense(x[rows], transposed, b, "silu", deterministic="batch")
            assert_array_equal(y, whole[rows])

    def test_threads(self, set_threads: Callable[[int], None]):
        x, w, b = operands(700, 130, 260)
        results = []
        for threads in (1, 2, 3):
            set_threads(threads)
            results.append(vk.dense(x, w, b, "mish", return_preactivation=True))
        for y, z in results[1:]:
            assert_array_equal(y, results[0][0])
            assert_array_equal(z, results[0][1])

    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    def test_reference(self, dtype: str):
        x, w, b = operands(20, 300, 30, dtype)
        for case in CASES:
            activation = (case.op.name, case.keywords)
            y, z = vk.dense(x, w, b, activation, return_preactivation=True)
            true_y, true_z = reference.dense(x, w, b, activation, return_preactivation=True)
            # Standard bound of a sum, and what the functions' slopes, 1.2 at most here, make of it.
            bound = 302 * np.finfo(dtype).eps / 2 * (np.abs(x) @ np.abs(w) + np.abs(b)).max()
            if case.name not in ("exponential", "log1mexp", "hard_shrink", "threshold"):
                assert_allclose(y, true_y, rtol=0, atol=1.5 * bound, err_msg=case.name)
            assert_allclose(z, true_z, rtol=0, atol=bound)


@st.composite
def matrices(draw: st.DrawFn, rows: int, columns: int, dtype: str) -> np.ndarray:
    """Draw a matrix of any layout: transposed, negative, wide and zero steps, at odd addresses."""
    down, along = (draw(st.sampled_from([1, 2, 3])) for _ in range(2))
    order = draw(st.sampled_from("CF"))
    item = np.dtype(dtype).itemsize
    offset = draw(st.sampled_from([0, 1, item]))
    big = np.zeros((rows * down, columns * along), dtype, order=order)
    memory = np.zeros(big.nbytes + item, "u1")[offset : offset + big.nbytes]
    view = memory.view(dtype).reshape(big.shape, order=order)[::down, ::along]
    view = view[:: draw(st.sampled_from([1, -1])), :: draw(st.sampled_from([1, -1]))]
    view[...] = np.random.default_rng(rows + columns).standard_normal(view.shape)
    if draw(st.booleans()) and rows:
        view = np.broadcast_to(view[:1], view.shape)
    return view


class TestLayouts:
    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_any(self, data: st.DataObject):
        dtype = data.draw(st.sampled_from(["f4", "f8"]))
        m, k, n = (data.draw(st.sampled_from([0, 1, 2, 17, 40])) for _ in range(3))
        x, w = data.draw(matrices(m, k, dtype)), data.draw(matrices(k, n, dtype))
        bias = data.draw(st.sampled_from([(m, n), (1, n), (m, 1), (1, 1)]))
        b = data.draw(matrices(*bias, dtype))
        activation = data.draw(st.sampled_from([None, "relu", "tanh"]))
        plain = [np.ascontiguousarray(v) for v in (x, w, np.broadcast_to(b, (m, n)))]
        y, z = vk.dense(*plain, activation, return_preactivation=True)
        out = np.full((m, n), 7, dtype)
        if data.draw(st.booleans()):
            out = np.full((2 * n, m), 7, dtype)[::-2].T
        kept = vk.dense(x, w, b, activation, return_preactivation=True, out=out)
        assert kept[0] is out
        assert_array_equal(out, y)
        assert_array_equal(kept[1], z)
        assert_array_equal(vk.dense(x, w, b, activation), y)

    def test_leading_axes(self):
        x, w, b = operands(60, 7, 5)
        y = vk.dense(x, w, b, "gelu")
        for shape in ((60,), (3, 20), (3, 4, 5), (1, 60, 1)):
            assert_array_equal(vk.dense(x.reshape(*shape, 7), w, b, "gelu"), y.reshape(*shape, 5))
        swapped = x.reshape(3, 20, 7).transpose(1, 0, 2)  # rows that are not evenly spaced
        result, kept = vk.dense(swapped, w, b, "gelu", return_preactivation=True)
        assert_array_equal(result, y.reshape(3, 20, 5).transpose(1, 0, 2))
        assert kept.shape == result.shape
        assert_array_equal(vk.dense(x[0], w, b, "gelu"), y[0])
        assert vk.dense(x[:0].reshape(2, 0, 7), w, b, "gelu").shape == (2, 0, 5)

    def test_bias(self):
        x, w, b = operands(60, 7, 5)
        product = vk.dense(x, w)
        for bias in (2, np.float32(2), b, b[:1], b[None], x[:, :1], product):
            assert_array_equal(vk.dense(x, w, bias), product + bias)
        x, product = x.reshape(3, 20, 7), product.reshape(3, 20, 5)
        for bias in (
            2,
            b,
            b[None, None],
            x[0, :, :1],
            x[:, :1, :1],
            product[0],
            product[:, :1],
            product,
        ):
            assert_array_equal(vk.dense(x, w, bias), product + bias)

    def test_samples_in_columns(self):
        rng = np.random.default_rng(0)
        a, w, b = (rng.standard_normal(shape) for shape in ((7, 60), (5, 7), (5, 1)))
        y, z = vk.dense(a.T, w.T, b.T, "tanh", return_preactivation=True)
        assert y.T.flags.c_contiguous
        assert z.T.flags.c_contiguous
        assert_allclose(z.T, w @ a + b, rtol=1e-13, atol=1e-13)
        assert_array_equal(y, vk.dense(a.T.copy(), w.T.copy(), b[:, 0], "tanh"))
        out = np.empty((5, 60))
        vk.dense(a.T, w.T, b.T, "tanh", out=out.T)
        assert_array_equal(out, y.T)

    def test_nothing_to_sum(self):
        b = np.float32([-1, 2, 3])
        y = vk.dense(np.ones((2, 0), "f4"), np.ones((0, 3), "f4"), b, "relu")
        assert_array_equal(y, [[0, 2, 3]] * 2)
        assert_array_equal(vk.dense(np.ones((2, 0)), np.ones((0, 3))), np.zeros((2, 3)))

    @pytest.mark.parametrize("namespace", [vk, reference])
    def test_out_for_both(self, namespace: Any):
        given = operands(9, 8, 7)
        truth = namespace.dense(*given, "tanh", return_preactivation=True)
        for dtype in ("f4", "f8"):
            y, z = np.empty((2, 9, 7), dtype)
            for out in ((y, z), (y, None), (None, z), y):
                result = namespace.dense(*given, "tanh", out=out, return_preactivation=True)
                targets = out if isinstance(out, tuple) else (out, None)
                for value, target, expected in zip(result, targets, truth, strict=True):
                    assert target is None or value is target
                    assert_array_equal(value, expected)
        with pytest.raises(TypeError, match="pair"):
            vk.dense(*given, out=(y, z, None), return_preactivation=True)
        with pytest.raises(TypeError, match="expected an ndarray"):
            vk.dense(*given, out=(y, z))

    def test_out_over_an_operand(self):
        x, w, b = operands(40, 40, 40)
        for which in range(3):
            x1, w1, b1 = x.copy(), w.copy(), np.broadcast_to(b, (40, 40)).copy()
            expected = vk.dense(x1, w1, b1, "silu")
            out = (x1, w1, b1)[which]
            assert vk.dense(x1, w1, b1, "silu", out=out) is out
            assert_array_equal(out, expected)
        longer = np.zeros((41, 40), "f4")
        longer[1:] = x
        vk.dense(longer[1:], w, b, "silu", out=longer[:-1])
        assert_array_equal(longer[:-1], vk.dense(x, w, b, "silu"))


class TestActivations:
    def test_ways_to_say_it(self):
        x, w, b = operands(9, 8, 7)
        z = vk.dense(x, w, b)
        for activation in (
            "gelu",
            vk.gelu,
            ("gelu", {}),
            vk.reference.gelu,
            functools.partial(vk.gelu),
        ):
            assert_array_equal(vk.dense(x, w, b, activation), vk.gelu(z))
        tanh_form = vk.gelu(z, approximate=True)
        for activation in (
            ("gelu", {"approximate": True}),
            (vk.gelu, {"approximate": np.True_}),
            functools.partial(vk.gelu, approximate=True),
            (functools.partial(vk.gelu, approximate=False), {"approximate": True}),
        ):
            for _ in range(2):
                assert_array_equal(vk.dense(x, w, b, activation), tanh_form)
        assert_array_equal(vk.dense(x, w, b, "swish"), vk.silu(z))
        for activation in (None, "linear", vk.linear):
            assert_array_equal(vk.dense(x, w, b, activation), z)
        slope = functools.partial(vk.leaky_relu, negative_slope=np.float32(0.25))
        assert_array_equal(vk.dense(x, w, b, slope), vk.leaky_relu(z, 0.25))
        clipped = ("relu", {"max_value": 1, "threshold": np.array(0.5)})
        assert_array_equal(vk.dense(x, w, b, clipped), vk.relu(z, 0, 1, 0.5))
        assert_array_equal(vk.dense(x, w, b, ("relu", {"max_value": None})), vk.relu(z))

    def test_jit_functions(self):
        x, w, b = operands(9, 8, 7)
        assert_array_equal(vk.dense(x, w, b, vk.jit.mish), vk.dense(x, w, b, "mish"))

    @pytest.mark.parametrize(
        ("activation", "error", "message"),
        [
            ("gleu", ValueError, "unknown name 'gleu'; did you mean gelu"),
            ("qqq", ValueError, "expected one of relu"),
            ("softmax", ValueError, "softmax is not elementwise"),
            ("glu", ValueError, "glu is not elementwise"),
            (np.tanh, ValueError, "not one of vekt's activations"),
            (3, ValueError, "not one of vekt's activations"),
            (["relu"], ValueError, "not one of vekt's activations"),
            (functools.partial(vk.leaky_relu, 0.1), ValueError, "not one of vekt's"),
            (("relu", {"slope": 1}), TypeError, "no parameter 'slope'; it takes negative_slope"),
            (("tanh", {"slope": 1}), TypeError, "it takes none"),
            (("relu", 3), TypeError, "expected a mapping of parameters, got 3"),
            (("elu", {"alpha": [1, 2]}), TypeError, "alpha must be a number"),
            (("elu", {"alpha": "1"}), TypeError, "alpha must be a number"),
            (("elu", {"alpha": None}), TypeError, "alpha must be a number"),
            (("gelu", {"approximate": "none"}), TypeError, "approximate must be a bool"),
        ],
    )
    def test_errors(self, activation: Any, error: type[Exception], message: str):
        x, w, b = operands(2, 3, 4)
        out = np.full((2, 4), 7, "f4")
        with pytest.raises(error, match=message):
            vk.dense(x, w, b, activation, out=out)
        assert (out == 7).all()


class TestDtypes:
    @pytest.mark.parametrize("dtype", ["f2", ml_dtypes.bfloat16])
    def test_16_bits_round_once(self, dtype: Any):
        x, w, b = operands(9, 70, 8, dtype)
        y, z = vk.dense(x, w, b, "silu", return_preactivation=True)
        wide = [v.astype("f4") for v in (x, w, b)]
        wide_y, wide_z = vk.dense(*wide, "silu", return_preactivation=True)
        assert y.dtype == z.dtype == dtype
        assert_array_equal(y, wide_y.astype(dtype))
        assert_array_equal(z, wide_z.astype(dtype))

    def test_promotion(self):
        x, w, b = operands(4, 3, 2, "i4")
        for dtypes, expected in (
            (("i4", "i4", "i4"), "f8"),
            (("?", "u1", "i8"), "f8"),
            (("f4", "f8", "f4"), "f8"),
            (("f4", "f4", "f8"), "f8"),
            (("f2", "f4", "f2"), "f4"),
            ((">f4", "f4", "f4"), "f4"),
            (("f4", ">f8", "f4"), "f8"),
        ):
            given = [v.astype(dtype) for v, dtype in zip((x, w, b), dtypes, strict=True)]
            y = vk.dense(*given, "relu")
            assert y.dtype == expected
            assert y.dtype.isnative
            assert_array_equal(y, vk.dense(*(v.astype(expected) for v in given), "relu"))
        assert vk.dense(x.astype("f4"), w.astype("f4"), 1.0).dtype == "f4"
        assert vk.dense([[1, 2]], [[1], [1]], [1]).tolist() == [[4.0]]

    def test_out_is_cast_to(self):
        x, w, b = operands(4, 3, 2)
        for dtype in ("f2", "f8", ">f4"):
            out = np.empty((4, 2), dtype)
            assert vk.dense(x, w, b, out=out) is out
            assert_array_equal(out, vk.dense(x, w, b).astype(dtype))

    def test_subclasses(self):
        x, w, b = operands(4, 3, 2)
        for subclass in (np.ma.masked_array(x), x.view(np.matrix)):
            y = vk.dense(subclass, w, b, "relu")
            assert type(y) is np.ndarray
            assert_array_equal(y, vk.dense(x, w, b, "relu"))

    def test_special_values(self):
        x = np.float32([[np.nan, 1], [np.inf, -np.inf], [3e38, 3e38], [1e-45, 0], [-np.inf, 1]])
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            for dtype in ("f2", "f4", "f8"):
                with np.errstate(all="ignore"):
                    given = x.astype(dtype)
                for case in CASES:
                    w = np.eye(2, dtype=dtype)
                    y = vk.dense(given, w, np.zeros(2, dtype), (case.op.name, case.keywords))
                    assert np.isnan(y[0, 0])
        assert_array_equal(
            vk.dense(x, np.ones((2, 1), "f4"), None, "relu")[[2, 4]], [[np.inf], [0]]
        )


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (
                {"x": np.ones((2, 4), "f4")},
                ValueError,
                r"x of shape \(..., 3\) for w of shape \(3, 4\), got \(2, 4\)",
            ),
            ({"x": np.float32(1)}, ValueError, r"got \(\)"),
            ({"w": np.ones(3, "f4")}, ValueError, r"w must be 2-D, but has shape \(3,\)"),
            ({"w": np.ones((2, 3, 4), "f4")}, ValueError, "w must be 2-D"),
            (
                {"b": np.ones(3, "f4")},
                ValueError,
                r"b of shape \(3,\) does not broadcast .* \(2, 4\)",
            ),
            ({"b": np.ones((2, 2, 4), "f4")}, ValueError, "does not broadcast"),
            ({"x": np.ones((2, 3), "c8")}, TypeError, "complex64"),
            ({"w": np.full((3, 4), "a")}, TypeError, "dtype"),
            ({"out": np.ones((2, 3), "f4")}, ValueError, r"expected shape \(2, 4\), got \(2, 3\)"),
            ({"out": np.ones((2, 4), "i4")}, TypeError, "cannot cast float32 to int32"),
            ({"out": [[0] * 4] * 2}, TypeError, "expected an ndarray, got list"),
            ({"x": dask.array.ones((2, 3))}, TypeError, "Dask arrays take neither out"),
        ],
    )
    def test_messages(self, change: dict[str, Any], error: type[Exception], message: str):
        x, w, b = operands(2, 3, 4)
        out = change.get("out", np.full((2, 4), 7, "f4"))
        before = np.array(out)
        with pytest.raises(error, match=message):
            vk.dense(**{"x": x, "w": w, "b": b, "out": out} | change)
        assert_array_equal(out, before)

    def test_read_only(self):
        x, w, b = operands(2, 3, 4)
        out = np.full((2, 4), 7, "f4")
        out.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            vk.dense(x, w, b, out=out)
        assert (out == 7).all()

    def test_signature(self):
        assert list(inspect.signature(vk.dense).parameters) == [
            *("x", "w", "b", "activation", "out", "return_preactivation", "deterministic", "dtype")
        ]
        assert inspect.signature(reference.dense) is not None
