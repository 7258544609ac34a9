"""The kernels of `vekt.jit`, made from the scalar functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from .. import _reference_math
from .._operands import checked_out, computing_dtype
from .._registry import KERNELS
from ._elementwise import elementwise
from ._jitable import entry, jitable
from ._scalars import FROM_OUTPUT, SCALARS

Function = Callable[..., Any]

_F4, _F8 = np.dtype("f4"), np.dtype("f8")
_ndarray = np.ndarray


def _value(pair: Function) -> Function:
    return lambda kind: jitable(lambda x, *params: kind(pair(x, *params)[0]))


def _value_and_grad(pair: Function) -> Function:
    def of(kind: Any) -> Function:
        @jitable
        def element(x: Any, *params: Any) -> Any:
            value, gradient = pair(x, *params)
            return kind(value), kind(gradient)

        return element

    return of


# The derivative is rounded before it is multiplied, as in the C kernels: dx is exactly
# dy * value_and_grad(x)[1].


def _backward(pair: Function) -> Function:
    return lambda kind: jitable(lambda dy, x, *params: kind(kind(dy) * kind(pair(x, *params)[1])))


def _backward_from_output(derivative: Function) -> Function:
    return lambda kind: jitable(lambda dy, y: kind(kind(dy) * kind(derivative(y))))


def _compiled() -> dict[str, Function]:
    kernels: dict[str, Function] = {}
    for name, pair in SCALARS.items():
        for suffix, element, inputs, outputs in (
            ("", _value, 1, 1),
            ("_backward", _backward, 2, 1),
            ("_value_and_grad", _value_and_grad, 1, 2),
        ):
            full = name + suffix
            kernels[full] = elementwise(full, __name__, element(pair), inputs, outputs)
    for name, derivative in FROM_OUTPUT.items():
        full = f"{name}_backward_from_output"
        kernels[full] = elementwise(full, __name__, _backward_from_output(derivative), 2, 1)
    return kernels


COMPILED = _compiled()
"""The kernels for nopython mode, by kernel name."""

# Numba's cache knows an entry by its own code and by what it refers to, which is these names.
globals().update(COMPILED)


def _fingerprint() -> str:
    """Digest of the sources that go into a compiled entry."""
    paths = [*sorted(Path(__file__).parent.glob("*.py")), Path(_reference_math.__file__)]
    return f"{crc32(b''.join(path.read_bytes() for path in paths)):08x}"


_FINGERPRINT = _fingerprint()


def _operands(name: str) -> int:
    """How many operands a kernel has."""
    for kernel in KERNELS.values():
        for suffix, inputs in (("", 1), ("_backward", 2), ("_value_and_grad", 1)):
            if name == kernel.name + suffix:
                return inputs + len(kernel.params)
    return 2


# The entries from Python differ by their count of operands: a starred one costs twice the call.


def _one(kernel: Function) -> Function:
    def call(a):  # type: ignore[no-untyped-def]
        return kernel(a)

    return call


def _two(kernel: Function) -> Function:
    def call(a, b):  # type: ignore[no-untyped-def]
        return kernel(a, b)

    return call


def _any(kernel: Function) -> Function:
    def call(*operands):  # type: ignore[no-untyped-def]
        return kernel(*operands)

    return call


def _entry(name: str, kernel: Function) -> Function:
    """Compile the entry from Python to a kernel."""
    call = {1: _one, 2: _two}.get(_operands(name), _any)(kernel)
    # Numba names its cache files after these, and looks at this file's age but no other's.
    call.__name__ = call.__qualname__ = f"{name}-{_FINGERPRINT}"
    return entry(call)


def _raw(name: str, kernel: Function) -> Function:
    """Make the function that stands where `vekt` has its ufunc."""
    run = _entry(name, kernel)

    def call(*operands: Any, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
        if out is None and where is True and dtype is None:
            for x in operands:
                # What the compiled entry takes as it is.  A scalar alone would come back as float.
                if type(x) is _ndarray:
                    if ((kind := x.dtype) is _F8 or kind is _F4) and x.ndim:
                        continue
                elif type(x) is float and x is not operands[0]:
                    continue
                break
            else:
                return run(*operands)
        return _general(run, operands, out, where, dtype)

    return call


def _general(run: Function, operands: tuple[Any, ...], out: Any, where: Any, dtype: Any) -> Any:
    """Call with any operands and options, as a ufunc would take them."""
    narrow = computing_dtype(dtype, *operands)
    arrays = [np.asarray(x) for x in operands]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    with np.errstate(over="ignore"):
        arrays = [np.array(a, narrow, ndmin=1, copy=None) for a in arrays]
    result = run(*arrays)
    if isinstance(result, tuple):
        return tuple(r.reshape(shape)[()] for r in result)
    result = result.reshape(shape)
    if out is None and where is True:
        return result[()]
    if out is None:
        out = np.empty(np.broadcast_shapes(shape, np.shape(where)), narrow)
    target = checked_out(out)
    np.copyto(target, result, where=np.asarray(where), casting="same_kind")
    return target


RAW = {name: _raw(name, kernel) for name, kernel in COMPILED.items()}
"""The kernels for Python, by kernel name."""
