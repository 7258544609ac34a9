"""Multi-layer perceptron for numbers: what targets and outputs are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from vekt.models._mlp import BaseMLP
from vekt.network import Output

Array = NDArray[Any]


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Network for regression, whose loss is half of the squared error.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, ...
        As for `MLPClassifier`.

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

    def _check_targets(self, y: Any, reset: bool, whole: bool) -> Array:
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
        return values

    def _lazy_targets(self, y: Any, reset: bool, whole: bool) -> Any:
        self._check_targets(np.empty((1, *y.shape[1:])), reset, whole)
        return y.reshape(len(y), -1)

    def _encoded(self, y: Array, dtype: Any) -> Array:
        return np.ascontiguousarray(y.reshape(len(y), -1), dtype)

    def _output(self) -> tuple[Output, int]:
        return "linear", self._n_targets

    def predict(self, X: ArrayLike) -> Array:
        """Return the value for each row of X."""
        out = self._forward(X)
        return out[:, 0] if self._flat else out
