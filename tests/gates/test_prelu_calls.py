"""prelu: dtypes, scalars, errors, other containers, and its Numba twin."""

from __future__ import annotations

import pickle

import dask.array
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from test_prelu import CASES, exact_sums, operands, tolerance

import vekt as vk
from vekt import reference
from vekt._core import native


class TestArguments:
    def test_dtypes(self):
        x = np.array([[-1, 2], [3, -4]])
        for operand, slope, dtype in (
            (x, 0.5, "f8"),
            (x.astype("f4"), 0.5, "f4"),
            (x.astype("f2"), 0.5, "f2"),
            (x.astype("f4"), np.float64([0.5]), "f8"),
            (x.astype("f2"), np.float32([0.5, 0.5]), "f4"),
            (x.tolist(), [1, 1], "f8"),
        ):
            assert vk.prelu(operand, slope).dtype == dtype
            dx, dalpha = vk.prelu_backward(operand, operand, slope)
            assert dx.dtype == dalpha.dtype == dtype
        wide = vk.prelu(x.astype("f4"), np.float32([0.5, 1]), dtype="f8", where=x > 0, out=x * 1.0)
        assert_array_equal(wide, x)

    def test_scalars(self):
        assert vk.prelu(-2.0, 0.25) == -0.5
        dx, dalpha = vk.prelu_backward(3.0, -2.0, 0.25)
        assert (dx, dalpha) == (0.75, -6)
        assert type(dx) is type(dalpha) is np.float64

    @pytest.mark.parametrize("wide", ["f4", "f8"])
    def test_wider_outputs_hold_what_the_dtype_does(self, wide):
        """As a ufunc's: rounded to the dtype of the call, whatever the layout of the output."""
        dy, x = (np.linspace(-3, 3, 34).astype("f2").reshape(2, 17) ** k for k in (1, 3))
        alpha = np.float16([0.3])
        expected = vk.prelu_backward(dy, x, alpha)
        spread = np.empty((2, 34), wide)[:, ::2]
        for dx in (np.empty((2, 17), wide), np.empty((2, 17), wide, "F"), spread):
            dalpha = np.empty(1, wide)
            vk.prelu_backward(dy, x, alpha, out=(dx, dalpha))
            assert_array_equal(dx, expected[0])
            assert_array_equal(dalpha, expected[1])

    def test_float16_is_float32_rounded_once(self):
        dy, x, alpha = operands((300, 7), (7,), "float16")
        results = vk.prelu_backward(dy, x, alpha)
        wide = vk.prelu_backward(*(v.astype("f4") for v in (dy, x, alpha)))
        for result, single in zip(results, wide, strict=True):
            assert_array_equal(result, single.astype("f2"))

    def test_sums_beyond_the_range(self):
        x = np.full((4, 3), -1e30, "f4")
        with np.errstate(all="raise"):
            assert_array_equal(vk.prelu_backward(-x, x, np.ones(3, "f4"))[1], -np.inf)
            half = np.full((4, 3), -300, "f2")
            assert_array_equal(vk.prelu_backward(half, -half, np.ones(3, "f2"))[1], 0)
            assert_array_equal(vk.prelu_backward(half, half, np.ones(3, "f2"))[1], np.inf)

    def test_no_floating_point_errors(self):
        special = np.array([np.inf, -np.inf, np.nan, 0, -0.0, 3e38, -3e38, 1e-45, 3, -100], "f4")
        dy, x, alpha = (v.reshape(-1, 10) for v in np.meshgrid(special, special, special))
        with np.errstate(all="raise"):
            for dtype in ("f4", "f8"):
                vk.prelu(x.astype(dtype), alpha[0].astype(dtype))
                vk.prelu_backward(dy.astype(dtype), x.astype(dtype), alpha[:1].astype(dtype))
                vk.prelu_backward(dy.astype(dtype), x.astype(dtype), alpha[:, :1].astype(dtype))

    @pytest.mark.parametrize("module", [vk, reference])
    def test_errors(self, module):
        x, kept = np.ones((4, 6)), (np.full((4, 6), 7.0), np.full(6, 7.0))
        for wrong in (np.ones(5), np.ones((3, 1))):
            with pytest.raises(ValueError, match="broadcast"):
                module.prelu(x, wrong)
            with pytest.raises(ValueError, match="broadcast"):
                module.prelu_backward(x, x, wrong, out=kept)
        with pytest.raises(ValueError, match="broadcast"):
            module.prelu_backward(np.ones(5), x, np.ones(6), out=kept)
        with pytest.raises(ValueError, match="1-d"):
            module.prelu(x, np.ones((4, 1)), axis=0)
        with pytest.raises(ValueError, match="broadcast"):
            module.prelu(x, np.ones(6), axis=0)
        with pytest.raises(np.exceptions.AxisError):
            module.prelu(x, np.ones(4), axis=2)
        for bad in (x.astype(complex), x.astype(object)):
            with pytest.raises(TypeError):
                module.prelu_backward(x, bad, np.ones(6), out=kept)
            with pytest.raises(TypeError):
                module.prelu(bad, np.ones(6))
        with pytest.raises(ValueError, match="shape"):
            module.prelu_backward(x, x, np.ones(6), out=(np.ones((4, 5)), kept[1]))
        assert all((target == 7).all() for target in kept)

    def test_refused_outputs(self):
        x, kept = np.ones((4, 6)), np.full((4, 6), 7.0)
        with pytest.raises(ValueError, match="shape"):
            vk.prelu_backward(x, x, np.ones(6), out=(kept, np.ones(5)))
        with pytest.raises(TypeError, match="cannot cast"):
            vk.prelu_backward(x, x, np.ones(6), out=(kept, np.ones(6, int)))
        frozen = np.ones(6)
        frozen.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            vk.prelu_backward(x, x, np.ones(6), out=(kept, frozen))
        assert (kept == 7).all()
        with pytest.raises(ValueError, match="read-only"):
            vk.prelu(x, frozen, out=np.broadcast_to(frozen, (4, 6)))

    def test_driver_checks_its_operands(self):
        forward, backward = native.build_prelu()
        x, alpha = np.ones((4, 6)), np.ones(6)
        for wrong, error in (
            ((x, alpha, x, 4, 6), TypeError),
            ((x.tolist(), alpha, x, 4, 6, 1), TypeError),
            ((x, alpha.astype("f4"), x, 4, 6, 1), TypeError),
            ((x.astype(int), alpha, x, 4, 6, 1), TypeError),
            ((x, alpha, x, 4, 5, 1), ValueError),
            ((x, alpha, x.T, 4, 6, 1), ValueError),
            ((x, alpha, np.broadcast_to(x, (4, 6)), 4, 6, 1), ValueError),
            ((x, alpha, x, 4, 6, "1"), TypeError),
        ):
            with pytest.raises(error):
                forward(*wrong)
        with pytest.raises(TypeError):
            backward(x, x, alpha, x.copy(), alpha.astype(int), 4, 6, 1)
        with pytest.raises(ValueError, match="contiguous"):
            backward(x, x, alpha, x.copy(), np.ones(5), 4, 6, 1)

    def test_other_containers(self):
        _, x, alpha = operands((8, 6), (6,), "float64")
        lazy = dask.array.from_array(x, chunks=(4, 6))
        assert_array_equal(vk.prelu(lazy, alpha).compute(scheduler="sync"), vk.prelu(x, alpha))

    def test_pickle(self):
        for function in (vk.prelu, vk.prelu_backward):
            assert pickle.loads(pickle.dumps(function)) is function


