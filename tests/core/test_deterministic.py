"""One row times contiguous columns, where the same bits as in a batch must be asked for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import reference
from vekt._core import native


@pytest.fixture
def products(isa):
    return native.build_products(isa)


def operands(rng, m, k, n, dtype):
    """Rows, and a matrix whose columns are contiguous."""
    x, w = rng.standard_normal((m, k)), rng.standard_normal((n, k))
    return x.astype(dtype), w.astype(dtype).T


class TestMatmul:
    @pytest.mark.parametrize("dtype", ["f", "d"])
    def test_batch(self, products, dtype, rng):
        x, w = operands(rng, 33, 300, 40, dtype)
        matmul = products["matmul"]
        whole = matmul(x, w)
        for rows in (slice(0, 1), slice(7, 9), slice(29, 33), slice(4, 9)):
            assert_array_equal(matmul(x[rows], w, deterministic="batch"), whole[rows])
            swapped = x.astype(x.dtype.newbyteorder())[rows]  # through the gufunc
            assert_array_equal(matmul(swapped, w, deterministic="batch"), whole[rows])
        assert_array_equal(matmul(x[3], w, deterministic="batch"), whole[3])
        stack = np.stack([x[:2], x[5:7]])
        twice = np.broadcast_to(w, (2, *w.shape))
        expected = whole[[0, 1, 5, 6]].reshape(2, 2, 40)
        for right in (w, twice):
            assert_array_equal(matmul(stack, right, deterministic="batch"), expected)
            gaps = np.repeat(stack, 2, axis=2)[:, :, ::2]
            assert_array_equal(matmul(gaps, right, deterministic="batch"), expected)

    @pytest.mark.parametrize("dtype", ["f", "d"])
    def test_default(self, products, dtype, rng):
        """The order of dot: within gamma_k, whatever the columns beside, and by both ways in."""
        x, w = operands(rng, 1, 1000, 2100, dtype)
        got = products["matmul"](x, w)
        unit = np.finfo(dtype).eps / 2
        gamma = 1000 * unit / (1 - 1000 * unit)
        exact = x.astype("g") @ w.astype("g")
        assert np.all(abs(got - exact) <= gamma * (abs(x) @ abs(w)) * (1 + 2.0**-10))
        assert_array_equal(got[0], products["matvec"](w.T, x[0]))
        assert_array_equal(got[0], products["vecmat"](x[0], w))
        assert_array_equal(products["matmul"](x, w[:, 3:5]), got[:, 3:5])
        assert_array_equal(products["matmul"](x.astype(x.dtype.newbyteorder()), w), got)

    def test_threads(self, rng, set_threads):
        for m, n in (1, 9000), (65, 180), (2080, 63):  # of 64 pieces, the last one's last is a row
            x, w = operands(rng, m, 300, n, "f")
            set_threads(1)
            expected = vk.matmul(x, w)
            for threads in (2, 3, 16):
                set_threads(threads)
                assert_array_equal(vk.matmul(x, w), expected)

    def test_argument(self):
        x = np.ones((2, 2))
        assert_array_equal(vk.matmul(x, x, deterministic=None), x @ x)
        out = np.empty_like(x)
        assert vk.matmul(x, x, deterministic="batch", out=out) is out
        assert vk.matmul(x, x, out=out, deterministic="batch") is out
        assert vk.matmul(x, x, out, deterministic="batch") is out
        assert_array_equal(out, x @ x)
        assert_array_equal(reference.matmul(x, x, deterministic="batch"), x @ x)
        for wrong in ("rows", True, 0, ["batch"]):
            with pytest.raises(ValueError, match="deterministic must be None or 'batch'"):
                vk.matmul(x, x, deterministic=wrong)
        with pytest.raises(TypeError):
            vk.vecdot(x, x, deterministic="batch")


class TestDense:
    def test_bits(self, rng):
        """The bits of matmul, + and the activation, for each layout of the result."""
        x, w = operands(rng, 4, 257, 700, "f")
        b = rng.standard_normal(700).astype("f")
        for m in (1, 3, 4):
            expected = vk.matmul(x[:m], w) + b
            for out in (None, np.empty((m, 700), x.dtype), np.empty((700, m), x.dtype).T):
                z = vk.dense(x[:m], w, b, out=out)
                assert_array_equal(z, expected)
                assert_array_equal(vk.dense(x[:m], w, b, "silu", out=out), vk.silu(expected))
        integers = np.arange(4 * 257).reshape(4, 257) % 7 * 3 - 5
        whole = vk.dense(integers, w.astype("d"), deterministic="batch")
        assert_array_equal(vk.dense(integers[:1], w.astype("d"), deterministic="batch"), whole[:1])

    def test_argument(self):
        x = np.ones((2, 2))
        for function in (vk.dense, reference.dense):
            assert_array_equal(function(x, x, deterministic=None), x @ x)
            assert_array_equal(function(x, x, deterministic="batch"), x @ x)
        with pytest.raises(ValueError, match="deterministic must be None or 'batch'"):
            vk.dense(x, x, deterministic="no")
