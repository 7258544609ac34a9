"""Where asv's pages call `www/dashboard.js`, and what else in them is not as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from asv.util import UserError


class Patch(NamedTuple):
    """Replace `old`, which must be there once, or all from it to `until`."""

    file: str
    old: str
    new: str
    until: str = ""


PATCHES = (
    # At first, all libraries are drawn.
    Patch(
        "graphdisplay.js",
        "for (var j = 0; j < param_values.length && (j+1)*count <= max_curves; ++j) {",
        "item = $.vekt.selection(params, param_names, state_selection, max_curves)[k];\n}\n",
        until="count = count * item.length;",
    ),
    Patch(
        "graphdisplay.js",
        "orig_graphs.push({",
        "if ($.vekt.is_empty(series)) {\nreturn;\n}\norig_graphs.push({",
    ),
    Patch(
        "graphdisplay.js",
        "graphs = orig_graphs;\n                update_graphs();",
        "if (x_coordinate_axis == 0) {\n"
        "orig_graphs = $.vekt.with_marks(orig_graphs, current_revisions,\n"
        "    $.asv.main_json.benchmarks[current_benchmark].marks);\n"
        "}\n"
        "graphs = orig_graphs;\n"
        "update_graphs();",
    ),
    # Figures without a unit of time begin at 0, too.
    Patch(
        "graphdisplay.js",
        "multiplier = 1.0;",
        "multiplier = 1.0;\n"
        "if (!zoom_y_axis) {\n"
        "options.yaxis.min = Math.min(0, min);\n"
        "options.yaxis.max = max * 1.3;\n"
        "}",
    ),
    # Bars of several series: none was drawn.
    Patch(
        "graphdisplay.js",
        "options.xaxis.mode = 'categories';",
        "graphs = $.vekt.bars(orig_graphs, options);\n}\n",
        until="else {\n                graphs = orig_graphs;",
    ),
    Patch(
        "index.html",
        '<script language="javascript" type="text/javascript"\n            src="asv.js">',
        '<script src="dashboard.js"></script>\n'
        '<script language="javascript" type="text/javascript"\n            src="asv.js">',
    ),
    Patch(
        "index.html",
        '<link rel="shortcut icon"',
        '<link href="dashboard.css" rel="stylesheet">\n'
        '<meta name="viewport" content="width=device-width">\n<link rel="shortcut icon"',
    ),
    Patch("index.html", ">Benchmark grid</a>", ">Start</a>"),
    Patch("index.html", ">Benchmark list</a>", ">List</a>"),
)


def apply(html_dir: Path, patches: tuple[Patch, ...] = PATCHES) -> None:
    """Change the pages that asv has written.

    Raises
    ------
    asv.util.UserError
        If there is no, or not only one, place for a change: the pages are those of another asv.
    """
    for patch in patches:
        path = html_dir / patch.file
        path.write_text(patched(path.read_text(encoding="utf-8"), patch), encoding="utf-8")


def patched(text: str, patch: Patch) -> str:
    """Return the text with a change.

    Examples
    --------
    >>> patched("one, two, three", Patch("", "two", "2"))
    'one, 2, three'
    >>> patched("one, two, three", Patch("", "one", "1, ", until="three"))
    '1, three'
    """
    before, found, after = text.partition(patch.old)
    if not found or patch.old in after or patch.until not in after:
        raise UserError(
            f"{patch.file} of this asv is another than {__name__}.PATCHES was written for: "
            f"{patch.old!r} is not there, or not once."
        )
    if patch.until:
        after = patch.until + after.partition(patch.until)[2]
    return before + patch.new + after
