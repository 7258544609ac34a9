"""Choosing inside compiled functions."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from numpy.testing import assert_array_equal

from vekt import jit, reference


@njit
def all_four(x, places, values):  # type: ignore[no-untyped-def]
    sums = jit.scatter_add(x.copy(), places, values, axis=1)
    chosen, at = jit.top_k(x, 3)
    taken = jit.take(x, places, axis=1)
    flat = jit.take(x, places, None, "wrap")
    clipped = jit.take(x, places, 0, mode="clip")
    return sums, chosen, at, taken, flat, clipped, jit.one_hot(places, 4)


def test_like_the_reference(rng: np.random.Generator) -> None:
    for dtype in ("f4", "i8"):
        x = rng.integers(0, 9, (3, 40)).astype(dtype)
        if dtype[0] == "f":
            x[1, ::7] = np.nan
        places = np.array([[3, 39], [-1, 3]])
        values = rng.integers(0, 9, (3, 2, 2)).astype(dtype)
        for view in (x, x[::-1, ::2][:, ::-1])[: 2 if dtype == "f4" else 1]:
            if view.shape[1] < 40:
                places = places % view.shape[1]
            got = all_four(view, places, values)
            expected = (
                reference.scatter_add(view.copy(), places, values, 1),
                *reference.top_k(view, 3),
                reference.take(view, places, 1),
                reference.take(view, places, None, "wrap"),
                reference.take(view, places, 0, "clip"),
                reference.one_hot(places, 4),
            )
            for one, other in zip(got, expected, strict=True):
                assert_array_equal(one, other, strict=True)


def test_errors() -> None:
    x, places = np.zeros((2, 3)), np.array([0, 3])
    with pytest.raises(IndexError):
        njit(lambda x, i: jit.take(x, i, 1))(x, places)
    with pytest.raises(IndexError):
        njit(lambda x, i, v: jit.scatter_add(x, i, v, 1))(x, places, np.ones((2, 2)))
    assert not x.any()
    with pytest.raises(ValueError, match="k is not"):
        njit(lambda x: jit.top_k(x, 4))(x)
    for wrong in (
        lambda x: jit.top_k(x, 1.5),
        lambda x: jit.top_k(x, 1, 0),
        lambda x: jit.take(x, x, 1),
        lambda x: jit.take(x, np.array([0]), 5),
        lambda x: jit.one_hot(x, 3),
    ):
        with pytest.raises(TypingError):
            njit(wrong)(x)
