"""Where the exponential family overflows, underflows or meets extreme parameters."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vekt.reference import ulp_error, wide, wide_from_output, wide_gradient

FLOATS = ("float32", "float64")
by_dtype = pytest.mark.parametrize("dtype", FLOATS)
Kernels = dict[str, np.ufunc]


@by_dtype
def test_exponential_at_the_ends_of_the_range(dtype: str, kernels: Kernels) -> None:
    info = np.finfo(dtype)
    ends = [np.log(info.max), np.log(info.tiny), np.log(info.smallest_subnormal) - 0.7]
    steps = np.arange(-300, 301) * info.eps
    x = np.concatenate([end * (1 + steps) for end in ends]).astype(dtype)
    with np.errstate(all="raise"):
        y = kernels["exponential"](x)
    assert np.isinf(y).any()
    assert (y == 0).any()
    assert ulp_error(y, wide("exponential", x)).max() <= 1


@by_dtype
def test_elu_with_alpha_0_is_relu(dtype: str, kernels: Kernels) -> None:
    x = np.array([-np.inf, -1e4, -1.0, -1e-30, -0.0, 0.0, 2.0, np.inf], dtype)
    value, gradient = kernels["elu_value_and_grad"](x, 0.0)
    assert_array_equal(value, np.maximum(x, 0))
    assert_array_equal(gradient, (x > 0).astype(dtype))


@by_dtype
@pytest.mark.parametrize("alpha", [-3.0, 1e-12, 1e-6, 0.3, 3.0, 1e6, 1e11])
def test_elu_and_its_gradient_for_any_alpha(dtype: str, alpha: float, kernels: Kernels) -> None:
    far = -np.log(np.finfo(dtype).smallest_subnormal)
    x = np.random.default_rng(5).uniform(-1.3 * far, 0.0, 20_000).astype(dtype)
    with np.errstate(all="raise"):
        value, gradient = kernels["elu_value_and_grad"](x, alpha)
    assert ulp_error(value, wide("elu", x, alpha)).max() <= 1
    assert ulp_error(gradient, wide_gradient("elu", x, alpha)).max() <= 1


@by_dtype
@pytest.mark.parametrize("alpha", [1e-12, 0.3, 1.0, 3.0, 1e6, 1e11])
def test_celu_scales_with_alpha(dtype: str, alpha: float, kernels: Kernels) -> None:
    rng = np.random.default_rng(6)
    far = 1.1 * np.log(np.finfo(dtype).smallest_subnormal)
    parts = [rng.uniform(far, 0, 10_000) * alpha, -(2.0 ** rng.uniform(-149, 6, 10_000)), [-np.inf]]
    x = np.concatenate(parts).astype(dtype)
    with np.errstate(all="raise"):
        value, gradient = kernels["celu_value_and_grad"](x, alpha)
    assert ulp_error(value, wide("celu", x, alpha)).max() <= 1
    assert ulp_error(gradient, wide_gradient("celu", x, alpha)).max() <= 1


@by_dtype
@pytest.mark.parametrize("name", ["elu", "celu"])
def test_an_array_of_alphas_is_as_good_as_one(name: str, dtype: str, kernels: Kernels) -> None:
    x = np.random.default_rng(7).normal(0, 3, 101).astype(dtype)
    alpha = np.random.default_rng(8).uniform(0.1, 4, (5, 1)).astype(dtype)
    for form in ("", "_value_and_grad"):
        together = np.asarray(kernels[name + form](x, alpha))
        rows = np.stack([np.asarray(kernels[name + form](x, a)) for a in alpha[:, 0]], axis=-2)
        assert_array_equal(together, rows, strict=True)


@by_dtype
@pytest.mark.parametrize("name", ["elu", "celu", "selu"])
def test_gradient_from_an_output_near_its_lower_limit(
    name: str, dtype: str, kernels: Kernels
) -> None:
    """The sum y + alpha cancels there, and must not lose digits."""
    params = () if name == "selu" else (np.dtype(dtype).type(1.7),)
    limit = -wide(name, np.dtype(dtype).type(-np.inf), *params)
    y = -(limit * (1 - 2.0 ** -np.arange(1.0, 20.0))).astype(dtype)
    computed = kernels[f"{name}_backward_from_output"](np.ones_like(y), y, *params)
    assert ulp_error(computed, wide_from_output(name, y, *params)).max() <= 1


@by_dtype
def test_selu_of_the_largest_numbers(dtype: str, kernels: Kernels) -> None:
    largest = np.finfo(dtype).max
    x = np.array([largest, -largest, largest / 2, np.inf, -np.inf], dtype)
    value = kernels["selu"](x)
    assert ulp_error(value, wide("selu", x)).max() <= 1
    assert_array_equal(np.isinf(value), [True, False, False, True, False])
