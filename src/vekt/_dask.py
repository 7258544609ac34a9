"""Products of Dask arrays, block by block and lazily; imported when the first one comes."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from vekt._ufuncs import matmul as _matmul

da: Any = import_module("dask.array")  # it has few types


def matmul(x1: Any, x2: Any, /, *, dtype: Any = None) -> Any:
    """`vekt.matmul` with each block of rows, columns and stacks as a task of its own.

    Dask cannot apply gufuncs whose dimensions may be missing.  The dimension that is summed over is
    taken whole, and in the same order for blocks of one row, so that the bits are those of the
    product of arrays in memory with ``deterministic="batch"``.
    """
    x, y = da.asanyarray(x1), da.asanyarray(x2)
    options = {"dtype": dtype} if dtype else {}
    function = partial(_matmul, deterministic="batch", **options)
    one = function(*(np.ones((1,) * v.ndim, v.dtype) for v in (x, y)))  # raises for scalars
    stacks = max(x.ndim, y.ndim, 2) - 2
    row, column, summed = stacks, stacks + 1, stacks + 2
    x_index = [*range(stacks - x.ndim + 2, stacks), row, summed] if x.ndim > 1 else [summed]
    y_index = [*range(stacks - y.ndim + 2, stacks), summed, column] if y.ndim > 1 else [summed]
    index = sorted({*x_index, *y_index} - {summed})
    meta = np.empty((0,) * len(index), one.dtype)
    return da.blockwise(function, index, x, x_index, y, y_index, concatenate=True, meta=meta)
