"""Types of what `vekt.jit` has in fewer ways than `vekt`, as compiled functions take it."""

from typing import Any, Literal, overload

from numpy.typing import ArrayLike, NDArray

from vekt._typing import A, Activation, F, Outputs

@overload
def matmul(x1: ArrayLike, x2: ArrayLike, out: A) -> A: ...
@overload
def matmul(x1: ArrayLike, x2: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
@overload
def matvec(x1: ArrayLike, x2: ArrayLike, out: A) -> A: ...
@overload
def matvec(x1: ArrayLike, x2: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
@overload
def vecmat(x1: ArrayLike, x2: ArrayLike, out: A) -> A: ...
@overload
def vecmat(x1: ArrayLike, x2: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
@overload
def vecdot(x1: ArrayLike, x2: ArrayLike, out: A, axis: int = -1) -> A: ...
@overload
def vecdot(
    x1: ArrayLike, x2: ArrayLike, out: NDArray[Any] | None = None, axis: int = -1
) -> Any: ...
@overload
def dense(
    x: NDArray[F],
    w: NDArray[F],
    b: NDArray[F] | float | None = None,
    activation: Activation = None,
    out: NDArray[F] | None = None,
    return_preactivation: Literal[False] = False,
) -> NDArray[F]: ...
@overload
def dense(
    x: NDArray[F],
    w: NDArray[F],
    b: NDArray[F] | float | None = None,
    activation: Activation = None,
    out: None = None,
    *,
    return_preactivation: Literal[True],
) -> tuple[NDArray[F], NDArray[F]]: ...
@overload
def dense(
    x: ArrayLike,
    w: ArrayLike,
    b: ArrayLike | None = None,
    activation: Activation = None,
    out: NDArray[Any] | Outputs = None,
    return_preactivation: bool = False,
) -> Any: ...
@overload
def dense_backward(
    dy: NDArray[F],
    x: NDArray[F],
    w: NDArray[F],
    z: NDArray[F] | None,
    activation: Activation = None,
    need_dx: Literal[True] = True,
) -> tuple[NDArray[F], NDArray[F], NDArray[F]]: ...
@overload
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    w: ArrayLike,
    z: ArrayLike | None,
    activation: Activation = None,
    need_dx: bool = True,
) -> tuple[Any, Any, Any]: ...
