"""Training on Dask's arrays by threads: what chunks and graphs cost beside arrays in memory."""

from __future__ import annotations

from importlib import import_module

import numpy as np

SAMPLES = 20_000


class TimeDaskEpoch:
    """One epoch of four steps with Adam over four chunks, and the same in memory."""

    params = (("dask", "memory"),)
    param_names = ("samples",)
    version = "1"

    def setup(self, samples):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((64, SAMPLES)).astype("f4")
        self.X, self.y = X, rng.integers(0, 10, SAMPLES)
        if samples == "dask":
            try:
                array = import_module("dask.array")
            except ImportError:
                raise NotImplementedError from None
            self.X = array.from_array(X, chunks=(64, SAMPLES // 4))
        make = import_module("vekt.network").Network
        self.network = make((64, 128, 64, 10), output="softmax", dtype="f4", seed=0)
        self.options = {"optimizer": "adam", "epochs": 1, "batch_size": SAMPLES // 4}

    def time_epoch(self, samples):
        self.network.fit(self.X, self.y, **self.options)
