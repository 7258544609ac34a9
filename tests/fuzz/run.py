"""Draw calls of a group until the time is up; say what failed, made simpler."""

from __future__ import annotations

import argparse
import faulthandler
import math
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from .check import Case, fault
from .draws import Draw, simplified
from .groups import GROUPS
from .known import known

HANGS = 300  # seconds without an end: the process dies with a traceback


class Runner:
    """How many calls of a group were made, and what failed; one finding of each kind is told.

    `trace`, where it is given, is a file that names the call under way: it is the last one where
    the process dies.
    """

    def __init__(self, group: str, trace: str | None = None) -> None:
        self.group = group
        self.calls = 0
        self.known: Counter[str] = Counter()
        self.findings: list[str] = []
        self._kinds: Counter[Any] = Counter()
        self._trace = None if trace is None else Path(trace)

    def run(self, seed: int, seconds: float, most: int = 1, calls: float = math.inf) -> None:
        """Draw calls for so many seconds, or up to so many calls or findings."""
        end = time.monotonic() + seconds
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            of_nothing = ("Mean of empty slice", "Degrees of freedom <= 0", "All-NaN slice")
            for numpys in ("'where' used without 'out'", *of_nothing):
                warnings.filterwarnings("ignore", numpys)
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            try:
                while time.monotonic() < end and len(self.findings) < most and self.calls < calls:
                    self._next(f"{seed}:{self.calls}")
            finally:
                faulthandler.cancel_dump_traceback_later()

    def _next(self, name: str) -> None:
        faulthandler.dump_traceback_later(HANGS, exit=True, file=sys.__stderr__)
        draw = Draw(f"{self.group}:{name}")
        case, problem = self.tried(draw, name)
        self.calls += 1
        if not problem:
            return
        reason = known(self.group, case, problem)
        if reason:
            self.known[reason] += 1
            return
        kind = (case.name, problem[:12])
        self._kinds[kind] += 1
        if self._kinds[kind] == 1:
            self.findings.append(f"{self.group} {name}: {self._simplest(name, draw)}")

    def tried(self, draw: Draw, name: str) -> tuple[Case, str]:
        """Draw a call and make it; return what is wrong."""
        if self._trace is not None:
            self._trace.write_text(f"{self.group} {name}\n")
        with np.errstate(all="ignore"):
            case = GROUPS[self.group].case(draw)
        return case, fault(case)

    def _simplest(self, name: str, draw: Draw) -> str:
        def fails(choices: list[int]) -> bool:
            try:
                case, problem = self.tried(Draw(choices=choices), str(choices))
            except Exception:  # the drawing itself may fail on choices that no seed makes
                return False
            return bool(problem) and not known(self.group, case, problem)

        choices = simplified(draw.choices, fails)
        case, problem = self.tried(Draw(choices=choices), name)
        if not problem:
            return f"{case.describe()} fails, but not always"
        return f"{case.describe()}: {problem}\n    choices {','.join(map(str, choices))},"


def main() -> None:
    """Run `python -m fuzz.run`, in tests/: some groups or all; print what fails."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("groups", nargs="*", default=list(GROUPS), metavar="group")
    parser.add_argument("--seconds", type=float, default=600, help="for each group")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=20, help="kinds of findings of a group")
    parser.add_argument("--call", help="SEED:NUMBER of one call, or its choices")
    parser.add_argument("--trace", help="file that names the call under way")
    options = parser.parse_args()
    found = 0
    for group in options.groups:
        runner = Runner(group, options.trace)
        if options.call:
            listed = "," in options.call
            choices = [int(n) for n in options.call.split(",") if n] if listed else None
            case, problem = runner.tried(Draw(f"{group}:{options.call}", choices), options.call)
            print(case.describe(), problem or "right", sep="\n")
            continue
        runner.run(options.seed, options.seconds, options.most)
        for finding in runner.findings:
            print(finding)
        found += len(runner.findings)
        known_ones = "".join(f"; {n} times {why}" for why, n in runner.known.items())
        print(
            f"{group}: {runner.calls} calls, {len(runner.findings)} findings{known_ones}",
            flush=True,
        )
    raise SystemExit(found > 0)


if __name__ == "__main__":
    main()
