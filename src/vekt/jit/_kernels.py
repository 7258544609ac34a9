"""The kernels of `vekt.jit`, made from the scalar functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._operands import checked_out, operand_dtype
from .._registry import KERNELS
from ._elementwise import elementwise
from ._jitable import entry, jitable
from ._scalars import FROM_OUTPUT, SCALARS

Function = Callable[..., Any]

_F4, _F8 = np.dtype("f4"), np.dtype("f8")


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
    return lambda kind: jitable(
        lambda dy, x, *params: kind(kind(dy) * kind(pair(x, *params)[1]))
    )


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
            kernels[name + suffix] = elementwise(name + suffix, element(pair), inputs, outputs)
    for name, derivative in FROM_OUTPUT.items():
        full = f"{name}_backward_from_output"
        kernels[full] = elementwise(full, _backward_from_output(derivative), 2, 1)
    return kernels


COMPILED = _compiled()
"""The kernels for nopython mode, by kernel name."""


def _operands(name: str) -> int:
    """How many operands a kernel has."""
    for kernel in KERNELS.values():
        for suffix, inputs in (("", 1), ("_backward", 2), ("_value_and_grad", 1)):
            if name == kernel.name + suffix:
                return inputs + len(kernel.params)
    return 2


def _entry(name: str, kernel: Function) -> Function:
    """Entry from Python.  One function per count: a starred one would cost twice the call."""
    count = _operands(name)
    if count == 1:

        def call(a):  # type: ignore[no-untyped-def]
            return kernel(a)

    elif count == 2:

        def call(a, b):  # type: ignore[no-untyped-def]
            return kernel(a, b)

    elif count == 3:

        def call(a, b, c):  # type: ignore[no-untyped-def]
            return kernel(a, b, c)

    else:

        def call(*operands):  # type: ignore[no-untyped-def]
            return kernel(*operands)

    # Numba names its cache files after these.
    call.__name__ = call.__qualname__ = name
    return entry(call)


def _raw(name: str, kernel: Function) -> Function:
    """Make the function that stands where `vekt` has its ufunc."""
    run = _entry(name, kernel)

    def call(*operands: Any, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
        if out is None and where is True and dtype is None:
            for x in operands:
                if type(x) is not float and (
                    type(x) is not np.ndarray
                    or not x.ndim
                    or (x.dtype is not _F8 and x.dtype is not _F4)
                ):
                    break
            else:
                return run(*operands)
        return _general(name, run, operands, out, where, dtype)

    return call


def _general(
    name: str, run: Function, operands: tuple[Any, ...], out: Any, where: Any, dtype: Any
) -> Any:
    """Call with any operands and options, as a ufunc would take them."""
    narrow = operand_dtype(*operands) if dtype is None else np.dtype(dtype)
    if narrow not in (_F4, _F8):
        raise TypeError(f"{name}: dtype must be float32 or float64, not {narrow}")
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
    out = checked_out(out)
    np.copyto(out, result, where=np.asarray(where), casting="same_kind")
    return out


RAW = {name: _raw(name, kernel) for name, kernel in COMPILED.items()}
"""The kernels for Python, by kernel name."""
