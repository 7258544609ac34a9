"""Peers that train: an epoch of a network as careful users of each library write it.

All take plain steps down the mean cross entropy of softmax, from the same weights (inputs, units).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt.cli.peers._names import Namespace
from vekt.cli.peers.trained import (
    EPOCH,
    LOGISTIC,
    RATE,
    Competitor,
    Training,
    check_losses,
    logistic_loss,
)

Array = NDArray[Any]

# How far weights may be from those in double, of the largest: roundings of some steps.
_TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def statement(name: str) -> dict[str, str]:
    """Return the statement of a peer."""
    return {EPOCH: f"{name}_network.epoch(training.order)"}


class NumpyNetwork:
    """Every array is made once."""

    def __init__(self, training: Training) -> None:
        self.x, self.y, self.rate = training.x, training.y, RATE
        self.batch, dtype = training.batch, training.x.dtype
        self.w = [w.copy() for w in training.initial]
        self.b = [np.zeros(w.shape[1], dtype) for w in self.w]
        self.dw, self.db = [np.empty_like(w) for w in self.w], [np.empty_like(b) for b in self.b]
        widths = training.units
        self.a = [np.empty((self.batch, n), dtype) for n in widths]
        self.d = [np.empty((self.batch, n), dtype) for n in widths]
        self.above = [np.empty((self.batch, n), bool) for n in widths]
        self.labels = np.empty(self.batch, self.y.dtype)
        self.of_row = np.empty((self.batch, 1), dtype)
        self.rows = np.arange(self.batch)

    def epoch(self, order: Array) -> float:
        """Return the mean loss."""
        total = 0.0
        for start in range(0, len(order), self.batch):
            total += self._step(order[start : start + self.batch])
        return total / len(order)

    def _step(self, chosen: Array) -> float:
        m, last = len(chosen), len(self.w)
        a, d, above = ([array[:m] for array in arrays] for arrays in (self.a, self.d, self.above))
        labels, of_row, rows = self.labels[:m], self.of_row[:m], self.rows[:m]
        self.x.take(chosen, 0, a[0], "clip")
        self.y.take(chosen, 0, labels, "clip")
        for i, (w, b) in enumerate(zip(self.w, self.b, strict=True), 1):
            z = np.matmul(a[i - 1], w, out=a[i])
            z += b
            if i < last:
                np.maximum(z, 0, out=z)
        p = np.subtract(a[last], a[last].max(1, out=of_row, keepdims=True), out=d[last])
        loss = -float(p[rows, labels].sum())
        np.exp(p, out=p)
        p /= p.sum(1, out=of_row, keepdims=True)
        loss += float(np.log(of_row, out=of_row).sum())
        p[rows, labels] -= 1
        p *= 1 / m
        for i in range(last, 0, -1):
            np.matmul(a[i - 1].T, d[i], out=self.dw[i - 1])
            d[i].sum(0, out=self.db[i - 1])
            if i > 1:
                np.matmul(d[i], self.w[i - 1].T, out=d[i - 1])
                np.multiply(d[i - 1], np.greater(a[i - 1], 0, out=above[i - 1]), out=d[i - 1])
        for values, slopes in ((self.w, self.dw), (self.b, self.db)):
            for value, slope in zip(values, slopes, strict=True):
                slope *= self.rate
                value -= slope
        return loss

    def weights(self) -> list[Array]:
        """Return the layers' weights."""
        return self.w


class TorchNetwork:
    """Eager, or with its loss compiled; the step for all tensors is one call."""

    def __init__(self, training: Training, compiled: bool = False) -> None:
        import torch

        self.torch, self.rate, self.batch = torch, RATE, training.batch
        self.x, self.y = torch.from_numpy(training.x), torch.from_numpy(training.y)
        layers = [torch.from_numpy(np.ascontiguousarray(w.T)) for w in training.initial]
        self.params = [p for w in layers for p in (w.clone(), w.new_zeros(len(w)))]
        for p in self.params:
            p.requires_grad_()
        self.loss = torch.compile(self._loss, dynamic=False) if compiled else self._loss

    def _loss(self, params: Any, x: Any, y: Any) -> Any:
        functions = self.torch.nn.functional
        for i in range(0, len(params), 2):
            x = functions.linear(x, params[i], params[i + 1])
            if i < len(params) - 2:
                x = functions.relu(x)
        return functions.cross_entropy(x, y)

    def epoch(self, order: Array) -> None:
        """Go through the samples."""
        torch, params = self.torch, self.params
        for chosen in torch.from_numpy(order).split(self.batch):
            with torch.enable_grad():
                loss = self.loss(params, self.x[chosen], self.y[chosen])
            slopes = torch.autograd.grad(loss, params)
            torch._foreach_add_(params, slopes, alpha=-self.rate)

    def weights(self) -> list[Array]:
        """Return the layers' weights."""
        return [w.detach().numpy().T for w in self.params[::2]]


