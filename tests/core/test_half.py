"""16-bit floats: stored in 16 bits, computed in float32, rounded once."""

from __future__ import annotations

import inspect
from itertools import product
from typing import Any

import numpy as np
import pytest
from interpreters import run
from numpy.testing import assert_array_equal
from operands import several
from oracle import example_params

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt._spec.activations import KERNELS
from vekt._spec.spec import Kernel
from vekt.reference._rounding import narrowed

ml_dtypes = pytest.importorskip("ml_dtypes")
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOAT16 = np.dtype(np.float16)
NAMES = sorted({kernel["name"] for kernel in native.kernels()})
by_dtype = pytest.mark.parametrize("dtype", [FLOAT16, BFLOAT16], ids=str)


def every(dtype: np.dtype[Any]) -> np.ndarray:
    """All numbers of a 16-bit dtype, NaN of every kind among them."""
    return np.arange(2**16, dtype=np.uint16).view(dtype)


def assert_same(actual: Any, expected: Any) -> None:
    assert len(several(actual)) == len(several(expected))
    for a, e in zip(several(actual), several(expected), strict=True):
        assert a.dtype == e.dtype
        nan = np.isnan(e.astype("f4"))
        assert_array_equal(np.isnan(a.astype("f4")), nan)
        assert_array_equal(a.view("u2")[~nan], e.view("u2")[~nan], strict=True)


@by_dtype
@pytest.mark.parametrize("name", NAMES)
def test_is_float32_rounded_once(
    kernels: dict[str, np.ufunc], name: str, dtype: np.dtype[Any], rng: np.random.Generator
) -> None:
    ufunc, x = kernels[name], every(dtype)
    operands = [x, *(rng.permutation(x) for _ in range(ufunc.nin - 1))]
    with np.errstate(all="ignore"):
        expected = [
            e.astype(dtype) for e in several(ufunc(*(operand.astype("f4") for operand in operands)))
        ]
    with np.errstate(all="raise"):
        assert_same(ufunc(*operands), tuple(expected))


@by_dtype
def test_rounds_to_nearest_even(
    kernels: dict[str, np.ufunc], dtype: np.dtype[Any], rng: np.random.Generator
) -> None:
    """Products of two 16-bit numbers are exact in float32, where it has room: ties are frequent."""
    x, slope = every(dtype)[1 : 2**15], rng.permutation(every(dtype))[1 : 2**15]
    wide, wide_slope = -x.astype("f4"), slope.astype("f4")
    with np.errstate(all="ignore"):
        expected = (wide * wide_slope).astype(dtype)
        result = kernels["leaky_relu"](-x, slope)
    plain = (wide > -np.inf) & (wide_slope != 0)
    assert_same(result[plain], expected[plain])


@by_dtype
def test_nan_is_quiet(kernels: dict[str, np.ufunc], dtype: np.dtype[Any]) -> None:
    signalling = {FLOAT16: 0x7C01, BFLOAT16: 0x7F81}[dtype]
    quiet = {FLOAT16: 0x0200, BFLOAT16: 0x0040}[dtype]
    x = np.full(37, signalling, np.uint16).view(dtype)
    for operand in (x, -x):
        for result in several(kernels["sigmoid_value_and_grad"](operand)):
            assert np.isnan(result.astype("f4")).all()
            assert (result.view("u2") & quiet).all()


