"""Shapes, conversions, empty arrays and errors of fused functions: NumPy's, step by step."""

import operator

import numpy as np
import pytest
from fused import assert_same_outcome, outcome

import vekt as vk
from vekt._fuse import parse
from vekt._fuse.graph import REDUCTIONS

DTYPES = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
X = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -0.0]])


def same(function, *operands, ulp=0):
    """Expect NumPy's results of each call, the first and the second, kernels and compiled."""
    want = outcome(function, *operands)
    for compile in (False, True):
        if compile:
            pytest.importorskip("llvmlite")
        fused = vk.fuse(lambda *args: function(*args), nin=len(operands), compile=compile)
        for _ in range(2):
            assert_same_outcome(outcome(fused, *operands), want, ulp)
    return want


# ---- shapes of what does not depend on values

CONSTANT = {
    "where": lambda x: np.where(x > 0, 1.0, 1.0),
    "where int": lambda x: np.where(x, 2, 2),
    "where same": lambda x: np.where(x > 0, np.float32(3), np.float32(3)),
    "zeros_like": np.zeros_like,
    "ones_like": np.ones_like,
    "full_like": lambda x: np.full_like(x, 7),
    "imag": lambda x: np.imag(x.real),
    "out of bounds": lambda x: x.astype("u1") < 300,
}


@pytest.mark.parametrize("name", CONSTANT)
@pytest.mark.parametrize("reduction", [None, *REDUCTIONS])
def test_constants_keep_the_shape_of_what_they_replace(name, reduction):
    def function(x):
        value = CONSTANT[name](x)
        return value if reduction is None else getattr(np, reduction)(value, axis=-1)

    for x in (X, X[0], X[:, :1], X[:0].T, np.float64(2.5), np.abs(X).astype("i4"), X * 1j):
        if np.dtype(x.dtype).kind == "c" and name == "out of bounds":
            continue
        same(function, x)


def test_equal_choices_keep_the_shape_of_the_condition():
    for y in (1.5, 2, np.float32(2), X[0, :1], X):
        same(lambda x, y: np.where(x > 0, y, y), X, y)
        same(lambda x, y: np.sum(np.where(x > 0, y * 2, y * 2)), X, y)
    np.testing.assert_array_equal(vk.evaluate("where(X > 0, 1., 1.)"), np.ones((2, 3)))
    assert vk.evaluate("sum(where(X > 0, 1, 1))") == 6
    fused = vk.fuse(lambda x, y: np.sum(np.where(x > 0, y, y)))
    value, (dx, dy) = fused.value_and_grad(X, 1.5)
    assert (value, dy, dx.shape) == (9.0, 6.0, (2, 3))
    assert fused.backward(1.0, X, 1.5)[1] == 6.0


# ---- truth

TRUTH = {
    "astype": lambda x: x.astype(bool),
    "logical_and": lambda x: np.logical_and(x, 2),
    "logical_or": lambda x: np.logical_or(x, 0),
    "logical_xor": lambda x: np.logical_xor(x, x),
    "logical_not": np.logical_not,
    "where": lambda x: np.where(x, 1, 2),
    "any": lambda x: np.any(x, axis=-1),
    "all": lambda x: np.all(x, axis=-1),
    "dtype": lambda x: np.logical_and(x, 1j),
}


@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("dtype", DTYPES)
def test_truth(name, dtype):
    x = np.array([[0, 1, 2], [0, 0, 0], [1, 1, 1], [0, 1, 0]]).astype(dtype)
    same(TRUTH[name], x)
    if x.dtype.kind == "c":
        same(TRUTH[name], x * x.dtype.type(1j))
        same(TRUTH[name], np.array([complex(0, np.nan), complex(np.inf, 0), -0j], dtype))


# ---- conversions


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("between", DTYPES)
def test_there_and_back(dtype, between):
    """What a dtype between cannot hold is lost, as it is step by step."""
    x = np.array([0, 1, 0.5, 1 + 2**-9, 7]).astype(dtype)
    if x.dtype.kind in "iu":
        top = min(np.iinfo(dtype).max, 2**15 - 1 if between == "f2" else 2**64)
        x = np.array([0, 1, 100, top // 3, top // 2 + 1], dtype)
    same(lambda x: x.astype(between).astype(dtype), x)
    same(lambda x: x.astype(between).astype(dtype) * 1, x)


def test_integers_that_floats_cannot_hold():
    x = np.array([2**53 + 1, -(2**53) - 1, 2**24 + 1])
    for between in ("f8", "f4", "c16"):
        same(lambda x, t=between: x.astype(t).astype("i8"), x)
        same(lambda x, t=between: (x.astype(t) + 0).astype("i8") * 3, x)
    same(lambda x: x.astype("f8").astype("u8"), x[:1].astype("u8"))


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 0)])
def test_reductions_of_nothing(name, dtype, shape):
    x = np.ones(shape, dtype)
    for axis in (None, 0, -1):
        for keepdims in (False, True):
            same(lambda x, a=axis, k=keepdims: getattr(np, name)(x, axis=a, keepdims=k), x)
    same(lambda x: getattr(np, name)(x * 2 + x), x)


