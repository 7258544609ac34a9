"""Parameters are the numbers that were given: at a threshold, and beside 16 bits, on every way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import vekt as vk
from vekt import dlpack, jit, reference
from vekt._spec.activations import OPS

HALVES = [np.dtype("f2"), np.dtype(ml_dtypes.bfloat16)]
NUMBERS = {"max_value": 3.3, "threshold": 0.7, "min_value": -0.3, "b": 1.3}  # others: 0.3
WITH_PARAMETERS = [name for name, op in OPS.items() if op.array_params]


def numbers(name: str) -> dict[str, float]:
    return {p.name: NUMBERS.get(p.name, 0.3) for p in OPS[name].array_params}


def ways(name: str, x: Any, options: dict[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield calls that all give the same numbers."""
    function = getattr(vk, name)
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(x, chunks=max(1, x.size // 3))
    yield "out", lambda: function(x, **options, out=np.empty_like(x))
    yield "where", lambda: function(x, **options, out=np.zeros_like(x), where=np.ones(x.shape, "?"))
    yield "dtype", lambda: function(x.astype("f8"), **options, dtype=x.dtype)
    yield "steps", lambda: function(np.repeat(x, 2)[::2], **options)
    yield "swapped", lambda: function(x.astype(x.dtype.newbyteorder()), **options)
    yield "value_and_grad", lambda: getattr(vk, f"{name}_value_and_grad")(x, **options)[0]
    yield "vekt.jit", lambda: getattr(jit, name)(x, **options)
    yield "vekt.reference", lambda: getattr(reference, name)(x, **options)
    yield "vekt.dlpack", lambda: getattr(dlpack, name)(x, **options)
    yield "Dask", lambda: np.asarray(function(lazy, **options))
    yield "fuse", lambda: vk.fuse(lambda x: function(x, **options))(x)
    yield "fuse, keywords", lambda: vk.fuse(lambda x, **p: function(x, **p))(x, **options)
    yield "fuse, operands", lambda: vk.fuse(lambda x, *p: function(x, *p))(x, *options.values())
    yield "stream", lambda: vk.stream(lambda x, out=None: function(x, **options, out=out), x)


def backward_ways(
    name: str, dy: Any, x: Any, options: dict[str, Any]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    full = f"{name}_backward"
    da = pytest.importorskip("dask.array")
    lazy = [da.from_array(a, chunks=max(1, x.size // 3)) for a in (dy, x)]
    yield "out", lambda: getattr(vk, full)(dy, x, **options, out=np.empty_like(x))
    yield "vekt.jit", lambda: getattr(jit, full)(dy, x, **options)
    yield "vekt.reference", lambda: getattr(reference, full)(dy, x, **options)
    yield "vekt.dlpack", lambda: getattr(dlpack, full)(dy, x, **options)
    yield "Dask", lambda: np.asarray(getattr(vk, full)(*lazy, **options))
    fused = vk.fuse(lambda x: getattr(vk, name)(x, **options))
    yield "fuse", lambda: fused.backward(dy, x)


def assert_all_equal(expected: Any, calls: Any) -> None:
    for way, call in calls:
        result = np.asarray(call())
        assert result.dtype.newbyteorder("=") == expected.dtype, way
        np.testing.assert_array_equal(result.astype("f8"), expected.astype("f8"), way)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_halves_take_numbers_as_given(name: str, dtype: Any, rng: np.random.Generator) -> None:
    """Computed in float32 with the number, and rounded once."""
    x, dy = (rng.normal(0, 3, 60).astype(dtype) for _ in range(2))
    options, wide = numbers(name), x.astype("f4")
    expected = getattr(vk, name)(wide, **options).astype(dtype)
    assert_all_equal(expected, [("itself", lambda: getattr(vk, name)(x, **options))])
    assert_all_equal(expected, ways(name, x, options))
    slope = getattr(vk, f"{name}_backward")(dy.astype("f4"), wide, **options).astype(dtype)
    assert_all_equal(slope, backward_ways(name, dy, x, options))


AT: dict[str, tuple[dict[str, float], float, float]] = {
    "relu": ({"negative_slope": 0.25, "threshold": 0.75}, 0.75, 0.0),
    "soft_shrink": ({"threshold": 0.75}, 0.75, 0.0),
    "hard_shrink": ({"threshold": 0.75}, 0.75, 0.0),
    "threshold": ({"threshold": 0.75, "default_value": 2.0}, 0.75, 2.0),
    "hard_tanh": ({"min_value": -0.75, "max_value": 0.75}, 0.75, 0.75),
}
"""Parameters, a kink, and the value there; the slope is that below it."""


@pytest.mark.parametrize("dtype", [*HALVES, np.dtype("f4"), np.dtype("f8")], ids=str)
@pytest.mark.parametrize("name", AT)
def test_at_the_threshold(name: str, dtype: Any) -> None:
    options, at, value = AT[name]
    options = {p.name: options.get(p.name, p.default) for p in OPS[name].array_params}
    options = {key: number for key, number in options.items() if number is not None}
    x, dy = np.full(20, at, dtype), np.full(20, 2, dtype)
    expected = np.full(20, value, dtype)
    calls = [(way, call) for way, call in ways(name, x, options) if "operands" not in way]
    assert_all_equal(expected, calls)
    slope = np.full(20, 2 * options.get("negative_slope", 0.0), dtype)
    assert_all_equal(slope, backward_ways(name, dy, x, options))
