"""Gradients are finite and right where a factor of theirs leaves the range of numbers.

Every spec of activations, gates, losses and functions of rows, beside its formula in wider numbers;
a gradient that is itself subnormal has the digits it has.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from fuzz import gates, losses, rows
from fuzz.activations import activation_truth

import vekt as vk
from vekt import ufuncs
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS
from vekt._spec.losses import LOSSES
from vekt._spec.rows import ROW_OPS

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype("f2"), BFLOAT16, np.dtype("f4"), np.dtype("f8")]
KERNELS = [
    (kernel, [next(p for p in op.params if p.name == name).default for name in kernel.params])
    for op in OPS.values()
    for kernel in op.kernels
]


def magnitudes(dtype: Any, count: int = 23) -> Any:
    """Return numbers from the smallest to the largest, of both signs."""
    info = ml_dtypes.finfo(dtype)
    exponents = np.linspace(info.minexp - info.nmant, info.maxexp - 1, count).round()
    sizes = 1.375 * 2.0**exponents
    return np.concatenate([sizes, -sizes]).astype(dtype)


def arguments(dtype: Any) -> Any:
    """Return numbers at which exponentials are anything from 0 to infinity."""
    most = 3 * np.log(float(ml_dtypes.finfo(np.float64 if dtype == "f8" else "f4").max))
    x = np.concatenate([np.linspace(-most, most, 101), [0.5, -0.5, 1, -1]]).astype(dtype)
    return x[np.isfinite(x.astype("f8"))]


def assert_right(results: Any, truths: Any) -> None:
    results = results if isinstance(results, tuple) else (results,)
    truths = truths if isinstance(truths, tuple) else (truths,)
    for result, truth in zip(results, truths, strict=True):
        assert not truth.refutes(result)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("kernel", "params"), KERNELS, ids=lambda x: getattr(x, "name", ""))
def test_activations(kernel, params, dtype):
    params = [1.0 if p is None else p for p in params]
    dy, x = (v.ravel() for v in np.meshgrid(magnitudes(dtype), arguments(dtype)))
    name = f"{kernel.name}_backward"
    with np.errstate(all="ignore"):
        truth = activation_truth(kernel, "_backward", (dy, x), params)
    with np.errstate(all="raise", under="ignore"):
        result = getattr(ufuncs, name)(dy, x, *params)
        assert_right(result, truth)
        for k in (0, 17, len(dy) // 2):  # alone, as beside numbers that need no care
            assert not truth.refutes(result)
            alone = getattr(ufuncs, name)(dy[k : k + 1], x[k : k + 1], *params)
            assert alone.tobytes() == result[k : k + 1].tobytes()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", [name for name in GATE_OPS if name not in ("glu", "prelu")])
def test_gates(name, dtype):
    sizes = magnitudes(dtype, 9)
    meeting = np.meshgrid(sizes, arguments(dtype)[::3], sizes, indexing="ij")
    dy, gate, other = (v.ravel() for v in meeting)
    a, b = (other, gate) if GATE_OPS[name].kernel.gate == "b" else (gate, other)
    with np.errstate(all="ignore"):
        truth = gates._expectation(name, True)(dy, a, b)
    assert_right(getattr(vk, f"{name}_backward")(dy, a, b), truth)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_glu(dtype):
    sizes = magnitudes(dtype, 9)
    meeting = np.meshgrid(sizes, sizes, arguments(dtype)[::3], indexing="ij")
    dy, a, b = (v.ravel() for v in meeting)
    with np.errstate(all="ignore"):
        truth = gates._backward(
            GATE_OPS["glu"].kernel,
            dtype,
            *(v.astype("f8" if dtype != "f8" else "g") for v in (dy, a, b)),
        )
    da, db = np.split(vk.glu_backward(dy, np.concatenate([a, b])), 2)
    assert_right((da, db), truth)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, dtype):
    sizes = magnitudes(dtype, 9)
    targets = [0, 0.25, 1] if name.endswith("entropy") else sizes
    y = np.abs(sizes) if name == "binary_cross_entropy" else sizes
    meeting = np.meshgrid(sizes, y[y.astype("f8") <= 1] if name[:6] == "binary" else y, targets)
    dy, y, t = (v.ravel().astype(dtype) for v in meeting)
    with np.errstate(all="ignore"):
        truth = losses._expectation(LOSSES[name], 1)(dy, y, t)
    assert_right(getattr(vk, f"{name}_backward")(dy, y, t), truth)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", [name for name in ROW_OPS if name != "sparsemax"])
def test_rows(name, axis, dtype):
    rng = np.random.default_rng(5)
    info = ml_dtypes.finfo(dtype)
    far = np.log(float(ml_dtypes.finfo("f8" if dtype == "f8" else "f4").max)) * 1.04
    x = np.concatenate([[0, -0.5, -3, -far / 4, -far / 2], -far + np.arange(12) / 4]).astype(dtype)
    op = ROW_OPS[name]
    y = x if op.reduces else getattr(vk, name)(x)
    for scale in (*2.0 ** np.linspace(info.minexp, info.maxexp - 5, 9), float(info.max) / 2.001):
        dy = np.where(rng.random(len(x)) < 0.5, -scale, scale).astype(dtype)
        if scale * 3 > float(info.max) and name == "log_softmax":
            dy[2:] = 0  # their sum is in range
        dy = dy[:1] if op.reduces else dy
        operands = [v[:, None] if axis == 0 else v[None] for v in (dy, y)]
        operands[0] = operands[0].ravel() if op.reduces else operands[0]
        expect = rows._expectation(f"{name}_backward", op, True)
        with np.errstate(all="ignore"):
            truth = expect(*operands, axis=axis)
        assert_right(getattr(vk, f"{name}_backward")(*operands, axis=axis), truth)


@pytest.mark.parametrize("space", [vk.reference, vk.jit], ids=lambda s: s.__name__)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_other_namespaces(space, dtype):
    most = float(np.log(np.finfo(dtype).max))
    x = np.array([0.9, 1.2, 1.4, -0.9, -1.2, -1.9]) * most
    dy = np.exp(-np.longdouble(x)).clip(1e-300 if dtype == "f8" else 1e-36, np.finfo(dtype).max)
    x, dy = x.astype(dtype), dy.astype(dtype)
    results = (s.exponential_backward(dy, x) for s in (space, vk))
    np.testing.assert_allclose(*results, rtol=4 * np.finfo(dtype).eps)
    large = np.array([np.finfo(dtype).max / 4], dtype)
    for gate, at in (("swiglu", -0.7), ("geglu", -3), ("reglu", -1)):
        a = np.array([at * most if gate == "swiglu" else at], dtype)
        small = large if gate == "swiglu" else np.sqrt(large) / 8
        pair = [getattr(s, f"{gate}_backward")(large, a, small)[0] for s in (space, vk)]
        np.testing.assert_allclose(*pair, rtol=1e-5)


def test_samples():
    assert vk.exponential_backward(np.float32(-1e-40), np.int8(110)) == pytest.approx(-5.92e7, 1e-3)
    y, dy = np.float32([0.5, 0.25, 0.25]), np.float32([3.4e38, -3.4e38, -3.4e38])
    assert np.isfinite(vk.softmax_backward(dy, y)).all()
    large = np.float32(3e30)
    assert vk.swiglu_backward(large, np.float32(-100), large)[0] == pytest.approx(-3.3e19, rel=1)
    assert vk.squared_error_backward(1e-10, np.float32(3e38), np.float32(-3e38)) == pytest.approx(
        1.2e29
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_relu_with_slopes_and_thresholds(dtype):
    rng = np.random.default_rng(3)
    kernel = next(k for k in OPS["relu"].kernels if len(k.params) == 3)
    for slope, threshold in product((1.5, 7.25, 0.3, 100), (0.25, -1.3, 3, 1e4)):
        x = (threshold + rng.normal(0, 3, 3001)).astype(dtype)
        parameters = [np.full(len(x), p, dtype) for p in (slope, np.inf, threshold)]
        truth = activation_truth(kernel, "", (x,), parameters)
        result = vk.relu(x, negative_slope=parameters[0], threshold=parameters[2])
        assert not truth.refutes(result)
