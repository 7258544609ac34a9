"""`vekt compare`: every operation against the libraries that have it, in one run."""

from __future__ import annotations

from collections.abc import Iterable
from timeit import Timer
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import vekt as vk
from vekt.cli.cases import Case, CommaList, op_option, select_cases
from vekt.cli.environment import equal_threads, require
from vekt.cli.formulas import Plain, plain
from vekt.cli.peers import PEERS, Namespace, buffers
from vekt.cli.screen import console_for, json_option, progress_on, show, table, times, write_json
from vekt.cli.timing import SETTLE_SECONDS, interleaved
from vekt.config import get_config

_CALL_ELEMENTS = 8


@click.command()
@op_option(extra=["dot"])
@click.option(
    "--sizes",
    type=CommaList(click.IntRange(min=1)),
    default="1000,100000,10000000",
    show_default=True,
    help="Numbers of elements.",
)
@click.option(
    "--dtype",
    "dtypes",
    type=CommaList(click.Choice(["float32", "float64"])),
    default="float32,float64",
    show_default=True,
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--peers",
    type=CommaList(click.Choice(list(PEERS))),
    default=",".join(PEERS),
    show_default=True,
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
    """
    wanted = [name for names in ops for name in names]
    cases = select_cases(wanted) if set(wanted) != {"dot"} else []
    with_dot = not wanted or "dot" in wanted
    require("threadpoolctl")
    cores = get_config()["cores"]
    if threads > cores:
        raise click.BadParameter(f"{threads} is more than the {cores} cores there are.")
    console = console_for(json_file)
    cells: list[dict[str, Any]] = []
    with equal_threads(threads):
        with progress_on(console) as progress:
            for dtype in dtypes:
                for n in sizes:
                    operands, rows = _load(peers, n, dtype, threads, console)
                    operands["plain"] = {c.name: _plain(c) for c in cases}
                    statements = _statements(cases, with_dot, rows)
                    cells += _measure(statements, operands, n, dtype, rounds, progress)
                    peers = list(rows)
        calls = _measure_calls(cases, rounds) if cases else []
    for dtype in dtypes:
        for n in sizes:
            shown = [c for c in cells if (c["dtype"], c["elements"]) == (dtype, n)]
            if shown:
                show(console, _cells_table(shown, peers, threads))
                console.print()
    if calls:
        show(console, _calls_table(calls))
        console.print()
    slower = [c for c in cells if c["over_fastest"] is not None and c["over_fastest"] < 1]
    console.print(f"Slower than the fastest peer in {len(slower)} of {len(cells)} cells.")
    report = {"config": get_config(), "threads": threads, "peers": peers, "rounds": rounds}
    write_json(json_file, {**report, "cells": cells, "calls": calls})
    ctx.exit(int(check and any(c["over_fastest"] < 1 - tolerance for c in slower)))


def _load(
    peers: Iterable[str], n: int, dtype: str, threads: int, console: Console
) -> tuple[Namespace, dict[str, dict[str, str]]]:
    """Names for the statements, and the rows of those peers that are installed."""
    operands = buffers(n, dtype)
    names: Namespace = {"vk": vk, **operands}
    rows = {}
    for peer in peers:
        statements, load = PEERS[peer]
        try:
            names |= load(operands, threads)
        except ImportError as error:
            console.print(f"{peer} is left out: {error}")
        else:
            rows[peer] = statements
    return names, rows


def _statements(
    cases: list[Case], with_dot: bool, rows: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """For each operation, the statement of each competitor that has it."""
    ours = {"dot": "vk.dot(x, dy)"} if with_dot else {}
    formulas = {}
    for case in cases:
        # The plain formula stands in for NumPy's row where there is none.
        params = "".join(f", {value!r}" for value in case.params)
        formulas[case.name] = f"plain[{case.name!r}].value(x{params})"
        formulas[f"{case.name}_backward"] = f"dy * plain[{case.name!r}].gradient(x{params})"
        keywords = "".join(f", {name}={value!r}" for name, value in case.keywords.items())
        ours[case.name] = f"vk.{case.op.name}(x{keywords}, out=out)"
        ours[f"{case.name}_backward"] = f"vk.{case.op.name}_backward(dy, x{keywords}, out=out)"
        if case.kernel.from_output is not None:
            name = f"{case.name}_backward_from_output"
            ours[name] = f"vk.{name}(dy, y, out=out)"
    available = {
        peer: {**formulas, **statements} if peer == "numpy" else statements
        for peer, statements in rows.items()
    }
    result = {}
    for name, statement in ours.items():
        theirs = {peer: table[name] for peer, table in available.items() if name in table}
        result[name] = {"vekt": statement, **theirs}
    return result


def _plain(case: Case) -> Plain:
    return plain(case.name, case.kernel.value, case.kernel.gradient)


def _measure(
    statements: dict[str, dict[str, str]],
    operands: Namespace,
    n: int,
    dtype: str,
    rounds: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    bar = progress.add_task(f"{n:,} {dtype}", total=len(statements) * rounds)
    cells = []
    for name, competitors in statements.items():
        timers = {key: Timer(text, globals=operands) for key, text in competitors.items()}
        settle = SETTLE_SECONDS if vk.get_num_threads() > 1 else 0.0
        seconds = interleaved(timers, rounds, advance=lambda: progress.advance(bar), settle=settle)
        ours = seconds.pop("vekt")
        fastest = min(seconds, key=seconds.__getitem__, default=None)
        cells.append(
            {
                "op": name,
                "dtype": dtype,
                "elements": n,
                "seconds": {"vekt": ours, **seconds},
                "fastest_peer": fastest,
                "over_fastest": seconds[fastest] / ours if fastest else None,
                "statements": competitors,
            }
        )
    return cells


def _measure_calls(cases: list[Case], rounds: int) -> list[dict[str, Any]]:
    """Time a call on a few elements, beside NumPy's np.exp."""
    names: Namespace = {"vk": vk, "np": np, **buffers(_CALL_ELEMENTS, np.float32)}
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


def _cells_table(cells: list[dict[str, Any]], peers: list[str], threads: int) -> Table:
    n = cells[0]["elements"]
    result = table(
        f"ns per element: {n:,} elements, {cells[0]['dtype']}, "
        f"{threads} thread{'s' if threads > 1 else ''}",
        "operation",
        "vekt",
        *peers,
        "fastest peer\nover vekt",
    )
    for cell in cells:
        ns = {peer: f"{seconds / n * 1e9:.3f}" for peer, seconds in cell["seconds"].items()}
        ratio = cell["over_fastest"]
        result.add_row(
            cell["op"],
            f"[bold]{ns['vekt']}[/]",
            *(ns.get(peer, "") for peer in peers),
            "" if ratio is None else f"[{'green' if ratio >= 1 else 'red'}]{times(ratio)}[/]",
        )
    return result


def _calls_table(calls: list[dict[str, Any]]) -> Table:
    result = table(f"A call on {_CALL_ELEMENTS} float32 elements", "call", "ns", "over np.exp")
    for row in calls:
        result.add_row(row["call"], f"{row['seconds'] * 1e9:.0f}", f"{row['over_exp']:.2f}")
    return result