@by_dtype
def test_layouts(
    kernels: dict[str, np.ufunc], dtype: np.dtype[Any], rng: np.random.Generator
) -> None:
    ufunc = kernels["hard_silu_backward"]
    x, dy = rng.normal(0, 3, (2, 3100)).astype(dtype)
    whole = ufunc(dy, x)
    for n in (*range(67), 1023, 1024, 1025, 3001):
        assert_same(ufunc(dy[:n], x[:n]), whole[:n])
    for step in (-3, -1, 2, 5):
        assert_same(ufunc(dy[::step], x[::step]), whole[::step])
        memory = np.full(3100 * abs(step), 7, dtype)
        ufunc(dy, x, out=memory[::step])
        assert_same(memory[::step].copy(), whole)
        memory[::step] = 7
        assert (memory == 7).all()
    assert_same(ufunc(dy[:1], x), ufunc(np.repeat(dy[:1], 3100), x))
    raw = np.empty(2 * 3100 + 1, np.uint8)
    misaligned = raw[1:].view(dtype)
    misaligned[:] = x
    assert_same(ufunc(dy, misaligned), whole)
    assert_same(ufunc(dy, x, out=misaligned), whole)
    in_place = x.copy()
    assert_same(ufunc(dy, in_place, out=in_place), whole)
    memory = np.concatenate([x, x])
    expected = ufunc(dy, memory[5:3105].copy())
    assert_same(ufunc(dy, memory[5:3105], out=memory[:3100]), expected)
    masked = np.full(3100, 7, dtype)
    ufunc(dy, x, out=masked, where=x > 0)
    assert_same(masked, np.where(x > 0, whole, dtype.type(7)))


DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u8", FLOAT16, BFLOAT16, "f4", "f8"]
SCALARS = [1, 1.5, True]


def test_promotion() -> None:
    """What NumPy's own ufuncs give for floats of 16 bits and others; Python's numbers are weak."""
    expected = {
        "?": ("f2", BFLOAT16),
        "u1": ("f2", BFLOAT16),
        "i2": ("f4", "f4"),
        "i4": ("f8", "f8"),
        FLOAT16: ("f2", "f4"),
        BFLOAT16: ("f4", BFLOAT16),
        "f4": ("f4", "f4"),
        "f8": ("f8", "f8"),
    }
    ones = {dtype: np.ones(3, dtype) for dtype in DTYPES}
    for other, results in expected.items():
        for half, result in zip((FLOAT16, BFLOAT16), results, strict=True):
            assert vk.tanh_backward(ones[half], ones[other]).dtype == result
            assert vk.tanh_backward(ones[other], ones[half]).dtype == result
            assert np.add(ones[half], ones[other]).dtype == result
    for half, scalar in product((FLOAT16, BFLOAT16), SCALARS):
        assert vk.tanh_backward(scalar, ones[half]).dtype == half
        assert vk.leaky_relu(ones[half], scalar).dtype == half
        assert vk.relu_value_and_grad(ones[half], scalar, max_value=scalar)[1].dtype == half
        assert type(vk.gelu(half.type(scalar))) is half.type


@pytest.mark.parametrize("name", ["reference", "jit"])
def test_promotion_is_the_same_in_every_namespace(name: str) -> None:
    namespace = getattr(vk, name)
    operands = [np.ones(3, dtype) for dtype in DTYPES] + SCALARS
    for pair in product(operands, operands):
        expected = vk.tanh_backward(*pair)
        assert np.asarray(namespace.tanh_backward(*pair)).dtype == expected.dtype
    x = np.linspace(-2, 2, 9)
    for dtype in (FLOAT16, BFLOAT16):
        assert_same(namespace.relu(x, dtype=dtype), vk.relu(x.astype(dtype)))
        value, gradient = namespace.relu_value_and_grad(x.astype(dtype))
        assert value.dtype == gradient.dtype == dtype
        out = np.zeros(9, dtype)
        assert namespace.relu(x.astype(dtype), 0.1, out=out, where=x < 0) is out
        assert_same(out, np.where(x < 0, vk.relu(x.astype(dtype), 0.1), dtype.type(0)))


def test_dtype_and_out() -> None:
    x = np.linspace(-2, 2, 9, dtype="f4")
    for dtype in (FLOAT16, BFLOAT16):
        narrow = x.astype(dtype)
        assert_same(vk.gelu(narrow, dtype=dtype), vk.gelu(narrow))
        assert vk.gelu(narrow, dtype="f4").dtype == np.float32
        wide = np.empty(9, "f4")
        assert vk.gelu(narrow, out=wide) is wide
        assert_array_equal(wide, vk.gelu(narrow).astype("f4"))
    for other in (ml_dtypes.float8_e4m3fn, ml_dtypes.int4, "V2"):
        for function in (vk.tanh, reference.tanh):
            with pytest.raises(TypeError):
                function(np.zeros(3, other))


