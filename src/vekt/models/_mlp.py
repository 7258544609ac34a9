"""What both multi-layer perceptrons do: checks, epochs, stopping, scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, validate_data

from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._spec.layer_activation import Activation
from vekt.models._parameters import MLP
from vekt.models._training import Rates, Solver, Training
from vekt.network import Initial, Network, Output

Array = NDArray[Any]

_ACTIVATIONS = {"identity": None, "logistic": "sigmoid"}  # scikit-learn's names


Method = TypeVar("Method", bound=Callable[..., Any])


def for_epochs(method: Method) -> Method:
    """Make a method that is there where the solver does one epoch after the other."""
    checked: Method = available_if(_has_epochs)(method)
    return checked


def _has_epochs(model: Any) -> bool:
    if model.solver == "lbfgs":
        raise AttributeError("partial_fit: solver 'lbfgs' wants all samples at once; use fit")
    return True


class BaseMLP(Training):
    """Parameters and training; subclasses say what targets are."""

    _parameter_constraints = MLP

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Activation = "relu",
        *,
        solver: Solver = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: Rates = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
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
        max_fun: int = 15000,
        init: Initial = "glorot",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
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
        self.max_fun = max_fun
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
        targets = weights = held = None
        if is_dask(X) or is_dask(y):
            x = on_dask("model_samples")(self, X, y, sample_weight, not again)
        else:
            x, y, given, weights = self._checked(X, y, sample_weight, reset=not again)
            self._ready(x.dtype, not again)
            x = x.astype(self.network_.dtype, copy=False)
            if self._holds_out:
                x, y, weights, held = self._split(x, y, given, weights)
            targets = self._encoded(y, x.dtype)
        if self.solver == "lbfgs":
            self._search(x, targets, weights)
        else:
            self._train(x, targets, weights, held)
        return self

    @for_epochs
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Do one epoch more; `X`, `y` and `sample_weight` are as for `fit`."""
        self._validate_params()
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not hasattr(self, "network_")
        targets = weights = None
        if is_dask(X) or is_dask(y):
            x = on_dask("model_samples")(self, X, y, sample_weight, first, whole=False)
        else:
            x, y, _, weights = self._checked(X, y, sample_weight, reset=first, whole=False)
            self._ready(x.dtype, first, whole=False)
            x = x.astype(self.network_.dtype, copy=False)
            targets = self._encoded(y, x.dtype)
        self._epoch(x, targets, weights)
        self._goes_on(None)
        self.n_iter_ = 1
        return self

    def _checked(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        reset: bool,
        whole: bool = True,
    ) -> tuple[Array, Array, Array | None, Array | None]:
        """Return samples, targets, and weights in columns: those given, and those that count."""
        self._validate_params()
        x, y = validate_data(
            self, X, y, dtype=(np.float64, np.float32), multi_output=True, reset=reset, order="C"
        )
        y = self._check_targets(y, reset, whole)
        given = None
        if sample_weight is not None:
            given = _check_sample_weight(sample_weight, x, dtype=x.dtype, ensure_non_negative=True)
        weights = self._weighed(y, given, whole)
        if weights is not None and not weights.sum() > 0:
            raise ValueError(f"{self._what_weighs}: no sample counts")
        dtype = x.dtype if reset else self.network_.dtype
        columns = [None if w is None else w.astype(dtype)[:, None] for w in (given, weights)]
        return x, y, *columns

    def _weighed(self, y: Array, weights: Array | None, whole: bool) -> Array | None:
        """Return how much each sample counts."""
        return weights

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
        output, width = self._output()
        units = (self.n_features_in_, *self._sizes(), width)
        optimizer = self._new_optimizer()
        if anew:
            self._begin(units, dtype)
        elif units != self.network_.units:
            raise ValueError(
                f"hidden_layer_sizes: what was learnt has hidden layers of "
                f"{self.network_.units[1:-1]} units, which cannot become {units[1:-1]}"
            )
        elif output != self.network_.output:
            raise ValueError(
                f"what was learnt has an output layer of {self.network_.output}, "
                f"which cannot become {output}"
            )
        network = self.network_._with_activations(self._activations())
        if network is not self.network_:
            self.network_, whole = network, True
            self._best = None
        if anew or whole or type(optimizer) is not type(self._optimizer):
            self._optimizer = optimizer
            self._waited = self._falls = 0
        for name in ("momentum", "nesterov", "betas", "eps"):
            if hasattr(optimizer, name):
                setattr(self._optimizer, name, getattr(optimizer, name))
        self._optimizer.lr = self._rate()
        if whole and not anew:
            self.network_._rng = np.random.default_rng(self._seed())
        if not self._holds_out:
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
