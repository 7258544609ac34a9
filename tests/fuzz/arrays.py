"""Random shapes, numbers, layouts in memory, and arrays to write to."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import ml_dtypes
import numpy as np

from .draws import Draw

Array = np.ndarray[Any, Any]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOATS = ("f4", "f8", "f2", BFLOAT16)
INTEGERS = ("i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")
COMPLEX = ("c16", "c8")
REAL = (*FLOATS, "f4", "f8", *INTEGERS)
NUMBERS = (*REAL, *COMPLEX)
STRANGE = ("O", "U3", "S2", "M8[s]", "m8[s]", "g", "G", "V4")
_SIDES = (1, 2, 3, 4, 5, 7, 0, 8, 16, 17, 33, 65, 130, 300)
_SIDE_WEIGHTS = (2, 4, 5, 3, 3, 3, 1, 1, 1, 2, 2, 1, 1, 1)
SIDES = tuple(n for n, w in zip(_SIDES, _SIDE_WEIGHTS, strict=True) for _ in range(w))
MARGIN = 64
MOST_BYTES = 1 << 24
"""Arrays whose steps leave no more between their elements."""


def shape_of(draw: Draw, most: int = 5, limit: int = 3000, least: int = 0) -> tuple[int, ...]:
    """Return a shape of not too many elements; now and then of up to 32 dimensions."""
    if draw.chance(3) and most >= 5:
        ndim = 6 + draw.below(27)
        shape = [draw.pick((1, 1, 1, 1, 2)) for _ in range(ndim)]
    else:
        shape = [draw.pick(SIDES) for _ in range(least + draw.below(most - least + 1))]
    while np.prod(shape, dtype=float) > limit:
        longest = int(np.argmax(shape))
        shape[longest] = 2 if shape[longest] > 2 else 1
    return tuple(shape)


def values(draw: Draw, shape: tuple[int, ...], dtype: Any, tame: bool = False) -> Array:
    """Return numbers of all kinds, special ones among them; without those if `tame`."""
    return np.asarray(_values(draw, shape, np.dtype(dtype), tame))


def _values(draw: Draw, shape: tuple[int, ...], dtype: np.dtype[Any], tame: bool) -> Any:
    rng = draw.numbers()
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        result = np.empty(shape, dtype)
        result.real, result.imag = values(draw, shape, part, tame), values(draw, shape, part, tame)
        return result
    if dtype.kind == "b":
        return rng.random(shape) < rng.choice([0.02, 0.5, 0.98])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        if not tame and draw.chance(25):
            return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
        numbers = rng.integers(max(info.min, -9), 10, shape).astype(dtype)
        return _sprinkled(draw, rng, numbers, [info.min, info.max, 0, 1], tame)
    if dtype.kind not in "fV" or dtype.char == "g" or dtype == np.dtype("V4"):
        return np.zeros(shape, dtype)
    style = draw.below(2 if tame else 5)
    if style == 0:
        numbers = rng.standard_normal(shape) * draw.pick((1, 4, 0.25))
    elif style == 1:
        numbers = rng.integers(-16, 17, shape) / 4
    elif style == 2:
        numbers = rng.standard_normal(shape) * 2.0 ** rng.uniform(-30, 8, shape)
    elif style == 3:
        numbers = rng.uniform(-100, 100, shape)
    else:
        bits = rng.bytes(int(np.prod(shape)) * dtype.itemsize)
        numbers = np.frombuffer(bits, f"u{dtype.itemsize}").reshape(shape).view(dtype)
        return np.where(numbers != numbers, dtype.type(np.nan), numbers)  # no signalling ones
    info = ml_dtypes.finfo(dtype)
    extremes = [0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, info.max, info.min]
    extremes += [info.tiny, -info.tiny, info.smallest_subnormal, -info.smallest_subnormal]
    return _sprinkled(draw, rng, numbers.astype(dtype), extremes, tame)


def _sprinkled(
    draw: Draw, rng: np.random.Generator, numbers: Array, extremes: list[Any], tame: bool
) -> Array:
    if tame or not draw.chance(40) or not numbers.size:
        return numbers
    numbers = np.asarray(numbers)
    flat = numbers.reshape(-1)
    where = rng.integers(0, flat.size, 1 + flat.size // 8)
    chosen = np.array(extremes, numbers.dtype)[rng.integers(0, len(extremes), where.size)]
    flat[where] = chosen
    return numbers


def memory_of(array: Array) -> Array:
    """Return the array that owns the memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def room(draw: Draw, shape: tuple[int, ...], dtype: Any, swap: bool = True) -> Array:
    """Return an array of any layout: order, steps of both signs, gaps, alignment, byte order."""
    dtype = np.dtype(dtype)
    if dtype.hasobject:
        return np.zeros(shape, dtype)
    if swap and dtype != BFLOAT16 and draw.chance(15):
        dtype = dtype.newbyteorder()
    order = draw.shuffled(len(shape)) if draw.chance(40) else list(range(len(shape)))
    steps = [draw.pick((1, 1, 1, 2, -1, -2, 3)) if draw.chance(60) else 1 for _ in shape]
    between = draw.pick((0, 0, 1, dtype.itemsize, 3)) if draw.chance(30) else 0
    distance = dtype.itemsize + between
    strides, start = [0] * len(shape), MARGIN + (draw.below(8) if draw.chance(20) else 0)
    for axis in reversed(order):
        if distance * 3 * shape[axis] > MOST_BYTES:  # steps along many axes multiply
            steps[axis] = 1
        strides[axis] = distance * steps[axis]
        if steps[axis] < 0:
            start += (max(shape[axis], 1) - 1) * -strides[axis]
        if shape[axis] > 1:  # a step along one element would only fill memory
            distance *= abs(steps[axis]) * shape[axis]
    if 0 in shape:  # whatever the steps, there is nothing to hold
        distance, start = dtype.itemsize, MARGIN
    memory = np.full(distance + start + 2 * MARGIN, 0xA5, np.uint8)
    return np.ndarray(shape, dtype, memory, start, tuple(strides))


