"""Any text as an expression of `vekt.evaluate`: a number, an array, or an error of its kinds."""

from __future__ import annotations

import warnings

import numpy as np

import vekt as vk

from . import Bytes

REFUSALS = (ValueError, TypeError, OverflowError, ZeroDivisionError, MemoryError)
_RAMP = np.arange(1.0, 7.0)
_OPERANDS = (
    {"a": _RAMP, "b": _RAMP[::-1].astype("f4"), "c": 2.5},
    {"a": _RAMP.reshape(2, 3), "b": _RAMP[:3].astype("i4"), "c": True},
    {"a": _RAMP > 2, "b": _RAMP.astype("u1"), "c": -3},
    {"a": _RAMP * 1j, "b": np.float32(0.5), "c": 10**30},
    {"a": _RAMP[:0], "b": _RAMP[:1].astype("f2"), "c": float("nan")},
)


def one_input(data: bytes) -> None:
    """Read the first byte as a choice of operands, the others as text."""
    given = Bytes(data)
    operands = given.pick(_OPERANDS)
    text = given.rest().decode("utf-8", "surrogateescape")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = vk.evaluate(text, operands)
        except REFUSALS:
            return
        except KeyError as error:
            if "there is no variable" not in str(error):
                raise
            return
    for value in result if isinstance(result, tuple) else (result,):
        if not isinstance(value, np.ndarray | np.generic | bool | int | float | complex):
            raise AssertionError(f"{text!r} is a {type(value).__name__}")


def seed(line: str) -> bytes:
    """Return what a line of the corpus stands for: the number of its operands, and text."""
    number, text = line.split(" ", 1)
    return bytes([int(number)]) + text.encode()
