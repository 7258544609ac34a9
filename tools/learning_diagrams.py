"""The diagrams of docs/learn: arrows, tables of cells, units and graphs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Circle, FancyBboxPatch, Rectangle

INK, MUTED, BLUE, ORANGE = "#22262e", "#7b8494", "#0b6e99", "#d1603d"
GREEN, RED = "#2e9e5b", "#d1403d"
SHADES = {BLUE: "#d5e8f0", ORANGE: "#f8e0d8", MUTED: "#eceff3"}


def _blank(figure: Figure, width: float, height: float) -> Axes:
    """Return axes without a frame, with as many units as told."""
    ax = figure.subplots()
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    return ax


def _plane(ax: Axes, low: float, high: float, bottom: float, top: float) -> None:
    ax.set_xlim(low, high)
    ax.set_ylim(bottom, top)
    ax.set_aspect("equal")
    ax.set_xticks(np.arange(np.ceil(low), high + 0.1))
    ax.set_yticks(np.arange(np.ceil(bottom), top + 0.1))
    ax.tick_params(length=0)


def _arrow(ax: Axes, start: Any, end: Any, color: str = MUTED, width: float = 1.2) -> None:
    style = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=style)


def _text(ax: Axes, x: float, y: float, text: str, color: str = INK, **more: Any) -> None:
    ax.text(x, y, text, color=color, **({"ha": "center", "va": "center"} | more))


def _cells(
    ax: Axes, x: float, y: float, rows: Sequence[Sequence[Any]], colors: Any, side: float = 0.8
) -> None:
    """Draw a table of cells whose upper left corner is (x, y); colors is one, or one for each."""
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            color = colors if isinstance(colors, str) else colors[i][j]
            corner = (x + j * side, y - (i + 1) * side)
            ax.add_patch(
                Rectangle(corner, side, side, facecolor=SHADES[color], edgecolor="white", lw=2)
            )
            _text(ax, corner[0] + side / 2, corner[1] + side / 2, str(value))


def _circle(
    ax: Axes, x: float, y: float, text: str, color: str = BLUE, radius: float = 0.4
) -> None:
    ax.add_patch(
        Circle((x, y), radius, facecolor=SHADES[color], edgecolor=color, linewidth=1.2, zorder=3)
    )
    _text(ax, x, y, text, zorder=4)


def vectors(figure: Figure) -> None:
    """Draw two arrows and their sum; an arrow, longer and turned."""
    left, right = figure.subplots(1, 2)
    _plane(left, -0.5, 4, -0.5, 3.5)
    _arrow(left, (0, 0), (2, 1), BLUE, 2)
    _arrow(left, (2, 1), (3, 3), ORANGE, 2)
    _arrow(left, (0, 0), (1, 2), ORANGE, 1)
    _arrow(left, (0, 0), (3, 3), INK, 2)
    for x, y, text, color in (
        (1.2, 0.3, "a", BLUE),
        (2.75, 1.8, "b", ORANGE),
        (0.3, 1.2, "b", ORANGE),
        (1.6, 2.05, "a + b", INK),
    ):
        _text(left, x, y, text, color, weight="bold")
    _plane(right, -3, 4, -2, 2.5)
    _arrow(right, (0, 0), (3, 1.5), ORANGE, 2)
    _arrow(right, (0, 0), (2, 1), BLUE, 2)
    _arrow(right, (0, 0), (-2, -1), MUTED, 2)
    for x, y, text, color in (
        (1.2, 0.15, "a", BLUE),
        (3.2, 1.95, "1.5 a", ORANGE),
        (-1.3, -0.15, "-a", MUTED),
    ):
        _text(right, x, y, text, color, weight="bold")


def angle(figure: Figure) -> None:
    """Draw the angle between two arrows, and the projection of one on the other."""
    ax = figure.subplots()
    _plane(ax, -0.5, 5, -0.5, 3.5)
    a, b = np.array([4.0, 1.0]), np.array([2.0, 3.0])
    shadow = (a @ b) / (a @ a) * a
    ax.plot(*np.stack([b, shadow]).T, color=MUTED, linestyle=":", linewidth=1.2)
    _arrow(ax, (0, 0), a, BLUE, 2)
    _arrow(ax, (0, 0), b, ORANGE, 2)
    ax.plot(*np.stack([0 * a, shadow]).T, color=ORANGE, linewidth=7, alpha=0.35)
    begin, end = (float(np.degrees(np.arctan2(v[1], v[0]))) for v in (a, b))
    ax.add_patch(Arc((0, 0), 1.8, 1.8, theta1=begin, theta2=end, color=INK, linewidth=1.2))
    _text(ax, 1.0, 0.75, "θ")
    _text(ax, 3.7, 0.6, "a", BLUE, weight="bold")
    _text(ax, 1.2, 2.2, "b", ORANGE, weight="bold")
    _text(ax, 1.7, 0.1, "shadow of b", ORANGE)


def transpose(figure: Figure) -> None:
    """Draw rows that become columns."""
    ax = _blank(figure, 7.2, 3.1)
    _cells(ax, 0.2, 2.3, [[1, 2, 3], [4, 5, 6]], [[BLUE] * 3, [ORANGE] * 3])
    _arrow(ax, (2.9, 1.5), (4.1, 1.5))
    _cells(ax, 4.5, 2.7, [[1, 4], [2, 5], [3, 6]], [[BLUE, ORANGE]] * 3)
    _text(ax, 1.4, 0.0, "A, shape (2, 3)", MUTED)
    _text(ax, 5.3, 0.0, "Aᵀ, shape (3, 2)", MUTED)


def broadcasting(figure: Figure) -> None:
    """Draw a column and a row that are repeated, and added."""
    ax = _blank(figure, 14.5, 3.6)
    ghost = [[BLUE, *[MUTED] * 3]] * 3
    _cells(ax, 0, 3.2, [[n] * 4 for n in (0, 10, 20)], ghost)
    _text(ax, 4.0, 2.0, "+", size=14)
    _cells(ax, 4.8, 3.2, [[1, 2, 3, 4]] * 3, [[ORANGE] * 4, [MUTED] * 4, [MUTED] * 4])
    _text(ax, 8.8, 2.0, "=", size=14)
    total = [[n + k for k in (1, 2, 3, 4)] for n in (0, 10, 20)]
    _cells(ax, 9.6, 3.2, total, BLUE)
    for x, text in ((1.6, "(3, 1)"), (6.4, "(1, 4)"), (11.2, "(3, 4)")):
        _text(ax, x, 0.4, text, MUTED)


def products(figure: Figure) -> None:
    """Draw a row times a column, which is one element of the product."""
    ax = _blank(figure, 12, 3.6)
    _cells(ax, 0.2, 2.8, [[1, 2, 3], [4, 5, 6]], [[MUTED] * 3, [BLUE] * 3])
    _text(ax, 3.1, 2.0, "\N{MULTIPLICATION SIGN}", size=14)
    _cells(ax, 3.6, 3.2, [[1, 0], [2, 1], [0, 3]], [[MUTED, ORANGE]] * 3)
    _text(ax, 5.75, 2.0, "=", size=14)
    _cells(ax, 6.3, 2.8, [[5, 11], [14, 23]], [[MUTED, MUTED], [MUTED, BLUE]])
    _text(ax, 10.1, 2.0, "4 · 0 + 5 · 1 + 6 · 3 = 23", BLUE)
    for x, text in ((1.4, "(2, 3)"), (4.4, "(3, 2)"), (7.1, "(2, 2)")):
        _text(ax, x, 0.4, text, MUTED)


def tensors(figure: Figure) -> None:
    """Draw a scalar, and more axes up to four."""
    ax = _blank(figure, 16, 3.6)
    _cells(ax, 0.6, 2.4, [[""]], BLUE)
    _cells(ax, 2.4, 3.0, [[""]] * 3, BLUE, 0.6)
    _cells(ax, 4.2, 3.0, [[""] * 3] * 3, BLUE, 0.6)
    _cube(ax, 7.2, 2.6)
    for i in range(3):
        _cube(ax, 10.6 + 1.9 * i, 2.3, 0.4)
    for x, text in (
        (1.0, "scalar\n()"),
        (2.7, "vector\n(3,)"),
        (5.1, "matrix\n(3, 3)"),
        (8.4, "cube\n(3, 3, 3)"),
        (13.2, "three cubes\n(3, 3, 3, 3)"),
    ):
        _text(ax, x, 0.3, text, MUTED)


def _cube(ax: Axes, x: float, y: float, side: float = 0.6) -> None:
    """Draw three matrices, one behind the other."""
    for depth in (2, 1, 0):
        shift = depth * side / 2
        _cells(ax, x + shift, y + shift, [[""] * 3] * 3, BLUE, side)


def perceptron(figure: Figure) -> None:
    """Draw inputs times weights, added up, and a step."""
    ax = _blank(figure, 11, 4)
    for i, y in enumerate((3.4, 2.0, 0.6), 1):
        _circle(ax, 0.6, y, f"x{i}", MUTED)
        _arrow(ax, (1.05, y), (4.0, 2.0 + (y - 2.0) * 0.12), BLUE)
        _text(ax, 2.3, y + (2.0 - y) * 0.42 + 0.25, f"w{i}", BLUE, weight="bold")
    _circle(ax, 4.6, 2.0, "Σ + b", BLUE, 0.6)
    _arrow(ax, (5.25, 2.0), (6.7, 2.0))
    _text(ax, 5.95, 2.3, "z")
    box = FancyBboxPatch((6.8, 1.4), 1.3, 1.2, "round,pad=0.02", fc=SHADES[ORANGE], ec=ORANGE)
    ax.add_patch(box)
    ax.plot([6.95, 7.45, 7.45, 7.95], [1.65, 1.65, 2.35, 2.35], color=ORANGE, linewidth=2)
    _arrow(ax, (8.2, 2.0), (9.6, 2.0))
    _text(ax, 8.9, 2.3, "a")
    _text(ax, 10.2, 2.0, "0 or 1")
    _text(ax, 7.45, 1.05, "step", MUTED)


def xor(figure: Figure) -> None:
    """Draw or with its line, and exclusive or, which has none."""
    X = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
    for ax, name, Y, offsets in zip(
        figure.subplots(1, 2),
        ("or: one line", "exclusive or: no line"),
        ([0, 1, 1, 1], [0, 1, 1, 0]),
        ((0.5,), ()),
        strict=True,
    ):
        _plane(ax, -0.5, 1.5, -0.5, 1.5)
        for x, y in zip(X.T, Y, strict=True):
            ax.plot(*x, "o", color=GREEN if y else RED, markersize=15)
            _text(ax, *x, "yes" if y else "no", "white", size=6)
        for offset in offsets:
            ax.plot([-0.5, 1.0], [offset + 0.5, offset - 1.0], color=BLUE, linewidth=1.6)
        ax.set_title(name)


def graph(figure: Figure) -> None:
    """Draw the graph of J = 3 (a + b c), values above and derivatives below."""
    ax = _blank(figure, 13, 5)
    for x, y, name in ((0.5, 4.4, "a"), (0.5, 2.9, "b"), (0.5, 0.6, "c")):
        _circle(ax, x, y, name, MUTED)
    for x, y, text in ((4.3, 1.75, "u = b c"), (7.6, 3.0, "v = a + u"), (10.9, 3.0, "J = 3 v")):
        box = FancyBboxPatch((x - 0.85, y - 0.4), 1.7, 0.8, "round,pad=0.05", fc=SHADES[BLUE])
        box.set_edgecolor(BLUE)
        ax.add_patch(box)
        _text(ax, x, y, text)
    for start, end, value, slope in (
        ((0.95, 4.35), (6.65, 3.2), "5", "3"),
        ((0.95, 2.8), (3.35, 2.0), "3", "6"),
        ((0.95, 0.7), (3.35, 1.5), "2", "9"),
        ((5.25, 1.85), (6.65, 2.75), "6", "3"),
        ((8.55, 3.0), (9.95, 3.0), "11", "3"),
        ((11.85, 3.0), (12.7, 3.0), "33", "1"),
    ):
        _arrow(ax, start, end)
        (x, y), falls = (np.array(start) + end) / 2, np.sign(start[1] - end[1])
        _text(ax, x + 0.12 * falls, y + 0.36, value, BLUE, weight="bold")
        _text(ax, x - 0.12 * falls, y - 0.36, slope, ORANGE, weight="bold")
    _text(ax, 9.6, 1.2, "value", BLUE, ha="left", weight="bold")
    _text(ax, 9.6, 0.6, "derivative of J", ORANGE, ha="left", weight="bold")


def two_layers(figure: Figure) -> None:
    """Draw two inputs, four hidden units, one output."""
    ax = _blank(figure, 10, 5.6)
    layers = ((1.0, (3.9, 2.3)), (4.6, (5.0, 3.7, 2.4, 1.1)), (8.2, (3.1,)))
    for (x, left), (right, ys) in pairwise(layers):
        for y in left:
            for other in ys:
                ax.plot([x, right], [y, other], color=MUTED, linewidth=0.7, zorder=1)
    for name, color, (x, ys) in zip("xaa", (MUTED, BLUE, ORANGE), layers, strict=True):
        for i, y in enumerate(ys, 1):
            _circle(ax, x, y, name if len(ys) == 1 else f"{name}{i}", color)
    for x, text in (
        (1.0, "X (2, m)"),
        (2.8, "W[1] (4, 2)"),
        (4.6, "A[1] (4, m)"),
        (6.4, "W[2] (1, 4)"),
        (8.2, "A[2] (1, m)"),
    ):
        _text(ax, x, 0.2, text, INK if text[0] == "W" else MUTED, size=8)


DIAGRAMS = {
    "vectors": ((7, 2.7), vectors),
    "angle": ((4.6, 3), angle),
    "transpose": ((4.6, 2), transpose),
    "broadcasting": ((7, 2.2), broadcasting),
    "products": ((6.4, 2.4), products),
    "tensors": ((7, 1.9), tensors),
    "perceptron": ((6.4, 2.3), perceptron),
    "xor": ((5.6, 2.6), xor),
    "graph": ((7, 2.6), graph),
    "two_layers": ((5.6, 3), two_layers),
}
