"""Sums of products over labels in compiled functions, beside vekt's and NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import jit


def compiled(text: str, count: int) -> Any:
    scope: dict[str, Any] = {"vk": vk}
    names = ", ".join(f"x{i}" for i in range(count))
    exec(f"def f({names}): return vk.einsum({text!r}, {names})", scope)
    return njit(scope["f"])


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("ij,jk->ik", [(3, 4), (4, 5)]),
        ("ij,jk", [(3, 0), (0, 5)]),
        ("ij,ij->i", [(3, 4), (3, 4)]),
        ("i,j->ji", [(3,), (4,)]),
        ("iij->ji", [(3, 3, 4)]),
        ("ii", [(4, 4)]),
        ("ij->", [(4, 0)]),
        ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)]),
        ("...ij,j...->i...", [(2, 3, 4), (4, 2)]),
        ("abc,bcd,a->d", [(2, 3, 4), (3, 4, 5), (2,)]),
        ("ij,j->i", [(3, 4), (1,)]),
        ("i,ij,j->", [(3,), (3, 4), (4,)]),
    ],
)
def test_results(text: str, shapes: list[tuple[int, ...]], rng: np.random.Generator) -> None:
    operands = [rng.normal(size=shape) for shape in shapes]
    got, want = compiled(text, len(shapes))(*operands), vk.einsum(text, *operands)
    assert_allclose(got, want, rtol=1e-13, atol=1e-13)
    assert np.shape(got) == np.shape(want)
    if isinstance(got, np.ndarray):
        assert not any(np.shares_memory(got, x) for x in operands)
    assert_array_equal(jit.einsum(text, *operands), want, strict=True)


@pytest.mark.parametrize("dtypes", ["??", "FF", "Hi"])
def test_dtypes(dtypes: str, rng: np.random.Generator) -> None:
    """NumPy's result types; integers wrap around, truths are joined."""
    a, b = ((rng.normal(size=(6, 6)) * 60).astype(c) for c in dtypes)
    for text in ("ij,jk->ik", "ij,kl->ij"):
        got, want = compiled(text, 2)(a, b), vk.einsum(text, a, b)
        assert got.dtype == want.dtype
        assert_allclose(got, want, rtol=1e-5, atol=1e-2 if dtypes == "FF" else 0)


def test_views_of_any_strides(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 9, 8, 7))
    call = compiled("abc,cbd->da", 2)
    x, y = a[::-2, 1::3], b.transpose(2, 1, 0)[:, 1::3]
    assert_allclose(call(x, y), np.einsum("abc,cbd->da", x, y), rtol=1e-12)


def test_errors(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    with pytest.raises(ValueError, match="lengths of a label differ"):
        compiled("ij,jk->ik", 2)(a, b)
    with pytest.raises(ValueError, match="diagonal"):
        compiled("ii", 1)(a)
    for text in ("ijk,jk->i", "ij->k", "ij,jk,kl", "i$"):
        with pytest.raises(TypingError, match="einsum: "):
            compiled(text, 2)(a, b)
    for call in (lambda: vk.einsum(), lambda: vk.einsum("ij")):
        with pytest.raises(TypingError, match="expected subscripts and operands"):
            njit(call)()
    with pytest.raises(TypingError, match="constant"):
        njit(lambda text, x: vk.einsum(text, x))("ij", a)
