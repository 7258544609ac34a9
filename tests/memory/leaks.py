"""Many calls of every public function, right and wrong ones: what is left behind of each.

`python -m memory.leaks`, in tests/: references to operands, outputs and dtypes, Python's blocks and
the bytes of malloc are the same after the calls as before.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from tempfile import gettempdir
from typing import Any

import numpy as np
from operands import several

from vekt import reductions

from .bridge import BRIDGE
from .calls import MAKERS
from .guards import Trace

Case = tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]
_DTYPES = [np.dtype(c) for c in "?bhilBHILefdgFDGOSUVMm"]
_N = 5


class _Raises:
    """An operand that raises wherever it is asked."""

    def __init__(self, error: type[BaseException]) -> None:
        self._error = error

    def _raise(self, *args: Any, **options: Any) -> Any:
        raise self._error

    __array__ = __array_ufunc__ = __array_function__ = __float__ = __index__ = __bool__ = _raise
    __len__ = __iter__ = __getitem__ = __dlpack__ = __eq__ = _raise
    __hash__ = object.__hash__


class _OnlyArray:
    """An operand that raises when it is made an array, and is unknown to ufuncs."""

    def __init__(self, error: type[BaseException]) -> None:
        self._error = error

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise self._error


class _Declines:
    """An operand that refuses to take part."""

    def __array_ufunc__(self, *args: Any, **options: Any) -> Any:
        return NotImplemented


class _Deferred:
    __array_ufunc__ = None


def _read_only(x: Any) -> Any:
    x.flags.writeable = False
    return x


_WRONG: dict[str, Any] = {
    "objects": np.array([object()] * _N),
    "strings": np.array(["a"] * _N),
    "dates": np.zeros(_N, "M8[s]"),
    "records": np.zeros(_N, [("x", "f4")]),
    "shape": np.ones((2, 7, _N + 2)),
    "list": [[1.0], [2.0, 3.0]],
    "none": None,
    "text": "a",
    "type": float,
    "raises": _Raises(RuntimeError),
    "interrupts": _Raises(KeyboardInterrupt),
    "__array__ raises": _OnlyArray(RuntimeError),
    "__array__ interrupts": _OnlyArray(KeyboardInterrupt),
    "declines": _Declines(),
    "deferred": _Deferred(),
}
_WRONG_OUTS: dict[str, Any] = {
    "out read-only": _read_only(np.zeros(_N)),
    "out of shape": np.zeros((3, _N + 1)),
    "out of dtype": np.zeros(_N, "i1"),
    "out no array": [0.0] * _N,
    "outs": (np.zeros(_N), np.zeros(_N), np.zeros(_N), np.zeros(_N)),
    "out raises": _Raises(RuntimeError),
}
_WRONG_OPTIONS: dict[str, dict[str, Any]] = {
    **{name: {"out": out} for name, out in _WRONG_OUTS.items()},
    "where of shape": {"where": np.ones(_N + 1, bool)},
    "where no bool": {"where": np.ones(_N)},
    "where raises": {"where": _Raises(RuntimeError)},
    "dtype": {"dtype": "no such"},
    "dtype object": {"dtype": object},
    "dtype raises": {"dtype": _Raises(RuntimeError)},
    "axis": {"axis": 77},
    "axis text": {"axis": "a"},
    "axis raises": {"axis": _Raises(KeyboardInterrupt)},
    "keyword": {"no_such_keyword": 1},
}


def right(name: str) -> Iterator[Case]:
    """Make calls that return, for float64 and, once, others; also with outputs."""
    for dtype in ("f8", "f4", "f2", "i4", ">f8", "D"):
        for k, (function, args, options) in enumerate(MAKERS[name](_N, np.dtype(dtype))):
            if k and dtype != "f8":
                break
            yield f"{name} {dtype} call {k}", function, args, options
    function, args, options = next(MAKERS[name](_N, np.dtype("f8")))
    with np.errstate(all="ignore"):
        results = several(function(*args, **options))
    outs = tuple(np.zeros(np.shape(r), np.asarray(r).dtype) for r in results)
    yield f"{name} out", function, args, {**options, "out": outs if len(outs) > 1 else outs[0]}
    yield f"{name} subclass", function, tuple(_as_matrix(x) for x in args), options


class _Subclass(np.ndarray):
    pass


def _as_matrix(x: Any) -> Any:
    return x.view(_Subclass) if isinstance(x, np.ndarray) else x


def wrong(name: str) -> Iterator[Case]:
    """Make calls that must be refused: each operand, parameter and option wrong in turn."""
    function, args, options = next(MAKERS[name](_N, np.dtype("f8")))
    known = _kept_by_numpy() if hasattr(reductions, name) else set()
    for k in range(len(args)):
        for what, value in _WRONG.items():
            if what in known:
                continue
            changed = (*args[:k], value, *args[k + 1 :])
            yield f"{name} operand {k}: {what}", function, changed, options
    masks = _kept_by_numpy("where") if hasattr(reductions, name) else set()
    for what, more in _WRONG_OPTIONS.items():
        if what.removeprefix("where ") in masks:
            continue
        yield f"{name} {what}", function, args, {**options, **more}
    yield f"{name} without operands", function, (), options
    yield f"{name} one operand less", function, args[:-1], options
    yield f"{name} operands too many", function, (*args, *args, *args, *args), options
    for _, parameters in _parameters(name):
        for what in ("raises", "interrupts", "strings", "shape", "text"):
            if parameters == "where" and what in masks:
                continue
            given = {**options, parameters: _WRONG[what]}
            yield f"{name} {parameters}: {what}", function, args, given


def _parameters(name: str) -> Iterator[tuple[int, str]]:
    for k, (_, _, options) in enumerate(MAKERS[name](_N, np.dtype("f8"))):
        for key in options:
            yield k, key


_FIELDS = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
    *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class _Heap(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS]


_mallinfo = ctypes.CDLL(None).mallinfo2
_mallinfo.restype = _Heap


def _allocated() -> tuple[int, int]:
    """Return Python's blocks in use, and the bytes of malloc."""
    gc.collect()
    heap = _mallinfo()
    return sys.getallocatedblocks(), heap.uordblks + heap.hblkhd


