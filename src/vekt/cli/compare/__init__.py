"""`vekt compare`: every operation against the libraries that have it, in one run."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from statistics import median
from time import perf_counter, process_time
from timeit import Timer
from typing import Any

import click
import numpy as np
from rich.console import Console

import vekt as vk
from vekt.cli.cases import Case, CommaList, Count, Named, op_option
from vekt.cli.compare.allocating import allocating
from vekt.cli.compare.formulas import plain
from vekt.cli.compare.grids import OTHERS, Grid
from vekt.cli.compare.limits import Clock, beside_limits, limits
from vekt.cli.compare.linear_tasks import DTYPES
from vekt.cli.compare.shapes import SIZES, Shape, ShapeType
from vekt.cli.compare.tables import calls_table, cells_table, grouped, slower_table
from vekt.cli.compare.tasks import Task
from vekt.cli.compare.timing import SETTLE_SECONDS, interleaved
from vekt.cli.environment import equal_threads, require
from vekt.cli.peers import CONSTANTS, PEERS, Namespace, UnsupportedError
from vekt.cli.screen import console_for, json_option, progress_on, show, write_json
from vekt.config import get_config

_CALL_ELEMENTS = 8
# Who is this many times slower than the fastest is timed once: the median would change nothing.
_SLACK = 2.5


@click.command()
@op_option(extra=OTHERS)
@click.option(
    "--sizes",
    type=CommaList(Count(min=1)),
    default=",".join(map(str, SIZES)),
    show_default=True,
    help="Numbers of elements; the largest one limits the samples of epochs and fits.  Without "
    "them, expressions have one more.",
)
@click.option(
    "--shapes",
    type=CommaList(ShapeType()),
    help="MxN for operations along an axis, MxKxN for products and dense layers, COUNTxMxKxN for "
    "stacks of products. Default: a grid of each kind.",
)
@click.option(
    "--dtype",
    "dtypes",
    type=CommaList(Named(DTYPES)),
    help="Others than float32 and float64 are for products and dot. Default: these two, and "
    "narrow ones for two square products.",
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--peers",
    type=CommaList(Named(list(PEERS))),
    default=",".join(peer for peer in PEERS if peer not in ("numba", "torch_compile")),
    show_default=True,
    help="Libraries to compare with; numba compiles a plain loop for each operation, and "
    "torch_compile, which takes half a minute, the networks of epochs.",
)
@click.option("--rounds", type=click.IntRange(min=3), default=9, show_default=True)
@click.option(
    "--processor-time",
    is_flag=True,
    help="Count the time of the processor, not of the day: for one thread on a busy machine.",
)
@click.option(
    "--allocate",
    is_flag=True,
    help="Let all make new arrays for results, as calls without out= do; what cannot is left out.",
)
@click.option("--check", is_flag=True, help="Exit with 1 if a peer is faster in any cell.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="How much faster a peer must be to count for --check: clocks are noisy.",
)
@json_option
@click.pass_context
def compare(
    ctx: click.Context,
    ops: tuple[list[str], ...],
    sizes: list[int],
    shapes: list[Shape] | None,
    dtypes: list[str] | None,
    threads: int,
    peers: list[str],
    rounds: int,
    processor_time: bool,
    allocate: bool,
    check: bool,
    tolerance: float,
    json_file: str | None,
) -> None:
    """Time vekt against its peers.

    They take turns in one process, on the same buffers and equal threads; medians count.
    VEKT_ISA=x86_v3 in the environment measures vekt on another instruction set.  The peak of a
    product is that of fused multiply-adds in registers, in the same turns, times the threads.
    """
    require("threadpoolctl")
    if processor_time and threads > 1:
        raise click.BadParameter("--processor-time adds up what several threads take.")
    cores = get_config()["cores"]
    if threads > cores:
        raise click.BadParameter(f"{threads} is more than the {cores} cores there are.")
    if "bfloat16" in (dtypes or ()) and find_spec("ml_dtypes") is None:
        raise click.BadParameter("bfloat16 is a dtype of ml_dtypes, which is not installed.")
    clock = process_time if processor_time else perf_counter
    console = console_for(json_file)
    grid = Grid({name for names in ops for name in names}, sizes, shapes, dtypes)
    if all(next(tasks(), None) is None for _, tasks in grid.groups()):
        raise click.UsageError(
            "Nothing to compare: no --op is measured in these shapes and dtypes."
        )
    cells: list[dict[str, Any]] = []
    with equal_threads(threads):
        libraries = _load(peers, threads, console)
        peers = list(libraries)
        cases = grid.cases
        with progress_on(console) as progress:
            for title, tasks in grid.groups():
                bar = progress.add_task(title, total=None)
                for task in tasks():
                    cell = _measure(title, task, cases, libraries, rounds, clock, allocate)
                    cells.extend([cell] if cell else [])
                    progress.advance(bar)
                progress.update(bar, total=progress.tasks[bar].completed)
        calls = _measure_calls(cases, rounds, clock) if cases else []
    isa = get_config()["isa"]
    for title, shown in grouped(cells):
        plural = "s" if threads > 1 else ""
        show(console, cells_table(f"{title}, {threads} thread{plural}, {isa}", shown, peers))
        console.print()
    if calls:
        title = f"A call on {_CALL_ELEMENTS} float32 elements"
        show(console, calls_table(title, calls))
        console.print()
    slower = [c for c in cells if c["over_fastest"] is not None and c["over_fastest"] < 1]
    if slower:
        show(console, slower_table(slower))
        console.print()
    console.print(f"Slower than the fastest peer in {len(slower)} of {len(cells)} cells.")
    ratios = [c["over_fastest"] for c in cells if c["over_fastest"] is not None]
    if ratios:
        console.print(f"Median: {median(ratios):.2f} times as fast as the fastest peer.")
    report = {"config": get_config(), "threads": threads, "peers": peers, "rounds": rounds}
    report |= {"clock": clock.__name__, "allocate": allocate}
    write_json(json_file, {**report, "cells": cells, "calls": calls})
    ctx.exit(int(check and any(c["over_fastest"] < 1 - tolerance for c in slower)))


def _load(peers: Iterable[str], threads: int, console: Console) -> dict[str, Namespace]:
    """Names of the libraries of those peers that are installed."""
    libraries = {}
    for peer in peers:
        try:
            libraries[peer] = PEERS[peer].load(threads)
        except ImportError as error:
            console.print(f"{peer} is left out: {error}")
    return libraries


def _measure(
    title: str,
    task: Task,
    cases: list[Case],
    libraries: dict[str, Namespace],
    rounds: int,
    clock: Clock,
    allocate: bool = False,
) -> dict[str, Any] | None:
    """Time the competitors, and what the machine allows, on one task's operands.

    None for a task that cannot `allocate`.
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
    seconds = interleaved(with_limits, rounds, settle=settle, slack=_SLACK, apart=apart)
    beside = {key: seconds.pop(key) for key in apart}
    ours = seconds["vekt"]
    rivals = {key: time for key, time in seconds.items() if key != "vekt"}
    fastest = min(rivals, key=rivals.__getitem__, default=None)
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
        "over_fastest": rivals[fastest] / ours if fastest else None,
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


def _measure_calls(cases: list[Case], rounds: int, clock: Clock) -> list[dict[str, Any]]:
    """Time a call on a few elements, beside NumPy's np.exp."""
    names: Namespace = {"vk": vk, "np": np, "x": np.linspace(0.5, 2, _CALL_ELEMENTS, dtype="f4")}
    statements = {"np.exp(x)": "np.exp(x)"}
    for case in cases:
        keywords = "".join(f", {name}={value!r}" for name, value in case.keywords.items())
        text = f"vk.{case.op.name}(x{keywords})"
        statements[text] = text
    timers = {key: Timer(text, timer=clock, globals=names) for key, text in statements.items()}
    seconds = interleaved(timers, 3 * rounds)
    exp = seconds["np.exp(x)"]
    return [
        {"call": call, "seconds": time, "over_exp": time / exp} for call, time in seconds.items()
    ]
