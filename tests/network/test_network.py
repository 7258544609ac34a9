"""The notes' networks: against a transcription of the notes, gradients, buffers, errors of use."""

from __future__ import annotations

import doctest
import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from vekt import activations, network, optim
from vekt.network import (
    Network,
    _gradient_check,
    check_gradients,
    logistic_regression,
    perceptron,
    shallow,
)


def samples(n=5, m=40, outputs=1):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(n, m))
    y = (rng.random((outputs, m)) < 0.5).astype(float)
    return x, y


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def notes_step(x, y, w, b, slope, activation, alpha):
    """One step of gradient descent as the notes have it, in plain NumPy."""
    m, last = x.shape[1], len(w) - 1
    a, z = [x], []
    for i in range(last + 1):
        z.append(w[i] @ a[i] + b[i])
        a.append(activation(z[i]) if i < last else sigmoid(z[i]))
    cost = -np.sum(y * np.log(a[-1]) + (1 - y) * np.log(1 - a[-1])) / m
    dz = a[-1] - y
    for i in range(last, -1, -1):
        dw, db = dz @ a[i].T / m, np.sum(dz, 1, keepdims=True) / m
        if i:
            dz = (w[i].T @ dz) * slope(z[i - 1])
        w[i] = w[i] - alpha * dw
        b[i] = b[i] - alpha * db
    return cost


@pytest.mark.parametrize("units", [[5, 1], [5, 7, 1], [5, 8, 6, 4, 2]])
def test_a_hundred_steps_of_the_notes(units):
    x, y = samples(outputs=units[-1])
    net = Network(units, "tanh", seed=2)
    w, b = [p.copy() for p in net.W], [p.copy() for p in net.b]
    slope = lambda z: 1 - np.tanh(z) ** 2  # noqa: E731
    costs = [notes_step(x, y, w, b, slope, np.tanh, 0.1) for _ in range(100)]
    net.fit(x, y, lr=0.1, epochs=100)
    for ours, theirs in zip([*net.W, *net.b], [*w, *b], strict=True):
        assert_allclose(ours, theirs, 0, 1e-10)
    assert_allclose(net.costs, costs, 1e-10)


def test_loops_of_logistic_regression():
    """The notes' loops over samples and features, and the network: the same weights."""
    x, y = samples(3, 20)
    w, b = [0.0] * 3, 0.0
    for _ in range(50):
        dw, db = [0.0] * 3, 0.0
        for i in range(20):
            z = b
            for j in range(3):
                z += w[j] * x[j, i]
            dz = float(sigmoid(z)) - y[0, i]
            for j in range(3):
                dw[j] += x[j, i] * dz
            db += dz
        w = [w[j] - 0.5 * dw[j] / 20 for j in range(3)]
        b -= 0.5 * db / 20
    net = logistic_regression(3).fit(x, y, lr=0.5, epochs=50)
    assert_allclose(net.W[0][0], w, 0, 1e-12)
    assert_allclose(net.b[0], b, 0, 1e-12)


def test_torch():
    torch = pytest.importorskip("torch")
    x, y = samples(6, 50, 3)
    net = Network([6, 9, 3], "relu", seed=2, dtype="f4")
    layers = [torch.nn.Linear(6, 9), torch.nn.Linear(9, 3)]
    with torch.no_grad():
        for layer, w in zip(layers, net.W, strict=True):
            layer.weight.copy_(torch.tensor(w))
            layer.bias.zero_()
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1])
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    inputs, targets = (torch.tensor(a.T.astype("f4")) for a in (x, y))
    with torch.enable_grad():
        for _ in range(50):
            adam.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(inputs), targets)
            (3 * loss).backward()  # the notes add up a sample's outputs
            adam.step()
    net.fit(x, y, optimizer="adam", lr=0.01, epochs=50)
    for layer, w in zip(layers, net.W, strict=True):
        assert_allclose(w, layer.weight.detach().numpy(), 0, 2e-4)


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "linear", "poisson"])
@pytest.mark.parametrize(
    "hidden",
    [
        [],
        ["prelu"],
        ["gelu", "mish"],
        [activations.get("silu"), ("leaky_relu", {"negative_slope": 0.1}), "prelu"],
    ],
)
def test_gradients(output, hidden):
    x, y = samples(4, 9, 3)
    y = np.arange(9) % 3 if output == "softmax" and len(hidden) % 2 else y
    units = [4, 5, 6, 4][: 1 + len(hidden)]
    net = Network([*units, 3], hidden, output=output, seed=1)
    before = [p.copy() for p in net.params]
    assert check_gradients(net, x, y) < 1e-7
    for p, kept in zip(net.params, before, strict=True):
        assert_array_equal(p, kept)