def _held(args: Any, options: Any) -> list[Any]:
    """Return what a call might keep a reference to."""
    given = [*args, *options.values()]
    given += [x for group in given if isinstance(group, tuple | list) for x in group]
    return [x for x in given if isinstance(x, np.ndarray | _Raises | _OnlyArray | _Declines)]


def _repeat(function: Any, args: Any, options: Any, count: int) -> None:
    for _ in range(count):
        try:  # noqa: SIM105, what it would be called for takes as long as the call
            function(*args, **options)
        except BaseException:  # an interrupt, too
            pass


def growth(case: Case, count: int) -> str:
    """Make the call so often; tell what grew with their number, or ""."""
    _, function, args, options = case
    held = [*_held(args, options), *_DTYPES, function]
    _repeat(function, args, options, 10)  # caches fill
    for n in (count, 4 * count, max(4 * count, 800)):  # what ends to grow is a cache
        references = [sys.getrefcount(x) for x in held]
        blocks, heap = _allocated()
        _repeat(function, args, options, n)
        more_blocks, more_heap = (b - a for a, b in zip((blocks, heap), _allocated(), strict=True))
        more = [sys.getrefcount(x) - n for x, n in zip(held, references, strict=True)]
        grown = [
            f"{m} references of {x!r:.60}"
            for m, x in zip(more, held, strict=True)
            if 10 * m > 9 * n
        ]
        if 10 * more_blocks > 9 * n:
            grown.append(f"{more_blocks} blocks")
        if more_heap > 8 * n + 4096:
            grown.append(f"{more_heap} bytes of malloc")
        if not grown:
            return ""
    return f"after {n} calls: " + ", ".join(grown)


@cache
def _kept_by_numpy(option: str = "") -> set[str]:
    """Return which operands, or arguments `where`, NumPy's own reductions never let go.

    vekt's leave to them what is no array, and calls that are refused.
    """
    x = np.ones(_N)
    return {
        what
        for what, wrong in _WRONG.items()
        if growth(
            ("", np.add.reduce, (x if option else wrong,), {option: wrong} if option else {}), 50
        )
    }


def cases_of(name: str) -> list[Case]:
    """Return all calls of a public function, or of one of the bridge alone."""
    return BRIDGE[name]() if name in BRIDGE else [*right(name), *wrong(name)]


NAMES = (*MAKERS, *BRIDGE)


def grown(name: str, calls: int) -> tuple[int, list[str]]:
    """Make so many calls of a function in all; return how many, and what grew."""
    cases = cases_of(name)
    count = max(20, calls // len(cases))
    found = []
    for case in cases:
        problem = growth(case, count)
        if problem:
            found.append(f"{case[0]}: {problem}")
    return count * len(cases), found


def _resident() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() >> 10


def main() -> None:
    """Call every function so often; tell what grew, and what memory is resident."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="function")
    parser.add_argument("--calls", type=int, default=1_000_000, help="of each function")
    parser.add_argument(
        "--trace", default=f"{gettempdir()}/leaks.trace", help="file for the calls under way"
    )
    options = parser.parse_args()
    began, total, findings = time.monotonic(), 0, 0
    trace = Trace(options.trace)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    gc.freeze()  # what there is need not be looked through again and again
    for name in options.names:  # once each, so that everything is loaded
        for what, function, args, more in cases_of(name):
            trace(what)
            _repeat(function, args, more, 1)
    gc.collect()
    gc.freeze()
    first = _resident()
    for name in options.names:
        trace(name)
        before, start = _resident(), time.monotonic()
        calls, found = grown(name, options.calls)
        total, findings = total + calls, findings + len(found)
        print(*found, sep="\n", end="\n" if found else "")
        seconds = time.monotonic() - start
        print(f"{name}: {calls} calls, {seconds:.1f} s, {_resident() - before:+} KiB", flush=True)
    print(
        f"{len(options.names)} functions, {total} calls, {time.monotonic() - began:.0f} s, "
        f"{_resident() - first:+} KiB resident, {findings} findings"
    )
    raise SystemExit(findings > 0)


if __name__ == "__main__":
    main()
