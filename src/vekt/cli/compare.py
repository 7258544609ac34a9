"""`vekt compare`: every operation against the libraries that have it, in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from ctypes import memmove
from functools import partial
from timeit import Timer
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

import vekt as vk
from vekt.cli.cases import Case, CommaList, op_option, select_cases
from vekt.cli.environment import equal_threads, require
from vekt.cli.formulas import plain
from vekt.cli.peers import CONSTANTS, PEERS, Namespace
from vekt.cli.screen import console_for, json_option, progress_on, show, table, times, write_json
from vekt.cli.tasks import (
    Task,
    dot_task,
    elementwise_tasks,
    gate_names,
    gate_tasks,
    row_names,
    row_tasks,
)
from vekt.cli.timing import SETTLE_SECONDS, interleaved
from vekt.config import get_config

_CALL_ELEMENTS = 8
_DTYPES = ["float32", "float64"]
# Who is this many times slower than the fastest is timed once: the median would change nothing.
_SLACK = 2.5


if TYPE_CHECKING:
    _ShapeType = click.ParamType[tuple[int, int]]
else:  # generic for type checkers only, in older versions of click
    _ShapeType = click.ParamType


class _Shape(_ShapeType):
    """Rows and columns, as 4096x1000."""

    name = "shape"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        try:
            rows, columns = (int(length) for length in value.split("x"))
        except ValueError:
            self.fail(f"{value!r} is not of the form 4096x1000.", param, ctx)
        if min(rows, columns) < 1:
            self.fail(f"{value!r} is empty.", param, ctx)
        return rows, columns


@click.command()
@op_option(extra=["dot", *row_names(), *gate_names()])
@click.option(
    "--sizes",
    type=CommaList(click.IntRange(min=1)),
    default="1000,100000,10000000",
    show_default=True,
    help="Numbers of elements.",
)
@click.option(
    "--shapes",
    type=CommaList(_Shape()),
    default="100000x10,4096x1000,64x50000",
    show_default=True,
    help="Shapes for operations along an axis.",
)
@click.option(
    "--dtype",
    "dtypes",
    type=CommaList(click.Choice(_DTYPES)),
    default=",".join(_DTYPES),
    show_default=True,
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--peers",
    type=CommaList(click.Choice(list(PEERS))),
    default=",".join(peer for peer in PEERS if peer != "numba"),
    show_default=True,
    help="Libraries to compare with; numba compiles a plain loop for each operation.",
)
@click.option("--rounds", type=click.IntRange(min=3), default=9, show_default=True)
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
    shapes: list[tuple[int, int]],
    dtypes: list[str],
    threads: int,
    peers: list[str],
    rounds: int,
    check: bool,
    tolerance: float,
    json_file: str | None,
) -> None:
    """Time vekt against its peers.

    They take turns in one process, on the same buffers and equal threads; medians count.
    VEKT_ISA=x86_v3 in the environment measures vekt on another instruction set.
    """
    require("threadpoolctl")
    cores = get_config()["cores"]
    if threads > cores:
        raise click.BadParameter(f"{threads} is more than the {cores} cores there are.")
    console = console_for(json_file)
    wanted = {name for names in ops for name in names}
    cells: list[dict[str, Any]] = []
    with equal_threads(threads):
        libraries = _load(peers, threads, console)
        peers = list(libraries)
        cases = _elementwise(wanted)
        with progress_on(console) as progress:
            for title, tasks in _grids(wanted, cases, sizes, shapes, dtypes):
                bar = progress.add_task(title, total=None)
                for task in tasks():
                    cells.append(_measure(title, task, cases, libraries, rounds))
                    progress.advance(bar)
                progress.update(bar, total=progress.tasks[bar].completed)
        calls = _measure_calls(cases, rounds) if cases else []
    isa = get_config()["isa"]
    for title, shown in _grouped(cells):
        plural = "s" if threads > 1 else ""
        show(console, _cells_table(f"{title}, {threads} thread{plural}, {isa}", shown, peers))
        console.print()
    if calls:
        show(console, _calls_table(calls))
        console.print()
    slower = [c for c in cells if c["over_fastest"] is not None and c["over_fastest"] < 1]
    if slower:
        show(console, _slower_table(slower))
        console.print()
    console.print(f"Slower than the fastest peer in {len(slower)} of {len(cells)} cells.")
    report = {"config": get_config(), "threads": threads, "peers": peers, "rounds": rounds}
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


def _elementwise(wanted: set[str]) -> list[Case]:
    others = {"dot", *row_names(), *gate_names()}
    return [] if wanted and not wanted - others else select_cases(wanted - others)


def _grids(
    wanted: set[str],
    cases: list[Case],
    sizes: list[int],
    shapes: list[tuple[int, int]],
    dtypes: list[str],
) -> Iterator[tuple[str, Callable[[], Iterator[Task]]]]:
    """Titles, and what makes the tasks below them when their time has come."""
    rows = [name for name in row_names() if not wanted or name in wanted]
    gates = [name for name in gate_names() if not wanted or name in wanted]
    with_dot = not wanted or "dot" in wanted

    def sized(n: int, dtype: str) -> Iterator[Task]:
        if with_dot:
            yield dot_task(n, dtype)
        yield from elementwise_tasks(cases, n, dtype)
        yield from gate_tasks(gates, n, dtype)

    for dtype in dtypes:
        if with_dot or cases or gates:
            for n in sizes:
                yield f"{n:,} elements", partial(sized, n, dtype)
        if rows:
            for shape in shapes:
                title = f"{shape[0]:,} x {shape[1]:,}"
                yield title, partial(row_tasks, rows, shape, dtype)


def _measure(
    title: str, task: Task, cases: list[Case], libraries: dict[str, Namespace], rounds: int
) -> dict[str, Any]:
    """Time the competitors and a copy of as many bytes on one task's operands."""
    dtype = task.operands["out"].dtype
    names: Namespace = {
        "vk": vk,
        "np": np,
        **{name: dtype.type(value) for name, value in CONSTANTS.items()},
        **task.operands,
    }
    statements = {"vekt": task.statement}
    for peer, library in libraries.items():
        statement = PEERS[peer].rows.get(task.name)
        if statement is None and peer == "numpy":
            statement = _plain(task, cases, names)
        if statement is not None:
            statements[peer] = statement
            names |= library | PEERS[peer].bind(task.name, task.operands)
    timers = {key: Timer(text, globals=names) for key, text in statements.items()}
    timers["memcpy"], copied = _copy_timer(task)
    settle = SETTLE_SECONDS if vk.get_num_threads() > 1 else 0.0
    seconds = interleaved(timers, rounds, settle=settle, slack=_SLACK)
    copy = seconds.pop("memcpy") / copied * task.bytes_moved
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
        "memcpy_seconds": copy,  # of as many bytes
        "over_memcpy": ours / copy,
        "statements": statements,
    }


