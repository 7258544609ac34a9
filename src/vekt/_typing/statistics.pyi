"""Types of statistics along axes, and of running sums."""

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import A, Axes, F

@overload
def var(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> F: ...
@overload
def var(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    out: None = None,
    ddof: float = 0,
    *,
    keepdims: Literal[True],
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> NDArray[F]: ...
@overload
def var(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    *,
    out: A,
    ddof: float = 0,
    keepdims: bool = False,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> A: ...
@overload
def var(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> Any: ...
@overload
def std(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> F: ...
@overload
def std(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    out: None = None,
    ddof: float = 0,
    *,
    keepdims: Literal[True],
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> NDArray[F]: ...
@overload
def std(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    *,
    out: A,
    ddof: float = 0,
    keepdims: bool = False,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> A: ...
@overload
def std(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> Any: ...
@overload
def moments(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    ddof: float = 0,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
    correction: float = ...,
) -> tuple[F, F]: ...
@overload
def moments(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    ddof: float = 0,
    *,
    keepdims: Literal[True],
    where: ArrayLike = True,
    correction: float = ...,
) -> tuple[NDArray[F], NDArray[F]]: ...
@overload
def moments(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
    correction: float = ...,
) -> tuple[Any, Any]: ...
@overload
def prod(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> F: ...
@overload
def prod(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    out: None = None,
    *,
    keepdims: Literal[True],
    initial: complex = ...,
    where: ArrayLike = True,
) -> NDArray[F]: ...
@overload
def prod(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    *,
    out: A,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> A: ...
@overload
def prod(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def count_nonzero(
    a: ArrayLike,
    axis: None = None,
    *,
    keepdims: Literal[False] = False,
) -> np.intp: ...
@overload
def count_nonzero(
    a: ArrayLike,
    axis: Axes = None,
    *,
    keepdims: Literal[True],
) -> NDArray[np.intp]: ...
@overload
def count_nonzero(
    a: ArrayLike,
    axis: Axes = None,
    *,
    keepdims: bool = False,
) -> Any: ...
@overload
def nansum(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> F: ...
@overload
def nansum(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def nanmean(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
) -> F: ...
@overload
def nanmean(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
) -> Any: ...
@overload
def nanmax(
    a: NDArray[F],
    axis: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> F: ...
@overload
def nanmax(
    a: ArrayLike,
    axis: Axes = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def nanmin(
    a: NDArray[F],
    axis: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> F: ...
@overload
def nanmin(
    a: ArrayLike,
    axis: Axes = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def nanvar(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> F: ...
@overload
def nanvar(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> Any: ...
@overload
def nanstd(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    ddof: float = 0,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> F: ...
@overload
def nanstd(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
    mean: ArrayLike = ...,
    correction: float = ...,
) -> Any: ...
@overload
def cumsum(
    a: NDArray[F],
    axis: int | None = None,
    dtype: None = None,
    out: None = None,
) -> NDArray[F]: ...
@overload
def cumsum(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    *,
    out: A,
) -> A: ...
@overload
def cumsum(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
@overload
def cumprod(
    a: NDArray[F],
    axis: int | None = None,
    dtype: None = None,
    out: None = None,
) -> NDArray[F]: ...
@overload
def cumprod(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    *,
    out: A,
) -> A: ...
@overload
def cumprod(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]: ...
