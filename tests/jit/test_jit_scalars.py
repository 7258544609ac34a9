"""The scalar functions of `vekt.jit`, against formulas in 1300 bits."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from jit_oracle import OUTPUTS, PRECISION, TRUTH, ulp_errors
from mpmath import mp, workprec
from numba import njit
from numpy.testing import assert_array_equal
from oracle import sample

from vekt.jit._kernels import COMPILED
from vekt.jit._scalars import FROM_OUTPUT, SCALARS

by_name = pytest.mark.parametrize("name", SCALARS)
by_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


@lru_cache
def compiled(name: str, kind: str = "") -> Callable[..., Any]:
    """Compile a kernel with its parameters bound."""
    kernel, params = COMPILED[name + kind], TRUTH[name].params
    if "backward" in kind:
        return njit(lambda dy, x: kernel(dy, x, *params))
    return njit(lambda x: kernel(x, *params))


def true(function: Callable[..., Any], x: np.ndarray, name: str) -> list[Any]:
    exact = [mp.mpf(p) for p in TRUTH[name].params]
    return [mp.mpf(function(mp.mpf(value), *exact)) for value in x.tolist()]


def test_every_scalar_is_tested() -> None:
    assert set(TRUTH) == set(SCALARS)
    assert set(OUTPUTS) == set(FROM_OUTPUT)
    for name, derivative in FROM_OUTPUT.items():
        params = list(inspect.signature(SCALARS[name]).parameters)[1:]
        assert list(inspect.signature(derivative).parameters) == ["y", *params]


@by_dtype
@by_name
def test_accuracy(name: str, dtype: str) -> None:
    truth = TRUTH[name]
    x = sample(dtype, 300, seed=1)
    x = np.concatenate([x, np.random.default_rng(2).uniform(-3, 3, 100).astype(dtype)])
    value, gradient = compiled(name, "_value_and_grad")(x)
    assert value.dtype == gradient.dtype == dtype
    with workprec(PRECISION):
        errors = ulp_errors(value, true(truth.value, x, name))
        wide = true(truth.gradient, x, name)
        gradient_errors = ulp_errors(gradient, wide)
    assert errors.max() <= (1.0 if dtype == "float32" else truth.ulp)
    far = np.full(x.size, True)
    for root in truth.roots:
        far &= np.abs(x - root) > 0.0625
    if dtype == "float64":
        pairs = zip(gradient[~far].tolist(), np.array(wide)[~far], strict=True)
        assert all(abs(mp.mpf(got) - want) <= 2.0**-52 for got, want in pairs)
    assert gradient_errors[far].max() <= (1.0 if dtype == "float32" else truth.gradient_ulp)


@by_name
def test_limits_and_nan(name: str) -> None:
    """At infinity, the limits; NaN comes out as NaN, whatever its bits are."""
    truth = TRUTH[name]
    nans = np.array([0x7FF8000000000000, 0x7FF80000000007A2, 0xFFFFFFFFFFFFFFFF], "u8").view("f8")
    run = compiled(name, "_value_and_grad")
    assert np.isnan(run(nans)).all()
    ends = np.array([-np.inf, np.inf])
    far = np.array([-1e300, 1e300])
    with workprec(PRECISION):
        for got, formula in zip(run(ends), (truth.value, truth.gradient), strict=True):
            near = [mp.mpf(formula(mp.mpf(x), *map(mp.mpf, truth.params))) for x in far.tolist()]
            for value, limit in zip(got.tolist(), near, strict=True):
                if mp.isnan(limit):
                    assert np.isnan(value)
                elif abs(limit) > 1e200:
                    assert value == float(mp.sign(limit)) * np.inf
                else:
                    assert value == float(limit)


@by_dtype
@pytest.mark.parametrize("name", [name for name, truth in TRUTH.items() if truth.kinks])
def test_kinks(name: str, dtype: str) -> None:
    x, slope = np.array(TRUTH[name].kinks, dtype).T
    _, gradient = compiled(name, "_value_and_grad")(np.ascontiguousarray(x))
    assert_array_equal(gradient, slope)


@by_dtype
@pytest.mark.parametrize("name", FROM_OUTPUT)
def test_from_output(name: str, dtype: str) -> None:
    derivative, (low, high) = OUTPUTS[name]
    rng = np.random.default_rng(6)
    low, high = max(low, -1e30), min(high, 1e30)
    y = [rng.uniform(low, high, 200), np.clip(rng.normal(size=100), low, high)]
    y = np.clip(np.concatenate(y).astype(dtype), np.float32(low), np.float32(high)).astype(dtype)
    run = compiled(name, "_backward_from_output")
    with workprec(PRECISION):
        errors = ulp_errors(run(np.ones_like(y), y), true(derivative, y, name))
    assert errors.max() <= (1.0 if dtype == "float32" else 2.0)
    assert np.isnan(run(np.ones(1, dtype), np.full(1, np.nan, dtype))).all()


def test_log1mexp_at_and_below_zero() -> None:
    value, gradient = compiled("log1mexp", "_value_and_grad")(np.array([0.0, -0.0, -1.0]))
    assert_array_equal(value, [-np.inf, -np.inf, np.nan])
    assert_array_equal(gradient, [np.inf, np.inf, np.nan])
