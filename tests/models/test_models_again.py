"""Fits that go on: warm starts with every parameter changed, early stopping, labels of parts."""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")
pytest.importorskip("dask.array")

import dask.array as da
from sklearn import linear_model
from sklearn.model_selection import train_test_split

from vekt.models import LogisticRegression, MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PERCEPTRONS = [MLPClassifier, MLPRegressor]
OPTIONS = {"hidden_layer_sizes": (5,), "random_state": 1, "max_iter": 4, "warm_start": True}

RNG = np.random.default_rng(6)
X = RNG.normal(size=(120, 4))
Y = np.argmax(X[:, :2] + 0.3 * RNG.normal(size=(120, 2)), 1)
WEIGHTS = RNG.uniform(0.2, 3, 120)


def lazy(a):
    return da.from_array(a, chunks=(50, *a.shape[1:]))


WAYS = pytest.mark.parametrize("way", [np.asarray, lazy], ids=["local", "dask"])

# Every parameter of the constructor, with another value, and whether it acts on a warm fit: those
# that say how weights begin have had their say.
CHANGES = {
    "activation": ("tanh", True),
    "solver": ("sgd", True),
    "alpha": (1.0, True),
    "batch_size": (17, True),
    "learning_rate": ("invscaling", True),
    "learning_rate_init": (0.1, True),
    "power_t": (0.1, True),
    "max_fun": (3, True),
    "max_iter": (9, True),
    "shuffle": (False, True),
    "random_state": (2, True),
    "tol": (1e9, True),
    "n_iter_no_change": (1, True),
    "momentum": (0.1, True),
    "nesterovs_momentum": (False, True),
    "beta_1": (0.1, True),
    "beta_2": (0.1, True),
    "epsilon": (0.5, True),
    "early_stopping": (True, True),
    "validation_fraction": (0.4, True),
    "init": ("he", False),
    "verbose": (True, False),
    "warm_start": (False, True),
    "hidden_layer_sizes": ((6,), None),
}
NEEDS = {
    "learning_rate": {"solver": "sgd"},
    "power_t": {"solver": "sgd", "learning_rate": "invscaling"},
    "max_fun": {"solver": "lbfgs"},
    "momentum": {"solver": "sgd"},
    "nesterovs_momentum": {"solver": "sgd"},
    "shuffle": {"batch_size": 20},
    "random_state": {"batch_size": 20},
    "n_iter_no_change": {"tol": 1e9, "max_iter": 9},
    "tol": {"n_iter_no_change": 1, "max_iter": 9},
    "validation_fraction": {"early_stopping": True},
}


def test_every_parameter_is_walked():
    for kind in PERCEPTRONS:
        own = {"class_weight" if kind is MLPClassifier else "loss"}
        assert set(inspect.signature(kind).parameters) == set(CHANGES) | own


@pytest.mark.parametrize("kind", PERCEPTRONS)
@pytest.mark.parametrize("name", CHANGES)
@WAYS
def test_a_parameter_changed_between_warm_fits(kind, name, way):
    """It acts as it would on the weights there are; or it is refused, and changes nothing."""
    value, acts = CHANGES[name]
    needs = NEEDS.get(name, {})
    if way is lazy and "early_stopping" in (name, *needs):
        pytest.skip("early stopping is for arrays in memory")
    x, y = way(X), way(Y)
    options = {**OPTIONS, "n_iter_no_change": 20, **needs}
    same, changed = (kind(**options).fit(x, y) for _ in range(2))
    before = [w.copy() for w in changed.coefs_]
    changed.set_params(**{name: value})
    if acts is None:
        with pytest.raises(ValueError, match=rf"{name}: what was learnt has hidden layers of \(5,"):
            changed.fit(x, y)
        for w, b in zip(changed.coefs_, before, strict=True):
            assert_array_equal(w, b)
        return
    same.fit(x, y)
    changed.fit(x, y)
    differs = not np.array_equal(same.coefs_[0], changed.coefs_[0])
    assert differs == acts
    assert (changed.n_iter_ < len(changed.loss_curve_)) == (name != "warm_start")


@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_a_changed_activation_takes_the_weights_along(kind):
    model = kind(**OPTIONS).fit(X, Y)
    weights = [w.copy() for w in model.coefs_ + model.intercepts_]
    for activation in ("tanh", "prelu", "logistic", lambda: "gelu", "identity"):
        model.set_params(
            activation=activation if isinstance(activation, str) else activation(),
            learning_rate_init=1e-300,
            alpha=0.0,
            max_iter=1,
        )
        model.fit(X, Y)
        for w, b in zip(model.coefs_ + model.intercepts_, weights, strict=True):
            assert_array_equal(w, b)
    a, b = model.coefs_
    c, d = model.intercepts_
    z = (X @ a + c) @ b + d
    out = model.predict_proba(X)[:, 1:] if kind is MLPClassifier else model.predict(X)[:, None]
    assert_allclose(out, 1 / (1 + np.exp(-z)) if kind is MLPClassifier else z, 1e-12)


