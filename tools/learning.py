"""Write the tables and the pictures of docs/learn: `python tools/learning.py [--pictures]`.

Everything is measured anew, in half a minute; see `vekt demo --only notes`, `logistic`, `learning`
and `activations`. With --pictures nothing but the pictures is made.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from gallery import functions_table, table
from learning_pictures import PAGES, draw_all
from rich.progress import Progress

from vekt.cli.demo.choosing import CHOOSING_HEAD, choosing_rows, measure_activations
from vekt.cli.demo.learning import LEARNING_HEAD, learning_rows, measure_learning
from vekt.cli.demo.logistic import measure_logistic
from vekt.cli.demo.page import measure_page, page_label
from vekt.cli.screen import milliseconds, times

NOTES_HEAD = ("z = w.x + b, a million elements", "ms", "times the loop's speed")
LOGISTIC_HEAD = ("1000 steps", "ms", "times the loop's speed", "cost", "new samples right")
TABLES: dict[str, tuple[str, ...]] = {
    "activations": ("functions", "activations"),
    "logistic": ("notes", "logistic"),
    "practice": ("learning",),
}


def with_tables(text: str, tables: dict[str, str]) -> str:
    """Return a page with these tables in place of those that stand between its markers."""
    for name, made in tables.items():
        place = re.compile(f"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        text, count = place.subn(lambda m, made=made: f"{m[1]}\n{made}\n{m[2]}", text)
        if count != 1:
            raise ValueError(f"{count} places for the table {name}")
    return text


def notes_rows(page: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the notes' two figures, and float64 on one thread beside them, as rows."""
    loop, fast = page["notes"]["loop"], page["notes"]["vectorised"]
    here = [row for row in page["rows"] if row["dtype"] == "float64" and row["threads"] == 1]
    return [
        ("the notes: loop", milliseconds(loop), "1x"),
        ("the notes: vectors", milliseconds(fast), times(loop / fast)),
        *(
            (f"here: {_code(row)}", milliseconds(row["seconds"]), times(row["over_loop"]))
            for row in here
        ),
    ]


def _code(row: dict[str, Any]) -> str:
    label = page_label(row)
    return label if row["form"].startswith("loop") else f"`{label}`"


def logistic_rows(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the loop and the vectors on real data as rows."""
    loop = results["forms"]["loop"]["seconds"]
    return [
        (
            {"loop": "loop over samples and features", "vectorised": "vectors, with vekt"}[form],
            milliseconds(row["seconds"]),
            times(loop / row["seconds"]),
            f"{row['cost']:.4f}",
            f"{row['accuracy']:.1%}",
        )
        for form, row in results["forms"].items()
    ]


def main() -> None:
    """Write the pages and the pictures."""
    with Progress(transient=True) as progress:
        learning = measure_learning(progress, quick=False)
        draw_all(PAGES / "pictures", learning)
        if "--pictures" in sys.argv[1:]:
            return
        made: dict[str, Callable[[], str]] = {
            "functions": lambda: functions_table("../gallery.md"),
            "learning": lambda: table([LEARNING_HEAD, *learning_rows(learning)]),
            "notes": lambda: table([NOTES_HEAD, *notes_rows(measure_page(progress, False))]),
            "logistic": lambda: table(
                [LOGISTIC_HEAD, *logistic_rows(measure_logistic(progress, False))]
            ),
            "activations": lambda: table(
                [CHOOSING_HEAD, *choosing_rows(measure_activations(progress, False))]
            ),
        }
        for name, tables in TABLES.items():
            page = PAGES / f"{name}.md"
            text = page.read_text(encoding="utf-8")
            new = with_tables(text, {table: made[table]() for table in tables})
            page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
