"""Fair timing: the competitors take turns, and the median counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import inf
from statistics import median
from time import sleep
from timeit import Timer
from typing import Any

_SAMPLE_SECONDS = 2e-3  # long enough for the clock, short enough for many turns
_LEAST_ROUNDS = 3
_INTERRUPTED_SECONDS = 0.1  # the longest sample that other work may have made long
SETTLE_SECONDS = 0.05  # for tasks with several threads


def interleaved(
    tasks: Mapping[str, Callable[[], Any] | Timer],
    rounds: int,
    budget: float = 2.0,
    advance: Callable[[], None] = lambda: None,
    settle: float = 0.0,
    slack: float = inf,
    apart: Collection[str] = (),
) -> dict[str, float]:
    """Time all tasks in turns, each round begun by another.

    A drift of the clock rate or a burst of other work then meets every task alike.

    Parameters
    ----------
    tasks : mapping of str to callable or timeit.Timer
        What to time. A Timer with a statement avoids the cost of a call of its own.
    rounds : int
        How many turns each task has.
    budget : float
        Seconds after which a task has no further turns, save for the least number of them.
    advance : callable
        Called after each round.
    settle : float
        Seconds of rest before each turn, and then of work to wake the task's own threads.
        OpenBLAS' and OpenMP's spin for some 30 ms after their work, on the cores that the next task
        wants, and need 7 ms to come back from sleep; and it takes the system's scheduler some ms
        to give each of them a core.
    slack : float
        A task this many times as slow as the fastest one, twice if that is quickly found out, has
        no turns: its first timing stands.
    apart : collection of str
        Tasks that do not compete: they always have turns, and none is slow beside them.

    Returns
    -------
    dict of str to float
        Median seconds of one execution of each task.
    """
    turns = in_turns(tasks, rounds, budget, advance, settle, slack, apart)
    return {key: median(times) for key, times in turns.items()}


def in_turns(
    tasks: Mapping[str, Callable[[], Any] | Timer],
    rounds: int,
    budget: float = 2.0,
    advance: Callable[[], None] = lambda: None,
    settle: float = 0.0,
    slack: float = inf,
    apart: Collection[str] = (),
    always: Collection[str] = (),
) -> dict[str, list[float]]:
    """Time all tasks as `interleaved` does; return the seconds of each turn.

    A task that had no turns has its first timing alone; those in `always` have turns however slow.
    """
    timers = {k: task if isinstance(task, Timer) else Timer(task) for k, task in tasks.items()}
    first = {key: _calibrate(timer) for key, timer in timers.items()}
    limit = slack * min((s for key, (_, s) in first.items() if key not in apart), default=0.0)
    for key, (number, seconds) in first.items():
        if seconds > limit and number * seconds < _INTERRUPTED_SECONDS:  # by other work, perhaps
            first[key] = number, min(seconds, timers[key].timeit(number) / number)
    samples: dict[str, list[float]] = {key: [] for key in timers}
    given = {*apart, *always}
    contenders = [key for key, (_, seconds) in first.items() if seconds <= limit or key in given]
    for turn in range(max(rounds, _LEAST_ROUNDS)):
        # Another one begins each round: what a task finds in the caches is its predecessor's doing.
        begin = turn % len(contenders)
        for key in contenders[begin:] + contenders[:begin]:
            timer, (number, _) = timers[key], first[key]
            if turn < _LEAST_ROUNDS or sum(samples[key]) * number < budget:
                if settle:
                    sleep(settle)
                    _work(timer, number, settle)
                samples[key].append(timer.timeit(number) / number)
        advance()
    return {key: times or [first[key][1]] for key, times in samples.items()}


def _work(timer: Timer, number: int, seconds: float) -> None:
    spent = 0.0
    while spent < seconds:
        spent += timer.timeit(number)


def _calibrate(timer: Timer) -> tuple[int, float]:
    """How many executions make up one sample, and how long one of them took."""
    timer.timeit(1)  # which may compile, allocate and fill caches
    number = 1
    while (seconds := timer.timeit(number)) < _SAMPLE_SECONDS:
        number = max(2 * number, int(number * _SAMPLE_SECONDS / max(seconds, 1e-9)))
    return number, seconds / number
