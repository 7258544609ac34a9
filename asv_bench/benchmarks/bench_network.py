"""Training: an epoch of a network, and fits of the estimators."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise

import numpy as np

from vekt.cli.compare.training_tasks import VektNetwork
from vekt.cli.peers.trained import Training
from vekt.cli.peers.training import NumpyNetwork

from .common import DTYPES, Timed

SAMPLES = 60_000
NETWORKS = {"64-128-64-10": (64, 128, 64, 10), "784-512-256-10": (784, 512, 256, 10)}


def data(features, dtype):
    """Make samples in columns with labels from 0 to 9; fewer of the wide ones."""
    rng = np.random.default_rng(0)
    m = min(SAMPLES, 1797 if features == 64 else 6_000)
    return rng.standard_normal((features, m)).astype(dtype), rng.integers(0, 10, m)


class TimeEpoch(Timed):
    """One epoch of plain gradient descent, and as a careful NumPy user writes it."""

    params = (tuple(NETWORKS), DTYPES, (32, 256), ("vekt", "numpy"))
    param_names = ("network", "dtype", "batch", "library")
    yardstick = "fma"
    version = "2"

    def setup(self, network, dtype, batch, library):
        units = NETWORKS[network]
        columns, y = data(units[0], dtype)
        rng = np.random.default_rng(1)
        w = [(rng.standard_normal(n) * np.sqrt(2 / n[0])).astype(dtype) for n in pairwise(units)]
        x = np.ascontiguousarray(columns.T)
        training = Training(units, min(batch, len(x)), x, y, w)
        self.network = {"vekt": VektNetwork, "numpy": NumpyNetwork}[library](training)
        self.order = np.arange(len(x)) if library == "numpy" else None
        self.network.epoch(self.order)

    def time_epoch(self, network, dtype, batch, library):
        self.network.epoch(self.order)


class TimeLogisticRegression(Timed):
    """A fit to 30 features."""

    params = (DTYPES,)
    param_names = ("dtype",)
    version = "1"

    def setup(self, dtype):
        rng = np.random.default_rng(0)
        self.X = rng.standard_normal((SAMPLES, 30)).astype(dtype)
        self.y = self.X[:, 0] + rng.standard_normal(SAMPLES) > 0
        self.model = import_module("vekt.models").LogisticRegression()

    def time_fit(self, dtype):
        self.model.fit(self.X, self.y)
