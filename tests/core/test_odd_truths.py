"""Views of bytes as bool, as masks of 0 and 255 are: every byte but 0 is true, as in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import vekt as vk
from vekt._spec.elementwise import OPS
from vekt._spec.rows import ROW_OPS

BYTES = np.array([2, 0, 255, 1, 128, 0, 4, 7, 0, 16, 0, 64], "u1")
NUMBERS: dict[str, Any] = {d: np.arange(1, 13).astype(d) for d in ("i1", "i8", "f2", "f4", "f8")}
REDUCTIONS = ["sum", "mean", "max", "min", "any", "all", "argmax", "argmin"]


def same(call: Callable[..., Any], *truths: Any) -> None:
    """Compare with the call on truth values of 0 and 1 in the same layout."""
    plain = [np.empty_like(x) for x in truths]
    for p, x in zip(plain, truths, strict=True):
        p[...] = x.view("u1") != 0
    result, expected = np.asarray(call(*truths)), np.asarray(call(*plain))
    assert result.dtype == expected.dtype
    if result.dtype == bool:
        result, expected = result.view("u1") != 0, expected.view("u1") != 0
    np.testing.assert_array_equal(result, expected)


def layouts(n: int) -> Iterator[Any]:
    """Yield truth values in layouts, of sizes that take other ways; the first is 1-d."""
    x = np.tile(BYTES, n).view(bool)
    yield x
    yield x[::-1]
    yield x.reshape(4, -1)
    yield x.reshape(-1, 4)
    yield x.reshape(4, -1).T
    yield x.reshape(-1, 6)[:, ::2]


@pytest.mark.parametrize("name", OPS)
def test_elementwise(name: str) -> None:
    function, nin = getattr(vk, name), len(OPS[name].inputs)
    for x in layouts(10):
        y = x[..., ::-1]
        if name not in ("subtract", "negative"):  # which NumPy has not for truth values
            same(lambda a, b: function(*(a, b, a)[:nin]), x, y)
        for numbers in NUMBERS.values():
            n = np.resize(numbers, x.shape)
            for place in range(nin if nin > 1 else 0):
                operands = [n] * nin
                operands[place] = x
                if name == "power" and numbers.dtype.kind == "i" and place == 0:
                    operands[1] = n % 3
                same(lambda a, o=operands, i=place: function(*o[:i], a, *o[i + 1 :]), x)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("n", [1, 10, 3000])
def test_reductions(name: str, n: int) -> None:
    function = getattr(vk, name)
    for x in layouts(n):
        for axis in (None, *range(x.ndim)):
            same(lambda a, axis=axis: function(a, axis=axis), x)
        if name not in ("argmax", "argmin"):
            y, first = np.resize(NUMBERS["f8"], x.shape), {"max": 0.0, "min": 0.0}
            initial = {"initial": first[name]} if name in first else {}
            same(lambda a, y=y, o=initial: function(y, where=a, **o), x)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_first_of_truths(name: str) -> None:
    for row in ([1, 255], [255, 1], [0, 3, 255], [255, 0, 0], [0, 0], [7, 9, 8], [1, 1, 0, 200]):
        for x in (np.array(row, "u1"), np.tile(np.array(row, "u1"), (70, 1))):
            for truths in (x.view(bool), np.asfortranarray(x).view(bool)):
                same(lambda a: getattr(vk, name)(a, axis=-1), truths)
                same(lambda a: getattr(vk, name)(a.T, axis=0), truths)


@pytest.mark.parametrize("name", ROW_OPS)
def test_rows(name: str) -> None:
    for x in layouts(10):
        same(getattr(vk, name), x)
        y = np.resize(NUMBERS["f4"], x.shape)
        same(lambda m, y=y: getattr(vk, name)(y, where=m), x)


@pytest.mark.parametrize("compiled", [False, True])
def test_expressions(compiled: bool) -> None:
    expressions: list[Callable[..., Any]] = [
        lambda x, y: x + 1,
        lambda x, y: x * y + 1.5,
        lambda x, y: np.where(x, y, 2),
        lambda x, y: x.astype("f4") * y.astype("u1"),
        lambda x, y: np.sum(x) + np.mean(y),
    ]
    for x in layouts(10):
        for expression in expressions:
            same(vk.fuse(expression, compile=compiled), x, x[..., ::-1])