def _copy_timer(task: Task) -> tuple[Timer, int]:
    """Copy one operand, and the number of bytes that this reads and writes."""
    source = task.operands["x" if "x" in task.operands else "a"]
    copy = np.empty_like(source)
    copy.fill(0)  # no page is missing when the clock runs
    names = {"memmove": memmove, "copy": copy, "to": copy.ctypes.data, "at": source.ctypes.data}
    return Timer(f"memmove(to, at, {source.nbytes})", globals=names), 2 * source.nbytes


def _plain(task: Task, cases: list[Case], names: Namespace) -> str | None:
    """Let the plain formula stand in for NumPy where it has no row."""
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


def _measure_calls(cases: list[Case], rounds: int) -> list[dict[str, Any]]:
    """Time a call on a few elements, beside NumPy's np.exp."""
    names: Namespace = {"vk": vk, "np": np, "x": np.linspace(0.5, 2, _CALL_ELEMENTS, dtype="f4")}
    statements = {"np.exp(x)": "np.exp(x)"}
    for case in cases:
        keywords = "".join(f", {name}={value!r}" for name, value in case.keywords.items())
        text = f"vk.{case.op.name}(x{keywords})"
        statements[text] = text
    timers = {key: Timer(text, globals=names) for key, text in statements.items()}
    seconds = interleaved(timers, 3 * rounds)
    exp = seconds["np.exp(x)"]
    return [
        {"call": call, "seconds": time, "over_exp": time / exp} for call, time in seconds.items()
    ]


def _grouped(cells: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Cells that share a table, and its title."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        groups.setdefault(f"{cell['operands']}, {cell['dtype']}", []).append(cell)
    for title, group in groups.items():
        yield f"ns per element: {title}", group


def _cells_table(title: str, cells: list[dict[str, Any]], peers: list[str]) -> Table:
    result = table(
        title, "operation", "vekt", *peers, "fastest peer\nover vekt", "", "vekt over\nmemcpy"
    )
    for cell in cells:
        per_element = 1e9 / cell["elements"]
        ns = {peer: f"{s * per_element:.3f}" for peer, s in cell["seconds"].items()}
        ratio = cell["over_fastest"]
        result.add_row(
            cell["label"],
            f"[bold]{ns['vekt']}[/]",
            *(ns.get(peer, "") for peer in peers),
            "" if ratio is None else f"[{'green' if ratio >= 1 else 'red'}]{times(ratio)}[/]",
            cell["fastest_peer"] or "",
            times(cell["over_memcpy"]),
        )
    result.columns[-2].justify = "left"
    return result


def _slower_table(cells: list[dict[str, Any]]) -> Table:
    result = table("Slower cells", "operation", "operands", "dtype", "vekt", "peer", "", "ratio")
    for cell in sorted(cells, key=lambda cell: float(cell["over_fastest"])):
        per_element = 1e9 / cell["elements"]
        peer = cell["fastest_peer"]
        result.add_row(
            cell["label"],
            cell["operands"],
            cell["dtype"],
            f"{cell['seconds']['vekt'] * per_element:.3f}",
            f"{cell['seconds'][peer] * per_element:.3f}",
            peer,
            times(cell["over_fastest"]),
        )
    for column in (1, 2, 5):
        result.columns[column].justify = "left"
    return result


def _calls_table(calls: list[dict[str, Any]]) -> Table:
    result = table(f"A call on {_CALL_ELEMENTS} float32 elements", "call", "ns", "over np.exp")
    for row in calls:
        result.add_row(row["call"], f"{row['seconds'] * 1e9:.0f}", f"{row['over_exp']:.2f}")
    return result
