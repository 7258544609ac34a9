"""The losses under HIPS autograd."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("autograd")

from autograd import grad
from autograd import numpy as anp
from autograd.test_util import check_grads
from numpy.testing import assert_allclose

import vekt as vk
from vekt import autograd as va

NAMES = ["squared_error", "huber", "sigmoid_cross_entropy", "binary_cross_entropy"]


@pytest.mark.parametrize("name", NAMES)
def test_to_second_order(name):
    y, t = np.array([[0.2, 0.9], [0.6, 0.35]]), np.array([0.1, 0.7])
    check_grads(getattr(va, name), modes=["rev"], order=2)(y, t)


def test_huber_beyond_delta():
    y, t = np.array([-2.0, 0.1, 3.0]), np.zeros(3)
    check_grads(lambda y, t: va.huber(y, t, 0.5), modes=["rev"], order=2)(y, t)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reduction": "none", "axis": 0},
        {"weight": [1, 2, 3], "reduction": "sum"},
        {"label_smoothing": 0.2, "ignore_index": 1},
    ],
)
def test_softmax_cross_entropy(options):
    x = np.random.default_rng(0).normal(size=(3, 3))
    labels = np.array([1, 0, 2])
    check_grads(lambda x: va.softmax_cross_entropy(x, labels, **options), modes=["rev"], order=2)(x)


def test_softmax_cross_entropy_of_probabilities_and_one_class():
    x, t = np.random.default_rng(1).normal(size=(2, 4, 3))
    check_grads(lambda x: va.softmax_cross_entropy(x, abs(t)), modes=["rev"], order=2)(x)
    check_grads(lambda x: va.softmax_cross_entropy(x, [0, 0]), modes=["rev"], order=2)(x[:2, :1])


def test_fused():
    shapes = ((4, 3), 3, (4, 1))
    x, w, b = (np.random.default_rng(2).normal(size=shape) for shape in shapes)
    layer = va.fuse(lambda x, w, b, scale=1.0: vk.mish(x * w + b) * scale)
    check_grads(lambda *a: layer(*a, scale=0.5), modes=["rev"], order=1)(x, w, b)
    check_grads(lambda w: anp.sum(va.tanh(layer(x, w, 0.5))), modes=["rev"], order=1)(w)
    assert_allclose(layer(x, w, b), vk.mish(x * w + b))
    with pytest.raises(NotImplementedError, match="VJP of"):
        grad(lambda w: anp.sum(grad(lambda w: anp.sum(layer(x, w, b)))(w)))(w)


def test_a_network_in_plain_python():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), (rng.random((20, 1)) < 0.5).astype(float)
    weights = [rng.normal(size=(3, 4)), rng.normal(size=(4, 1))]

    def cost(weights):
        logits = va.matmul(va.tanh(va.matmul(x, weights[0])), weights[1])
        return anp.mean(va.sigmoid_cross_entropy(logits, y))

    slopes = grad(cost)(weights)
    for i in range(2):
        step = rng.normal(size=weights[i].shape)
        up, down = ([*weights], [*weights])
        up[i], down[i] = weights[i] + 1e-6 * step, weights[i] - 1e-6 * step
        assert_allclose((slopes[i] * step).sum(), (cost(up) - cost(down)) / 2e-6, 1e-6)
