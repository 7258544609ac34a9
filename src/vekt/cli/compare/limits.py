"""What the machine allows: a copy of as many bytes, as many fused multiply-adds in registers."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import memmove
from functools import partial
from time import perf_counter
from timeit import Timer
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.native import lib
from vekt.cli.compare.tasks import Task

Clock = Callable[[], float]

_OPERATIONS = 1e7  # long enough for the cost of the call to vanish
# What numbers of a dtype are multiplied as; integers have other limits.
_ARITHMETIC = {
    "float16": lib.VEKT_F32,
    "bfloat16": lib.VEKT_F32,
    "float32": lib.VEKT_F32,
    "float64": lib.VEKT_F64,
    "complex64": lib.VEKT_F32,
    "complex128": lib.VEKT_F64,
}


def limits(
    task: Task, threads: int, names: dict[str, Any], clock: Clock = perf_counter
) -> dict[str, Timer]:
    """Return what to time beside a task: "memcpy", or for products "peak" and "one thread"."""
    if not task.flops:
        return {"memcpy": _copy_timer(_copied(task), clock)}
    timers = {}
    if (peak := _peak(task)) is not None:
        timers["peak"] = Timer(partial(peak, _peak_steps(peak)), timer=clock)
    if threads > 1:
        # the thread's own limit, which goes before that of the process
        statement = f"with vk.num_threads(1):\n    {task.statement}"
        timers["one thread"] = Timer(statement, timer=clock, globals=names)
    return timers


def beside_limits(
    task: Task, threads: int, ours: float, seconds: dict[str, float]
) -> dict[str, float | None]:
    """Return what the machine needs for as much as the task, and how close to that we are."""
    if not task.flops:
        memcpy = seconds["memcpy"] * task.bytes_moved / (2 * _copied(task).nbytes)
        return {"memcpy_seconds": memcpy, "over_memcpy": ours / memcpy}
    peak = _peak(task)
    least = None
    if peak is not None:
        least = seconds["peak"] * task.flops / (peak(_peak_steps(peak)) * threads)
    return {
        "peak_seconds": least,
        "of_peak": None if least is None else least / ours,
        "one_thread_seconds": seconds.get("one thread"),
    }


def _copied(task: Task) -> Any:
    first = next((name for name in ("x", "a") if name in task.operands), task.moved[0])
    return task.operands[first]


def _copy_timer(source: Any, clock: Clock) -> Timer:
    copy = np.empty_like(source)
    copy.fill(0)  # no page is missing when the clock runs
    names = {"memmove": memmove, "copy": copy, "to": copy.ctypes.data, "at": source.ctypes.data}
    return Timer(f"memmove(to, at, {source.nbytes})", timer=clock, globals=names)


def _peak(task: Task) -> Any:
    """Return the probe of the kernels in use, which runs on one thread; None for integers."""
    arithmetic = _ARITHMETIC.get(task.operands["out"].dtype.name)
    products = native.TARGETS[native.SELECTED].products
    return None if arithmetic is None else products.peak[arithmetic]


def _peak_steps(peak: Any) -> int:
    return int(_OPERATIONS / peak(1))
