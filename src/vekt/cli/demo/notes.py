"""The notes' two programs, each as a loop and vectorised.

The names are the notes' own: `w`, `b` the parameters, `z = w.x + b`, `a = sigmoid(z)` the
prediction, `J` the cost, `alpha` the learning rate, `m` the number of samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import vekt as vk

Array = NDArray[np.float64]


def neuron_loop(w: Sequence[float] | NDArray[Any], x: Any, b: float) -> float:
    """Compute z = w.x + b, one product at a time."""
    z = 0.0
    for i in range(len(w)):
        z += w[i] * x[i]
    return z + b


class Fit(NamedTuple):
    """The outcome of gradient descent: parameters, and the cost before each step."""

    w: Array
    b: float
    costs: list[float]


def fit_loop(X: Array, Y: Array, alpha: float, steps: int) -> Fit:
    """Logistic regression by gradient descent, one sample and one feature at a time.

    Parameters
    ----------
    X : array, shape (n, m)
        Samples in columns.
    Y : array, shape (m,)
        Labels, 0 or 1.
    alpha : float
        Learning rate.
    steps : int
        Number of steps; the parameters start at zero.
    """
    samples: list[list[float]] = X.T.tolist()  # Python floats: an array would slow the loop
    labels: list[float] = Y.tolist()
    n, m = X.shape
    w, b = [0.0] * n, 0.0
    costs = []
    for _ in range(steps):
        J, dw, db = 0.0, [0.0] * n, 0.0
        for i in range(m):
            x, y = samples[i], labels[i]
            z = b
            for j in range(n):
                z += w[j] * x[j]
            a = _sigmoid(z)
            J += _cost(z, y)
            dz = a - y
            for j in range(n):
                dw[j] += x[j] * dz
            db += dz
        J, dw, db = J / m, [d / m for d in dw], db / m
        w = [w[j] - alpha * dw[j] for j in range(n)]
        b -= alpha * db
        costs.append(J)
    return Fit(np.array(w), b, costs)


def _sigmoid(z: float) -> float:
    e = math.exp(-abs(z))
    return (1.0 if z >= 0 else e) / (1.0 + e)


def _cost(z: float, y: float) -> float:
    """-(y log(a) + (1 - y) log(1 - a)), from z, so that a saturated a = 0 or 1 costs no digits."""
    return max(z, 0.0) - y * z + math.log1p(math.exp(-abs(z)))


def fit_vectorised(X: Array, Y: Array, alpha: float, steps: int) -> Fit:
    """Logistic regression by gradient descent, all samples at once.

    The parameters are those of `fit_loop`.
    """
    n, m = X.shape
    w, b = np.zeros(n), 0.0
    costs = []
    for _ in range(steps):
        Z = w @ X + b  # NumPy's product of a vector and a matrix
        A = vk.sigmoid(Z)
        J = costs_of(Z, Y).sum() / m
        dZ = A - Y
        dw = np.array([vk.dot(x, dZ) for x in X]) / m  # X dZ^T, a row of X for each feature
        db = dZ.sum() / m
        w = w - alpha * dw
        b -= alpha * db
        costs.append(float(J))
    return Fit(w, float(b), costs)


def costs_of(Z: Array, Y: Array) -> Array:
    """Compute the cost of each sample, from Z as in the loop."""
    J: Array = vk.relu(Z) - Y * Z + np.log1p(np.exp(-np.abs(Z)))
    return J


def accuracy_of(fit: Fit, X: Array, Y: Array) -> float:
    """Compute the share of samples whose label is predicted."""
    A = vk.sigmoid(fit.w @ X + fit.b)
    return float(np.mean((A > 0.5) == (Y > 0.5)))


FORMS: dict[str, Callable[[Array, Array, float, int], Fit]] = {
    "loop": fit_loop,
    "vectorised": fit_vectorised,
}


class Split(NamedTuple):
    """Standardised features with samples in columns, and labels."""

    X: Array
    Y: Array
    X_held_out: Array
    Y_held_out: Array


def breast_cancer() -> Split:
    """Scikit-learn's breast-cancer data: 30 features of 569 tumours, benign or malignant."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    features, labels = load_breast_cancer(return_X_y=True)
    x, x_held_out, y, y_held_out = train_test_split(
        features, labels.astype(np.float64), test_size=0.25, random_state=0, stratify=labels
    )
    # The statistics are the training samples' own: the held-out ones must tell nothing.
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    return Split(
        np.ascontiguousarray(((x - mean) / deviation).T),
        y,
        np.ascontiguousarray(((x_held_out - mean) / deviation).T),
        y_held_out,
    )
