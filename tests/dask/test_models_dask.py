"""Estimators on Dask arrays: what they learn in memory, batch by batch."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")

from vekt.models import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 5))
THREE = np.array(["a", "b", "c"])[np.argmax(X[:, :3], 1)]
LAZY = da.from_array(X, chunks=(50, 3))
OPTIONS = {"hidden_layer_sizes": (8,), "max_iter": 8, "batch_size": 40, "random_state": 1}


@pytest.fixture(autouse=True)
def _here():
    with dask.config.set(scheduler="sync"):
        yield


@pytest.mark.parametrize(
    ("kind", "y"),
    [
        (MLPClassifier, THREE),
        (MLPClassifier, THREE == "b"),
        (MLPClassifier, (X[:, :3] > 0).astype(int)),
        (MLPRegressor, X[:, 0] * X[:, 1]),
        (MLPRegressor, X[:, :2]),
    ],
)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_what_is_learnt_in_memory(kind, y, dtype):
    x, lazy, tolerance = X.astype(dtype), LAZY.astype(dtype), 1e-5 if dtype == "f4" else 1e-13
    alone, spread = kind(**OPTIONS).fit(x, y), kind(**OPTIONS)
    spread.fit(lazy, da.from_array(y, chunks=70))
    for _ in range(2):
        for p, q in zip(spread.network_.params, alone.network_.params, strict=True):
            assert p.dtype == dtype
            assert_allclose(p, q, tolerance, tolerance)
        assert_allclose(spread.loss_curve_, alone.loss_curve_, 10 * tolerance)
        assert spread.n_iter_ == alone.n_iter_
        alone.partial_fit(x, y)
        spread.partial_fit(lazy, y)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(kind, method):
            lazily = getattr(spread, method)(lazy)
            assert isinstance(lazily, da.Array)
            wanted = getattr(spread, method)(x)
            assert lazily.shape == wanted.shape
            assert lazily.dtype == wanted.dtype
            if kind is MLPClassifier and method == "predict":
                assert_array_equal(lazily.compute(), wanted)
            else:
                assert_allclose(lazily.compute(), wanted, 1e-5, 1e-5)
    assert spread.score(lazy, da.from_array(y)) == pytest.approx(spread.score(x, y))


@pytest.mark.parametrize(
    ("kind", "y", "options"),
    [
        (MLPClassifier, THREE, {"solver": "lbfgs"}),
        (MLPClassifier, X[:, :3] > 0, {"solver": "lbfgs", "early_stopping": True}),
        (MLPRegressor, X[:, 0] * X[:, 1], {"solver": "lbfgs", "alpha": 0.3}),
        (MLPRegressor, np.rint(abs(X[:, 0] * 3)), {"loss": "poisson"}),
        (MLPClassifier, THREE, {"solver": "sgd", "learning_rate": "invscaling"}),
        (MLPClassifier, THREE, {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0}),
    ],
)
def test_solvers_and_rates(kind, y, options):
    options = {**OPTIONS, "n_iter_no_change": 1, "max_iter": 15, **options}
    alone = kind(**options).fit(X, y)
    spread = kind(**options).fit(LAZY, da.from_array(y, chunks=70))
    assert spread.n_iter_ == alone.n_iter_
    assert spread._optimizer.lr == alone._optimizer.lr
    assert_allclose(spread.loss_curve_, alone.loss_curve_, 1e-7)
    for p, q in zip(spread.network_.params, alone.network_.params, strict=True):
        assert_allclose(p, q, 1e-6, 1e-7)


def test_warm_start_and_classes():
    model = MLPClassifier(**OPTIONS, warm_start=True)
    model.fit(LAZY, THREE).fit(LAZY, THREE)
    assert len(model.loss_curve_) == 16
    with pytest.raises(ValueError, match="warm_start: y has the classes"):
        model.fit(LAZY, THREE == "a")
    late = MLPClassifier(**OPTIONS).partial_fit(LAZY, THREE == "a", classes=[False, True, 2])
    assert late.predict_proba(LAZY).shape == (120, 3)
    with pytest.raises(ValueError, match="none of the classes"):
        late.partial_fit(LAZY, 5 * (THREE == "a"))


def test_one_class():
    model = MLPClassifier(**OPTIONS).fit(X, ["only"] * 120)
    for predicted in (model.predict(X), model.predict(LAZY).compute()):
        assert_array_equal(predicted, ["only"] * 120)


def test_errors_of_use():
    for match, args, options in (
        ("sample_weight is for arrays in memory", (LAZY, THREE, np.ones(120)), {}),
        ("early_stopping=True is for arrays", (LAZY, THREE), {"early_stopping": True}),
        ("class_weight is for arrays", (LAZY, THREE), {"class_weight": "balanced"}),
        ("unknown sizes; call X.compute_chunk_sizes", (LAZY[LAZY[:, 0] > 0], THREE), {}),
        (r"expected 120 targets.*got \(119,\)", (LAZY, THREE[1:]), {}),
        ("samples in rows", (LAZY[0], THREE), {}),
        ("real numbers", (LAZY.astype("U"), THREE), {}),
        (r"X has NaN.*samples \d+ to", (da.where(LAZY > 2, np.nan, LAZY), THREE), {}),
        ("Unknown label type", (LAZY, X[:, 0]), {}),
        ("one label for each", (LAZY, np.full((120, 2), 2)), {}),
        ("one label for each", (LAZY, np.full((120, 2), 0.5)), {}),
        ("expected 120 targets", (LAZY, np.zeros((120, 2, 1), int)), {}),
    ):
        with pytest.raises(ValueError, match=match):
            MLPClassifier(**{**OPTIONS, **options}).fit(*args)
    model = MLPRegressor(**OPTIONS).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="X has 4 features, but MLPRegressor is expecting 5"):
        model.predict(LAZY[:, 1:])
    with pytest.raises(ValueError, match="X has 4 features"):
        model.partial_fit(LAZY[:, 1:], X[:, 0])
