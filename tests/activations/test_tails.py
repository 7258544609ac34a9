"""Tails that underflow have the same sign of zero on every instruction set, with fma or without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vekt import ufuncs
from vekt._core import native
from vekt._spec.activations import KERNELS

BEST = ufuncs.build_ufuncs(native.SELECTED)
FAR = [-1.5e9, -800.0, -745.2, -110.0, -100.0, -40.0, -15.0, -np.inf, -0.0, 0.0, 40.0, np.inf]


def results(kernels: dict[str, Any], name: str, x: np.ndarray) -> tuple[np.ndarray, ...]:
    found = (kernels[name](np.ones_like(x), x),) if name.endswith("_backward") else kernels[name](x)
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", [k.name for k in KERNELS.values() if not k.params])
def test_signs_of_zeros(kernels: dict[str, Any], name: str, dtype: str) -> None:
    x = np.array(FAR, dtype)
    with np.errstate(all="ignore"):
        for suffix in ("", "_backward", "_value_and_grad"):
            pairs = zip(*(results(k, name + suffix, x) for k in (kernels, BEST)), strict=True)
            for got, expected in pairs:
                zeros = (got == 0) & (expected == 0)
                np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(expected[zeros]))
