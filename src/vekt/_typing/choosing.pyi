"""Types of choosing."""

from typing import Any, Literal, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import A, T

@overload
def top_k(
    x: NDArray[T], k: SupportsIndex, axis: SupportsIndex = -1
) -> tuple[NDArray[T], NDArray[np.intp]]: ...
@overload
def top_k(
    x: ArrayLike, k: SupportsIndex, axis: SupportsIndex = -1
) -> tuple[NDArray[Any], NDArray[np.intp]]: ...
@overload
def take(
    x: ArrayLike,
    indices: ArrayLike,
    axis: SupportsIndex | None = None,
    mode: Literal["raise", "wrap", "clip"] = "raise",
    *,
    out: A,
) -> A: ...
@overload
def take(
    x: ArrayLike,
    indices: ArrayLike,
    axis: SupportsIndex | None,
    mode: Literal["raise", "wrap", "clip"],
    out: A,
) -> A: ...
@overload
def take(
    x: ArrayLike,
    indices: ArrayLike,
    axis: SupportsIndex | None = None,
    mode: Literal["raise", "wrap", "clip"] = "raise",
    out: None = None,
) -> Any: ...
def scatter_add(x: A, indices: ArrayLike, values: ArrayLike, axis: SupportsIndex = 0) -> A: ...
def one_hot(
    indices: ArrayLike,
    num_classes: SupportsIndex,
    axis: SupportsIndex = -1,
    dtype: DTypeLike = "float32",
) -> NDArray[Any]: ...
