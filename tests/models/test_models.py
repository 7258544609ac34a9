"""The estimators: scikit-learn's own checks, its tools, real data, stopping, errors of use."""

from __future__ import annotations

import doctest
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")

from sklearn import linear_model
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vekt import models
from vekt.models import LogisticRegression, MLPClassifier, MLPRegressor, _progress

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PERCEPTRONS = [MLPClassifier, MLPRegressor]


@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_a_weight_of_two_is_a_sample_twice(kind):
    """Penalty included, where one batch holds them all."""
    x, y = data()
    options = {"hidden_layer_sizes": (5,), "max_iter": 15, "random_state": 1, "alpha": 0.5}
    weight = np.arange(len(x)) % 3
    weighted = kind(**options, batch_size=len(x)).fit(x, y, weight)
    repeated = kind(**options, batch_size=weight.sum())
    repeated.fit(np.repeat(x, weight, 0), np.repeat(y, weight))
    assert_allclose(weighted.coefs_[0], repeated.coefs_[0], 1e-9, 1e-10)
    assert_allclose(weighted.loss_curve_, repeated.loss_curve_, 1e-9)


def data(classes=2, m=120, n=4):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(m, n))
    y = np.argmax(x[:, :classes] + 0.3 * rng.normal(size=(m, classes)), 1)
    return x, y


class TestLogisticRegression:
    @pytest.mark.parametrize("classes", [2, 3])
    @pytest.mark.parametrize("options", [{}, {"C": 0.05}, {"fit_intercept": False}])
    @pytest.mark.parametrize("solver", ["auto", "lbfgs"])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_scikit_learns_coefficients(self, classes, options, solver, weighted):
        x, y = data(classes)
        w = np.linspace(0.2, 2, len(x)) if weighted else None
        ours = LogisticRegression(**options, solver=solver, tol=1e-9, max_iter=1000).fit(x, y, w)
        theirs = linear_model.LogisticRegression(**options, tol=1e-9, max_iter=1000).fit(x, y, w)
        assert_allclose(ours.coef_, theirs.coef_, 1e-4, 1e-5)
        assert_allclose(ours.intercept_, theirs.intercept_, 1e-4, 1e-5)
        assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), 1e-4, 1e-6)
        assert_allclose(ours.predict_log_proba(x), np.log(ours.predict_proba(x)), 1e-9)

    @pytest.mark.parametrize("order", ["random", "sorted"])
    def test_many_samples(self, order):
        """A part of them tells where to begin; the minimum is that of all."""
        rng = np.random.default_rng(2)
        x = rng.normal(size=(140_000, 3))
        y = x @ [1.0, -2.0, 0.5] + 0.3 + rng.logistic(size=len(x)) > 0
        if order == "sorted":
            x, y = x[np.argsort(y)], np.sort(y)
        model = LogisticRegression(tol=1e-9).fit(x, y)
        z = x @ model.coef_[0] + model.intercept_[0]
        d = (1 / (1 + np.exp(-z)) - y) / len(x)
        assert_allclose(x.T @ d + model.coef_[0] / len(x), 0, atol=1e-9)
        assert abs(d.sum()) < 1e-9
        assert model.n_iter_[0] < 20

    def test_float32(self):
        x, y = data()
        narrow = LogisticRegression().fit(x.astype("f4"), y)
        assert narrow.coef_.dtype == narrow.predict_proba(x.astype("f4")).dtype == "f4"
        assert_allclose(narrow.coef_, LogisticRegression().fit(x, y).coef_, 1e-3)

    def test_separable_data_without_a_penalty(self):
        x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
        model = LogisticRegression(C=np.inf, max_iter=50).fit(x, [0, 0, 1, 1])
        assert model.score(x, [0, 0, 1, 1]) == 1
        assert np.isfinite(model.coef_).all()

    def test_warm_start_and_limit(self):
        x, y = data()
        model = LogisticRegression(max_iter=1, warm_start=True, tol=1e-12)
        with pytest.warns(ConvergenceWarning, match="maximum of 1 iterations"):
            model.fit(x, y)
        first = model.coef_
        for _ in range(6):
            model.fit(x, y)
        best = LogisticRegression(tol=1e-12).fit(x, y).coef_
        assert np.abs(first - best).max() > 0.1
        assert_allclose(model.coef_, best, 1e-8)

    def test_breast_cancer(self):
        x, y = load_breast_cancer(return_X_y=True)
        train, test, y_train, y_test = train_test_split(x, y, random_state=0, stratify=y)
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train, y_train)
        assert model.score(test, y_test) >= 0.95

    def test_errors_of_use(self):
        x, y = data(3)
        for options, match in (({"solver": "newton"}, "two classes, y has 3"),):
            with pytest.raises(ValueError, match=match):
                LogisticRegression(**options).fit(x, y)


