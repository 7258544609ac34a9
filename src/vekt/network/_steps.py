"""What a network does with samples in rows: outputs, steps, epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt import optim
from vekt.network._layers import Buffers, Layer
from vekt.network._outputs import Output

Array = NDArray[Any]


class Steps:
    """Forward and backward through the layers, and the optimiser's steps; nothing is checked."""

    units: tuple[int, ...]
    dtype: np.dtype[Any]
    _layers: list[Layer]
    _output: Output
    _rng: np.random.Generator
    _buffers: Buffers | None

    @property
    def params(self) -> list[Array]:
        """All that is learnt: W, b and alpha of one layer after the other."""
        return [p for layer in self._layers for p in layer.params]

    @property
    def grads(self) -> list[Array]:
        """Gradients of `params` in the last step."""
        return [g for layer in self._layers for g in layer.grads]

    def _predict(self, x: Array) -> Array:
        return self._output.value(self._logits(x))

    def _evaluate(self, x: Array, y: Array) -> tuple[float, float]:
        """Return the mean cost and the score."""
        z = self._logits(x)
        score = self._output.score(self._output.value(z.copy()), y)
        return self._output.cost(z, y, np.empty_like(z), 1 / len(x)), score

    def _logits(self, x: Array) -> Array:
        for layer in self._layers:
            z = np.empty((len(x), layer.w.shape[1]), self.dtype)
            x = layer.forward(x, z, np.empty_like(z) if layer.activation is not None else z)
        return x

    def _epoch(
        self,
        x: Array,
        y: Array,
        optimizer: optim.Optimizer,
        size: int,
        shuffle: bool,
        l2: float = 0.0,
        weights: Array | None = None,
    ) -> tuple[float, float]:
        """One pass over the samples; return the mean cost and the mean penalty beside it."""
        m = len(x)
        buffers = self._room(size, y)
        advance = optimizer._bound(self.params, self.grads)
        if size == m and weights is None:
            cost = self._step(x, y, buffers, 1 / m)
            penalty = self._penalise(l2, m)
            advance()
            return cost, penalty
        order = self._order(m, shuffle)
        total, penalty, whole = 0.0, 0.0, 0.0
        for start in range(0, m, size):
            chosen = order[start : start + size]
            part = buffers.part(len(chosen))
            x.take(chosen, 0, part.x, "clip")
            y.take(chosen, 0, part.y, "clip")
            share: Any = 1 / part.m
            weight = float(part.m)
            if weights is not None:
                weights.take(chosen, 0, part.weights, "clip")
                weight = float(part.weights.sum())
                if weight == 0:
                    continue
                part.weights /= weight
                share = part.weights
            total += weight * self._step(part.x, part.y, part, share)
            penalty += weight * self._penalise(l2, weight)
            whole += weight
            advance()
        return total / whole, penalty / whole

    def _order(self, m: int, shuffle: bool) -> Array:
        """Return the samples in the order in which an epoch takes them."""
        return self._rng.permutation(m) if shuffle else np.arange(m)

    def _room(self, size: int, y: Array) -> Buffers:
        room = self._buffers
        if room is None or room.m < size or room.y.shape[1:] != y.shape[1:]:
            room = self._buffers = Buffers(self.units, size, self.dtype, y)
        if room.y.dtype != y.dtype:
            room = self._buffers = Buffers(self.units, size, self.dtype, y)
        return room.part(size)

    def _step(self, x: Array, y: Array, buffers: Buffers, weights: Any) -> float:
        """Forward and backward: write the gradients, and return the cost."""
        inputs, a = [], x
        for i, layer in enumerate(self._layers):
            inputs.append(a)
            hidden = i < len(buffers.a)
            a = layer.forward(a, buffers.z[i], buffers.a[i] if hidden else buffers.z[i])
        cost = self._output.cost(a, y, buffers.da[-1], weights)
        for i in range(len(self._layers) - 1, -1, -1):
            dx = buffers.da[i - 1] if i else None
            self._layers[i].backward(buffers.da[i], inputs[i], buffers.z[i], dx)
        return cost

    def _penalise(self, l2: float, m: float) -> float:
        """Add the penalty l2 / (2 m) sum(W^2) to the gradients, and return it."""
        if not l2:
            return 0.0
        squares, share = 0.0, self.dtype.type(l2 / m)
        for layer in self._layers:
            layer.grads[0] += layer.params[0] * share
            squares += float(layer.flat_w.dot(layer.flat_w))
        return 0.5 * l2 / m * squares
