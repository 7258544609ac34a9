"""Programs of fused functions, changed at random: refused, or run without a step beyond an array.

What has been compiled is named in a program by its address, which the loader must believe: only
`vekt` itself makes those, and they are left out here.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from memory.guards import Arena, Guarded

import vekt as vk
from vekt._core import native
from vekt._spec.elementwise import OPS

from . import Bytes

CORPUS = Path(__file__).with_suffix(".txt")
REFUSALS = (ValueError, TypeError, OverflowError, MemoryError)
_DTYPES = (*map(np.dtype, ("f4", "f8", "f2", "i4", "i8", "u1", "i2", "?", "c8", "c16")),)
_STRANGE = (*map(np.dtype, ("g", "O", "V4", "V3", "U1", "M8[s]", ">f8", "G", [("x", "f4")])), 5)
_ODD = (-1, 2**31 - 1, -(2**31), 2**63 - 1, 2**64, 32, 33, 160, 255, 256, 1.5, None, "a")
_WHATS = (
    *sorted({row["name"] for row in native.kernels()}),
    *OPS,
    *("cast", "copy", "real", "imag", "complex", "", "no such", "\0"),
    *(getattr(np, name) for name in dir(np) if isinstance(getattr(np, name), np.ufunc)),
    *(None, 5, (), b"gelu"),
)
_EXPRESSIONS = (
    lambda a, b: a + b,
    lambda a, b: vk.mish(a * b + 1) / 2,
    lambda a, b: np.where(a > b, vk.gelu(a), np.sqrt(abs(b))),
    lambda a, b: (a - b, np.exp(a) * 3),
    lambda a, b: np.floor(a) % (b + 2) + np.arctan2(a, b),
    lambda a, b: np.real((a + 1j) * b) + np.imag(b * 2j),
    lambda a, b: vk.elu(a, 0.5) * vk.huber(a, b, 2.0) + (a * 2 + 1) * (b * 3 - 1) / (a * b),
)


def _programs() -> list[tuple[Any, ...]]:
    """Return what the loader is given for each expression and dtype."""
    made: list[tuple[Any, ...]] = []

    def program(*args: Any) -> Any:
        made.append(args)
        return load(*args)

    load = native.program
    with patch.object(native, "program", program), np.errstate(all="ignore"):
        for expression in _EXPRESSIONS:
            for dtype, other in (("f8", "f8"), ("f4", "f4"), ("f2", "f8"), ("i4", "f4")):
                vk.fuse(expression)(np.ones(3, dtype), np.ones(3, other))
    return made


_PROGRAMS = _programs()


def program_of(dtype: Any) -> tuple[Any, ...]:
    """Return what the loader is given for a sum of two arrays."""
    return next(args for args in _PROGRAMS if args[1][0] == dtype)


_ARENAS = [Arena(1 << 18) for _ in range(34)]
_RUNNER = native.build_dispatcher("program", 1, 0, None, "")


def one_input(data: bytes) -> None:
    """Read a program, changes to it, and arrays to run it on."""
    given = Bytes(data)
    target, *program = given.pick(_PROGRAMS)
    size, layout, places = given.below(131), given.below(8), (bool(given.below(2)), given.below(64))
    if layout == 7:
        size *= 64  # several blocks
    while given:
        _CHANGES[given.below(len(_CHANGES))](given, program)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            capsule = native.program(target, *program)
            _run(capsule, program, size, layout, places)
        except REFUSALS:
            return


def _run(capsule: Any, program: Any, size: int, layout: int, places: tuple[bool, int]) -> None:
    dtypes, nin, nout = program[:3]
    arrays = [
        _array(dtypes[k], size, layout if k < nin else layout & 2, k) for k in range(nin + nout)
    ]
    guarded = Guarded(arrays, _ARENAS)
    if not guarded.fits:
        raise AssertionError("arrays do not fit")
    made = guarded.lay(*places)
    moved = [made[id(x)] for x in arrays]
    _RUNNER.run(capsule, tuple(moved[:nin]), tuple(moved[nin:]))
    if not guarded.untouched():
        raise AssertionError("wrote beside an operand")


def _array(dtype: Any, size: int, layout: int, k: int) -> Any:
    if layout & 4 and not layout & 2 and k:  # one number for all
        return np.broadcast_to(np.ones(1, dtype), size)
    step = (1, -1, 2, -2)[layout & 3]
    return np.ones(size * abs(step), dtype)[::step]


# ---- changes: each takes what it needs from the bytes ----


def _number(given: Bytes) -> Any:
    return given.pick(_ODD) if given.below(4) == 0 else given.below(200)


def _replaced(items: Any, given: Bytes, value: Any) -> Any:
    """Return a tuple with another value somewhere, or behind its end."""
    k = given.below(len(items) + 1)
    return (*items[:k], value, *items[k + 1 :])


def _what(given: Bytes, program: Any) -> None:
    k = given.below(len(program[4]) or 1)
    for instruction in program[4][k : k + 1]:
        if isinstance(instruction, tuple):
            changed = (
                _WHATS[(256 * given.below(2) + given.below(256)) % len(_WHATS)],
                *instruction[1:],
            )
            program[4] = (*program[4][:k], changed, *program[4][k + 1 :])


def _value(given: Bytes, program: Any) -> None:
    k = given.below(len(program[4]) or 1)
    for instruction in program[4][k : k + 1]:
        if isinstance(instruction, tuple):
            values = _replaced(instruction[1:], given, _number(given))
            program[4] = (*program[4][:k], (*instruction[:1], *values), *program[4][k + 1 :])


def _dtype(given: Bytes, program: Any) -> None:
    program[0] = _replaced(program[0], given, given.pick((*_DTYPES, *_DTYPES, *_STRANGE)))


def _counts(given: Bytes, program: Any) -> None:
    program[1 + given.below(2)] = _number(given)


def _order(given: Bytes, program: Any) -> None:
    listed = list(program[4])
    if listed:
        one = listed.pop(given.below(len(listed)))
        at = given.below(len(listed) + 1)
        listed[at:at] = [one] * given.pick((0, 1, 2, 1, 100, 255))
    program[4] = tuple(listed)


def _constant(given: Bytes, program: Any) -> None:
    dtype = given.pick(_DTYPES)
    value = given.pick((np.ones((), dtype), np.ones(2, dtype), np.ones((1, 1), dtype), 1.0, None))
    program[3] = _replaced(program[3], given, value)


def _instruction(given: Bytes, program: Any) -> None:
    odd = given.pick(((), (np.add,), None, ("copy", 0, 1), ["copy", 0, 1], ("copy", *range(40))))
    program[4] = _replaced(program[4], given, odd)


def _cost(given: Bytes, program: Any) -> None:
    program[5] = _number(given)


def _values(given: Bytes, program: Any) -> None:
    program[0] = (*program[0], *[given.pick(_DTYPES)] * given.below(180))


_CHANGES = (
    _what,
    _value,
    _dtype,
    _counts,
    _order,
    _constant,
    _instruction,
    _cost,
    _values,
)


def seed(line: str) -> bytes:
    """Return what a line of the corpus stands for: bytes."""
    return bytes.fromhex(line)
