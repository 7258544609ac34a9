"""The table of errors as a section of a Markdown page, with the command that made it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from vekt.cli.accuracy.measure import Plan
from vekt.cli.accuracy.rows import Row, bin_names
from vekt.cli.accuracy.samples import PATTERNS
from vekt.cli.peers.functions import peer_label
from vekt.config import get_config

_HEAD = """\
# Accuracy

Errors in units of the last place (ULP) of every kernel's values f(x) and gradients f'(x). 0.5 is
correct rounding; among subnormal results the unit is the smallest subnormal number. Made by the
commands that stand below; a run replaces its own section and leaves the others.

- *on*: instruction sets with the very same bits share a line.
- *at*: the input with the largest error, and its bits.
- *peers*: the largest error of the peer's function at finite inputs, away from points where the
  gradient jumps. 8.4e6 or more means that a normal number has no right digit. Where the peer takes
  subnormal numbers for zero, its inputs or its results, that is not counted, but marked with z. A
  dash means that there is no such function.
"""
_FEATURES = ("sse4_2", "avx2", "fma", "f16c", "avx512f", "avx512dq", "avx512vl", "avx512_bf16")


def write_page(path: str, rows: Sequence[Row], plan: Plan, ops: Iterable[str]) -> None:
    """Put the section of these rows into the page at `path`, which need not exist."""
    page = Path(path)
    text = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    begin, end = (f"<!-- {edge} {plan.dtype} by {plan.oracle} -->" for edge in ("begin", "end"))
    section = f"{begin}\n{_section(rows, plan, ops, path)}\n{end}\n"
    before, found, rest = text.partition(f"{begin}\n")
    if found:
        section += rest.partition(f"{end}\n")[2]
    else:
        before = f"{before.rstrip()}\n\n"
    page.write_text(before + section, encoding="utf-8")


def _section(rows: Sequence[Row], plan: Plan, ops: Iterable[str], path: str) -> str:
    config = get_config()
    versions = [f"vekt {config['version']}"]
    versions += [f"{name} {number}" for name, number in config["versions"].items()]
    versions += [peer_label(peer) for peer in plan.peers]
    return "\n".join(
        [
            f"## {plan.dtype}, {_inputs(plan)}",
            "",
            "```sh",
            _command(plan, ops, path),
            "```",
            "",
            f"{', '.join(versions)}; {processor()}.",
            "",
            *_table(rows, plan),
        ]
    )


def _inputs(plan: Plan) -> str:
    if plan.oracle == "formula":
        return f"{plan.inputs:,} inputs against the formula in many digits"
    every = plan.dtype == "float32" and plan.inputs == PATTERNS
    return f"all {plan.inputs:,} inputs" if every else f"{plan.inputs:,} inputs"


def _command(plan: Plan, ops: Iterable[str], path: str) -> str:
    names = ",".join(ops)
    if plan.oracle == "formula":
        inputs = f"--mpmath {plan.inputs}"
    elif plan.dtype == "float32" and plan.inputs == PATTERNS:
        inputs = "--exhaustive"
    else:
        inputs = f"--samples {plan.inputs}"
    words = [f"vekt accuracy --dtype {plan.dtype} {inputs} --isa {','.join(plan.isas)}"]
    words += [f"--op {names}"] * bool(names)
    words += [f"--peers {','.join(plan.peers)}"] * bool(plan.peers)
    return " ".join([*words, f"--markdown {path}"])


def _table(rows: Sequence[Row], plan: Plan) -> list[str]:
    heads = ["kernel", "on", "max ULP", "bound", "at", "bits", *bin_names(), *plan.peers]
    lines = [heads, ["---"] * 2 + ["---:"] * (len(heads) - 2)]
    for row in rows:
        bits = f"`{row.hexadecimal}`"
        lines.append([*row.cells, bits, *row.count_cells, *row.peer_cells(plan.peers)])
    return [f"| {' | '.join(line)} |" for line in lines]


def processor() -> str:
    """Name of the processor, and those of its features that matter here."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    facts: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    flags = facts.get("flags", facts.get("Features", "")).split()
    known = [flag for flag in _FEATURES if flag in flags]
    name = facts.get("model name", platform.machine())
    return f"{name} ({', '.join(known)})" if known else name
