"""The notes' networks, in their column form: a sample in each column of X (n[0], m) and Y.

W[l] is (n[l], n[l-1]) and b[l] (n[l], 1); forward Z = W A + b and A = g(Z); backward
dZ = dA g'(Z), dW = dZ A^T / m, db = sum(dZ) / m, dA = W^T dZ, and dZ = A - Y at the output.  A
perceptron, logistic regression and the shallow network with two layers are the smallest cases.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt import optim
from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._spec.layer_activation import Activation
from vekt.layers import activation_kernels
from vekt.network._gradient_check import check_gradients
from vekt.network._layers import INITIALS, PRELU, Buffers, Layer, initial, one_for_each
from vekt.network._numbers import penalty, whole
from vekt.network._outputs import OUTPUTS
from vekt.network._samples import samples_in_rows, targets_in_rows
from vekt.network._steps import Steps
from vekt.network._validation import Validation

__all__ = ["Network", "check_gradients", "logistic_regression", "perceptron", "shallow"]

Array = NDArray[Any]
Initial = Literal["he", "glorot", "rand"]
Output = Literal["sigmoid", "softmax", "linear", "poisson", "step"]


class Options(TypedDict, total=False):
    """What the smallest networks take as `Network` does."""

    init: Initial
    dtype: DTypeLike
    seed: int | None


class Network(Steps):
    """A network of dense layers.

    Parameters
    ----------
    units : sequence of int
        Units of each layer, the inputs first: n[0], n[1], ...
    activations : activation or iterable of them, default "relu"
        Of the hidden layers: one for all, or one for each.  By name, as a function or with
        parameters, as `vekt.dense` takes them; "prelu" learns a slope for each unit.
    output : {"sigmoid", "softmax", "linear", "poisson", "step"}, default "sigmoid"
        Output layer with its cost: binary cross entropy, cross entropy, half of the squared error,
        half of the Poisson deviance (of counts, whose expected value is exp(Z)); "step" is
        Rosenblatt's perceptron.
    init : {"he", "glorot", "rand"}, default "he"
        Initial weights; "rand" is the notes' ``rand * 0.01``.  b is 0, and PReLU's alpha 0.25.
    dtype : dtype, default float64
        float32 or float64.
    seed : int or None, optional
        Of the initial weights and of the order of the samples.

    Attributes
    ----------
    W, b : list of ndarray
        Weights (n[l], n[l-1]) and biases (n[l], 1) of the layers, the first one's first.
    alpha : list of ndarray or None
        PReLU's slopes (n[l], 1), None for layers without.
    costs : list of float
        Mean cost in each epoch of `fit`.
    validation_costs, validation_scores : list of float
        Mean cost and `score` of the samples held out after each epoch, NaN where there were none.
    history : dict of list of float
        These three lists: "cost", "validation_cost" and "validation_score".
    interrupted : bool
        Whether Ctrl-C ended the last `fit`.

    Raises
    ------
    ValueError
        If there is no such activation, output or initialisation, or if units do not make a network.
    TypeError
        If the dtype is neither float32 nor float64.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt.network import Network
    >>> X = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
    >>> Y = np.array([[0.0, 1.0, 1.0, 0.0]])  # exclusive or
    >>> network = Network([2, 8, 1], "tanh", seed=1).fit(X, Y, lr=1.0, epochs=500)
    >>> network.predict(X).round().tolist()
    [[0.0, 1.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        units: Sequence[int],
        activations: Activation | Iterable[Activation] = "relu",
        *,
        output: Output = "sigmoid",
        init: Initial = "he",
        dtype: DTypeLike = np.float64,
        seed: int | None = None,
    ) -> None:
        try:
            self.units = tuple(map(index, units))
        except TypeError:
            self.units = ()
        if len(self.units) < 2 or min(self.units) < 1:
            raise ValueError(f"units: expected two positive integers or more, got {units!r}")
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise TypeError(f"dtype: expected float32 or float64, got {self.dtype}")
        if not isinstance(output, str) or output not in OUTPUTS:
            raise ValueError(f"output: no {output!r}; choose one of {', '.join(OUTPUTS)}")
        if init not in INITIALS:
            raise ValueError(f"init: no {init!r}; choose one of {', '.join(INITIALS)}")
        self.activations: list[Activation] = one_for_each(activations, len(self.units) - 2)
        for activation in self.activations:
            if activation != PRELU:
                activation_kernels(activation)
        self.output = output
        self._output = OUTPUTS[output]()
        try:
            self._rng = np.random.default_rng(seed)
        except (TypeError, ValueError) as error:
            raise type(error)(f"seed: {error}") from None
        self._layers = [
            Layer(initial(init, self._rng, n, k, self.dtype), activation)
            for n, k, activation in zip(
                self.units[1:], self.units[:-1], [*self.activations, None], strict=True
            )
        ]
        self.costs: list[float] = []
        self.validation_costs: list[float] = []
        self.validation_scores: list[float] = []
        self.interrupted: bool = False
        self._buffers = None

    def __repr__(self) -> str:
        """Say how large it is, and of what."""
        hidden = ", ".join(a if isinstance(a, str) else repr(a) for a in self.activations)
        count = sum(p.size for p in self.params)
        return (
            f"<Network {'-'.join(map(str, self.units))}: {hidden + ', then ' if hidden else ''}"
            f"{self.output}; {count:,} parameters of {self.dtype}>"
        )

    @property
    def W(self) -> list[Array]:  # noqa: N802
        """Weights of the layers."""
        return [layer.params[0] for layer in self._layers]

    @property
    def b(self) -> list[Array]:
        """Biases of the layers."""
        return [layer.params[1] for layer in self._layers]

    @property
    def alpha(self) -> list[Array | None]:
        """PReLU's slopes."""
        return [layer.params[2] if layer.learns_slope else None for layer in self._layers]

    @property
    def history(self) -> dict[str, list[float]]:
        """What `fit` noted after each epoch."""
        return {
            "cost": self.costs,
            "validation_cost": self.validation_costs,
            "validation_score": self.validation_scores,
        }

    def __getstate__(self) -> dict[str, Any]:
        """Leave the buffers out."""
        return {**self.__dict__, "_buffers": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the layers' views anew."""
        self.__dict__.update(state)
        for layer in self._layers:
            layer.bind()

    def predict(self, X: ArrayLike) -> Array:
        """Return the outputs A (n[L], m) for samples X (n[0], m); lazily for a Dask array."""
        if is_dask(X):
            outputs: Array = on_dask("network_outputs")(self, X)
            return outputs
        return self._predict(samples_in_rows("predict", self, X)).T

    def score(self, X: ArrayLike, Y: ArrayLike) -> float:
        """Return how good the outputs for samples X are, at most 1, as scikit-learn's models do.

        The share of samples whose outputs are right: the largest of a softmax, all those above 1/2
        of a sigmoid.  Of numbers the coefficient of determination, the mean of the units'.
        """
        y = targets_in_rows("score", self, X, Y)
        return self._output.score(np.asarray(self.predict(X)).T, y)

    def gradients(
        self,
        X: ArrayLike,
        Y: ArrayLike,
    ) -> tuple[float, list[Array]]:
        """Return the mean cost and its gradients, in the order of `params`."""
        if is_dask(X) or is_dask(Y):
            samples = on_dask("NetworkSamples")("gradients", self, X, Y)
            found: tuple[float, list[Array]] = samples.gradients()
            return found
        x, y = samples_in_rows("gradients", self, X), targets_in_rows("gradients", self, X, Y)
        buffers = Buffers(self.units, len(x), self.dtype, y)
        return self._step(x, y, buffers, 1 / len(x)), [g.copy() for g in self.grads]

    def fit(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        optimizer: str | optim.Optimizer = "sgd",
        lr: float | Callable[[int], float] = 0.01,
        epochs: int = 100,
        batch_size: int | None = None,
        shuffle: bool = True,
        l2: float = 0.0,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        patience: int | None = None,
        callback: Callable[[int, float], Any] | None = None,
        persist: bool = True,
    ) -> Network:
        """Learn.

        Parameters
        ----------
        X : array_like or Dask array, shape (n[0], m)
            Samples in columns.
        Y : array_like or Dask array, shape (n[L], m)
            Targets; for a softmax output also labels, integers of shape (m,).
        optimizer : str or Optimizer, default "sgd"
            As `vekt.optim.get` takes it; one of your own keeps its rate.
        lr : float or callable, default 0.01
            Learning rate of an optimiser that is given by its name; a function of the steps taken,
            0 first, is a schedule.
        epochs : int, default 100
            Passes over the samples: the notes' iterations, where a batch is all of them.
        batch_size : int or None, optional
            Samples in a mini-batch; None: all of them.
        shuffle : bool, default True
            Whether mini-batches are drawn anew in each epoch.
        l2 : float, default 0
            Weight of the penalty l2 / (2 m) sum(W^2), m the batch; `costs` are without it.
        validation_data : pair of array_like, optional
            Samples and targets, as X and Y, that are not learnt from; `validation_costs` and
            `validation_scores` get what the weights make of them after each epoch.
        patience : int or None, optional
            Learning ends when the validation cost has not fallen for so many epochs; the weights
            are those of its lowest, also where learning ends for another reason.
        callback : callable, optional
            Called with the number of each epoch and its mean cost; learning ends if it returns
            True.
        persist : bool, default True
            Of Dask arrays, whether checked chunks stay in memory, a worker's or this process's;
            False reads them anew in each step.

        Returns
        -------
        Network
            Itself; `costs` and the other lists of `history` have one more number for each epoch.

        Raises
        ------
        ValueError
            If shapes do not match, samples are missing or not finite, a target is none, there is
            no such optimiser, or a number is out of its range.  Nothing is changed then.
        TypeError
            If `epochs`, `batch_size` or `patience` is not an integer, or `callback` no function.

        Notes
        -----
        Ctrl-C ends the learning with a warning; what has been learnt stays.  Buffers are made in
        the first step, and all others use them.

        Of Dask arrays the batches are the same, and weights as well but for the order of sums: each
        chunk gives the gradients of its samples in the batch, Dask's scheduler adds them up in a
        tree, and the optimiser runs here.  The bits depend on the chunks, not on the workers.
        Batches should be large: a step takes Dask milliseconds, between processes tens of them.
        """
        spread = is_dask(X) or is_dask(Y)
        if spread:
            samples = on_dask("NetworkSamples")("fit", self, X, Y)
            m = samples.m
        else:
            x, y = samples_in_rows("fit", self, X), targets_in_rows("fit", self, X, Y)
            m = len(x)
        size = m if batch_size is None else whole("fit: batch_size", batch_size)
        if not 1 <= size <= m:
            raise ValueError(f"fit: batch_size must be in 1 to m = {m}, got {batch_size!r}")
        epochs, l2 = whole("fit: epochs", epochs), penalty("fit: l2", l2)
        if epochs < 0:
            raise ValueError(f"fit: epochs must not be negative, got {epochs!r}")
        if patience is not None and whole("fit: patience", patience) < 1:
            raise ValueError(f"fit: patience must be positive, got {patience!r}")
        if callback is not None and not callable(callback):
            raise TypeError(f"fit: callback must be a function, got {callback!r}")
        validate = Validation(self, validation_data, patience)
        options: Any = {} if isinstance(optimizer, optim.Optimizer) else {"lr": lr}
        chosen = optim.get(optimizer, **options)
        if spread:
            samples.check(persist)
        self.interrupted = False
        try:
            for epoch in range(epochs):
                if spread:
                    cost, _ = samples.epoch(chosen, size, shuffle, l2)
                else:
                    cost, _ = self._epoch(x, y, chosen, size, shuffle, l2)
                held = validate()
                for numbers, new in zip(self.history.values(), (cost, *held), strict=True):
                    numbers.append(new)
                if (callback is not None and callback(epoch, cost)) or validate.ended:
                    break
        except KeyboardInterrupt:
            self.interrupted = True
            warnings.warn(
                f"fit: interrupted after {len(self.costs)} epochs; what was learnt stays",
                stacklevel=2,
            )
        finally:
            validate.end()
        return self

    def _with_activations(self, activations: Any) -> Network:
        """Return a network of the same weights with other activations; itself if they are these."""
        if one_for_each(activations, len(self.units) - 2) == self.activations:
            return self
        other = Network(self.units, activations, output=self.output, dtype=self.dtype)
        for layer, mine in zip(other._layers, self._layers, strict=True):
            for new, p in zip(
                layer.params, mine.params, strict=False
            ):  # slopes, if both learn them
                new[...] = p
        other._rng = self._rng
        for name, numbers in self.history.items():
            other.history[name].extend(numbers)
        return other


def logistic_regression(n: int, **options: Unpack[Options]) -> Network:
    """Return the notes' logistic regression of n features: one unit, sigmoid, weights 0."""
    network = Network([n, 1], output="sigmoid", **options)
    network.W[0][...] = 0
    return network


def perceptron(n: int, **options: Unpack[Options]) -> Network:
    """Return Rosenblatt's perceptron of n features: one unit with a step."""
    network = Network([n, 1], output="step", **options)
    network.W[0][...] = 0
    return network


def shallow(n: int, hidden: int, **options: Unpack[Options]) -> Network:
    """Return the notes' network with one hidden layer: tanh, then sigmoid."""
    return Network([n, hidden, 1], "tanh", output="sigmoid", **options)


def __dir__() -> list[str]:
    return __all__
