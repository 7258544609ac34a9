"""Types of products and norms."""

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import A, Axes, Casting, D, F, Floats, Lists, Order, Other, T

@overload
def dot(a: ArrayLike, b: ArrayLike, out: A) -> A: ...
@overload
def dot(a: ArrayLike, b: ArrayLike, out: None = None) -> Any: ...
@overload
def matmul(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: A | tuple[A],
    *,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
    axis: Any = None,
    deterministic: Literal["batch"] | None = None,
) -> A: ...
@overload
def matmul(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: None = None,
    *,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
    axis: Any = None,
    deterministic: Literal["batch"] | None = None,
) -> Any: ...
@overload
def matvec(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: A | tuple[A],
    *,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> A: ...
@overload
def matvec(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: None = None,
    *,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> Any: ...
@overload
def vecmat(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: A | tuple[A],
    *,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> A: ...
@overload
def vecmat(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: None = None,
    *,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> Any: ...
@overload
def vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: A | tuple[A],
    *,
    axis: int = -1,
    keepdims: bool = False,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> A: ...
@overload
def vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: None = None,
    *,
    axis: int = -1,
    keepdims: bool = False,
    casting: Casting = "same_kind",
    order: Order = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> Any: ...
def tensordot(
    a: ArrayLike, b: ArrayLike, axes: int | tuple[Axes | Sequence[int], Axes | Sequence[int]] = 2
) -> Any: ...
@overload
def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: A,
    dtype: DTypeLike | None = None,
    order: Order = "K",
    casting: Casting = "safe",
    optimize: bool | str | Sequence[Any] | None = True,
    deterministic: Literal["batch"] | None = None,
) -> A: ...
@overload
def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    dtype: DTypeLike | None = None,
    order: Order = "K",
    casting: Casting = "safe",
    optimize: bool | str | Sequence[Any] | None = True,
    deterministic: Literal["batch"] | None = None,
) -> Any: ...
@overload
def outer(a: ArrayLike, b: ArrayLike, out: A) -> A: ...
@overload
def outer(a: NDArray[D], b: Floats | float, out: None = None) -> NDArray[D]: ...
@overload
def outer(a: Floats | float, b: NDArray[D], out: None = None) -> NDArray[D]: ...
@overload
def outer(a: NDArray[F], b: NDArray[F] | float, out: None = None) -> NDArray[F]: ...
@overload
def outer(a: float, b: NDArray[F], out: None = None) -> NDArray[F]: ...
@overload
def outer(
    a: NDArray[Any], b: NDArray[np.integer[Any] | np.bool_], out: None = None
) -> NDArray[Any]: ...
@overload
def outer(
    a: NDArray[np.integer[Any] | np.bool_], b: NDArray[Any], out: None = None
) -> NDArray[Any]: ...
@overload
def outer(a: ArrayLike, b: Other, out: NDArray[Any] | None = None) -> Any: ...
@overload
def outer(a: Other, b: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
@overload
def norm(
    x: NDArray[F],
    ord: float | Literal["fro", "nuc"] | None = None,
    axis: None = None,
    keepdims: Literal[False] = False,
) -> F: ...
@overload
def norm(
    x: NDArray[F],
    ord: float | Literal["fro", "nuc"] | None = None,
    axis: Axes = None,
    *,
    keepdims: Literal[True],
) -> NDArray[F]: ...
@overload
def norm(
    x: ArrayLike,
    ord: float | Literal["fro", "nuc"] | None = None,
    *,
    axis: int | tuple[int, ...],
    keepdims: bool = False,
) -> Any: ...
@overload
def norm(
    x: ArrayLike,
    ord: float | Literal["fro", "nuc"] | None,
    axis: int | tuple[int, ...],
    keepdims: bool = False,
) -> Any: ...
@overload
def norm(
    x: NDArray[F],
    ord: float | Literal["fro", "nuc"] | None = None,
    axis: Axes = None,
    *,
    keepdims: bool,
) -> F | NDArray[F]: ...
@overload
def norm(
    x: Other | complex,
    ord: float | Literal["fro", "nuc"] | None = None,
    axis: Axes = None,
    keepdims: bool = False,
) -> Any: ...
def cosine_similarity(a: ArrayLike, b: ArrayLike, axis: Axes = -1) -> Any: ...
@overload
def transpose_copy(a: ArrayLike, axes: Sequence[int] | None = None, *, out: A) -> A: ...
@overload
def transpose_copy(
    a: NDArray[T], axes: Sequence[int] | None = None, out: None = None
) -> NDArray[T]: ...
@overload
def transpose_copy(
    a: Lists | complex, axes: Sequence[int] | None = None, out: NDArray[Any] | None = None
) -> NDArray[Any]: ...
