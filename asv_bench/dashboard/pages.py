"""A publisher that changes asv's pages, and begins them with what to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from asv.publishing import OutputPublisher

from .patches import PATCHES, Patch, apply
from .regressions import found, told
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
        page = (
            (WWW / "landing.html")
            .read_text(encoding="utf-8")
            .format(
                project=escape(conf.project),
                commits=len({revision for _, graph in graphs for revision, *_ in graph.get_data()}),
                machines=escape(", ".join(machines)),
                regressions=told(len(found(html_dir))),
                rows="\n".join(_rows(benchmarks)),
            )
        )
        apply(
            html_dir,
            (*PATCHES, Patch("index.html", _AFTER_GRID, page + _AFTER_GRID)),
        )


def _rows(benchmarks: Any) -> Iterator[str]:
    """Yield a row for each measured benchmark that has the tag "smoke"; those with peers first."""
    known = traits()
    chosen = [
        name
        for name in benchmarks
        if class_of(name) in known and "smoke" in known[class_of(name)].tags
    ]
    peers = {name: "library" in benchmarks[name]["param_names"] for name in chosen}
    for name in sorted(chosen, key=lambda name: (not peers[name], name)):
        says = known[class_of(name)]
        wide = "?y-axis-scale=log" if says.marks else ""  # marks may be far away
        cells = [f"<b>{escape(class_of(name))}</b><br>{escape(says.summary)}"]
        cells.append(f'<a href="#{name}{wide}">seconds</a>')
        judged = PREFIX + name in benchmarks and class_of(name) != YARDSTICK
        cells.append(f'<a href="#{PREFIX}{name}">in {says.yardstick}</a>' if judged else "")
        cells.append(f'<a href="#{name}?x-axis=library">libraries</a>' if peers[name] else "")
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
