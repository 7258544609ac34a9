"""Hidden layers of a network: parameters, and the buffers that all steps share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._core.native import dense, dense_backward
from vekt.gates._prelu import prelu, prelu_backward
from vekt.layers import activation_kernels

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


def one_for_each(activations: Any, hidden: int) -> list[Any]:
    """Return the activation of each hidden layer, of one for all or any iterable of them.

    A pair whose second is a mapping is one activation and its parameters.
    """
    pair = isinstance(activations, tuple) and len(activations) == 2
    with_parameters = pair and isinstance(activations[1], Mapping)
    one = with_parameters or isinstance(activations, str) or callable(activations)
    if one or not isinstance(activations, Iterable):
        return [activations] * hidden
    found = list(activations)
    if len(found) != hidden:
        raise ValueError(
            f"activations: expected {hidden}, one for each hidden layer, got {len(found)}"
        )
    return found


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

    def __getstate__(self) -> dict[str, Any]:
        """Keep what `bind` cannot make anew."""
        return {"activation": self.activation, "params": self.params}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the rest anew."""
        self.__dict__.update(state)
        self.bind()

    def bind(self) -> None:
        """Make the gradients, and the views that go to the kernels."""
        self.grads = [np.zeros(p.shape, p.dtype) for p in self.params]
        plain = [np.asarray(p) for p in self.params]  # joblib may have mapped them from a file
        self.w, self.b, self.flat_w = plain[0].T, plain[1].T, plain[0].reshape(-1)
        self.dw, self.db = self.grads[0].T, self.grads[1][:, 0]
        self.learns_slope = len(self.params) > 2
        self.is_linear = self.activation is None or self.learns_slope
        self.kernels = activation_kernels(None if self.is_linear else self.activation)
        if self.learns_slope:
            self.alpha, self.dalpha = plain[2][:, 0], self.grads[2][:, 0]

    # Straight to the compiled functions: what is checked of these arrays is known to hold.

    def forward(self, x: Array, z: Array, a: Array) -> Array:
        """Write Z and A; without an activation they are one."""
        if not self.is_linear:
            dense(x, self.w, self.b, self.kernels, a, z, True, False)
            return a
        dense(x, self.w, self.b, self.kernels, z, None, False, False)
        if not self.learns_slope:
            return z
        prelu(z, self.alpha, out=a)
        return a

    def backward(self, da: Array, x: Array, z: Array, dx: Array | None) -> None:
        """Write the gradients of the parameters, and of x unless that is None."""
        if self.learns_slope:
            prelu_backward(da, z, self.alpha, out=(da, self.dalpha))
        wanted = False if dx is None else dx
        dense_backward(da, x, self.w, z, self.kernels, wanted, self.dw, self.db)


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
