"""What `vekt compare` measures of training: epochs of networks, fits of logistic regression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import vekt as vk
from vekt.cli.shapes import SIZES
from vekt.cli.tasks import Task

Array = NDArray[Any]

EPOCH, LOGISTIC = "epoch", "logistic_fit"
RATE = 0.01
# Units, batch sizes and samples.
NETWORKS: list[tuple[tuple[int, ...], tuple[int, ...], int]] = [
    ((64, 128, 64, 10), (32, 256), 1797),  # as many as scikit-learn's digits
    ((784, 512, 256, 10), (128,), 60_000),
]
FEATURES, SAMPLES = 30, 1_000_000
# How far weights may be from those in double, of the largest: roundings of some steps.
_TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


class Competitor(Protocol):
    """One that trains the network: plain gradient descent on the mean cross entropy of softmax."""

    def epoch(self, order: Array) -> Any:
        """Take the samples in this order, in batches."""

    def weights(self) -> list[Array]:
        """Return the layers' weights, (inputs, units)."""


@dataclass(frozen=True, eq=False)
class Training:
    """A network's data, with the same initial weights (inputs, units) for all; biases are 0."""

    units: tuple[int, ...]
    batch: int
    x: Array
    y: Array
    initial: list[Array]

    @property
    def order(self) -> Array:
        """Another order for each epoch."""
        return np.random.default_rng().permutation(len(self.x))

    def check(self, name: str, competitor: Competitor) -> None:
        """Raise ArithmeticError unless it learns what gradient descent in double does.

        It takes two batches, and one as short as the last one of an epoch.
        """
        from vekt.cli.peers._training import NumpyNetwork

        m = len(self.x)
        order = np.arange(min(m, 2 * self.batch + m % self.batch))
        wide = [w.astype(np.float64) for w in self.initial]
        exact = NumpyNetwork(
            Training(self.units, self.batch, self.x.astype(np.float64), self.y, wide)
        )
        exact.epoch(order)
        competitor.epoch(order)
        for got, expected in zip(competitor.weights(), exact.weights(), strict=True):
            error = float(np.abs(got - expected).max() / np.abs(expected).max())
            if not error <= _TOLERANCE[self.x.dtype.name]:
                raise ArithmeticError(f"{name}: weights differ by {error:.1e} after some steps")


class VektNetwork:
    """vekt's own."""

    def __init__(self, training: Training) -> None:
        from vekt.network import Network

        self.columns, self.y, self.batch = training.x.T, training.y, training.batch
        dtype = training.x.dtype
        self.network = Network(training.units, "relu", output="softmax", dtype=dtype, seed=0)
        for w, initial in zip(self.network.W, training.initial, strict=True):
            w[...] = initial.T
        self.optimizer = vk.optim.SGD(RATE)

    def epoch(self, order: Array | None = None) -> None:
        """Take the samples in this order, or in one drawn by the network."""
        x, y, shuffle = self.columns, self.y, order is None
        if order is not None:
            x, y = x[:, order], y[order]
        size = min(self.batch, len(y))
        self.network.fit(x, y, optimizer=self.optimizer, epochs=1, batch_size=size, shuffle=shuffle)

    def weights(self) -> list[Array]:
        """Return the layers' weights, (inputs, units)."""
        return [w.T for w in self.network.W]


def training_names() -> list[str]:
    """Operations that this vekt has."""
    names = [EPOCH] if find_spec("vekt.network") else []
    return [*names, LOGISTIC] if find_spec("vekt.models") and find_spec("sklearn") else names


def samples(sizes: Iterable[int], default: int) -> int:
    """Return how many samples to take: the largest size asked for, at most the default."""
    given = list(sizes)
    return default if given == SIZES else min(default, max(given))


def epoch_tasks(sizes: list[int], dtype: str) -> Iterator[Task]:
    """Train each network for an epoch, with each size of batches."""
    for units, batches, count in NETWORKS:
        m = samples(sizes, count)
        rng = np.random.default_rng(0)
        x = rng.standard_normal((m, units[0])).astype(dtype)
        y = rng.integers(0, units[-1], m)
        layers = list(pairwise(units))
        w = [(rng.standard_normal(n) * np.sqrt(2 / n[0])).astype(dtype) for n in layers]
        # three products of each layer; nobody wants the gradient of the samples
        flops = m * (6 * sum(k * n for k, n in layers) - 2 * units[0] * units[1])
        for batch in sorted({min(batch, m) for batch in batches}):
            training = Training(units, batch, x, y, w)
            training.check("vekt", VektNetwork(training))
            yield Task(
                EPOCH,
                "ours.epoch()",
                {"training": training, "ours": VektNetwork(training), "x": x, "out": x},
                ("x",),
                (m, *units),
                flops=flops,
                title=f"{'-'.join(map(str, units))}, batches of {batch}",
            )


def logistic_tasks(sizes: list[int], dtype: str) -> Iterator[Task]:
    """Two classes that overlap: a fit to the default tolerance."""
    from vekt.models import LogisticRegression

    m = samples(sizes, SAMPLES)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((m, FEATURES)).astype(dtype)
    y = (x @ rng.standard_normal(FEATURES) + rng.logistic(size=m) > 0).astype(np.int64)
    yield Task(
        LOGISTIC,
        "model.fit(x, y)",
        {"model": LogisticRegression(), "x": x, "y": y, "out": x},
        ("x",),
        (m, FEATURES),
        title=f"{LOGISTIC}, {m:,} x {FEATURES}",
    )


def logistic_loss(model: Any, x: Array, y: Array) -> float:
    """Return what both minimise: the mean cross entropy, and the penalty for C = 1."""
    w = np.append(model.coef_[0], model.intercept_).astype(np.float64)
    z = x.astype(np.float64) @ w[:-1] + w[-1]
    mean = vk.sigmoid_cross_entropy(z, y.astype(np.float64)).mean()
    return float(mean + w[:-1] @ w[:-1] / (2 * len(x)))


def check_losses(ours: float, theirs: float) -> None:
    """Raise ArithmeticError unless both fits are as good as each other."""
    if not abs(ours - theirs) <= 1e-4 * theirs:  # of both tolerances, where samples are few
        raise ArithmeticError(f"the losses of the fits differ: {ours} and {theirs}")
