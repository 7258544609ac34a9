"""Estimators on Dask arrays: what `vekt._dask.network` wants, made of samples in rows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from vekt._dask.network import NetworkSamples, known_sizes, network_outputs

if TYPE_CHECKING:
    from vekt.models._mlp import BaseMLP

da: Any = import_module("dask.array")


def model_samples(
    model: BaseMLP, X: Any, y: Any, sample_weight: Any, reset: bool, whole: bool = True
) -> NetworkSamples:
    """Check what `fit` is given, see that there is a network, and return its samples."""
    model._validate_params()
    if sample_weight is not None:
        raise ValueError("sample_weight is for arrays in memory, not for Dask's")
    if getattr(model, "class_weight", None) is not None:
        raise ValueError("class_weight is for arrays in memory, not for Dask's")
    if model._holds_out:
        raise ValueError("early_stopping=True is for arrays in memory, not for Dask's")
    X, y = (known_sizes("fit", name, da.asanyarray(a)) for name, a in (("X", X), ("y", y)))
    X = _features(model, X, reset)
    if y.ndim not in (1, 2) or len(y) != len(X):
        raise ValueError(f"y: expected {len(X)} targets for X of shape {X.shape}, got {y.shape}")
    y = model._lazy_targets(y, reset, whole)
    model._ready(X.dtype, reset, whole)
    Y = y if y.ndim == 1 else y.T
    found = NetworkSamples("fit", model.network_, X.T, Y)
    found.check(persist=True)
    return found


def model_outputs(model: BaseMLP, X: Any) -> Any:
    """Return the network's outputs for the rows of X, lazily."""
    return network_outputs(model.network_, _features(model, X, reset=False).T).T


def _features(model: BaseMLP, X: Any, reset: bool) -> Any:
    if X.ndim != 2:
        raise ValueError(f"X: expected samples in rows, got shape {X.shape}")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"X: expected real numbers, got {X.dtype}")
    if reset:
        model.n_features_in_ = X.shape[1]
    elif X.shape[1] != model.n_features_in_:
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(model).__name__} is expecting "
            f"{model.n_features_in_} features as input"
        )
    return X if X.dtype == np.float32 else X.astype(np.float64)