@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_partial_fits_take_changed_numbers(kind):
    model = kind(**OPTIONS).fit(X, Y)
    steps = model._optimizer.iterations
    model.set_params(learning_rate_init=1e-300).partial_fit(X, Y)
    assert model._optimizer.iterations == steps + 1  # it goes on
    before = model.coefs_[0].copy()
    model.partial_fit(X, Y)
    assert_array_equal(model.coefs_[0], before)
    model.set_params(solver="sgd", learning_rate_init=0.1).partial_fit(X, Y)
    assert not np.array_equal(model.coefs_[0], before)


@pytest.mark.parametrize("kind", PERCEPTRONS)
@pytest.mark.parametrize("first", ["f4", "f8"])
@WAYS
def test_a_warm_start_keeps_the_dtype(kind, first, way):
    second = "f8" if first == "f4" else "f4"
    model = kind(**OPTIONS).fit(way(X.astype(first)), way(Y))
    loss = model.loss_
    model.fit(way(X.astype(second)), way(Y))
    model.partial_fit(way(X.astype(second)), way(Y))
    assert model.coefs_[0].dtype == first
    assert model.loss_ < loss


@pytest.mark.parametrize("kind", PERCEPTRONS)
@WAYS
def test_other_data_in_a_warm_start(kind, way):
    """What was learnt stays, whatever is refused."""
    model = kind(**OPTIONS).fit(way(X), way(Y))
    before = model.coefs_[0].copy()
    for fit in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"X has 3 features, but MLP\w+ is expecting 4"):
            fit(way(X[:, :3]), way(Y))
    if kind is MLPClassifier:
        for other in (Y + 1, np.where(np.arange(120) < 3, 2, Y), Y * 0):
            with pytest.raises(ValueError, match=r"warm_start: y has the classes \[.*\[0, 1\]"):
                model.fit(way(X), way(other))
        with pytest.raises(ValueError, match=r"none of the classes: \[2\]"):
            model.partial_fit(way(X), way(Y + 1))
    else:
        for fit in (model.fit, model.partial_fit):
            with pytest.raises(ValueError, match="y has 2 targets, but MLPRegressor is expecting"):
                fit(way(X), way(np.stack([Y, Y], 1).astype(float)))
    assert_array_equal(model.coefs_[0], before)
    assert model.n_features_in_ == 4
    model.fit(way(X), way(Y))


# ---- early stopping ------------------------------------------------------------------------------


def held_out(model, *arrays):
    """Return the samples that a model holds out, by its own rule."""
    strata = Y if isinstance(model, MLPClassifier) else None
    rng = np.random.RandomState(model.random_state)
    parts = train_test_split(*arrays, random_state=rng, test_size=0.1, stratify=strata)
    return parts[1::2]


