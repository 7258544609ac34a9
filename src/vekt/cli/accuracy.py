"""`vekt accuracy`: the error of every kernel over many or all inputs."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from vekt import _native
from vekt.cli.cases import op_option, select_cases
from vekt.cli.samples import PATTERNS
from vekt.cli.screen import console_for, json_option, progress_on, show, table, write_json
from vekt.cli.sweep import BINS, Finding, sweep

_DEFAULT_SAMPLES = {"float32": 1 << 24, "float64": 1 << 20}


@click.command()
@op_option()
@click.option(
    "--isa",
    type=click.Choice(list(_native.SUPPORTED)),
    default=_native.SELECTED,
    show_default=True,
    help="Instruction set whose kernels run.",
)
@click.option("--exhaustive", is_flag=True, help="All 2^32 float32 inputs: minutes per kernel.")
@click.option(
    "--samples",
    type=click.IntRange(1, PATTERNS),
    help="Number of inputs, spread over all bit patterns.",
)
@click.option(
    "--dtype",
    type=click.Choice(list(_DEFAULT_SAMPLES)),
    default="float32",
    show_default=True,
    help="float32 is checked against float64, float64 against long double.",
)
@json_option
@click.pass_context
def accuracy(
    ctx: click.Context,
    ops: tuple[list[str], ...],
    isa: str,
    exhaustive: bool,
    samples: int | None,
    dtype: str,
    json_file: str | None,
) -> None:
    """Measure errors in ULP against the reference.

    Exits with 1 if a value or a gradient exceeds its bound.
    """
    if exhaustive and samples is not None:
        raise click.UsageError("--exhaustive and --samples exclude each other")
    if exhaustive and dtype != "float32":
        raise click.UsageError("--exhaustive is for float32: float64 has 2^64 inputs")
    total = PATTERNS if exhaustive else samples or _DEFAULT_SAMPLES[dtype]
    cases = select_cases(name for names in ops for name in names)
    console = console_for(json_file)
    with progress_on(console) as progress:
        findings = sweep(cases, isa, np.dtype(dtype), total, progress)
    show(console, _table(findings, isa, dtype, total))
    write_json(json_file, _report(findings, isa, dtype, total))
    ctx.exit(int(any(f.max_ulp > f.bound for f in findings)))


def _table(findings: list[Finding], isa: str, dtype: str, total: int) -> Any:
    edges = [f"<= {(i + 1) / 2:g}" for i in range(BINS - 1)] + [f"> {(BINS - 1) / 2:g}"]
    result = table(
        f"Errors in ULP on {total:,} inputs, {dtype}, {isa}",
        "kernel",
        "max ULP",
        "bound",
        "at",
        *edges,
    )
    for f in findings:
        exceeded = f.max_ulp > f.bound
        result.add_row(
            f.name,
            f"{f.max_ulp:.4f}",
            f"{f.bound:g}",
            str(np.dtype(dtype).type(f.at)),  # the fewest digits that tell it from others
            *(f"{count:,}" for count in f.counts),
            style="red" if exceeded else "",
        )
    return result


def _report(findings: list[Finding], isa: str, dtype: str, total: int) -> dict[str, Any]:
    return {
        "isa": isa,
        "dtype": dtype,
        "inputs": total,
        "kernels": [
            {
                "name": f.name,
                "max_ulp": f.max_ulp,
                "bound": f.bound,
                "at": f.at,
                "counts_per_half_ulp": f.counts,
            }
            for f in findings
        ],
    }
