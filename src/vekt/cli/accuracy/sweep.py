"""A sweep of kernels over many inputs, on all cores, that can be interrupted and resumed."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context

import numpy as np
from rich.progress import Progress

from vekt._core import cpu_count
from vekt.cli.accuracy.measure import Finding, Plan, measure
from vekt.cli.accuracy.state import State

_CHUNK = 1 << 22
_LEAST_CHUNK = 1 << 16
_CHUNK_OF_DIGITS = 1 << 8


def sweep(
    kernels: Sequence[str], plan: Plan, progress: Progress, state: State | None = None
) -> list[Finding]:
    """Measure the errors of kernels.

    Parameters
    ----------
    kernels : sequence of str
        Names of activations' kernels.
    plan : Plan
        Inputs, instruction sets and peers.
    progress : rich.progress.Progress
        Gets a bar for each kernel and, for several kernels, one for all.
    state : State, optional
        What has been measured already; is kept up to date and saved every few seconds.

    Returns
    -------
    list of Finding
        For each kernel those of `Plan.empty`.
    """
    state = State(None, plan) if state is None else state
    chunks = _chunks(plan)
    entries = {name: state.entry(name) for name in kernels}
    todo = {
        name: [index for index in range(len(chunks)) if not entry.is_done(index)]
        for name, entry in entries.items()
    }

    def inputs(indices: list[int]) -> int:
        return sum(end - begin for begin, end in (chunks[index] for index in indices))

    everything = progress.add_task("all kernels", total=sum(map(inputs, todo.values())))
    progress.update(everything, visible=len(kernels) > 1)
    try:
        with _pool(max(map(len, todo.values()), default=0)) as pool:
            for name, entry in entries.items():
                done = plan.inputs - inputs(todo[name])
                bar = progress.add_task(name, total=plan.inputs, completed=done)
                for index, part in _results(name, plan, chunks, todo[name], pool):
                    entry.add(index, part)
                    state.save_now_and_then()
                    for task in (bar, everything):
                        progress.advance(task, inputs([index]))
                progress.update(bar, visible=False)
    finally:
        state.save()
    return [finding for entry in entries.values() for finding in entry.findings]


def _results(
    name: str,
    plan: Plan,
    chunks: list[tuple[int, int]],
    todo: list[int],
    pool: Executor | None,
) -> Iterator[tuple[int, list[Finding]]]:
    """Measure chunks in this process or in the pool, and yield the results as they come."""
    if pool is None:
        for index in todo:
            yield index, measure(plan, name, *chunks[index])
        return
    jobs = {pool.submit(measure, plan, name, *chunks[index]): index for index in todo}
    for job in as_completed(jobs):
        yield jobs[job], job.result()


def _chunks(plan: Plan) -> list[tuple[int, int]]:
    if plan.oracle == "reference":
        size = min(_CHUNK, max(_LEAST_CHUNK, plan.inputs // 64))  # enough chunks for all cores
    else:
        size = _CHUNK_OF_DIGITS
    total = plan.inputs
    return [(begin, min(begin + size, total)) for begin in range(0, total, size)]


@contextmanager
def _pool(chunks: int) -> Iterator[Executor | None]:
    """Start processes for all cores, or None where one chunk at a time is all there is.

    Not threads: their passes over small blocks would wait for the interpreter's lock.
    """
    workers = min(cpu_count.available_cores(), chunks)
    if workers <= 1:
        _keep_freed_memory()
        yield None
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start_worker)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the parent, which stops the workers
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Free a large array: from then on glibc keeps smaller ones for reuse.

    It would give the memory of each temporary back to the system otherwise, which costs more than
    half of the time.
    """
    np.empty(1 << 24, np.uint8)
