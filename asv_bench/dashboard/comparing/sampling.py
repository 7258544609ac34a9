"""Ratios of two installed vekts' times: two processes that take turns within milliseconds.

What disturbs the machine for longer than that, another process or a change of the clock, meets both
of them alike.  How memory happens to lie is drawn anew with each pair of processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from math import ceil, inf
from pathlib import Path
from typing import Any

READING = 1e-3
"""Seconds that a reading takes at least: far more than the clock's steps."""

TURN, READINGS = 15e-3, 5
"""Seconds that a turn should take at most, and the most readings in it."""

Finished = Callable[[], object]


class WorkerError(Exception):
    """A process ended before it had answered."""


def plan(seconds: float) -> tuple[int, int]:
    """Return how many calls a reading has, and how many readings a turn.

    Examples
    --------
    >>> plan(2e-4), plan(6e-3), plan(1.0)
    ((5, 5), (1, 2), (1, 1))
    """
    calls = max(1, ceil(READING / max(seconds, 1e-9)))
    return calls, min(READINGS, max(1, int(TURN / (calls * seconds or READING))))


@dataclass
class Samples:
    """Seconds of a call of one cell: an element of `before` and `after` for each pair."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """How many times as long as before it takes, in each pair."""
        return [b / a for a, b in zip(self.before, self.after, strict=True)]


class Worker:
    """A process that times the cells of a suite with the vekt of one folder."""

    def __init__(self, folder: Path, suite: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        # What is compiled while it runs is kept on disk, and must not reach the other side.
        caches = {
            name: str(folder / name.lower()) for name in ("VEKT_CACHE_DIR", "NUMBA_CACHE_DIR")
        }
        command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(folder)]
        with (folder / "worker.log").open("a") as log:
            self.process = subprocess.Popen(
                [*command, str(suite)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **environment, **caches},
            )

    def ask(self, name: str, *arguments: Any) -> Any:
        """Return the answer to a request."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(json.dumps([name, *arguments]), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            log = (self.folder / "worker.log").read_text(errors="replace")
            told = " ".join([name, *map(str, arguments)])
            raise WorkerError(f"The process for {told} ended:\n{log[-2000:]}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


@dataclass(frozen=True)
class Sides:
    """Two folders with a vekt in each, and the suite that both are timed by."""

    before: Path
    after: Path
    suite: Path
    environment: Mapping[str, str]

    @contextmanager
    def _workers(self) -> Iterator[tuple[Worker, Worker]]:
        with ExitStack() as ends:
            before, after = (
                ends.enter_context(closing(Worker(folder, self.suite, self.environment)))
                for folder in (self.before, self.after)
            )
            yield before, after

    def cells(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the cells of both sides with the kernels that they time."""
        with self._workers() as (before, after):
            return before.ask("names"), after.ask("names")

    def sample(
        self,
        samples: Mapping[str, Samples],
        pairs: int,
        rounds: int,
        finished: Finished = lambda: None,
    ) -> None:
        """Add a sample for each of so many pairs of processes, if the cell can run.

        Both processes have two turns in a round.
        """
        for pair in range(pairs):
            with self._workers() as (before, after):
                order = (after, before) if pair % 2 else (before, after)
                for cell, found in samples.items():
                    seconds = self._least(cell, order, rounds)
                    if seconds:
                        found.before.append(seconds[before])
                        found.after.append(seconds[after])
                    finished()

    @staticmethod
    def _least(cell: str, order: Sequence[Worker], rounds: int) -> dict[Worker, float]:
        """Return the least seconds that a call took each worker; nothing if it cannot run."""
        seconds = [worker.ask("prepare", cell) for worker in order]
        if None in seconds:
            return {}
        calls, readings = plan(min(seconds))
        least = dict.fromkeys(order, inf)
        for _ in range(rounds):
            for worker in (*order, *reversed(order)):
                least[worker] = min(least[worker], worker.ask("turn", calls, readings))
        return least