def laid_out(draw: Draw, x: Array) -> Array:
    """Return the same elements in another layout; equal ones may share their memory."""
    x = np.asarray(x, order="C")
    if x.dtype.hasobject or draw.chance(30):
        return x
    shape, narrow = x.shape, x
    for axis, n in enumerate(shape):
        if n > 1 and draw.chance(10):
            narrow = narrow.take([0], axis)
    view = room(draw, narrow.shape, x.dtype)
    view[...] = narrow
    return np.broadcast_to(view, shape) if narrow.shape != shape else view


def operand(draw: Draw, shape: tuple[int, ...], dtypes: Any = REAL, tame: bool = False) -> Any:
    """Return an array that broadcasts to the shape, or a number."""
    if draw.chance(8):
        return draw.pick(
            (2.5, 3, -1, True, np.float32(1.5), np.int16(-7), np.float64(0.5), 0.0, -0.0, [1.0])
        )
    sides = [1 if draw.chance(12) else n for n in shape]
    if draw.chance(15):
        sides = sides[draw.below(len(sides) + 1) :]
    if draw.chance(1) and len(sides) < 6:  # more of them might broadcast to terabytes
        sides = [*sides, 3]
    dtype = draw.pick(STRANGE) if draw.chance(1) else draw.pick(dtypes)
    return laid_out(draw, values(draw, tuple(sides), dtype, tame))


def output(draw: Draw, shape: tuple[int, ...], dtype: Any, operands: list[Any]) -> Array:
    """Return an array to write to, which may share memory with an operand."""
    arrays = [x for x in operands if isinstance(x, np.ndarray) and x.shape == shape]
    arrays = [x for x in arrays if x.flags.writeable and x.dtype.kind in "fiubcV"]
    if arrays and draw.chance(30):
        x = draw.pick(arrays)
        return _overlapping(draw, x)
    out = room(draw, shape, dtype)
    if draw.chance(3):
        out.flags.writeable = False
    return out


def _overlapping(draw: Draw, x: Array) -> Array:
    style = draw.below(3)
    if style == 1 and x.ndim:
        return x[::-1]
    memory = memory_of(x)
    if style == 2 and memory.dtype == np.uint8 and memory is not x:
        start = x.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
        offset = start + x.itemsize * draw.pick((1, -1, 2))
        with suppress(ValueError):  # memory that `room` has not made
            return np.ndarray(x.shape, x.dtype, memory, offset, x.strides)
    return x
