"""Types of reductions, and of `vekt.where`."""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import A, Axes, D, F, Floats, Lists, Other, Output, T

@overload
def sum(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> F: ...
@overload
def sum(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    *,
    out: None = None,
    keepdims: Literal[True],
    initial: complex = ...,
    where: ArrayLike = True,
) -> NDArray[F]: ...
@overload
def sum(
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
def sum(
    a: ArrayLike,
    axis: int | tuple[int, ...],
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def sum(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    out: None = None,
    *,
    keepdims: bool,
    initial: complex = ...,
    where: ArrayLike = True,
) -> F | NDArray[F]: ...
@overload
def sum(
    a: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def sum(
    a: Other | complex,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def mean(
    a: NDArray[F],
    axis: None = None,
    dtype: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
) -> F: ...
@overload
def mean(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    *,
    out: None = None,
    keepdims: Literal[True],
    where: ArrayLike = True,
) -> NDArray[F]: ...
@overload
def mean(
    a: ArrayLike,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    *,
    out: A,
    keepdims: bool = False,
    where: ArrayLike = True,
) -> A: ...
@overload
def mean(
    a: ArrayLike,
    axis: int | tuple[int, ...],
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
) -> Any: ...
@overload
def mean(
    a: NDArray[F],
    axis: Axes = None,
    dtype: None = None,
    out: None = None,
    *,
    keepdims: bool,
    where: ArrayLike = True,
) -> F | NDArray[F]: ...
@overload
def mean(
    a: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    where: ArrayLike = True,
) -> Any: ...
@overload
def mean(
    a: Other | complex,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
) -> Any: ...
@overload
def max(
    a: NDArray[T],
    axis: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> T: ...
@overload
def max(
    a: NDArray[T],
    axis: Axes = None,
    *,
    out: None = None,
    keepdims: Literal[True],
    initial: complex = ...,
    where: ArrayLike = True,
) -> NDArray[T]: ...
@overload
def max(
    a: ArrayLike,
    axis: Axes = None,
    *,
    out: A,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> A: ...
@overload
def max(
    a: ArrayLike,
    axis: int | tuple[int, ...],
    out: None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def max(
    a: NDArray[T],
    axis: Axes = None,
    out: None = None,
    *,
    keepdims: bool,
    initial: complex = ...,
    where: ArrayLike = True,
) -> T | NDArray[T]: ...
@overload
def max(
    a: Lists | complex,
    axis: Axes = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def min(
    a: NDArray[T],
    axis: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> T: ...
@overload
def min(
    a: NDArray[T],
    axis: Axes = None,
    *,
    out: None = None,
    keepdims: Literal[True],
    initial: complex = ...,
    where: ArrayLike = True,
) -> NDArray[T]: ...
@overload
def min(
    a: ArrayLike,
    axis: Axes = None,
    *,
    out: A,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> A: ...
@overload
def min(
    a: ArrayLike,
    axis: int | tuple[int, ...],
    out: None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def min(
    a: NDArray[T],
    axis: Axes = None,
    out: None = None,
    *,
    keepdims: bool,
    initial: complex = ...,
    where: ArrayLike = True,
) -> T | NDArray[T]: ...
@overload
def min(
    a: Lists | complex,
    axis: Axes = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    initial: complex = ...,
    where: ArrayLike = True,
) -> Any: ...
@overload
def any(
    a: NDArray[Any],
    axis: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
) -> np.bool_: ...
@overload
def any(
    a: NDArray[Any],
    axis: Axes = None,
    *,
    out: None = None,
    keepdims: Literal[True],
    where: ArrayLike = True,
) -> NDArray[np.bool_]: ...
@overload
def any(
    a: ArrayLike, axis: Axes = None, *, out: A, keepdims: bool = False, where: ArrayLike = True
) -> A: ...
@overload
def any(
    a: ArrayLike,
    axis: Axes = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
) -> Any: ...
@overload
def all(
    a: NDArray[Any],
    axis: None = None,
    out: None = None,
    keepdims: Literal[False] = False,
    *,
    where: ArrayLike = True,
) -> np.bool_: ...
@overload
def all(
    a: NDArray[Any],
    axis: Axes = None,
    *,
    out: None = None,
    keepdims: Literal[True],
    where: ArrayLike = True,
) -> NDArray[np.bool_]: ...
@overload
def all(
    a: ArrayLike, axis: Axes = None, *, out: A, keepdims: bool = False, where: ArrayLike = True
) -> A: ...
@overload
def all(
    a: ArrayLike,
    axis: Axes = None,
    out: NDArray[Any] | None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike = True,
) -> Any: ...
@overload
def argmax(
    a: NDArray[Any], axis: None = None, out: None = None, *, keepdims: Literal[False] = False
) -> np.intp: ...
@overload
def argmax(
    a: NDArray[Any], axis: int | None = None, out: None = None, *, keepdims: Literal[True]
) -> NDArray[np.intp]: ...
@overload
def argmax(a: ArrayLike, axis: int | None = None, *, out: A, keepdims: bool = False) -> A: ...
@overload
def argmax(
    a: ArrayLike,
    axis: int | None = None,
    out: NDArray[Any] | None = None,
    *,
    keepdims: bool = False,
) -> Any: ...
@overload
def argmin(
    a: NDArray[Any], axis: None = None, out: None = None, *, keepdims: Literal[False] = False
) -> np.intp: ...
@overload
def argmin(
    a: NDArray[Any], axis: int | None = None, out: None = None, *, keepdims: Literal[True]
) -> NDArray[np.intp]: ...
@overload
def argmin(a: ArrayLike, axis: int | None = None, *, out: A, keepdims: bool = False) -> A: ...
@overload
def argmin(
    a: ArrayLike,
    axis: int | None = None,
    out: NDArray[Any] | None = None,
    *,
    keepdims: bool = False,
) -> Any: ...
@overload
def broadcast_to(x: NDArray[T] | T, shape: int | Sequence[int]) -> NDArray[T]: ...
@overload
def broadcast_to(x: Lists | complex, shape: int | Sequence[int]) -> NDArray[Any]: ...
@overload
def sum_to_shape(x: NDArray[F], shape: int | Sequence[int]) -> NDArray[F]: ...
@overload
def sum_to_shape(x: Other | complex, shape: int | Sequence[int]) -> Any: ...
@overload
def where(condition: ArrayLike) -> tuple[NDArray[np.intp], ...]: ...
@overload
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike, out: A | tuple[A]) -> A: ...
@overload
def where(
    condition: ArrayLike, x: NDArray[D], y: Floats | float, out: None = None
) -> NDArray[D]: ...
@overload
def where(
    condition: ArrayLike, x: Floats | float, y: NDArray[D], out: None = None
) -> NDArray[D]: ...
@overload
def where(
    condition: ArrayLike, x: NDArray[F], y: NDArray[F] | F | float, out: None = None
) -> NDArray[F]: ...
@overload
def where(condition: ArrayLike, x: F | float, y: NDArray[F], out: None = None) -> NDArray[F]: ...
@overload
def where(condition: ArrayLike, x: NDArray[T], y: NDArray[T], out: None = None) -> NDArray[T]: ...
@overload
def where(condition: ArrayLike, x: ArrayLike, y: Other, out: Output = None) -> Any: ...
@overload
def where(
    condition: ArrayLike, x: np.generic | complex, y: np.generic | complex, out: Output = None
) -> Any: ...
@overload
def where(condition: ArrayLike, x: Other, y: ArrayLike, out: Output = None) -> Any: ...
