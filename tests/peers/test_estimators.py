"""scikit-learn's own checks of estimators, on those of `vekt.models`."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from vekt.models import LogisticRegression, MLPClassifier, MLPRegressor

OTHERS = [
    LogisticRegression(class_weight="balanced", solver="lbfgs"),
    MLPClassifier(solver="lbfgs"),
    MLPRegressor(solver="lbfgs"),
]


def known(estimator):
    """Return the checks that scikit-learn's own estimator does not pass either."""
    if isinstance(estimator, MLPClassifier) and estimator.solver == "lbfgs":
        name = "check_classifiers_multilabel_output_format_predict_proba"
        return {name: "probabilities are rounded to 1"}
    return {}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [LogisticRegression(), MLPClassifier(), MLPRegressor(), *OTHERS], expected_failed_checks=known
)
def test_estimator(estimator, check):
    with threadpool_limits(1):  # BLAS waits for its threads where the machine is busy
        check(estimator)
