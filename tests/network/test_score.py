"""Scores of a network, which are those of scikit-learn, and what it says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

import vekt.models
from vekt import network, optim
from vekt.network import OUTPUTS, Network


@pytest.mark.parametrize("units", [1, 3])
@pytest.mark.parametrize("output", list(OUTPUTS))
def test_scores_are_those_of_scikit_learn(output: Any, units: int, rng: Any) -> None:
    network = Network([4, 5, units], "tanh", output=output, seed=1)
    x = rng.normal(size=(4, 60))
    a = network.predict(x)
    if output in ("linear", "poisson"):
        y = abs(rng.normal(size=(units, 60)))
        y[0] = 2  # of which nothing is to be explained
        assert network.score(x, y) == pytest.approx(r2_score(y.T, a.T))
    elif output == "softmax":
        labels = rng.integers(0, units, 60)
        expected = accuracy_score(labels, a.argmax(0))
        assert network.score(x, labels) == pytest.approx(expected)
        assert network.score(x, np.eye(units)[labels].T) == pytest.approx(expected)
    else:
        y = rng.integers(0, 2, (units, 60))
        assert network.score(x, y) == pytest.approx(accuracy_score(y.T, a.T > 0.5))
    for wrong in (np.zeros((units, 59)), np.zeros((units + 1, 60)), np.full((units, 60), np.nan)):
        with pytest.raises(ValueError, match="score: "):
            network.score(x, wrong)


def test_a_network_tells_its_size() -> None:
    deep = Network([784, 128, 64, 10], ["relu", "gelu"], output="softmax", dtype="f4")
    told = "<Network 784-128-64-10: relu, gelu, then softmax; 109,386 parameters of float32>"
    assert repr(deep) == told
    assert repr(Network([3, 1])) == "<Network 3-1: sigmoid; 4 parameters of float64>"
    assert "prelu, then sigmoid; 26 parameters" in repr(Network([2, 5, 1], "prelu"))


def test_modules_tell_what_is_public() -> None:
    for module in (network, optim, vekt.models):
        assert dir(module) == sorted(module.__all__)
