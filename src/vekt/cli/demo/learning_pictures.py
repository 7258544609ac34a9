"""Pictures of what networks learn: both boundaries of the points, and curves of costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from vekt.cli.demo.learning import TASKS, learn
from vekt.network import Network

_GREEN, _RED, _LINE = "#2e9e5b", "#d1403d", "#0b6e99"
_STEPS = 81  # of the grid on which a network is asked


def draw_boundaries(axes: Any) -> None:
    """Draw the green and red points twice: divided by a line, and by a network."""
    task = next(task for task in TASKS if task.name == "green and red points")
    learnt = learn(task)
    for ax, network, name in (
        (axes[0], learnt.linear, "logistic regression: a line"),
        (axes[1], learnt.network, "-".join(map(str, task.units)) + ": a curve"),
    ):
        draw_boundary(ax, network, learnt.data.X, learnt.data.Y)
        share = task.score(network, learnt.data)
        ax.set_title(f"{name}, {share:.0%} of held-out points right")


def draw_boundary(ax: Axes, network: Network, X: Any, Y: Any) -> None:
    """Draw points in green and red, and where the network says so."""
    side = np.linspace(-2, 2, _STEPS)
    grid = np.meshgrid(side, side)
    A = network.predict(np.reshape(grid, (2, -1))).reshape(_STEPS, _STEPS)
    ax.contourf(*grid, A, [0, 0.5, 1], colors=[_GREEN, _RED], alpha=0.15)
    ax.contour(*grid, A, [0.5], colors=[_LINE], linewidths=1.6)
    ax.grid(visible=False)
    ax.set_xticks([-2, -1, 0, 1, 2])
    ax.set_yticks([-2, -1, 0, 1, 2])
    for label, color in ((0, _GREEN), (1, _RED)):
        x, y = X[:, Y[0] == label]
        ax.plot(x, y, "o", color=color, markersize=3, markeredgewidth=0)
    ax.set_aspect("equal")


def draw_costs(axes: Any, results: list[dict[str, Any]]) -> None:
    """Draw the cost of each epoch, data by data; titles tell the last one."""
    for ax, row in zip(axes, results, strict=True):
        ax.plot(np.arange(1, len(row["costs"]) + 1), row["costs"], color=_LINE, linewidth=1.8)
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.set_title(f"{row['data']}\nlast cost {row['costs'][-1]:.3g}", size=9, weight="normal")
        ax.set_xlabel("epoch")
    axes[0].set_ylabel("cost J")
