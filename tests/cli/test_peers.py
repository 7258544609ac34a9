"""Every statement that `vekt compare` times computes what it is named after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from peer_statements import (
    DTYPES,
    INSTALLED,
    TRUE,
    close,
    derivative,
    execute,
    gelu,
    gelu_tanh,
    normal,
    relu,
    sigmoid,
)

from vekt._spec.activations import KERNELS, OPS
from vekt._spec.choosing import CHOOSING
from vekt._spec.elementwise import OPS as ELEMENTWISE
from vekt._spec.reductions import REDUCTIONS
from vekt._spec.scans import SCANS
from vekt._spec.statistics import STATISTICS
from vekt.cli.cases import all_cases
from vekt.cli.compare import fuse_tasks, training_tasks
from vekt.cli.compare.formulas import FORMULAS, plain
from vekt.cli.compare.layout_tasks import GRID
from vekt.cli.compare.linear_tasks import linear_statements
from vekt.cli.compare.loss_tasks import loss_statements
from vekt.cli.compare.optim_tasks import OPTIMISERS
from vekt.cli.compare.tasks import GATES, ROWS, parameters
from vekt.cli.peers import PEERS, _numba

PARAMETERS: dict[str, dict[str, float]] = {
    "relu_general": {"negative_slope": 0.0, "max_value": 6.0, "threshold": 0.0},
    "leaky_relu": {"negative_slope": 0.2},
    "hard_tanh": {"min_value": -1.0, "max_value": 1.0},
    "soft_shrink": {"threshold": 0.5},
    "hard_shrink": {"threshold": 0.5},
    "threshold": {"threshold": 0.5, "default_value": 0.25},
    "squareplus": {"b": 4.0},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "softplus_general": {"beta": 2.0},
}


def softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def logsumexp(x: Any, axis: int) -> Any:
    return np.log(np.exp(x).sum(axis, keepdims=True))


def sparsemax(x: Any, axis: int) -> Any:
    low, high = x.min(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(80):  # bisection: the result sums to 1
        middle = (low + high) / 2
        too_low = relu(x - middle).sum(axis, keepdims=True) > 1
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return relu(x - low)


TRUE_ROWS: dict[str, Callable[..., Any]] = {
    "softmax": softmax,
    "softmin": lambda x, axis: softmax(-x, axis),
    "log_softmax": lambda x, axis: x - logsumexp(x, axis),
    "logsumexp": logsumexp,
    "sparsemax": sparsemax,
}
TRUE_GATES: dict[str, Callable[..., Any]] = {
    "glu": lambda a, b: a * sigmoid(b),
    "swiglu": lambda a, b: a * sigmoid(a) * b,
    "geglu": lambda a, b: gelu(a) * b,
    "geglu_tanh": lambda a, b: gelu_tanh(a) * b,
    "reglu": lambda a, b: relu(a) * b,
    "prelu": lambda x, alpha: np.where(x > 0, x, alpha * x),
}


def statements_of(names: Any) -> list[tuple[str, str]]:
    known = {f"{name}{form}" for name in names for form in FORMS}
    return [(peer, name) for peer in INSTALLED for name in PEERS[peer].statements if name in known]


FORMS = ("", "_backward", "_backward_from_output")


def kernel_of(name: str) -> str:
    return name.removesuffix("_from_output").removesuffix("_backward")


# Numba takes half a second for each loop: these are compiled, the others run as Python.
COMPILED = {"relu6_backward", "softplus", "leaky_relu_backward_from_output", "mish_backward"}


@pytest.fixture
def _loops_in_python(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    values = request.node.callspec.params
    in_python = values["peer"] == "numba" and values["name"] not in COMPILED
    if in_python:
        monkeypatch.setattr("numba.config.DISABLE_JIT", True)
        _numba.make_loop.cache_clear()
    yield
    if in_python:
        _numba.make_loop.cache_clear()


@pytest.mark.usefixtures("_loops_in_python")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("peer", "name"), statements_of(TRUE))
def test_elementwise(peer: str, name: str, dtype: str) -> None:
    kernel = kernel_of(name)
    values = PARAMETERS.get(kernel, {})
    params = {key: np.dtype(dtype).type(value) for key, value in values.items()}
    x = 2 * normal(1000, dtype)
    if kernel == "log1mexp":
        x = np.abs(x) + np.dtype(dtype).type(0.5)  # differences are poor near the pole
    x_exact = x.astype(np.longdouble)

    def function(x: Any) -> Any:
        return TRUE[kernel](x, **params)

    operands = {"x": x, "dy": normal(1000, dtype, 1), "t": np.empty_like(x), **params}
    operands["out"] = np.full_like(x, np.nan)
    operands["y"] = function(x_exact).astype(dtype)
    expected = function(x_exact)
    if name != kernel:
        expected = operands["dy"] * derivative(function, x_exact)
    result, _ = execute(peer, name, operands)
    wrote = peer != "jax" and (peer, name) != ("torch", "mish_backward")
    close(operands["out"] if wrote else result, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize(("peer", "name"), statements_of(ROWS))
def test_rows(peer: str, name: str, axis: int, dtype: str) -> None:
    kernel = kernel_of(name)
    shape = (7, 9)
    x, dy = normal(shape, dtype), normal(shape, dtype, 1)
    reduced = np.empty_like(x.sum(axis, keepdims=True))
    steps = np.arange(1, shape[axis] + 1, dtype=dtype)
    x_exact = x.astype(np.longdouble)

    def function(x: Any) -> Any:
        return TRUE_ROWS[kernel](x, axis)

    operands: dict[str, Any] = {
        "x": x,
        "dy": dy,
        "y": function(x_exact).astype(dtype),
        "t": np.empty_like(x),
        "out": np.empty_like(x),
        "axis": axis,
        "reduced": reduced,
        "dreduced": normal(reduced.shape, dtype, 2),
        "r": np.empty_like(reduced),
        "s": np.empty_like(reduced),
        "steps": steps if axis else steps[:, None],
    }
    result, _ = execute(peer, name, operands)
    expected = function(x_exact)
    if name != kernel:
        weights = operands["dreduced"] if kernel == "logsumexp" else dy
        expected = np.empty_like(x_exact)
        for index in np.ndindex(shape):
            step = np.zeros_like(x_exact)
            step[index] = 1
            expected[index] = (derivative(function, x_exact, step) * weights).sum()
    if peer == "jax" or (peer == "scipy" and not name.endswith("_backward")):
        close(result, expected, dtype)
    else:
        close(operands["reduced" if name == "logsumexp" else "out"], expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("peer", "name"), statements_of(GATES))
def test_gates(peer: str, name: str, dtype: str) -> None:
    kernel = kernel_of(name)
    x, dx = normal((6, 10), dtype), np.empty((6, 10), dtype)
    dy = normal((6, 5), dtype, 1)
    a, b, da, db = x[:, :5], x[:, 5:], dx[:, :5], dx[:, 5:]
    operands = {"x": x, "dx": dx, "dy": dy, "a": a, "b": b, "da": da, "db": db}
    operands |= {"t": np.empty_like(dy), "out": np.empty_like(dy)}
    if kernel == "prelu":
        a, b = normal((6, 5), dtype), normal(5, dtype, 2)
        operands |= {"x": a, "alpha": b, "dalpha": np.empty_like(b)}
    a_exact, b_exact = a.astype(np.longdouble), b.astype(np.longdouble)
    function = TRUE_GATES[kernel]
    result, names = execute(peer, name, operands)
    if name == kernel:
        inside = peer == "jax" or (peer, name) == ("torch", "prelu")
        close(result if inside else operands["out"], function(a_exact, b_exact), dtype)
        return
    expected = [
        dy * derivative(lambda a: function(a, b_exact), a_exact),
        dy * derivative(lambda b: function(a_exact, b), b_exact),
    ]
    if kernel == "prelu":
        expected[1] = expected[1].sum(0)
        got = (names["u"] if peer == "torch" else operands["out"]), operands["dalpha"]
    else:
        got = operands["da"], operands["db"]
    if peer == "jax":
        both = (result[:, :5], result[:, 5:]) if kernel == "glu" else result
        got = both
    for one, other in zip(got, expected, strict=True):
        close(one, other, dtype)


def test_every_row_is_tested() -> None:
    known = {f"{name}{form}" for name in [*TRUE, *ROWS, *GATES] for form in FORMS}
    # in test_peers_linear.py, test_losses.py and test_optim.py
    known |= {*linear_statements(), "matmul_to", "einsum", *loss_statements(), *OPTIMISERS}
    known |= set(CHOOSING)  # in tests/choosing
    known |= {*REDUCTIONS, *STATISTICS, *SCANS}  # in test_reductions.py
    known |= {*ELEMENTWISE, GRID}  # in test_peers_layouts.py
    known |= set(fuse_tasks.NAMES)  # in test_peers_fuse.py
    known |= set(training_tasks.NAMES)  # in test_peers_training.py
    for peer in PEERS.values():
        assert set(peer.statements) <= known


@pytest.mark.parametrize("name", sorted(TRUE.keys() & KERNELS.keys()))
def test_no_peer_is_forgotten(name: str) -> None:
    """What is above has its statements; a kernel that is not is compared with its plain formula."""
    # erf is all that NumPy and NumExpr lack.
    peers = {"torch", "jax"} | ({"scipy"} if name == "gelu" else {"numpy", "numexpr"})
    wanted = [name, f"{name}_backward"]
    if KERNELS[name].from_output is not None:
        wanted.append(f"{name}_backward_from_output")
    for peer in peers:
        assert set(wanted) <= set(PEERS[peer].statements), peer


@pytest.mark.parametrize(
    "case", [c for c in all_cases() if c.name in TRUE], ids=lambda case: case.name
)
def test_rows_are_tested_with_the_parameters_that_are_measured(case: Any) -> None:
    tested = PARAMETERS.get(case.name, {})
    measured = {key: float(value) for key, value in parameters(case, "float64").items()}
    assert set(measured) == set(tested)
    if case.name not in ("threshold", "softplus_general"):  # whose statements take any numbers
        assert measured == tested


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_plain_formulas(name: str, dtype: str) -> None:
    x = np.linspace(-8, 8, 1001).astype(dtype) + np.dtype(dtype).type(1e-3)  # beside the kinks
    if name == "log1mexp":
        x = np.abs(x) + np.dtype(dtype).type(0.5)
    params = [np.dtype(dtype).type(value) for value in PARAMETERS.get(name, {}).values()]
    keywords = dict(zip(PARAMETERS.get(name, {}), params, strict=True))
    x_exact = x.astype(np.longdouble)
    value = TRUE[name](x_exact, **keywords)
    slope = derivative(lambda x: TRUE[name](x, **keywords), x_exact)
    formulas = plain(name, *[np.positive] * 2)
    both = formulas.value_and_grad(x, *params)
    for got, expected in [
        (both[0], value),
        (formulas.value(x, *params), value),
        (both[1], slope),
        (formulas.gradient(x, *params), slope),
    ]:
        close(got, expected, dtype)


def test_plain_formulas_take_the_parameters_of_the_kernels() -> None:
    for op in OPS.values():
        for kernel in op.kernels:
            if kernel.name in FORMULAS:
                assert kernel.params == tuple(PARAMETERS.get(kernel.name, {}))
    assert FORMULAS.keys() == TRUE.keys()


def test_kernels_without_a_plain_formula_use_their_reference() -> None:
    kernel = KERNELS["tanh"]
    formulas = plain("a new kernel", kernel.value, kernel.gradient)
    assert formulas.value is kernel.value
