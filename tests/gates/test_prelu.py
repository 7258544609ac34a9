"""prelu: slopes of any shape, their gradients, and the same bits whatever the layout or threads."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import reference
from vekt._core import native

# Shape of x, shape of alpha, axis.
CASES = [
    ((7,), (), None),
    ((1000,), (1,), None),
    ((100_000,), (), None),
    ((4, 5), (5,), None),
    ((4, 5), (4,), 0),
    ((4, 5), (4, 5), None),
    ((4, 5), (4, 1), None),
    ((700, 3), (3,), -1),
    ((9_001, 3), (3,), None),
    ((131, 1000), (1000,), None),
    ((3, 9_000), (9_000,), None),
    ((2, 3, 700), (3, 1), None),
    ((2, 3, 20_000), (3,), 1),
    ((5, 3, 7, 7), (3,), 1),
    ((5, 3, 7, 7), (3,), -3),
    ((3, 4, 5, 6), (4, 1, 6), None),
    ((6, 4, 5), (6, 1, 5), None),
    ((2, 1, 3), (1, 3), None),
    ((2, 2, 300), (2, 1, 1), None),
]
DTYPES = ["float32", "float64", "float16"]
by_case = pytest.mark.parametrize(("shape", "slopes", "axis"), CASES)


def operands(
    shape: tuple[int, ...], slopes: tuple[int, ...], dtype: Any, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    dy, x = (rng.normal(0, 2, shape).astype(dtype) for _ in range(2))
    x[rng.random(shape) < 0.05] = 0
    return dy, x, np.asarray(rng.uniform(-0.5, 1.5, slopes), dtype)


def along(alpha: np.ndarray, axis: int | None, ndim: int) -> np.ndarray:
    """Return the slopes in a shape that broadcasts."""
    return alpha if axis is None else alpha.reshape(-1, *[1] * (ndim - 1 - axis % ndim))


@by_case
class TestBothPasses:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_value(self, shape, slopes, axis, dtype):
        """The bits of leaky_relu, which test_accuracy.py measures."""
        _, x, alpha = operands(shape, slopes, dtype)
        y = vk.prelu(x, alpha, axis)
        expected = vk.leaky_relu(x, along(alpha, axis, x.ndim))
        assert y.dtype == dtype
        assert_array_equal(y, expected, strict=True)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_gradients(self, shape, slopes, axis, dtype):
        dy, x, alpha = operands(shape, slopes, dtype)
        dx, dalpha = vk.prelu_backward(dy, x, alpha, axis)
        assert dx.dtype == dalpha.dtype == dtype
        assert_array_equal(dx, vk.leaky_relu_backward(dy, x, along(alpha, axis, x.ndim)))
        assert dalpha.shape == slopes
        assert_allclose(dalpha, exact_sums(dy, x, alpha, axis), *tolerance(dy, x, alpha, axis))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_every_target(self, shape, slopes, axis, dtype, isa):
        """All sum in the same order; with fused multiply-add they agree to the bit."""
        dy, x, alpha = operands(shape, slopes, dtype)
        wide = along(alpha, axis, x.ndim)
        if has_gaps(shape, wide.shape):
            pytest.skip("Python repeats the slopes first")
        outer, period, inner = lengths(shape, wide.shape)
        forward, backward = native.build_prelu(isa)
        y, dx, dalpha = np.empty_like(x), np.empty_like(x), np.empty(period, dtype)
        forward(x, alpha, y, outer, period, inner)
        assert_array_equal(y, vk.leaky_relu(x, wide))
        backward(dy, x, alpha, dx, dalpha, outer, period, inner)
        assert_array_equal(dx, vk.leaky_relu_backward(dy, x, wide))
        ours = vk.prelu_backward(dy, x, alpha, axis)[1].ravel()
        if isa in ("x86_v3", "x86_v4", "neon") and native.SELECTED in ("x86_v3", "x86_v4", "neon"):
            assert_array_equal(dalpha, ours)
        assert_allclose(dalpha, ours, *tolerance(dy, x, alpha, axis))

    def test_reference(self, shape, slopes, axis):
        dy, x, alpha = operands(shape, slopes, "float64")
        assert_allclose(vk.prelu(x, alpha, axis), reference.prelu(x, alpha, axis), 1e-15)
        dx, dalpha = reference.prelu_backward(dy, x, alpha, axis)
        # longdouble rounds the product before it is rounded to float64.
        assert_allclose(vk.prelu_backward(dy, x, alpha, axis)[0], dx, 3e-16)
        assert_allclose(dalpha, exact_sums(dy, x, alpha, axis), 2e-16, 1e-300)

    def test_slopes(self, shape, slopes, axis):
        """Central differences of the sum of dy * y."""
        dy, x, alpha = operands(shape, slopes, "float64", seed=3)
        dx, dalpha = vk.prelu_backward(dy, x, alpha, axis)
        direction = np.random.default_rng(5).normal(size=slopes)
        step = 1e-4
        up = (dy * vk.prelu(x, alpha + step * direction, axis)).sum()
        down = (dy * vk.prelu(x, alpha - step * direction, axis)).sum()
        assert_allclose((dalpha * direction).sum(), (up - down) / (2 * step), 1e-7, 1e-6)
        smooth = np.abs(x) > 1e-3
        rise = vk.prelu(x + step, alpha, axis) - vk.prelu(x - step, alpha, axis)
        assert_allclose(dx[smooth], (dy * rise / (2 * step))[smooth], 1e-8, 1e-10)


def terms(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, 0, dy.astype(np.longdouble) * x.astype(np.longdouble))


def sum_to(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    padded = (1,) * (values.ndim - len(shape)) + shape
    axes = tuple(k for k, n in enumerate(padded) if n == 1)
    return values.sum(axis=axes, dtype=np.longdouble).reshape(shape)


def exact_sums(dy: np.ndarray, x: np.ndarray, alpha: np.ndarray, axis: int | None) -> np.ndarray:
    total = sum_to(terms(dy, x), along(alpha, axis, x.ndim).shape)
    with np.errstate(over="ignore"):
        return total.reshape(alpha.shape).astype(x.dtype)


def tolerance(
    dy: np.ndarray, x: np.ndarray, alpha: np.ndarray, axis: int | None
) -> tuple[float, float]:
    """One rounding to the dtype, and a few of float64 on the largest sum of magnitudes."""
    sizes = sum_to(np.abs(terms(dy, x)), along(alpha, axis, x.ndim).shape)
    return float(np.finfo(x.dtype).eps), float(20 * 2.0**-53 * sizes.max(initial=0)) + 1e-300


def has_gaps(shape: tuple[int, ...], slopes: tuple[int, ...]) -> bool:
    padded = (1,) * (len(shape) - len(slopes)) + slopes
    varying = [k for k, n in enumerate(padded) if n != 1]
    return any(padded[k] != shape[k] for k in range(varying[0], varying[-1])) if varying else False


def lengths(shape: tuple[int, ...], slopes: tuple[int, ...]) -> tuple[int, int, int]:
    padded = (1,) * (len(shape) - len(slopes)) + slopes
    varying = [k for k, n in enumerate(padded) if n != 1] or [0]
    first, last = varying[0], varying[-1] + 1 if max(padded, default=1) > 1 else 0
    count = [int(np.prod(part)) for part in (shape[:first], shape[first:last], shape[last:])]
    return count[0], count[1], count[2]


class TestSums:
    def test_exact_products_of_floats(self):
        """float32 sums are the true ones, rounded once, however long and mixed."""
        rng = np.random.default_rng(2)
        dy, x = (rng.normal(0, 1, 300_000).astype("f4") for _ in range(2))
        x *= 10.0 ** rng.integers(-6, 6, x.size)
        true = sum(
            Fraction(float(a)) * Fraction(float(b)) for a, b in zip(dy, x, strict=True) if b <= 0
        )
        for shape, slopes in (((300_000,), ()), ((1, 300_000), (1, 1)), ((1000, 300), (1, 1))):
            dalpha = vk.prelu_backward(
                dy.reshape(shape), x.reshape(shape), np.full(slopes, 0.5, "f4")
            )[1]
            assert float(dalpha.ravel()[0] if slopes else dalpha) == np.float32(float(true))
        columns = vk.prelu_backward(dy.reshape(-1, 2), x.reshape(-1, 2), np.full(2, 0.5, "f4"))[1]
        assert_allclose(columns.astype("f8").sum(), float(true), 1e-6)

    def test_long_columns_in_double(self):
        """What one accumulator would lose: a million equal terms."""
        x = np.full((1_000_000, 3), -0.1)
        dalpha = vk.prelu_backward(np.ones_like(x), x, np.full(3, 0.5))[1]
        assert_allclose(dalpha, -1e5 * (1 + 5.6e-17), 2e-15)
        dalpha = vk.prelu_backward(np.ones(3_000_000), x.ravel(), 0.5)[1]
        assert_allclose(dalpha, -3e5, 2e-15)

    @pytest.mark.parametrize(
        ("shape", "slopes"),
        [
            ((3_000_000,), ()),
            ((1_000_001, 3), (3,)),
            ((12, 500, 500), (500, 1)),
            ((40, 70_000), (70_000,)),
        ],
    )
    def test_threads(self, shape, slopes, set_threads):
        dy, x, alpha = operands(shape, slopes, "float32")
        results = []
        for threads in (1, 2, 3, 7):
            set_threads(threads)
            results.append((vk.prelu(x, alpha), *vk.prelu_backward(dy, x, alpha)))
        for other in results[1:]:
            for ours, first in zip(other, results[0], strict=True):
                assert_array_equal(ours, first)

    def test_only_what_is_not_positive_counts(self):
        x = np.array([1, np.inf, 0, -0.0, -2, 3], "f4")
        dy = np.array([np.inf, np.nan, 5, 7, 3, -np.inf], "f4")
        dx, dalpha = vk.prelu_backward(dy, x, np.float32(0.25))
        assert dalpha == -6
        assert_array_equal(dx, np.array([np.inf, np.nan, 1.25, 1.75, 0.75, -np.inf], "f4"))
        dx, dalpha = vk.prelu_backward(np.ones((2, 2)), [[np.nan, 1], [1, -1]], [0.5, 0.5])
        assert_array_equal(dalpha, [np.nan, -1])
        assert_array_equal(dx, [[np.nan, 1], [1, 0.5]])


class TestLayouts:
    @given(data=st.data(), dtype=st.sampled_from(["<f4", ">f4", "<f8", "<f2"]))
    def test_any(self, data: st.DataObject, dtype: str) -> None:
        """Random shapes, orders of axes, steps and alignments: the bits of contiguous arrays."""
        shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6))
        kept = [data.draw(st.booleans()) for _ in shape]
        slopes = tuple(n if keep else 1 for n, keep in zip(shape, kept, strict=True))
        slopes = slopes[data.draw(st.integers(0, len(slopes))) :] if len(slopes) else slopes
        order = data.draw(st.permutations(range(len(shape))))
        step = data.draw(st.sampled_from([-2, -1, 1, 3]))
        offset = data.draw(st.integers(0, 5))

        def laid_out(values: np.ndarray) -> np.ndarray:
            room = [values.shape[k] * abs(step) for k in order[: values.ndim]]
            size = int(np.prod(room)) * values.itemsize
            memory = np.zeros(size + offset, np.uint8)[offset:].view(dtype).reshape(room)
            view = memory.transpose(np.argsort(order[: values.ndim]))
            view = view[(..., *(slice(None, None, step),) * values.ndim)]
            view[...] = values
            return view

        if any(k >= len(shape) for k in order):
            return
        dy, x, alpha = operands(shape, slopes, np.dtype(dtype).newbyteorder("="))
        strange_dy, strange_x = laid_out(dy), laid_out(x)
        assert_array_equal(vk.prelu(strange_x, alpha), vk.prelu(x, alpha))
        out = laid_out(np.zeros_like(x)), np.empty(slopes, dtype)
        expected = vk.prelu_backward(dy, x, alpha)
        results = vk.prelu_backward(strange_dy, strange_x, alpha, out=out)
        for result, target, true in zip(results, out, expected, strict=True):
            assert result is target
            assert_array_equal(result, true)

    @pytest.mark.parametrize("slopes", [(), (40,), (30, 1)])
    @pytest.mark.parametrize("over", ["dy", "x"])
    def test_in_place(self, slopes, over):
        dy, x, alpha = operands((30, 40), slopes, "float32")
        y, (dx, dalpha) = vk.prelu(x, alpha), vk.prelu_backward(dy, x, alpha)
        memory = {"dy": dy.copy(), "x": x.copy()}
        out = (memory[over], None)
        assert vk.prelu_backward(memory["dy"], memory["x"], alpha, out=out)[0] is memory[over]
        assert_array_equal(memory[over], dx)
        assert_array_equal(vk.prelu_backward(dy, x, alpha, out=(None, None))[1], dalpha)
        assert vk.prelu(x, alpha, out=x) is x
        assert_array_equal(x, y)

    @pytest.mark.parametrize("shift", [-40, -3, 1, 40])
    def test_overlap(self, shift):
        memory = np.random.default_rng(0).normal(size=600).astype("f4")
        alpha = np.array([0.25, 0.5, -1, 2], "f4")
        dy = np.ones((100, 4), "f4")
        expected = vk.prelu(memory[100:500].reshape(100, 4), alpha)
        dx, _ = vk.prelu_backward(dy, memory[100:500].reshape(100, 4), alpha)
        for function, true in ((0, expected), (1, dx)):
            buffer = memory.copy()
            x = buffer[100:500].reshape(100, 4)
            out = buffer[100 + shift : 500 + shift].reshape(100, 4)
            if function:
                vk.prelu_backward(dy, x, alpha, out=(out, None))
            else:
                vk.prelu(x, alpha, out=out)
            assert_array_equal(out, true)

    def test_slopes_over_themselves(self):
        dy, x, alpha = operands((50, 3), (3,), "float64")
        expected = vk.prelu_backward(dy, x, alpha)[1]
        assert vk.prelu_backward(dy, x, alpha, out=(None, alpha))[1] is alpha
        assert_array_equal(alpha, expected)

    @pytest.mark.parametrize(
        ("shape", "slopes"), [((0,), ()), ((0, 3), (3,)), ((3, 0), (3, 1)), ((2, 0), (0,))]
    )
    def test_empty(self, shape, slopes):
        x = np.empty(shape, "f4")
        assert vk.prelu(x, np.ones(slopes, "f4")).shape == shape
        dx, dalpha = vk.prelu_backward(x, x, np.ones(slopes, "f4"))
        assert dx.shape == shape
        assert_array_equal(dalpha, np.zeros(slopes, "f4"))
