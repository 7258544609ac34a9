"""vekt's functions under HIPS autograd: gradients to second order against differences."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("autograd")

from autograd import grad
from autograd import numpy as anp
from autograd.test_util import check_grads

from vekt import autograd as vk
from vekt._registry import KERNELS, OPS

POINTS = np.array([-2.3, -0.7, 0.4, 1.9, 4.4])
# Calls that choose each kernel.
CALLS = {
    **{name: {} for name in OPS},
    "gelu tanh": {"approximate": True},
    "relu general": {"negative_slope": 0.2, "max_value": 3.0, "threshold": 0.1},
    "softplus general": {"beta": 2.0},
    "elu 0.5": {"alpha": 0.5},
    "celu 0.5": {"alpha": 0.5},
}


@pytest.mark.parametrize("call", CALLS)
def test_activations_to_second_order(call):
    name = call.split(maxsplit=1)[0]
    kernel = KERNELS[OPS[name].kernels[0].name]
    x = POINTS if kernel.domain[0] < 0 else np.abs(POINTS)
    check_grads(lambda x: getattr(vk, name)(x, **CALLS[call]), modes=["rev"], order=2)(x)


@pytest.mark.parametrize("name", ["swiglu", "geglu", "reglu"])
def test_gates(name):
    a, b = np.stack([POINTS, POINTS[::-1]]), 0.3 * POINTS
    check_grads(getattr(vk, name), modes=["rev"], order=2)(a, b)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "sparsemax", "logsumexp"])
@pytest.mark.parametrize("axis", [0, -1])
def test_rows(name, axis):
    x = np.stack([POINTS, 0.5 * POINTS[::-1], np.cos(POINTS)])
    check_grads(lambda x: getattr(vk, name)(x, axis), modes=["rev"], order=2)(x)


@pytest.mark.parametrize(
    "name", ["squared_error", "huber", "sigmoid_cross_entropy", "binary_cross_entropy"]
)
def test_losses(name):
    y, t = np.array([[0.2, 0.9], [0.6, 0.35]]), np.array([0.0, 0.7])
    check_grads(lambda y: getattr(vk, name)(y, t), modes=["rev"], order=2)(y)


def test_huber_beyond_delta():
    check_grads(lambda y: vk.huber(y, 0.0, 0.5), modes=["rev"], order=2)(POINTS)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_softmax_cross_entropy(reduction):
    x, labels = np.stack([POINTS, POINTS[::-1]]), np.array([1, 4])
    options = {"label_smoothing": 0.1, "reduction": reduction}
    check_grads(lambda x: vk.softmax_cross_entropy(x, labels, **options), modes=["rev"], order=1)(x)


@pytest.mark.parametrize("activation", [None, "tanh", "gelu", "relu"])
def test_dense(activation):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    layer = lambda x, w, b: vk.dense(x, w, b, activation)  # noqa: E731
    check_grads(layer, modes=["rev"], order=2)(x, w, b)


def test_matmul():
    rng = np.random.default_rng(0)
    check_grads(vk.matmul, modes=["rev"], order=2)(rng.normal(size=(2, 4, 3)), rng.normal(size=3))


def test_the_notes_graph_and_a_network():
    """J = 3 (a + b c), and the slope of a whole network in plain Python."""
    j = lambda a, b, c: 3 * (a + vk.linear(b) * c)  # noqa: E731
    assert [grad(j, i)(5.0, 3.0, 2.0) for i in range(3)] == [3, 6, 9]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), (rng.random((20, 1)) < 0.5).astype(float)
    weights = [rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=(4, 1)), np.zeros(1)]

    def cost(weights):
        hidden = vk.dense(x, weights[0], weights[1], "tanh")
        logits = vk.dense(hidden, weights[2], weights[3])
        return anp.mean(vk.sigmoid_cross_entropy(logits, y))

    slopes, step = grad(cost)(weights), 1e-6
    for i, w in enumerate(weights):
        moved = [list(weights), list(weights)]
        for sign, one in zip((1, -1), moved, strict=True):
            one[i] = w + sign * step * np.cos(np.arange(w.size)).reshape(w.shape)
        expected = (cost(moved[0]) - cost(moved[1])) / (2 * step)
        assert_allclose(
            (slopes[i] * np.cos(np.arange(w.size)).reshape(w.shape)).sum(), expected, 1e-6
        )
    with pytest.raises(ValueError, match="no activation 'no_such'"):
        vk.dense(x, weights[0], weights[1], "no_such")


def test_float32_stays():
    x = np.linspace(-1, 1, 5, dtype="f4")
    assert grad(lambda x: anp.sum(vk.silu(x)))(x).dtype == "f4"


def test_examples():
    assert doctest.testmod(vk).failed == 0
