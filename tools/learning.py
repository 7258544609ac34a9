"""Write the tables of docs/learning.md and its pictures: `python tools/learning.py`.

Everything is measured anew, in some seconds; see `vekt demo --only learning` and `activations`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gallery import table
from gallery_pictures import FILES, save
from matplotlib import rc_context
from matplotlib.figure import Figure
from rich.progress import Progress

from vekt.cli.demo.choosing import CHOOSING_HEAD, choosing_rows, measure_activations
from vekt.cli.demo.learning import LEARNING_HEAD, learning_rows, measure_learning
from vekt.cli.demo.learning_pictures import draw_boundaries, draw_costs
from vekt.cli.demo.picture import STYLE

DOCS = Path(__file__).parents[1] / "docs"


def with_tables(text: str, tables: dict[str, str]) -> str:
    """Return a page with these tables in place of those that stand between its markers."""
    for name, made in tables.items():
        place = re.compile(f"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        text, count = place.subn(lambda m, made=made: f"{m[1]}\n{made}\n{m[2]}", text)
        if count != 1:
            raise ValueError(f"{count} places for the table {name}")
    return text


def draw(folder: Path, learning: list[dict[str, Any]]) -> None:
    """Draw both boundaries of the points, and the costs."""
    with rc_context({**STYLE, **FILES, "font.size": 9, "axes.titlesize": 9}):
        figure = Figure(figsize=(9, 4.4), layout="constrained", facecolor="white")
        draw_boundaries(figure.subplots(1, 2))
        _save(figure, folder / "points.svg")
        figure = Figure(figsize=(12, 2.6), layout="constrained", facecolor="white")
        draw_costs(figure.subplots(1, len(learning)), learning)
        _save(figure, folder / "costs.svg")


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


def main() -> None:
    """Write the page and the pictures."""
    with Progress(transient=True) as progress:
        learning = measure_learning(progress, quick=False)
        activations = measure_activations(progress, quick=False)
    folder = DOCS / "learning"
    folder.mkdir(exist_ok=True)
    draw(folder, learning)
    page = DOCS / "learning.md"
    tables = {
        "learning": table([LEARNING_HEAD, *learning_rows(learning)]),
        "activations": table([CHOOSING_HEAD, *choosing_rows(activations)]),
    }
    page.write_text(with_tables(page.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
