"""`vekt compare`: every operation against the libraries that have it, in one run."""

from __future__ import annotations

from importlib.util import find_spec
from statistics import median
from time import perf_counter, process_time
from typing import Any

import click
from rich.console import Console

from vekt.cli import machine
from vekt.cli.cases import CommaList, Count, Named, op_option
from vekt.cli.compare.grids import OTHERS, Grid
from vekt.cli.compare.limits import Clock
from vekt.cli.compare.linear_tasks import DTYPES
from vekt.cli.compare.measuring import CALL_ELEMENTS, load_peers, measure, measure_calls
from vekt.cli.compare.report import Report, read
from vekt.cli.compare.shapes import SIZES, Shape, ShapeType
from vekt.cli.compare.tables import (
    agreement_table,
    behind_table,
    calls_table,
    cells_table,
    grouped,
    reports_table,
)
from vekt.cli.compare.verdicts import BEHIND, EVEN, LEVEL, counted
from vekt.cli.environment import equal_threads, require
from vekt.cli.peers import PEERS
from vekt.cli.screen import OutputFile, console_for, json_option, progress_on, write_text
from vekt.config import get_config


@click.command()
@click.argument("files", nargs=-1, type=click.Path())
@click.option(
    "--show",
    is_flag=True,
    help="Measure nothing: show these FILES, which --json has written, side by side.",
)
@op_option(extra=OTHERS)
@click.option(
    "--sizes",
    type=CommaList(Count(min=1)),
    default=",".join(map(str, SIZES)),
    show_default=True,
    help="Numbers of elements, such as 1e6. The largest one also limits how many samples the "
    "networks are trained on.",
)
@click.option(
    "--shapes",
    type=CommaList(ShapeType()),
    help="MxN for operations along an axis, MxKxN for matrix products and dense layers, "
    "COUNTxMxKxN for stacks of matrices. Default: several of each kind.",
)
@click.option(
    "--dtype",
    "dtypes",
    type=CommaList(Named(DTYPES)),
    help="Default: float32 and float64, and for matrix products also narrow types. Other types "
    "than these two are only for matrix products, dot and reductions.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of threads of every library.",
)
@click.option(
    "--peers",
    type=CommaList(Named(list(PEERS))),
    default=",".join(peer for peer in PEERS if peer not in ("numba", "torch_compile")),
    show_default=True,
    help="Libraries to compare with. numba compiles a plain loop for each operation; torch_compile "
    "compiles the networks that are trained, which takes half a minute.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=3),
    default=9,
    show_default=True,
    help="How often each library is timed in a cell of a table; slow ones less often.",
)
@click.option(
    "--processor-time",
    is_flag=True,
    help="Measure processor time instead of elapsed time, for one thread on a busy machine.",
)
@click.option(
    "--allocate",
    is_flag=True,
    help="Let every call allocate its result instead of passing out=. Operations that cannot are "
    "left out.",
)
@click.option("--check", is_flag=True, help="Exit with 1 if vekt is behind in any cell.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="How far from 1 a ratio of times may be and still count as even.",
)
@click.option(
    "--html",
    "html_file",
    type=OutputFile(),
    help="Also write a report with plots: one file, which needs no network.",
)
@json_option
@click.pass_context
def compare(
    ctx: click.Context,
    files: tuple[str, ...],
    show: bool,
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
    html_file: str | None,
    json_file: str | None,
) -> None:
    """Time vekt beside other libraries.

    They take turns in one process, on the same arrays and with the same number of threads. A cell
    of a table is one operation on one kind of operands; its times are medians. "over vekt" is the
    fastest peer's time divided by vekt's, with its 95 % confidence interval: vekt is ahead or
    behind where the whole interval is more than the tolerance away from 1, else the two are even.
    The peak is that of fused multiply-adds in registers, measured in the same turns.

    Tables appear as they are finished, and the file of --json keeps what is measured if the run is
    interrupted. VEKT_ISA=x86_v3 in the environment measures vekt on another instruction set.

    vekt compare --show A.json B.json sets reports of several runs or machines side by side.
    """
    require("matplotlib", "scipy", "threadpoolctl")
    if show != bool(files):
        raise click.UsageError("--show and FILES belong together: --show A.json B.json")
    if show:
        if json_file is not None:
            raise click.UsageError("--show measures nothing that --json could write.")
        ctx.exit(_show([read(file) for file in files], html_file, check))
    if processor_time and threads > 1:
        raise click.BadParameter(
            "--processor-time adds up what several threads take: use it with one."
        )
    config = get_config()
    cores = config["cores"]
    if threads > cores:
        raise click.BadParameter(f"{threads} is more than the {cores} cores there are.")
    if "bfloat16" in (dtypes or ()) and find_spec("ml_dtypes") is None:
        raise click.BadParameter("bfloat16 is a dtype of ml_dtypes, which is not installed.")
    clock = process_time if processor_time else perf_counter
    console = console_for(json_file)
    grid = Grid({name for names in ops for name in names}, sizes, shapes, dtypes)
    if all(next(tasks(), None) is None for _, tasks in grid.groups()):
        raise click.UsageError(
            "Nothing to compare: no --op is measured with these shapes and dtypes."
        )
    before = machine.load()
    with equal_threads(threads):
        libraries = load_peers(peers, threads, console)
        about = {"config": config, "threads": threads, "peers": list(libraries)}
        about |= {"rounds": rounds, "clock": clock.__name__, "allocate": allocate}
        about |= {"tolerance": tolerance, "machine": machine.conditions()}
        about |= {"load": {"before": before, "after": None}, "warnings": []}
        report = Report(json_file, about)
        _print_head(console, report.data)
        if machine.busy(before, cores - threads):
            _warn(console, report.data, "The machine is busy: other programs disturb the times.")
        try:
            _measure_all(console, report, grid, libraries, clock)
        except BaseException:  # an interrupted run keeps what it has
            report.data["load"]["after"] = machine.load()
            report.write()
            raise
    report.data["load"]["after"] = machine.load()
    _summarise(console, report.data)
    report.write()
    if html_file is not None:
        from vekt.cli.compare.page import page  # not at the top: it loads matplotlib

        write_text(html_file, page([report.data]))
    ctx.exit(int(check and counted(report.cells)[BEHIND] > 0))


