"""Multi-layer perceptrons for classes and for numbers: what targets, outputs and scores are."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from vekt._core.axes import is_dask
from vekt.models._mlp import BaseMLP
from vekt.network import Output

Array = NDArray[Any]


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Network that tells classes: sigmoid for two, softmax for more.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate_init, max_iter, \
shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, \
validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change
        As in scikit-learn, with its defaults.  `activation` is any of vekt's too, "prelu" learns
        its slopes; solvers are "sgd", "adam", "adamw" and "rmsprop".
    init : {"glorot", "he", "rand"}, default "glorot"
        Initial weights.

    Notes
    -----
    With `warm_start`, `fit` goes on with the weights there are, in their dtype, by what the
    parameters say now: another solver, rate or activation holds from there on, and the optimiser
    begins anew, as in scikit-learn.  Other classes, features or `hidden_layer_sizes` are a
    ValueError.  Between calls of `partial_fit` the optimiser keeps what it remembers, and takes
    changed numbers.  With `early_stopping`, the weights are those of the best score of the samples
    held out, weighted by `sample_weight`; over fits of a warm start, of the best of all.

    Attributes
    ----------
    classes_ : ndarray
        The labels, in order.
    network_ : vekt.network.Network
        What was learnt.
    coefs_, intercepts_, loss_, loss_curve_, best_loss_, validation_scores_, \
best_validation_score_, n_iter_, t_, n_layers_, n_outputs_, out_activation_, n_features_in_
        As in scikit-learn.
    interrupted_ : bool
        Whether Ctrl-C ended the last fit, which then leaves what was learnt.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt.models import MLPClassifier
    >>> X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    >>> model = MLPClassifier((16,), "tanh", solver="sgd", learning_rate_init=0.3, random_state=0,
    ...                       tol=0, n_iter_no_change=500, max_iter=500)
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     model.fit(X, ["no", "yes", "yes", "no"]).predict(X).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    classes_: Array

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Do one epoch more.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array_like or None, optional
            All labels there are: in the first call, unless `fit` has been called before.

        Returns
        -------
        object
            Itself.

        Raises
        ------
        ValueError
            If `classes` are missing in the first call or others in a later one, or `y` has labels
            that are none of them.
        """
        labels = None if classes is None else np.unique(classes)
        if not hasattr(self, "network_"):
            if labels is None:
                raise ValueError("partial_fit: the first call needs classes, all labels there are")
            self._all_classes = labels
        elif labels is not None and not np.array_equal(labels, self.classes_):
            raise ValueError(
                f"partial_fit: classes {labels.tolist()} are not those of the call before, "
                f"{self.classes_.tolist()}"
            )
        try:
            return super().partial_fit(X, y, sample_weight)
        finally:
            self.__dict__.pop("_all_classes", None)

    def _check_targets(self, y: Any, reset: bool, whole: bool) -> Array:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        there = np.unique(y)
        if reset:
            self.classes_ = getattr(self, "_all_classes", there)
        elif whole and not np.array_equal(there, self.classes_):
            raise ValueError(
                f"warm_start: y has the classes {there.tolist()}, "
                f"what was learnt has {self.classes_.tolist()}"
            )
        missing = np.setdiff1d(there, self.classes_)
        if missing.size:
            raise ValueError(f"y has labels that are none of the classes: {missing.tolist()}")
        encoded: Array = np.searchsorted(self.classes_, y)
        return encoded

    def _lazy_targets(self, y: Any, reset: bool, whole: bool) -> Any:
        labels = y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y
        self._check_targets(np.asarray(np.unique(labels)), reset, whole)
        if labels.ndim != 1:
            raise ValueError(f"y: expected one label for each sample, got shape {y.shape}")
        numbers = labels.map_blocks(self.classes_.searchsorted, dtype=np.int64)
        return numbers if len(self.classes_) > 2 else numbers[:, None]

    def _encoded(self, y: Array, dtype: Any) -> Array:
        if len(self.classes_) > 2:
            return np.ascontiguousarray(y, np.int64)
        return y.reshape(-1, 1).astype(dtype)

    def _output(self) -> tuple[Output, int]:
        n = len(self.classes_)
        return ("softmax", n) if n > 2 else ("sigmoid", 1)

    def _strata(self, y: Array) -> Array:
        return y

    def _score(self, x: Array, y: Array, weights: Array | None) -> float:
        return float(np.average(self._labels(self.network_._predict(x)) == y, weights=weights))

    def _labels(self, out: Array) -> Array:
        chosen: Array = out.argmax(1) if out.shape[1] > 1 else (out[:, 0] > 0.5).astype(np.intp)
        return chosen

    def predict(self, X: ArrayLike) -> Array:
        """Return the most probable label of each row of X."""
        out = self._forward(X)
        numbers: Any = self._labels(out)
        if len(self.classes_) == 1:
            numbers = np.zeros_like(numbers)
        if is_dask(numbers):
            lazy: Array = numbers.map_blocks(self.classes_.take, dtype=self.classes_.dtype)
            return lazy
        labels: Array = self.classes_[numbers]
        return labels

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of each class, for each row of X."""
        out = self._forward(X)
        return out if out.shape[1] > 1 else np.hstack([1 - out, out])

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Return the logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


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
        values: Array = y.astype(np.float64, copy=False)
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
