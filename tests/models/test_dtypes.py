"""float32 stays float32: in what is learnt, in results, in gradients and states, in memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from vekt import optim
from vekt.models import LogisticRegression, MLPClassifier, MLPRegressor
from vekt.network import OUTPUTS, Network

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(4)
X = RNG.normal(size=(60, 5))
TARGETS = {
    "two": np.argmax(X[:, :2], 1),
    "three": np.argmax(X[:, :3], 1),
    "labels": (X[:, :3] > 0).astype(int),
    "number": X[:, 0] * X[:, 1],
    "numbers": X[:, :2],
    "counts": np.rint(abs(X[:, 0] * 3)),
}
MODELS = {
    **{
        f"logistic {solver} {targets}": (LogisticRegression, {"solver": solver}, targets)
        for solver, targets in (("newton", "two"), ("lbfgs", "two"), ("lbfgs", "three"))
    },
    **{
        f"perceptron {solver} {targets}": (
            MLPClassifier if targets in ("two", "three", "labels") else MLPRegressor,
            {"solver": solver} | ({"loss": "poisson"} if targets == "counts" else {}),
            targets,
        )
        for solver in ("lbfgs", "sgd", "adam", "adamw", "rmsprop")
        for targets in TARGETS
    },
}
EXTRAS: dict[str, dict[str, Any]] = {
    "plain": {},
    "stops": {"early_stopping": True},
    "balanced": {"class_weight": "balanced"},
    "prelu": {"activation": "prelu", "hidden_layer_sizes": (6, 4)},
    "falls": {"learning_rate": "invscaling"},
}


def numbers_of(model: Any) -> dict[str, Any]:
    """Return all arrays of floats that a model has or tells."""
    found = {}
    for name in ("coef_", "intercept_", "coefs_", "intercepts_"):
        if hasattr(model, name):
            each = getattr(model, name)
            found |= {f"{name}{i}": a for i, a in enumerate(each if type(each) is list else [each])}
    if hasattr(model, "network_"):
        net = model.network_
        found |= {f"params{i}": a for i, a in enumerate(net.params)}
        found |= {f"grads{i}": a for i, a in enumerate(net.grads)}
        states = [s for pair in model._optimizer._state for s in pair if s is not None]
        found |= {f"state{i}": a for i, a in enumerate(states)}
        if net._buffers is not None:
            found |= {"x": net._buffers.x, "z": net._buffers.z[0], "da": net._buffers.da[-1]}
    return found


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("name", "extra"),
    [
        (name, extra)
        for name, (kind, _, _) in MODELS.items()
        for extra, more in EXTRAS.items()
        if set(more) <= set(kind().get_params())
    ],
)
def test_estimators(name: str, extra: str, dtype: str) -> None:
    kind, options, targets = MODELS[name]
    more = EXTRAS[extra]
    if "hidden_layer_sizes" in kind().get_params():
        options = {"hidden_layer_sizes": (6,), "random_state": 1, **options}
    model = kind(**{**options, **more, "max_iter": 3})
    x, y = X.astype(dtype), TARGETS[targets]
    y = y if y.dtype.kind == "i" else y.astype(dtype)
    for weights in (None, np.linspace(0.5, 2, len(x))):
        model.fit(x, y, weights)
        for told, array in numbers_of(model).items():
            assert array.dtype == dtype, told
        if hasattr(model, "partial_fit") and not more:
            model.partial_fit(x, y, weights)
        for told, array in numbers_of(model).items():
            assert array.dtype == dtype, told
    for method in ("decision_function", "predict_proba", "predict_log_proba", "predict"):
        if not hasattr(model, method) or (method == "predict" and kind is not MLPRegressor):
            continue
        assert getattr(model, method)(x).dtype == dtype, method


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "rmsprop", "adam", "adamw"])
def test_networks(output: str, optimizer: str, dtype: str) -> None:
    """Whatever dtype samples have, a network has its own."""
    net = Network([5, 4, 6, 3], ["gelu", "prelu"], output=output, dtype=dtype, seed=1)
    y = abs(X.T[:3]) / 9
    chosen = optim.get(optimizer, max_norm=1.0)
    for given in ("f4", "f8"):
        x = X.T.astype(given)
        held = (x[:, :9], y[:, :9])
        for size in (None, 17):
            net.fit(x, y.astype(given), optimizer=chosen, epochs=2, l2=0.1, batch_size=size)
            net.fit(x, y, optimizer=chosen, epochs=1, validation_data=held, patience=1)
        states = [s for pair in chosen._state for s in pair if s is not None]
        arrays = [*net.params, *net.grads, *net.gradients(x, y)[1], *states, net.predict(x)]
        assert {a.dtype for a in arrays} == {np.dtype(dtype)}
    assert all(type(number) is float for numbers in net.history.values() for number in numbers)


@pytest.mark.parametrize("name", [n for n in MODELS if n.split()[1] in ("newton", "lbfgs", "adam")])
def test_memory_is_half(name: str) -> None:
    """No copy of the samples, nor of the units' values, is float64."""
    kind, options, targets = MODELS[name]
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(4000, 64))
    y = TARGETS[targets][rng.integers(0, len(X), len(wide))]
    if "hidden_layer_sizes" in kind().get_params():
        options = {"hidden_layer_sizes": (64,), "random_state": 1, **options}
    peaks = []
    for dtype in ("f4", "f8"):
        x = wide.astype(dtype)
        narrow = y if y.dtype.kind == "i" else y.astype(dtype)
        for _ in range(2):  # what the first fit loads stays
            tracemalloc.start()
            fitted = kind(**options, max_iter=2).fit(x, narrow)
            fitted.predict(x)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < max(0.75 * peaks[3], wide.nbytes / 4)  # of which float64 could not be a copy
