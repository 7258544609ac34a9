"""Expressions in strings: as in NumExpr: values, and what is refused."""

import warnings

import ml_dtypes
import numpy as np
import pytest

import vekt as vk
from vekt._fuse import parse

A, B = np.random.default_rng(0).random((2, 500)) + 0.25
I = np.arange(-250, 250)  # noqa: E741

EXPRESSIONS = [
    "2*A + 3*B",
    "2*A*B - 4*A",
    "sqrt(A**2 + B**2)",
    "sin(A)**2 + cos(A)**2 + arctan2(A, B)",
    "A**B",
    "where(A > B, A, exp(B))",
    "-(I // 3) % 7 << 2 >> 1 & 15 | 1 ^ 3",
    "~(A > B) | (A == B) & (I != 3)",
    "real(complex(A, B)) + imag(conj(A + 2j)) + abs(A - 1)",
    "expm1(A) + log1p(A) + log10(B) + arcsinh(A) + tanh(I)",
    "sum(A * B)",
    "max(A, axis=0)",
    "min(I)",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_equals_numpy(expression):
    names = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
    names |= {"complex": lambda x, y: x + 1j * y, "A": A, "B": B, "I": I}
    want = eval(expression, {**names, "abs": np.abs, "sum": np.sum, "max": np.max, "min": np.min})
    got = vk.evaluate(expression)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-14)


def test_equals_numexpr():
    numexpr = pytest.importorskip("numexpr")
    for expression in EXPRESSIONS[:6]:
        np.testing.assert_allclose(
            vk.evaluate(expression), numexpr.evaluate(expression), rtol=1e-14
        )


def test_variables_and_out():
    a, b = [1.0, 2.0], 3  # noqa: F841
    np.testing.assert_array_equal(vk.evaluate("a * b"), [3, 6])
    np.testing.assert_array_equal(vk.evaluate("a * b", {"a": A, "b": B}), A * B)
    np.testing.assert_array_equal(vk.evaluate("a * b", {"a": A}, {"b": B}), A * B)
    out = np.empty(500, "f4")
    assert vk.evaluate("A + B", out=out) is out
    np.testing.assert_array_equal(out, (A + B).astype("f4"))
    assert vk.evaluate("A + B", dtype="f4").dtype == np.float32
    with pytest.raises(KeyError, match="there is no variable missing"):
        vk.evaluate("A + missing")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("A.size", "Attribute is not allowed"),
        ("A.__class__", "Attribute is not allowed"),
        ("__import__('os')", "there is no function __import__"),
        ("().__class__.__bases__", "Attribute is not allowed"),
        ("__builtins__ + A", "begin with an underscore"),
        ("open('x')", "there is no function open"),
        ("(lambda: A)()", "only functions may be called"),
        ("[x for x in A]", "ListComp is not allowed"),
        ("A[0]", "Subscript is not allowed"),
        ("A if A else B", "IfExp is not allowed"),
        ("(A := B)", "NamedExpr is not allowed"),
        ("f'{A}'", "JoinedStr is not allowed"),
        ("'text' * A", "only numbers"),
        ("A and B", "write & and |"),
        ("not A", "write ~"),
        ("A < B < A", "chain of comparisons"),
        ("A @ B", "this operator is not allowed"),
        ("A is B", "this comparison is not allowed"),
        ("sin(*A)", "starred"),
        ("sin(A, out=B)", "sin has no keyword out"),
        ("sum(A, axis=I)", "an axis is an integer"),
        ("9**9**9**9 * A", "power of large constants"),
        ("(1 << 99999) * A", "power of large constants"),
        ("1" * 400 + " * A", "more than 64 bits"),
        ("1 / 0 * A", "division by zero"),
        ("(" * 500 + "A" + ")" * 500, "nested"),
        ("-" * 500 + "A", "nested more than 100 deep|nested too deeply"),
        ("A +" * 20_000 + "A", "characters"),
        ("A +", "invalid syntax"),
        ("A; B", "invalid syntax"),
        ("", "invalid syntax"),
    ],
)
def test_refuses(expression, message):
    with pytest.raises(ValueError, match=message):
        vk.evaluate(expression)


def test_refuses_what_is_no_string():
    with pytest.raises(TypeError, match="expected a string, got bytes"):
        vk.evaluate(b"A")


def test_the_cache_is_bounded():
    for k in range(parse._MOST_EXPRESSIONS + 10):
        vk.evaluate(f"A + {k}")
    assert parse.compiled.cache_info().currsize == parse._MOST_EXPRESSIONS


@pytest.mark.parametrize("dtype", ["i4", "u8", "f2", "f4", "f8", ml_dtypes.bfloat16])
def test_real_parts_without_a_warning_whose_filters_threads_share(dtype, monkeypatch):
    def entered(_):
        raise AssertionError("filters of warnings were changed")

    monkeypatch.setattr(warnings.catch_warnings, "__enter__", entered)
    z, out = np.array([1 + 2j, 3 - 4j]), np.zeros(2, dtype)
    assert vk.evaluate("z * 2", {"z": z}, out=out, casting="unsafe") is out
    np.testing.assert_array_equal(out.astype(float), [2, 6])
