"""Logistic regression: checks, and which search finds the weights."""

from __future__ import annotations

import warnings
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from vekt import layers, rows, ufuncs
from vekt.models._class_weights import class_weights
from vekt.models._logistic import many_classes, newton
from vekt.models._parameters import LOGISTIC

Array = NDArray[Any]

_ufuncs: Any = ufuncs
_rows: Any = rows


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression with a squared penalty, as scikit-learn defines it.

    Parameters
    ----------
    C : float, default 1
        Inverse of the penalty's weight; `numpy.inf` for none.
    fit_intercept : bool, default True
        Whether there is a bias, which is not penalised.
    solver : {"auto", "newton", "lbfgs"}, default "auto"
        "newton" is for two classes, and reads the samples once in each of a few steps; "auto"
        takes it for up to 500 features.
    max_iter : int, default 100
        Steps at most.
    tol : float, default 1e-4
        Largest element of the gradient of the mean loss at which the search ends.
    warm_start : bool, default False
        Whether to start where the last fit ended; classes and features must be the same then.
    class_weight : dict, "balanced" or None, optional
        How much each class counts, beside `sample_weight`; classes that are not in the dict count
        1.  "balanced" makes all count alike.

    Attributes
    ----------
    classes_, coef_, intercept_, n_iter_, n_features_in_
        As in scikit-learn.

    Notes
    -----
    What scikit-learn's has and this has not: penalties but the squared one (`penalty`, `l1_ratio`),
    its other solvers, `dual`, `intercept_scaling` and `n_jobs`, and sparse X, which is a TypeError.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt.models import LogisticRegression
    >>> model = LogisticRegression().fit([[-2.0], [-1.0], [1.0], [2.0]], ["low", "low", "up", "up"])
    >>> model.predict([[-3.0], [0.5]]).tolist()
    ['low', 'up']
    """

    classes_: Array
    coef_: Array
    intercept_: Array
    n_iter_: NDArray[np.int32]
    _parameter_constraints = LOGISTIC

    def __init__(
        self,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        solver: Literal["auto", "newton", "lbfgs"] = "auto",
        max_iter: int = 100,
        tol: float = 1e-4,
        warm_start: bool = False,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from samples in the rows of X; `sample_weight` says how much each counts."""
        self._validate_params()
        again = self.warm_start and hasattr(self, "coef_")
        x, y = validate_data(self, X, y, dtype=(np.float64, np.float32), order="C", reset=not again)
        check_classification_targets(y)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"expected labels of at least 2 classes, got one class: {classes.tolist()}"
            )
        if again and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start: y has the classes {classes.tolist()}, "
                f"what was learnt has {self.classes_.tolist()}"
            )
        self.classes_ = classes
        # not unique's own inverse: its sort would take half of the time of a fit
        second = self.classes_[1]
        labels = y == second if len(self.classes_) == 2 else np.searchsorted(self.classes_, y)
        weights = np.ones(len(x))
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, x, dtype=np.float64, ensure_non_negative=True
            )
        if self.class_weight is not None:
            numbers = labels.astype(np.intp)
            weights = weights * class_weights(self.class_weight, classes, numbers, weights)[numbers]
        total = float(weights.sum())
        if not total > 0:
            raise ValueError("sample_weight, class_weight: no sample counts")
        self._search(x, labels, weights / total, 1 / (self.C * total), again)
        return self

    def _search(self, x: Array, labels: Array, weights: Array, decay: float, again: bool) -> None:
        n, classes = x.shape[1], len(self.classes_)
        two = classes == 2
        if self.solver == "newton" and not two:
            raise ValueError(f"solver 'newton' is for two classes, y has {classes}")
        quick = two and self.solver != "lbfgs" and (n <= 500 or self.solver == "newton")
        start = np.zeros((1 if quick else classes, n + 1))
        if again:
            share = np.array([[-0.5], [0.5]]) if two and not quick else 1  # of one direction
            start[:, :n] = share * self.coef_
            if self.fit_intercept:
                start[:, n:] = share * self.intercept_[:, None]
        penalty = np.full(n + 1, decay)
        penalty[n] = 0
        options = (penalty, bool(self.fit_intercept), self.max_iter, self.tol)
        if quick:
            t = labels.astype(x.dtype)
            narrow = weights.astype(x.dtype)
            w, steps, largest = newton(x, t, narrow, start[0], *options)
            w = w[None]
        else:
            options = (penalty * (2 if two else 1), *options[1:])  # two rows share one direction
            w, steps, largest = many_classes(
                x, np.ascontiguousarray(labels, np.int64), weights, start, *options
            )
        if two and not quick:
            w = w[1:] - w[:1]
        if steps >= self.max_iter and largest > self.tol:
            warnings.warn(
                f"maximum of {self.max_iter} iterations reached before convergence",
                ConvergenceWarning,
                stacklevel=3,
            )
        self.coef_, self.intercept_ = w[:, :n].astype(x.dtype), w[:, n].astype(x.dtype)
        self.n_iter_ = np.array([steps], np.int32)

    def decision_function(self, X: ArrayLike) -> Array:
        """Return the logits of the rows of X."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=(np.float64, np.float32), reset=False, order="C")
        w, b = (a.astype(x.dtype, copy=False) for a in (self.coef_, self.intercept_))
        z: Array = layers.dense(x, w.T, b)
        return z[:, 0] if len(self.classes_) == 2 else z

    def predict(self, X: ArrayLike) -> Array:
        """Return the most probable label of each row of X."""
        z = self.decision_function(X)
        chosen = (z > 0).astype(np.intp) if z.ndim == 1 else z.argmax(1)
        labels: Array = self.classes_[chosen]
        return labels

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of each class, for each row of X."""
        z = self.decision_function(X)
        if z.ndim == 1:
            return np.stack([_ufuncs.sigmoid(-z), _ufuncs.sigmoid(z)], 1)
        result: Array = _rows.softmax(z)
        return result

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Return the logarithm of `predict_proba`, exact also where that rounds to 1."""
        z = self.decision_function(X)
        if z.ndim == 1:
            return np.stack([_ufuncs.log_sigmoid(-z), _ufuncs.log_sigmoid(z)], 1)
        result: Array = _rows.log_softmax(z)
        return result
