"""What `vekt compare` measures of training: epochs of networks, fits of logistic regression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt as vk
from vekt.cli.compare.shapes import SIZES
from vekt.cli.compare.tasks import Task
from vekt.cli.peers.trained import EPOCH, LOGISTIC, RATE, Training
from vekt.cli.peers.training import check_weights

Array = NDArray[Any]

# Units, batch sizes and samples.
NETWORKS: list[tuple[tuple[int, ...], tuple[int, ...], int]] = [
    ((64, 128, 64, 10), (32, 256), 1797),  # as many as scikit-learn's digits
    ((784, 512, 256, 10), (128,), 60_000),
]
FEATURES, SAMPLES = 30, 1_000_000
# What can be trained here: models are estimators of scikit-learn.
NAMES = (EPOCH, LOGISTIC) if find_spec("sklearn") else (EPOCH,)


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
            check_weights(training, "vekt", VektNetwork(training))
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
