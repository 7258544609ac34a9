"""A publisher that changes asv's pages, and begins them with what to look at."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from asv.publishing import OutputPublisher

from .patches import PATCHES, Patch, apply
from .relative import PREFIX
from .suite import YARDSTICK, class_of, traits

WWW = Path(__file__).parent / "www"
_AFTER_GRID = '</div>\n    <div id="summarylist-display"'


class Pages(OutputPublisher):
    """Runs after the search for regressions, whose number it tells."""

    name = "pages"
    button_label = "Start"
    description = "What to look at"
    order = 5

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: Any, graphs: Any, revisions: Any) -> None:
        html_dir = Path(conf.html_dir)
        for name in ("dashboard.js", "dashboard.css"):
            shutil.copyfile(WWW / name, html_dir / name)
        machines = sorted({graph.params["machine"] for _, graph in graphs})
        found = json.loads((html_dir / "regressions.json").read_text(encoding="utf-8"))
        page = (
            (WWW / "landing.html")
            .read_text(encoding="utf-8")
            .format(
                project=escape(conf.project),
                commits=len({revision for _, graph in graphs for revision, *_ in graph.get_data()}),
                machines=escape(", ".join(machines)),
                regressions=told(len(found["regressions"])),
                rows="\n".join(_rows(benchmarks)),
            )
        )
        apply(
            html_dir,
            (*PATCHES, Patch("index.html", _AFTER_GRID, page + _AFTER_GRID)),
        )


def told(regressions: int) -> str:
    """Say how many regressions there are.

    Examples
    --------
    >>> told(0), told(1)
    ('No regression.', '1 regression.')
    """
    return f"{regressions or 'No'} regression{'s' if regressions > 1 else ''}."


def _rows(benchmarks: Any) -> Iterator[str]:
    """Yield a row for each measured benchmark that has the tag "smoke"; the notes' is the first."""
    known = traits()
    chosen = [
        name
        for name in benchmarks
        if class_of(name) in known and "smoke" in known[class_of(name)].tags
    ]
    for name in sorted(chosen, key=lambda name: (not known[class_of(name)].marks, name)):
        found, libraries = known[class_of(name)], "library" in benchmarks[name]["param_names"]
        wide = "?y-axis-scale=log" if found.marks else ""  # marks may be far away
        cells = [f"<b>{escape(class_of(name))}</b><br>{escape(found.summary)}"]
        cells.append(f'<a href="#{name}{wide}">seconds</a>')
        judged = PREFIX + name in benchmarks and class_of(name) != YARDSTICK
        cells.append(f'<a href="#{PREFIX}{name}">in {found.yardstick}</a>' if judged else "")
        cells.append(f'<a href="#{name}?x-axis=library">libraries</a>' if libraries else "")
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
