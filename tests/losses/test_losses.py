"""The losses: their errors, gradients, limits, manners, and what peers' statements compute."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import mpmath
import numpy as np
import pytest
from conftest import ufuncs_of
from numpy.testing import assert_allclose, assert_array_equal
from peer_statements import INSTALLED, close, execute

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt._spec.losses import LOSSES
from vekt._spec.spec import Spec
from vekt.cli.compare.loss_tasks import loss_tasks
from vekt.cli.peers import PEERS
from vekt.reference import ulp_error

by_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
by_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def operands(loss: Spec, dtype: str, n: int = 6_000) -> list[np.ndarray]:
    """Predictions over the whole range, targets near and far, and the parameter."""
    rng = np.random.default_rng(11)
    tiny, end = (-44, -8) if dtype == "float32" else (-320, -17)
    if loss.name == "binary_cross_entropy":
        parts = [rng.random(n), 10 ** rng.uniform(tiny, 0, n), 1 - 10 ** rng.uniform(end, 0, n)]
        y = np.concatenate([*parts, [0, 0, 1, 1, 0.5]])
    else:
        scales = rng.choice([-1, 1], n) * 10 ** rng.uniform(-30, 30, n)
        y = np.concatenate([rng.normal(0, 4, n), scales, rng.uniform(-130, 130, n), [0, 1e30]])
    t = np.where(rng.random(y.size) < 0.5, rng.random(y.size), rng.integers(0, 2, y.size))
    if loss.params or loss.name == "squared_error":
        t = np.where(t < 0.5, y * (1 + 1e-3 * t), 10 * t)
    with np.errstate(all="ignore"):
        made = [y.astype(dtype), t.astype(dtype)]
    return [*made, *([np.dtype(dtype).type(0.7)] if loss.params else [])]


def truth(loss: Spec, args: list[np.ndarray]) -> tuple[Any, Any]:
    """Value and gradient before they are rounded."""
    wide = np.float64 if args[0].dtype == np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        exact = [a.astype(wide) for a in args]
        return loss.kernel.value(*exact), loss.kernel.gradient(*exact)


@by_loss
@by_dtype
def test_errors(loss, dtype, kernels):
    args, k = operands(loss, dtype), dtype == "float64"
    value, gradient = truth(loss, args)
    got, slope = kernels[f"{loss.name}_value_and_grad"](*args)
    assert ulp_error(got, value).max() <= loss.kernel.max_ulp[dtype]
    with np.errstate(all="ignore"):
        far = ~(np.abs(slope.astype(gradient.dtype) - gradient) <= loss.kernel.gradient_floor[k])
    assert ulp_error(slope, gradient)[far].max(initial=0) <= loss.kernel.gradient_max_ulp[dtype]
    assert_array_equal(kernels[loss.name](*args), got)
    dl = np.random.default_rng(1).normal(size=got.size).astype(dtype)
    with np.errstate(all="ignore"):
        finite = np.isfinite(slope)
        result = kernels[f"{loss.name}_backward"](dl, *args)
        assert_array_equal(result[finite], (dl * slope)[finite])


@by_loss
def test_same_bits_on_both_vector_units(loss):
    if not {"x86_v3", "x86_v4"} <= set(native.SUPPORTED):
        pytest.skip("one vector unit with fma here")
    for dtype in ("float32", "float64"):
        args = operands(loss, dtype)
        pair = [ufuncs_of(i)[f"{loss.name}_value_and_grad"](*args) for i in ("x86_v3", "x86_v4")]
        assert_array_equal(*pair)


@pytest.mark.parametrize("x", ["-1000", "-40.5", "-1e-9", "0.75", "17", "740"])
@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_sigmoid_cross_entropy_against_mpmath(x, t):
    with mpmath.workdps(400):
        true = mpmath.log(1 + mpmath.exp(mpmath.mpf(float(x)))) - t * mpmath.mpf(float(x))
        expected = float(true)
    assert_allclose(vk.sigmoid_cross_entropy(float(x), t), expected, 5e-16)


@pytest.mark.parametrize("p", [1e-300, 3e-9, 0.3, 0.5, 0.75, 1 - 2**-53])
@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_against_mpmath(p, t):
    with mpmath.workdps(400):
        exact = mpmath.mpf(p)
        expected = float(-(t * mpmath.log(exact) + (1 - t) * mpmath.log(1 - exact)))
    assert_allclose(vk.binary_cross_entropy(p, t), expected, 5e-16)


@by_dtype
def test_limits(dtype):
    inf, nan = np.inf, np.nan

    def both(name: str, y: Any, t: Any) -> Any:
        y, t = np.array(y, dtype), np.array(t, dtype)
        return getattr(vk, f"{name}_value_and_grad")(y, t)

    loss, slope = both(
        "sigmoid_cross_entropy", [inf, inf, -inf, -inf, nan, 0, 40], [1, 0, 0, 1, 0, nan, 0]
    )
    assert_array_equal(loss, np.array([0, inf, 0, inf, nan, nan, 40], dtype))
    assert_array_equal(slope, np.array([0, 1, 0, -1, nan, nan, 1], dtype))
    loss, slope = both(
        "binary_cross_entropy", [0, 1, 0, 1, -0.1, 1.1, nan, 0.5], [0, 1, 1, 0, 0, 1, 0, nan]
    )
    assert_array_equal(loss, np.array([0, 0, inf, inf, nan, nan, nan, nan], dtype))
    assert_array_equal(slope, np.array([1, -1, -inf, inf, nan, nan, nan, nan], dtype))
    loss, slope = both("huber", [inf, -inf, nan, 3, 1], [0, 0, 0, 0, 0])
    assert_array_equal(loss, np.array([inf, inf, nan, 2.5, 0.5], dtype))
    assert_array_equal(slope, np.array([1, -1, nan, 1, 1], dtype))
    assert np.isnan(vk.huber_value_and_grad(1.0, 0.0, np.nan)).all()
    assert vk.squared_error(inf, 0.0) == inf
    assert np.isnan(vk.squared_error(inf, inf))


@by_loss
def test_against_the_reference(loss):
    rng = np.random.default_rng(3)
    y, t = rng.uniform(0.1, 0.9, (30, 5)), rng.uniform(0.1, 0.9, 5)
    for module in (vk, reference):
        function = getattr(module, loss.name)
        assert function(y, t).shape == (30, 5)
        assert type(function(1, 0)) is np.float64
        assert function(y.astype("f2"), t.astype("f2")).dtype == "f2"
        with pytest.raises(TypeError):
            function(y.astype(complex), t)
        with pytest.raises(ValueError, match="broadcast"):
            function(y, np.ones(4))
    for name in loss.public_names:
        given = (2.0, y, t) if name.endswith("_backward") else (y, t)
        ours, theirs = getattr(vk, name)(*given), getattr(reference, name)(*given)
        assert_allclose(ours, theirs, 1e-14, 1e-15)
        assert pickle.loads(pickle.dumps(getattr(vk, name))) is getattr(vk, name)


@by_loss
def test_gradient_is_the_slope(loss):
    rng = np.random.default_rng(3)
    y, t = rng.uniform(0.1, 0.9, 300), rng.uniform(0.1, 0.9, 300)
    function = getattr(vk, loss.name)
    slope = (function(y + 1e-6, t) - function(y - 1e-6, t)) / 2e-6
    assert_allclose(getattr(vk, f"{loss.name}_backward")(3.0, y, t), 3 * slope, 1e-6, 1e-8)


def test_huber():
    y, t = np.array([0.0, 1.5, -4.0], "f4"), np.zeros(3, "f4")
    out = np.empty(3, "f4")
    assert vk.huber(y, t, 2, out=out) is out
    assert_array_equal(out, np.array([0, 1.125, 6], "f4"))
    assert_array_equal(vk.huber_backward(y, y, t, 2, out=y), np.array([0, 2.25, 8], "f4"))
    assert vk.huber(1, 0, dtype="f4").dtype == "f4"
    for name in LOSSES["huber"].public_names:
        assert inspect.signature(getattr(vk, name)) == inspect.signature(getattr(reference, name))


@pytest.mark.parametrize("peer", [p for p in INSTALLED if p in ("numpy", "torch", "jax")])
@by_dtype
def test_statements_of_peers(peer, dtype):
    for task in loss_tasks(LOSSES, 200, dtype):
        result, _ = execute(peer, task.name, task.operands)
        loss = LOSSES[task.name.removesuffix("_backward")]
        exact = [task.operands[k].astype(np.longdouble) for k in ("dy", "x", "v")]
        param = [1.0] if loss.params else []
        expected = loss.kernel.value(*exact[1:], *param)
        if task.name != loss.name:
            expected = exact[0] * loss.kernel.gradient(*exact[1:], *param)
        close(result if peer == "jax" else task.operands["out"], expected, dtype)


def test_every_loss_has_its_rows():
    for peer in ("numpy", "torch", "jax"):
        names = {name for loss in LOSSES.values() for name in loss.public_names[:2]}
        assert names <= set(PEERS[peer].statements)
