"""Targets: classes that count more, many labels for a sample, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")

from estimators import DATA, IRIS, LABELS, RECENT, fitted
from scipy import sparse
from sklearn import linear_model
from sklearn.utils.class_weight import compute_class_weight

from vekt.models import LogisticRegression, MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WEIGHTS = {
    "breast cancer": ["balanced", {0: 5.0, 1: 0.5}, {1: 3.0}, {0: 2, 1: 1, 7: 4}],
    "iris": ["balanced", {0: 1.0, 1: 4.0, 2: 0.0}, {1: 3.0}],
}


@RECENT
@pytest.mark.parametrize(
    ("name", "weight"), [(name, each) for name, many in WEIGHTS.items() for each in many], ids=str
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", ["auto", "lbfgs"])
def test_class_weights_of_logistic_regression(
    name: str, weight: Any, weighted: bool, solver: str
) -> None:
    x, y = DATA[name]
    given = [np.random.default_rng(5).uniform(0, 2, len(x))] if weighted else []
    rare = y != 0
    rare[::3] = True
    options = {"class_weight": weight, "tol": 1e-6, "max_iter": 2000, "C": 0.02}
    ours = LogisticRegression(solver=solver, **options)
    theirs = linear_model.LogisticRegression(**options)
    fitted((ours, theirs), x[rare], y[rare], *[w[rare] for w in given])
    assert_allclose(ours.coef_, theirs.coef_, 1e-3, 1e-4)
    assert_allclose(ours.intercept_, theirs.intercept_, 1e-3, 1e-4)


@RECENT
@pytest.mark.parametrize(
    ("name", "weight"), [(name, each) for name, many in WEIGHTS.items() for each in many], ids=str
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights_are_weights_of_samples(
    name: str, weight: Any, solver: str, weighted: bool
) -> None:
    x, y = DATA[name]
    given = np.random.default_rng(5).uniform(0, 2, len(x)) if weighted else np.ones(len(x))
    of_class = compute_class_weight(weight, classes=np.unique(y), y=y, sample_weight=given)
    options = {"hidden_layer_sizes": (5,), "solver": solver, "max_iter": 5, "random_state": 1}
    ours = MLPClassifier(class_weight=weight, **options)
    plain = MLPClassifier(**options)
    fitted((ours,), x, y, *([given] if weighted else []))
    fitted((plain,), x, y, given * of_class[y])
    for a, b in zip(ours.coefs_, plain.coefs_, strict=True):
        assert_allclose(a, b, 1e-10, 1e-12)
    if isinstance(weight, dict):
        fitted((ours.set_params(early_stopping=solver == "adam"),), x, y)
        parts = [MLPClassifier(class_weight=weight, **options), MLPClassifier(**options)]
        if solver == "adam":
            parts[0].partial_fit(x, y, classes=np.unique(y))
            parts[1].partial_fit(x, y, of_class[y], classes=np.unique(y))
            assert_allclose(parts[0].coefs_[0], parts[1].coefs_[0], 1e-10, 1e-12)


def test_class_weights_turn_the_balance() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-0.5, 1, (300, 2)), rng.normal(0.5, 1, (20, 2))])
    y = np.repeat(["many", "rare"], [300, 20])
    for kind in (LogisticRegression, MLPClassifier):
        options = {} if kind is LogisticRegression else {"random_state": 0}
        plain = kind(**options).fit(x, y)
        even = kind(class_weight="balanced", **options).fit(x, y)
        found = [float(np.mean(m.predict(x[y == "rare"]) == "rare")) for m in (plain, even)]
        assert found[0] < 0.5
        assert found[1] > max(0.5, found[0] + 0.2)


@pytest.mark.parametrize("kind", [LogisticRegression, MLPClassifier])
def test_class_weights_that_are_none(kind: Any) -> None:
    x, y = DATA["iris"]
    for wrong, match in (
        ({0: 1.0, 5: 2.0}, r"\[5\] are none of the classes, and \[1, 2\] have no weight"),
        ({0: -1.0}, "none negative"),
        ({0: np.nan}, "finite"),
        ({0: "a"}, "class_weight: expected finite numbers"),
        ({0: None}, "class_weight: expected finite numbers"),
        ({0: 0, 1: 0, 2: 0}, "no sample counts"),
        ("even", "class_weight"),
    ):
        model = kind(class_weight=wrong)
        with pytest.raises(ValueError, match=match):
            model.fit(x, y)
    if kind is MLPClassifier:
        with pytest.raises(ValueError, match="a list of dicts is for a matrix"):
            kind(class_weight=[{0: 1}]).fit(x, y)
        for wrong, match in (
            (["a", "b", "c"], "a list of dicts"),
            ([{0: 1}], "number of elements"),
            ({0: 1}, "list of dicts"),
            ([{0: -1}, {}, {}], "none negative"),
        ):
            with pytest.raises(ValueError, match=match):
                kind(class_weight=wrong).fit(*LABELS)
        with pytest.raises(ValueError, match="not for partial_fit"):
            kind(class_weight="balanced").partial_fit(x, y, classes=[0, 1, 2])


# ---- many labels ---------------------------------------------------------------------------------


def test_many_labels() -> None:
    x, y = LABELS
    options = {"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 1}
    results = []
    for form in (y, y.astype(bool), y.astype(float), y.tolist()):
        model = MLPClassifier(**options)
        fitted((model,), x, form)
        assert_array_equal(model.classes_, [0, 1, 2])
        assert model.predict(x).dtype.kind == "i"
        assert set(np.unique(model.predict(x))) <= {0, 1}
        results.append(model.predict_proba(x))
    for other in results[1:]:
        assert_array_equal(other, results[0])
    alone = MLPClassifier(**options).partial_fit(x, y)
    assert_array_equal(
        alone.predict_proba(x),
        MLPClassifier(**options).partial_fit(x, y, classes=[0, 1, 2]).predict_proba(x),
    )
    weighted = MLPClassifier(**options, class_weight="balanced")
    listed = MLPClassifier(**options, class_weight=[{0: 1, 1: 2}, {0: 1, 1: 1}, {0: 3, 1: 1}])
    plain = MLPClassifier(**options)
    fitted((weighted, listed), x, y)
    fitted((plain,), x, y, np.where(y[:, 0], 2.0, 1.0) * np.where(y[:, 2], 1.0, 3.0))
    assert_allclose(listed.predict_proba(x), plain.predict_proba(x), 1e-10)
    assert np.abs(weighted.predict_proba(x) - plain.predict_proba(x)).max() > 1e-3


def test_targets_that_are_none() -> None:
    x, y = LABELS
    for wrong in (y + 1, y * 2, y + np.arange(3), y + 0.5):
        with pytest.raises(ValueError, match="one label for each sample, or a matrix of 0 and 1"):
            MLPClassifier().fit(x, wrong)
    for kind in (MLPClassifier, MLPRegressor):
        with pytest.raises(TypeError, match=r"pass y.toarray\(\)"):
            kind().fit(x, sparse.csr_matrix(y))
        with pytest.raises(TypeError, match="[Ss]parse"):
            kind().fit(sparse.csr_matrix(x), y)
    model = MLPClassifier((3,), max_iter=1, warm_start=True).fit(x, y)
    before = model.predict_proba(x)
    for other, match in ((IRIS[1], "one label for each sample, unlike"), (y[:, :2], "2 columns")):
        for fit in (model.fit, model.partial_fit):
            with pytest.raises(ValueError, match=match):
                fit(x, other)
    assert_array_equal(model.predict_proba(x), before)
    single = MLPClassifier((3,), max_iter=1, warm_start=True).fit(x, IRIS[1])
    with pytest.raises(ValueError, match="3 columns of labels, unlike"):
        single.fit(x, y)
    with pytest.raises(ValueError, match="3 columns of labels, expected 2"):
        MLPClassifier().partial_fit(x, y, classes=[0, 1])
    with pytest.raises(ValueError, match="must not be negative"):
        MLPRegressor(loss="poisson").fit(x, x[:, 0])
    counts = MLPRegressor((3,), loss="poisson", max_iter=1, warm_start=True).fit(x, IRIS[1])
    with pytest.raises(ValueError, match="output layer of poisson, which cannot become linear"):
        counts.set_params(loss="squared_error").fit(x, IRIS[1])
