"""Errors in ULP of every kernel on every instruction set, against the bounds of their specs.

The reference that they are measured against is itself checked in test_reference.py.  All 2^32
float32 inputs: `pytest -m exhaustive -s`, a few minutes for each kernel on two cores.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from oracle import around_roots, example_params, kinks, sample

from vekt import ufuncs
from vekt._core import native
from vekt._spec.activations import KERNELS
from vekt._spec.spec import Kernel
from vekt.reference import ulp_error, wide, wide_from_output, wide_gradient

DTYPES = ("float32", "float64")
by_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)
by_dtype = pytest.mark.parametrize("dtype", DTYPES)


def inputs(kernel: Kernel, dtype: str, count: int = 40_000) -> np.ndarray:
    """Return samples of every kind, all exponents, special values, and what is near roots."""
    info = np.finfo(dtype)
    bits = np.random.default_rng(1).integers(0, 2**info.bits, count, "uint64", endpoint=False)
    patterns = bits.astype(f"uint{info.bits}").view(dtype)
    special = [np.inf, -np.inf, np.nan, 0.0, -0.0, info.max, info.min, info.tiny, -info.tiny]
    edges = np.arange(-160, 161) / 10
    parts = [sample(dtype, count), patterns, special, edges, around_roots(kernel, dtype)]
    return np.concatenate([np.asarray(part, dtype) for part in parts])


def assert_within(
    kernel: Kernel, form: str, x: np.ndarray, computed: np.ndarray, true: np.ndarray
) -> None:
    """Compare with the bound of the kernel's value or gradient, absolute near a gradient's root."""
    bounds = kernel.max_ulp if form == "value" else kernel.gradient_max_ulp
    error = ulp_error(computed, true)
    error[np.isnan(computed) & np.isnan(true)] = 0
    if form == "gradient" and x.dtype == np.float64:
        for root in kernel.roots:
            with np.errstate(invalid="ignore"):  # signalling NaN among the patterns
                near = np.abs(x - float(root)) < kernel.root_radius
            assert np.all(np.abs(computed[near] - true[near]) <= 2.0**-53)
            error[near] = 0
    worst = np.argmax(error)
    assert error[worst] <= bounds[x.dtype.name], (form, x[worst], computed[worst], true[worst])


@by_dtype
@by_kernel
def test_value_and_gradient(
    kernel: Kernel, dtype: str, isa: str, kernels: dict[str, np.ufunc]
) -> None:
    x = inputs(kernel, dtype)
    # A product of two roundings where a parameter multiplies; the parameters are exact in float32.
    params = example_params(kernel)
    value, gradient = kernels[f"{kernel.name}_value_and_grad"](x, *params)
    assert_within(kernel, "value", x, value, wide(kernel.name, x, *params))
    away = ~np.isin(x, [at for at, _ in kinks(kernel, params)])
    true = wide_gradient(kernel.name, x, *params)
    assert_within(kernel, "gradient", x[away], gradient[away], true[away])
    assert_array_equal(kernels[kernel.name](x, *params), value)
    ones = np.ones_like(x)
    assert_array_equal(kernels[f"{kernel.name}_backward"](ones, x, *params), gradient)


@by_dtype
@pytest.mark.parametrize("name", [name for name, k in KERNELS.items() if k.from_output])
def test_gradient_from_output(name: str, dtype: str, kernels: dict[str, np.ufunc]) -> None:
    params = example_params(KERNELS[name])
    with np.errstate(over="ignore"):
        y = wide(name, sample(dtype, 100_000), *params).astype(dtype)
    computed = kernels[f"{name}_backward_from_output"](np.ones_like(y), y, *params)
    bound = KERNELS[name].max_ulp[dtype]
    assert ulp_error(computed, wide_from_output(name, y, *params)).max() <= bound


@by_dtype
@by_kernel
def test_bits_depend_on_the_value_alone(
    kernel: Kernel, dtype: str, kernels: dict[str, np.ufunc]
) -> None:
    """Sizes 0 to 65, strides -4 to 4: vector bodies, tails, short paths and gathers agree."""
    params = example_params(kernel)
    # Inputs of the tails among the others: the neighbours of an element take its path, or not.
    x = np.random.default_rng(3).normal(0, 6, 70 * 4).astype(dtype)
    alone = np.array([kernels[f"{kernel.name}_value_and_grad"](v, *params) for v in x], dtype).T
    for forms, expected in ((kernel.name, alone[0]), (f"{kernel.name}_backward", alone[1])):
        before = [np.ones_like(x)] * (forms != kernel.name)
        for size in range(66):
            result = kernels[forms](*(b[:size] for b in before), x[:size], *params)
            assert_array_equal(result, expected[:size])
        for stride in (-4, -3, -2, -1, 1, 2, 3, 4):
            result = kernels[forms](*(b[::stride] for b in before), x[::stride], *params)
            assert_array_equal(result, expected[::stride])


@by_dtype
@by_kernel
def test_same_bits_with_fma(kernel: Kernel, dtype: str) -> None:
    """Targets with a fused multiply-add agree; NEON is compared in test_other_machines.py."""
    x = inputs(kernel, dtype)
    params = example_params(kernel)
    fused = [isa for isa in native.SUPPORTED if isa in ("x86_v3", "x86_v4", "neon")]
    results = [
        ufuncs.build_ufuncs(isa)[f"{kernel.name}_value_and_grad"](x, *params) for isa in fused
    ]
    for other in results[1:]:
        assert_array_equal(other, results[0])


@pytest.mark.exhaustive
def test_all_floats() -> None:
    """Bounds on every instruction set, and the same bits on those that promise it."""
    from vekt.cli import main

    assert main(["accuracy", "--exhaustive", "--isa", "all"]) == 0