CONSTANTS = [(0.0, -0.0), (1, True), (1, 1.0), (True, 1.0), (2, 2 + 0j), (0.0, 0), (False, 0)]
CONSTANTS += [(0j, complex(0, -0.0)), ((1,), (1.0,)), (-0j, 0j), (np.float32(1), np.float64(1))]


@pytest.mark.parametrize("pair", CONSTANTS)
def test_constants_that_are_only_equal_are_told_apart(pair):
    for values in (pair, pair[::-1]):

        def function(x, c=0):
            return np.copysign(1.0, np.real(c[0] if isinstance(c, tuple) else c)) + x * (
                c[0] if isinstance(c, tuple) else c
            )

        fused = vk.fuse(function)
        x = np.array([1, 2], "u1")
        for c in (*values, *values):
            assert_same_outcome(outcome(fused, x, c=c), outcome(function, x, c=c))


# ---- what evaluate's functions take


@pytest.mark.parametrize("name", parse.FUNCTIONS)
def test_evaluate_counts_arguments(name):
    """An argument too many is never where a result goes."""
    values = {letter: np.full(3, k / 8) for k, letter in enumerate("abcde", 1)}
    before = {letter: x.copy() for letter, x in values.items()}
    takes = parse._arguments(name)

    def call(count, *more):
        return f"{name}({', '.join([*'abcde'[:count], *more])})"

    for count in range(6):
        if count != takes and not (count == 2 and name == "round"):
            for text in (call(count), f"1 + {call(count)} * b"):
                with pytest.raises(ValueError, match="expression: "):
                    vk.evaluate(text, values)
    for keyword in ("out=a", "where=a", "dtype=a", "axis=a", "casting=a"):
        with pytest.raises(ValueError, match="expression: "):
            vk.evaluate(call(takes, keyword), values)
    for letter, x in values.items():
        np.testing.assert_array_equal(x, before[letter])
    want = outcome(parse.FUNCTIONS[name], *[*values.values()][:takes])
    assert_same_outcome(outcome(vk.evaluate, call(takes), values), want, ulp=4)


# ---- what there is a result, or an error of NumPy's, for

A = {t: np.array([3, 1, 2, 0]).astype(t) for t in (*DTYPES, "g", "G", "O", "m8[s]")}
UNARY = {
    "round": np.round,
    "round 1": lambda x: np.round(x, 1),
    "round -1": lambda x: np.round(x, -1),
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "root": lambda x: x**0.5,
    "inverse": lambda x: x**-1,
    "not a number": lambda x: x != 300,
    "negative number": lambda x: x >= -1,
    "clip": lambda x: np.clip(x, -1, 3),
    "clip low": lambda x: x.clip(-(2**70), None),
    "clip beyond": lambda x: np.clip(x, -(2**70), 2**70),
    **{f"{name} of all": lambda x, f=name: getattr(np, f)(x) for name in REDUCTIONS},
    **{f"{name} of axes": lambda x, f=name: getattr(np, f)(x, axis=(0,)) for name in REDUCTIONS},
}


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", A)
def test_every_dtype(name, dtype):
    same(UNARY[name], A[dtype], ulp=4)


@pytest.mark.parametrize("x", DTYPES)
@pytest.mark.parametrize("y", DTYPES)
def test_powers_and_shifts_of_arrays(x, y):
    for function in (operator.pow, operator.lshift, operator.mod, operator.floordiv):
        same(function, A[x], A[y], ulp=4)
        assert_same_outcome(
            outcome(vk.evaluate, "x**y", {"x": A[x], "y": A[y]}),
            outcome(operator.pow, A[x], A[y]),
            ulp=4,
        )


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_one_number_take_its_last_axis(name):
    for x in (np.float64(3), np.array(2), np.array(1j), np.float32(0)):
        for axis in (0, -1, 1, -2, (), None, (0, 0)):
            same(lambda x, a=axis: getattr(np, name)(x, axis=a), x)


HOSTILE = (10**30, -(10**30), 2**31, 2**63, 1.0, "0", (0, 0), (0, 5), [0], ..., True)
HOSTILE += ((True,), (0, 10**30), None, (), np.int64(1), np.True_)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", HOSTILE, ids=str)
def test_bad_axes(name, axis):
    reduce = getattr(np, name)
    want = outcome(lambda x: reduce(x, axis=axis), X)
    got = outcome(vk.fuse(lambda x: reduce(x * 2, axis=axis)), X)
    if isinstance(want, type):
        assert got is want or {got, want} == {ValueError, OverflowError}
    else:
        assert got[0].shape == want[0].shape
    if type(axis) is int:
        assert outcome(vk.evaluate, f"{name}(X, axis={axis})", {"X": X}) in (ValueError, TypeError)


