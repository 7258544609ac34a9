"""Reductions of what is no number: NumPy's results and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vekt as vk

ARRAYS = {
    "datetime64": np.arange(6).reshape(2, 3).astype("M8[s]"),
    "timedelta64": np.arange(6).reshape(2, 3).astype("m8[s]"),
    "object": np.arange(6).reshape(2, 3).astype(object),
    "long double": np.arange(6.0).reshape(2, 3).astype("g"),
    "text": np.array([["a", "b"], ["c", ""]]),
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"axis": -1},
    {"initial": 0},
    {"initial": 2, "axis": 0},
    {"initial": np.datetime64(3, "s")},
    {"initial": np.timedelta64(3, "s")},
    {"initial": 1, "where": np.array([[True], [False]])},
]


def outcome(function: Any, x: Any, options: dict[str, Any]) -> Any:
    try:
        return function(x, **options)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", ARRAYS)
@pytest.mark.parametrize("name", ["sum", "max", "min"])
def test_as_numpy(name: str, dtype: str, options: dict[str, Any]) -> None:
    x = ARRAYS[dtype]
    got, expected = (outcome(getattr(module, name), x, options) for module in (vk, np))
    assert isinstance(got, type) == isinstance(expected, type), (got, expected)
    if isinstance(expected, type):
        assert got is expected
    else:
        assert np.asarray(got).dtype == np.asarray(expected).dtype
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "any", "all", "argmax", "argmin"])
@pytest.mark.parametrize("axis", [True, False, 1.0, "0", 2**70, -(2**70), 2, (0, 0), [0]], ids=str)
def test_axes_that_are_none(name: str, axis: Any) -> None:
    x = np.arange(6.0).reshape(2, 3)
    got, expected = (outcome(getattr(module, name), x, {"axis": axis}) for module in (vk, np))
    assert got is expected


@pytest.mark.parametrize("where", [None, "a", 1, [1, 0, 1], np.array([1, 0, 1])], ids=str)
def test_masks_of_a_mean(where: Any) -> None:
    x = np.arange(6.0).reshape(2, 3)
    got, expected = (outcome(module.mean, x, {"where": where}) for module in (vk, np))
    assert got == expected
