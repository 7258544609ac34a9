"""`compare A B`: which kernels are faster or slower at B than at A.

Both are installed, and the suite's benchmarks timed with each in turns: first all chosen cells, in
few processes; then, in more and new ones, those that may differ.  Only the samples of these decide,
so that a cell which was unlucky once is not reported.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .comparing.installing import Tree, install
from .comparing.sampling import Samples, Sides, WorkerError
from .comparing.verdict import BETTER, SAME, WORSE, Finding, judged, suspects
from .targets import best_target

Sampled = dict[str, Samples]

SUITE = Path(__file__).parents[1]
SCREENING = [(3, 1)]
DECIDING = [(4, 2), (4, 2), (8, 2)]
"""Steps of pairs of processes and rounds of their turns; after each what is no suspect may go."""

# Every kernel once, in float32 and, where it can be, on operands that stay in the cache.
DEFAULT = "|".join([
    r"^bench_activations\.TimeKernels\..*'float32'",
    r"^bench_choosing\.TimeTopK\..*\(10, 'random', 'float32', 'vekt'",
    r"^bench_choosing\.TimePlaces\..*'100 columns.*'float32', 'vekt'",
    r"^bench_choosing\.TimeOneHot\..*1000, 1000.*'float32', 'vekt'",
    r"^bench_einsum\..*\('bi,ij,bj->b: .*'float32', 'vekt'",
    r"^bench_elementwise\.TimeContiguous\..* 100000, 'float32', 'vekt'",
    r"^bench_fuse\.TimeExpressions\..*'float32', 10000, '(compiled|kernels)'",
    r"^bench_gates\.TimeGates\..*'float32', 100000, 'vekt'",
    r"^bench_gates\.TimePrelu\..*'float32', 'many channels last', 'vekt'",
    r"^bench_layers\.TimeDense\..*\('relu', \(64, 256, 256\), 'float32', 'vekt'",
    r"^bench_layers\.TimeDenseBackward\..*\('relu', \(64, 256, 256\), 'float32'",
    r"^bench_layers\.TimePackedWeights\.time_pack\(\(64, 256, 256\), 'float32'",
    r"^bench_linalg\.TimeMatmul\..*\(\((64|256|1, 1024|1000, 8), .*'float32', 'vekt'",
    r"^bench_linalg\.TimeMatmul\..*\(\(256, 256, 256\), 'float64', 'vekt'",
    r"^bench_linalg\.TimeMatrices\..*'float32', 'vekt'",
    r"^bench_linalg\.TimeVectors\..*'float32', 100000, 'vekt'",
    r"^bench_linalg_vectors\.TimeMatrices\..*1000, 1000.*'float32', 'vekt'",
    r"^bench_losses\.TimeLosses\..*'float32', 100000\)",
    r"^bench_losses\.TimeSoftmax\..*'float32', \(4096, 1000",
    r"^bench_optim\.TimeClipping\..*'float32'",
    r"^bench_optim\.TimeSmallNetwork\.",
    r"^bench_reductions\.TimeAxes\..*'(1000x1000, 0|64x50000, 1)', 'float32', 'vekt'",
    r"^bench_reductions\.TimeShapes\..*'vekt'",
    r"^bench_rows\.TimeRows\..*'float32', \(4096, 1000\), -1",
])  # fmt: skip


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option(
    "--bench",
    metavar="REGEX",
    help="Which cells, written as asv does, for example 'TimeKernels.*gelu'; by default every "
    "kernel once, in float32.",
)
@click.option(
    "--factor",
    type=click.FloatRange(min=1, min_open=True),
    default=1.1,
    show_default=True,
    help="How many times as long a call must take at least to be worse.",
)
@click.option("--target", help="The instruction set to build for; by default this CPU's best.")
@click.option(
    "--json", "json_file", type=click.File("w", lazy=False), help="Also write all cells as JSON."
)
def compare(
    before: str, after: str, bench: str | None, factor: float, target: str | None, json_file: Any
) -> None:
    """Tell which kernels are faster or slower at B than at A.

    A and B are commits, or folders of working trees, whose uncommitted changes count: "compare HEAD
    ." shows what an edit did. The exit status is 1 if a kernel is worse.
    """
    chosen = _pattern(bench or DEFAULT)
    console = Console(highlight=False, stderr=True)
    trees = [Tree.of(name, SUITE.parent) for name in (before, after)]
    target = target or best_target()
    with tempfile.TemporaryDirectory() as scratch:
        folders = Path(scratch, "before"), Path(scratch, "after")
        for name, tree, folder in zip((before, after), trees, folders, strict=True):
            with console.status(f"Installing {name}"):
                install(tree, folder, SUITE / ".asv" / "wheels", target)
        sides = Sides(*folders, SUITE / "benchmarks", _environment())
        try:
            kernels, missing = _cells(sides, chosen)
            rows = _measured(sides, kernels, factor, console)
        except WorkerError as error:
            raise click.ClickException(str(error)) from None
    missing += [cell for cell in kernels if cell not in rows]
    if json_file:
        cells = [{"cell": cell, "kernel": kernels[cell], **row} for cell, row in rows.items()]
        document = {
            "before": {"name": before, "tree": trees[0].hash},
            "after": {"name": after, "tree": trees[1].hash},
            "target": target,
            "factor": factor,
            "cells": cells,
            "not_compared": missing,
        }
        json.dump(document, json_file, indent=1)
    show(kernels, rows, missing)
    if any(row["verdict"] == WORSE for row in rows.values()):
        raise SystemExit(1)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint="--bench") from None


def _environment() -> dict[str, str]:
    """Return the variables that asv sets for its runs: one thread, for one."""
    from asv.config import Config

    matrix = Config.load(str(SUITE / "asv.conf.json")).matrix
    return {name: values[0] for name, values in matrix["env_nobuild"].items()}


def _cells(sides: Sides, chosen: re.Pattern[str]) -> tuple[dict[str, str], list[str]]:
    """Return the chosen cells with their kernels, and those that only one side has."""
    before, after = (
        {cell: kernel for cell, kernel in cells.items() if chosen.search(cell)}
        for cells in sides.cells()
    )
    both = {cell: kernel for cell, kernel in after.items() if cell in before}
    if not both:
        raise click.BadParameter("No benchmark of both A and B matches.", param_hint="--bench")
    return both, sorted(before.keys() ^ after.keys())


def _measured(
    sides: Sides, kernels: dict[str, str], factor: float, console: Console
) -> dict[str, dict[str, Any]]:
    """Return what was found of the cells that ran."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    # Drawing must not disturb the measurements.
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as progress:

        def sampled(title: str, cells: list[str], steps: list[tuple[int, int]]) -> Sampled:
            samples = {cell: Samples() for cell in cells}
            for pairs, rounds in steps:
                task = progress.add_task(title, total=len(cells) * pairs)
                advance = partial(progress.advance, task)
                sides.sample({cell: samples[cell] for cell in cells}, pairs, rounds, advance)
                cells = suspects(ratios_of(samples), factor)
            return samples

        first = sampled("All cells", list(kernels), SCREENING)
        second = sampled("What may differ", suspects(ratios_of(first), factor), DECIDING)
    found = judged(ratios_of(first), factor)
    found = {cell: replace(finding, verdict=SAME) for cell, finding in found.items()}
    found |= judged(ratios_of(second), factor)
    return {cell: _row(second.get(cell, first[cell]), finding) for cell, finding in found.items()}


