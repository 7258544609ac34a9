"""From a function of scalars to a function of scalars and arrays, for nopython mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype, from_dtype

from vekt._core.operands import operand_dtype
from vekt.jit._jitable import jitable, overloads

Element = Callable[..., Any]

_unliteral: Any = types.unliteral


def elementwise(
    name: str, module: str, element: Callable[[Any], Element], inputs: int, outputs: int
) -> Any:
    """Make a function of scalars and arrays that broadcast, callable in nopython mode.

    Parameters
    ----------
    name, module : str
        Its name, and the module whose attribute it will be.
    element : callable
        Given the Numba type float32 or float64, a jitable function of float64 operands that returns
        the result, or results, in that type.
    inputs : int
        How many operands come before the parameters.
    outputs : int
        1 or 2.
    """

    def function(*operands: Any) -> Any:
        raise TypeError(f"{name} of vekt.jit runs in compiled code only")

    function.__name__ = function.__qualname__ = name
    function.__module__ = module

    @overloads(function)
    def types_of(*operands: Any) -> Any:
        kind = _result_type(name, operands, inputs)
        zero = as_dtype(kind).type(0)
        at_point = element(kind)
        if not any(isinstance(t, types.Array) for t in operands):
            return lambda *operands: at_point(*_items(operands, 0, zero))
        return (_one_output, _two_outputs)[outputs - 1](at_point, zero)

    return function


def _one_output(element: Element, zero: Any) -> Callable[..., Any]:
    dtype = zero.dtype

    def run(*operands):  # type: ignore[no-untyped-def]
        shape = _shape(operands)
        flat = _flat(operands, shape)
        y = np.empty(shape, dtype)
        y_flat = y.reshape(y.size)
        for i in range(y_flat.size):
            y_flat[i] = element(*_items(flat, i, zero))
        return y

    return run


def _two_outputs(element: Element, zero: Any) -> Callable[..., Any]:
    dtype = zero.dtype

    def run(*operands):  # type: ignore[no-untyped-def]
        shape = _shape(operands)
        flat = _flat(operands, shape)
        y, g = np.empty(shape, dtype), np.empty(shape, dtype)
        y_flat, g_flat = y.reshape(y.size), g.reshape(g.size)
        for i in range(y_flat.size):
            y_flat[i], g_flat[i] = element(*_items(flat, i, zero))
        return y, g

    return run


def _result_type(name: str, operands: tuple[Any, ...], inputs: int) -> Any:
    """Float type of the result; beside arrays scalars are weak, beside inputs parameters are."""
    arrays = [t.dtype for t in operands if isinstance(t, types.Array)]
    decisive = arrays or [_unliteral(t) for t in operands[:inputs]]
    if not all(isinstance(t, types.Number | types.Boolean | types.Array) for t in operands):
        raise TypingError(f"{name}: expected numbers or arrays, got {operands}")
    try:
        return from_dtype(operand_dtype(*(np.empty(0, as_dtype(t)) for t in decisive)))
    except TypeError as error:
        raise TypingError(f"{name}: {error}") from None


# The functions below take tuples of scalars and arrays apart, one element at a time, since only
# their types say which is which.


def _items(operands: Any, i: int, zero: Any) -> Any:
    """Return the i-th values as float64, rounded to the type of zero before."""


@overloads(_items)
def _items_types(operands: Any, i: Any, zero: Any) -> Any:
    if not len(operands):
        return lambda operands, i, zero: ()
    kind = _unliteral(zero)
    wide = types.float64
    if isinstance(operands[0], types.Array):
        return lambda operands, i, zero: (
            wide(kind(operands[0][i])),
            *_items(operands[1:], i, zero),
        )
    return lambda operands, i, zero: (wide(kind(operands[0])), *_items(operands[1:], i, zero))


def _shape(operands: Any) -> Any:
    """Return the shape to which the arrays among the operands broadcast."""


@overloads(_shape)
def _shape_types(operands: Any) -> Any:
    if not isinstance(operands[0], types.Array):
        return lambda operands: _shape(operands[1:])
    if any(isinstance(t, types.Array) for t in operands.types[1:]):
        return lambda operands: np.broadcast_shapes(operands[0].shape, _shape(operands[1:]))
    return lambda operands: operands[0].shape


def _flat(operands: Any, shape: Any) -> Any:
    """Return the operands with every array brought to that shape, contiguous and flat."""


@overloads(_flat)
def _flat_types(operands: Any, shape: Any) -> Any:
    if not len(operands):
        return lambda operands, shape: ()
    first = operands[0]
    if not isinstance(first, types.Array):
        return lambda operands, shape: (operands[0], *_flat(operands[1:], shape))
    if first.layout == "C" and first.mutable and first.aligned and first.ndim == len(shape):
        return lambda operands, shape: (
            (operands[0].reshape(operands[0].size), *_flat(operands[1:], shape))
            if operands[0].shape == shape
            else (_spread(operands[0], shape), *_flat(operands[1:], shape))
        )
    return lambda operands, shape: (_spread(operands[0], shape), *_flat(operands[1:], shape))


@jitable
def _spread(array: Any, shape: Any) -> Any:
    if array.ndim == 0:  # which Numba's broadcast_to does not take
        filled = np.empty(shape, array.dtype)
        filled[...] = array[()]
        return filled.reshape(filled.size)
    spread = np.ascontiguousarray(np.broadcast_to(array, shape))
    return spread.reshape(spread.size)
