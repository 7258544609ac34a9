"""The peers' functions that `vekt accuracy --peers` measures: each computes what it stands for."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from vekt._spec.activations import KERNELS
from vekt._spec.elementary import ELEMENTARY
from vekt.cli import main
from vekt.cli.accuracy import measure
from vekt.cli.peers import functions as peers
from vekt.cli.peers.functions import PEERS, peer_functions, peer_label
from vekt.reference import wide

_SQRT_8_PI = np.sqrt(8 / np.pi)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


def _shrunk(x: Any, threshold: float) -> Any:
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)


def _relu_general(x: Any, negative_slope: float, max_value: float, threshold: float) -> Any:
    return np.where(
        x < threshold, negative_slope * (x - threshold), np.where(x > max_value, max_value, x)
    )


def _celu(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(x / alpha))


# The definitions, and parameters for a function that has some.
FORMULAS: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    **{op.name: (op.kernel.value, ()) for op in ELEMENTARY},
    "relu": (lambda x: np.maximum(x, 0), ()),
    "relu_general": (_relu_general, (0.25, 3.0, 0.5)),
    "leaky_relu": (lambda x, slope: np.where(x > 0, x, slope * x), (0.25,)),
    "relu6": (lambda x: np.clip(x, 0, 6), ()),
    "elu": (lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)), (1.5,)),
    "celu": (_celu, (1.5,)),
    "selu": (
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
        (),
    ),
    "softplus": (lambda x: np.log1p(np.exp(x)), ()),
    "softplus_general": (lambda x, beta: np.log1p(np.exp(beta * x)) / beta, (1.5,)),
    "softsign": (lambda x: x / (1 + np.abs(x)), ()),
    "squareplus": (lambda x, b: (x + np.sqrt(x * x + b)) / 2, (2.0,)),
    "soft_shrink": (_shrunk, (0.75,)),
    "hard_shrink": (lambda x, threshold: np.where(np.abs(x) > threshold, x, 0), (0.75,)),
    "tanh_shrink": (lambda x: x - np.tanh(x), ()),
    "threshold": (lambda x, threshold, other: np.where(x > threshold, x, other), (0.75, -2.0)),
    "sparse_plus": (lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)), ()),
    "sparse_sigmoid": (lambda x: np.clip((x + 1) / 2, 0, 1), ()),
    "silu": (lambda x: x * _sigmoid(x), ()),
    "hard_silu": (lambda x: x * np.clip(x + 3, 0, 6) / 6, ()),
    "hard_sigmoid": (lambda x: np.clip(x + 3, 0, 6) / 6, ()),
    "hard_tanh": (lambda x, low, high: np.clip(x, low, high), (-1.0, 1.0)),
    "gelu": (lambda x: x * (1 + _erf(x / np.sqrt(2))) / 2, ()),
    "gelu_tanh": (lambda x: x * _sigmoid(_SQRT_8_PI * (x + 0.044715 * x**3)), ()),
    "mish": (lambda x: x * np.tanh(np.log1p(np.exp(x))), ()),
    "tanh": (np.tanh, ()),
    "sigmoid": (_sigmoid, ()),
    "log_sigmoid": (lambda x: -np.log1p(np.exp(-x)), ()),
    "exponential": (np.exp, ()),
    "linear": (lambda x: x, ()),
    "log1mexp": (lambda x: np.log(-np.expm1(-x)), ()),
}

INSTALLED = [peer for peer in PEERS if find_spec(peer) is not None]


@pytest.fixture(autouse=True)
def _keras_on_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "numpy")


def functions_of(peer: str) -> dict[str, Any]:
    return peers._load(peer)[0]


@pytest.mark.parametrize("peer", INSTALLED)
def test_rows_compute_the_definitions(peer: str) -> None:
    assert set(functions_of(peer)) <= set(FORMULAS)
    x = np.linspace(-7, 7, 1000, dtype="f8")  # without 0 and other kinks
    h = 1e-6
    for name in functions_of(peer):
        formula, params = FORMULAS[name]
        points = x[x > 0] if name.startswith("log") and name != "log_sigmoid" else x
        value, gradient = peer_functions(peer, name)
        assert value is not None
        for dtype, tolerance in (("f4", 1e-5), ("f8", 1e-10)):
            operand = points.astype(dtype)
            if peer == "keras":
                tolerance = 1e-5  # it computes in float32, unless told otherwise
            result = value(operand, *params)
            assert result.dtype == dtype, name
            expected = formula(operand.astype("f8"), *params)
            np.testing.assert_allclose(result, expected, tolerance, tolerance, err_msg=name)
        if gradient is not None:
            slope = gradient(points, *params)
            assert slope.dtype == "f8", name
            difference = (formula(points + h, *params) - formula(points - h, *params)) / (2 * h)
            np.testing.assert_allclose(slope, difference, 1e-6, 1e-6, err_msg=name)
        assert (gradient is None) == (peer == "keras")


@pytest.mark.parametrize("peer", INSTALLED)
def test_rows_take_the_kernels_parameters(peer: str) -> None:
    for name, function in functions_of(peer).items():
        if name in KERNELS and KERNELS[name].params:
            assert tuple(inspect.signature(function).parameters) == ("x", *KERNELS[name].params)


def test_label() -> None:
    for peer in INSTALLED:
        assert peer_label(peer).split()[0] == peer
    with pytest.raises(ModuleNotFoundError):
        peer_label("no_such_peer")


def test_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer whose results are wrong below -2 only, another kernel that it does not have."""

    def functions(peer: str, kernel: str) -> tuple[Any, Any]:
        if kernel != "sigmoid":
            return None, None
        return lambda x: np.where(x > -2, wide("sigmoid", x), 0).astype("f4"), None

    monkeypatch.setattr("vekt.cli.accuracy.measure.peer_functions", functions)
    monkeypatch.setattr("vekt.cli.accuracy.peer_label", lambda peer: "torch 0")
    monkeypatch.setattr("vekt.cli.accuracy.state.peer_label", lambda peer: "torch 0")
    arguments = ["--op", "sigmoid,tanh", "--samples", "9000", "--peers", "torch", "--json", "-"]
    assert main(["accuracy", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["peers"] == {"torch": "torch 0"}
    errors = [row["peers"]["torch"] for row in report["rows"]]
    assert 2**23 <= errors[0] <= 2**24
    assert errors[1:] == [None] * 3


def test_a_peer_that_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    assert main(["accuracy", "--op", "relu", "--samples", "9", "--peers", "torch"]) == 0
    assert "torch is left out" in capsys.readouterr().out


def test_inputs_at_which_peers_may_differ_are_skipped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAX' gradient of leaky_relu at 0 is another; relu's at NaN is 0 nearly everywhere."""

    def gradient(x: Any, *params: float) -> Any:
        top = params[1] if params else np.inf
        slope = np.where((x > 0) & (x < top), 1, 0)
        return np.where((x == 0) | (x == top), 9, slope).astype("f4")

    def functions(peer: str, kernel: str) -> tuple[Any, Any]:
        return None, gradient

    monkeypatch.setattr("vekt.cli.accuracy.measure.peer_functions", functions)
    for name in ("accuracy", "accuracy.state"):
        monkeypatch.setattr(f"vekt.cli.{name}.peer_label", lambda peer: "torch 0")
    arguments = ["--op", "relu", "--samples", "65536", "--peers", "torch", "--json", "-"]
    assert main(["accuracy", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["peers"]["torch"] for row in report["rows"]] == [None, 0.0] * 2


@pytest.mark.parametrize(
    ("below", "flushed", "largest"),
    [(-87.34, ["torch"], 1), (-80, ["torch"], 2**24), (-200, [], 1)],
    ids=["subnormal results", "normal ones, too", "nothing"],
)
def test_flushed_numbers_are_no_lost_digits(
    below: float,
    flushed: list[str],
    largest: float,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sigmoid that is 0 below some x, and whose own errors are at most 1 ULP."""

    def functions(peer: str, kernel: str) -> tuple[Any, Any]:
        return lambda x: np.where(x > below, wide("sigmoid", x), 0).astype("f4"), None

    monkeypatch.setattr("vekt.cli.accuracy.measure.peer_functions", functions)
    for name in ("accuracy", "accuracy.state"):
        monkeypatch.setattr(f"vekt.cli.{name}.peer_label", lambda peer: "torch 0")
    arguments = ["accuracy", "--op", "sigmoid", "--samples", "65536", "--peers", "torch"]
    assert main([*arguments, "--json", "-"]) == 0
    row, *_ = json.loads(capsys.readouterr().out)["rows"]
    assert row["flushed"] == flushed
    assert row["peers"]["torch"] <= largest
    assert (row["peers"]["torch"] > 1) == (largest > 1)
    assert main(arguments) == 0
    assert bool(flushed) == (" z " in capsys.readouterr().out.partition("sigmoid")[2])


def test_flushed_inputs() -> None:
    x = np.array([1e-40, -1e-40, 1e-30, 1e-30, 1e-30], "f4")
    result = np.array([0, 0.5, 0, 0, 1e-40], "f4")
    errors = np.array([7e4, 1e9, 8e6, 9e6, 100.0])
    np.testing.assert_array_equal(
        measure._flushed(x, result, errors), [True, True, True, False, False]
    )
    assert not measure._flushed(x, result, np.full(5, 0.5)).any()
