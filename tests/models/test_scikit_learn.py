"""Beside scikit-learn's own: the same weights, losses and scores, epoch by epoch, on its data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")

from estimators import CLASSES, DATA, RECENT, fitted
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from vekt.models import MLPClassifier, MLPRegressor

pytestmark = [
    RECENT,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


def pair(name: str, dtype: Any = float, **options: Any) -> tuple[Any, Any, Any, Any]:
    """Return vekt's and scikit-learn's, of the same initial weights, and the data."""
    x, y = DATA[name]
    options = {
        "hidden_layer_sizes": (7, 5),
        "shuffle": False,
        "random_state": 3,
        "epsilon": 1e-14,
        **options,
    }
    kind = "MLPClassifier" if name in CLASSES else "MLPRegressor"
    if name == "counts":
        options["loss"] = "poisson"
    own = MLPClassifier if name in CLASSES else MLPRegressor
    first = {"max_iter": 1, "warm_start": True, "solver": "adam", "early_stopping": False}
    ours = own(**{**options, **first}).fit(x.astype(dtype), y)
    theirs = getattr(neural_network, kind)(**{**options, **first}).fit(x.astype(dtype), y)
    for p, w, b in zip(range(len(ours.coefs_)), theirs.coefs_, theirs.intercepts_, strict=True):
        ours.network_.W[p][...], ours.network_.b[p][:, 0] = w.T, b
    for model in (ours, theirs):
        model.best_loss_ = np.inf
        model.set_params(**{"solver": "adam", "early_stopping": False, **options})
        model.loss_curve_ = []
        if options.get("early_stopping"):
            model.best_loss_, model.validation_scores_ = None, []
            model.best_validation_score_ = -np.inf
    return ours, theirs, x.astype(dtype), y


def assert_same(ours: Any, theirs: Any, x: Any) -> None:
    """Adam divides what little a gradient has by its root; a search follows its roundings."""
    tolerance = 1e-9 if ours.solver == "sgd" else 2e-6
    for a, b in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        assert_allclose(a, b, tolerance, tolerance)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.out_activation_ == theirs.out_activation_
    if hasattr(theirs, "classes_"):
        assert_array_equal(ours.predict(x), theirs.predict(x))
        assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), tolerance, tolerance)
        for method in ("predict", "predict_proba"):
            mine, other = getattr(ours, method)(x), getattr(theirs, method)(x)
            assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
    else:
        assert_allclose(ours.predict(x), theirs.predict(x), 10 * tolerance, 10 * tolerance)


RATES = {
    "constant": {"momentum": 0.0},
    "nesterov": {},
    "momentum": {"nesterovs_momentum": False},
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.2},
    "adaptive": {"learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.02},
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("rate", [*RATES, "adam"])
def test_epochs(name: str, rate: str) -> None:
    """Weights, losses and epochs are theirs, the number of epochs until it stops too."""
    options: dict[str, Any] = {"batch_size": 53, "alpha": 0.3, "max_iter": 12}
    if rate != "adam":
        options |= {"solver": "sgd", "learning_rate_init": 0.05, **RATES[rate]}
    if rate == "adaptive":
        options["max_iter"] = 60
        if name == "pairs":
            options["tol"] = 10.0  # never enough: their loss is the mean
    ours, theirs, x, y = pair(name, activation="tanh", **options)
    fitted((ours, theirs), x, y)
    assert_same(ours, theirs, x)
    if name != "pairs":
        assert_allclose(ours.loss_curve_, theirs.loss_curve_, 1e-6)
        assert_allclose([ours.loss_, ours.best_loss_], [theirs.loss_, theirs.best_loss_], 1e-6)
    assert ours.t_ == theirs.t_
    if rate != "adam":
        assert ours._optimizer.lr == pytest.approx(theirs._optimizer.learning_rate, rel=1e-12)
    if rate == "adaptive":
        assert ours._optimizer.lr < 0.05


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("name", ["iris", "labels", "numbers"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_activations_and_dtypes(activation: str, name: str, dtype: str) -> None:
    ours, theirs, x, y = pair(name, dtype, activation=activation, max_iter=8)
    fitted((ours, theirs), x, y)
    tolerance = 2e-4 if dtype == "f4" else 1e-9
    if dtype == "f8":
        assert_same(ours, theirs, x)
    else:
        for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
            assert a.dtype == b.dtype == dtype
            assert_allclose(a, b, tolerance, tolerance)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, max(tolerance, 1e-6))


@pytest.mark.parametrize(
    ("name", "solver"),
    [
        (name, solver)
        for name in DATA
        for solver in ("sgd", "adam", "lbfgs")
        if (name, solver) != ("pairs", "lbfgs")  # whose losses are not those of their gradients
    ],
)
def test_weights_of_samples(name: str, solver: str) -> None:
    x, y = DATA[name]
    weights = np.random.default_rng(5).integers(0, 4, len(x)).astype(float)
    options = {"solver": solver, "max_iter": 6, "batch_size": len(x), "alpha": 0.1}
    ours, theirs, x, y = pair(name, activation="tanh", **options)
    fitted((ours, theirs), x, y, weights)
    assert_same(ours, theirs, x)
    if name != "pairs":
        assert_allclose(ours.loss_, theirs.loss_, 1e-8)


@pytest.mark.parametrize("name", [name for name in DATA if name != "pairs"])
def test_the_search_of_lbfgs(name: str) -> None:
    """The same path at first, and as low a minimum."""
    ours, theirs, x, y = pair(name, activation="tanh", solver="lbfgs", max_iter=10, alpha=0.1)
    fitted((ours, theirs), x, y)
    assert_same(ours, theirs, x)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-8)
    assert len(ours.loss_curve_) == ours.n_iter_
    assert np.all(np.diff(ours.loss_curve_) <= 0)
    for model in (ours, theirs):
        model.set_params(max_iter=60, alpha=1.0)
    fitted((ours, theirs), x, y)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=0.03)
    assert not hasattr(ours, "partial_fit")
    with pytest.warns(ConvergenceWarning, match=r"ended before convergence.*max_iter is 1,"):
        ours.set_params(max_iter=1, warm_start=False).fit(x, y)


@pytest.mark.parametrize("name", ["breast cancer", "iris", "labels", "numbers"])
@pytest.mark.parametrize("weighted", [False, True])
def test_early_stopping(name: str, weighted: bool) -> None:
    """The same samples held out, the same scores, the same end."""
    options = {"early_stopping": True, "n_iter_no_change": 3, "validation_fraction": 0.2}
    size = len(DATA[name][0])
    weights = [np.random.default_rng(5).uniform(0.5, 2, size)] if weighted else []
    ours, theirs, x, y = pair(name, learning_rate_init=0.02, batch_size=60, **options)
    fitted((ours, theirs), x, y, *weights)
    assert_allclose(ours.validation_scores_, theirs.validation_scores_, 1e-9)
    assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_)
    assert ours.best_loss_ is theirs.best_loss_ is None
    assert_same(ours, theirs, x)
    assert ours.n_iter_ < 200


@pytest.mark.parametrize("rate", RATES)
def test_parts(rate: str) -> None:
    """Rates fall between calls of partial_fit, as in one fit."""
    options = {"solver": "sgd", "learning_rate_init": 0.05, **RATES[rate]}
    if rate == "adaptive":
        options |= {"tol": 10.0}
    ours, theirs, x, y = pair("iris", activation="tanh", **options)
    del theirs._optimizer  # of the first epoch, which was Adam's
    theirs._no_improvement_count = 0
    for _ in range(9):
        for model in (ours, theirs):
            model.partial_fit(x, y)
        assert ours._optimizer.lr == pytest.approx(theirs._optimizer.learning_rate, rel=1e-12)
    assert_same(ours, theirs, x)
    assert_allclose(ours.loss_curve_, theirs.loss_curve_, 1e-9)
    assert (ours._optimizer.lr < 0.05) == (rate in ("invscaling", "adaptive"))


# ---- from their own initial weights --------------------------------------------------------------

RIGHT = {"iris": 0.93, "breast cancer": 0.94, "digits": 0.9, "labels": 0.85}


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("name", CLASSES)
def test_accuracy(name: str, solver: str) -> None:
    x, y = DATA[name]
    train, test, y_train, y_test = train_test_split(x, y, random_state=0)
    options = {"hidden_layer_sizes": (24,), "solver": solver, "random_state": 0, "max_iter": 200}
    if solver == "sgd":
        options |= {"learning_rate_init": 0.05, "learning_rate": "adaptive"}
    if solver == "adam":
        options["learning_rate_init"] = 0.01
    if solver == "lbfgs":
        options |= {"alpha": 1.0, "max_iter": 100}
    ours = MLPClassifier(**options)
    theirs = neural_network.MLPClassifier(**options)
    fitted((ours, theirs), train, y_train)
    score, other = ours.score(test, y_test), theirs.score(test, y_test)
    assert score >= RIGHT[name]
    assert score >= other - 0.03
    assert ours.loss_ <= max(1.5 * theirs.loss_, 0.02)
