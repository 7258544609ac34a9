"""Python's numbers in fused functions: exact, and out of bounds as NumPy has it."""

import operator

import numpy as np
import pytest
from fused import assert_same_outcome, outcome

import vekt as vk

INTEGERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")
OTHERS = ("?", "f2", "f4", "f8", "c8", "c16")
OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift")
OPERATORS += ("and_", "or_", "xor", "lt", "le", "gt", "ge", "eq", "ne")
FUNCTIONS = ("minimum", "maximum", "fmin", "fmax", "hypot", "arctan2", "copysign", "logical_and")
FUNCTIONS += ("logical_or", "logical_xor", "power", "float_power", "gcd", "heaviside", "fmod")
FUNCTIONS += ("nextafter", "ldexp")
BINARY = {
    **{name: getattr(operator, name) for name in OPERATORS},
    **{name: getattr(np, name) for name in FUNCTIONS},
    "where": lambda x, s: np.where(x > 1, x, s),
    "full_like": np.full_like,
    "clip low": lambda x, s: np.clip(x, s, 100),
    "clip high": lambda x, s: np.clip(x, 0, s),
    "clip": lambda x, s: x.clip(s, s),
}
NUMBERS = (
    *(0, 1, -1, 2, 127, 128, 255, 256, 300, -129, 2**15, 2**31, 2**32, -(2**31) - 1),
    *(2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 2**200, 10**400),
    *(0.5, -0.0, 1e5, 1e300, np.inf, np.nan),
)


def array(dtype):
    """Small numbers, and the bounds of an integer dtype."""
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        return np.array([0, 1, 2, 3, 100, info.max, info.min], dtype)
    return np.array([0, 1, 2, 3, 0.5, 1, 0]).astype(dtype)


def close(name, dtype):
    """Bits are those of NumPy's loops, which depend on alignment for these alone."""
    return 4 if name in ("pow", "power", "float_power") else 0


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", [*INTEGERS, *OTHERS])
def test_numbers_as_operands_and_as_constants(name, dtype):
    function, x = BINARY[name], array(dtype)
    fused = vk.fuse(function)
    for number in NUMBERS:
        if name in ("pow", "power", "float_power") and abs(number) > 2**64:
            continue
        want = outcome(function, x, number)
        for _ in range(2):
            assert_same_outcome(outcome(fused, x, number), want, close(name, dtype))
        constant = vk.fuse(lambda x, n=number: function(x, n))
        assert_same_outcome(outcome(constant, x), want, close(name, dtype))
        if name in vars(operator):
            want = outcome(function, number, x)
            got = outcome(vk.fuse(lambda x, s: function(s, x)), x, number)
            assert_same_outcome(got, want, close(name, dtype))


ARITHMETIC = {
    "exact": lambda x, s: s * 4 // 2**63 + x,
    "beyond": lambda x, s: s * 4 * x,
    "shifted": lambda x, s: ((s << 64) >> 60) * x,
    "quotient": lambda x, s: x * (s / 3),
    "inverse": lambda x, s: x / (1 / s),
    "to float": lambda x, s: x * s**-1,
    "to complex": lambda x, s: x * s**0.5,
    "truth": lambda x, s: (s > 3) + 1 + x,
    "chosen": lambda x, s: np.where(s > 3, x, 0),
    "bits": lambda x, s: (~s & 255) ^ x,
    "remainder": lambda x, s: x + s % 7 - s // 7,
    "absolute": lambda x, s: x + abs(-s),
    "numpy's": lambda x, s: x + np.add(s, 1),
    "numpy's root": lambda x, s: x * np.sqrt(abs(s)),
    "numpy's scalar": lambda x, s: x + np.int16(3) * s,
    "positive": lambda x, s: x + np.positive(s),
    "true": lambda x, s: True + s + x,
    "complex": lambda x, s: x * (s + 1j),
    "two dtypes": lambda x, s: (x + s, x.astype("f4") * s, (s + 1) * x),
    "alone": lambda x, s: (x, s + np.float32(1)),
}


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic_among_numbers_is_pythons(name, compile):
    if compile:
        pytest.importorskip("llvmlite")
    function = ARITHMETIC[name]
    fused = vk.fuse(function, compile=compile)
    for dtype in ("u1", "i8", "u8", "f2", "f4", "f8", "c8", "?"):
        x = array(dtype)
        for number in (2, -5, 0, 0.0, 2.5, -0.0, -2.5, 2**62, 2**63, 2**70, 10**400):
            assert_same_outcome(outcome(fused, x, number), outcome(function, x, number))


def test_shapes_of_operands():
    f = vk.fuse(lambda x, s: np.where(x < s, x, s) + (x != s))
    for shape in ((), (0,), (1,), (3, 0), (7,), (70, 33), (40_000,)):
        x = (np.arange(np.prod(shape)) % 250).reshape(shape).astype("u1")
        for layout in (x, x[..., ::-1] if x.ndim else x, np.asfortranarray(x)):
            for s in (7, 300, -1, 2**70):
                assert_same_outcome(outcome(f, layout, s), outcome(f.__wrapped__, layout, s))


