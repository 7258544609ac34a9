from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

def connect(drivers: int, target: int, /) -> None: ...
def build_ufunc(target: int, name: str, doc: str, /) -> np.ufunc: ...
def build_dot(target: int, /) -> Callable[..., Any]: ...
def build_rows(target: int, /) -> Callable[..., Any]: ...
def build_norms(target: int, /) -> Callable[..., Any]: ...
def build_outer(target: int, /) -> Callable[..., Any]: ...
def build_transpose_copy(target: int, /) -> Callable[..., Any]: ...
def outer(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any] | None, /) -> Any: ...
def transpose_copy(source: NDArray[Any], copy: NDArray[Any] | None, /) -> Any: ...
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
def norms(
    kind: int,
    x: NDArray[Any],
    y: NDArray[Any] | None,
    axis: int | tuple[int, ...] | None,
    keepdims: bool,
    /,
) -> Any: ...
def prelu(
    target: int,
    x: NDArray[Any],
    alpha: NDArray[Any],
    out: NDArray[Any],
    outer: int,
    period: int,
    inner: int,
    /,
) -> None: ...
def prelu_backward(
    target: int,
    dy: NDArray[Any],
    x: NDArray[Any],
    alpha: NDArray[Any],
    dx: NDArray[Any],
    dalpha: NDArray[Any],
    outer: int,
    period: int,
    inner: int,
    /,
) -> None: ...
