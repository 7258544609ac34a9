"""Memory between two pages that nobody may touch, and arrays laid against either of them."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_NO_ACCESS = 0
_PAD, _PADS = 64, b"\xa5" * 64  # what must stay as it is beside an array


class Arena:
    """Writable memory with a page before it and one behind it that kill who touches them."""

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        size = -(-size // page) * page
        self.begin, self.end = page, page + size
        self.memory = mmap.mmap(-1, size + 2 * page)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for start in (0, self.end):
            if _libc.mprotect(self.address + start, page, _NO_ACCESS):
                raise OSError(ctypes.get_errno(), "mprotect")

    def place(self, size: int, at_end: bool, offset: int) -> int:
        """Return where so many bytes begin, so far from one of the two pages."""
        return self.end - offset - size if at_end else self.begin + offset


TRACED = 512


class Trace:
    """A file that names the call under way, whatever becomes of the process."""

    def __init__(self, path: str) -> None:
        with Path(path).open("wb+") as file:
            file.truncate(TRACED)
            self._memory = mmap.mmap(file.fileno(), TRACED)

    def __call__(self, text: str) -> None:
        self._memory[:TRACED] = text.encode()[:TRACED].ljust(TRACED)


def _bounds(x: Array) -> tuple[int, int]:
    if x.size:
        return np.lib.array_utils.byte_bounds(x)
    address = x.__array_interface__["data"][0]
    return address, address


class Block:
    """The bytes of arrays that share memory, to be laid out anew again and again."""

    def __init__(self, arrays: list[Array]) -> None:
        bounds = [_bounds(x) for x in arrays]
        self.low = min(low for low, _ in bounds)
        self.size = max(high for _, high in bounds) - self.low
        self.bytes = ctypes.string_at(self.low, self.size)
        self._arrays = [(x, x.__array_interface__["data"][0] - self.low) for x in arrays]

    def moved(self, arena: Arena, start: int) -> Iterator[tuple[int, Array]]:
        """Return each array, by its id, in the arena's memory, where the block has `start`."""
        for x, within in self._arrays:
            made = np.ndarray(x.shape, x.dtype, arena.memory, start + within, x.strides)
            if not x.flags.writeable:
                made.flags.writeable = False
            yield id(x), made


def _blocks(arrays: list[Array]) -> list[Block]:
    """Put arrays together that share memory."""
    groups: list[list[Array]] = []
    for x in {id(x): x for x in arrays}.values():
        apart = [g for g in groups if not any(np.may_share_memory(x, y) for y in g)]
        together = [y for g in groups if not any(g is a for a in apart) for y in g]
        groups = [*apart, [x, *together]]
    return [Block(g) for g in groups]


class Guarded:
    """The arrays of a call, to be moved to guarded memory."""

    def __init__(self, arrays: list[Array], arenas: list[Arena]) -> None:
        self._blocks = _blocks(arrays)
        self._arenas = arenas
        self._starts: list[int] = []
        self.fits = len(arenas) >= len(self._blocks) and all(
            block.size + 64 <= arena.end - arena.begin
            for block, arena in zip(self._blocks, arenas, strict=False)
        )

    def lay(self, at_end: bool, offset: int) -> dict[int, Array]:
        """Return what stands for each array, by its id; their offsets differ, but for none."""
        made: dict[int, Array] = {}
        self._starts = []
        for k, (block, arena) in enumerate(zip(self._blocks, self._arenas, strict=False)):
            start = arena.place(block.size, at_end, offset * (2 * k + 1) % 64)
            for pad in _pads(arena, start, block.size):
                arena.memory[pad] = _PADS[: pad.stop - pad.start]
            arena.memory[start : start + block.size] = block.bytes
            made.update(block.moved(arena, start))
            self._starts.append(start)
        return made

    def untouched(self) -> bool:
        """Tell whether what lies beside the arrays is as it was."""
        return all(
            arena.memory[pad] == _PADS[: pad.stop - pad.start]
            for block, arena, start in zip(self._blocks, self._arenas, self._starts, strict=False)
            for pad in _pads(arena, start, block.size)
        )


def _pads(arena: Arena, start: int, size: int) -> tuple[slice, slice]:
    end = start + size
    return slice(max(arena.begin, start - _PAD), start), slice(end, min(arena.end, end + _PAD))


def replaced(value: Any, made: dict[int, Array]) -> Any:
    """Return the value with arrays, also those in tuples and lists, in their new places."""
    if isinstance(value, tuple | list):
        return type(value)(replaced(x, made) for x in value)
    return made.get(id(value), value) if isinstance(value, np.ndarray) else value


def arrays_in(value: Any) -> Iterator[Array]:
    """Walk the arrays that can be moved."""
    if isinstance(value, tuple | list):
        for x in value:
            yield from arrays_in(x)
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        yield value
