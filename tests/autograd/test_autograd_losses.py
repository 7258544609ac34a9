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
from vekt._spec.losses import LOSSES


@pytest.mark.parametrize("name", LOSSES)
def test_to_second_order(name):
    y, t = np.array([[0.2, 0.9], [0.6, 0.35]]), np.array([0.1, 0.7])
    check_grads(getattr(va, name), modes=["rev"], order=2)(y, t)


def test_huber_beyond_delta():
    y, t = np.array([-2.0, 0.1, 3.0]), np.zeros(3)
    check_grads(lambda y, t: va.huber(y, t, 0.5), modes=["rev"], order=2)(y, t)


@pytest.mark.parametrize("name", LOSSES)
def test_targets(name):
    """To second order, and mixed with the prediction; a target for all, and for each."""
    y, t = np.array([[0.2, 0.9], [0.6, 0.35]]), np.array([0.1, 0.7])
    loss = getattr(va, name)
    for operands in ((y, t), (y[0], t), (y[0], 0.45), (0.6, y), (0.3, 0.8)):
        check_grads(loss, modes=["rev"], order=3)(*operands)
        check_grads(lambda t, y=operands[0]: loss(y, t), modes=["rev"], order=2)(operands[1])
    if LOSSES[name].params:
        delta = np.array([[0.5], [0.05]])
        check_grads(lambda y, t: loss(y, t, delta), modes=["rev"], order=2)(y, t)


@pytest.mark.parametrize("name", [*LOSSES, "softmax_cross_entropy"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_targets_at_the_limits(name, dtype):
    """Without a warning, in the dtype of the operands, as finite steps go."""
    y = np.array([[0, 1, 0.5, 0.75]] * 2, dtype)
    t = np.array([[0, 1, 0.25, 0.5]] * 2, dtype)
    options = {"reduction": "none", "weight": [1, 2, 3, 4]} if name.startswith("softmax") else {}

    def total(t):
        return anp.sum(getattr(va, name)(y, t, **options))

    slope = grad(total)(t)
    assert slope.dtype == dtype
    for k in range(4):
        at = 0 if options else (0, k)  # the row, or the element
        step = 1e-6 * (np.arange(4) == k)
        losses = [getattr(vk, name)(y.astype("f8"), x, **options)[at] for x in (t + step, t - step)]
        slope_by_steps = (losses[0] - losses[1]) / 2e-6
        assert_allclose(slope[:, k], slope_by_steps, 1e-4, 1e-6)  # infinite where p is 0 or 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reduction": "none", "axis": 0},
        {"weight": [1, 2, 3], "reduction": "sum"},
        {"label_smoothing": 0.2, "weight": [1, 2, 3.0], "axis": 1},
    ],
)
def test_soft_targets(options):
    x, t = np.random.default_rng(2).normal(size=(2, 2, 3, 3))
    loss = va.softmax_cross_entropy
    check_grads(lambda x, t: loss(x, t, **options), modes=["rev"], order=2)(x, abs(t))
    check_grads(lambda t: loss(x, t, **options), modes=["rev"], order=2)(t)


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
