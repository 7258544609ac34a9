"""Calls of every public function with operands and outputs between guard pages.

`python -m memory.sweep`, in tests/: whoever touches what lies beside an operand dies, and the file
named by `--trace` tells of the call.  `VEKT_ISA` says on which instruction set.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from tempfile import gettempdir
from typing import Any

import numpy as np
from fuzz.draws import Draw
from fuzz.groups import GROUPS
from operands import several

import vekt as vk
from vekt._core import native

from .calls import KERNEL_DTYPES, MAKERS, OTHER_DTYPES
from .guards import Arena, Guarded, Trace, arrays_in, replaced

SIZES = range(131)
OFFSETS = range(64)
_ROOM = 1 << 20
_ARENAS = 10


class Sweep:
    """Makes calls in guarded memory, and counts them."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._arenas = [Arena(_ROOM) for _ in range(_ARENAS)]
        self.calls = self.refused = self.too_large = 0
        self.findings: list[str] = []
        self.accepted: set[tuple[str, str]] = set()

    def call(
        self, name: str, function: Any, args: Any, options: Any, places: list[tuple[bool, int]]
    ) -> None:
        """Make a call in each of these places: at the end or not, and how far from there."""
        guarded = Guarded([*arrays_in(args), *arrays_in(tuple(options.values()))], self._arenas)
        if not guarded.fits:
            self.too_large += 1
            return
        for at_end, offset in places:
            made = guarded.lay(at_end, offset)
            given = {key: replaced(value, made) for key, value in options.items()}
            operands = replaced(args, made)
            self._trace(f"{name}, {offset} bytes from the page {'behind' if at_end else 'before'}")
            self.calls += 1
            try:
                function(*operands, **given)
            except Exception:  # what it is, other tests ask
                self.refused += 1
            if not guarded.untouched():
                self.findings.append(f"{name}: wrote beside an operand")

    def function(
        self, name: str, n: int, dtype: Any, count: int, all_aligned: bool = False
    ) -> None:
        """Make the calls of a function on n elements, with and without an output to write to.

        Each is made at both edges and in `count` other places; the first in all aligned ones, too.
        """
        aligned = _places(OFFSETS[:: np.dtype(dtype).itemsize]) if all_aligned else []
        for k, (function, args, options) in enumerate(MAKERS[name](n, np.dtype(dtype))):
            some = _turning(n + k, count)
            most = some if k else [*aligned, *some]
            what = f"{name} {np.dtype(dtype)} n={n} call {k} {list(options)}"
            self._trace(what)
            try:
                results = several(function(*args, **options))
            except Exception:
                self.call(what, function, args, options, some[:2])
                continue
            self.accepted.add((name, np.dtype(dtype).name))
            out = _outputs(function, args, options, results)
            self.call(what, function, args, options, most if out is None else some)
            if out is not None:
                self.call(f"{what} out", function, args, {**options, "out": out}, most)

    def random(self, group: str, seed: int, count: int) -> None:
        """Make random calls of a group of the fuzzer, in any layout, each in two places."""
        for k in range(count):
            draw = Draw(f"{group}:{seed}:{k}")
            self._trace(f"drawing {group} {seed}:{k}")
            case = GROUPS[group].case(draw)
            options = dict(case.options) if case.out is None else {**case.options, "out": case.out}
            places = [(False, draw.below(64)), (True, 0), (False, 0), (True, draw.below(64))]
            with vk.num_threads(case.threads):
                what = f"{group} {seed}:{k} {case.name}"
                self.call(what, case.function, tuple(case.args), options, places)


def _outputs(function: Any, args: Any, options: Any, results: Any) -> Any:
    """Return arrays for `out`, where the function takes it."""
    if any(not isinstance(r, np.ndarray | np.generic) for r in results):
        return None
    outs = tuple(np.zeros(np.shape(r), r.dtype) for r in results)
    for out in (outs[0],) if len(outs) == 1 else (outs, outs[-1]):
        with suppress(Exception):
            function(*args, **options, out=out)
            return out
    return None


def _places(offsets: Iterable[int]) -> list[tuple[bool, int]]:
    return [(at_end, offset) for at_end in (False, True) for offset in offsets]


def _turning(n: int, count: int) -> list[tuple[bool, int]]:
    """Return some of the places: the edges, and others that change with n."""
    others = _places(OFFSETS[1:])
    step = len(others) // count
    return [
        (False, 0),
        (True, 0),
        *(others[(n * 5 + k * step) % len(others)] for k in range(count)),
    ]


def full(sweep: Sweep, names: list[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """All sizes in all aligned places for dtypes of kernels, in some for others; random calls."""
    for name in names:
        yield name, lambda name=name: _of_function(sweep, name)
    for group in GROUPS if len(names) == len(MAKERS) else ():
        yield f"random {group}", lambda group=group: sweep.random(group, 1, 3000)


def _of_function(sweep: Sweep, name: str) -> None:
    for n in SIZES:
        for dtype in KERNEL_DTYPES:
            sweep.function(name, n, dtype, 6, all_aligned=True)
        for dtype in OTHER_DTYPES[n % 3 :: 3]:
            sweep.function(name, n, dtype, 2)


def share(sweep: Sweep, names: list[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Every function, at a few sizes and places."""

    def some() -> None:
        for k, name in enumerate(names):
            for n in (1 + k % 16, 17 + k % 114):
                for dtype in (*KERNEL_DTYPES, OTHER_DTYPES[(k + n) % len(OTHER_DTYPES)]):
                    sweep.function(name, n, dtype, 1)

    yield "every function", some
    for group in GROUPS:
        yield f"random {group}", lambda group=group: sweep.random(group, 0, 20)


def main() -> None:
    """Make the calls; tell how many of each there were, and what was written beside operands."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="function", help="a few only, all places")
    parser.add_argument("--share", action="store_true", help="a small part, in seconds")
    parser.add_argument(
        "--trace", default=f"{gettempdir()}/guard.trace", help="file for the call under way"
    )
    options = parser.parse_args()
    sweep = Sweep(Trace(options.trace))
    parts = (share if options.share else full)(sweep, options.names or list(MAKERS))
    began = time.monotonic()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, part in parts:
            before, start = sweep.calls, time.monotonic()
            part()
            seconds = time.monotonic() - start
            print(f"{name}: {sweep.calls - before} calls, {seconds:.1f} s", flush=True)
    for name in options.names or MAKERS:
        if any((name, np.dtype(dtype).name) not in sweep.accepted for dtype in KERNEL_DTYPES):
            sweep.findings.append(f"{name}: no call was made")
    print(*sweep.findings[:20], sep="\n")
    print(
        f"{native.SELECTED}: {sweep.calls} calls, {sweep.refused} of them refused, "
        f"{sweep.too_large} too large, {time.monotonic() - began:.0f} s, "
        f"{len(sweep.findings)} findings",
        flush=True,
    )
    raise SystemExit(bool(sweep.findings))


if __name__ == "__main__":
    main()
