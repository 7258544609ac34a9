"""What both multi-layer perceptrons do: checks, epochs, stopping, scores."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.validation import _check_sample_weight, validate_data

from vekt import optim
from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._spec.layer_activation import Activation
from vekt.models._parameters import MLP
from vekt.models._progress import Progress
from vekt.network import Initial, Network, Output

Array = NDArray[Any]

_ACTIVATIONS = {"identity": None, "logistic": "sigmoid"}  # scikit-learn's names


class BaseMLP(BaseEstimator, ABC):  # type: ignore[misc]
    """Parameters and training; subclasses say what targets are."""

    network_: Network
    n_iter_: int
    t_: int
    loss_: float
    interrupted_: bool
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: Any
    _optimizer: optim.Optimizer
    _best: list[Array] | None
    _parameter_constraints = MLP

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Activation = "relu",
        *,
        solver: Literal["sgd", "adam", "adamw", "rmsprop"] = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate_init: float = 0.001,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        init: Initial = "glorot",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.init = init

    # ---- what subclasses say -----------------------------------------------------------------

    @abstractmethod
    def _check_targets(self, y: Any, reset: bool, whole: bool) -> Array:
        """Return checked targets.

        `reset` says whether they define the classes, `whole` whether all of these are there.
        """

    @abstractmethod
    def _lazy_targets(self, y: Any, reset: bool, whole: bool) -> Any:
        """Return targets of a Dask array as `_encoded` of `_check_targets` would."""

    @abstractmethod
    def _encoded(self, y: Array, dtype: Any) -> Array:
        """Return targets as the network's output layer is compared with them."""

    @abstractmethod
    def _output(self) -> tuple[Output, int]:
        """Return the activation and the number of units of the output layer."""

    # ---- fitting -------------------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from samples in the rows of X.

        Parameters
        ----------
        X : array_like or Dask array, shape (n_samples, n_features)
            Samples.
        y : array_like or Dask array, shape (n_samples,)
            Targets.
        sample_weight : array_like, shape (n_samples,), or None, optional
            How much each sample counts.

        Returns
        -------
        object
            Itself.
        """
        again = self.warm_start and hasattr(self, "network_")
        if is_dask(X) or is_dask(y):
            x = on_dask("model_samples")(self, X, y, sample_weight, not again)
            targets: Any = None
            weights = None
        else:
            x, targets, weights = self._checked(X, y, sample_weight, reset=not again)
            self._ready(x.dtype, not again)
            x = x.astype(self.network_.dtype, copy=False)
        rest: Any = None
        if self.early_stopping:
            x, targets, weights, rest = self._split(x, targets, weights)
        self._train(x, targets, weights, rest)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Do one epoch more; `X`, `y` and `sample_weight` are as for `fit`."""
        self._validate_params()
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not hasattr(self, "network_")
        if is_dask(X) or is_dask(y):
            samples = on_dask("model_samples")(self, X, y, sample_weight, first, whole=False)
            self._epoch(samples, None, None)
            self.n_iter_ = 1
            return self
        x, y, weights = self._checked(X, y, sample_weight, reset=first, whole=False)
        self._ready(x.dtype, first, whole=False)
        x = x.astype(self.network_.dtype, copy=False)
        self._epoch(x, self._encoded(y, x.dtype), weights)
        self.n_iter_ = 1
        return self

    def _checked(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        reset: bool,
        whole: bool = True,
    ) -> tuple[Array, Array, Array | None]:
        self._validate_params()
        x, y = validate_data(
            self, X, y, dtype=(np.float64, np.float32), multi_output=True, reset=reset, order="C"
        )
        y = self._check_targets(y, reset, whole)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, x, dtype=x.dtype, ensure_non_negative=True
            )
            if not weights.sum() > 0:
                raise ValueError("sample_weight: no sample counts")
            weights = weights.reshape(-1, 1)
        return x, y, weights

    def _sizes(self) -> list[int]:
        sizes = np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=object)).ravel().tolist()
        if any(not isinstance(size, Integral) or size < 1 for size in sizes):
            raise InvalidParameterError(
                f"The 'hidden_layer_sizes' parameter of {type(self).__name__} must be ints in the "
                f"range [1, inf). Got {self.hidden_layer_sizes!r} instead."
            )
        return [int(size) for size in sizes]

    def _ready(self, dtype: Any, anew: bool, whole: bool = True) -> None:
        """Begin, or go on with the network there is, by what the parameters say now.

        A whole fit, as in scikit-learn, has an optimiser of its own; `partial_fit` keeps what its
        optimiser remembers.
        """
        units = (self.n_features_in_, *self._sizes(), self._output()[1])
        optimizer = self._new_optimizer()
        if anew:
            self._begin(units, dtype)
        elif units != self.network_.units:
            raise ValueError(
                f"hidden_layer_sizes: what was learnt has hidden layers of "
                f"{self.network_.units[1:-1]} units, which cannot become {units[1:-1]}"
            )
        network = self.network_._with_activations(self._activations())
        if network is not self.network_:
            self.network_, whole = network, True
            self._best = None
        if anew or whole or type(optimizer) is not type(self._optimizer):
            self._optimizer = optimizer
        for name in ("lr", "momentum", "nesterov", "betas", "eps"):
            if hasattr(optimizer, name):
                setattr(self._optimizer, name, getattr(optimizer, name))
        if whole and not anew:
            self.network_._rng = np.random.default_rng(self._seed())
        if not self.early_stopping:
            self.validation_scores_ = self.best_validation_score_ = self._best = None
            self.best_loss_ = np.inf if self.best_loss_ is None else self.best_loss_
        elif self._best is None:
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
            self.best_loss_ = None

    def _activations(self) -> Any:
        if isinstance(self.activation, str):
            return _ACTIVATIONS.get(self.activation, self.activation)
        return self.activation

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _begin(self, units: tuple[int, ...], dtype: Any) -> None:
        """Start anew."""
        output = self._output()[0]
        self.network_ = Network(
            units,
            self._activations(),
            output=output,
            init=self.init,
            dtype=dtype,
            seed=self._seed(),
        )
        self.loss_curve_ = []
        self.n_iter_, self.t_ = 0, 0
        self.best_loss_ = np.inf
        self.validation_scores_ = self.best_validation_score_ = self._best = None
        self.interrupted_ = False

    def _new_optimizer(self) -> optim.Optimizer:
        rate = self.learning_rate_init
        if self.solver == "sgd":
            nesterov = self.nesterovs_momentum and self.momentum > 0
            return optim.SGD(rate, momentum=self.momentum, nesterov=nesterov)
        if self.solver == "rmsprop":
            return optim.RMSProp(rate, eps=self.epsilon)
        kind = optim.Adam if self.solver == "adam" else optim.AdamW
        return kind(rate, betas=(self.beta_1, self.beta_2), eps=self.epsilon)

    def _split(self, x: Array, y: Array, weights: Array | None) -> tuple[Any, Any, Any, Any]:
        rng = check_random_state(self.random_state)
        parts = [x, y] if weights is None else [x, y, weights]
        split = train_test_split(
            *parts,
            random_state=rng,
            test_size=self.validation_fraction,
            stratify=self._strata(y),
        )
        train, held = split[::2], split[1::2]
        if weights is not None and not (train[2].sum() > 0 and held[2].sum() > 0):
            raise ValueError(
                "sample_weight: no sample counts of those to learn from or of those held out"
            )
        return train[0], train[1], None if weights is None else train[2], held

    def _strata(self, y: Array) -> Array | None:
        return None

    def _train(self, x: Any, y: Array | None, weights: Array | None, held: Any) -> None:
        targets = None if y is None else self._encoded(y, x.dtype)
        waited, progress = 0, Progress(self.verbose, self.max_iter)
        self.interrupted_ = False
        try:
            for epoch in range(self.max_iter):
                self._epoch(x, targets, weights)
                self.n_iter_ = epoch + 1
                score = None if held is None else self._validate(held)
                progress.show(self.n_iter_, self.loss_, score)
                waited = 0 if self._improved(score) else waited + 1
                if waited > self.n_iter_no_change:
                    break
            else:
                warnings.warn(
                    f"maximum of {self.max_iter} iterations reached before convergence",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        except KeyboardInterrupt:
            self.interrupted_ = True
            warnings.warn("training interrupted; what was learnt stays", stacklevel=3)
        finally:
            progress.end()
        if self._best is not None:
            for p, kept in zip(self.network_.params, self._best, strict=True):
                p[...] = kept

    def _epoch(self, x: Any, targets: Array | None, weights: Array | None) -> None:
        """Do one epoch over an array and its targets, or over samples in Dask's chunks."""
        m = len(x)
        size = min(200 if self.batch_size == "auto" else int(self.batch_size), m)
        how = self._optimizer, size, self.shuffle, self.alpha
        net = self.network_
        loss = x.epoch(*how) if targets is None else net._epoch(x, targets, *how, weights)
        squares = sum(float(np.vdot(w, w)) for w in self.network_.W)
        whole = m if weights is None else float(weights.sum())
        self.loss_ = loss + 0.5 * self.alpha * squares / whole
        if not np.isfinite(self.loss_):
            raise ValueError("the loss is not finite any more: try a lower learning_rate_init")
        self.loss_curve_.append(self.loss_)
        self.t_ += m

    def _validate(self, held: Any) -> float:
        x, y, *weights = held
        score = self._score(x, y, weights[0][:, 0] if weights else None)
        assert self.validation_scores_ is not None
        self.validation_scores_.append(score)
        return score

    def _score(self, x: Array, y: Array, weights: Array | None) -> float:
        return float(self.score(x, y, weights))

    def _improved(self, score: float | None) -> bool:
        """Tell whether an epoch gained by `tol`, and keep the best, by how little it may be."""
        if score is not None:
            improved = bool(score >= self.best_validation_score_ + self.tol)
            if score > self.best_validation_score_:
                self.best_validation_score_ = score
                self._best = [p.copy() for p in self.network_.params]
            return improved
        assert self.best_loss_ is not None
        improved = bool(self.loss_ <= self.best_loss_ - self.tol)
        self.best_loss_ = min(self.loss_, self.best_loss_)
        return improved

    # ---- what was learnt -----------------------------------------------------------------------

    def _forward(self, X: Any) -> Array:
        if not hasattr(self, "network_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted yet; call fit before using it"
            )
        if is_dask(X):
            outputs: Array = on_dask("model_outputs")(self, X)
            return outputs
        x = validate_data(self, X, dtype=(np.float64, np.float32), reset=False, order="C")
        return self.network_._predict(x.astype(self.network_.dtype, copy=False))

    @property
    def coefs_(self) -> list[Array]:
        """Weights of the layers, (inputs, units)."""
        return [w.T for w in self.network_.W]

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of the layers."""
        return [b[:, 0] for b in self.network_.b]

    @property
    def n_layers_(self) -> int:
        """Layers, the inputs counted."""
        return len(self.network_.units)

    @property
    def n_outputs_(self) -> int:
        """Units of the last layer."""
        return int(self.network_.units[-1])

    @property
    def out_activation_(self) -> str:
        """Activation of the last layer, by scikit-learn's name."""
        names = {"sigmoid": "logistic", "linear": "identity"}
        return names.get(self.network_.output, self.network_.output)