def test_check_gradients_finds_a_mistake(monkeypatch):
    x, y = samples(4, 9)
    net = Network([4, 3, 1], "tanh", seed=1)
    true = net.gradients

    def wrong(x, y):
        cost, grads = true(x, y)
        grads[0][0, 0] += 0.01
        return cost, grads

    monkeypatch.setattr(net, "gradients", wrong)
    assert check_gradients(net, x, y) > 1e-4
    with pytest.raises(TypeError, match="network of float64"):
        check_gradients(Network([4, 1], dtype="f4"), x, y)


def test_labels_are_one_hot_targets():
    x, _ = samples(4, 30)
    labels = np.arange(30) % 3
    nets = [Network([4, 6, 3], output="softmax", seed=3) for _ in range(2)]
    for net, y in zip(nets, (labels, np.eye(3)[:, labels]), strict=True):
        net.fit(x, y, epochs=20, batch_size=8, lr=0.1)
    assert_allclose(nets[0].W[0], nets[1].W[0], 0, 1e-12)
    assert_allclose(nets[0].predict(x).sum(0), 1, 1e-14)


def test_prelu_learns_its_slopes():
    x, _ = samples(1, 200)
    y = np.where(x > 0, x, -0.6 * x)
    net = Network([1, 8, 1], "prelu", output="linear", seed=0)
    net.fit(x, y, optimizer="adam", lr=0.01, epochs=300)
    assert net.alpha[0].shape == (8, 1)
    assert np.ptp(net.alpha[0]) > 0.1
    assert net.costs[-1] < 1e-3
    assert net.alpha[1] is None


def test_perceptron_converges():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 100))
    y = (x[:1] - 2 * x[1:] > 0.1).astype(float)
    x[:, y[0] == 1] += [[0.2], [-0.4]]
    net = perceptron(2).fit(x, y, lr=1.0, epochs=200, batch_size=1)
    assert_array_equal(net.predict(x), y)
    assert net.costs[-1] == 0


