"""A mask is an array of bool, or a list of what is true or false, in every namespace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from forms import ELEMENTWISE, FORMS

from vekt import jit, reference

NAMES = [name for name in ELEMENTWISE if name != "glu"]  # whose result has another shape
CALLS = [(space, name) for space in (jit, reference) for name in NAMES if hasattr(space, name)]


@pytest.mark.parametrize(
    ("space", "name"), CALLS, ids=[f"{space.__name__}.{name}" for space, name in CALLS]
)
def test_lists(space: Any, name: str) -> None:
    function = getattr(space, name)
    operands = [np.linspace(0.1, 0.9, 4) for _ in FORMS[name].operands]
    two = isinstance(function(*operands), tuple)
    listed = [1, 0, 1, 1]
    results = []
    for where in (listed, np.array(listed, bool)):
        out = (np.zeros(4), np.zeros(4)) if two else np.zeros(4)
        results.append(np.array(function(*operands, out=out, where=where)))
    np.testing.assert_array_equal(*results)
    assert not results[0][..., 1].any()
