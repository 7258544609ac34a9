"""One cell of `vekt compare`: the competitors in turns on one task's operands."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from timeit import Timer
from typing import Any

import numpy as np
from rich.console import Console

import vekt as vk
from vekt.cli.cases import Case
from vekt.cli.compare.allocating import allocating
from vekt.cli.compare.formulas import plain
from vekt.cli.compare.limits import Clock, beside_limits, limits
from vekt.cli.compare.tasks import Task
from vekt.cli.compare.timing import SETTLE_SECONDS, in_turns
from vekt.cli.compare.verdicts import judged
from vekt.cli.peers import CONSTANTS, PEERS, Namespace, UnsupportedError

CALL_ELEMENTS = 8
# Who is this many times slower than the fastest is timed once: the median would change nothing.
_SLACK = 2.5


def load_peers(peers: Iterable[str], threads: int, console: Console) -> dict[str, Namespace]:
    """Names of the libraries of those peers that are installed."""
    libraries = {}
    for peer in peers:
        try:
            libraries[peer] = PEERS[peer].load(threads)
        except ImportError as error:
            console.print(f"{peer} is left out: {error}")
    return libraries


def measure(
    title: str,
    task: Task,
    cases: list[Case],
    libraries: dict[str, Namespace],
    rounds: int,
    clock: Clock,
    tolerance: float,
    allocate: bool = False,
) -> dict[str, Any] | None:
    """Time the competitors, and what the machine allows, on one task's operands.

    `tolerance` is that of the verdict.  None for a task that cannot `allocate`.
    """
    dtype = task.operands["out"].dtype
    threads = vk.get_num_threads()
    names: Namespace = {"vk": vk, "np": np, **_constants(dtype), **task.operands}
    statements = {"vekt": task.statement}
    for peer, library in libraries.items():
        statement = PEERS[peer].statements.get(task.name)
        if statement is None and peer == "numpy":
            statement = _plain(task, cases, names)
        if statement is not None:
            try:
                names |= library | PEERS[peer].bind(task.name, task.operands)
            except UnsupportedError:
                continue
            statements[peer] = statement
    if allocate:
        made = {key: allocating(text) for key, text in statements.items()}
        statements = {key: text for key, text in made.items() if text is not None}
        if "vekt" not in statements:
            return None
    timers = {key: Timer(text, timer=clock, globals=names) for key, text in statements.items()}
    settle = SETTLE_SECONDS if threads > 1 else 0.0
    with_limits = {**timers, **limits(task, threads, names, clock)}
    apart = with_limits.keys() - timers.keys()
    turns = in_turns(with_limits, rounds, settle=settle, slack=_SLACK, apart=apart, always=["vekt"])
    # No disturbance makes a limit faster than it is: its fastest turn counts.
    beside = {
        key: min(turns.pop(key)) if key == "peak" else median(turns.pop(key)) for key in apart
    }
    seconds = {key: median(times) for key, times in turns.items()}
    ours = seconds["vekt"]
    fastest = min(seconds.keys() - {"vekt"}, key=seconds.__getitem__, default=None)
    verdict = {"over_fastest": None, "interval": None, "verdict": None}
    if fastest is not None:
        verdict = judged(turns["vekt"], turns[fastest], tolerance)
    return {
        "op": task.name,
        "dtype": dtype.name,
        "elements": task.elements,
        "shape": task.shape,
        "axis": task.axis,
        "label": task.label,
        "operands": title,
        "seconds": seconds,
        "fastest_peer": fastest,
        **verdict,
        "bytes_moved": task.bytes_moved,
        "flops": task.flops,
        **beside_limits(task, threads, ours, beside),
        "statements": statements,
    }


def _constants(dtype: np.dtype[Any]) -> Namespace:
    if dtype.kind != "f":
        return {}
    return {name: dtype.type(value) for name, value in CONSTANTS.items()}


def _plain(task: Task, cases: list[Case], names: Namespace) -> str | None:
    """Let the plain formula stand in for NumPy where it has no statement."""
    for case in cases:
        formulas = plain(case.name, case.kernel.value, case.kernel.gradient)
        params = "".join(f", {name}" for name in case.kernel.params)
        statements = {
            case.name: (formulas.value, f"plain(x{params})"),
            f"{case.name}_backward": (formulas.gradient, f"dy * plain(x{params})"),
            f"{case.name}_backward_from_output": (
                case.kernel.from_output,
                f"dy * plain(y{params})",
            ),
        }
        if task.name in statements:
            names["plain"], statement = statements[task.name]
            return statement
    return None


def measure_calls(cases: list[Case], rounds: int, clock: Clock) -> list[dict[str, Any]]:
    """Time a call on a few elements, beside NumPy's np.exp."""
    names: Namespace = {"vk": vk, "np": np, "x": np.linspace(0.5, 2, CALL_ELEMENTS, dtype="f4")}
    statements = {"np.exp(x)": "np.exp(x)"}
    for case in cases:
        keywords = "".join(f", {name}={value!r}" for name, value in case.keywords.items())
        text = f"vk.{case.op.name}(x{keywords})"
        statements[text] = text
    timers = {key: Timer(text, timer=clock, globals=names) for key, text in statements.items()}
    turns = in_turns(timers, 3 * rounds)
    seconds = {call: median(times) for call, times in turns.items()}
    exp = seconds["np.exp(x)"]
    return [
        {"call": call, "seconds": time, "over_exp": time / exp} for call, time in seconds.items()
    ]
