"""Types of dense layers and of the cross entropy of softmax."""

from typing import Any, Literal, overload

from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import A, Activation, D, F, Floats, Other, Outputs, Reduction
from vekt.layers._packed_weights import PackedWeights

@overload
def dense(
    x: NDArray[D],
    w: Floats | PackedWeights,
    b: Floats | float | None = None,
    activation: Activation = None,
    *,
    out: None = None,
    return_preactivation: Literal[False] = False,
    deterministic: Literal["batch"] | None = None,
    dtype: None = None,
) -> NDArray[D]: ...
@overload
def dense(
    x: NDArray[D],
    w: Floats | PackedWeights,
    b: Floats | float | None = None,
    activation: Activation = None,
    *,
    out: None = None,
    return_preactivation: Literal[True],
    deterministic: Literal["batch"] | None = None,
    dtype: None = None,
) -> tuple[NDArray[D], NDArray[D]]: ...
@overload
def dense(
    x: Floats,
    w: NDArray[D],
    b: Floats | float | None = None,
    activation: Activation = None,
    *,
    out: None = None,
    return_preactivation: Literal[False] = False,
    deterministic: Literal["batch"] | None = None,
    dtype: None = None,
) -> NDArray[D]: ...
@overload
def dense(
    x: Floats,
    w: NDArray[D],
    b: Floats | float | None = None,
    activation: Activation = None,
    *,
    out: None = None,
    return_preactivation: Literal[True],
    deterministic: Literal["batch"] | None = None,
    dtype: None = None,
) -> tuple[NDArray[D], NDArray[D]]: ...
@overload
def dense(
    x: NDArray[F],
    w: NDArray[F] | PackedWeights,
    b: NDArray[F] | float | None = None,
    activation: Activation = None,
    *,
    out: None = None,
    return_preactivation: Literal[False] = False,
    deterministic: Literal["batch"] | None = None,
    dtype: None = None,
) -> NDArray[F]: ...
@overload
def dense(
    x: NDArray[F],
    w: NDArray[F] | PackedWeights,
    b: NDArray[F] | float | None = None,
    activation: Activation = None,
    *,
    out: None = None,
    return_preactivation: Literal[True],
    deterministic: Literal["batch"] | None = None,
    dtype: None = None,
) -> tuple[NDArray[F], NDArray[F]]: ...
@overload
def dense(
    x: ArrayLike,
    w: ArrayLike | PackedWeights,
    b: ArrayLike | None = None,
    activation: Activation = None,
    *,
    out: A | tuple[A],
    return_preactivation: Literal[False] = False,
    deterministic: Literal["batch"] | None = None,
    dtype: DTypeLike | None = None,
) -> A: ...
@overload
def dense(
    x: ArrayLike,
    w: ArrayLike | PackedWeights,
    b: ArrayLike | None = None,
    activation: Activation = None,
    *,
    out: Outputs,
    return_preactivation: Literal[True],
    deterministic: Literal["batch"] | None = None,
    dtype: DTypeLike | None = None,
) -> tuple[Any, Any]: ...
@overload
def dense(
    x: NDArray[F],
    w: NDArray[F] | PackedWeights,
    b: NDArray[F] | float | None = None,
    activation: Activation = None,
    *,
    out: NDArray[Any] | Outputs = None,
    return_preactivation: bool,
    deterministic: Literal["batch"] | None = None,
    dtype: None = None,
) -> NDArray[F] | tuple[NDArray[F], NDArray[F]]: ...
@overload
def dense(
    x: ArrayLike,
    w: ArrayLike | PackedWeights,
    b: Other,
    activation: Activation = None,
    *,
    out: NDArray[Any] | Outputs = None,
    return_preactivation: bool = False,
    deterministic: Literal["batch"] | None = None,
    dtype: DTypeLike | None = None,
) -> Any: ...
@overload
def dense(
    x: ArrayLike,
    w: Other,
    b: ArrayLike | None = None,
    activation: Activation = None,
    *,
    out: NDArray[Any] | Outputs = None,
    return_preactivation: bool = False,
    deterministic: Literal["batch"] | None = None,
    dtype: DTypeLike | None = None,
) -> Any: ...
@overload
def dense(
    x: Other,
    w: ArrayLike | PackedWeights,
    b: ArrayLike | None = None,
    activation: Activation = None,
    *,
    out: NDArray[Any] | Outputs = None,
    return_preactivation: bool = False,
    deterministic: Literal["batch"] | None = None,
    dtype: DTypeLike | None = None,
) -> Any: ...
@overload
def dense(
    x: ArrayLike,
    w: ArrayLike | PackedWeights,
    b: ArrayLike | None = None,
    activation: Activation = None,
    *,
    out: NDArray[Any] | Outputs = None,
    return_preactivation: bool = False,
    deterministic: Literal["batch"] | None = None,
    dtype: DTypeLike,
) -> Any: ...
@overload
def dense_backward(
    dy: NDArray[D],
    x: Floats,
    w: Floats,
    z: Floats | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[True] = True,
) -> tuple[NDArray[D], NDArray[D], NDArray[D]]: ...
@overload
def dense_backward(
    dy: NDArray[D],
    x: Floats,
    w: Floats,
    z: Floats | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[False],
) -> tuple[None, NDArray[D], NDArray[D]]: ...
@overload
def dense_backward(
    dy: Floats,
    x: NDArray[D],
    w: Floats,
    z: Floats | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[True] = True,
) -> tuple[NDArray[D], NDArray[D], NDArray[D]]: ...
@overload
def dense_backward(
    dy: Floats,
    x: NDArray[D],
    w: Floats,
    z: Floats | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[False],
) -> tuple[None, NDArray[D], NDArray[D]]: ...
@overload
def dense_backward(
    dy: Floats,
    x: Floats,
    w: NDArray[D],
    z: Floats | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[True] = True,
) -> tuple[NDArray[D], NDArray[D], NDArray[D]]: ...
@overload
def dense_backward(
    dy: Floats,
    x: Floats,
    w: NDArray[D],
    z: Floats | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[False],
) -> tuple[None, NDArray[D], NDArray[D]]: ...
@overload
def dense_backward(
    dy: NDArray[F],
    x: NDArray[F],
    w: NDArray[F],
    z: NDArray[F] | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[True] = True,
) -> tuple[NDArray[F], NDArray[F], NDArray[F]]: ...
@overload
def dense_backward(
    dy: NDArray[F],
    x: NDArray[F],
    w: NDArray[F],
    z: NDArray[F] | None,
    activation: Activation = None,
    *,
    out: None = None,
    need_dx: Literal[False],
) -> tuple[None, NDArray[F], NDArray[F]]: ...
@overload
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    w: ArrayLike,
    z: ArrayLike | None,
    activation: Activation = None,
    *,
    out: tuple[NDArray[Any] | None, NDArray[Any] | None, NDArray[Any] | None],
    need_dx: bool = True,
) -> tuple[Any, Any, Any]: ...
@overload
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    w: ArrayLike,
    z: ArrayLike | None,
    activation: Activation = None,
    *,
    out: tuple[NDArray[Any] | None, NDArray[Any] | None, NDArray[Any] | None] | None = None,
    need_dx: bool,
) -> tuple[Any, Any, Any]: ...
@overload
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    w: Other,
    z: ArrayLike | None,
    activation: Activation = None,
    *,
    out: tuple[NDArray[Any] | None, NDArray[Any] | None, NDArray[Any] | None] | None = None,
    need_dx: bool = True,
) -> tuple[Any, Any, Any]: ...
@overload
def dense_backward(
    dy: ArrayLike,
    x: Other,
    w: ArrayLike,
    z: ArrayLike | None,
    activation: Activation = None,
    *,
    out: tuple[NDArray[Any] | None, NDArray[Any] | None, NDArray[Any] | None] | None = None,
    need_dx: bool = True,
) -> tuple[Any, Any, Any]: ...
@overload
def dense_backward(
    dy: Other,
    x: ArrayLike,
    w: ArrayLike,
    z: ArrayLike | None,
    activation: Activation = None,
    *,
    out: tuple[NDArray[Any] | None, NDArray[Any] | None, NDArray[Any] | None] | None = None,
    need_dx: bool = True,
) -> tuple[Any, Any, Any]: ...
@overload
def softmax_cross_entropy(
    logits: NDArray[F],
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: Literal["mean", "sum"] = "mean",
) -> F: ...
@overload
def softmax_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction,
) -> Any: ...
@overload
def softmax_cross_entropy(
    logits: Other,
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any: ...
@overload
def softmax_cross_entropy_value_and_grad(
    logits: NDArray[F],
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: Literal["mean", "sum"] = "mean",
    out: NDArray[F] | None = None,
) -> tuple[F, NDArray[F]]: ...
@overload
def softmax_cross_entropy_value_and_grad(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction,
    out: NDArray[Any] | None = None,
) -> tuple[Any, NDArray[Any]]: ...
@overload
def softmax_cross_entropy_value_and_grad(
    logits: Other,
    labels: ArrayLike,
    *,
    axis: int = -1,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    out: NDArray[Any] | None = None,
) -> tuple[Any, NDArray[Any]]: ...
