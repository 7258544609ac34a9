"""scikit-learn's data for tests of estimators, and fits of several beside each other."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

RECENT = pytest.mark.skipif(
    "loss" not in inspect.signature(neural_network.MLPRegressor).parameters,
    reason="scikit-learn before 1.7 weighs no samples of perceptrons",
)


def scaled(load: Any) -> tuple[Any, Any]:
    x, y = load(return_X_y=True)
    return StandardScaler().fit_transform(x), y


IRIS, CANCER = scaled(load_iris), scaled(load_breast_cancer)
DIGITS = tuple(a[:600] for a in scaled(load_digits))
DIABETES = scaled(load_diabetes)
LABELS = (IRIS[0], np.stack([IRIS[1] == 0, IRIS[0][:, 0] > 0, IRIS[1] > 0], 1).astype(int))
NUMBERS = (DIABETES[0], (DIABETES[1] - 150) / 80)
COUNTS = (DIABETES[0], np.rint(DIABETES[1] / 50))
PAIRS = (DIABETES[0], np.stack([NUMBERS[1], DIABETES[0][:, 2] ** 2], 1))
CLASSES = {"iris": IRIS, "breast cancer": CANCER, "digits": DIGITS, "labels": LABELS}
VALUES = {"numbers": NUMBERS, "pairs": PAIRS, "counts": COUNTS}
DATA = {**CLASSES, **VALUES}


def fitted(models: Any, x: Any, y: Any, *weights: Any) -> None:
    """Fit all on one thread: BLAS waits for its others where the machine is busy."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for model in models:
            model.fit(x, y, *weights)
