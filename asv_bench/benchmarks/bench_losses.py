"""Losses with their gradients, elementwise and of softmax: namespaces side by side."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vekt._spec.losses import LOSSES, PUBLIC_NAMES, SOFTMAX_NAMES

from .common import DTYPES, SIZES, Timed, normal, refuse_gaps

NAMES = tuple(name for loss in LOSSES.values() for name in loss.public_names)
SHAPES = ((60_000, 10), (4096, 1000), (256, 50_000))
ELEMENTS = 10_000_000
SAMPLES = 100_000

refuse_gaps("vekt.losses", [*NAMES, *SOFTMAX_NAMES])


def operands(function, dtype, size):
    """Return predictions between 0 and 1, targets, and for gradients what they are times."""
    y, t, dl = (np.clip(np.abs(normal(dtype, size, seed)) / 4, 0.01, 0.99) for seed in range(3))
    return (dl, y, t) if function.endswith("_backward") else (y, t)


class TimeLosses(Timed):
    """Ten million results in calls of `size`."""

    params = (NAMES, DTYPES, SIZES)
    param_names = ("function", "dtype", "size")
    version = "1"

    def setup(self, function, dtype, size):
        self.call = getattr(import_module("vekt"), function)
        self.operands = operands(function, dtype, size)
        self.calls = range(ELEMENTS // size)
        self.call(*self.operands)

    def time_call(self, function, dtype, size):
        call, given = self.call, self.operands
        for _ in self.calls:
            call(*given)


class TimeSoftmax(Timed):
    """The mean over rows of logits, with integer labels."""

    params = (SOFTMAX_NAMES, DTYPES, SHAPES)
    param_names = ("function", "dtype", "shape")
    version = "1"

    def setup(self, function, dtype, shape):
        self.call = getattr(import_module("vekt"), function)
        self.x = normal(dtype, shape[0] * shape[1]).reshape(shape)
        self.labels = np.random.default_rng(0).integers(0, shape[1], shape[0])
        self.options = {"out": np.empty_like(self.x)} if function.endswith("grad") else {}
        self.call(self.x, self.labels, **self.options)

    def time_call(self, function, dtype, shape):
        self.call(self.x, self.labels, **self.options)


class TimeReference(Timed):
    """The oracle: one call of a thousand elements."""

    params = (PUBLIC_NAMES, DTYPES)
    param_names = ("function", "dtype")
    version = "1"

    def setup(self, function, dtype):
        self.call = getattr(import_module("vekt.reference"), function)
        self.operands = operands(function, dtype, 1_000)
        if function in SOFTMAX_NAMES:
            self.operands = self.operands[0].reshape(100, 10), np.arange(100) % 10
        self.call(*self.operands)

    def time_call(self, function, dtype):
        self.call(*self.operands)
