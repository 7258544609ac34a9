"""Gated units: the bits of their activation and of one product; halves along any axis."""

from __future__ import annotations

import pickle
from typing import Any

import dask.array
import numpy as np
import pytest
from conftest import ufuncs_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import reference
from vekt._spec.activations import KERNELS
from vekt._spec.gates import GATE_OPS, GATES
from vekt._spec.spec import Kernel
from vekt.reference import ulp_error

FLOATS = ["float32", "float64"]
PAIRS = ["swiglu", "geglu", "reglu"]
by_gate = pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
by_dtype = pytest.mark.parametrize("dtype", FLOATS)

STEP = 1e-5


def operands(dtype: str, n: int, count: int = 3, scale: float = 4) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    return [rng.normal(0, scale, n).astype(dtype) for _ in range(count)]


def halves_of(gate: Kernel, a: Any, b: Any) -> tuple[Any, Any]:
    """Return the operand that goes through the activation, and the other."""
    return (a, b) if gate.gate == "a" else (b, a)


class TestKernels:
    @by_gate
    @by_dtype
    def test_bits_of_the_activation(self, gate, dtype, kernels):
        dy, a, b = operands(dtype, 10_007)
        x, other = halves_of(gate, a, b)
        value = kernels[gate.activation](x)
        assert_array_equal(kernels[gate.name](a, b), value * other)
        d_gate, d_other = halves_of(gate, *kernels[f"{gate.name}_backward"](dy, a, b))
        assert_array_equal(d_other, dy * value)
        assert_array_equal(d_gate, kernels[f"{gate.activation}_backward"](dy * other, x))

    @by_gate
    @by_dtype
    def test_error(self, gate, dtype, kernels):
        dy, a, b = operands(dtype, 50_000)
        x, other = halves_of(gate, a, b)
        kernel = KERNELS[gate.activation]
        wide_type = np.float64 if dtype == "float32" else np.longdouble
        wide_dy, wide_x, wide_other = (v.astype(wide_type) for v in (dy, x, other))
        true, slope = kernel.value(wide_x), kernel.gradient(wide_x)
        tiny = np.finfo(dtype).tiny
        away = (np.abs(true) >= tiny) | (true == 0)
        error = ulp_error(kernels[gate.name](a, b), true * wide_other)
        assert error[away].max() <= gate.max_ulp[dtype]
        d_gate, d_other = halves_of(gate, *kernels[f"{gate.name}_backward"](dy, a, b))
        assert ulp_error(d_other, true * wide_dy)[away].max() <= gate.max_ulp[dtype]
        away = (np.abs(slope) >= tiny) | (slope == 0)
        for root in kernel.roots:
            away &= np.abs(x - float(root)) > kernel.root_radius
        error = ulp_error(d_gate, wide_dy * wide_other * slope)
        assert error[away].max() <= gate.gradient_max_ulp[dtype]

    @by_gate
    def test_limits(self, gate, kernels):
        """Where the activation has its limits; NaN of either operand propagates."""
        kernel = KERNELS[gate.activation]
        x = np.array([-np.inf, np.inf, -1e30, 0.0, np.nan, 2.0], "f4")
        other = np.array([2, 3, 1, 5, 1, np.nan], "f4")
        value = kernels[gate.name](*halves_of(gate, x, other))
        with np.errstate(all="ignore"):
            f, slope = (g(x.astype("f8")).astype("f4") for g in (kernel.value, kernel.gradient))
        assert_array_equal(f[:2], kernel.limits)
        assert_array_equal(slope[:2], kernel.gradient_limits)
        assert_array_equal(value, f * other)
        dy = np.ones_like(x)
        given = kernels[f"{gate.name}_backward"](dy, *halves_of(gate, x, other))
        d_gate, d_other = halves_of(gate, *given)
        assert_array_equal(d_gate[[0, 1, 2, 4, 5]], (slope * other)[[0, 1, 2, 4, 5]])
        assert_array_equal(np.isnan(d_other), np.isnan(x))


