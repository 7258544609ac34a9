"""The demo's picture: timings, cost curves, and the activations with their derivatives."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

import vekt as vk
from vekt.cli.cases import Case, all_cases
from vekt.cli.demo.learning_pictures import draw_boundaries, draw_costs
from vekt.cli.demo.page import page_label
from vekt.cli.style import INK, MUTED, STYLE

_OURS, _OTHERS, _NOTES, _CONTRAST = "#0b6e99", "#b9c4d0", "#e2c08d", "#d1603d"
_ACTIVATIONS_PER_ROW = 7


def draw(results: dict[str, Any], png_file: str) -> bool:
    """Draw what there is of the results: parts that were not run leave no gap.

    Returns whether there was anything to draw.

    Parameters
    ----------
    results : dict
        As `vekt demo --json` writes them.
    png_file : str
        Where to write the picture.
    """
    upper = [part for part in ("notes", "logistic") if part in results]
    cases = all_cases() if "kernels" in results else []
    gallery_rows = -(-len(cases) // _ACTIVATIONS_PER_ROW)
    learning = results.get("learning")
    heights = [5.2] * bool(upper) + [7.4] * bool(learning) + [2.5 * gallery_rows] * bool(cases)
    if not heights:
        return False
    with rc_context(STYLE):
        figure = Figure(figsize=(16, sum(heights) + 0.6), layout="constrained", facecolor="white")
        figure.suptitle(
            f"vekt {results['version']} on {results['config']['isa']}",
            x=0.01,
            ha="left",
            weight="bold",
            size=14,
        )
        grid = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)
        bands = list(grid[:, 0])
        if upper:
            axes = bands.pop(0).subplots(1, len(upper), squeeze=False)[0]
            for part, ax in zip(upper, axes, strict=True):
                {"notes": _draw_page, "logistic": _draw_costs}[part](ax, results[part])
        if learning:
            _draw_learning(bands.pop(0), learning)
        if cases:
            _draw_gallery(bands.pop(0), cases, gallery_rows)
        figure.savefig(png_file, dpi=110, format="png")
    return True


def _draw_learning(figure: SubFigure, learning: list[dict[str, Any]]) -> None:
    parts: Any = figure.subfigures(2, 1, height_ratios=[4.6, 2.8])
    above, below = parts
    draw_boundaries(above.subplots(1, 2))
    draw_costs(below.subplots(1, len(learning)), learning)


def _draw_page(ax: Axes, page: dict[str, Any]) -> None:
    """Horizontal bars on a log scale, slowest on top, the notes' own figures among them."""
    bars = [("the notes: loop", page["notes"]["loop"], _NOTES)]
    bars.append(("the notes: vectorised", page["notes"]["vectorised"], _NOTES))
    for row in page["rows"]:
        ours = row["form"].startswith("vekt")
        short = {"float64": "f64", "float32": "f32"}[row["dtype"]]
        color = _OURS if ours else _OTHERS
        bars.append((f"{page_label(row)}, {short}", row["seconds"], color))
    bars.sort(key=lambda bar: bar[1])
    labels, seconds, colors = zip(*bars, strict=True)
    milliseconds = np.array(seconds) * 1e3
    ax.barh(labels, milliseconds, color=colors, height=0.72)
    slowest = page["notes"]["loop"] * 1e3
    for y, value in enumerate(milliseconds):
        ax.annotate(
            f" {value:.3g} ms",
            (value, y),
            va="center",
            size=9,
            color=INK,
        )
    _log_axes(ax, "x")
    ax.set_xlim(milliseconds.min() / 2.5, slowest * 4)
    ax.set_title(f"z = w.x + b over {page['elements']:,} elements")
    ax.set_xlabel("milliseconds, log scale")
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0, labelcolor=INK, labelsize=9)


