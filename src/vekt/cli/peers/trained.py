"""What `vekt compare` trains, for vekt and its peers alike, and how good a result must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import vekt as vk

Array = NDArray[Any]

EPOCH, LOGISTIC = "epoch", "logistic_fit"
RATE = 0.01


class Competitor(Protocol):
    """One that trains the network: plain gradient descent on the mean cross entropy of softmax."""

    def epoch(self, order: Array) -> Any:
        """Take the samples in this order, in batches."""

    def weights(self) -> list[Array]:
        """Return the layers' weights, (inputs, units)."""


@dataclass(frozen=True, eq=False)
class Training:
    """A network's data, with the same initial weights (inputs, units) for all; biases are 0."""

    units: tuple[int, ...]
    batch: int
    x: Array
    y: Array
    initial: list[Array]

    @property
    def order(self) -> Array:
        """Another order for each epoch."""
        return np.random.default_rng().permutation(len(self.x))


def logistic_loss(model: Any, x: Array, y: Array) -> float:
    """Return what both minimise: the mean cross entropy, and the penalty for C = 1."""
    w = np.append(model.coef_[0], model.intercept_).astype(np.float64)
    z = x.astype(np.float64) @ w[:-1] + w[-1]
    mean = vk.sigmoid_cross_entropy(z, y.astype(np.float64)).mean()
    return float(mean + w[:-1] @ w[:-1] / (2 * len(x)))


def check_losses(ours: float, theirs: float) -> None:
    """Raise ArithmeticError unless both fits are as good as each other."""
    if not abs(ours - theirs) <= 1e-4 * theirs:  # of both tolerances, where samples are few
        raise ArithmeticError(f"the losses of the fits differ: {ours} and {theirs}")
