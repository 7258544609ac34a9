"""No public function ignores a keyword that it does not know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_result_dtypes import NAMES, count_of, operands

import vekt as vk
from vekt import jit, reference

CALLS = [(space, name) for space in (vk, jit, reference) for name in NAMES if hasattr(space, name)]


@pytest.mark.parametrize("value", [None, 4])
@pytest.mark.parametrize(
    ("space", "name"), CALLS, ids=[f"{space.__name__}.{name}" for space, name in CALLS]
)
def test_unknown_keywords(space: Any, name: str, value: Any) -> None:
    given = operands(name, [np.dtype(float)] * count_of(name))
    with pytest.raises(TypeError, match="nonsense"):
        getattr(space, name)(*given, nonsense=value)