def _draw_costs(ax: Axes, logistic: dict[str, Any]) -> None:
    """Cost against time: the same curve, sooner."""
    styles = {"loop": (_CONTRAST, "loop over samples"), "vectorised": (_OURS, "vectorised")}
    for form, row in logistic["forms"].items():
        color, label = styles[form]
        costs = np.array(row["costs"])
        time = row["seconds"] * np.arange(1, len(costs) + 1) / len(costs) * 1e3
        ax.plot(time, costs, color=color, linewidth=2.2)
        ax.plot(time[-1], costs[-1], "o", color=color, markersize=5)
        ax.annotate(
            f"{label}\n{row['seconds'] * 1e3:,.4g} ms\n{row['accuracy']:.1%} of held-out right",
            (time[-1], costs[-1]),
            xytext=(4, -8),
            textcoords="offset points",
            ha="right",
            va="top",
            color=color,
            size=9,
        )
    _log_axes(ax, "xy")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(bottom=0.6 * min(row["costs"][-1] for row in logistic["forms"].values()))
    ax.set_title(
        f"Logistic regression, {logistic['steps']} steps: "
        f"the same costs, {logistic['over_loop']:,.0f} times sooner"
    )
    ax.set_xlabel("milliseconds since the start, log scale")
    ax.set_ylabel("cost J")


def _log_axes(ax: Axes, which: str) -> None:
    """Logarithmic axes whose labels are plain numbers."""
    for name in which:
        getattr(ax, f"set_{name}scale")("log")
        getattr(ax, f"{name}axis").set_major_formatter(FuncFormatter(lambda v, _: f"{v:,g}"))


def _draw_gallery(figure: SubFigure, cases: list[Case], rows: int) -> None:
    """One small picture for each kernel, with its derivative."""
    figure.suptitle("Activations and their derivatives", x=0.01, ha="left", weight="bold", size=11)
    columns = min(len(cases), _ACTIVATIONS_PER_ROW)
    grid = figure.subplots(rows, columns, squeeze=False)
    for ax, case in zip(grid.flat, cases, strict=False):
        draw_function(ax, case)
        ax.set_title(case.label, size=10, weight="normal")
        ax.tick_params(labelsize=8, length=0)
    for ax in grid.flat[len(cases) :]:
        ax.set_visible(False)
    grid.flat[0].legend(loc="upper left", fontsize=8)


def draw_function(ax: Axes, case: Case) -> None:
    """Draw a kernel and its derivative, with a point where a kink has chosen the gradient."""
    params = dict(zip(case.kernel.params, case.params, strict=True))
    kinks = [
        (_resolve(kink.at, params), _resolve(kink.gradient, params)) for kink in case.kernel.kinks
    ]
    bends = sorted(x for x, _ in kinks if math.isfinite(x))
    low, high = getattr(case.kernel, "domain", (-math.inf, math.inf))
    begin = max(low, min([-5.0, *(x - 2 for x in bends)]))
    end = min(high, max([5.0, *(x + 2 for x in bends)]))
    function = case.function(vk, "_value_and_grad")
    curves = []
    # One line from kink to kink: a jump is a gap, not a steep line.
    for left, right in pairwise([begin, *bends, end]):
        # Closer steps at the end of a domain, where there may be a pole.
        steps = np.linspace(1e-6, 1 - 1e-6, 401) ** (3 if left == low else 1)
        x = left + (right - left) * steps
        curves.append((x, *function(x)))
    for index, (x, value, gradient) in enumerate(curves):
        names = ("f(x)", "f'(x)") if index == 0 else ("", "")
        ax.plot(x, value, color=_OURS, linewidth=2, label=names[0])
        ax.plot(x, gradient, color=_CONTRAST, linewidth=1.4, zorder=3, label=names[1])
    if kinks:
        dots: Any = {"color": _CONTRAST, "markersize": 4, "zorder": 4}
        ax.plot(*zip(*kinks, strict=True), "o", **dots)
    ax.axhline(0, color=MUTED, linewidth=0.6, zorder=0)
    seen = np.concatenate([ys for _, *both in curves for ys in both])
    ax.set_xlim(begin if math.isinf(low) else begin - 0.3, end)
    ax.set_ylim(max(seen.min(), -4.0) - 0.3, min(seen.max(), max(5.0, end - 1)) + 0.3)


def _resolve(number: float | str, params: dict[str, float]) -> float:
    """Put a parameter in for its name, or for its name with a minus."""
    if not isinstance(number, str):
        return number
    return -params[number[1:]] if number.startswith("-") else params[number]
