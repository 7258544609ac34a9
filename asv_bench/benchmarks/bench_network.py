"""Training: an epoch of a network, and fits of the estimators."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from .common import DTYPES

SAMPLES = 60_000
NETWORKS = {"64-128-64-10": (64, 128, 64, 10), "784-512-256-10": (784, 512, 256, 10)}


def data(features, dtype):
    """Make samples in columns with labels from 0 to 9; fewer of the wide ones."""
    rng = np.random.default_rng(0)
    m = min(SAMPLES, 1797 if features == 64 else 6_000)
    return rng.standard_normal((features, m)).astype(dtype), rng.integers(0, 10, m)


class TimeEpoch:
    """One epoch with Adam."""

    params = (tuple(NETWORKS), DTYPES, (32, 256))
    param_names = ("network", "dtype", "batch")
    version = "1"

    def setup(self, network, dtype, batch):
        units = NETWORKS[network]
        self.X, self.y = data(units[0], dtype)
        make = import_module("vekt.network").Network
        self.network = make(units, output="softmax", dtype=dtype, seed=0)
        self.options = {"optimizer": "adam", "epochs": 1, "batch_size": batch}
        self.network.fit(self.X, self.y, **self.options)

    def time_epoch(self, network, dtype, batch):
        self.network.fit(self.X, self.y, **self.options)


class TimeLogisticRegression:
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
