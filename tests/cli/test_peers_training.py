"""The peers that train: they learn what vekt does, and a wrong one is found out."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from vekt.cli.compare import training_tasks
from vekt.cli.compare.training_tasks import VektNetwork, samples
from vekt.cli.peers import PEERS
from vekt.cli.peers.trained import EPOCH, LOGISTIC, Training, check_losses, logistic_loss
from vekt.cli.peers.training import check_weights, load_compiler

PLAIN = [
    name
    for name, peer in PEERS.items()
    if EPOCH in peer.statements and name != "torch_compile" and find_spec(name)
]


def training(dtype: str = "float64", m: int = 45, batch: int = 8) -> Training:
    rng = np.random.default_rng(0)
    units = (5, 7, 4, 3)
    w = [rng.standard_normal(n).astype(dtype) for n in ((5, 7), (7, 4), (4, 3))]
    return Training(
        units, batch, rng.standard_normal((m, 5)).astype(dtype), rng.integers(0, 3, m), w
    )


@pytest.mark.parametrize("peer", PLAIN)
def test_weights_of_whole_epochs(peer):
    """After the check's few batches come all of them, the short last one too, in any order."""
    given, tolerance = training(), 1e-14
    names = {**PEERS[peer].load(1), **PEERS[peer].bind(EPOCH, {"training": given})}
    network, ours = names[f"{peer}_network"], VektNetwork(given)
    ours.epoch(np.arange(2 * given.batch + len(given.x) % given.batch))
    order = np.random.default_rng(1).permutation(len(given.x))
    network.epoch(order)
    ours.epoch(order)
    for got, expected, first in zip(network.weights(), ours.weights(), given.initial, strict=True):
        np.testing.assert_allclose(got, expected, 10 * tolerance, tolerance)
        assert np.abs(got - first).max() > 1e-3


def test_a_wrong_competitor_is_refused(monkeypatch):
    monkeypatch.setattr("vekt.cli.peers.training.RATE", 0.02)
    network = VektNetwork(training())
    network.optimizer.lr = 0.01
    with pytest.raises(ArithmeticError, match="someone: weights differ by .* after some steps"):
        check_weights(training(), "someone", network)


def test_networks_of_the_tasks():
    tasks = list(training_tasks.epoch_tasks([70], "float32"))
    assert [task.operands["training"].batch for task in tasks] == [32, 70, 70]
    first = tasks[0]
    products = 64 * 128 + 128 * 64 + 64 * 10
    assert first.flops == 70 * (6 * products - 2 * 64 * 128)
    assert first.label == "64-128-64-10, batches of 32"
    before = [w.copy() for w in first.operands["ours"].weights()]
    first.operands["ours"].epoch()
    assert not np.array_equal(before[0], first.operands["ours"].weights()[0])
    assert samples([10, 500], 100) == 100
    assert samples(training_tasks.SIZES, 60_000) == 60_000


def test_losses_of_logistic_fits():
    pytest.importorskip("sklearn")
    (task,) = training_tasks.logistic_tasks([400], "float64")
    names = PEERS["sklearn"].bind(LOGISTIC, task.operands)
    x, y = task.operands["x"], task.operands["y"]
    loss = logistic_loss(names["sklearn_model"], x, y)
    assert 0.05 < loss < 0.69
    check_losses(loss, loss * (1 + 1e-5))
    with pytest.raises(ArithmeticError, match="losses of the fits differ"):
        check_losses(loss * 1.01, loss)


def test_a_compiler_that_fails_is_told(monkeypatch):
    torch = pytest.importorskip("torch")

    def fail(function):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(ImportError, match="torch.compile: no compiler"):
        load_compiler(lambda threads: {"torch": torch}, 1)
