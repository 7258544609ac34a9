"""Dense layers: each activation against NumPy in few passes, gradients, packed weights."""

from __future__ import annotations

from importlib import import_module

import numpy as np

import vekt
from vekt.cli.compare.linear_tasks import ACTIVATIONS

from .common import CASES, DTYPES, Timed, normal, refuse_gaps

FUNCTIONS = ("PackedWeights", "dense", "dense_backward")
# Samples, inputs and outputs.
SHAPES = ((1, 64, 64), (64, 64, 64), (4096, 64, 64), (64, 256, 256), (16, 1024, 1024))

refuse_gaps("vekt.layers", FUNCTIONS)


def layer(dtype, shape):
    """Return x, w, b and dy, with outputs of the size of the inputs."""
    m, k, n = shape
    return (
        normal(dtype, m * k).reshape(m, k),
        normal(dtype, k * n, 1).reshape(k, n) / np.dtype(dtype).type(np.sqrt(k)),
        normal(dtype, n, 2),
        normal(dtype, m * n, 3).reshape(m, n),
    )


def with_numpy(activation):
    """Write a layer as NumPy users do."""
    formula = CASES[activation].function("numpy")

    def dense(x, w, b, activation, out):
        np.matmul(x, w, out=out)
        np.add(out, b, out=out)
        return formula(out)

    return dense


class TimeDense(Timed):
    """One forward pass."""

    params = (tuple(ACTIVATIONS), SHAPES, DTYPES, ("vekt", "numpy"))
    param_names = ("activation", "shape", "dtype", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, activation, shape, dtype, library):
        self.call = vekt.dense if library == "vekt" else with_numpy(activation)
        self.operands = *layer(dtype, shape)[:3], ACTIVATIONS[activation]
        self.out = np.empty((shape[0], shape[2]), dtype)
        self.call(*self.operands, out=self.out)

    def time_call(self, activation, shape, dtype, library):
        self.call(*self.operands, out=self.out)


class TimeDenseBackward(Timed):
    """One backward pass."""

    params = (tuple(ACTIVATIONS), SHAPES, DTYPES)
    param_names = ("activation", "shape", "dtype")
    yardstick = "fma"
    version = "1"

    def setup(self, activation, shape, dtype):
        x, w, b, dy = layer(dtype, shape)
        self.operands = dy, x, w, x @ w + b, ACTIVATIONS[activation]
        vekt.dense_backward(*self.operands)

    def time_call(self, activation, shape, dtype):
        vekt.dense_backward(*self.operands)


class TimePackedWeights(Timed):
    """Packing, and a forward pass with packed weights."""

    params = (SHAPES, DTYPES)
    param_names = ("shape", "dtype")
    yardstick = "fma"
    version = "1"

    def setup(self, shape, dtype):
        self.x, self.w, self.b, _ = layer(dtype, shape)
        self.packed = vekt.PackedWeights(self.w)
        self.out = np.empty((shape[0], shape[2]), dtype)
        vekt.dense(self.x, self.packed, self.b, "relu", out=self.out)

    def time_pack(self, shape, dtype):
        vekt.PackedWeights(self.w)

    def time_dense(self, shape, dtype):
        vekt.dense(self.x, self.packed, self.b, "relu", out=self.out)


class TimeReference(Timed):
    """The oracle: one pass over a thousand elements."""

    params = (("dense", "dense_backward"), DTYPES)
    param_names = ("function", "dtype")
    version = "1"

    def setup(self, function, dtype):
        self.call = getattr(import_module("vekt.reference"), function)
        x, w, b, dy = layer(dtype, (25, 40, 40))
        forward = x, w, b, "gelu"
        self.operands = forward if function == "dense" else (dy, x, w, x @ w + b, "gelu")
        self.call(*self.operands)

    def time_call(self, function, dtype):
        self.call(*self.operands)
