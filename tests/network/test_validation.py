"""Samples held out: costs and scores after each epoch, patience, the best weights, numbers."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from vekt import optim
from vekt.network import OUTPUTS, Network

pytest.importorskip("dask.array")

import dask.array as da

RNG = np.random.default_rng(9)
X, HELD = RNG.normal(size=(4, 50)), RNG.normal(size=(4, 30))


def targets(output: str, x: Any) -> Any:
    if output == "softmax":
        return x[:3].argmax(0)
    return np.stack([x[0] > 0, x[1] > x[2], x[3] > 0.3]).astype(float)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("size", [None, 16])
def test_what_is_told_after_each_epoch(output: str, dtype: str, size: int | None) -> None:
    """Costs and scores are those of the weights then; learning is as without."""
    seen: list[tuple[float, float]] = []
    nets = [Network([4, 6, 3], "tanh", output=output, dtype=dtype, seed=2) for _ in range(2)]
    held = HELD, targets(output, HELD)

    def look(epoch: int, cost: float) -> None:
        seen.append((nets[0].gradients(*held)[0], nets[0].score(*held)))
        assert nets[0].costs[-1] == cost

    options = {"epochs": 6, "lr": 0.1, "batch_size": size}
    nets[0].fit(X, targets(output, X), validation_data=held, callback=look, **options)
    nets[1].fit(X, targets(output, X), **options)
    tolerance = 1e-5 if dtype == "f4" else 1e-12
    assert_allclose(nets[0].validation_costs, [cost for cost, _ in seen], tolerance, 1e-7)
    assert_allclose(nets[0].validation_scores, [score for _, score in seen], tolerance)
    for p, q in zip(nets[0].params, nets[1].params, strict=True):
        assert_array_equal(p, q)
    assert np.isnan(nets[1].validation_costs).all()
    nets[0].fit(X, targets(output, X), epochs=2)
    history = pickle.loads(pickle.dumps(nets[0])).history
    assert list(history) == ["cost", "validation_cost", "validation_score"]
    assert [len(numbers) for numbers in history.values()] == [8, 8, 8]
    assert_array_equal(np.isnan(history["validation_cost"]), [False] * 6 + [True] * 2)


@pytest.mark.parametrize("lazy", ["neither", "held", "both"])
@pytest.mark.parametrize("patience", [1, 4])
def test_patience(patience: int, lazy: str) -> None:
    """Wrong targets are learnt by heart, which makes the others' cost rise."""
    rng = np.random.default_rng(3)
    y, held = (rng.random((1, n)) < 0.5 for n in (50, 30))
    x, data = X, (HELD, held)
    if lazy != "neither":
        data = da.from_array(HELD, chunks=(4, 7)), da.from_array(held, chunks=(1, 7))
    if lazy == "both":
        x, y = da.from_array(X, chunks=(4, 30)), da.from_array(y, chunks=(1, 30))
    net = Network([4, 32, 1], "tanh", seed=2)
    weights: list[Any] = []

    def keep(epoch: int, cost: float) -> None:
        weights.append([p.copy() for p in net.params])

    net.fit(x, y, optimizer="adam", lr=0.02, epochs=90, validation_data=data, patience=patience,
            callback=keep)  # fmt: skip
    best = int(np.argmin(net.validation_costs))
    assert len(net.costs) == best + 1 + patience < 90
    for p, kept in zip(net.params, weights[best], strict=True):
        assert_array_equal(p, kept)


@pytest.mark.parametrize("end", ["epochs", "callback", "interrupt"])
def test_the_best_weights_however_it_ends(end: str) -> None:
    net, weights = Network([4, 6, 3], "tanh", seed=2), []
    held = HELD, 1 - targets("sigmoid", HELD)  # what is learnt makes their cost rise

    def look(epoch: int, cost: float) -> bool:
        weights.append([p.copy() for p in net.params])
        if epoch == 3 and end == "interrupt":
            raise KeyboardInterrupt
        return epoch == 3 and end == "callback"

    def fit() -> None:
        options = {"lr": 1.0, "epochs": 5, "validation_data": held, "patience": 9}
        net.fit(X, targets("sigmoid", X), callback=look, **options)

    if end == "interrupt":
        with pytest.warns(UserWarning, match="interrupted after 4 epochs"):
            fit()
    else:
        fit()
    assert len(net.costs) == len(weights) == (5 if end == "epochs" else 4)
    best = int(np.argmin(net.validation_costs))
    assert best < 3
    for p, kept in zip(net.params, weights[best], strict=True):
        assert_array_equal(p, kept)


WRONG = {
    "lr": (("a", None, -1, np.nan, [1, 2]), ValueError, "lr: expected a number"),
    "l2": (("a", None, -1, np.nan, np.inf, [1, 2]), ValueError, "l2 must be a finite number"),
    "epochs": (("a", None, 2.5), TypeError, "epochs must be an integer"),
    "batch_size": (("a", 2.5, [1]), TypeError, "batch_size must be an integer"),
    "patience": (("a", 2.5), TypeError, "patience must be an integer"),
    "callback": ((3, "a"), TypeError, "callback must be a function"),
    "optimizer": ((3, None, ["sgd"], optim.SGD), ValueError, "optimizer: no "),
    "validation_data": ((X, 3, (X,), (X, X, X)), ValueError, "validation_data to be a pair"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_changes_nothing(name: str) -> None:
    values, error, match = WRONG[name]
    for value in values:
        net = Network([4, 3, 3], seed=0)
        before = [p.copy() for p in net.params]
        with pytest.raises(error, match=match):
            net.fit(X, targets("sigmoid", X), **{"epochs": 2, "batch_size": 5, name: value})
        assert net.costs == []
        for p, kept in zip(net.params, before, strict=True):
            assert_array_equal(p, kept)


def test_samples_held_out_are_checked() -> None:
    net, y = Network([4, 3, 3], seed=0), targets("sigmoid", X)
    for match, data in (
        (r"fit: validation_data: expected X of shape \(4, m\), got \(3, 30\)", (HELD[:3], y)),
        (r"fit: validation_data: expected Y of shape \(3, 30\)", (HELD, y)),
        ("fit: validation_data: X has NaN", (HELD * np.nan, y[:, :30])),
        ("fit: validation_data: targets of a sigmoid output", (HELD, y[:, :30] + 1)),
        ("fit: validation_data: X of shape .* has no samples", (HELD[:, :0], y[:, :0])),
    ):
        with pytest.raises(ValueError, match=match):
            net.fit(X, y, validation_data=data)
    with pytest.raises(ValueError, match="patience needs validation_data"):
        net.fit(X, y, patience=3)
    with pytest.raises(ValueError, match="patience must be positive, got 0"):
        net.fit(X, y, patience=0, validation_data=(HELD, y[:, :30]))
    assert net.costs == []


@pytest.mark.parametrize("units", ["ab", [2.5, 1], None, 5, [3, "4"], [3, None]])
def test_units_that_are_none(units: Any) -> None:
    with pytest.raises(ValueError, match="units: expected two positive integers or more"):
        Network(units)


@pytest.mark.parametrize("seed", ["a", -1, 2.5])
def test_seeds_that_are_none(seed: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="seed: "):
        Network([3, 1], seed=seed)


def test_outputs_that_are_none() -> None:
    for output in (None, [], 3):
        with pytest.raises(ValueError, match="output: no "):
            Network([3, 1], output=output)
