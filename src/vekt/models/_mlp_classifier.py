"""Multi-layer perceptron for classes: what targets, outputs and scores are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from vekt._core.axes import is_dask
from vekt._spec.layer_activation import Activation
from vekt.models._class_weights import checked, class_weights
from vekt.models._mlp import BaseMLP, for_epochs
from vekt.models._parameters import CLASSIFIER
from vekt.models._training import Rates, Solver
from vekt.network import Initial, Output

Array = NDArray[Any]
Weights = dict[Any, float] | list[dict[Any, float]] | Literal["balanced"] | None


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Network that tells classes: sigmoid for two or for many labels a sample, softmax for more.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, \
power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, \
early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As in scikit-learn, with its defaults.  `activation` is any of vekt's too, "prelu" learns
        its slopes; solvers are "sgd", "adam", "adamw", "rmsprop", and SciPy's "lbfgs", which wants
        all samples at once.  `learning_rate` is the schedule of "sgd": "constant", "invscaling" or
        "adaptive".
    init : {"glorot", "he", "rand"}, default "glorot"
        Initial weights.
    class_weight : dict, "balanced", list of dict, or None, optional
        How much each class counts, beside `sample_weight`; classes that are not in the dict count
        1.  "balanced" makes all count alike.  Of targets with many labels it is a list with a dict
        for each column, or "balanced", and a sample counts the product of what its labels do, as in
        scikit-learn's trees.

    Notes
    -----
    Targets are one label for each sample or, for samples that have none, one or many of the labels,
    a matrix of 0 and 1 with a column for each label.

    What scikit-learn's has and this has not: sparse X and y, which are a TypeError.  What this has
    and scikit-learn's has not: `class_weight`, `init`, the other solvers and activations, Dask
    arrays (without `sample_weight`, `class_weight` and `early_stopping`).

    "lbfgs" has no `partial_fit`, and `early_stopping` does nothing, as in scikit-learn;
    `loss_curve_` has the loss after each iteration.

    With `warm_start`, `fit` goes on with the weights there are, in their dtype, by what the
    parameters say now: another solver, rate or activation holds from there on, and the optimiser
    begins anew, as in scikit-learn.  Other classes, features or `hidden_layer_sizes` are a
    ValueError.  Between calls of `partial_fit` the optimiser keeps what it remembers, and takes
    changed numbers.  With `early_stopping`, the weights are those of the best score of the samples
    held out, weighted by `sample_weight`; over fits of a warm start, of the best of all.

    Attributes
    ----------
    classes_ : ndarray
        The labels, in order; of targets with many labels the numbers of the columns.
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
    _multilabel = False
    _parameter_constraints = CLASSIFIER
    _what_weighs = "sample_weight, class_weight"

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
        class_weight: Weights = None,
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
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that a sample may have many labels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @for_epochs
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
            All labels there are: in the first call, unless `fit` has been called before, or y is a
            matrix with a column for each label.

        Returns
        -------
        object
            Itself.

        Raises
        ------
        ValueError
            If `classes` are missing in the first call or others in a later one, `y` has labels
            that are none of them, or `class_weight` is "balanced": a part does not tell the share
            of each class.
        """
        labels = None if classes is None else np.unique(classes)
        if not hasattr(self, "network_"):
            if labels is None and np.ndim(y) == 2 and np.shape(y)[1] > 1:
                labels = np.arange(np.shape(y)[1])
            if labels is None:
                raise ValueError("partial_fit: the first call needs classes, all labels there are")
            self._all_classes = labels
        elif labels is not None and not np.array_equal(labels, self.classes_):
            raise ValueError(
                f"partial_fit: classes {labels.tolist()} are not those of the call before, "
                f"{self.classes_.tolist()}"
            )
        try:
            super().partial_fit(X, y, sample_weight)
        finally:
            self.__dict__.pop("_all_classes", None)
        return self

    def _check_targets(self, y: Any, reset: bool, whole: bool) -> Array:
        if issparse(y):
            raise TypeError("y: sparse targets are not supported; pass y.toarray()")
        if y.ndim == 2 and y.shape[1] > 1:
            return self._check_matrix(y, reset)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        there = np.unique(y)
        self._set_multilabel(False, reset, "one label for each sample")
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

    def _check_matrix(self, y: Array, reset: bool) -> Array:
        """Check targets with a column for each label."""
        kind = type_of_target(y, input_name="y")
        if kind != "multilabel-indicator" or not ((y == 0) | (y == 1)).all():
            raise ValueError(
                "y: expected one label for each sample, or a matrix of 0 and 1 with a column for "
                f"each label, got {kind} targets of shape {y.shape}"
            )
        columns = y.shape[1]
        self._set_multilabel(True, reset, f"{columns} columns of labels")
        expected = len(getattr(self, "_all_classes", y[0] if reset else self.classes_))
        if columns != expected:
            raise ValueError(f"y has {columns} columns of labels, expected {expected}")
        self.classes_ = np.arange(columns)
        return y

    def _set_multilabel(self, multilabel: bool, reset: bool, what: str) -> None:
        if not reset and multilabel != self._multilabel:
            raise ValueError(f"y has {what}, unlike the targets that were learnt")
        self._multilabel = multilabel

    def _weighed(self, y: Array, weights: Array | None, whole: bool) -> Array | None:
        if self.class_weight is None:
            return weights
        if not whole and self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not for partial_fit, which sees a part of the samples: "
                "give the weights that compute_class_weight finds for all of them"
            )
        if self._multilabel:
            listed = isinstance(self.class_weight, list)
            if listed and not all(isinstance(each, dict) for each in self.class_weight):
                raise ValueError(f"class_weight: expected a list of dicts, got {self.class_weight}")
            counts = checked(compute_sample_weight(self.class_weight, y), self.class_weight)
        elif isinstance(self.class_weight, list):
            raise ValueError("class_weight: a list of dicts is for a matrix of labels")
        else:
            counts = class_weights(self.class_weight, self.classes_, y, weights)[y]
        found: Array = counts if weights is None else counts * weights
        return found

    def _lazy_targets(self, y: Any, reset: bool, whole: bool) -> Any:
        if y.ndim == 2 and y.shape[1] > 1:
            good = bool(((y == 0) | (y == 1)).all())
            self._check_matrix(np.full((1, y.shape[1]), 0 if good else 2), reset)
            return y
        labels = y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y
        self._check_targets(np.asarray(np.unique(labels)), reset, whole)
        numbers = labels.map_blocks(self.classes_.searchsorted, dtype=np.int64)
        return numbers if len(self.classes_) > 2 else numbers[:, None]

    def _encoded(self, y: Array, dtype: Any) -> Array:
        if self._multilabel or len(self.classes_) <= 2:
            return np.ascontiguousarray(y.reshape(len(y), -1), dtype)
        return np.ascontiguousarray(y, np.int64)

    def _output(self) -> tuple[Output, int]:
        n = len(self.classes_)
        if self._multilabel:
            return "sigmoid", n
        return ("softmax", n) if n > 2 else ("sigmoid", 1)

    def _strata(self, y: Array) -> Array | None:
        return y if self._output() == ("sigmoid", 1) else None  # as scikit-learn does

    def _score(self, x: Array, y: Array, weights: Array | None) -> float:
        right = self._labels(self.network_._predict(x)) == y
        return float(np.average(right.all(1) if right.ndim > 1 else right, weights=weights))

    def _labels(self, out: Array) -> Array:
        if self._multilabel:
            return (out > 0.5).astype(np.intp)
        chosen: Array = out.argmax(1) if out.shape[1] > 1 else (out[:, 0] > 0.5).astype(np.intp)
        return chosen

    def predict(self, X: ArrayLike) -> Array:
        """Return the most probable label of each row of X, or 1 for each label it has and 0."""
        out = self._forward(X)
        numbers: Any = self._labels(out)
        if self._multilabel:
            result: Array = numbers
            return result
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
