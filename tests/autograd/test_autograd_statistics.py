"""Gradients of statistics and running sums: against differences, twice, with zeros and NaN."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from autograd.test_util import check_grads
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import autograd as va

NAMES = ("var", "std", "prod", "nansum", "nanmean", "nanvar", "nanstd", "cumsum", "cumprod")


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name: str, rng: np.random.Generator) -> None:
    x = rng.normal(1, 1, (3, 4, 2))
    if name in ("prod", "cumprod"):
        x[0, 1, 0] = x[1, 2, 1] = x[2, :2, 0] = 0
    function = getattr(va, name)
    for axis in (None, 1, -1, (0, 2)):
        if name[:3] == "cum" and isinstance(axis, tuple):
            continue
        options: Any = {"ddof": 1} if name[-3:] in ("var", "std") and axis == 1 else {}
        assert_array_equal(function(x, axis, **options), getattr(vk, name)(x, axis, **options))
        check_grads(lambda x, a=axis, o=options: function(x, a, **o), order=2, modes=["rev"])(x)
    if name[:3] == "nan":
        holes = np.where(np.arange(24).reshape(x.shape) % 5 == 0, np.nan, x)
        slope = grad(lambda x: anp.sum(function(x, 1)))(holes)
        assert_array_equal(slope[np.isnan(holes)], 0)
        total = {"nansum": np.sum(holes == holes), "nanmean": 6}.get(name, 0)
        assert_allclose(np.sum(slope), total, atol=1e-12)


def test_moments_and_masks(rng: np.random.Generator) -> None:
    x = rng.normal(1, 1, (5, 4))

    def normal(x: Any) -> Any:
        mean, variance = va.moments(x, 0, ddof=1)
        return (x - mean) / anp.sqrt(variance)

    check_grads(normal, order=2, modes=["rev"])(x)
    with pytest.raises(TypeError, match="no gradient with where"):
        grad(lambda x: va.var(x, where=x > 0))(x)
