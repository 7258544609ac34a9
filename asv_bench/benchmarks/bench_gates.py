"""Gated units and prelu: namespaces side by side, and the layouts of prelu's slopes."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vekt._spec.gates import GATE_OPS

from .common import DTYPES, SIZES, Timed, normal, refuse_gaps

NAMESPACES = ("vekt", "vekt.jit")
GATES = tuple(name + kind for name in GATE_OPS for kind in ("", "_backward"))
PRELU = ("prelu", "prelu_backward")
ELEMENTS = 10_000_000

# Shapes of x and of alpha, for a million elements.
LAYOUTS = {
    "scalar": ((1_000_000,), ()),
    "channels first": ((5, 64, 56, 56), (64, 1, 1)),
    "channels first, small": ((40, 512, 7, 7), (512, 1, 1)),
    "three channels last": ((5, 258, 258, 3), (3,)),
    "many channels last": ((5, 28, 28, 256), (256,)),
    "all but the batch": ((10, 100_000), (100_000,)),
}

refuse_gaps("vekt.gates", [*GATES, *PRELU])


class TimeGates(Timed):
    """Ten million results in calls of `size`."""

    params = (GATES, DTYPES, SIZES, NAMESPACES)
    param_names = ("function", "dtype", "size", "library")
    version = "1"

    def setup(self, function, dtype, size, library):
        self.call = getattr(import_module(library), function)
        a, b, dy = (normal(dtype, size, seed) for seed in range(3))
        inputs = (np.concatenate([a, b]),) if function.startswith("glu") else (a, b)
        self.operands = (dy, *inputs) if function.endswith("_backward") else inputs
        self.calls = range(ELEMENTS // size)
        self.call(*self.operands)

    def time_call(self, function, dtype, size, library):
        call, operands = self.call, self.operands
        for _ in self.calls:
            call(*operands)


class TimePrelu(Timed):
    """A call on a million elements."""

    params = (PRELU, DTYPES, tuple(LAYOUTS), NAMESPACES)
    param_names = ("function", "dtype", "layout", "library")
    version = "1"

    def setup(self, function, dtype, layout, library):
        self.call = getattr(import_module(library), function)
        shape, slopes = LAYOUTS[layout]
        x, dy = (normal(dtype, int(np.prod(shape)), seed).reshape(shape) for seed in range(2))
        alpha = np.full(slopes, 0.25, dtype)
        self.operands = (dy, x, alpha) if function.endswith("_backward") else (x, alpha)
        self.call(*self.operands)

    def time_call(self, function, dtype, layout, library):
        self.call(*self.operands)


class TimeReference(Timed):
    """The oracle: one call of a thousand elements."""

    params = ((*GATES, *PRELU), DTYPES)
    param_names = ("function", "dtype")
    version = "1"

    def setup(self, function, dtype):
        self.call = getattr(import_module("vekt.reference"), function)
        a, b, dy = (normal(dtype, 1_000, seed) for seed in range(3))
        inputs = (np.concatenate([a, b]),) if function.startswith("glu") else (a, b)
        self.operands = (dy, *inputs) if function.endswith("_backward") else inputs
        self.call(*self.operands)

    def time_call(self, function, dtype):
        self.call(*self.operands)
