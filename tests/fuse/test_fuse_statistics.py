"""Statistics at the end of fused functions, and inside them: values and gradients."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk

SHAPES = [((50,), None), ((7, 90), 1), ((90, 7), 0), ((4, 5, 6), (0, 2)), ((4, 5, 6), None)]


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_values(name: str, dtype: str, rng: np.random.Generator) -> None:
    for shape, axis in SHAPES:
        x = (rng.normal(3, 2, shape) * 4).astype(dtype)
        for options in ({}, {"ddof": 1}, {"correction": 2.5}, {"keepdims": True}):
            fused = vk.fuse(lambda x, a=axis, o=options: getattr(np, name)(x * 2, axis=a, **o))
            result = fused(x)
            expected = getattr(np, name)(x * 2, axis=axis, **options)
            assert result.dtype == expected.dtype
            assert result.shape == expected.shape
            assert_allclose(result, expected, rtol=1e-5 if dtype == "f4" else 1e-13)
    count = vk.fuse(lambda x: np.count_nonzero(x > 3, axis=1))(np.arange(12).reshape(3, 4))
    assert_array_equal(count, [0, 4, 4])


def inside(name: str, axis: Any, ddof: int, x: Any) -> Any:
    return getattr(vk, name)(np.exp(x / 8), axis=axis, ddof=ddof)


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("ddof", [0, 1])
def test_gradients(name: str, ddof: int, rng: np.random.Generator) -> None:
    """2 (x - m) / (n - ddof), divided by twice the root for std; through what is inside, too."""
    for shape, axis in SHAPES:
        x = rng.normal(3, 2, shape)
        fused = vk.fuse(partial(inside, name, axis, ddof))
        y = np.exp(x / 8)
        value = getattr(np, name)(y, axis=axis, ddof=ddof, keepdims=True)
        n = y.size / value.size
        slope = 2 * (y - y.mean(axis, keepdims=True)) / (n - ddof)
        slope = slope / (2 * value) if name == "std" else slope
        dy = rng.normal(size=value.shape)
        dx = fused.backward(dy.reshape(np.shape(fused(x))), x)
        assert_allclose(dx, dy * slope * y / 8, rtol=1e-10, atol=1e-12)


def test_inside(rng: np.random.Generator) -> None:
    """Normalised columns; both moments; what is not NaN; what cannot be fused."""
    x = rng.normal(3, 2, (200, 6))

    @vk.fuse
    def normal(x: Any) -> Any:
        mean, variance = vk.moments(x, axis=0)
        return (x - mean) / np.sqrt(variance + 1e-5)

    assert_allclose(normal(x), (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5), rtol=1e-11)
    holes = np.where(rng.random(x.shape) < 0.3, np.nan, x)
    for name in ("nansum", "nanmean"):
        fused = vk.fuse(lambda x, f=name: getattr(np, f)(x * 2, axis=0))
        assert_allclose(fused(holes), getattr(np, name)(holes * 2, axis=0), rtol=1e-13)
    dx = vk.fuse(lambda x: np.nanmean(x)).backward(1.0, holes)
    assert_allclose(dx[holes == holes], 1 / np.sum(holes == holes))
    with pytest.raises(TypeError, match="cannot be fused"):
        vk.fuse(lambda x: np.var(x, where=x > 0))(x)
    with pytest.raises(ValueError, match="simultaneously"):
        vk.fuse(lambda x: np.var(x, ddof=1, correction=1))(x)
