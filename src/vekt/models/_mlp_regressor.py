"""Multi-layer perceptron for numbers: what targets and outputs are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from vekt._spec.layer_activation import Activation
from vekt.models._mlp import BaseMLP
from vekt.models._parameters import REGRESSOR
from vekt.models._training import Rates, Solver
from vekt.network import Initial, Output

Array = NDArray[Any]


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Network for regression.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, ...
        As for `MLPClassifier`, but for `class_weight`.
    loss : {"squared_error", "poisson"}, default "squared_error"
        Half of the squared error, or half of the Poisson deviance, of targets that are not negative
        and an output layer exp.

    Notes
    -----
    Of several targets `loss_` is the sum of their losses, whose gradient the solvers follow;
    scikit-learn tells the mean of the squared errors, and follows the same gradient.  Sparse X and
    y are a TypeError.

    Attributes
    ----------
    network_, coefs_, intercepts_, loss_, loss_curve_, ...
        As of `MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt.models import MLPRegressor
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> model = MLPRegressor((32,), learning_rate_init=0.02, random_state=0)
    >>> model.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.95
    True
    """

    _parameter_constraints = REGRESSOR

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
        loss: Literal["squared_error", "poisson"] = "squared_error",
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            init=init,
        )
        self.loss = loss

    def _check_targets(self, y: Any, reset: bool, whole: bool) -> Array:
        if issparse(y):
            raise TypeError("y: sparse targets are not supported; pass y.toarray()")
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = 1 if y.ndim == 1 else y.shape[1]
        if reset:
            self._flat, self._n_targets = y.ndim == 1, targets
        elif targets != self._n_targets:
            raise ValueError(
                f"y has {targets} targets, but {type(self).__name__} is expecting {self._n_targets}"
            )
        values: Array = y if y.dtype == np.float32 else y.astype(np.float64, copy=False)
        if self.loss == "poisson" and values.size and not values.min() >= 0:
            raise ValueError("y: targets of the loss 'poisson' must not be negative")
        return values

    def _lazy_targets(self, y: Any, reset: bool, whole: bool) -> Any:
        self._check_targets(np.empty((1, *y.shape[1:])), reset, whole)
        return y.reshape(len(y), -1)

    def _encoded(self, y: Array, dtype: Any) -> Array:
        return np.ascontiguousarray(y.reshape(len(y), -1), dtype)

    def _output(self) -> tuple[Output, int]:
        return "poisson" if self.loss == "poisson" else "linear", self._n_targets

    def predict(self, X: ArrayLike) -> Array:
        """Return the value for each row of X."""
        out = self._forward(X)
        return out[:, 0] if self._flat else out
