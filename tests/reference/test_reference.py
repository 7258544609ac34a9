"""The reference against mpmath, and the reference's own manners."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from mpmath import mp
from oracle import (
    around_roots,
    digits,
    exact,
    example_params,
    in_domain,
    kinks,
    sample,
    true_gradient,
    true_value,
)

from vekt import reference
from vekt._spec.activations import KERNELS, OPS

FLOATS = ["float32", "float64"]


_NAMED = ("sigmoid", "softplus")  # activations that formulas of others name


def tolerance(dtype: str) -> float:
    """Relative error that the wide result may have."""
    extended = np.finfo(np.longdouble).nmant > 52
    return {"float32": 2.0**-45, "float64": 2.0**-60 if extended else 2.0**-49}[dtype]


def public(name: str, kind: str = "") -> Callable[..., Any]:
    """Return a public function that runs this kernel, with the parameters of the examples."""
    kernel = KERNELS[name]
    op = next(op for op in OPS.values() if kernel in op.kernels)
    given = dict(zip(kernel.params, example_params(kernel), strict=True))
    return lambda *operands: getattr(reference, op.name + kind)(*operands, **kernel.flags, **given)


def assert_close(wide: Any, rounded: Any, true: Any, x: np.ndarray, dtype: str) -> None:
    """Compare to the bounds; far below the smallest number of the dtype anything will do.

    So will every number beyond its range, where the true one is.  What is `rounded` is so once, and
    is off by no more than half a unit beside that.
    """
    nothing = exact(np.finfo(dtype).smallest_subnormal) * mp.mpf(2) ** -40
    beyond = mp.mpf(2) ** int(np.finfo(dtype).maxexp)
    for point, got, short in zip(x, wide, rounded, strict=True):
        expected = true(exact(point))
        if min(exact(got), expected) >= beyond:
            continue
        slack = tolerance(dtype) * abs(expected) + nothing
        assert abs(exact(got) - expected) <= slack, (point, got, expected)
        if np.isfinite(short):
            half = exact(np.spacing(np.abs(short))) / 2
            assert abs(exact(short) - expected) <= half + slack, (point, short, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", KERNELS)
def test_value_against_mpmath(name: str, dtype: str) -> None:
    kernel, params = KERNELS[name], example_params(KERNELS[name])
    x = in_domain(kernel, np.concatenate([sample(dtype, 320), around_roots(kernel, dtype)]))
    with mp.workdps(digits(dtype)):
        assert_close(
            reference.wide(name, x, *params),
            public(name)(x),
            lambda t: true_value(kernel, t, params),
            x,
            dtype,
        )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", KERNELS)
def test_gradient_against_mpmath(name: str, dtype: str) -> None:
    kernel, params = KERNELS[name], example_params(KERNELS[name])
    x = np.concatenate([sample(dtype, 320, seed=1), around_roots(kernel, dtype)])
    x = in_domain(kernel, x)
    x = x[~np.isin(x, [at for at, _ in kinks(kernel, params)])]
    with mp.workdps(digits(dtype)):
        assert_close(
            reference.wide_gradient(name, x, *params),
            public(name, "_value_and_grad")(x)[1],
            lambda t: true_gradient(kernel, t, params),
            x,
            dtype,
        )


@pytest.mark.parametrize("name", KERNELS)
def test_the_formula_of_the_gradient(name: str) -> None:
    """As it stands in docstrings and tables, the chosen side of each jump included."""
    kernel, params = KERNELS[name], example_params(KERNELS[name])
    given = dict(zip(kernel.params, params, strict=True))
    x = np.concatenate([np.linspace(-7, 7, 57), [at for at, _ in kinks(kernel, params)]])
    x = x[(x > kernel.domain[0]) & (x < kernel.domain[1])]
    known = vars(math) | {f: lambda t, f=f: float(getattr(reference, f)(t)) for f in _NAMED}
    told = [eval(kernel.gradient_formula, known | given | {"x": float(at)}) for at in x]
    expected = public(name, "_value_and_grad")(x)[1]
    np.testing.assert_allclose(expected, told, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [n for n, k in KERNELS.items() if k.from_output])
def test_gradient_from_output_is_the_gradient(name: str) -> None:
    """In longdouble, where the value y determines the input well enough."""
    kernel, params = KERNELS[name], example_params(KERNELS[name])
    x = sample("float64", 2000).astype(np.longdouble)
    x = x[(np.abs(x) < 30) & ~np.isin(x, [at for at, _ in kinks(kernel, params)])]
    with np.errstate(all="ignore"):
        wide = [np.full_like(x, p) for p in params]
        got = kernel.from_output(kernel.value(x, *wide), *wide)
        expected = kernel.gradient(x, *wide)
    defined = ~np.isnan(expected)
    np.testing.assert_allclose(got[defined], expected[defined], rtol=2e-16, atol=2e-16)


def test_wide_dtypes() -> None:
    assert reference.wide("gelu", np.float32(1)).dtype == np.float64
    assert reference.wide("gelu", 1.0).dtype == np.longdouble
    assert reference.wide_gradient("relu_general", np.ones((2, 1), "f4"), [0.5], 1, 0).shape == (
        2,
        1,
    )
    with pytest.raises(ValueError, match="gelu"):
        reference.wide_from_output("gelu", 1.0)


def test_parameters_are_rounded_to_the_dtype_of_the_input() -> None:
    assert reference.wide("leaky_relu", np.float32(-1), 0.1)[()] == -float(np.float32(0.1))


def assert_nearest(got: np.ndarray, wide: np.ndarray) -> None:
    """No neighbour of a result is nearer to the true value; infinity is the next power of two."""
    beyond = 2.0 ** int(ml_dtypes.finfo(got.dtype).maxexp)

    def error(x: np.ndarray) -> Any:
        return np.abs(np.clip(x.astype("f8"), -beyond, beyond) - np.clip(wide, -beyond, beyond))

    for end in (-np.inf, np.inf):
        other = np.nextafter(got, np.array(end, got.dtype))
        wrong = ~(error(got) <= error(other)) & ~np.isnan(wide)
        assert not wrong.any(), (got[wrong][:3], wide[wrong][:3])


@pytest.mark.parametrize("dtype", [np.dtype("f2"), np.dtype(ml_dtypes.bfloat16)], ids=str)
@pytest.mark.parametrize("name", KERNELS)
def test_results_are_rounded_once(name: str, dtype: Any) -> None:
    """Every number of 16 bits: rounded to float32 first, some results would be one unit off."""
    x = np.arange(2**16, dtype="u2").view(dtype)
    x = x[np.isfinite(x.astype("f4"))]
    kernel, params = KERNELS[name], example_params(KERNELS[name])
    x = in_domain(kernel, x)
    exact_operands = [x.astype("f4"), *params]
    with np.errstate(all="ignore"):
        value, gradient = public(name, "_value_and_grad")(x)
        for got, wide in (
            (public(name)(x), reference.wide(name, *exact_operands)),
            (value, reference.wide(name, *exact_operands)),
            (gradient, reference.wide_gradient(name, *exact_operands)),
        ):
            assert got.dtype == dtype
            np.testing.assert_array_equal(np.isnan(got.astype("f4")), np.isnan(wide))
            assert_nearest(got, wide)


def test_tails_are_kept() -> None:
    assert 0 > reference.gelu(np.float32(-13)) > -1e-35
    assert 0 > reference.gelu(-38.4) > -1e-318
    assert 0 < float(reference.sigmoid(np.float32(-103))) < 2e-45
    assert 0 < reference.tanh_backward(1.0, 372.0) < 5e-323


def test_dot_is_exact() -> None:
    big = np.array([1e20, 1.0, -1e20, 3e-20])
    assert reference.dot(big, np.ones(4)) == 1.0 + 3e-20
    x, y = np.random.default_rng(3).normal(size=(2, 500))
    with mp.workdps(60):
        expected = float(mp.fsum(exact(a) * exact(b) for a, b in zip(x, y, strict=True)))
    assert reference.dot(x, y) == expected
    assert reference.dot(x.astype("f4"), y.astype("f4")).dtype == np.float32
    assert reference.dot([1, 2], [3, 4]) == 11.0
    assert reference.dot([], []) == 0.0
    assert reference.dot([np.inf], [1.0]) == np.inf
    assert np.isnan(reference.dot([np.inf, np.inf], [1.0, -1.0]))
    assert reference.dot([1e300], [1e8]) == 1e308


@pytest.mark.parametrize(
    ("computed", "true", "error"),
    [
        (np.float32(1), 1 + 2.0**-24, 0.5),
        (np.float32(2), 2 - 2.0**-24, 0.5),
        (np.float32(0), 2.0**-149, 1.0),
        (np.float32(2.0**-149), 2.0**-151, 0.75),
        (np.float32(2.0**-149), 0.0, 1.0),
        (np.float64(-5e-324), np.longdouble(0), 1.0),
        (np.float32(np.inf), 2.0**128, 0.0),
        (np.float32(np.inf), np.inf, 0.0),
        (np.float32(np.inf), 2.0**128 - 2.0**103, 0.5),
        (np.finfo("f4").max, 1e39, 1.0),
        (np.float32(np.nan), np.nan, 0.0),
        (np.float32(np.nan), 1.0, np.inf),
        (np.float32(1), np.nan, np.inf),
        (np.float32(-np.inf), np.inf, np.inf),
        (np.float32(0), -0.0, 0.0),
        (np.float64(1), np.longdouble(1), 0.0),
        (np.float64(1 + 2.0**-52), np.longdouble(1), 1.0),
        (np.float64(0), np.longdouble(5e-324), 1.0),
    ],
)
def test_ulp_error(computed: Any, true: Any, error: float) -> None:
    assert reference.ulp_error(computed, true) == error


def test_ulp_error_is_elementwise() -> None:
    error = reference.ulp_error(np.ones((2, 3), "f4"), np.ones((2, 3)))
    assert error.shape == (2, 3)
    assert error.dtype == np.float64


def test_sizes_of_complex_numbers():
    z = np.array([3 + 4j, -5j])
    np.testing.assert_array_equal(reference.absolute(z), [5, 5])
    assert reference.absolute(z.astype("c8")).dtype == np.float32
