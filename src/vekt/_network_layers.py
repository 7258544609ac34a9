"""Hidden layers of a network: parameters, and the buffers that all steps share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import layers
from ._prelu import prelu, prelu_backward

Array = NDArray[Any]

INITIALS = ("he", "glorot", "rand")
PRELU = "prelu"


def initial(kind: str, rng: np.random.Generator, n: int, k: int, dtype: Any) -> Array:
    """Return weights W (n, k): He's, Glorot's, or the notes' rand * 0.01."""
    if kind == "he":
        w = rng.standard_normal((n, k)) * np.sqrt(2 / k)
    elif kind == "glorot":
        limit = np.sqrt(6 / (n + k))
        w = rng.uniform(-limit, limit, (n, k))
    else:
        w = rng.random((n, k)) * 0.01
    result: Array = w.astype(dtype)
    return result


class Layer:
    """Z = W A + b and A = g(Z), with the gradients of W (n, k), b (n, 1) and PReLU's alpha (n, 1).

    A transposed view is what the kernels see: samples in rows.
    """

    def __init__(self, w: Array, activation: Any) -> None:
        n, _ = w.shape
        self.activation = activation
        self.params = [w, np.zeros((n, 1), w.dtype)]
        if activation == PRELU:
            self.params.append(np.full((n, 1), 0.25, w.dtype))
        self.bind()

    def bind(self) -> None:
        """Make the gradients, and the views that go to the kernels."""
        self.grads = [np.zeros_like(p) for p in self.params]
        self.w, self.b = self.params[0].T, self.params[1].T
        self.dw, self.db = self.grads[0].T, self.grads[1][:, 0]
        self.learns_slope = len(self.params) > 2
        self.kernels = None if self.learns_slope else self.activation
        if self.learns_slope:
            self.alpha, self.dalpha = self.params[2][:, 0], self.grads[2][:, 0]

    def forward(self, x: Array, z: Array, a: Array) -> Array:
        """Write Z and A; without an activation they are one."""
        if self.activation is None:
            layers.dense(x, self.w, self.b, None, out=z)
            return z
        if self.learns_slope:
            layers.dense(x, self.w, self.b, None, out=z)
            prelu(z, self.alpha, out=a)
            return a
        layers.dense(x, self.w, self.b, self.kernels, out=(a, z), return_preactivation=True)
        return a

    def backward(self, da: Array, x: Array, z: Array, dx: Array | None) -> None:
        """Write the gradients of the parameters, and of x unless that is None."""
        if self.learns_slope:
            prelu_backward(da, z, self.alpha, out=(da, self.dalpha))
        layers.dense_backward(
            da,
            x,
            self.w,
            z if self.kernels is not None else None,
            self.kernels,
            out=(dx, self.dw, self.db),
            need_dx=dx is not None,
        )


class Buffers:
    """Z, A and their gradients of all layers for up to m samples; shorter batches take a part."""

    def __init__(self, units: Sequence[int], m: int, dtype: Any, y: Array) -> None:
        self.m = m
        self.z = [np.empty((m, n), dtype) for n in units[1:]]
        self.a = [np.empty((m, n), dtype) for n in units[1:-1]]
        self.da = [np.empty((m, n), dtype) for n in units[1:]]
        self.x = np.empty((m, units[0]), dtype)
        self.y = np.empty((m, *y.shape[1:]), y.dtype)
        self.weights = np.empty((m, 1), dtype)
        self._parts: dict[int, Buffers] = {}

    def part(self, m: int) -> Buffers:
        """Return the buffers of m samples."""
        if m == self.m:
            return self
        if m not in self._parts:
            part = Buffers.__new__(Buffers)
            part.m, part._parts = m, {}
            for name in ("z", "a", "da"):
                setattr(part, name, [array[:m] for array in getattr(self, name)])
            part.x, part.y, part.weights = self.x[:m], self.y[:m], self.weights[:m]
            self._parts[m] = part
        return self._parts[m]
