"""Strings and objects made to do harm: `evaluate` reads them as data, or says what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vekt as vk

# the language beyond expressions; ways to Python's objects; arguments that functions do not take
LINES = r"""
#
a b
a = 1
a := 1
(a := 1)
del a
import os
lambda: a
yield a
await a
a; a
return a
assert a
[a]
(a, a)
{a}
{a: a}
[b for b in a]
*a
**a
f'{a}'
f'{__import__("os")}'
'a'
b'a'
...
None
a if a else a
a and a
not a
a is a
a in a
a < a < a
a[0]
a[::2]
a.T
a.T
a @ a
`a`
__import__('os').system('true')
__builtins__
_a
a.__class__
a.__class__.__mro__
().__class__.__bases__[0].__subclasses__()
exp.__globals__
(lambda: a)()
exp(*a)
exp(**a)
exp(a)(a)
eval('a')
exec('a')
open('a')
getattr(a, 'T')
globals()
type(a)
vars()
np.exp(a)
exp(x=a)
exp(a, out=a)
exp(a, a)
exp()
sum(a, axis=a)
sum(a, dtype=a)
where(a, a, a, a)
sum(a, axis=__import__('os'))
sum(a, axis=(lambda: 0)())
""".strip("\n").splitlines()

# work and memory without end
ENDLESS = [
    "9" * 3900,
    "*".join(["9" * 60] * 60),
    "9**9**9**9",
    "2**10000 * a",
    "1 << 10**10",
    "(((9**99)**99)**99)**99",
    "'a' * 10**10",
    "-" * 5000 + "a",
    "(" * 500 + "a" + ")" * 500,
    "exp(" * 300 + "a" + ")" * 300,
    "~" * 2000 + "a",
    "a**" * 200 + "a",
    "a" * 30_000,
    "+".join(["a"] * 20_000),
]


@pytest.mark.parametrize(
    "text", ["", " ", "a\n+a", "a\0", "\ud800", *LINES, *ENDLESS], ids=lambda text: repr(text[:40])
)
def test_strings(text: str) -> None:
    a = np.arange(3.0)
    with pytest.raises((ValueError, TypeError), match="expression|variable"):
        vk.evaluate(text, {"a": a})
    np.testing.assert_array_equal(a, np.arange(3.0))


@pytest.mark.parametrize(
    "value",
    [None, "a", b"a", [], {}, object(), type, iter([1.0]), np.array([object()]), np.array("a"),
     np.zeros(3, "V4"), np.zeros(3, [("x", "f8")]), slice(1), Ellipsis, lambda: 1.0],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_values_that_are_no_numbers(value: Any) -> None:
    """NumPy's result or an error, and no crash."""
    try:
        expected = np.asarray(value) * 2 + np.arange(3.0)
    except Exception:
        with pytest.raises((TypeError, ValueError)):
            vk.evaluate("v * 2 + a", {"v": value, "a": np.arange(3.0)})
    else:
        np.testing.assert_array_equal(
            vk.evaluate("v * 2 + a", {"v": value, "a": np.arange(3.0)}), expected
        )


def test_names() -> None:
    for name in ("a.b", "__class__", "a b", "lambda"):
        with pytest.raises((ValueError, TypeError)):
            vk.evaluate(f"{name} + 1", {name: np.ones(2)})
