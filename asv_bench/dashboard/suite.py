"""What the classes of benchmarks say to the dashboard: attributes of `Timed`, which they share.

They are read without being run, so that pages can be published where no vekt is installed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
YARDSTICK = "bench_yardstick.TimeYardstick"
"""The class of the yardsticks; without its figures there are no relative ones."""


class Traits(NamedTuple):
    """Tags, the yardstick that a class is judged by, lines to draw by their labels, in words."""

    tags: tuple[str, ...] = ()
    yardstick: str = "np.exp"
    marks: dict[str, float] = {}  # noqa: RUF012
    summary: str = ""


def traits(folder: Path = BENCHMARKS) -> dict[str, Traits]:
    """Return what the classes of a folder say, by their names as asv writes them.

    Examples
    --------
    >>> traits()["bench_notes.TimeNotes"].tags
    ('smoke',)
    """
    return {
        f"{path.stem}.{node.name}": _traits_of(node)
        for path in sorted(folder.glob("bench_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }


def tagged(tag: str, folder: Path = BENCHMARKS) -> list[str]:
    """Return the names of the classes that have a tag."""
    return [name for name, found in traits(folder).items() if tag in found.tags]


def class_of(benchmark: str) -> str:
    """Return the class of a benchmark.

    Examples
    --------
    >>> class_of("bench_notes.TimeNotes.time_z")
    'bench_notes.TimeNotes'
    """
    return benchmark.rpartition(".")[0]


def _traits_of(node: ast.ClassDef) -> Traits:
    given = dict(_literals(node))
    return Traits(**given, summary=(ast.get_docstring(node) or "").partition("\n")[0])


def _literals(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name = line.targets[0].id
            if name in ("tags", "yardstick", "marks"):
                yield name, ast.literal_eval(line.value)