def test_numbers_alone():
    for function in (
        lambda s, t: s + t,
        lambda s, t: s * t < 3,
        lambda s, t: s / t,
        lambda s, t: np.maximum(s, t),
        lambda s, t: np.where(s > t, s, t),
    ):
        for numbers in ((2, 3), (2.5, 3), (2, -0.0), (-1, 2**63), (1, 2**70)):
            want = outcome(function, *numbers)
            got = outcome(vk.fuse(function), *numbers)
            if isinstance(want, type) or (isinstance(want[0], int) and abs(want[0]) >= 2**63):
                assert got == want
            else:
                assert_same_outcome(got, (np.asarray(want[0]),))


@pytest.mark.parametrize("compile", [None, False])
def test_gradients_of_functions_of_numbers(compile):
    x = np.array([0.5, 2.0, 3.0])
    u = np.array([1, 200, 3], "u1")
    f = vk.fuse(lambda x, u, n, s: np.where(u < n, x * s, x / s**2), compile=compile)
    for n in (100, 300, -1):
        for s in (0.5, 4.0):
            inside = u < n
            value, (dx, du, dn, ds) = f.value_and_grad(x, u, n, s)
            np.testing.assert_allclose(value, np.where(inside, x * s, x / s**2))
            np.testing.assert_allclose(dx, np.where(inside, s, s**-2))
            assert du is None
            assert dn is None
            np.testing.assert_allclose(ds, np.sum(np.where(inside, x, -2 * x / s**3)))
            again = f.backward(np.ones(3), x, u, n, s)
            np.testing.assert_array_equal(again[0], dx)
            np.testing.assert_array_equal(again[3], ds)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_gradients_through_arithmetic_of_numbers(dtype):
    x = np.linspace(0.5, 2, 7, dtype=dtype)
    for function, slope in (
        (lambda x, s, t: x * (s / t), lambda s, t: (1 / t, -s / t**2)),
        (lambda x, s, t: x * s**3 + x * t, lambda s, t: (3 * s**2, 1)),
        (lambda x, s, t: x * (2 * s - t * s), lambda s, t: (2 - t, -s)),
        (lambda x, s, t: x / (s * 3 / t), lambda s, t: (-t / (3 * s**2), 1 / (3 * s))),
        (lambda x, s, t: np.sum(x) * (s % t), lambda s, t: (1, -(s // t))),
    ):
        dx, ds, dt = vk.fuse(function).backward(1.0, x, 2.5, 0.75)
        assert dx.dtype == dtype
        for got, want in zip((ds, dt), slope(2.5, 0.75), strict=True):
            np.testing.assert_allclose(got, want * np.sum(x, dtype="f8"), rtol=1e-6)
            assert got.dtype == np.float64


def test_constants_by_keyword_are_told_apart():
    f = vk.fuse(lambda x, *, c, t=(): np.copysign(x, c) if not t else x * t[0])
    x = np.array([1, 2], "f4")
    for constant in (0.0, -0.0, 0, False, True, 1, 1.0, -1, np.nan, -0.0, 0.0, 2**70):
        want = outcome(f.__wrapped__, x, c=constant)
        assert_same_outcome(outcome(f, x, c=constant), want)
    for constant in (0.0, -0.0, 0, False, 0j, complex(0, -0.0), complex(-0.0, 0), np.float64(1), 1):
        for y in (x, np.array([1, 2], "i2")):
            want = outcome(f.__wrapped__, y, c=1, t=(constant,))
            assert_same_outcome(outcome(f, y, c=1, t=(constant,)), want)
    same = vk.fuse(lambda x, c: x * c)
    for constant in (1j, complex(-0.0, 1), 1 + 0j, True, np.float32(1), np.float64(1), 1, 1.0):
        assert_same_outcome(outcome(same, x, constant), outcome(same.__wrapped__, x, constant))


def test_plans_for_single_numbers_are_few():
    f = vk.fuse(lambda x, s: x < s)
    x = np.array([1, 200], "u1")
    for s in range(256, 1000):
        assert f(x, s).all()
    assert f.fallback.variant(((None, None), (), None))._plans.cache_info().currsize < 100


def test_blocks_of_dask():
    da = pytest.importorskip("dask.array")
    u = np.array([1, 200, 3], "u1")
    lazy = da.from_array(u, chunks=2)
    for function in (
        lambda x, s: x < s,
        lambda x, s: x != s,
        lambda x, s: np.where(x > 1, x, s),
        lambda x, s: x * 2.0 + (s * 4 // 2**60),
        lambda x, s: np.clip(x, 0, s),
    ):
        for s in (100, 300, -1, 2**62):
            fused = vk.fuse(function)
            got = outcome(lambda x, s, f=fused: f(x, s).compute(), lazy, s)
            assert_same_outcome(got, outcome(function, u, s))
    with pytest.raises(OverflowError):
        vk.fuse(lambda x, s: x + s)(lazy, 300).compute()
    x = da.ones(3, chunks=2)
    dx, _, ds, dn = vk.fuse(lambda x, u, s, n: np.where(u < n, x * s, 0.0)).backward(
        1.0, x, lazy, 2.0, 300
    )
    np.testing.assert_array_equal(dx.compute(), [2, 2, 2])
    assert float(ds.compute()) == 3
    assert dn is None
