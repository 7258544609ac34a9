"""Every function at zeros, infinities, NaN and the ends of the range, in all namespaces.

`vekt` and `vekt.jit` agree with `vekt.reference` in value, NaN and sign of zero.  What stays
different, or is compared less strictly:

* A result may be another number by one subnormal, so that it is 0 or not: half of the smallest
  subnormal is a tie, which float16 results meet once more after float32.  Its sign is the same.
* The gradient from an output is defined for numbers that are outputs, and for NaN.
* Losses of targets beyond -1 and 1, which are no probabilities, cancel at a prediction of 0.5.
* Gradients of rows are differences: what is left of one that cancels, and its sign, is not
  compared.  Neither is the sign of the larger and the smaller of 0.0 and -0.0, element by element.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from operands import FUNCTIONS
from scipy import special

import vekt as vk
from vekt import jit, reference
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS
from vekt._spec.losses import LOSSES
from vekt._spec.rows import ROW_OPS

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype("f2"), BFLOAT16, np.dtype("f4"), np.dtype("f8")]
SPACES = [vk, jit]
TOLERANCE = {np.dtype("f2"): 4e-3, BFLOAT16: 3e-2, np.dtype("f4"): 1e-5, np.dtype("f8"): 1e-12}
FLAGS: dict[str, list[dict[str, Any]]] = {
    "relu": [{"negative_slope": 0.25, "max_value": 4.0, "threshold": 0.5}],
    "leaky_relu": [{"negative_slope": 0.0}],
    "gelu": [{"approximate": True}],
    "geglu": [{"approximate": True}],
    "softplus": [{"beta": 0.5}],
    "huber": [{"delta": 0.25}, {"delta": 0.0}, {"delta": -0.0}, {"delta": float("inf")}],
}


def specials(dtype: Any) -> Any:
    """Return the numbers at which functions go wrong, of both signs."""
    info = ml_dtypes.finfo(dtype)
    sizes = [0, info.smallest_subnormal, info.tiny, 0.5, 1, info.max, np.inf]
    numbers = np.array([float(size) for size in sizes])
    return np.concatenate([numbers, -numbers, [np.nan]]).astype(dtype)


def grid(dtype: Any, n: int, fitting: Any = None) -> list[Any]:
    """Return operands that meet in every combination; the last has only what fits."""
    axes = [specials(dtype)] * n
    if fitting is not None:
        axes[-1] = axes[-1][fitting(axes[-1].astype("f8"))]
    return [operand.ravel() for operand in np.meshgrid(*axes, indexing="ij")]


def assert_same(
    result: Any, expected: Any, operands: Any, keep: Any = True, floor: float | None = None
) -> None:
    """Compare values, NaN, infinities and, without a floor for the error, signs of zero."""
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.dtype == expected.dtype
    dtype = result.dtype
    a, b = result.astype("f8"), expected.astype("f8")
    least = floor or float(ml_dtypes.finfo(dtype).smallest_subnormal)
    with np.errstate(all="ignore"):
        error = np.abs(a - b)
        near = error <= TOLERANCE[dtype] * np.maximum(np.abs(a), np.abs(b)) + least
        signs = (floor is not None) | (np.signbit(a) == np.signbit(b))
        same = signs & ((a == b) | near)
    wrong = np.flatnonzero(~(same | (np.isnan(a) & np.isnan(b))) & keep)
    found = [
        (*(x.ravel()[k] for x in operands), "gives", a.flat[k], "for", b.flat[k]) for k in wrong
    ]
    assert not found, f"{len(found)}: {found[:4]}"


def compare(space: Any, name: str, operands: Any, options: Any, keep: Any = True) -> None:
    function = getattr(space, name, None)
    if function is None:
        pytest.skip(f"{space.__name__} has no {name}")
    results = function(*operands, **options)
    expected = getattr(reference, name)(*operands, **options)
    if not isinstance(expected, tuple):
        results, expected = (results,), (expected,)
    for pair in zip(results, expected, strict=True):
        assert_same(*pair, operands, keep)


def is_output(kernel: Any) -> Any:
    low, high = kernel.range
    return lambda y: np.isnan(y) | ((low <= y) & (y <= high))


ACTIVATIONS = [
    (op.name + kind, "backward" in kind, options, op.kernels[0] if "output" in kind else None)
    for op in OPS.values()
    for kind in op.kinds
    for options in [{}, *FLAGS.get(op.name, [])]
    if set(options) <= {p.name for p in op.params_of(kind)}
]


@pytest.mark.parametrize("space", SPACES, ids=lambda m: m.__name__)
@pytest.mark.parametrize(("name", "backward", "options", "from_output"), ACTIVATIONS)
def test_activations(space: Any, name: str, backward: bool, options: Any, from_output: Any) -> None:
    for dtype in DTYPES:
        fitting = is_output(from_output) if from_output else None
        compare(space, name, grid(dtype, 1 + backward, fitting), options)


GATES = [
    (op.name + kind, options)
    for op in GATE_OPS.values()
    for kind in ("", "_backward")
    for options in [{}, *FLAGS.get(op.name, [])]
]


@pytest.mark.parametrize("space", SPACES, ids=lambda m: m.__name__)
@pytest.mark.parametrize(("name", "options"), GATES)
def test_gates(space: Any, name: str, options: Any) -> None:
    for dtype in DTYPES:
        operands = grid(dtype, 3 if "backward" in name else 2)
        if space is jit:  # half of the smallest subnormal is 0 or not, before it is multiplied
            whole = np.abs(operands[-2]) != ml_dtypes.finfo(dtype).smallest_subnormal
            operands = [x[whole] for x in operands]
        if name.startswith("glu"):
            x = np.stack(operands[-2:], -1)
            operands = [*(dy[:, None] for dy in operands[:-2]), x]
            function, twin = getattr(space, name), getattr(reference, name)
            result, expected = function(*operands), twin(*operands)
            for k in range(result.shape[-1]):
                columns = [*(dy[:, 0] for dy in operands[:-1]), x[:, 0], x[:, 1]]
                assert_same(result[:, k], expected[:, k], columns)
        else:
            compare(space, name, operands, options)


def test_prelu() -> None:
    for dtype, space in product(DTYPES, SPACES):
        operands = grid(dtype, 2)
        compare(space, "prelu", operands, {})
        compare(space, "prelu_backward", [np.ones_like(operands[0]), *operands], {})


LOSS_CASES = [
    (name, loss, options)
    for loss in LOSSES.values()
    for name in loss.public_names
    for options in [{}, *FLAGS.get(loss.name, [])]
]


@pytest.mark.parametrize(("name", "loss", "options"), LOSS_CASES)
def test_losses(name: str, loss: Any, options: Any) -> None:
    for dtype in DTYPES:
        operands = grid(dtype, 3 if "_backward" in name else 2)
        p, target = (x.astype("f8") for x in operands[-2:])
        even = (p == 0.5) & (np.abs(target) > 1) & (loss.name == "binary_cross_entropy")
        keep = ~even | ("_backward" in name)  # terms of opposite signs, without bound
        compare(vk, name, operands, options, keep)


@pytest.mark.parametrize("space", SPACES, ids=lambda m: m.__name__)
@pytest.mark.parametrize("op", ROW_OPS.values(), ids=lambda op: op.name)
def test_rows(space: Any, op: Any) -> None:
    for dtype in DTYPES:
        x = np.array(list(product(specials(dtype), repeat=2)), dtype)
        function = getattr(space, op.name)
        y, expected = function(x), getattr(reference, op.name)(x)
        pairs = [(y, expected)] if op.reduces else zip(y.T, expected.T, strict=True)
        for pair in pairs:
            assert_same(*pair, x.T, floor=TOLERANCE[dtype] if op.name == "sparsemax" else None)
        if not hasattr(space, f"{op.name}_backward"):
            continue
        of = x if op.reduces else expected
        back, twin = (getattr(s, f"{op.name}_backward") for s in (space, reference))
        for dy in (1.0, 0.0, -0.5):
            dys = np.full(len(x) if op.reduces else x.shape, dy, dtype)
            for pair in zip(back(dys, of).T, twin(dys, of).T, strict=True):
                assert_same(*pair, of.T, floor=TOLERANCE[dtype])


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("sigmoid", special.expit),
        ("log_sigmoid", special.log_expit),
        ("exponential", np.exp),
        ("tanh", np.tanh),
        *((name, op.kernel.value) for name, op in FUNCTIONS.items()),
        ("sqrt", np.sqrt),
        ("square", np.square),
        ("reciprocal", np.reciprocal),
        ("absolute", np.absolute),
        ("negative", np.negative),
        ("relu", lambda x: np.where(x < 0, x.dtype.type(0), x)),
        ("softplus", lambda x: np.logaddexp(x.dtype.type(0), x)),
    ],
)
def test_as_numpy_and_scipy(name: str, twin: Any) -> None:
    for dtype in ("f4", "f8"):
        x = specials(np.dtype(dtype))
        with np.errstate(all="ignore"):
            assert_same(getattr(vk, name)(x), twin(x), [x])


@pytest.mark.parametrize("name", ["maximum", "minimum", "add", "subtract", "multiply", "divide"])
def test_as_numpy_of_two(name: str) -> None:
    for dtype in ("f2", "f4", "f8"):
        operands = grid(np.dtype(dtype), 2)
        with np.errstate(all="ignore"):
            result, expected = getattr(vk, name)(*operands), getattr(np, name)(*operands)
        floor = 1e-300 if name in ("maximum", "minimum") else None  # not the sign of 0
        assert_same(result, expected, operands, floor=floor)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_reductions(name: str) -> None:
    for dtype in ("f4", "f8"):
        x = np.stack(grid(np.dtype(dtype), 2), -1)
        with np.errstate(all="ignore"):
            result, expected = getattr(vk, name)(x, axis=-1), getattr(np, name)(x, axis=-1)
        if name in ("max", "min"):  # of two zeros, NumPy's last one
            sign = np.signbit(x).all(-1) if name == "max" else np.signbit(x).any(-1)
            expected = np.where(expected == 0, np.where(sign, -0.0, 0.0), expected).astype(dtype)
        assert_same(result, expected, x.T)


def test_norms() -> None:
    for dtype, order in product(("f4", "f8"), (None, 1, np.inf, -np.inf, 0)):
        x = np.stack(grid(np.dtype(dtype), 2), -1)
        with np.errstate(all="ignore"):
            result, expected = (s.norm(x, order, axis=-1) for s in (vk, reference))
        assert_same(result, expected, x.T)
