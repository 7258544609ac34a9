"""Estimators with scikit-learn's conventions and names, on vekt's kernels.

scikit-learn is an extra: ``pip install 'vekt[models]'``.
"""

from vekt._core.extras import require

require("vekt.models", "models", "sklearn", "scipy")

from vekt.models._logistic_regression import LogisticRegression
from vekt.models._mlp_classifier import MLPClassifier
from vekt.models._mlp_regressor import MLPRegressor

__all__ = ["LogisticRegression", "MLPClassifier", "MLPRegressor"]

for _model in (LogisticRegression, MLPClassifier, MLPRegressor):
    _model.__module__ = __name__  # by which they are pickled


def __dir__() -> list[str]:
    return __all__
