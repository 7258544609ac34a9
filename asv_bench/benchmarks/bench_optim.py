"""Optimisers: one step over a tensor, and over the tensors of a small network."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from .common import DTYPES, Timed, normal, refuse_gaps

NAMES = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
ELEMENTS = 10_000_000

CLASSES = [type(import_module("vekt.optim").get(name)).__name__ for name in NAMES]
refuse_gaps("vekt.optim", [*CLASSES, "clip_by_global_norm"])


class TimeStep(Timed):
    """Ten million parameters."""

    params = (NAMES, DTYPES)
    param_names = ("optimiser", "dtype")
    version = "1"

    def setup(self, optimiser, dtype):
        self.step = import_module("vekt.optim").get(optimiser, lr=1e-3).step
        self.params_of_step = [normal(dtype, ELEMENTS)]
        self.grads = [normal(dtype, ELEMENTS, 1)]
        self.step(self.params_of_step, self.grads)

    def time_step(self, optimiser, dtype):
        self.step(self.params_of_step, self.grads)


class TimeSmallNetwork(Timed):
    """The six tensors of a network 64-128-64-10, a hundred times."""

    params = (NAMES,)
    param_names = ("optimiser",)
    version = "1"

    def setup(self, optimiser):
        self.step = import_module("vekt.optim").get(optimiser, lr=1e-3).step
        shapes = [(128, 64), (128, 1), (64, 128), (64, 1), (10, 64), (10, 1)]
        self.tensors = [np.ones(shape, "f4") for shape in shapes]
        self.grads = [np.full(shape, 0.5, "f4") for shape in shapes]
        self.step(self.tensors, self.grads)

    def time_steps(self, optimiser):
        for _ in range(100):
            self.step(self.tensors, self.grads)


class TimeClipping(Timed):
    """The gradients of ten million parameters, scaled down in place."""

    params = (DTYPES,)
    param_names = ("dtype",)
    version = "1"

    def setup(self, dtype):
        self.clip = import_module("vekt.optim").clip_by_global_norm
        self.grads = [normal(dtype, ELEMENTS)]

    def time_call(self, dtype):
        self.clip(self.grads, 1.0)
