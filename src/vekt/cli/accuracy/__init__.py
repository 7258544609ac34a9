"""`vekt accuracy`: the error of every kernel over many or all inputs."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import click
from rich.progress import ProgressColumn, Task, TaskProgressColumn
from rich.text import Text

from vekt._core import native
from vekt.cli.accuracy.function_cases import FUNCTIONS
from vekt.cli.accuracy.measure import Plan
from vekt.cli.accuracy.page import write_page
from vekt.cli.accuracy.rows import Row, bin_names, rows_of
from vekt.cli.accuracy.samples import PATTERNS
from vekt.cli.accuracy.state import State, StateError
from vekt.cli.accuracy.sweep import sweep
from vekt.cli.cases import CommaList, Named, op_option, select_cases
from vekt.cli.peers.functions import PEERS, peer_label
from vekt.cli.screen import (
    OutputFile,
    console_for,
    json_option,
    progress_on,
    show,
    table,
    write_json,
)

_DEFAULT_SAMPLES = {"float32": 1 << 24, "float64": 1 << 20}


@click.command()
@op_option(extra=FUNCTIONS)
@click.option(
    "--isa",
    "isas",
    type=CommaList(Named([*native.SUPPORTED, "all"])),
    default=native.SELECTED,
    show_default=True,
    help="Instruction sets to measure, or 'all'.",
)
@click.option(
    "--exhaustive", is_flag=True, help="Measure all 2^32 float32 inputs: minutes per kernel."
)
@click.option(
    "--samples",
    type=click.IntRange(1, PATTERNS),
    help="Number of inputs, spread over all bit patterns.",
)
@click.option(
    "--dtype",
    type=Named(list(_DEFAULT_SAMPLES)),
    default="float32",
    show_default=True,
    help="float32 is checked against float64, float64 against long double.",
)
@click.option(
    "--mpmath",
    "points",
    type=click.IntRange(1, PATTERNS),
    help="Instead, check N finite inputs against the formula in arbitrary precision.",
    metavar="N",
)
@click.option(
    "--peers",
    type=CommaList(Named(PEERS)),
    help="Also measure these libraries, at finite inputs where the gradient is defined.",
)
@click.option(
    "--state",
    "state_file",
    type=OutputFile(),
    help="File that keeps the progress: the same command resumes after an interruption.",
)
@click.option(
    "--markdown",
    "page",
    type=OutputFile(),
    help="Also write the table to this page; it replaces the one for the same inputs.",
)
@json_option
@click.pass_context
def accuracy(
    ctx: click.Context,
    ops: tuple[list[str], ...],
    isas: list[str],
    exhaustive: bool,
    samples: int | None,
    dtype: str,
    points: int | None,
    peers: list[str] | None,
    state_file: str | None,
    page: str | None,
    json_file: str | None,
) -> None:
    """Measure errors in ULP against the reference.

    Exits with 1 if a value or a gradient exceeds its bound, or if instruction sets that promise the
    same bits differ.
    """
    if exhaustive + (samples is not None) + (points is not None) > 1:
        raise click.UsageError("--exhaustive, --samples and --mpmath exclude each other")
    if exhaustive and dtype != "float32":
        raise click.UsageError("--exhaustive is for float32: float64 has 2^64 inputs")
    if points is not None and not all(map(find_spec, ("mpmath", "flint"))):
        raise click.UsageError("--mpmath needs: pip install mpmath python-flint")
    console = console_for(json_file)
    plan = Plan(
        dtype,
        points or samples or (PATTERNS if exhaustive else _DEFAULT_SAMPLES[dtype]),
        tuple(isa for isa in native.SUPPORTED if isa in isas or "all" in isas),
        tuple(peer for peer in peers or () if _is_there(peer, console)),
        "reference" if points is None else "formula",
    )
    wanted = {name for names in ops for name in names}
    measured = [] if wanted and wanted <= FUNCTIONS.keys() else select_cases(wanted)
    measured += [case for case in FUNCTIONS.values() if not wanted or case.name in wanted]
    cases = {case.name: case for case in measured}
    try:
        state = State(state_file, plan)
    except StateError as error:
        raise click.UsageError(str(error)) from error
    with progress_on(console, TaskProgressColumn(), _Rate(), period=60) as progress:
        findings = sweep(list(cases), plan, progress, state)
    rows = rows_of(cases, plan, findings)
    show(console, _table(rows, plan))
    write_json(json_file, _report(rows, plan))
    if page is not None:
        write_page(page, rows, plan, [name for names in ops for name in names])
    ctx.exit(int(any(row.failed for row in rows)))


def _is_there(peer: str, console: Any) -> bool:
    try:
        peer_label(peer)
    except ImportError as error:
        console.print(f"{peer} is left out: {error}")
        return False
    return True


class _Rate(ProgressColumn):
    """Inputs per second."""

    def render(self, task: Task) -> Text:
        """Show millions from a million on."""
        speed = task.speed or 0.0
        return Text(f"{speed / 1e6:,.0f} M/s" if speed >= 1e6 else f"{speed:,.0f} /s")


def _table(rows: list[Row], plan: Plan) -> Any:
    against = "" if plan.oracle == "reference" else " against the formula in arbitrary precision"
    result = table(
        f"Errors in ULP on {plan.inputs:,} inputs, {plan.dtype}{against}",
        "kernel",
        "on",
        "max ULP",
        "bound",
        "at",
        "bits",
        *plan.peers,
        *bin_names(),
        caption="Instruction sets on one line have the same bits."
        + bool(plan.peers)
        * (
            " Peers: at finite inputs, where the gradient does not jump;"
            " z: treats subnormal numbers as zero, which is not counted."
        ),
    )
    for row in rows:
        result.add_row(
            *row.cells,
            row.hexadecimal,
            *row.peer_cells(plan.peers),
            *row.count_cells,
            style="red" if row.failed else "",
        )
    return result


def _report(rows: list[Row], plan: Plan) -> dict[str, Any]:
    return {
        "dtype": plan.dtype,
        "inputs": plan.inputs,
        "isas": list(plan.isas),
        "oracle": plan.oracle,
        "peers": {peer: peer_label(peer) for peer in plan.peers},
        "rows": [row.to_dict() for row in rows],
    }
