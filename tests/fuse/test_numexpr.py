"""NumExpr's functions: what one may write for it is taken by vekt, with the same results."""

from __future__ import annotations

import gc
import inspect
import re
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt._fuse import parse

ne = pytest.importorskip("numexpr")

RNG = np.random.default_rng(0)
X, Y = RNG.random((2, 40)) + 0.25
Z = X + 1j * Y
INTEGERS = np.arange(-20, 20)
TEXT = np.array([b"abc", b"", b"b", b"xabcx"] * 10)
OTHER = np.array([b"b", b"", b"bc", b"abc"] * 10)
NAMES = {"X": X, "Y": Y, "Z": Z, "INTEGERS": INTEGERS, "TEXT": TEXT, "OTHER": OTHER}
NAMES["MASK"] = X > Y

PAGE = (Path(__file__).parents[2] / "docs" / "fuse.md").read_text()


def functions() -> list[str]:
    """Return the names of all functions that NumExpr's expressions may call."""
    return list(ne.expressions.functions)


def call(name: str) -> str:
    """Write a call of one of them on what it takes."""
    special = {
        "where": "where(MASK, X, Y)",
        "complex": "complex(X, Y)",
        "contains": "contains(TEXT, OTHER)",
        "arccosh": "arccosh(X + 1)",
    }
    if name in special:
        return special[name]
    if name in ("arcsin", "arccos", "arctanh"):
        return f"{name}(X / 2)"
    if name in ("conj", "real", "imag"):
        return f"{name}(Z)"
    two = ("fmod", "arctan2", "hypot", "nextafter", "copysign", "maximum", "minimum")
    return f"{name}(X, Y)" if name in two else f"{name}(X)"


@pytest.mark.parametrize("name", functions())
def test_every_function(name: str) -> None:
    assert name in parse.FUNCTIONS
    got, want = vk.evaluate(call(name), NAMES), ne.evaluate(call(name), NAMES)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    assert_allclose(got, want, 1e-14)


