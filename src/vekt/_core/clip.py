"""The ufunc behind `numpy.clip`, which has no public name: it is what an operand is told of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class _Told(np.ndarray[Any, Any]):
    """An array that gives the ufunc which is called on it as the result."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return ufunc


_told: NDArray[Any] = np.empty(0).view(_Told)
CLIP: Any = _told.clip(0, 1)
