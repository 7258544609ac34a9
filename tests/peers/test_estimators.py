"""scikit-learn's own checks of estimators, on those of `vekt.models`."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from vekt.models import LogisticRegression, MLPClassifier, MLPRegressor


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([LogisticRegression(), MLPClassifier(), MLPRegressor()])
def test_estimator(estimator, check):
    check(estimator)
