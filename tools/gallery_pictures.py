"""The pictures of docs/gallery: small, alike, and the same files for the same functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import vekt as vk
from vekt.cli.cases import all_cases
from vekt.cli.demo.picture import draw_function
from vekt.cli.style import STYLE

FILES: Any = {
    # Text as text: a tenth of the size of outlines.
    "svg.fonttype": "none",
    "svg.hashsalt": "vekt",
    "font.family": "sans-serif",
    "path.simplify": True,
    "path.simplify_threshold": 0.1,
}
_INK, _COLORS = "#7b8494", ["#0b6e99", "#d1603d", "#8a6fb0", "#3c8d5a"]


def draw_all(folder: Path, row_ops: Iterable[Any], gate_ops: Iterable[Any]) -> None:
    """Draw every activation's kernels, every operation along an axis and every gate."""
    with rc_context({**STYLE, **FILES}):
        for case in all_cases():
            figure, ax = _axes()
            draw_function(ax, case)
            ax.legend(loc="best", fontsize=8, handlelength=1.2)
            save(figure, folder / f"{case.name}.svg")
        for op in row_ops:
            figure, ax = _axes()
            _draw_row(ax, op)
            save(figure, folder / f"{op.name}.svg")
        for op in gate_ops:
            figure, ax = _axes()
            _draw_gate(ax, op.name)
            save(figure, folder / f"{op.name}.svg")


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(3.6, 2.4), layout="constrained", facecolor="white")
    ax = figure.subplots()
    ax.tick_params(labelsize=8, length=0)
    return figure, ax


def save(figure: Figure, path: Path) -> None:
    """Write the file without the comments and the blanks that nobody reads."""
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<!--.*?-->", "", file.getvalue(), flags=re.DOTALL)
    lines = (line.strip() for line in text.splitlines())
    path.write_text("\n".join(filter(None, lines)) + "\n", encoding="utf-8")


def _draw_row(ax: Axes, op: Any) -> None:
    """Draw a row, and what becomes of it."""
    x = np.array([0.5, 1.0, 1.7, -0.5, 1.2])
    y = getattr(vk, op.name)(x)
    index = np.arange(x.size)
    ax.bar(index - 0.2, x, 0.36, color="#b9c4d0", label="x")
    if op.reduces:
        ax.axhline(float(y), color=_COLORS[0], linewidth=2, label=f"{op.name}(x) = {float(y):.3f}")
    else:
        ax.bar(index + 0.2, y, 0.36, color=_COLORS[0], label=f"{op.name}(x)")
        for i, value in enumerate(y):
            label: Any = {"ha": "center", "va": "bottom" if value >= 0 else "top", "size": 7}
            ax.annotate(f"{value:.2f}", (i + 0.2, value), color=_COLORS[0], **label)
        ax.margins(y=0.12)
    ax.axhline(0, color=_INK, linewidth=0.6)
    ax.set_xticks([])
    ax.legend(loc="best", fontsize=8, handlelength=1.2)


def _draw_gate(ax: Axes, name: str) -> None:
    """Draw what the gate lets through, for a few values of the other operand."""
    x = np.linspace(-5, 5, 201)
    if name == "prelu":
        curves = {f"alpha = {alpha}": vk.prelu(x, alpha) for alpha in (-0.25, 0.0, 0.25, 0.75)}
        ax.set_xlabel("x", size=8)
    elif name == "glu":
        halves = {a: np.stack([np.full_like(x, a), x], axis=-1) for a in (-1.0, 0.5, 1.0, 2.0)}
        curves = {f"a = {a:g}": vk.glu(both)[:, 0] for a, both in halves.items()}
        ax.set_xlabel("b", size=8)
    else:
        curves = {f"b = {b:g}": getattr(vk, name)(x, b) for b in (-1.0, 0.5, 1.0, 2.0)}
        ax.set_xlabel("a", size=8)
    for (label, y), color in zip(curves.items(), _COLORS, strict=True):
        ax.plot(x, y, color=color, linewidth=1.6, label=label)
    ax.axhline(0, color=_INK, linewidth=0.6, zorder=0)
    ax.legend(loc="best", fontsize=8, handlelength=1.2)
