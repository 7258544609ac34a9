"""Targets of a coverage-guided fuzzer: functions of bytes, which must end in a result or a refusal.

`python -m fuzz.targets expressions`, in tests/, runs one by atheris (libFuzzer) where it is
installed, else by simple mutations of the seeds beside it; CONTRIBUTING.md has the commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Bytes:
    """Choices read from bytes; zeros after their end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1, up to 255, from one byte."""
        byte = self._data[self._at] if self else 0
        self._at += 1
        return byte % n

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def rest(self) -> bytes:
        """Return the bytes that were not read."""
        return self._data[self._at :]