@by_dtype
@pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)
def test_reference(kernel: Kernel, dtype: np.dtype[Any]) -> None:
    """Within a unit of the reference, which rounds once: half of one, and a float32's error."""
    params = [dtype.type(p) for p in example_params(kernel)]
    wide = reference.wide(kernel.name, every(dtype), *params)
    assert wide.dtype == np.float64
    expected = narrowed(wide, dtype).astype("f8")
    computed = getattr(vk.ufuncs, kernel.name)(every(dtype), *params).astype("f8")
    # The neighbours of the result, as bits: a step past the largest number is infinity.
    bits = expected.astype(dtype).view("i2").astype("i4")
    ordered = np.where(bits < 0, -(bits & 0x7FFF), bits)
    got = computed.astype(dtype).view("i2").astype("i4")
    got = np.where(got < 0, -(got & 0x7FFF), got)
    nan = np.isnan(expected)
    assert_array_equal(np.isnan(computed), nan)
    assert np.abs(ordered - got)[~nan].max() <= 1
    assert (ordered != got)[~nan].mean() < 1e-2


def test_bfloat16_is_rounded_once_from_float64() -> None:
    middle = 1 + 2.0**-8  # between two numbers of bfloat16, the lower one of them even
    for sign in (1, -1):
        wide = sign * np.array([middle - 2.0**-40, middle, middle + 2.0**-40, 1e-60, 1e300])
        with np.errstate(over="ignore"):
            result = narrowed(wide, BFLOAT16).astype("f8")
        assert_array_equal(result, sign * np.array([1, 1, 1 + 2.0**-7, 0, np.inf]))
    assert np.isnan(narrowed(np.array(np.nan), BFLOAT16).astype("f8"))


FIRST_CALLS = {
    "plain": "y = vk.tanh(x); assert y.dtype == B",
    "out": "y = np.empty(3, B); vk.tanh(x, out=y)",
    "out of float32": "y = np.empty(3, 'f4'); vk.tanh(x, out=y)",
    "two outputs": "y, g = np.empty((2, 3), B); vk.tanh_value_and_grad(x, out=(y, g))",
    "one of two outputs": "y = np.empty(3, B); vk.tanh_value_and_grad(x, out=(y, None))",
    "where": "y = np.tanh(x); vk.tanh(x, out=y, where=[True, False, True])",
    "dtype": "y = vk.tanh(np.float32([-1, 0, 2]), dtype=B, casting='unsafe'); assert y.dtype == B",
    "signature": "y = vk.tanh(x, signature=(B, B), out=np.empty(3, B)); assert y.dtype == B",
    "scalar": "y = np.array([vk.tanh(v) for v in x]); assert y.dtype == B",
    "Python number": "y = vk.leaky_relu(vk.tanh(x), 1); assert y.dtype == B",
    "beside float32": "y = vk.tanh(x); assert vk.tanh_backward(np.float32(1), x).dtype == 'f4'",
    "reduce": "assert vk.ufuncs.leaky_relu.reduce(x) == 0; y = vk.tanh(x)",
    "other ISA": "y = vekt.ufuncs.build_ufuncs(vekt._core.native.SUPPORTED[-1])['tanh'](x)",
}


@pytest.mark.parametrize("call", FIRST_CALLS.values(), ids=list(FIRST_CALLS))
def test_first_call(call: str) -> None:
    """The loop is added when it is first asked for, whatever the call looks like."""
    program = inspect.cleandoc(
        f"""
        import sys
        import numpy as np
        import vekt, vekt as vk
        import vekt._core.native
        vk.tanh(np.ones(3, "f2")), vk.reference.tanh(1, dtype="f4")
        assert vk.reference.tanh(1e-300) == 1e-300
        assert "ml_dtypes" not in sys.modules
        import ml_dtypes
        B = ml_dtypes.bfloat16
        x = np.array([-1, 0, 2], B)
        {call}
        expected = vk.tanh(x.astype("f4")).astype(B)
        assert (y.astype(B) == expected).all(), y
        assert (vk.tanh(x) == expected).all() and vk.tanh(x, out=x) is x
        """
    )
    run(program)
