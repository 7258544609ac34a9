"""The greatest elements, elements at places, sums there and classes as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

import vekt as vk
from vekt import reference
from vekt._spec.choosing import PUBLIC_NAMES

from . import arrays
from .activations import add_output
from .check import KINDS, Case
from .draws import Draw
from .truth import Truth

NAMES = set(PUBLIC_NAMES)


def case(draw: Draw) -> Case:
    """Draw a call."""
    name = draw.pick(PUBLIC_NAMES)
    dtype = draw.pick(arrays.REAL if name == "top_k" else arrays.NUMBERS)
    if draw.chance(2):
        dtype = draw.pick(arrays.STRANGE)
    shape = arrays.shape_of(draw, 4, least=1)
    x = arrays.laid_out(draw, arrays.values(draw, shape, dtype))
    axis = draw.below(x.ndim) - draw.pick((0, x.ndim))
    axis += 9 if draw.chance(1) else 0
    length = shape[axis] if axis < x.ndim else 3
    if name == "top_k":
        k = draw.below(length + 1) if draw.chance(97) else draw.pick((-1, length + 1))
        made = Case(name, vk.top_k, [x, k], {"axis": axis}, _expect(reference.top_k))
    elif name == "one_hot":
        options = {"axis": draw.pick((-1, 0)), "dtype": draw.pick(arrays.NUMBERS)}
        given = [_places(draw, 5), draw.below(7)]
        made = Case(name, vk.one_hot, given, options, _expect(reference.one_hot))
    elif name == "take":
        options = {
            "axis": draw.pick((axis, axis, None)),
            "mode": draw.pick(("raise", "wrap", "clip")),
        }
        longest = x.size if options["axis"] is None else length
        made = Case(name, _taken, [x, _places(draw, longest)], options, _expect(reference.take))
        if draw.chance(40):
            add_output(draw, made)
    else:
        places = _places(draw, length)
        at = axis % x.ndim
        values = (*shape[:at], *places.shape, *shape[at + 1 :])
        kind = dtype if draw.chance(80) else draw.pick(arrays.NUMBERS)
        terms = arrays.operand(draw, values, (kind,), tame=True)
        made = Case(
            name, _added, [x, places, terms], {"axis": axis}, _expect(reference.scatter_add)
        )
    made.threads = 1 + draw.below(2)
    made.errors = (*KINDS, IndexError)  # which of several mistakes is told is free
    return made


def _places(draw: Draw, length: int) -> Any:
    """Return integers of any dtype and layout, seldom one that is out of bounds."""
    shape = arrays.shape_of(draw, 2, 40)
    rng = draw.numbers()
    places = (
        rng.integers(-length, max(length, 1), shape)
        if draw.chance(50)
        else (rng.integers(0, max(length, 1), shape))
    )
    if draw.chance(5) and places.size:
        places.reshape(-1)[-1] = draw.pick((length, -length - 1, 2**31))
    kind = draw.pick(("i8", "i4", "i2", "u8", "u2", "i1") if draw.chance(95) else ("f8", "?"))
    return arrays.laid_out(draw, places.astype(kind))


def _taken(x: Any, places: Any, out: Any = None, **options: Any) -> Any:
    """Take; what is new in the order of bytes that `x` has, as by NumPy, in the machine's own."""
    result = vk.take(x, places, out=out, **options)
    if out is not None or result.dtype.isnative:
        return result
    return np.asarray(result).astype(result.dtype.newbyteorder("="))[()]


def _added(x: Any, places: Any, terms: Any, axis: int) -> Any:
    """Add to a copy that has the very layout."""
    memory = arrays.memory_of(x)
    if memory.dtype != np.uint8 or not x.flags.writeable:
        made = vk.scatter_add(np.array(x), places, terms, axis)
        return np.asarray(made, x.dtype.newbyteorder("="))
    start = x.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    copy = np.ndarray(x.shape, x.dtype, memory.copy(), start, x.strides)
    return np.asarray(vk.scatter_add(copy, places, terms, axis), x.dtype.newbyteorder("="))


def _expect(model: Any) -> Any:
    def expect(*args: Any, **options: Any) -> Any:
        results = model(*args, **options)
        several = results if isinstance(results, tuple) else (results,)
        truths = tuple(Truth(y, np.asarray(y).dtype, kind=type(y)) for y in several)
        return truths if len(truths) > 1 else truths[0]

    return expect
