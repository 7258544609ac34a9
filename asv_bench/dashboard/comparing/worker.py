"""A process that times the benchmarks of the suite with one vekt, cell by cell, when it is told to.

`python worker.py FOLDER SUITE` takes vekt from FOLDER.  A request is a line of JSON, the name of a
function below and its arguments, and so is the answer.  The process is its own program: it imports
nothing of the dashboard, whose modules are no business of what is measured.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from itertools import product
from pathlib import Path
from typing import Any


class Cells:
    """The cells of a suite: every benchmark of time with every combination of its parameters."""

    def __init__(self, suite: Path) -> None:
        from asv_runner.discovery import disc_benchmarks

        sys.path.insert(0, str(suite.parent))
        self.found: dict[str, tuple[Any, int]] = {}
        for benchmark in disc_benchmarks(str(suite), ignore_import_errors=True):
            if benchmark.type == "time":
                for i, values in enumerate(product(*benchmark.params)):
                    name = benchmark.name + (f"({', '.join(values)})" if values else "")
                    self.found[name] = benchmark, i
        self.current: Any = None
        self.last: Any = None

    def names(self) -> dict[str, str]:
        """Return the cells as asv writes them, and the kernel that each of them times."""
        return {name: kernel(benchmark, i) for name, (benchmark, i) in self.found.items()}

    def prepare(self, name: str) -> float | None:
        """Return the seconds that a call of this cell takes, or None if it cannot run."""
        if self.last is not None:
            self.last.do_teardown()
        self.current = self.last = None
        gc.collect()
        benchmark, i = self.found[name]
        benchmark.set_param_idx(i)
        try:
            if benchmark.do_setup():
                return None
            self.last = benchmark
            self.current = lambda: benchmark.func(*benchmark._current_params)
            return self.turn(1, 1)
        except Exception as error:
            print(f"{name}: {error!r}", file=sys.stderr)
            return None

    def turn(self, calls: int, readings: int) -> float:
        """Return the processor time of a call: the least of `readings` of so many calls each."""
        return min(reading(self.current, calls) for _ in range(readings)) / calls


def reading(call: Callable[[], Any], calls: int) -> float:
    """Return the processor time of so many calls."""
    begin = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - begin


def kernel(benchmark: Any, i: int) -> str:
    """Return the function that a combination of parameters times, or the one its class names."""
    benchmark.set_param_idx(i)
    values = dict(zip(benchmark.param_names, benchmark._current_params, strict=True))
    for name in ("kernel", "function", "optimiser", "expression"):
        if name in values:
            return str(values[name])
    name = benchmark.name.split(".")[-2].removeprefix("Time")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def requests() -> Iterator[tuple[str, list[Any]]]:
    """Yield what standard input asks for."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        yield name, arguments


def main(folder: str, suite: str) -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what benchmarks print is no answer
    # Before the finder of an editable install, which looks for vekt in its sources.
    sys.meta_path.insert(0, PathFinder)
    sys.path[0] = folder
    import vekt

    if not Path(vekt.__file__).is_relative_to(folder):
        raise SystemExit(f"vekt was imported from {vekt.__file__}, not from {folder}")
    cells = Cells(Path(suite))
    gc.disable()
    for name, arguments in requests():
        print(json.dumps(getattr(cells, name)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
