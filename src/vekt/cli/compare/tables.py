"""How `vekt compare` shows its cells, in no more columns than the console has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from vekt.cli.compare.report import key
from vekt.cli.compare.verdicts import AHEAD, BEHIND, EVEN, VERDICTS, counted
from vekt.cli.screen import fits, table, times

Cell = dict[str, Any]

_COLORS = {AHEAD: "green", EVEN: "yellow", BEHIND: "red", None: ""}
_LEAST_LABEL = 22


def grouped(cells: list[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    """Cells that share a table, and its title."""
    groups: dict[tuple[str, str, bool], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell["operands"], cell["dtype"], bool(cell["flops"])), []).append(cell)
    for (operands, dtype, _), shown in groups.items():
        yield f"{operands}, {dtype}", shown


def cells_table(title: str, cells: list[Cell], peers: list[str], console: Console) -> Table:
    """Show cells of one kind: with as many columns as there is room for, the verdict always."""
    present = [peer for peer in peers if any(peer in cell["seconds"] for cell in cells)]
    everything = _columns(cells, present)
    result = _filled(title, cells, everything)
    if not fits(console, result):
        few = _columns(cells, None)
        longest = max(len(cell["label"]) for cell in cells)
        for left_out in ((), ("time",), ("time", "interval")):
            kept = {name: of for name, of in few.items() if name not in left_out}
            result = _filled(title, cells, kept)
            result.columns[0].min_width = min(_LEAST_LABEL, longest)
            if fits(console, result, broken=True):
                break
    return result


def _columns(cells: list[Cell], peers: list[str] | None) -> dict[str, Callable[[Cell], str]]:
    """Return headings, and what stands below them: times of these peers, or of the fastest."""
    columns: dict[str, Callable[[Cell], str]] = {
        "operation": lambda cell: str(cell["label"]),
        "vekt": lambda cell: f"[bold]{time_of(cell, 'vekt')}[/]",
    }
    if peers is None:
        columns["time"] = lambda cell: time_of(cell, cell["fastest_peer"])
    for peer in peers or ():
        columns[peer] = partial(time_of, who=peer)
    columns["fastest\npeer"] = lambda cell: cell["fastest_peer"] or ""
    columns["over\nvekt"] = _ratio
    columns["interval"] = interval_of
    columns["verdict"] = lambda cell: _colored(cell, cell["verdict"] or "")
    if not cells[0]["flops"]:
        columns["over\nmemcpy"] = lambda cell: times(cell["over_memcpy"])
        return columns
    columns["of\npeak"] = share_of_peak
    if peers is not None:
        columns["Gop/s"] = lambda cell: f"{cell['flops'] / cell['seconds']['vekt'] * 1e-9:.3g}"
    if cells[0]["one_thread_seconds"] is not None:
        columns["over 1\nthread"] = lambda cell: times(
            cell["one_thread_seconds"] / cell["seconds"]["vekt"]
        )
    return columns


def _filled(title: str, cells: list[Cell], columns: dict[str, Callable[[Cell], str]]) -> Table:
    unit = "microseconds" if cells[0]["flops"] else "ns per element"
    result = table(f"{unit}: {title}", *columns)
    for cell in cells:
        result.add_row(*(of(cell) for of in columns.values()))
    result.columns[list(columns).index("fastest\npeer")].justify = "left"
    return result


def time_of(cell: Cell, who: str | None) -> str:
    """Return a competitor's time: microseconds of arithmetic, or nanoseconds per element."""
    if who not in cell["seconds"]:
        return ""
    seconds = float(cell["seconds"][who])
    if not cell["flops"]:
        ns = seconds * 1e9 / cell["elements"]
        return f"{ns:.3f}" if ns < 1000 else f"{ns:,.0f}"
    return f"{seconds * 1e6:,.0f}" if seconds >= 1e-3 else f"{seconds * 1e6:.3g}"


def share_of_peak(cell: Cell) -> str:
    """Return the share of the processor's peak, or that the peak was not measured well."""
    share = cell["of_peak"]
    return "" if share is None else "fault" if share > 1 else f"{share:.0%}"


def interval_of(cell: Cell) -> str:
    """Return the interval of the ratio, if there is one."""
    return "-".join(times(bound)[:-1] for bound in cell["interval"] or ())


def _colored(cell: Cell, text: str) -> str:
    color = _COLORS[cell["verdict"]]
    return f"[{color}]{text}[/]" if color else text


def _ratio(cell: Cell) -> str:
    ratio = cell["over_fastest"]
    return "" if ratio is None else _colored(cell, times(ratio))


def behind_table(cells: list[Cell]) -> Table:
    """Show the cells in which vekt is behind, the worst first."""
    result = table("Behind", "operation", "operands", "dtype", "peer", "over\nvekt", "interval")
    for cell in sorted(cells, key=lambda cell: float(cell["over_fastest"])):
        ratio, interval = times(cell["over_fastest"]), interval_of(cell)
        where = [cell["label"], cell["operands"], cell["dtype"], cell["fastest_peer"]]
        result.add_row(*where, ratio, interval)
    for column in (1, 2, 3):
        result.columns[column].justify = "left"
    result.columns[1].no_wrap = False
    return result


def calls_table(title: str, calls: list[Cell]) -> Table:
    """Show what a call costs beside NumPy's np.exp."""
    result = table(title, "call", "ns", "over np.exp")
    for row in calls:
        result.add_row(row["call"], f"{row['seconds'] * 1e9:.0f}", f"{row['over_exp']:.2f}")
    return result


def reports_table(reports: list[dict[str, Any]]) -> Table:
    """Show several reports side by side: vekt's time, its ratio and verdict, one column each."""
    names = [report["file"] for report in reports]
    found = [{key(cell): cell for cell in report["cells"]} for report in reports]
    result = table("vekt's time, the fastest peer's over it, and the verdict", "cell", *names)
    for column in result.columns[1:]:
        column.no_wrap, column.overflow = False, "fold"
    for where in dict.fromkeys(where for cells in found for where in cells):
        operands, dtype, label = where
        entries = []
        for cells in found:
            cell = cells.get(where)
            if cell is None:
                entries.append("")
                continue
            unit = "us" if cell["flops"] else "ns"
            verdict = _colored(cell, cell["verdict"] or "")
            entries.append(f"{time_of(cell, 'vekt')} {unit} {_ratio(cell)} {verdict}".strip())
        result.add_row(f"{label}, {operands}, {dtype}", *entries)
    return result


def agreement_table(reports: list[dict[str, Any]]) -> Table:
    """Show how many verdicts of each kind reports have, and which ones contradict the first's."""
    result = table("Verdicts", "report", *VERDICTS, "same as\nthe first", "opposite")
    first = {key(cell): cell["verdict"] for cell in reports[0]["cells"]}
    for report in reports:
        verdicts = [(first.get(key(cell)), cell["verdict"]) for cell in report["cells"]]
        same = sum(a == b for a, b in verdicts)
        opposite = sum({a, b} == {AHEAD, BEHIND} for a, b in verdicts)
        counts = [str(number) for number in counted(report["cells"]).values()]
        result.add_row(report["file"], *counts, str(same), str(opposite))
    return result
