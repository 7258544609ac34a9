"""The formulas of specs in many digits: enclosures, derivatives, errors of results."""

from __future__ import annotations

import dataclasses
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb
from mpmath import mp

from vekt._spec.activations import KERNELS
from vekt._spec.spec import Kernel, Kink
from vekt.cli.accuracy.oracle import (
    digits,
    enclosed,
    exact,
    exact_ulp_error,
    formula_errors,
    true_gradient,
    true_value,
)
from vekt.cli.accuracy.samples import finite_patterns
from vekt.cli.accuracy.series import Series, UndecidedError
from vekt.reference import ulp_error


def kernel_of(formula: str, *params: str) -> Kernel:
    return dataclasses.replace(KERNELS["relu"], formula=formula, params=params, kinks=())


# Every name that a formula may use, and the same function by mpmath.
FORMULAS = {
    "log(1 + exp(x))": lambda x: mp.log(1 + mp.exp(x)),
    "log1p(exp(-abs(x)))": lambda x: mp.log(1 + mp.exp(-abs(x))),
    "x * tanh(log(1 + exp(x)))": lambda x: x * mp.tanh(mp.log(1 + mp.exp(x))),
    "sin(x) - 2 * cos(x)": lambda x: mp.sin(x) - 2 * mp.cos(x),
    "x - tanh(x)": lambda x: x - mp.tanh(x),
    "x if x > 0 else expm1(x)": lambda x: x if x > 0 else mp.exp(x) - 1,
    "(x + sqrt(x**2 + 4)) / 2": lambda x: (x + mp.sqrt(x * x + 4)) / 2,
    "x * (1 + erf(x / sqrt(2))) / 2": lambda x: x * (1 + mp.erf(x / mp.sqrt(2))) / 2,
    "x * min(max(x + 3, 0), 6) / 6": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "1.25e-1 * x ** 3 + pi": lambda x: x**3 / 8 + mp.pi,
    "-x / (1 - -abs(x))": lambda x: -x / (1 + abs(x)),
}
POINTS = [-700.5, -45.25, -21.75, -2.5, -0.75, -1e-9, 1e-300, 1e-5, 0.3, 2.5, 7.0, 39.0, 1e5]


@pytest.mark.parametrize("formula", FORMULAS)
def test_enclosures_and_derivatives(formula: str) -> None:
    kernel, function = kernel_of(formula), FORMULAS[formula]
    for point in POINTS:
        value, slope = enclosed(kernel, np.float64(point), (), np.float64)
        with mp.workdps(digits("float64")):
            x = mp.mpf(point)
            nothing = mp.mpf(2) ** -1130
            expected = function(x), mpmath.diff(function, x)
            for got, true in zip((value, slope), expected, strict=True):
                assert abs(got - true) <= abs(true) * mp.mpf(10) ** -23 + nothing
            for got, true in zip((true_value, true_gradient), expected, strict=True):
                assert abs(got(kernel, x) - true) <= abs(true) * mp.mpf(10) ** -50 + nothing


def test_large_arguments_take_no_time() -> None:
    for name in ("sigmoid", "tanh", "gelu", "gelu_tanh"):
        for x in (1.7e308, -1.7e308):
            value, slope = enclosed(KERNELS[name], np.float64(x), (), np.float64)
            linear = x if name.startswith("gelu") else 1.0
            low = -1.0 if name == "tanh" else 0.0
            assert float(value) == (linear if x > 0 else low)
            assert float(slope) == (x > 0 and name.startswith("gelu"))


def test_parameters_and_what_is_not_real() -> None:
    kernel = kernel_of("log(x - shift)", "shift")
    value, slope = enclosed(kernel, np.float32(3), (np.float32(1),), np.float32)
    assert float(value) == np.log(2.0)
    assert float(slope) == 0.5
    assert mp.isnan(enclosed(kernel, np.float32(0.5), (np.float32(1),), np.float32)[0])


def test_digits_that_do_not_suffice() -> None:
    with pytest.raises(ArithmeticError, match="digits"):
        enclosed(kernel_of("1 if sqrt(2) * sqrt(2) > 2 else x"), np.float64(1), (), np.float64)


def test_comparisons_of_balls() -> None:
    wide, right = Series([arb(1, 1)]), Series([arb(3.5, 0.25)])
    assert wide < right
    assert right >= 3
    assert not right <= wide
    with pytest.raises(UndecidedError):
        bool(wide > 1)
    with pytest.raises(UndecidedError):
        max(wide, Series([arb(3, 2)]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_ulp_error(dtype: Any) -> None:
    info = np.finfo(dtype)
    rng = np.random.default_rng(6)
    results = np.concatenate([info.max * rng.uniform(-1, 1, 20), info.tiny * rng.normal(size=20)])
    results = np.append(results.astype(dtype), [np.inf, -np.inf, np.nan, 0, 1, 2]).astype(dtype)
    for true in (0.0, 1.0, -2.0, float(info.max), 2.0**-150, -np.inf, np.inf, np.nan, 1e39):
        wide = np.full(results.shape, true, np.longdouble)
        expected = ulp_error(results, wide)
        for result, error in zip(results, expected, strict=True):
            assert exact_ulp_error(result, exact(true)) == pytest.approx(error, rel=1e-15)


def test_errors_at_kinks_and_roots() -> None:
    kernel = dataclasses.replace(KERNELS["relu"], kinks=(Kink(0.5, 0.0),))
    x = np.array([-1.0, 0.5, 2.0])
    errors = formula_errors(kernel, (), "gradient", x)
    np.testing.assert_array_equal(errors(np.array([0.0, 77.0, 1.0 + 2.0**-52])), [0, 0, 1])
    near = np.array([-0.75])
    slope = formula_errors(KERNELS["gelu"], (), "gradient", near)
    true = float(enclosed(KERNELS["gelu"], near[0], (), np.float64)[1])
    assert slope(np.array([true + 2.0**-53])) == pytest.approx(1, abs=0.01)
    values = formula_errors(kernel, (), "value", x)
    np.testing.assert_array_equal(values(np.array([0.0, 0.5, 2.0 - 2.0**-52])), [0, 0, 0.5])


def test_agrees_with_the_reference() -> None:
    from vekt import reference

    x = finite_patterns(np.dtype("f8"), 0, 100, 100)
    for kernel in KERNELS.values():
        if not kernel.params and kernel.domain[0] < 0:
            with np.errstate(over="ignore"):
                results = reference.wide(kernel.name, x).astype("f8")
            assert formula_errors(kernel, (), "value", x)(results).max() <= 0.51
