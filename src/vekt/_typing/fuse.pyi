"""Types of `vekt.fuse`, `vekt.evaluate` and its like, and `vekt.stream`."""

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, overload

from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import A

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

class Fused(Protocol, Generic[P, R_co]):
    """A function made by `fuse`: the parameters of the one that it is made of."""

    __name__: str
    __qualname__: str
    __module__: str
    @property
    def __wrapped__(self) -> Callable[P, R_co]: ...
    @property
    def nin(self) -> int: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    @overload
    def __call__(
        self, *args: Any, out: A | tuple[A], dtype: DTypeLike | None = None, **options: Any
    ) -> A: ...
    @overload
    def __call__(
        self, *args: Any, out: tuple[Any, ...] = ..., dtype: DTypeLike | None, **options: Any
    ) -> Any: ...
    @property
    def backward(self) -> Callable[Concatenate[Any, P], Any]: ...
    @property
    def value_and_grad(self) -> Callable[P, tuple[R_co, Any]]: ...
    def graph(self, *args: Any, **options: Any) -> Any: ...
    def explain(self, *args: Any, **options: Any) -> str: ...

@overload
def fuse(function: Callable[P, R], *, compile: bool | None = None, nin: int = 0) -> Fused[P, R]: ...
@overload
def fuse(
    function: None = None, *, compile: bool | None = None, nin: int = 0
) -> Callable[[Callable[P, R]], Fused[P, R]]: ...
def evaluate(
    ex: str,
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
    out: NDArray[Any] | None = None,
    order: Literal["K", "C", "F", "A"] = "K",
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    sanitize: bool | None = None,
    *,
    dtype: DTypeLike | None = None,
    truediv: bool | Literal["auto"] = "auto",
    optimization: Literal["none", "moderate", "aggressive"] = "aggressive",
    disable_cache: bool = False,
) -> Any: ...
def validate(
    ex: str,
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
    out: NDArray[Any] | None = None,
    order: Literal["K", "C", "F", "A"] = "K",
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "safe",
    sanitize: bool | None = None,
    *,
    dtype: DTypeLike | None = None,
    truediv: bool | Literal["auto"] = "auto",
    optimization: Literal["none", "moderate", "aggressive"] = "aggressive",
) -> Exception | None: ...
def re_evaluate(
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
) -> Any: ...
@overload
def stream(
    function: Callable[..., Any],
    *arrays: ArrayLike,
    out: A,
    combine: None = None,
    chunk_bytes: int = ...,
    progress: Callable[[int, int], object] | None = None,
) -> A: ...
@overload
def stream(
    function: Callable[..., ArrayLike],
    *arrays: ArrayLike,
    out: None = None,
    combine: None = None,
    chunk_bytes: int = ...,
    progress: Callable[[int, int], object] | None = None,
) -> NDArray[Any]: ...
@overload
def stream(
    function: Callable[..., R],
    *arrays: ArrayLike,
    out: None = None,
    combine: Callable[[R, R], R],
    chunk_bytes: int = ...,
    progress: Callable[[int, int], object] | None = None,
) -> R: ...
