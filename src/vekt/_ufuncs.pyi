from collections.abc import Callable
from inspect import Signature
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

def connect(drivers: int, target: int, /) -> None: ...
def provide(name: str, object: Any, /) -> None: ...
def keep_results(bytes: int, /) -> None: ...
def kept_results() -> int: ...
def watch_signals(seconds: float, /) -> None: ...
def watch(watcher: Callable[..., None] | None, ufuncs: tuple[np.ufunc, ...], /) -> None: ...
def build_ufunc(target: int, name: str, doc: str, n_params: int, /) -> np.ufunc: ...
def build(target: int, name: str, /) -> Callable[..., Any]: ...
def build_products(target: int, /) -> dict[str, Callable[..., Any]]: ...
def retype_dlpack(capsule: Any, from_: int, to: int, /) -> bool: ...
def call_halves(ufunc: Any, axis: Any, /, *operands: Any) -> Any: ...
def call_aligned(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], /
) -> Any: ...
def outer(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any] | None, /) -> Any: ...
def transpose_copy(source: NDArray[Any], copy: NDArray[Any] | None, /) -> Any: ...
def top_k(x: NDArray[Any], k: int, /) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
def take(x: Any, indices: Any, axis: Any, mode: str, out: Any, /) -> Any: ...
def scatter_add(x: NDArray[Any], indices: Any, values: NDArray[Any], axis: int, /) -> Any: ...
def mark(out: NDArray[Any], indices: NDArray[Any], one: NDArray[Any], /) -> None: ...
def dot(a: ArrayLike, b: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
def matmul(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: NDArray[Any] | tuple[NDArray[Any]] | None = None,
    *,
    casting: Any = "same_kind",
    order: Any = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
    axis: Any = None,
    deterministic: Literal["batch"] | None = None,
) -> Any: ...
def matvec(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: NDArray[Any] | tuple[NDArray[Any]] | None = None,
    *,
    casting: Any = "same_kind",
    order: Any = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> Any: ...
def vecdot(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: NDArray[Any] | tuple[NDArray[Any]] | None = None,
    *,
    axis: int = -1,
    keepdims: bool = False,
    casting: Any = "same_kind",
    order: Any = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> Any: ...
def vecmat(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: NDArray[Any] | tuple[NDArray[Any]] | None = None,
    *,
    casting: Any = "same_kind",
    order: Any = "K",
    dtype: DTypeLike | None = None,
    subok: bool = True,
    axes: Any = None,
) -> Any: ...
def kernel_operation(target: int, name: str, dtype: np.dtype[Any], /) -> Any: ...
def numpy_operation(ufunc: np.ufunc, dtypes: tuple[np.dtype[Any], ...], cost: int, /) -> Any: ...

class _Elementwise:
    """What a ufunc has, too; there is no such class at runtime."""

    __name__: str
    __qualname__: str
    __module__: str
    @property
    def nin(self) -> int: ...
    @property
    def nout(self) -> int: ...
    @property
    def nargs(self) -> int: ...
    @property
    def ntypes(self) -> int: ...
    @property
    def types(self) -> list[str]: ...
    @property
    def identity(self) -> Any: ...
    @property
    def signature(self) -> None: ...
    @property
    def resolve_dtypes(self) -> Any: ...
    def __call__(self, /, *args: Any, **options: Any) -> Any: ...
    def reduce(self, /, *args: Any, **options: Any) -> Any: ...
    def accumulate(self, /, *args: Any, **options: Any) -> Any: ...
    def reduceat(self, /, *args: Any, **options: Any) -> Any: ...
    def outer(self, /, *args: Any, **options: Any) -> Any: ...
    def at(self, /, *args: Any, **options: Any) -> None: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: Any, /) -> Self: ...

@final
class Dispatcher(_Elementwise):
    keeps_arrays: bool
    refuses_negative: bool
    def __new__(
        cls,
        name: str,
        nin: int,
        nout: int,
        fallback: Callable[..., Any] | None,
        doc: str,
        target: int = ...,
        options: bool = ...,
    ) -> Self: ...
    def add(
        self,
        signature: tuple[Any, ...],
        operation: Any,
        out_dtypes: tuple[np.dtype[Any], ...],
        weak: np.dtype[Any] | None = None,
        dtype: Any = None,
        after: tuple[int, Callable[[], Any]] = ...,
    ) -> None: ...
    def run(
        self, operation: Any, inputs: tuple[NDArray[Any], ...], outs: tuple[NDArray[Any], ...], /
    ) -> None: ...
    @property
    def fallback(self) -> Callable[..., Any]: ...

@final
class Function(_Elementwise):
    __signature__: Signature
    def __new__(
        cls,
        name: str,
        operands: tuple[str, ...],
        params: tuple[tuple[str, Any, bool, float, Any], ...],
        choices: tuple[tuple[np.ufunc, tuple[bool | None, ...], tuple[int, ...]], ...],
    ) -> Self: ...
    def chosen(self, parameters: dict[str, Any], /) -> tuple[np.ufunc, tuple[Any, ...]]: ...

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
def cross_entropy(
    x: NDArray[Any],
    targets: NDArray[Any],
    factors: NDArray[Any],
    on_label: float,
    everywhere: float,
    loss: NDArray[Any],
    dx: NDArray[Any] | None,
    may_ignore: bool,
    /,
) -> None: ...
def optim_step(
    kind: int,
    p: NDArray[Any],
    g: NDArray[Any],
    m: NDArray[Any] | None,
    v: NDArray[Any] | None,
    numbers: tuple[float, ...],
    /,
) -> None: ...
def norms(
    kind: int,
    x: NDArray[Any],
    y: NDArray[Any] | None,
    axis: int | tuple[int, ...] | None,
    keepdims: bool,
    /,
) -> Any: ...
def scan(
    op: int,
    x: NDArray[Any],
    axis: int | None,
    dtype: Any,
    out: NDArray[Any] | None,
    /,
) -> Any: ...
def reduce(
    op: int,
    x: NDArray[Any],
    axis: int | tuple[int, ...] | None,
    dtype: Any,
    out: NDArray[Any] | None,
    keepdims: bool,
    ddof: float = 0,
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
def empty(
    shape: tuple[int, ...], dtype: np.dtype[Any], arrays: tuple[NDArray[Any], ...], /
) -> NDArray[Any]: ...
def program(
    target: int,
    dtypes: tuple[np.dtype[Any], ...],
    nin: int,
    nout: int,
    constants: tuple[NDArray[Any], ...],
    instructions: tuple[tuple[Any, ...], ...],
    cost: int,
    /,
) -> Any: ...
def program_block(capsule: Any, /) -> int: ...
def reduce_program(
    target: int,
    capsule: Any,
    shape: tuple[int, ...],
    arrays: tuple[NDArray[Any], ...],
    kinds: tuple[int, ...],
    divisors: tuple[float, ...],
    /,
) -> None: ...
def run_pass(
    target: int,
    capsule: Any,
    layout: tuple[Any, ...],
    arrays: list[NDArray[Any]],
    /,
) -> list[NDArray[Any]]: ...
def program_activation(
    target: int, value32: Any, gradient32: Any, value64: Any, gradient64: Any, /
) -> Any: ...
def activation(target: int, name: str | None, params: tuple[float, ...], /) -> Any: ...
def pack(target: int, w: NDArray[Any], /) -> Any: ...
def packed_array(packed: Any, /) -> NDArray[Any]: ...
def dense(
    x: ArrayLike,
    w: Any,
    b: ArrayLike | None,
    activation: Any,
    y: NDArray[Any] | None,
    z: NDArray[Any] | None,
    keep: bool,
    invariant: bool,
    dtype: np.dtype[Any] | None = None,
    /,
) -> Any: ...
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    w: ArrayLike,
    z: ArrayLike | None,
    activation: Any,
    dx: NDArray[Any] | bool | None,
    dw: NDArray[Any] | None,
    db: NDArray[Any] | None,
    dtype: np.dtype[Any] | None = None,
    /,
) -> Any: ...
