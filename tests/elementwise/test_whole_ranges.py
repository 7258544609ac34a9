"""All floats of the ranges in which sweeps over every input have found errors beyond a bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from operands import function_of


def floats(first: float, last: float) -> np.ndarray:
    """Return all of them from the first on, without the last."""
    ends = np.array([first, last], "f4").view("u4")
    return np.arange(*ends, dtype="u4").view("f4")


def largest_error(result: np.ndarray, true: np.ndarray) -> float:
    unit = np.spacing(np.abs(true).astype("f4")).astype("f8")
    return float((np.abs(result - true) / unit).max())


@pytest.mark.parametrize("name", ["log2", "log10"])
def test_logarithms_near_1(isa: str, name: str) -> None:
    for x in (floats(0.74, 1.0), floats(1 + 2**-23, 1.51)):
        assert largest_error(function_of(name, isa)(x), getattr(np, name)(x.astype("f8"))) <= 1


def test_erf_of_the_least_numbers(isa: str) -> None:
    x = floats(2.0**-127, 2.0**-125)
    assert largest_error(function_of("erf", isa)(x), x * (2 / math.sqrt(math.pi))) <= 1