def test_digits():
    x, y = load_digits(return_X_y=True)
    train, test, y_train, y_test = train_test_split(x / 16, y, random_state=0, stratify=y)
    model = MLPClassifier((128, 64), batch_size=32, max_iter=60, random_state=0)
    model.fit(train.astype("f4"), y_train)
    assert model.score(test.astype("f4"), y_test) >= 0.97
    assert model.coefs_[0].shape == (64, 128)
    assert model.coefs_[0].dtype == "f4"
    assert_allclose(model.predict_proba(test).sum(1), 1, 1e-6)


def test_diabetes():
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()
    train, test, y_train, y_test = train_test_split(x, y, random_state=0)
    model = MLPRegressor((16,), activation="tanh", alpha=1.0, random_state=0).fit(train, y_train)
    assert model.score(test, y_test) > 0.3


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [-5, 7], ["a", "b", "c"]])
def test_any_labels(labels):
    x, y = data(len(labels))
    named = np.array(labels)[y]
    model = MLPClassifier((8,), learning_rate_init=0.05, max_iter=30, random_state=1).fit(x, named)
    assert_array_equal(model.classes_, np.array(labels))
    assert set(model.predict(x)) <= set(labels)
    assert model.score(x, named) > 0.7
    plain = MLPClassifier((8,), learning_rate_init=0.05, max_iter=30, random_state=1).fit(x, y)
    assert_array_equal(plain.predict_proba(x), model.predict_proba(x))
    assert_allclose(np.exp(model.predict_log_proba(x)), model.predict_proba(x), 1e-12)


@pytest.mark.parametrize("kind", PERCEPTRONS)
@pytest.mark.parametrize(
    "options",
    [
        {"solver": "sgd"},
        {"solver": "sgd", "momentum": 0, "nesterovs_momentum": False, "batch_size": 16},
        {"solver": "rmsprop", "activation": "logistic"},
        {"solver": "adamw", "activation": "prelu", "hidden_layer_sizes": (8, 4)},
        {"activation": "gelu", "init": "he", "shuffle": False},
        {"activation": "identity", "hidden_layer_sizes": []},
    ],
)
def test_options(kind, options):
    x, y = data()
    model = kind(**{"hidden_layer_sizes": 8, "max_iter": 40, **options}, random_state=1)
    model.set_params(learning_rate_init=0.02).fit(x, y)
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert len(model.loss_curve_) == model.n_iter_ == 40
    again = clone(model).fit(x, y)
    assert_array_equal(again.predict(x), model.predict(x))


