from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

def connect(drivers: int, target: int, /) -> None: ...
def build_ufuncs(target: int, docs: dict[str, str], /) -> dict[str, np.ufunc]: ...
def build_dot(target: int, /) -> Callable[..., Any]: ...
def build_rows(target: int, /) -> Callable[..., Any]: ...
def dot(a: ArrayLike, b: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
def rows(
    name: str,
    x: ArrayLike,
    y: ArrayLike | None,
    axis: int | tuple[int, ...] | None,
    keepdims: bool,
    where: ArrayLike | None,
    out: NDArray[Any] | None,
    dtype: Any,
    /,
) -> Any: ...
