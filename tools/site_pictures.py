"""Pictures that the build of the site makes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from gallery_pictures import FILES, save
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import vekt as vk
from vekt.cli.style import STYLE

LINALG = Path(__file__).parents[1] / "docs" / "linalg.md"
_OURS, _OTHERS, _INK = "#0b6e99", "#a9b4c0", "#22262e"


def draw(folder: Path) -> None:
    """Draw all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with rc_context({**STYLE, **FILES}):
        for name, drawn in (("exp", _exp), ("roofline", _roofline)):
            figure = Figure(figsize=(7.2, 3.8), layout="constrained", facecolor="white")
            drawn(figure.subplots())
            save(figure, folder / f"{name}.svg")


# ---- errors of exp, with and without what the rounded table has lost


def _exp(ax: Axes) -> None:
    x = np.linspace(-0.75, 0.75, 1500).astype(np.float32)
    true = np.exp(x.astype(np.float64))
    ax.scatter(x, _errors(_without_second_word(x), true), 5, color=_OTHERS, label="one table")
    ax.scatter(x, _errors(vk.exp(x), true), 5, color=_OURS, label="vk.exp")
    ax.axhline(0.5, color=_INK, linewidth=0.8, linestyle="--")
    ax.axhline(-0.5, color=_INK, linewidth=0.8, linestyle="--")
    ax.set(xlabel="x", ylabel="error in ULP", ylim=(-2, 2))
    ax.legend(loc="upper right", markerscale=2.5, ncols=2)


def _errors(y: np.ndarray, true: np.ndarray) -> np.ndarray:
    return (y - true) / np.spacing(true.astype(np.float32)).astype(np.float64)


def _without_second_word(x: np.ndarray) -> np.ndarray:
    """Compute e^x by head * (1 + r + c r^2), each step in float32."""
    n = np.rint(x.astype(np.float64) * 16 / np.log(2))
    r = (x - n * np.log(2) / 16).astype(np.float32)
    power = n.astype(int)
    head = (2.0 ** (np.arange(16) / 16)).astype(np.float32)[power % 16]
    rest = r + r * r * (np.float32(0.5) + r * (np.float32(1 / 6) + r * np.float32(1 / 24)))
    return np.ldexp(head * (np.float32(1) + rest), power // 16)


# ---- the roofline of products, from the table of the guide

# What relu, eight bytes for an element, takes of 10,000,000 and of 100,000 float32 elements: the
# tables of benchmarks have 0.41 and 0.12 ns.
_SLOPES = {"memory": 8 / 0.41, "second-level cache": 8 / 0.12}
_ROW = re.compile(r"^\| (\d+) x (\d+) x (\d+) \| ([\d.]+) (us|ms) \|", re.M)
_PEAK = re.compile(r"probe puts at (\d+) Gop/s in float32")


def products() -> list[tuple[str, float, float]]:
    """Return name, operations for each byte and Gop/s of the products that the guide has."""
    found = []
    for *sizes, time, unit in _ROW.findall(LINALG.read_text("utf-8")):
        m, k, n = map(int, sizes)
        seconds = float(time) * {"us": 1e-6, "ms": 1e-3}[unit]
        moved = 4 * (m * k + k * n + m * n)
        found.append((f"{m} x {k} x {n}", 2 * m * k * n / moved, 2e-9 * m * k * n / seconds))
    return found


def peak() -> float:
    """Return the peak that the guide tells, in Gop/s."""
    found = _PEAK.search(LINALG.read_text("utf-8"))
    if not found:
        raise ValueError("docs/linalg.md tells no peak")
    return float(found[1])


def _roofline(ax: Axes) -> None:
    most, x = peak(), np.geomspace(0.06, 1500, 200)
    for (name, slope), style in zip(_SLOPES.items(), ("-", "--"), strict=True):
        ax.plot(x, np.minimum(slope * x, most), style, color=_INK, linewidth=1.2)
        text = f"{name}: {slope:.0f} GB/s"
        ax.annotate(text, (0.075, slope * 0.075 * 1.3), rotation=41, size=8, rotation_mode="anchor")
    ax.annotate(f"peak of multiply-adds: {most:.0f} Gop/s", (60, most * 1.1), size=8)
    rows = products()[:10]
    ax.scatter([row[1] for row in rows], [row[2] for row in rows], 26, color=_OURS, zorder=3)
    for name, intensity, speed in rows:
        if name in _NAMED:
            dx, dy, side = _NAMED[name]
            ax.annotate(
                name, (intensity, speed), (dx, dy), textcoords="offset points", size=7.5,
                color=_OURS, ha=side,
            )  # fmt: skip
    ax.set(
        xscale="log", yscale="log", xlim=(0.06, 1500), ylim=(1, 260),
        xlabel="operations for each byte", ylabel="Gop/s",
    )  # fmt: skip


_NAMED = {
    "8 x 8 x 8": (6, -3, "left"),
    "32 x 32 x 32": (6, -8, "left"),
    "1 x 1024 x 1024": (6, -8, "left"),
    "64 x 1024 x 1024": (0, -13, "center"),
    "2048 x 2048 x 2048": (0, -13, "center"),
}