def test_expressions_of_constants_alone():
    for text in ("1+1", "2", "1.5*2", "3 // 2", "2**0.5", "1j*1j", "True", "1 < 2", "-3", "~1"):
        want = np.asarray(eval(text))
        assert_same_outcome((vk.evaluate(text),), (want,))
    assert vk.evaluate("sqrt(4.0) + 1") == 3


def test_parts_of_complex_numbers():
    a = np.array([1.0, 2.0])
    np.testing.assert_array_equal(vk.evaluate("complex(1, 2) * a"), (1 + 2j) * a)
    np.testing.assert_array_equal(vk.evaluate("complex(a, 2)"), a + 2j)
    np.testing.assert_array_equal(vk.evaluate("complex(1, a) + complex(0, 1)"), 1 + 1j * a + 1j)


def test_powers_of_arrays_are_not_constants():
    a = np.array([2000])
    for x in (a, a.reshape(1, 1), np.array(2000), 2000):
        assert vk.evaluate("a ** 2", {"a": x}).max() == 4_000_000
        same(lambda x: x**2 + 0, np.asarray(x))


@pytest.mark.parametrize("count", [30, 33, 70, 200])
def test_many_variables_and_long_sums(count):
    values = {f"v{k}": np.arange(3.0) + k for k in range(count)}
    np.testing.assert_array_equal(vk.evaluate(" + ".join(values), values), sum(values.values()))
    text = " - ".join(f"v0*{k}" for k in range(count))
    want = 0 * values["v0"]
    for k in range(1, count):
        want = want - values["v0"] * k
    np.testing.assert_array_equal(vk.evaluate(text, values), want)


def test_results_that_are_one_value():
    same(lambda x: (x * 2, x * 2), X)
    same(lambda x: (x, x, x.sum(), x.sum()), np.arange(6.0))
    same(lambda x: (np.where(x > 0, 1, 1), np.where(x > 0, 1, 1)), X)
    y, z = vk.fuse(lambda x: (x * 2, x * 2))(X)
    assert not np.shares_memory(y, z)
    dx = vk.fuse(lambda x: (x * 2, x * 2)).backward((X, X), X)
    np.testing.assert_array_equal(dx, 4 * X)


@pytest.mark.parametrize("dtype", DTYPES)
def test_outputs_out_of_line(dtype):
    x = A[dtype]
    fused = vk.fuse(lambda x: x + x)
    raw = np.zeros(x.nbytes + 1, "u1")[1:].view(dtype)
    swapped = np.zeros(4, np.dtype(dtype).newbyteorder())
    stepped = np.zeros(8, dtype)[::-2]
    for out in (raw, swapped, stepped):
        assert fused(x, out=out) is out
        np.testing.assert_array_equal(out, x + x)
        assert vk.evaluate("x + x", out=out) is out
        np.testing.assert_array_equal(out, x + x)
    empty = (np.empty(0, dtype), np.empty(0, dtype))
    both = vk.fuse(lambda x: (x + x, np.positive(x) if dtype != "?" else x & x))
    assert both(x[:0], out=empty)[0] is empty[0]


def test_products_along_axes_have_no_gradient():
    for function in (np.prod, lambda x: x * np.prod(x, axis=0), lambda x: np.prod(x * 2) + x):
        fused = vk.fuse(lambda x, f=function: f(x))
        for call in (fused.value_and_grad, lambda x, f=fused: f.backward(np.float64(1), x)):
            with pytest.raises(TypeError, match="product along axes has no gradient"):
                call(X)


@pytest.mark.parametrize("name", ["any", "all"])
def test_truths_are_constants_for_gradients(name):
    fused = vk.fuse(lambda x: x * getattr(np, name)(x))
    np.testing.assert_array_equal(
        fused.backward(np.ones((2, 3)), X), np.full((2, 3), name == "any")
    )


@pytest.mark.parametrize("out", [None, "f4", "i1"])
def test_no_warnings(out):
    """Neither of what overflows on the way, nor of what an output cannot hold."""
    huge = np.full(20, 2.0**62)
    for function in (np.prod, np.sum, lambda x: x * x * 1e300):
        for x in (huge, huge * 1j, huge.astype("i8"), np.full(20, np.inf)):
            with np.errstate(all="ignore"):
                want = np.asarray(function(x))
            target = None if out is None else np.zeros(want.shape, out)
            if target is None or np.can_cast(want.dtype, target.dtype, "same_kind"):
                with np.errstate(all="raise"):
                    got = vk.fuse(lambda x, f=function: f(x))(x, out=target)
                assert got.shape == want.shape


PARTS = {
    "real": np.real,
    "imag": np.imag,
    "conjugate": lambda s: s.conjugate(),
    "abs": abs,
    "negative": operator.neg,
    "positive": operator.pos,
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_parts_of_pythons_numbers(name, dtype):
    """They stay Python's, so that the array tells the dtype."""
    part, x = PARTS[name], np.array([1, 0, 1]).astype(dtype)
    for s in (3, 2.5, -0.0):
        for number in (lambda s: s, lambda s: s * 1j, lambda s: s - 2j, lambda s: s > 1):
            same(lambda x, s, n=number: x + part(n(s)), x, s)