class TestPublic:
    @pytest.mark.parametrize(
        ("name", "flags"), [*((name, {}) for name in PAIRS), ("geglu", {"approximate": True})]
    )
    def test_against_the_reference(self, name, flags):
        dy, a, b = operands("float64", 900, scale=2)
        args = dy.reshape(30, 30), a.reshape(30, 30), b[:30]
        assert_allclose(
            getattr(vk, name)(*args[1:], **flags),
            getattr(reference, name)(*args[1:], **flags),
            1e-14,
        )
        ours = getattr(vk, f"{name}_backward")(*args, **flags)
        theirs = getattr(reference, f"{name}_backward")(*args, **flags)
        for ds, true in zip(ours, theirs, strict=True):
            assert ds.shape == (30, 30)
            assert_allclose(ds, true, 1e-13, 1e-15)

    @pytest.mark.parametrize("name", [*PAIRS, "geglu_tanh"])
    def test_gradients_are_the_slopes(self, name):
        function, flags = (vk.geglu, (True,)) if name == "geglu_tanh" else (getattr(vk, name), ())
        backward = vk.geglu_backward if flags else getattr(vk, f"{name}_backward")
        a, b, dy = operands("float64", 500, scale=1.5)
        a = np.where(np.abs(a) < 1e-3, 1, a)  # relu has a kink
        da, db = backward(dy, a, b, *flags)
        slope_a = (function(a + STEP, b, *flags) - function(a - STEP, b, *flags)) / (2 * STEP)
        slope_b = (function(a, b + STEP, *flags) - function(a, b - STEP, *flags)) / (2 * STEP)
        assert_allclose(da, dy * slope_a, 1e-6, 1e-8)
        assert_allclose(db, dy * slope_b, 1e-6, 1e-8)

    def test_flag(self):
        assert vk.geglu(1.0, 2.0, np.True_) == vk.geglu(1.0, 2.0, approximate=True)
        for wrong in ("tanh", 1, None):
            with pytest.raises(TypeError, match="approximate must be a bool"):
                vk.geglu(1.0, 2.0, wrong)
            with pytest.raises(TypeError, match="approximate must be a bool"):
                reference.geglu_backward(1.0, 1.0, 2.0, wrong)

    def test_out_where_dtype(self):
        a, b = operands("float32", 50, 2)
        out = np.full(50, 9, "f4")
        assert vk.geglu(a, b, out=out, where=a > 0) is out
        assert_array_equal(out, np.where(a > 0, vk.geglu(a, b), 9))
        wide = vk.geglu(a, b, dtype="f8")
        assert_array_equal(wide, vk.geglu(a.astype("f8"), b.astype("f8")))
        da, db = np.empty_like(a), np.empty_like(a)
        results = vk.geglu_backward(a, a, b, out=(da, db))
        assert results[0] is da
        assert results[1] is db
        expected = vk.geglu_backward(a, a, b)
        assert_array_equal((da, db), expected)

    @pytest.mark.parametrize("name", PAIRS)
    @pytest.mark.parametrize("which", [(0, 1), (1, 2), (2, 1), (0, 2), (1, 0)])
    def test_gradients_over_the_operands(self, name, which):
        """Da and db may be written over any two of dy, a and b."""
        memory = operands("float32", 777)
        backward = getattr(vk, f"{name}_backward")
        expected = backward(*(m.copy() for m in memory))
        da, db = (memory[k] for k in which)
        backward(*memory, out=(da, db))
        assert_array_equal((da, db), expected)

    @pytest.mark.parametrize("name", ["geglu", "geglu_backward", "glu", "glu_backward", "swiglu"])
    def test_pickle(self, name):
        assert pickle.loads(pickle.dumps(getattr(vk, name))) is getattr(vk, name)

    def test_get(self):
        assert vk.activations.get("glu") is vk.glu
        assert "glu" in vk.activations.NAMES

    def test_signatures_agree(self):
        import inspect

        from vekt import jit

        def told(function):
            parameters = inspect.signature(function).parameters.values()
            return [(p.name, p.kind, p.default) for p in parameters]

        for name in GATE_OPS:
            for full in (name, f"{name}_backward"):
                expected = told(getattr(reference, full))
                assert told(getattr(jit, full)) == expected
                if not isinstance(getattr(vk, full), np.ufunc):
                    assert told(getattr(vk, full)) == expected