class JaxNetwork:
    """One compiled function for the whole epoch, which gives the old weights' memory to the new."""

    def __init__(self, training: Training) -> None:
        import jax
        import jax.numpy as jnp

        batch, self.jax = training.batch, jax
        self.x, self.y = jnp.asarray(training.x), jnp.asarray(training.y)
        self.params = [(jnp.array(w), jnp.zeros(w.shape[1], w.dtype)) for w in training.initial]

        def cost(params: Any, x: Any, y: Any) -> Any:
            for w, b in params[:-1]:
                x = jax.nn.relu(x @ w + b)
            x = jax.nn.log_softmax(x @ params[-1][0] + params[-1][1])
            return -jnp.take_along_axis(x, y[:, None], 1).mean()

        def step(params: Any, x: Any, y: Any) -> tuple[Any, Any]:
            loss, slopes = jax.value_and_grad(cost)(params, x, y)
            return jax.tree.map(lambda p, g: p - RATE * g, params, slopes), loss

        def epoch(params: Any, x: Any, y: Any, order: Any) -> Any:
            whole = len(order) // batch * batch
            batches = order[:whole].reshape(-1, batch)
            params, losses = jax.lax.scan(lambda p, i: step(p, x[i], y[i]), params, batches)
            if whole < len(order):
                params, _ = step(params, x[order[whole:]], y[order[whole:]])
            return params, losses

        self.compiled = jax.jit(epoch, donate_argnums=0)

    def epoch(self, order: Array) -> None:
        """Go through the samples."""
        self.params, losses = self.compiled(self.params, self.x, self.y, order)
        losses.block_until_ready()

    def weights(self) -> list[Array]:
        """Return the layers' weights."""
        return [np.asarray(w) for w, _ in self.params]


class SklearnNetwork:
    """scikit-learn's MLPClassifier, an epoch in each `partial_fit`."""

    def __init__(self, training: Training) -> None:
        from sklearn.neural_network import MLPClassifier

        self.x, self.y, self.batch = training.x, training.y, training.batch
        self.model = MLPClassifier(
            training.units[1:-1],
            solver="sgd",
            alpha=0,
            batch_size=training.batch,
            learning_rate_init=RATE,
            momentum=0,
            nesterovs_momentum=False,
            shuffle=False,
        )
        self.model.partial_fit(self.x, self.y, classes=np.arange(training.units[-1]))
        for w, initial in zip(self.model.coefs_, training.initial, strict=True):
            w[...] = initial
        for b in self.model.intercepts_:
            b[...] = 0

    def epoch(self, order: Array | None = None) -> None:
        """Go through the samples in this order, or in one that it draws itself."""
        x, y = (self.x, self.y) if order is None else (self.x[order], self.y[order])
        self.model.set_params(shuffle=order is None, batch_size=min(self.batch, len(y)))
        self.model.partial_fit(x, y)

    def weights(self) -> list[Array]:
        """Return the layers' weights."""
        weights: list[Array] = self.model.coefs_
        return weights


NETWORKS: dict[str, Callable[[Training], Any]] = {
    "numpy": NumpyNetwork,
    "torch": TorchNetwork,
    "torch_compile": partial(TorchNetwork, compiled=True),
    "jax": JaxNetwork,
    "sklearn": SklearnNetwork,
}


def check_weights(training: Training, name: str, competitor: Competitor) -> None:
    """Raise ArithmeticError unless it learns what gradient descent in double does.

    It takes two batches, and one as short as the last one of an epoch.
    """
    m = len(training.x)
    order = np.arange(min(m, 2 * training.batch + m % training.batch))
    wide = [w.astype(np.float64) for w in training.initial]
    x = training.x.astype(np.float64)
    exact = NumpyNetwork(Training(training.units, training.batch, x, training.y, wide))
    exact.epoch(order)
    competitor.epoch(order)
    for got, expected in zip(competitor.weights(), exact.weights(), strict=True):
        error = float(np.abs(got - expected).max() / np.abs(expected).max())
        if not error <= _TOLERANCE[training.x.dtype.name]:
            raise ArithmeticError(f"{name}: weights differ by {error:.1e} after some steps")


def bind(peer: str, operands: Namespace) -> Namespace:
    """Return the network of a peer, under its name, after a check of its first steps."""
    training = operands["training"]
    network = NETWORKS[peer](training)
    check_weights(training, peer, network)
    return {f"{peer}_network": network}


SKLEARN = {EPOCH: "sklearn_network.epoch()", LOGISTIC: "sklearn_model.fit(x, y)"}


def load_compiler(load: Callable[[int], Namespace], threads: int) -> Namespace:
    """Load torch, and raise ImportError if its compiler does not work: it wants one of C++."""
    names = load(threads)
    torch = names["torch"]
    try:
        torch.compile(torch.sin)(torch.zeros(4))
    except Exception as error:
        raise ImportError(f"torch.compile: {error}") from error
    return names


def load_sklearn(threads: int) -> Namespace:
    """Load scikit-learn, whose threads are those of NumPy's BLAS."""
    import sklearn

    return {"sklearn": sklearn}


def bind_sklearn(name: str, operands: Namespace) -> Namespace:
    """Return the model, after a check of what it learns."""
    if name == EPOCH:
        return bind("sklearn", operands)
    from sklearn.linear_model import LogisticRegression

    x, y = operands["x"], operands["y"]
    models = operands["model"], LogisticRegression()
    check_losses(*(logistic_loss(model.fit(x, y), x, y) for model in models))
    return {"sklearn_model": models[1]}
