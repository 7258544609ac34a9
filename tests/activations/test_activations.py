"""The public activations: signatures, parameters, kinks, limits, and their gradients."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from oracle import example_params, in_domain, kinks, sample

import vekt as vk
from vekt import reference, ufuncs
from vekt._spec.activations import KERNELS, OPS
from vekt._spec.spec import Kernel, Spec

FLOATS = ["float32", "float64"]
by_name = pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
by_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)
by_dtype = pytest.mark.parametrize("dtype", FLOATS)


def public(op: Spec, ending: str = "") -> Any:
    return getattr(vk, op.name + ending)


def raw(kernel: Kernel, ending: str = "") -> Any:
    return getattr(ufuncs, kernel.name + ending)


@by_dtype
@by_kernel
def test_backward_is_one_product_with_the_derivative(kernel: Kernel, dtype: str) -> None:
    x, params = sample(dtype, 300), example_params(kernel)
    dy = np.random.default_rng(4).normal(size=x.size).astype(dtype)
    value, gradient = raw(kernel, "_value_and_grad")(x, *params)
    assert_array_equal(value, raw(kernel)(x, *params), strict=True)
    with np.errstate(over="ignore"):
        product = dy * gradient
    result = raw(kernel, "_backward")(dy, x, *params)
    if kernel.name == "exponential":  # which has more digits beside subnormal derivatives
        usual = gradient >= np.finfo(dtype).tiny
        result, product = result[usual], product[usual]
    assert_array_equal(result, product, strict=True)


@by_dtype
@by_kernel
def test_limits_and_nan(kernel: Kernel, dtype: str) -> None:
    op = next(op for op in OPS.values() if kernel in op.kernels)
    defaults = {param.name: param.value for param in op.array_params}
    params = [defaults[name] for name in kernel.params]
    ends = np.array([-np.inf, np.inf, np.nan], dtype)
    value, gradient = raw(kernel, "_value_and_grad")(ends, *params)
    assert_array_equal(value, np.array([*kernel.limits, np.nan], dtype))
    assert_array_equal(gradient, np.array([*kernel.gradient_limits, np.nan], dtype))


@by_dtype
@by_kernel
def test_kinks(kernel: Kernel, dtype: str) -> None:
    params = example_params(kernel)
    for at, slope in kinks(kernel, params):
        gradient = raw(kernel, "_value_and_grad")(np.array([at], dtype), *params)[1]
        assert_array_equal(gradient, np.array([slope], dtype), strict=True)


@by_kernel
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_derivative_against_central_differences(kernel: Kernel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    params = tuple(rng.uniform(0.5, 2, len(kernel.params)))  # where they all have a meaning
    x, h = rng.normal(0, 2, 500), 2.0**-17
    for at, _ in kinks(kernel, params):
        x = x[np.abs(x - at) > 2 * h]
    x = x[np.abs(x - np.round(x)) > 2 * h]  # curvatures jump at 0 and 1
    x = in_domain(kernel, x, margin=0.5)
    rise = raw(kernel)(x + h, *params) - raw(kernel)(x - h, *params)
    value, gradient = raw(kernel, "_value_and_grad")(x, *params)
    tolerance = 1e-9 * max(1, np.abs(value).max() / 16)
    np.testing.assert_allclose(gradient, rise / (2 * h), rtol=1e-9, atol=tolerance)


def calls(op: Spec, kernel: Kernel, params: tuple[Any, ...]) -> dict[str, Any]:
    """Keywords with which the public function runs that kernel."""
    return dict(kernel.flags) | dict(zip(kernel.params, params, strict=True))


@by_dtype
@by_name
def test_public_functions_run_the_kernel_meant(op: Spec, dtype: str) -> None:
    x, dy = sample(dtype, 200), np.ones(208, dtype)
    for kernel in op.kernels:
        params = example_params(kernel)
        keywords = calls(op, kernel, params)
        assert_array_equal(public(op)(x, **keywords), raw(kernel)(x, *params), strict=True)
        assert_array_equal(
            public(op, "_backward")(dy, x, **keywords),
            raw(kernel, "_backward")(dy, x, *params),
            strict=True,
        )
        for got, expected in zip(
            public(op, "_value_and_grad")(x, **keywords),
            raw(kernel, "_value_and_grad")(x, *params),
            strict=True,
        ):
            assert_array_equal(got, expected, strict=True)


@by_name
def test_defaults_written_out_mean_the_same(op: Spec) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], "f4")
    defaults = [param.default for param in op.params]
    for ending in ("", "_backward", "_value_and_grad"):
        inputs = (x, x) if ending == "_backward" else (x,)
        assert_array_equal(public(op, ending)(*inputs, *defaults), public(op, ending)(*inputs))
    if op.array_params:
        arrays = [np.full(7, param.value, "f4") for param in op.array_params]
        gradients = public(op, "_value_and_grad")(x, *arrays)[1]
        assert_array_equal(gradients, public(op, "_value_and_grad")(x)[1])


def test_options_reach_the_ufunc() -> None:
    x = np.array([-1.0, 2.0])
    for function, keywords in ((vk.gelu, {"approximate": True}), (vk.relu, {"max_value": 1.5})):
        expected = function(x, **keywords)
        out = np.zeros(2)
        assert function(x, **keywords, out=out) is out
        assert_array_equal(out, expected)
        out[:] = 7.0
        function(x, **keywords, out=out, where=[True, False])
        assert_array_equal(out, [expected[0], 7.0])
        assert function(x, **keywords, dtype="f4").dtype == np.float32
        in_place = x.copy()
        function(in_place, **keywords, out=in_place)
        assert_array_equal(in_place, expected)


def test_parameters_broadcast_and_do_not_upcast() -> None:
    x = np.ones((3, 4), "f4")
    slopes = np.array([[0.1], [0.2], [0.3]])
    assert vk.leaky_relu(x, 0.1).dtype == np.float32
    assert vk.leaky_relu(-x, slopes.astype("f4")).dtype == np.float32
    assert vk.leaky_relu(-x, slopes).dtype == np.float64
    assert vk.leaky_relu(-x[0], slopes).shape == (3, 4)
    assert_array_equal(vk.leaky_relu(-x[:, :1], slopes), -slopes)
    assert vk.leaky_relu_backward(x, x, 0.1).dtype == np.float32
    assert vk.relu(3) == 3.0
    assert vk.relu(3).dtype == np.float64


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (TypeError, lambda x: vk.relu(x, None)),
        (TypeError, lambda x: vk.relu(x, threshold=None)),
        (TypeError, lambda x: vk.relu(x, "0.1")),
        (TypeError, lambda x: vk.relu(x, 1j)),
        (TypeError, lambda x: vk.relu(x, [object()])),
        (ValueError, lambda x: vk.relu(x, [0.1, 0.2])),
        (TypeError, lambda x: vk.relu()),
        (TypeError, lambda x: vk.relu(x, slope=0.1)),
        (TypeError, lambda x: vk.gelu(x, approximate="none")),
        (TypeError, lambda x: vk.gelu(x, None)),
        (TypeError, lambda x: vk.gelu(x, [True, False])),
        (TypeError, lambda x: vk.gelu(x, False, None)),
        (ValueError, lambda x: vk.gelu_backward(x[:2], x)),
    ],
)
def test_bad_parameters(error: type[Exception], call: Any) -> None:
    with pytest.raises(error):
        call(np.ones(3))


def test_numpy_booleans_are_flags() -> None:
    x = np.linspace(-2, 2, 5)
    assert_array_equal(vk.gelu(x, np.True_), vk.gelu(x, True))
    assert_array_equal(vk.gelu(x, np.False_), vk.gelu(x))


def test_get() -> None:
    for name in OPS:
        assert vk.activations.get(name) is getattr(vk, name)
        assert vk.activations.get(getattr(vk, name)) is getattr(vk, name)
    for unknown in ("no_such", "gelu_backward", 3, None):
        with pytest.raises(ValueError, match=r"relu, leaky_relu, .*gelu"):
            vk.activations.get(unknown)


@by_name
def test_pickle_by_name(op: Spec) -> None:
    for module in (vk, vk.jit, reference):
        for name in (*op.public_names, *op.alias_names):
            function = getattr(module, name)
            assert pickle.loads(pickle.dumps(function)) is function


def test_source_is_there_for_debuggers() -> None:
    assert inspect.getsource(reference.gelu).startswith("def gelu(x, /, approximate=")


@by_dtype
@by_kernel
def test_reference_agrees(kernel: Kernel, dtype: str) -> None:
    x, params = sample(dtype, 2000), example_params(kernel)
    value = raw(kernel)(x, *params)
    assert (
        reference.ulp_error(value, reference.wide(kernel.name, x, *params)).max()
        <= (kernel.max_ulp[dtype])
    )


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("slope", [0.25, -0.25, 3.0])
@pytest.mark.parametrize("space", [vk, vk.jit, vk.reference], ids=["vekt", "jit", "reference"])
def test_zero_keeps_its_sign_below_a_slope(space: Any, slope: float, dtype: str) -> None:
    zeros = np.array([0.0, -0.0], dtype)
    for form in (slope, np.full(2, slope, dtype)):
        result = space.relu(zeros, negative_slope=form)
        assert_array_equal(np.signbit(result), np.signbit(zeros * np.dtype(dtype).type(slope)))