class TestJit:
    @pytest.mark.parametrize(("shape", "slopes", "axis"), [c for c in CASES if len(c[0]) in (2, 3)])
    def test_against_the_reference(self, shape, slopes, axis):
        from vekt import jit

        dy, x, alpha = operands(shape, slopes, "float64")
        alpha_2d = (
            alpha if axis is not None else alpha.reshape((1,) * (x.ndim - alpha.ndim) + slopes)
        )
        assert_allclose(jit.prelu(x, alpha_2d, axis), reference.prelu(x, alpha_2d, axis), 1e-15)
        dx, dalpha = jit.prelu_backward(dy, x, alpha_2d, axis)
        assert_array_equal(dx, vk.prelu_backward(dy, x, alpha_2d, axis)[0])
        expected = exact_sums(dy, x, alpha_2d, axis)
        assert_allclose(dalpha, expected, 1e-13, tolerance(dy, x, alpha_2d, axis)[1])
        assert dalpha.shape == alpha_2d.shape

    def test_single(self):
        from vekt import jit

        dy, x, alpha = operands((40, 6), (6,), "float32")
        dx, dalpha = jit.prelu_backward(dy, x, alpha)
        assert dx.dtype == dalpha.dtype == "f4"
        assert_array_equal(dx, vk.prelu_backward(dy, x, alpha)[0])
        assert_allclose(dalpha, exact_sums(dy, x, alpha, None), 2e-7)

    def test_inside_njit(self):
        import numba

        from vekt import jit

        def step(dy, x, alpha):
            dx, dalpha = jit.prelu_backward(dy, x, alpha, axis=0)
            total = jit.prelu_backward(dy, x, 0.5)[1]
            return jit.prelu(x, alpha, 0) + dx, dalpha, total, jit.prelu_backward(2.0, -3.0, 0.5)

        dy, x, alpha = operands((5, 7), (5,), "float64")
        compiled, plain = numba.njit(step)(dy, x, alpha), step(dy, x, alpha)
        for ours, theirs in zip(compiled, plain, strict=True):
            assert_allclose(ours, theirs, 1e-14)