def _measure_all(
    console: Console, report: Report, grid: Grid, libraries: dict[str, Any], clock: Clock
) -> None:
    data, cases = report.data, grid.cases
    groups = list(grid.groups())
    plural = "s" if data["threads"] > 1 else ""
    run = f"{data['threads']} thread{plural}, {data['config']['isa']}"
    options = data["rounds"], clock, data["tolerance"], data["allocate"]
    with progress_on(console) as progress:
        bar = progress.add_task("", total=len(groups))
        for title, tasks in groups:
            begin = len(report.cells)
            for task in tasks():
                progress.update(bar, description=f"{title}: {task.label}"[:36])
                if cell := measure(title, task, cases, libraries, *options):
                    report.add(cell)
            progress.advance(bar)
            for name, shown in grouped(report.cells[begin:]):
                console.print(cells_table(f"{name}, {run}", shown, data["peers"], console))
                console.print()
    if cases:
        data["calls"] = measure_calls(cases, data["rounds"], clock)
        title = f"A call on {CALL_ELEMENTS} float32 elements"
        console.print(calls_table(title, data["calls"]))
        console.print()
    data["complete"] = True


def _print_head(console: Console, data: dict[str, Any]) -> None:
    lines = machine.described(data["machine"])
    if data["load"]["before"] is not None:
        lines.append(
            f"load before: {data['load']['before']:.2f} on {data['config']['cores']} cores"
        )
    for line in lines:
        console.print(line, markup=False)
    console.print()


def _warn(console: Console, data: dict[str, Any], text: str) -> None:
    data["warnings"].append(text)
    console.print(f"[yellow]Warning:[/] {text}\n")


def _summarise(console: Console, data: dict[str, Any]) -> None:
    cells = data["cells"]
    behind = [cell for cell in cells if cell["verdict"] == BEHIND]
    if behind:
        console.print(behind_table(behind))
        console.print()
    after = data["load"]["after"]
    if machine.busy(after, data["config"]["cores"]):
        _warn(console, data, f"The machine was busy: its load was {after:.2f} at the end.")
    faults = sum((cell.get("of_peak") or 0) > 1 for cell in cells)
    if faults:
        text = (
            f"{faults} cells are above the measured peak, which is a fault of the measurement: "
            "something slowed the probe of the peak down."
        )
        _warn(console, data, text)
    counts = ", ".join(f"{verdict} in {number}" for verdict, number in counted(cells).items())
    console.print(f"vekt is {counts} of {len(cells)} cells.")
    console.print(
        f"Even: the {LEVEL:.0%} interval of the ratio comes within {data['tolerance']:g} of 1."
    )
    unclear = sum(
        c["verdict"] == EVEN and abs(c["over_fastest"] - 1) > data["tolerance"] for c in cells
    )
    if unclear:
        console.print(
            f"In {unclear} of the even cells the ratio itself is further away, but its turns "
            "differ too much to be sure: measure again on a quiet machine, or with more --rounds."
        )
    ratios = [cell["over_fastest"] for cell in cells if cell["over_fastest"] is not None]
    if ratios:
        console.print(f"Median: {median(ratios):.2f} times as fast as the fastest peer.")


def _show(reports: list[dict[str, Any]], html_file: str | None, check: bool) -> int:
    console = Console(highlight=False)
    for report in reports:
        console.print(f"[bold]{report['file']}[/]: {report['config']['isa']}")
        _print_head(console, report)
        if not report["complete"]:
            console.print("This run was interrupted.\n")
    console.print(reports_table(reports))
    console.print()
    console.print(agreement_table(reports))
    if html_file is not None:
        from vekt.cli.compare.page import page

        write_text(html_file, page(reports))
    return int(check and any(counted(report["cells"])[BEHIND] for report in reports))
