"""Products of dtypes that no kernel takes are NumPy's, as those of other functions are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._spec.linalg import LINALG

NAMES = [name for name in ("dot", "matmul", "matvec", "outer", "tensordot", "vecdot", "vecmat")
         if hasattr(np, name)]  # fmt: skip
SHAPES = {
    "dot": [((4,), (4,)), ((3, 4), (4,)), ((2, 3, 4), (5, 4, 2)), ((), (3,))],
    "matmul": [((4,), (4,)), ((3, 4), (4, 2)), ((2, 1, 3, 4), (5, 4, 2)), ((0, 4), (4, 0))],
    "matvec": [((3, 4), (4,)), ((2, 3, 4), (2, 4))],
    "outer": [((3,), (4,)), ((2, 3), (4,))],
    "tensordot": [((3, 4, 2), (4, 2, 5)), ((2, 3), (2, 3))],
    "vecdot": [((4,), (4,)), ((3, 4), (2, 1, 4)), ((0,), (0,))],
    "vecmat": [((4,), (4, 3)), ((2, 4), (2, 4, 3))],
}
DTYPES = ["g", "G", ">g", "O"]


def numbers(shape: tuple[int, ...], dtype: str) -> Any:
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 7 - 3
    if dtype == "O":
        return np.array([Fraction(int(n), 3) for n in x.flat] + [None], object)[:-1].reshape(shape)
    return (x * (1 + 2j)).astype(dtype) if dtype == "G" else (x / 3).astype(dtype)


def test_all_products_are_here() -> None:
    here = {name for name in LINALG if hasattr(np, name)} | {"matvec", "vecmat"}
    assert set(SHAPES) == here - {"einsum"}  # see test_einsum.py


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("namespace", [vk, vk.reference], ids=["vekt", "reference"])
def test_are_numpys(namespace: Any, name: str, dtype: str) -> None:
    ours, theirs = getattr(namespace, name), getattr(np, name)
    for of_x, of_y in SHAPES[name]:
        x, y = numbers(of_x, dtype), numbers(of_y, dtype)
        halves = (np.ones(of_x, "f4"), np.ones(of_y, "i8"))
        for a, b in ((x, y), (x[..., ::-1] if of_x else x, y), (halves[0], y), (x, halves[1])):
            expected, result = theirs(a, b), ours(a, b)
            assert_array_equal(result, expected)
            assert type(result) is type(expected)
            assert np.asarray(result).dtype == np.asarray(expected).dtype
            if name != "tensordot" and np.shape(expected):
                out = np.zeros_like(expected)
                assert ours(a, b, out=out) is out
                assert_array_equal(out, expected)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("dot", "outer")])
def test_errors_are_of_numpys_kind(name: str) -> None:
    of_x, of_y = SHAPES[name][0]
    for dtype in ("S3", "U2", "M8[s]", "V4"):
        with pytest.raises(TypeError):
            getattr(vk, name)(np.ones(of_x).astype(dtype), np.ones(of_y).astype(dtype))
    with pytest.raises(ValueError, match=r"match|align|differ"):
        getattr(vk, name)(numbers((3, 5), "O"), numbers((2, 7), "O"))


def test_overflow_is_quiet() -> None:
    big = np.full((2, 2), np.finfo("g").max)
    for function in (vk.matmul, vk.dot, vk.tensordot, vk.outer, vk.vecdot):
        assert np.isinf(function(big, big)).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "outer"])
def test_an_operands_own_error_is_told(name: str) -> None:
    class Refuses:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise NotImplementedError("not yet")

    for operands in ((Refuses(), Refuses()), (np.ones(2), Refuses())):
        with pytest.raises(NotImplementedError, match="not yet"):
            getattr(vk, name)(*operands)
