"""Learning rates that are functions of the steps taken, alone, in networks and in twins."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vekt import optim, reference
from vekt.network import Network

KINDS = ["SGD", "RMSProp", "Adam", "AdamW"]


def falling(first: float, t: int) -> float:
    return float(first / (t + 1) ** 0.5)


@pytest.mark.parametrize("lib", [optim, reference.optim], ids=["optim", "reference"])
@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_is_a_rate_set_before_each_step(lib: Any, bound: bool, kind: str) -> None:
    start, slopes = np.arange(1.0, 6), np.random.default_rng(1).normal(size=(5, 5))
    scheduled, told = start.copy(), start.copy()
    one = getattr(lib, kind)(partial(falling, 0.1), weight_decay=0.1)
    other = getattr(lib, kind)(weight_decay=0.1)
    g = np.empty(5)
    step = one._bound([scheduled], [g]) if bound else partial(one.step, [scheduled], [g])
    for t, g[...] in enumerate(slopes):
        assert one.rate == falling(0.1, t)
        step()
        other.lr = falling(0.1, t)
        assert other.rate == other.lr
        other.step([told], [g])
        assert_array_equal(scheduled, told)
    assert pickle.loads(pickle.dumps(one)).rate == falling(0.1, 5)


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf, None, "0.1", [0.1, 0.2]])
def test_a_schedule_that_gives_no_rate_changes_nothing(wrong: Any) -> None:
    for kind in KINDS:
        optimiser = getattr(optim, kind)(lambda t, wrong=wrong: 0.1 if t == 0 else wrong)
        p = np.ones(2)
        optimiser.step([p], [p / 2])
        before = p.copy()
        with pytest.raises(ValueError, match=r"lr\(1\): expected a number from 0 to inf"):
            optimiser.step([p], [p / 2])
        assert_array_equal(p, before)
        assert optimiser.iterations == 1


@pytest.mark.parametrize("name", ["sgd", "nesterov", "rmsprop", "adam", "adamw"])
def test_a_network_learns_by_a_schedule(name: str, rng: np.random.Generator) -> None:
    """Its batches are the steps, over all epochs."""
    x, y = rng.normal(size=(3, 20)), rng.integers(0, 2, (1, 20))
    asked: list[int] = []

    def schedule(t: int) -> float:
        asked.append(t)
        return falling(0.1, t)

    one, other = (Network([3, 4, 1], "tanh", seed=1) for _ in range(2))
    one.fit(x, y, optimizer=name, lr=schedule, epochs=3, batch_size=8)
    assert asked == list(range(9))
    own = optim.get(name, lr=partial(falling, 0.1))
    other.fit(x, y, optimizer=own, epochs=1, batch_size=8)
    other.fit(x, y, optimizer=own, epochs=2, batch_size=8)  # it goes on counting
    for a, b in zip(one.params, other.params, strict=True):
        assert_array_equal(a, b)