@pytest.mark.parametrize("kind", PERCEPTRONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("tol", [0.0, 1e-4, 0.05, 1.0])
@pytest.mark.parametrize("rate", [0.002, 0.05])
def test_the_weights_are_those_of_the_best_score(kind, weighted, tol, rate):
    """Gains below tol end the learning sooner, but none is lost; samples count as they weigh."""
    model = kind((8,), early_stopping=True, tol=tol, learning_rate_init=rate, max_iter=40)
    y = Y if kind is MLPClassifier else X @ [1.0, -2.0, 0.5, 0.1]
    model.set_params(random_state=3, n_iter_no_change=5)
    weights = [WEIGHTS] if weighted else []
    model.fit(X, y, *weights)
    assert model.best_validation_score_ == max(model.validation_scores_)
    held = held_out(model, X, y, *weights)
    assert_allclose(model.score(*held), model.best_validation_score_, 1e-12)


@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_when_it_stops(kind):
    """A gain of tol exactly counts as one, as in scikit-learn."""
    model = kind((8,), early_stopping=True, tol=0.5, n_iter_no_change=2, random_state=1)
    scores = iter([-2.0, -1.5, -1.0, -0.9, -0.8, -0.6, -0.1])
    model._score = lambda *_: next(scores)
    model.fit(X, Y)
    assert model.validation_scores_ == [-2.0, -1.5, -1.0, -0.9, -0.8, -0.6][: model.n_iter_]
    assert model.n_iter_ == 6
    assert model.best_validation_score_ == -0.6


@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_early_stopping_comes_and_goes(kind):
    model = kind(**OPTIONS)
    for stops in (False, True, True, False, True):
        model.set_params(early_stopping=stops).fit(X, Y)
        assert (model.best_loss_ is None) == stops
        assert (model.validation_scores_ is not None) == stops
        if stops:
            assert model.best_validation_score_ == max(model.validation_scores_)
            held = held_out(model, X, Y)
            assert_allclose(model.score(*held), model.best_validation_score_, 1e-12)
    assert len(model.validation_scores_) == OPTIONS["max_iter"]


def test_weights_that_leave_nothing():
    for part in (0, 1):
        parts = train_test_split(
            np.arange(120), random_state=np.random.RandomState(1), test_size=0.1, stratify=None
        )
        weight = np.ones(120)
        weight[parts[part]] = 0
        with pytest.raises(ValueError, match="no sample counts of those"):
            MLPRegressor(early_stopping=True, random_state=1).fit(X, X[:, 0], weight)


# ---- labels of partial fits ----------------------------------------------------------------------


@WAYS
def test_labels_of_partial_fits(way):
    """As in scikit-learn: all of them with the first call, the same or none later."""
    x, y = way(X), way(Y)
    model = MLPClassifier((5,), random_state=1)
    with pytest.raises(ValueError, match="first call needs classes"):
        model.partial_fit(x, y)
    model.partial_fit(x, y, classes=[2, 0, 1])
    assert_array_equal(model.classes_, [0, 1, 2])
    model.partial_fit(x, y, classes=[0, 1, 2]).partial_fit(x, y)
    before = model.coefs_[0].copy()
    for other in ([0, 1], [0, 1, 3], [0, 1, 2, 3], ["a", "b", "c"]):
        with pytest.raises(ValueError, match=r"are not those of the call before, \[0, 1, 2\]"):
            model.partial_fit(x, y, classes=other)
    with pytest.raises(ValueError, match=r"none of the classes: \[3\]"):
        model.partial_fit(x, y + 2)
    assert_array_equal(model.coefs_[0], before)
    fitted = MLPClassifier((5,), max_iter=2).fit(x, y)
    fitted.partial_fit(x, y).partial_fit(x, y, classes=[0, 1])


# ---- logistic regression -------------------------------------------------------------------------

LOGISTIC = {
    "C": (0.01, 1.0),
    "fit_intercept": (False, True),
    "solver": ("lbfgs", "newton"),
    "max_iter": (50, 40),
    "tol": (1e-8, 1e-7),
    "warm_start": (False, True),
    "class_weight": (None, {0: 2.0, 1: 0.5}),
}


def test_every_parameter_of_logistic_regression_is_walked():
    assert set(inspect.signature(LogisticRegression).parameters) == set(LOGISTIC)


@pytest.mark.parametrize("name", LOGISTIC)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_logistic_regression_from_where_it_was(name, dtype):
    """The minimum does not depend on where the search began."""
    first, second = LOGISTIC[name]
    x = (X + 0.5).astype(dtype)
    for before, after in ((first, second), (second, first)):
        model = LogisticRegression(**{"warm_start": True, "tol": 1e-6, name: before}).fit(X + 1, Y)
        model.set_params(**{name: after}).fit(x, Y)
        theirs = linear_model.LogisticRegression(
            C=model.C,
            fit_intercept=model.fit_intercept,
            class_weight=model.class_weight,
            tol=1e-8,
            max_iter=1000,
        ).fit(x.astype("f8"), Y)
        assert_allclose(model.coef_, theirs.coef_, 2e-3, 1e-4)
        assert_allclose(model.intercept_, theirs.intercept_, 2e-3, 1e-3)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("solver", ["auto", "lbfgs"])
def test_a_warm_start_is_warm(classes, solver):
    y = np.argmax(X[:, :classes] + 0.3 * np.sin(X[:, -classes:] * 9), 1)
    model = LogisticRegression(warm_start=True, tol=1e-5, solver=solver).fit(X, y)
    assert model.n_iter_[0] > 1
    assert model.fit(X, y).n_iter_[0] <= 1
    with pytest.raises(ValueError, match="X has 3 features"):
        model.fit(X[:, :3], y)
    with pytest.raises(ValueError, match="warm_start: y has the classes"):
        model.fit(X, y + 1)
    assert model.coef_.shape[1] == model.n_features_in_ == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(warm_start=False).fit(X[:, :3], y + 1)
