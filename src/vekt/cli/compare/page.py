"""The report of `vekt compare --html`: one file with its pictures in it, read without a network."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from vekt.cli.compare.tables import grouped, interval_of, share_of_peak, time_of
from vekt.cli.compare.verdicts import AHEAD, BEHIND, EVEN, counted
from vekt.cli.machine import described
from vekt.cli.screen import times
from vekt.cli.style import STYLE

_COLORS = {AHEAD: "#3c8d5a", EVEN: "#8a7a2e", BEHIND: "#b3402a"}
_CSS = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22262e; margin: 2em auto; padding: 0 1em;
       max-width: 70em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: .15em .6em; text-align: right; border-bottom: 1px solid #e6e9ee;
         white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
""" + "".join(f".{verdict} {{ color: {color}; }}\n" for verdict, color in _COLORS.items())


def page(reports: list[dict[str, Any]]) -> str:
    """Return the page of one or more reports."""
    parts = [_report(report) for report in reports]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>vekt compare</title><style>{_CSS}</style></head>"
        f"<body><h1>vekt beside its peers</h1>{''.join(parts)}</body></html>\n"
    )


def _report(report: dict[str, Any]) -> str:
    config, cells = report["config"], report["cells"]
    threads = f"{report['threads']} thread{'s' if report['threads'] > 1 else ''}"
    lines = [f"vekt {config['version']}, {config['isa']}, {threads}"]
    lines += described(report["machine"])
    loads = [load for load in report["load"].values() if load is not None]
    lines += ["Load before and after: " + ", ".join(f"{load:.2f}" for load in loads)] * bool(loads)
    lines += report["warnings"]
    counts = ", ".join(
        f'<span class="{verdict}">{verdict} {number}</span>'
        for verdict, number in counted(cells).items()
    )
    head = "<br/>".join(map(escape, lines))
    parts = [f"<h2>{escape(report.get('file', 'This run'))}</h2><p>{head}</p><p>{counts}.</p>"]
    if not report["complete"]:
        parts.append("<p>This run was interrupted: what follows is not all.</p>")
    behind = [cell for cell in cells if cell["verdict"] == BEHIND]
    if behind:
        behind.sort(key=lambda cell: float(cell["over_fastest"]))
        rows = [[c["label"], c["operands"], c["dtype"], c["fastest_peer"]] for c in behind]
        parts.append("<h3>Behind</h3>")
        headings = ["operation", "operands", "dtype", "fastest peer"]
        parts.append(_table(headings, rows, behind))
    for title, shown in grouped(cells):
        peers = [p for p in report["peers"] if any(p in c["seconds"] for c in shown)]
        unit = "microseconds" if shown[0]["flops"] else "ns per element"
        limit = "of peak" if shown[0]["flops"] else "over memcpy"
        rows = [
            [
                cell["label"],
                share_of_peak(cell) if cell["flops"] else times(cell["over_memcpy"]),
                *(time_of(cell, who) for who in ["vekt", *peers]),
                cell["fastest_peer"] or "",
            ]
            for cell in shown
        ]
        headings = ["operation", limit, "vekt", *peers, "fastest peer"]
        parts.append(f"<h3>{escape(title)}, {unit}</h3>{_picture(shown)}")
        parts.append(_table(headings, rows, shown))
    return "".join(parts)


def _table(headings: list[str], rows: list[list[str]], cells: list[dict[str, Any]]) -> str:
    lines = ["".join(f"<th>{escape(name)}</th>" for name in [*headings, "over vekt", "interval"])]
    for row, cell in zip(rows, cells, strict=True):
        verdict = cell["verdict"] or ""
        ratio = "" if cell["over_fastest"] is None else f"{times(cell['over_fastest'])} {verdict}"
        line = "".join(f"<td>{escape(text)}</td>" for text in row)
        lines.append(f'{line}<td class="{verdict}">{ratio}</td><td>{interval_of(cell)}</td>')
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table>{body}</table></div>'


def _picture(cells: list[dict[str, Any]]) -> str:
    """Draw the ratios to the fastest peer with their intervals, right of 1 where vekt is ahead."""
    shown = [cell for cell in cells if cell["over_fastest"] is not None][::-1]
    if not shown:
        return ""
    with rc_context({**STYLE, "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 0.8 + 0.19 * len(shown)), layout="constrained")
        ax = figure.subplots()
        at = np.arange(len(shown))
        for y, cell in zip(at, shown, strict=True):
            color, ratio = _COLORS[cell["verdict"]], cell["over_fastest"]
            ax.plot(cell["interval"] or [ratio, ratio], [y, y], color=color, linewidth=2)
            ax.plot(ratio, y, "o", color=color, markersize=4)
        ax.axvline(1, color=STYLE["text.color"], linewidth=0.8)
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:g}x")
        ax.set_yticks(at, [cell["label"] for cell in shown], fontsize=8)
        ax.set_ylim(-0.7, len(shown) - 0.3)
        ax.set_xlabel("the fastest peer's time over vekt's")
        picture = BytesIO()
        figure.savefig(picture, format="svg")
    source = b64encode(picture.getvalue()).decode("ascii")
    return f'<img alt="Ratios of the times" src="data:image/svg+xml;base64,{source}"/>'