def test_a_plane_is_not_enough():
    """The notes' green and red points: a shallow network divides what no line can."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (2, 300))
    y = (x[:1] * x[1:] > 0).astype(float)
    deep = shallow(2, 8, seed=1).fit(x, y, optimizer="adam", lr=0.05, epochs=300)
    line = logistic_regression(2).fit(x, y, optimizer="adam", lr=0.05, epochs=300)
    right = [np.mean((net.predict(x) > 0.5) == y) for net in (deep, line)]
    assert right[0] > 0.95
    assert right[1] < 0.7


def test_initial_weights():
    he, glorot, rand = (
        Network([400, 300, 1], init=init, seed=1).W[0] for init in ("he", "glorot", "rand")
    )
    assert_allclose(he.std(), np.sqrt(2 / 400), 0.05)
    assert_allclose(np.abs(glorot).max(), np.sqrt(6 / 700), 0.01)
    assert 0 <= rand.min() < rand.max() <= 0.01
    assert he.shape == (300, 400)
    again = Network([400, 300, 1], init="he", seed=1)
    assert_array_equal(again.W[0], he)
    assert again.b[0].shape == (300, 1)


def test_memory_is_flat():
    x, y = samples(20, 500, 2)
    net = Network([20, 30, 20, 2], ["relu", "prelu"], seed=1, dtype="f4")
    x, y = x.astype("f4"), y.astype("f4")
    options = {"optimizer": optim.Adam(), "batch_size": 64}
    net.fit(x, y, epochs=2, **options)
    tracemalloc.start()
    peaks = []
    for epochs in (1, 20):
        tracemalloc.reset_peak()
        net.fit(x, y, epochs=epochs, **options)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[1] < peaks[0] + 5_000


def test_interrupt_leaves_what_was_learnt():
    x, y = samples()

    def stop(epoch, cost):
        if epoch == 4:
            raise KeyboardInterrupt

    net = Network([5, 4, 1], "tanh", seed=2)
    with pytest.warns(UserWarning, match="interrupted after 5 epochs"):
        assert net.fit(x, y, epochs=100, callback=stop) is net
    other = Network([5, 4, 1], "tanh", seed=2).fit(x, y, epochs=5)
    assert net.interrupted
    assert net.costs == other.costs
    assert_array_equal(net.predict(x), other.predict(x))
    net.fit(x, y, epochs=10, callback=lambda epoch, cost: epoch == 2)
    assert not net.interrupted
    assert len(net.costs) == 8


def test_pickle():
    x, y = samples()
    net = Network([5, 4, 1], "prelu", seed=2).fit(x, y, epochs=3, batch_size=7)
    other = pickle.loads(pickle.dumps(net))
    for one in (net, other):
        one.fit(x, y, epochs=3, batch_size=7, lr=0.1, l2=0.1)
    assert_array_equal(net.W[0], other.W[0])
    assert_array_equal(net.alpha[0], other.alpha[0])


def test_l2_shrinks():
    x, y = samples()
    free, bound = (
        Network([5, 4, 1], "tanh", seed=2).fit(x, y, epochs=200, lr=0.3, l2=l2) for l2 in (0, 5.0)
    )
    assert np.abs(bound.W[0]).sum() < 0.5 * np.abs(free.W[0]).sum()


def test_errors_of_use():
    for units in ([3], [3, 0, 1], []):
        with pytest.raises(ValueError, match="units: expected two positive"):
            Network(units)
    with pytest.raises(ValueError, match="activation"):
        Network([3, 4, 1], "no_such")
    with pytest.raises(ValueError, match="activations: expected 2"):
        Network([3, 4, 4, 1], ["relu"])
    with pytest.raises(ValueError, match="output: no 'relu'; choose one of linear"):
        Network([3, 1], output="relu")
    with pytest.raises(ValueError, match="init: no 'zeros'"):
        Network([3, 1], init="zeros")
    with pytest.raises(TypeError, match="dtype"):
        Network([3, 1], dtype=int)
    net, (x, y) = Network([5, 3, 1], seed=1), samples()
    kept = net.W[0].copy()
    bad = x.copy()
    bad[0, 0] = np.nan
    for error, match, args, options in (
        (ValueError, r"X of shape \(5, m\), got \(40, 5\)", (x.T, y), {}),
        (ValueError, r"Y of shape \(1, 40\).*got \(1, 39\)", (x, y[:, 1:]), {}),
        (ValueError, "no samples", (x[:, :0], y[:, :0]), {}),
        (ValueError, "X has NaN", (bad, y), {}),
        (ValueError, "Y has NaN", (x, y * np.nan), {}),
        (ValueError, "must be in", (x, y + 1), {}),
        (ValueError, "1 to m = 40, got 41", (x, y), {"batch_size": 41}),
        (ValueError, "1 to m = 40, got 0", (x, y), {"batch_size": 0}),
        (ValueError, "optimizer: no 'lbfgs'", (x, y), {"optimizer": "lbfgs"}),
        (ValueError, "epochs", (x, y), {"epochs": -1}),
    ):
        with pytest.raises(error, match=match):
            net.fit(*args, **options)
    soft = Network([5, 3], output="softmax")
    with pytest.raises(ValueError, match="label 3 .number 2. is not a class: expected 0 to 2"):
        soft.fit(x, np.array([0, 1, 3] + [0] * 37))
    with pytest.raises(ValueError, match=r"labels of shape \(40,\)"):
        soft.fit(x, np.zeros(39, int))
    with pytest.raises(ValueError, match="not be negative"):
        soft.fit(x, -np.ones((3, 40)))
    assert_array_equal(net.W[0], kept)
    assert net.costs == []


def test_examples():
    assert doctest.testmod(network).failed == 0
    assert doctest.testmod(_gradient_check).attempted > 0
    assert doctest.testmod(_gradient_check).failed == 0


@pytest.mark.parametrize(
    ("given", "each"),
    [
        (("relu", "tanh"), ["relu", "tanh"]),
        (["relu", "tanh"], ["relu", "tanh"]),
        (np.array(["relu", "tanh"]), ["relu", "tanh"]),
        (iter(["relu", None]), ["relu", None]),
        ({"relu": 1, "tanh": 2}.keys(), ["relu", "tanh"]),
        ((("leaky_relu", {"negative_slope": 0.3}), "prelu"), None),
        (("leaky_relu", {"negative_slope": 0.3}), [("leaky_relu", {"negative_slope": 0.3})] * 2),
        ("tanh", ["tanh"] * 2),
        (None, [None] * 2),
        (activations.tanh, [activations.tanh] * 2),
    ],
    ids=lambda value: None if hasattr(value, "__next__") else str(value),
)
def test_one_activation_or_one_for_each_layer(given, each):
    made = Network([3, 4, 4, 1], given, seed=0)
    assert made.activations == (each or list(given))
    for wrong in (("relu",), ["relu"] * 3, iter(()), np.array(["relu"] * 3)):
        with pytest.raises(ValueError, match="activations: expected 2, one for each hidden layer"):
            Network([3, 4, 4, 1], wrong)


@pytest.mark.parametrize("output", ["sigmoid", "step", "softmax", "poisson"])
def test_messages_name_the_output(output):
    net = Network([2, 2], output=output)
    for fit in (net.fit, net.gradients):
        with pytest.raises(ValueError, match=f"{fit.__name__}: targets of a {output} output"):
            fit(np.ones((2, 3)), np.full((2, 3), -0.5))
