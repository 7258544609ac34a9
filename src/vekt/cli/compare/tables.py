"""How `vekt compare` shows its cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from vekt.cli.screen import table, times

Cell = dict[str, Any]


def grouped(cells: list[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    """Cells that share a table, and its title."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(f"{cell['operands']}, {cell['dtype']}", []).append(cell)
    yield from groups.items()


def cells_table(title: str, cells: list[Cell], peers: list[str]) -> Table:
    """Show cells of one kind: bound by memory, or by arithmetic."""
    present = [peer for peer in peers if any(peer in cell["seconds"] for cell in cells)]
    return (_arithmetic_table if cells[0]["flops"] else _memory_table)(title, cells, present)


def _memory_table(title: str, cells: list[Cell], peers: list[str]) -> Table:
    title = f"ns per element: {title}"
    result = table(
        title, "operation", "vekt", *peers, "fastest peer\nover vekt", "", "vekt over\nmemcpy"
    )
    for cell in cells:
        ns = {peer: f"{s * 1e9 / cell['elements']:.3f}" for peer, s in cell["seconds"].items()}
        result.add_row(*_compared(cell, ns, peers), times(cell["over_memcpy"]))
    result.columns[-2].justify = "left"
    return result


def _arithmetic_table(title: str, cells: list[Cell], peers: list[str]) -> Table:
    columns = [
        "epoch" if cells[0]["op"] == "epoch" else "m x k x n",
        "vekt",
        *peers,
        "fastest peer\nover vekt",
        "",
        "Gop/s",
        "of peak",
    ]
    several = cells[0]["one_thread_seconds"] is not None
    if several:
        columns.append("over one\nthread")
    result = table(f"microseconds: {title}", *columns)
    for cell in cells:
        ours = cell["seconds"]["vekt"]
        of_peak = cell["of_peak"]
        line = [
            *_compared(cell, {p: _microseconds(s) for p, s in cell["seconds"].items()}, peers),
            f"{cell['flops'] / ours * 1e-9:.3g}",
            "" if of_peak is None else f"{of_peak:.0%}",
        ]
        if several:
            line.append(times(cell["one_thread_seconds"] / ours))
        result.add_row(*line)
    result.columns[len(peers) + 3].justify = "left"
    return result


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}" if seconds >= 1e-3 else f"{seconds * 1e6:.3g}"


def _compared(cell: Cell, shown: dict[str, str], peers: list[str]) -> list[str]:
    ratio = cell["over_fastest"]
    return [
        cell["label"],
        f"[bold]{shown['vekt']}[/]",
        *(shown.get(peer, "") for peer in peers),
        "" if ratio is None else f"[{'green' if ratio >= 1 else 'red'}]{times(ratio)}[/]",
        cell["fastest_peer"] or "",
    ]


def slower_table(cells: list[Cell]) -> Table:
    """Show the cells in which a peer was faster, the worst first."""
    result = table("Slower cells", "operation", "operands", "dtype", "vekt", "peer", "", "ratio")
    for cell in sorted(cells, key=lambda cell: float(cell["over_fastest"])):
        peer = cell["fastest_peer"]
        ours, theirs = (
            _microseconds(cell["seconds"][key]) + " us"
            if cell["flops"]
            else f"{cell['seconds'][key] * 1e9 / cell['elements']:.3f}"
            for key in ("vekt", peer)
        )
        ratio = times(cell["over_fastest"])
        result.add_row(cell["label"], cell["operands"], cell["dtype"], ours, theirs, peer, ratio)
    for column in (1, 2, 5):
        result.columns[column].justify = "left"
    return result


def calls_table(title: str, calls: list[Cell]) -> Table:
    """Show what a call costs beside NumPy's np.exp."""
    result = table(title, "call", "ns", "over np.exp")
    for row in calls:
        result.add_row(row["call"], f"{row['seconds'] * 1e9:.0f}", f"{row['over_exp']:.2f}")
    return result