def ratios_of(samples: Sampled) -> dict[str, list[float]]:
    """Return the ratios of the cells that have any."""
    return {cell: found.ratios for cell, found in samples.items() if found.ratios}


def _row(samples: Samples, finding: Finding) -> dict[str, Any]:
    return {
        **asdict(finding),
        "before": median(samples.before),
        "after": median(samples.after),
        "ratios": samples.ratios,
    }


def show(kernels: dict[str, str], rows: dict[str, dict[str, Any]], missing: list[str]) -> None:
    """Print a table of what differs, the worst first, and how many cells do not."""
    console = Console(highlight=False)
    verdicts = [row["verdict"] for row in rows.values()]
    differ = {cell: row for cell, row in rows.items() if row["verdict"] != SAME}
    if differ:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        table.add_column("kernel and benchmark", overflow="fold", ratio=1)
        for name in ("A", "B", "B / A", "p", ""):
            table.add_column(name, justify="right", no_wrap=True)
        for cell, row in sorted(differ.items(), key=lambda item: -item[1]["ratio"]):
            table.add_row(
                f"{escape(kernels[cell])}\n[dim]{escape(cell.removeprefix('bench_'))}[/dim]",
                *(_time(row[side]) for side in ("before", "after")),
                f"{row['ratio']:.2f}",
                f"{row['p']:.4f}",
                f"[{'red' if row['verdict'] == WORSE else 'green'}]{row['verdict']}",
            )
        console.print(table)
    for verdict in (WORSE, BETTER):
        named = dict.fromkeys(kernels[c] for c, row in differ.items() if row["verdict"] == verdict)
        if named:
            console.print(f"{verdict}: {', '.join(named)}")
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in (WORSE, SAME, BETTER))
    console.print(f"{len(rows)} cells: {counts}.")
    if missing:
        console.print(f"{len(missing)} more could not run with both A and B; --json names them.")


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


if __name__ == "__main__":
    compare()