def test_grid_search_in_processes():
    x, y = data()
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=10, random_state=0))
    grid = {"mlpclassifier__hidden_layer_sizes": [(4,), (8, 4)], "mlpclassifier__alpha": [0, 1]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(x, y)
    assert search.best_score_ > 0.5


@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_pickle_goes_on(kind):
    x, y = data()
    model = kind((5,), random_state=1, max_iter=1).fit(x, y)
    for _ in range(2):
        model.partial_fit(x, y)
    other = pickle.loads(pickle.dumps(model))
    for one in (model, other):
        one.partial_fit(x, y)
    assert_array_equal(model.predict(x), other.predict(x))
    assert len(other.loss_curve_) == 4


def test_partial_fit_of_classes():
    x, y = data(3)
    model = MLPClassifier((5,), random_state=1)
    model.partial_fit(x[y < 2], y[y < 2], classes=[0, 1, 2])
    model.partial_fit(x, y)
    assert model.predict_proba(x).shape == (len(x), 3)
    with pytest.raises(ValueError, match=r"none of the classes: \[3\]"):
        model.partial_fit(x, y + 1)
    with pytest.raises(ValueError, match="early_stopping"):
        MLPClassifier(early_stopping=True).partial_fit(x, y, classes=[0, 1, 2])


def test_warm_start():
    x, y = data()
    options = {"hidden_layer_sizes": (5,), "random_state": 1, "max_iter": 10}
    warm, cold = MLPClassifier(**options, warm_start=True), MLPClassifier(**options)
    for model in (warm, cold):
        model.fit(x, y).fit(x, y)
    assert len(warm.loss_curve_) == 20
    assert len(cold.loss_curve_) == 10
    assert warm.loss_ < cold.loss_


def test_early_stopping_keeps_the_best():
    x, y = data(3, 300)
    options = {"learning_rate_init": 0.1, "n_iter_no_change": 4, "random_state": 3}
    model = MLPClassifier((16,), early_stopping=True, **options).fit(x, y)
    assert model.n_iter_ < 200
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None
    regressor = MLPRegressor((16,), early_stopping=True, **options).fit(x, x[:, 0])
    assert regressor.best_validation_score_ > 0.9


def test_sample_weight():
    x, y = data(2, 200)
    wrong = y.copy()
    wrong[:100] = 1 - y[:100]
    weight = np.where(np.arange(200) < 100, 0.0, 1.0)
    options = {"learning_rate_init": 0.05, "max_iter": 60, "random_state": 1}
    model = MLPClassifier((8,), **options).fit(x, wrong, weight)
    assert model.score(x, y) > 0.8
    target = np.where(weight > 0, x[:, 0], -x[:, 0])
    regressor = MLPRegressor((8,), **options).fit(x, target, weight)
    assert regressor.score(x, x[:, 0]) > 0.8
    for bad in (-weight, 0 * weight):
        with pytest.raises(ValueError, match=r"weight"):
            MLPClassifier().fit(x, y, bad)


def test_many_targets():
    x, _ = data()
    y = np.stack([x[:, 0] + x[:, 1], x[:, 2] * x[:, 3]], 1)
    model = MLPRegressor((32,), learning_rate_init=0.02, random_state=0).fit(x, y)
    assert model.predict(x).shape == y.shape
    assert model.score(x, y) > 0.8
    assert model.out_activation_ == "identity"


def test_verbose_shows_a_bar(capsys):
    x, y = data()
    MLPClassifier((4,), max_iter=3, verbose=True).fit(x, y)
    shown = capsys.readouterr()
    assert "epoch 3/3, loss" in shown.err
    assert shown.err.endswith("\n")
    MLPClassifier((4,), max_iter=3).fit(x, y)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_interrupt(monkeypatch, solver):
    def show(self, done, loss, score=None):
        if done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(_progress.Progress, "show", show)
    x, y = data()
    model = MLPClassifier((4,), random_state=0, solver=solver)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(x, y)
    assert model.interrupted_
    assert len(model.loss_curve_) == 3
    assert model.predict(x).shape == y.shape


def test_errors_of_use():
    x, y = data()
    for options, match in (
        ({"activation": "no_such"}, "activation"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes.*ints"),
        ({"hidden_layer_sizes": ("a",)}, "hidden_layer_sizes.*ints"),
    ):
        for kind in PERCEPTRONS:
            with pytest.raises(ValueError, match=match):
                kind(**options).fit(x, y)
    MLPClassifier((2,), n_iter_no_change=np.inf, max_iter=2, batch_size=np.int8(9)).fit(x, y)
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(x)
    with pytest.raises(ValueError, match="NaN"):
        MLPClassifier().fit(x * np.nan, y)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="scale the features"):
        MLPRegressor(solver="lbfgs").fit(x * 1e200, y)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="lower learning_rate_init"):
        MLPRegressor(solver="sgd", learning_rate_init=1e200).fit(x, y)


BAD = {
    "C": (0, -1, np.nan),
    "alpha": (-1, np.inf, np.nan),
    "batch_size": (0, 2.5, "all"),
    "beta_1": (-0.1, 1.0),
    "beta_2": (-0.1, 1.0),
    "epsilon": (0, -1, np.inf),
    "hidden_layer_sizes": (0, 2.5),
    "init": ("zeros",),
    "class_weight": ("even", 2.0),
    "learning_rate": ("falling", 0.1),
    "loss": ("absolute_error",),
    "learning_rate_init": (0, -1, np.inf, np.nan),
    "max_fun": (0, 2.5),
    "power_t": (-1, np.inf, np.nan),
    "max_iter": (0, -1, 2.5),
    "momentum": (-0.1, 1.0),
    "n_iter_no_change": (0, 2.5),
    "solver": ("saga",),
    "tol": (-1, np.nan),
    "validation_fraction": (0.0, 1.0),
}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind in (LogisticRegression, *PERCEPTRONS)
        for name in kind().get_params()
        if name != "activation"
    ],
)
def test_parameters_out_of_range_are_named(kind, name):
    x, y = data()
    for value in (*BAD.get(name, ()), "no such", {}, None):
        if value in (None, {}) and name in ("random_state", "class_weight"):
            continue
        match = f"'{name}' parameter of {kind.__name__} must be .*Got"
        with pytest.raises(ValueError, match=match):
            kind(**{name: value}).fit(x, y)
        if hasattr(kind, "partial_fit"):
            with pytest.raises(TypeError, match=match):
                kind(**{name: value}).partial_fit(x, y, **classes_for(kind, y))


def classes_for(kind, y):
    return {"classes": np.unique(y)} if kind is MLPClassifier else {}


@pytest.mark.filterwarnings("ignore:maximum of 3 iterations")
@pytest.mark.parametrize("kind", PERCEPTRONS)
def test_a_partial_fit_is_one_iteration(kind):
    x, y = data()
    model = kind((2,), max_iter=3, tol=0.0)
    for _ in range(2):
        assert model.partial_fit(x, y, **classes_for(kind, y)).n_iter_ == 1
    assert model.fit(x, y).n_iter_ == 3
    assert model.partial_fit(x, y).n_iter_ == 1


def test_examples():
    assert doctest.testmod(models).failed == 0