class TestGlu:
    @by_dtype
    @pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
    def test_axis(self, dtype, axis):
        x = np.random.default_rng(1).normal(0, 3, (4, 6, 8)).astype(dtype)
        a, b = np.split(x, 2, axis)
        y = vk.glu(x, axis)
        assert_array_equal(y, a * vk.sigmoid(b))
        dy = y[::-1].copy()
        dx = vk.glu_backward(dy, x, axis)
        assert dx.shape == x.shape
        expected = np.concatenate([dy * vk.sigmoid(b), vk.sigmoid_backward(dy * a, b)], axis)
        assert_array_equal(dx, expected)
        assert_allclose(y, reference.glu(x, axis), 1e-6)
        assert_allclose(dx, reference.glu_backward(dy, x, axis), 2e-6, 1e-30)

    def test_gradient_is_the_slope(self):
        x = np.random.default_rng(1).normal(0, 2, (5, 6))
        dx = vk.glu_backward(1.0, x)
        for k in range(6):
            step = STEP * (np.arange(6) == k)
            slope = (vk.glu(x + step) - vk.glu(x - step)) / (2 * STEP)
            assert_allclose(dx[:, k], slope[:, k % 3], 1e-6, 1e-8)

    @given(data=st.data(), dtype=st.sampled_from(["<f4", ">f4", "<f8", "<f2"]))
    def test_layouts(self, data: st.DataObject, dtype: str) -> None:
        shape = list(data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=6)))
        axis = data.draw(st.integers(-len(shape), len(shape) - 1))
        shape[axis] *= 2
        order = data.draw(st.permutations(range(len(shape))))
        step = data.draw(st.sampled_from([-2, -1, 1, 3]))
        room = np.zeros([shape[k] * abs(step) for k in order], dtype).transpose(np.argsort(order))
        x = room[(slice(None, None, step),) * len(shape)]
        x[...] = np.random.default_rng(0).normal(0, 3, shape)
        plain = np.ascontiguousarray(x, np.dtype(dtype).newbyteorder("="))
        y = vk.glu(x, axis)
        assert y.dtype == plain.dtype
        assert_array_equal(y, vk.glu(plain, axis))
        expected = vk.glu_backward(y, plain, axis)
        assert expected.dtype == plain.dtype
        assert_array_equal(vk.glu_backward(y, x, axis), expected)
        assert vk.glu_backward(y, x, axis, out=x) is x
        assert_array_equal(x, expected)

    def test_out_over_a_half(self):
        x = np.random.default_rng(1).normal(0, 3, (3, 10)).astype("f4")
        expected = vk.glu(x)
        for k in (0, 5, 2):
            memory = x.copy()
            out = memory[:, k : k + 5]
            assert vk.glu(memory, out=out) is out
            assert_array_equal(out, expected)

    @pytest.mark.parametrize("module", [vk, reference])
    def test_errors(self, module):
        out = np.full(4, 7.0)
        for wrong, axis in (((3,), -1), ((2, 5), 1)):
            with pytest.raises(ValueError, match="odd length"):
                module.glu(np.ones(wrong), axis)
            with pytest.raises(ValueError, match="odd length"):
                module.glu_backward(1.0, np.ones(wrong), axis)
        with pytest.raises(np.exceptions.AxisError):
            module.glu(np.ones((2, 4)), 2)
        with pytest.raises(np.exceptions.AxisError):
            module.glu(np.float64(1))
        with pytest.raises(TypeError):
            module.glu(np.ones(4, complex))
        with pytest.raises(TypeError):
            module.glu_backward(np.ones(2, complex), np.ones(4), out=out)
        with pytest.raises(ValueError, match=r"broadcast|shape"):
            module.glu_backward(np.ones(3), np.ones(4), out=out)
        with pytest.raises(ValueError, match=r"broadcast|shape"):
            module.glu_backward(np.ones((3, 2)), np.ones(4), out=out)
        with pytest.raises(ValueError, match="shape"):
            module.glu_backward(np.ones(3), np.ones(6), out=out)
        assert_array_equal(out, 7)

    @pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4)])
    def test_empty(self, shape):
        x = np.empty(shape, "f4")
        assert vk.glu(x).shape == (*shape[:-1], shape[-1] // 2)
        dx = vk.glu_backward(vk.glu(x), x)
        assert dx.shape == shape
        assert dx.dtype == "f4"

    def test_integers_and_lists(self):
        assert vk.glu([2, 3]).dtype == vk.glu_backward([1], [2, 3]).dtype == "f8"
        assert_array_equal(vk.glu([2, 3]), vk.glu(np.array([2.0, 3.0])))

    def test_other_containers(self):
        x = np.random.default_rng(1).normal(0, 3, (6, 8))
        lazy = dask.array.from_array(x, chunks=(3, 8))
        for result, expected in (
            (vk.glu(lazy), vk.glu(x)),
            (vk.swiglu(lazy, lazy), vk.swiglu(x, x)),
        ):
            assert isinstance(result, dask.array.Array)
            assert_array_equal(result.compute(scheduler="sync"), expected)

        class Special(np.ndarray):
            pass

        assert type(vk.glu(x.view(Special))) is Special

    def test_no_floating_point_errors(self):
        special = np.array([np.inf, -np.inf, np.nan, 0, -0.0, 1e38, -1e38, 1e-45, 3, -100], "f4")
        x = np.stack(np.meshgrid(special, special))
        with np.errstate(all="raise"):
            for dtype in ("f2", "f4", "f8"):
                with np.errstate(all="ignore"):
                    wide = x.astype(dtype)
                y = vk.glu(wide, 0)
                vk.glu_backward(y, wide, 0)


class TestJit:
    @pytest.mark.parametrize("name", PAIRS)
    def test_two_operands(self, name):
        from vekt import jit

        dy, a, b = operands("float32", 600, scale=2)
        dy, a, b = dy.reshape(20, 30), a.reshape(20, 30), b.reshape(20, 30)
        assert_allclose(getattr(jit, name)(a, b), getattr(reference, name)(a, b), 1e-6, 1e-30)
        out = np.empty_like(a), np.empty_like(a)
        results = getattr(jit, f"{name}_backward")(dy, a, b, out=out)
        assert results[0] is out[0]
        for ds, true in zip(out, getattr(reference, f"{name}_backward")(dy, a, b), strict=True):
            assert_allclose(ds, true, 2e-6, 1e-7)
        assert type(getattr(jit, name)(1.0, 2.0)) is np.float64

    def test_glu(self):
        from vekt import jit

        x = np.random.default_rng(1).normal(0, 2, (4, 6, 8))
        for axis in (0, 1, -1):
            y = jit.glu(x, axis)
            assert_allclose(y, reference.glu(x, axis), 1e-14)
            assert_allclose(jit.glu_backward(y, x, axis), reference.glu_backward(y, x, axis), 1e-13)
        out = np.empty_like(x)
        assert jit.glu_backward(y, x, out=out) is out
        for wrong in (3, -4):
            with pytest.raises(ValueError, match="out of bounds"):
                jit.glu(x, wrong)
        with pytest.raises(ValueError, match="odd length"):
            jit.glu(np.ones((3, 5, 7)))

    def test_inside_njit(self):
        import numba

        from vekt import jit

        def step(dy, x, a, b):
            y = jit.geglu(a, b) - jit.geglu(a, b, approximate=True)
            da, db = jit.reglu_backward(2.0, 3.0, b)
            return jit.glu_backward(dy, x, 0) + jit.glu(x, axis=1).sum(), y, da, db

        dy, a, b = (v.reshape(10, 10) for v in operands("float64", 100, scale=1))
        x = np.concatenate([a, b])
        compiled = numba.njit(step)(dy, x, a, b)
        for ours, plain in zip(compiled, step(dy, x, a, b), strict=True):
            assert_allclose(ours, plain, 1e-13, 1e-15)

    def test_no_arrays_to_halve(self):
        import numba

        from vekt import jit

        with pytest.raises(numba.TypingError, match="glu: expected an array"):
            numba.njit(lambda x: jit.glu(x))(1.0)


def test_built_for_every_target(isa):
    assert {*GATES, *(f"{name}_backward" for name in GATES)} <= set(ufuncs_of(isa))


def test_datasets_have_no_halves():
    xarray = pytest.importorskip("xarray")
    with pytest.raises(TypeError, match="expected an array, got Dataset"):
        vk.glu(xarray.Dataset({"a": ("x", np.ones(4))}))
