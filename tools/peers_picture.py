"""The picture of README.md: how many times as long other libraries take.

    python tools/peers_picture.py docs/peers.svg

runs ``vekt compare`` with every peer that is installed, one thread each, a minute or two, and
prints what it draws.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gallery_pictures import FILES, save
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from vekt.cli.style import STYLE

# Arguments of `vekt compare`, and of its cells the operation, a part of the label, and a title.
RUNS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "--op gelu,softmax,softmax_cross_entropy --sizes 100000 --shapes 4096x1000",
        [
            ("gelu", "", "gelu of 100,000 numbers"),
            ("softmax", "axis -1", "softmax of 4,096 x 1,000"),
            (
                "softmax_cross_entropy_value_and_grad",
                "",
                "cross entropy and gradient, 4,096 x 1,000",
            ),
        ],
    ),
    (
        "--op dense --shapes 256x256x256",
        [("dense_gelu", "", "gelu(x @ w + b), 256 x 256 x 256")],
    ),
    (
        "--op fuse,fuse_gradient,fuse_normalise --sizes 1000000",
        [
            ("fuse_where", "", "where(a > b, a, exp(b)), a million"),
            ("fuse_normalise", "", "(pixels/255 - mean)/deviation, 8 pictures"),
            ("fuse_gradient", "", "gradient of sum(mish(x*w + b)*m), 4,096 x 1,024"),
        ],
    ),
    ("--op mean --sizes 1000", [("mean", "750 x 750 x 3", "mean of each colour of a picture")]),
]
NAMES = {
    "numpy": "NumPy",
    "scipy": "SciPy",
    "numexpr": "NumExpr",
    "torch": "torch",
    "jax": "JAX",
    "autograd": "autograd",
}
_INK = "#7b8494"
_COLORS = ["#0b6e99", "#5bb4d8", "#3c8d5a", "#d1603d", "#8a6fb0", "#b08f26"]

Row = tuple[str, float, dict[str, float]]


def measured() -> tuple[list[Row], dict[str, Any]]:
    """Return titles with vekt's seconds and the peers' over them, and vekt's configuration."""
    rows: list[Row] = []
    config: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        for arguments, wanted in RUNS:
            command = [sys.executable, "-m", "vekt", "compare", *arguments.split()]
            options = ["--dtype", "float32", "--processor-time", "--json", str(report)]
            subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
            found = json.loads(report.read_text("utf-8"))
            config = found["config"]
            for op, part, title in wanted:
                (cell,) = [c for c in found["cells"] if c["op"] == op and part in c["label"]]
                ours = cell["seconds"].pop("vekt")
                times = {peer: seconds / ours for peer, seconds in cell["seconds"].items()}
                rows.append((title, ours, {p: times[p] for p in NAMES if p in times}))
    return sorted(rows, key=lambda row: min(row[2].values())), config


def draw(ax: Axes, rows: list[Row]) -> None:
    """Draw a line for each row, and on it a mark for each peer."""
    for y, (_, _, times) in enumerate(rows):
        ax.plot([1, max(times.values())], [y, y], color="#dde1e6", linewidth=1.2, zorder=1)
    for (peer, name), color in zip(NAMES.items(), _COLORS, strict=True):
        points = [(times[peer], y) for y, (_, _, times) in enumerate(rows) if peer in times]
        if points:
            ax.scatter(*zip(*points, strict=True), s=34, color=color, label=name, zorder=3)
    ax.axvline(1, color="#1f2933", linewidth=1.4, zorder=2)
    ax.annotate(
        "vekt", (1, len(rows) - 0.45), ha="center", va="bottom", fontsize=9, fontweight="bold"
    )
    ax.set_yticks(range(len(rows)), [title for title, _, _ in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}x"))
    ax.tick_params(labelsize=9, length=0)
    ax.grid(axis="x", color="#eef0f3")
    ax.set_xlabel("times as long as vekt", fontsize=9, color=_INK)
    for side in ("left", "right", "top"):
        ax.spines[side].set_visible(False)


def main() -> None:
    """Measure, draw and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file", type=Path, help="of the picture")
    options = parser.parse_args()
    rows, config = measured()
    with rc_context({**STYLE, **FILES}):
        figure = Figure(figsize=(8.2, 3.6), layout="constrained", facecolor="white")
        draw(figure.subplots(), rows)
        figure.legend(loc="outside upper right", ncols=len(NAMES), fontsize=9, handletextpad=0.1)
        save(figure, options.file)
    print(f"vekt {config['version']} on {config['platform']}, {config['isa']}, one thread")
    for title, ours, times in rows[::-1]:
        beside = ", ".join(f"{NAMES[peer]} {ratio:.1f}x" for peer, ratio in times.items())
        print(f"{title}: {ours * 1e6:,.0f} us; {beside}")


if __name__ == "__main__":
    main()
