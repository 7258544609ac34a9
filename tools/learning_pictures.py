"""The pictures of docs/learn: diagrams, and curves of what its pages compute."""

from __future__ import annotations

import doctest
import re
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from gallery_pictures import FILES, save
from learning_diagrams import BLUE, DIAGRAMS, GREEN, MUTED, ORANGE, RED
from matplotlib import rc_context
from matplotlib.figure import Figure

import vekt as vk
from vekt.cli.demo.learning_pictures import draw_boundary, draw_costs
from vekt.cli.style import STYLE

PAGES = Path(__file__).parents[1] / "docs" / "learn"


def draw_all(folder: Path, learning: list[dict[str, Any]]) -> None:
    """Draw everything; `learning` is what `vekt demo --only learning` has measured."""
    folder.mkdir(exist_ok=True)
    with rc_context({**STYLE, **FILES, "font.size": 9, "axes.titlesize": 9}):
        for name, (size, draw) in (DIAGRAMS | CURVES).items():
            figure = Figure(figsize=size, layout="constrained", facecolor="white")
            draw(figure)
            _save(figure, folder / f"{name}.svg")
        figure = Figure(figsize=(12, 2.6), layout="constrained", facecolor="white")
        draw_costs(figure.subplots(1, len(learning)), learning)
        _save(figure, folder / "costs.svg")


@cache
def names_of(page: str) -> dict[str, Any]:
    """Run the examples of a page, and return what they have defined."""
    names: dict[str, Any] = {}
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    for example in doctest.DocTestParser().get_examples(text):
        if example.exc_msg is None:
            with redirect_stdout(StringIO()):
                exec(compile(example.source, page, "single"), names)
    return names


def points(figure: Figure) -> None:
    """Draw both boundaries of the page on green and red points."""
    page = names_of("nonlinear")
    for ax, name, text in zip(
        figure.subplots(1, 2), ("line", "curve"), ("one unit", "2-16-8-1"), strict=True
    ):
        draw_boundary(ax, page[name], page["X"], page["Y"])
        share = page["share_right"](page[name])
        ax.set_title(f"{text}: a {name}, {share:.1%} of new points right")


def loss(figure: Figure) -> None:
    """Draw losses by the output where the right answer is 1."""
    ax = figure.subplots()
    a = np.linspace(0.005, 1, 200)
    ax.plot(a, vk.binary_cross_entropy(a, 1.0), color=BLUE, linewidth=2, label="cross entropy")
    ax.plot(a, vk.squared_error(a, 1.0), color=ORANGE, linewidth=2, label="squared error")
    ax.set_xlabel("output a, where y = 1")
    ax.set_ylabel("loss")
    ax.set_ylim(0, 5)
    ax.legend()


def logistic(figure: Figure) -> None:
    """Draw sigmoids on the way to the answers of one feature."""
    fit = names_of("logistic")["fit_vectors"]
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(-3, 3, 40))
    y = (x + 0.7 * rng.standard_normal(40) > 0.5).astype(float)
    ax = figure.subplots()
    line = np.linspace(-3.2, 3.2, 200)
    for steps, shade in ((1, 0.25), (5, 0.45), (20, 0.7), (500, 1.0)):
        w, b, _ = fit(x[None], y, 0.5, steps)
        label = "1 step" if steps == 1 else f"{steps} steps"
        ax.plot(line, vk.sigmoid(w * line + b), color=BLUE, alpha=shade, label=label)
    for label, color in ((0, RED), (1, GREEN)):
        ax.plot(x[y == label], y[y == label], "o", color=color, markersize=4, alpha=0.7)
    ax.set_xlabel("x")
    ax.set_ylabel("a")
    ax.legend(loc="upper left")


def rates(figure: Figure) -> None:
    """Draw costs of each epoch for four learning rates."""
    train = names_of("hyperparameters")["train"]
    ax = figure.subplots()
    for lr, color in ((0.0002, MUTED), (0.002, BLUE), (0.02, GREEN), (0.1, ORANGE)):
        costs = train(lr=lr).costs
        ax.plot(range(1, len(costs) + 1), costs, color=color, linewidth=1.8, label=f"{lr:g}")
    ax.set_yscale("log")
    ax.set_xlabel("epoch")
    ax.set_ylabel("cost J")
    ax.set_xticks([1, 5, 10, 15, 20])
    ax.legend(title="learning rate", loc="center left", bbox_to_anchor=(1, 0.5))


def fits(figure: Figure) -> None:
    """Draw what the three networks of the page make of twenty samples."""
    page = names_of("hyperparameters")
    line = np.linspace(-1, 1, 200)[None]
    for ax, name, title in zip(
        figure.subplots(1, 3, sharey=True),
        ("line", "large", "calm"),
        ("a line: too little", "64 and 64 units: too much", "the same with l2 = 0.3"),
        strict=True,
    ):
        ax.plot(line[0], page["truth"](line[0]), color=MUTED, linestyle=":", label="truth")
        ax.plot(line[0], page[name].predict(line)[0], color=BLUE, linewidth=1.8, label="network")
        ax.plot(page["x"][0], page["y"][0], "o", color=ORANGE, markersize=4, label="samples")
        ax.set_title(title)
    figure.axes[0].legend(loc="upper left", fontsize=8)


CURVES = {
    "points": ((9, 4.4), points),
    "loss": ((4.6, 2.8), loss),
    "logistic": ((5.6, 2.8), logistic),
    "rates": ((5.6, 2.8), rates),
    "fits": ((9, 2.6), fits),
}


_MARKERS = re.compile(
    r'<g([^>]*)>\n((?:<use [^>]*? style="([^"]*)"/>\n)(?:<use [^>]*? style="\3"/>\n)*)</g>'
)


def _save(figure: Figure, path: Path) -> None:
    """Save without what many points and texts repeat, and digits that nobody sees."""
    save(figure, path)
    text = path.read_text(encoding="utf-8")
    text = _MARKERS.sub(_styled_once, text)
    text = re.sub(r"font-family: [^;]*;", "font-family: sans-serif;", text)
    text = re.sub(r'(?<= [dxy]=")[^"]*', lambda match: _short(match[0]), text)
    markers = dict.fromkeys(re.findall(r'path id="(m\w+)"', text))
    for number, name in enumerate(markers):
        text = text.replace(name, f"m{number}")
    path.write_text(text, encoding="utf-8")


def _styled_once(match: re.Match[str]) -> str:
    uses = re.sub(r' style="[^"]*"', "", match[2])
    return f'<g{match[1]} style="{match[3]}">\n{uses}</g>'


def _short(numbers: str) -> str:
    return re.sub(r"\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", numbers)
