"""Cross entropy where logits are infinite or far apart: alike in every namespace."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import vekt as vk
from vekt import reference

BIG = {"f4": 3.4e38, "f8": 1.79e308}
TARGETS: dict[str, Any] = {
    "label": [0, 1, 2],
    "one hot": np.eye(3),
    "even": np.full((3, 3), 1 / 3),
    "large": [[2, 0.5, 1], [0, 2, 2], [2, 0, 0]],
    "nothing": np.zeros((3, 3)),
    "adds up to nothing": [[-0.5, 0.5, 0], [0, -0.5, 0.5], [0.5, 0, -0.5]],
}
OPTIONS: list[dict[str, Any]] = [{}, {"label_smoothing": 0.1}, {"weight": [0, 1, 2]}]


def rows(dtype: str) -> Any:
    big = BIG[dtype]
    values = [1, -np.inf, np.inf, big, -big, np.nan]
    return np.array(list(product(values, repeat=3)), dtype)


def of_vekt(x: Any, t: Any, **options: Any) -> Any:
    return vk.softmax_cross_entropy_value_and_grad(x, t, **options)


def across(x: Any, t: Any, **options: Any) -> Any:
    """Rows side by side, many of them."""
    x, n = np.tile(x, (20, 1)), len(x)
    t = np.tile(t, (20,) + (1,) * (np.ndim(t) - 1))
    t = t.T if t.ndim > 1 else t
    loss, slope = vk.softmax_cross_entropy_value_and_grad(x.T.copy(), t, axis=0, **options)
    return loss[-n:], slope.T[-n:]


def of_autograd(x: Any, t: Any, **options: Any) -> Any:
    autograd = pytest.importorskip("autograd")
    from vekt import autograd as va

    loss = va.softmax_cross_entropy(x, t, **options)
    return loss, autograd.make_vjp(va.softmax_cross_entropy)(x, t, **options)[0](np.ones_like(loss))


def of_dask(x: Any, t: Any, **options: Any) -> Any:
    da = pytest.importorskip("dask.array")
    chunks = [da.from_array(a, chunks=(50, *a.shape[1:])) for a in (x, np.asarray(t))]
    return tuple(map(np.asarray, vk.softmax_cross_entropy_value_and_grad(*chunks, **options)))


@pytest.mark.parametrize("space", [of_vekt, across, of_autograd, of_dask])
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_as_the_reference(space: Any, kind: str, dtype: str) -> None:
    x = np.repeat(rows(dtype), 3, axis=0)
    t = np.tile(TARGETS[kind], (len(x) // 3,) + (1,) * (np.ndim(TARGETS[kind]) - 1))
    t = t if t.ndim == 1 else t.astype(dtype)
    every = [*OPTIONS, {"ignore_index": 1}] if t.ndim == 1 else OPTIONS
    for options in every[: 2 if "adds" in kind else None]:  # then partial sums may overflow
        expected = reference.softmax_cross_entropy_value_and_grad(x, t, reduction="none", **options)
        results = space(x, t, reduction="none", **options)
        for result, other in zip(results, expected, strict=True):
            assert result.dtype == dtype
            np.testing.assert_allclose(result, other, 1e-5, 1e-6)


def test_what_is_promised() -> None:
    """-inf away from the label costs nothing, at the label everything; NaN stays NaN."""
    x = np.array([[1, 2, -np.inf]])
    for space in (vk, reference):
        loss = space.softmax_cross_entropy
        assert np.isinf(loss(x, [2]))
        assert np.isfinite(loss(x, [1]))
        assert np.isinf(loss(x, [1], label_smoothing=0.1))
        assert np.isnan(loss([[np.nan, 1.0]], [[0.0, 0.0]]))
        assert loss([[np.nan, 1.0], [0.0, 0.0]], [-1, 0], ignore_index=-1) == np.log(2)
    nothing = np.full((1, 3), -np.inf)  # its softmax is 0, so that the gradient is minus the target
    for label in range(3):
        hot = np.eye(3)[[label]]
        for space, t in product((vk, reference), ([label], hot)):
            _, slope = space.softmax_cross_entropy_value_and_grad(nothing, t)
            np.testing.assert_array_equal(slope, -hot)
