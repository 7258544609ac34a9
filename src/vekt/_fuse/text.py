"""Text in expressions: what is compared with it, and `contains`."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._fuse.graph import UnfusableError
from vekt._fuse.symbols import Symbol


def alike(x: Any, y: Any) -> tuple[Any, Any]:
    """Return two operands, where one is a constant of text as the other one's kind of text."""
    if isinstance(x, (str, bytes)) or isinstance(y, (str, bytes)):
        x, y = _like(x, y), _like(y, x)
        _refuse_symbols(x, y)
    return x, y


def contains(text: Any, part: Any) -> Any:
    """Tell where text has another text in it, element by element."""
    text, part = alike(text, part)
    for x in (text, part):
        if _kind(x) not in "SUT":
            raise TypeError(f"contains: expected text, got {_shown(x)}")
    _refuse_symbols(text, part)
    return np.strings.find(text, part) >= 0


def _refuse_symbols(*operands: Any) -> None:
    """Leave arrays of text to NumPy."""
    if any(isinstance(x, Symbol) for x in operands):
        raise UnfusableError("text")


def _like(x: Any, other: Any) -> Any:
    kind = _kind(other)
    if isinstance(x, (str, bytes)) and kind not in "SUT":
        raise TypeError(f"expression: text is compared with text, not with {_shown(other)}")
    if isinstance(x, str) and kind == "S":
        return x.encode("ascii")
    if isinstance(x, bytes) and kind != "S":
        return x.decode("ascii")
    return x


def _kind(x: Any) -> str:
    """Return the kind of what an operand holds: S bytes, U and T text, anything else no text."""
    if isinstance(x, (str, bytes)):
        return "S" if isinstance(x, bytes) else "U"
    return getattr(getattr(x, "dtype", None), "kind", "number")


def _shown(x: Any) -> str:
    return str(getattr(x, "dtype", type(x).__name__))
