"""Types that all stubs share.  For type checkers only: there is no such module at runtime."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

F = TypeVar("F", bound=np.floating[Any])
"""The dtype of operands and results."""

D = TypeVar("D", bound=np.float64)
"""float64 beside other floating point; a variable, that arrays of unknown dtype give such."""

T = TypeVar("T", bound=np.generic)
A = TypeVar("A", bound=NDArray[Any])
"""An array that is given as `out`, and returned."""

class SupportsArrayUfunc(Protocol):
    """An array of another library, which stays what it is: NumPy's own take fewer methods."""

    def __array_ufunc__(self, ufunc: Any, method: str, /, *inputs: Any, **kwargs: Any) -> Any: ...

class SupportsDLPack(Protocol):
    """A tensor of any library."""

    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[Any, Any]: ...

L = TypeVar("L", bound=SupportsArrayUfunc)

Scalar = complex | np.generic
Numbers = Scalar | NDArray[Any] | SupportsArrayUfunc | Sequence[float]
"""What a parameter may be."""

Precise = np.generic | NDArray[Any] | SupportsArrayUfunc | Sequence[float]
"""A parameter whose dtype counts, unlike that of Python's numbers."""

Floats = NDArray[np.floating[Any]]
Exact = complex | np.integer[Any] | np.bool_
"""A number that is no floating point number of NumPy."""

class SupportsArray(Protocol):
    """An array of another library: NumPy's have no hash, its numbers no length."""

    def __array__(self) -> NDArray[Any]: ...
    def __len__(self) -> int: ...
    def __hash__(self) -> int: ...

class Complex(Protocol):
    """Python's complex; as an annotation, that would take float, too."""

    def __complex__(self) -> complex: ...
    def __hash__(self) -> int: ...

Lists = SupportsArray | Sequence[ArrayLike] | memoryview | array[Any] | np.integer[Any] | np.bool_
"""All that is array_like but arrays and Python's numbers."""

Other = (
    NDArray[np.integer[Any] | np.bool_ | np.complexfloating[Any, Any]]
    | NDArray[np.object_ | np.flexible | np.datetime64 | np.timedelta64]
    | Lists
)
"""All that is array_like but floating point arrays and Python's numbers."""

Output = NDArray[Any] | tuple[NDArray[Any]] | None
Outputs = tuple[NDArray[Any] | None, NDArray[Any] | None] | None
Axes = int | tuple[int, ...] | None
Casting = Literal["no", "equiv", "safe", "same_kind", "unsafe"]
Order = Literal["K", "A", "C", "F"]
Reduction = Literal["mean", "sum", "none"]
ActivationFunction = str | Callable[..., Any]
Activation = ActivationFunction | partial[Any] | tuple[ActivationFunction, Mapping[str, Any]] | None

class Function(Protocol):
    """What functions have that work element by element: a ufunc's attributes and methods."""

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
    def reduce(
        self,
        array: ArrayLike,
        /,
        axis: Axes = 0,
        dtype: DTypeLike | None = None,
        out: Output = None,
        keepdims: bool = False,
        initial: Any = ...,
        where: ArrayLike = True,
    ) -> Any: ...
    def accumulate(
        self,
        array: ArrayLike,
        /,
        axis: int = 0,
        dtype: DTypeLike | None = None,
        out: Output = None,
    ) -> NDArray[Any]: ...
    def reduceat(
        self,
        array: ArrayLike,
        /,
        indices: ArrayLike,
        axis: int = 0,
        dtype: DTypeLike | None = None,
        out: Output = None,
    ) -> NDArray[Any]: ...
    def outer(self, A: ArrayLike, B: ArrayLike, /, **options: Any) -> Any: ...
    def at(
        self, a: NDArray[Any], indices: Any, b: ArrayLike = ..., /, **parameters: Any
    ) -> None: ...