EXPRESSIONS = [
    "3",
    "2 * 3.5 + 1",
    "(1 < 2) | (3 > 4)",
    "1 / 2",
    "2 ** -1.0",
    "sqrt(2.0)",
    "INTEGERS / 2",
    "X ** 3 + X ** -2 + X ** 0.5 + X ** 2.5",
    "INTEGERS // 7 + INTEGERS % 7 - (INTEGERS << 2) + (INTEGERS >> 1)",
    "~MASK & (X != Y) ^ (INTEGERS >= 0)",
    "(Z * 2).real + Z.imag - (X + 1).real",
    "sum(X * Y)",
    "sum(X, 0)",
    "sum(X, axis=0)",
    "prod(X)",
    "prod(INTEGERS / 10, axis=0)",
    "min(X * 2)",
    "max(X)",
    "ones_like(X + Y) + copy(X)",
    "TEXT == 'abc'",
    'TEXT == b"abc"',
    "'abc' != TEXT",
    "(TEXT >= b'b') & (OTHER < b'bc')",
    "TEXT == OTHER",
    "contains(TEXT, 'b')",
    "contains('abcd', TEXT)",
    "contains(b'abcd', b'bc')",
    "contains(TEXT, '')",
    "where(TEXT == 'b', X, Y) * 2",
    "TEXT == 'a:[;'",
    "X == 1.5e-3 + 2.e+5",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions(expression: str) -> None:
    got, want = vk.evaluate(expression, NAMES), ne.evaluate(expression, NAMES)
    assert np.shape(got) == want.shape
    assert got.dtype.kind == want.dtype.kind
    assert_allclose(got, want, 1e-13)


@pytest.mark.parametrize("expression", ["TEXT", "copy(TEXT)"])
def test_text_itself(expression: str) -> None:
    assert_array_equal(vk.evaluate(expression, NAMES), ne.evaluate(expression, NAMES))


def test_text_of_every_kind() -> None:
    for dtype in ("S5", "U5", np.dtypes.StringDType()):
        names = {"text": np.array(["abc", "xb", ""]).astype(dtype)}
        for constant in ("'abc'", "b'abc'"):
            assert vk.evaluate(f"text == {constant}", names).tolist() == [True, False, False]
            assert vk.evaluate(f"contains({constant}, text)", names).tolist() == [True, False, True]


@pytest.mark.parametrize(
    "expression",
    ["X == 'a'", "'a' < X", "contains(X, 'a')", "contains('a', INTEGERS)", "MASK != b'1'"],
)
def test_text_and_numbers(expression: str) -> None:
    """NumExpr has an error of another kind."""
    with pytest.raises(TypeError, match="text"):
        vk.evaluate(expression, NAMES)
    with pytest.raises(NotImplementedError):
        ne.evaluate(expression, NAMES)


@pytest.mark.parametrize("expression", ["'a'", "X * 'a'", "sin('a')", "where('a', X, Y)", "-b'a'"])
def test_text_stands_where_it_is_compared(expression: str) -> None:
    with pytest.raises(ValueError, match="text, where it is compared"):
        vk.evaluate(expression, NAMES)


@pytest.mark.parametrize("count", [1, 31, 32, 63])
def test_variables(count: int) -> None:
    """NumExpr itself takes 63 with NumPy 2, which vekt does not need for more (test_fuse_steps)."""
    values = {f"v{k}": X + k for k in range(count)}
    text = " + ".join(values)
    assert_allclose(vk.evaluate(text, values), sum(values.values()), 1e-14)
    assert_allclose(vk.evaluate(text, values), ne.evaluate(text, values), 1e-14)


@pytest.mark.parametrize("length", [10, 300, 1000])
def test_long_sums(length: int) -> None:
    text = " + ".join(f"{k % 7 + 1} * X" for k in range(length))
    want = sum((k % 7 + 1) * X for k in range(length))
    assert_allclose(vk.evaluate(text), want, 1e-12)


# ---- arguments


def test_arguments_are_numexprs() -> None:
    """By name and by place, but for the depth of frames, which is nobody's business."""
    for name in ("evaluate", "validate", "re_evaluate"):
        theirs = inspect.signature(getattr(ne, name)).parameters.values()
        ours = inspect.signature(getattr(vk, name)).parameters
        wanted = [p for p in theirs if p.kind is p.POSITIONAL_OR_KEYWORD and p.name[0] != "_"]
        for place, parameter in enumerate(wanted):
            assert parameter.name in ours
            if parameter.name != "disable_cache":
                assert list(ours)[place] == parameter.name
            assert ours[parameter.name].default == parameter.default
    for option in ("truediv", "optimization"):
        assert option in inspect.signature(vk.evaluate).parameters


@pytest.mark.parametrize(
    "options",
    [
        {"truediv": True}, {"truediv": False}, {"truediv": "auto"},
        *({"optimization": level} for level in ("none", "moderate", "aggressive")),
        {"sanitize": True}, {"sanitize": False}, {"disable_cache": True},
        *({"order": order} for order in "KCFA"),
        *({"casting": casting} for casting in ("no", "equiv", "safe", "same_kind", "unsafe")),
    ],
    ids=str,
)  # fmt: skip
def test_options(options: dict[str, object]) -> None:
    text = "INTEGERS / 4 + X ** 4"
    assert_allclose(vk.evaluate(text, **options), ne.evaluate(text, **options), 1e-14)


@pytest.mark.parametrize(
    ("name", "value"),
    [("truediv", "yes"), ("optimization", "most"), ("order", "G"), ("casting", "none"),
     ("sanitize", "no"), ("disable_cache", None)],
)  # fmt: skip
def test_options_that_are_none(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected one of"):
        vk.evaluate("X", **{name: value})


@pytest.mark.parametrize("order", "KCFA")
def test_orders(order: str) -> None:
    c = RNG.random((3, 4, 5))
    f = np.asfortranarray(c)
    for a, b in ((c, c), (f, f), (c, f), (f, c[::-1]), (c.swapaxes(0, 1), 2.0), (f, 2.0)):
        got = vk.evaluate("a + b", order=order)
        assert_array_equal(got, a + b)
        if order != "K":
            want = ne.evaluate("a + b", order=order)
            assert got.flags.c_contiguous == want.flags.c_contiguous
            assert got.flags.f_contiguous == want.flags.f_contiguous


DTYPES = ["i4", "i8", "f4", "f8", "c16", ">f8"]


@pytest.mark.parametrize("casting", ["no", "equiv", "safe", "same_kind", "unsafe"])
@pytest.mark.parametrize("target", DTYPES)
def test_casting_is_that_of_ufuncs(target: str, casting: str) -> None:
    for source in DTYPES:
        x = np.arange(5).astype(source)
        out = np.full(5, 9, target)
        dtype = (x + x).dtype
        if np.can_cast(dtype, target, casting):
            assert vk.evaluate("x + x", out=out, casting=casting) is out
            with np.errstate(all="ignore"):
                assert_array_equal(out, (x + x).real if target in "i4 i8 f4 f8 >f8" else x + x)
        else:
            with pytest.raises(TypeError, match=f"Cannot cast .* according to the rule '{casting}"):
                vk.evaluate("x + x", out=out, casting=casting)
            assert_array_equal(out, np.full(5, 9, target))


@pytest.mark.parametrize("casting", ["safe", "same_kind", "unsafe"])
def test_a_result_where_its_operand_lies(casting: str) -> None:
    x = np.arange(9.0)
    vk.evaluate("x * 2", {"x": x[:-1]}, out=x[1:], casting=casting)
    assert_array_equal(x, [0, *(2.0 * np.arange(8))])
    with pytest.raises(ValueError, match=r"out: expected an array of shape \(3,\), got \(2,\)"):
        vk.evaluate("x", {"x": X[:3]}, out=np.empty(2), casting=casting)


# ---- where variables are found


def test_globals_are_those_of_the_caller() -> None:
    local = np.arange(3.0)
    for module in (vk, ne):
        assert_array_equal(module.evaluate("local + INTEGERS", {"local": X}), X + INTEGERS)
        assert_array_equal(module.evaluate("local * 2"), local * 2)
        assert_array_equal(module.evaluate("X + one", {"one": 1.0}), X + 1)
        with pytest.raises(KeyError):
            module.evaluate("X + one", {"one": 1.0}, {})
        assert isinstance(module.validate("X + one"), KeyError)
        assert module.validate("X + one", {"one": 1.0}) is None
        assert_array_equal(module.re_evaluate({"one": 2.0}), X + 2)


# ---- evaluated again


@pytest.mark.parametrize("module", [vk, ne], ids=["vekt", "numexpr"])
class TestAgain:
    def test_variables_of_now(self, module):
        a = np.arange(3.0)
        assert_array_equal(module.evaluate("a * 2 + 1"), a * 2 + 1)
        a = a + 5
        assert_array_equal(module.re_evaluate(), a * 2 + 1)
        assert_array_equal(module.re_evaluate({"a": a[:1]}), a[:1] * 2 + 1)

    def test_options_of_before(self, module):
        out, names = np.zeros(3, "i8"), {"a": np.arange(3.0)}
        assert module.evaluate("a * 2", names, out=out, casting="unsafe") is out
        names["a"] = np.arange(1.0, 4)
        assert module.re_evaluate(names) is out
        assert_array_equal(out, [2, 4, 6])
        held = weakref.ref(out)
        del out
        gc.collect()
        assert held() is None
        assert module.re_evaluate(names).dtype == np.float64

    def test_validated(self, module):
        a = np.arange(3.0)
        assert module.validate("a + 1") is None
        assert_array_equal(module.re_evaluate(), a + 1)

    def test_what_is_wrong_is_returned(self, module):
        assert isinstance(module.validate("X + missing"), KeyError)
        assert isinstance(module.validate("X +"), SyntaxError)
        assert isinstance(module.validate("X and Y"), TypeError)
        assert isinstance(module.validate("X.size"), ValueError)


def test_nothing_to_evaluate_again() -> None:
    raised = []

    def run() -> None:
        try:
            vk.re_evaluate()
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(raised) == 1


def test_no_trace_is_left() -> None:
    a = np.arange(3.0)
    vk.evaluate("a + 1")
    vk.evaluate("a + 2", disable_cache=True)
    assert_array_equal(vk.re_evaluate(), a + 1)


# ---- what the page says


def test_the_page_lists_what_is_not_there() -> None:
    sentence = re.search(r"Not there are ([^:]*?)\.\s", PAGE)
    assert sentence
    told = set(re.findall(r"`(\w+)`", sentence[1]))
    public = {n for n in dir(ne) if n[0] != "_" and not inspect.ismodule(getattr(ne, n))}
    assert told == {n for n in public if not hasattr(vk, n)}
