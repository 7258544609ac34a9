"""Output layers: from Z to A, and from Z and Y to the cost and its gradient dZ = (A - Y)/m."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt import losses, rows, ufuncs
from vekt._core.native import cross_entropy

Array = NDArray[Any]

_ufuncs: Any = ufuncs
_losses: Any = losses
_rows: Any = rows


class Output:
    """One kind of output layer.  Arrays have one sample in each row.

    `cost` writes the gradient of the mean cost to dZ, and returns the cost's sum; `weights` are
    those of the samples, divided by their sum: a number for all, or a column.
    """

    name = ""

    def value(self, z: Array) -> Array:
        """Write A over Z."""
        return z

    def cost(self, z: Array, y: Array, dz: Array, weights: Any) -> float:
        """Write dZ, with Z as scratch."""
        raise TypeError("not an output layer")

    def score(self, a: Array, y: Array) -> float:
        """Return the share of samples with the right outputs."""
        return float(np.mean(np.all((a > 0.5) == (y > 0.5), axis=1)))

    def check(self, function: str, y: Array, units: int) -> None:
        """Raise ValueError for targets that cannot be."""


class Linear(Output):
    """A = Z, and the cost is half of the squared error."""

    name = "linear"

    def cost(self, z: Array, y: Array, dz: Array, weights: Any) -> float:
        np.subtract(z, y, dz)
        np.multiply(dz, dz, z)
        np.multiply(z, weights, z)
        np.multiply(dz, weights, dz)
        return 0.5 * float(z.sum())

    def score(self, a: Array, y: Array) -> float:
        """Return the coefficient of determination; of targets that are all alike 1 or 0."""
        a, y = a.astype(float), y.astype(float)
        left = np.sum((y - a) ** 2, axis=0)
        whole = np.sum((y - y.mean(axis=0)) ** 2, axis=0)
        known = np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1), left == 0)
        return float(known.mean())


class Poisson(Linear):
    """A = exp(Z), counts to be expected, and the cost is half of the Poisson deviance."""

    name = "poisson"

    def value(self, z: Array) -> Array:
        result: Array = _ufuncs.exponential(z, out=z)
        return result

    def cost(self, z: Array, y: Array, dz: Array, weights: Any) -> float:
        _ufuncs.exponential(z, out=dz)
        np.multiply(z, y, z)
        np.subtract(dz, z, z)
        z += y * np.log(np.where(y > 0, y, 1)) - y  # what is 0 where A is Y
        np.subtract(dz, y, dz)
        np.multiply(z, weights, z)
        np.multiply(dz, weights, dz)
        return float(z.sum())

    def check(self, function: str, y: Array, units: int) -> None:
        if y.size and not y.min() >= 0:
            raise ValueError(f"{function}: targets of a {self.name} output must not be negative")


class Sigmoid(Output):
    """A = sigmoid(Z), and the cost is the binary cross entropy, the notes' L."""

    name = "sigmoid"

    def value(self, z: Array) -> Array:
        result: Array = _ufuncs.sigmoid(z, out=z)
        return result

    def cost(self, z: Array, y: Array, dz: Array, weights: Any) -> float:
        _losses.sigmoid_cross_entropy_value_and_grad(z, y, out=(z, dz))
        np.multiply(z, weights, z)
        np.multiply(dz, weights, dz)
        return float(z.sum())

    def check(self, function: str, y: Array, units: int) -> None:
        if y.size and not (y.min() >= 0 and y.max() <= 1):
            raise ValueError(f"{function}: targets of a {self.name} output must be in [0, 1]")


class Step(Sigmoid):
    """A = 1 where Z > 0, Rosenblatt's perceptron; the cost is the share of wrong outputs."""

    name = "step"

    def value(self, z: Array) -> Array:
        return np.greater(z, 0, out=z, casting="unsafe")

    def cost(self, z: Array, y: Array, dz: Array, weights: Any) -> float:
        np.greater(z, 0, out=z, casting="unsafe")
        np.subtract(z, y, dz)
        np.multiply(dz, weights, dz)
        return float(np.abs(dz, out=z).sum())


class Softmax(Output):
    """A = softmax(Z), and the cost is the cross entropy; Y holds probabilities, or labels."""

    name = "softmax"

    def __init__(self) -> None:
        self._loss: Array = np.empty(0)
        self._factors: Array = np.empty(0)

    def value(self, z: Array) -> Array:
        result: Array = _rows.softmax(z, out=z)
        return result

    def cost(self, z: Array, y: Array, dz: Array, weights: Any) -> float:
        m = len(z)
        if len(self._loss) < m or self._loss.dtype != z.dtype:
            self._loss, self._factors = np.empty(m, z.dtype), np.empty(m)
        loss, factors = self._loss[:m], self._factors[:m]
        factors[...] = weights if np.ndim(weights) == 0 else weights[:, 0]
        cross_entropy(z, y, factors, 1.0, 0.0, loss, dz, False)
        return float(np.dot(loss, factors))

    def score(self, a: Array, y: Array) -> float:
        return float(np.mean(a.argmax(axis=1) == (y if y.ndim == 1 else y.argmax(axis=1))))

    def check(self, function: str, y: Array, units: int) -> None:
        if y.ndim == 1:
            wrong = (y < 0) | (y >= units)
            if wrong.any():
                label, i = y[wrong][0], int(np.argmax(wrong))
                raise ValueError(
                    f"{function}: label {label} (number {i}) is not a class: "
                    f"expected 0 to {units - 1}"
                )
        elif y.size and not y.min() >= 0:
            raise ValueError(f"{function}: targets of a softmax output must not be negative")


OUTPUTS: dict[str, type[Output]] = {
    kind.name: kind for kind in (Linear, Poisson, Sigmoid, Softmax, Step)
}
