"""vekt's functions for tensors of other libraries, in and out through DLPack.

``vekt.dlpack.NAME`` is `vekt.NAME` for CPU tensors of torch, JAX and whatever else has
``__dlpack__``: they are read where they are, and results come back as their kind, both without a
copy.  Gradients are not traced: `torch.autograd.Function` or `jax.custom_vjp` around NAME and
NAME_backward do that.

Examples
--------
>>> import numpy as np
>>> from vekt import dlpack
>>> dlpack.relu(np.array([-1.0, 2.0]))
array([0., 2.])

and in the same way, with torch or JAX installed, ``dlpack.gelu(torch.linspace(-2, 2, 5))`` is a
tensor, ``dlpack.dense(x, w, b, "relu")`` of three JAX arrays a JAX array.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np

from vekt._core.names import no_attribute
from vekt._core.native import call_aligned, retype_dlpack
from vekt._core.operands import is_bfloat16

__all__ = ["call"]

_CPU, _UINT, _BFLOAT = 1, 1, 4
"""kDLCPU, kDLUInt and kDLBfloat of https://dmlc.github.io/dlpack/latest/c_api.html."""


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of NumPy arrays with tensors.

    Parameters
    ----------
    function : callable
        Any function on NumPy arrays, of vekt or not.
    *args, **kwargs
        Its arguments. Tensors among them, and in tuples and lists, are passed as arrays that share
        their memory; an `out` is written to in place.

    Returns
    -------
    object
        The function's result, arrays in it as tensors of the same library; those that were passed
        as `out` are returned themselves.

    Raises
    ------
    TypeError
        If the tensors are of two libraries, not in the CPU's memory, or of a dtype that NumPy has
        not; those of bfloat16 become arrays of `ml_dtypes`, if that is installed.
    BufferError
        If a tensor cannot be shared, as those of torch that require gradients.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt import dlpack
    >>> dlpack.call(np.add, np.ones(2), 1)
    array([2., 2.])
    """
    tensors: list[Any] = []
    shared: dict[int, Any] = {}
    arguments = tuple(_shared(a, tensors, shared) for a in args)
    keywords = {name: _shared(a, tensors, shared) for name, a in kwargs.items()}
    if not tensors:
        return function(*args, **kwargs)
    kinds = {_library(t) for t in tensors}
    if len(kinds) > 1:
        raise TypeError(f"tensors of one library expected, got those of {' and '.join(kinds)}")
    return _returned(call_aligned(function, arguments, keywords), kinds.pop(), shared)


def _is_tensor(x: Any) -> bool:
    return hasattr(x, "__dlpack__") and not isinstance(x, np.ndarray | np.generic)


def _library(tensor: Any) -> str:
    """Return the module whose `from_dlpack` makes such tensors."""
    if hasattr(tensor, "__array_namespace__"):
        return str(tensor.__array_namespace__().__name__)
    return type(tensor).__module__.partition(".")[0]


def _shared(x: Any, tensors: list[Any], shared: dict[int, Any]) -> Any:
    """Return a tensor as an array on its memory; the tensor is noted in both collections."""
    if isinstance(x, tuple | list):
        return type(x)(_shared(item, tensors, shared) for item in x)
    if not _is_tensor(x):
        return x
    if x.__dlpack_device__()[0] != _CPU:
        raise TypeError(f"a tensor in the CPU's memory expected, got one on {x.device}")
    array = _array(x)
    tensors.append(x)
    shared[id(array)] = x  # the array stays alive among the arguments
    return array


class _Bits:
    """An object of DLPack whose bfloat16 are integers of 16 bits, or the other way round."""

    def __init__(self, owner: Any, to: int) -> None:
        self.owner, self.to, self.changed = owner, to, False

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self.owner.__dlpack__(**options)
        self.changed = retype_dlpack(capsule, _UINT + _BFLOAT - self.to, self.to)
        return capsule

    def __dlpack_device__(self) -> Any:
        return self.owner.__dlpack_device__()


def _array(tensor: Any) -> Any:
    """Return an array on the memory of a tensor."""
    bits = _Bits(tensor, _UINT)
    try:
        array = np.from_dlpack(bits)
    except (BufferError, RuntimeError) as error:
        if "dtype" not in str(error):
            raise
        dtype = getattr(tensor, "dtype", "unknown")
        raise TypeError(f"a tensor of dtype {dtype} has no array in NumPy") from error
    if not bits.changed:
        return array
    try:
        return array.view(import_module("ml_dtypes").bfloat16)
    except ModuleNotFoundError as error:
        raise TypeError("a tensor of bfloat16 is an array of ml_dtypes: install that") from error


def _tensor(library: str, result: Any) -> Any:
    """Return a tensor on the memory of an array; on a copy where tensors have no such strides."""
    array = np.asarray(result)
    if [step for step in array.strides if step < 0]:  # min and any are vekt's here
        array = array.copy()
    given = _Bits(array.view(np.uint16), _BFLOAT) if is_bfloat16(array.dtype) else array
    return import_module(library).from_dlpack(given)


def _returned(result: Any, library: str, shared: dict[int, Any]) -> Any:
    if isinstance(result, tuple | list):
        return type(result)(_returned(item, library, shared) for item in result)
    if id(result) in shared:
        return shared[id(result)]
    if isinstance(result, np.ndarray | np.generic):
        return _tensor(library, result)
    return result


def _functions() -> list[str]:
    """Return the names of vekt's functions."""
    others = ("PackedWeights", "activations", "ufuncs")
    return [name for name in sys.modules["vekt"].__all__ if name not in others]


def __getattr__(name: str) -> Any:
    function = getattr(sys.modules["vekt"], name) if name in _functions() else None
    if function is None:
        raise no_attribute(__name__, name, __dir__())

    @wraps(function, updated=())
    def on_tensors(*args: Any, **kwargs: Any) -> Any:
        return call(function, *args, **kwargs)

    return globals().setdefault(name, on_tensors)


def __dir__() -> list[str]:
    return sorted([*__all__, *_functions()])
