"""What the parameters of estimators may be, as scikit-learn checks its own.

A parameter out of its range is an InvalidParameterError, which is a ValueError and a TypeError.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

_COUNT = Interval(Integral, 1, None, closed="left")
_TOLERANCE = Interval(Real, 0, None, closed="left")
_PENALTY = Interval(Real, 0, np.inf, closed="left")
_POSITIVE = Interval(Real, 0, np.inf, closed="neither")
_BELOW_ONE = Interval(Real, 0, 1, closed="left")

MLP: dict[str, list[Any] | str] = {
    "hidden_layer_sizes": ["array-like", _COUNT],
    "activation": "no_validation",  # the network knows which there are
    "solver": [StrOptions({"lbfgs", "sgd", "adam", "adamw", "rmsprop"})],
    "alpha": [_PENALTY],
    "batch_size": [StrOptions({"auto"}), _COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [_POSITIVE],
    "power_t": [_PENALTY],
    "max_iter": [_COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [_TOLERANCE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [_BELOW_ONE],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "beta_1": [_BELOW_ONE],
    "beta_2": [_BELOW_ONE],
    "epsilon": [_POSITIVE],
    "n_iter_no_change": [_COUNT, Options(Real, {np.inf})],
    "max_fun": [_COUNT],
    "init": [StrOptions({"glorot", "he", "rand"})],
}
CLASSIFIER: dict[str, list[Any] | str] = {
    **MLP,
    "class_weight": [dict, list, StrOptions({"balanced"}), None],
}
REGRESSOR: dict[str, list[Any] | str] = {
    **MLP,
    "loss": [StrOptions({"squared_error", "poisson"})],
}
LOGISTIC: dict[str, list[Any] | str] = {
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "C": [Interval(Real, 0, np.inf, closed="right")],
    "fit_intercept": ["boolean"],
    "solver": [StrOptions({"auto", "newton", "lbfgs"})],
    "max_iter": [_COUNT],
    "tol": [_TOLERANCE],
    "warm_start": ["boolean"],
}
