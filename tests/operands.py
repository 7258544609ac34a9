"""Random operands of elementwise functions: any dtype, shape, steps and order of axes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from vekt import elementwise, reference
from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY

NUMBERS = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")
DTYPES = (*NUMBERS, "c8", "c16")
SIDES = (0, 1, 2, 3, 4, 5, 7, 17, 33, 130, 300)
FUNCTIONS = {op.name: op for op in ELEMENTARY}
PAIRS = {op.name: op for op in BINARY}
INEXACT = (*FUNCTIONS, *PAIRS, "multiply_add", "scale_shift")
CHANCE = (0.02, 0.1, 0.1, 0.16, 0.1, 0.1, 0.1, 0.13, 0.1, 0.06, 0.03)


def several(result: Any) -> tuple[Any, ...]:
    """Return results as a tuple, also where there is one."""
    return result if isinstance(result, tuple) else (result,)


def layouts(x: Any) -> Iterator[Any]:
    """Yield an array of two dimensions or more, and others with its shape or its axes permuted."""
    yield x
    yield np.asfortranarray(x)
    yield x[::-1]
    yield np.repeat(x, 2, axis=-1)[..., ::2]
    yield np.moveaxis(x, 0, -1)


@lru_cache
def function_of(name: str, isa: str) -> Any:
    """Return the function of this name on an instruction set, built once."""
    return elementwise.build(name, isa)


def numpy_of(name: str) -> Any:
    """Return what NumPy users write."""
    if name in ("multiply_add", "scale_shift"):
        return multiply_add
    return getattr(np, name, None) or getattr(reference, name)


def multiply_add(a: Any, b: Any, c: Any, out: Any = None) -> Any:
    """a*b + c, rounded once where a wider dtype makes that possible."""
    dtype = np.result_type(
        *(x if type(x) in (bool, int, float) else np.asarray(x) for x in (a, b, c))
    )
    wide = {"e": "f8", "f": "f8", "d": "g"}.get(dtype.char, dtype)
    result = np.add(np.multiply(a, b, dtype=wide), c, dtype=wide).astype(dtype)[()]
    if out is None:
        return result
    np.copyto(out, result, casting="same_kind")
    return out


def shape_of(rng: np.random.Generator, limit: int = 30_000) -> list[int]:
    """Return up to five sides whose product is not large."""
    shape = [int(n) for n in rng.choice(SIDES, int(rng.integers(0, 6)), p=CHANCE)]
    while np.prod(shape) > limit:
        shape[int(np.argmax(shape))] = 3
    return shape


def operand(rng: np.random.Generator, shape: list[int], dtype: str) -> Any:
    """Return an array that broadcasts to the shape, with any axis broadcast or permuted."""
    sides = [1 if rng.random() < 0.25 else n for n in shape]
    if rng.random() < 0.3:
        sides = sides[int(rng.integers(0, len(sides) + 1)) :]
    steps = [int(rng.choice([-2, -1, 1, 1, 1, 2, 3])) for _ in sides]
    order = rng.permutation(len(sides)) if rng.random() < 0.5 else np.arange(len(sides))
    room = [sides[axis] * abs(steps[axis]) for axis in order]
    numbers = np.asarray(rng.normal(0, 5, room))
    if np.dtype(dtype).kind == "c":
        numbers = numbers + 1j * np.asarray(rng.normal(0, 5, room))
    if np.dtype(dtype).kind == "u":
        numbers = np.abs(numbers)
    array = numbers.astype(dtype).transpose(np.argsort(order))
    array = array[(..., *(slice(None, None, step) for step in steps))]
    return array[(..., *(slice(0, side) for side in sides))]


def number(rng: np.random.Generator) -> Any:
    """Return a number of Python's or NumPy's."""
    plain = (True, 3, 2.5, np.float32(1.5), np.int16(-7), np.float64(0.5), np.bool_(True))
    return plain[int(rng.integers(len(plain)))]


def output(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array to write to, of any layout."""
    room = np.zeros([2 * n for n in shape], dtype).T
    view = room.T[(..., *(slice(None, None, 2 if rng.random() < 0.5 else -2) for _ in shape))]
    if rng.random() < 0.5:
        view = np.zeros(shape[::-1], dtype).T
    return view


def is_close(name: str, expected: Any, result: Any) -> bool:
    """Compare bits, but for what NumPy rounds more than once or less well; or kinds of error."""
    if isinstance(expected, type) or isinstance(result, type):
        both = isinstance(expected, type) and isinstance(result, type)
        return both and (issubclass(expected, result) or issubclass(result, expected))
    dtype = np.asarray(expected).dtype
    if np.shape(expected) != np.shape(result) or dtype != np.asarray(result).dtype:
        return False
    if dtype.kind == "c" or (name in INEXACT and dtype.kind == "f"):
        with np.errstate(all="ignore"):
            a, b = (np.asarray(x) + 0.0 for x in (expected, result))
            error = np.abs(a - b)
            size = np.maximum(np.abs(a), np.abs(b))
            size = np.maximum(size, 1) if name == "logaddexp" else size  # whose terms may cancel
            allowed = 4 * np.finfo(dtype).eps * size
            return bool(np.all((a == b) | (error <= allowed) | ((a != a) & (b != b))))
    return bool(np.array_equal(expected, result, equal_nan=dtype.kind == "f"))


def moved(memory: np.ndarray, array: Any, copy: np.ndarray) -> Any:
    """Return the view of `copy` that `array` is of `memory`; other arrays as they are."""
    base = array
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    if base is not memory:
        return array
    offset = array.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    return np.ndarray(array.shape, array.dtype, copy, offset, array.strides)


def outcome(function: Any, args: Any, out: Any = None) -> Any:
    """Return the result or the class of the error; what overlaps `out` is copied with it."""
    options = {}
    if out is not None:
        memory = out
        while memory.base is not None:
            memory = memory.base
        copy = memory.copy()
        options["out"] = moved(memory, out, copy)
        args = [moved(memory, x, copy) for x in args]
    try:
        with np.errstate(all="ignore"):
            return function(*args, **options)
    except Exception as error:
        return type(error)
