"""What the user sees: console, progress bars, tables; and what a program reads: JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table


class OutputFile(click.Path):
    """A file to write to, whose directory must exist: better known now than after the work."""

    def __init__(self, allow_dash: bool = False) -> None:
        super().__init__(dir_okay=False, writable=True, allow_dash=allow_dash)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the file, then its directory."""
        path = str(super().convert(value, param, ctx))
        if not Path(path).parent.is_dir():
            self.fail(f"There is no directory {str(Path(path).parent)!r}.", param, ctx)
        return path


json_option = click.option(
    "--json",
    "json_file",
    type=OutputFile(allow_dash=True),
    help="Also write the results as JSON; '-' is standard output, and tables go to standard error.",
)


def console_for(json_file: str | None) -> Console:
    """Return a console that leaves standard output alone if the JSON goes there."""
    return Console(stderr=json_file == "-", highlight=False)


def progress_on(console: Console, *counts: ProgressColumn, period: float = 30) -> Progress:
    """Return progress bars that vanish when the work is done.

    `counts` are shown between the bar and the times, which go by the speed in a period of seconds.
    """
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        *(counts or (MofNCompleteColumn(),)),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        speed_estimate_period=period,
        # Drawing must not disturb the measurements.
        refresh_per_second=4,
    )


def table(title: str, *columns: str, caption: str | None = None) -> Table:
    """Return a table whose first column is text and whose others are numbers."""
    result = Table(
        title=title,
        caption=caption,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        title_style="bold",
        title_justify="left",
        caption_justify="left",
    )
    for index, column in enumerate(columns):
        # What is too wide for the console breaks in the first column, which holds names.
        result.add_column(
            column, justify="right" if index else "left", no_wrap=index > 0, overflow="fold"
        )
    return result


def fits(console: Console, renderable: RenderableType, broken: bool = False) -> bool:
    """Tell whether all of it can be seen on the console, with no line broken unless `broken`."""
    widest = console.options.update(width=1000)
    needs = Measurement.get(console, widest, renderable)
    return (needs.minimum if broken else needs.maximum) <= console.width


def show(console: Console, renderable: RenderableType) -> None:
    """Print tables in full width: on a narrow terminal, lines run on but no number is cut."""
    widest = console.options.update(width=1000)
    width = Measurement.get(console, widest, renderable).maximum
    Console(file=console.file, width=max(width, console.width), highlight=False).print(renderable)


def write_json(json_file: str | None, results: dict[str, Any]) -> None:
    """Write `results` to the file, to standard output for '-', nowhere for None."""
    if json_file is not None:
        write_text(json_file, json.dumps(results, indent=2) + "\n")


def write_text(file: str, text: str) -> None:
    """Write a file, or standard output for '-'; at no moment is half of it there."""
    if file == "-":
        sys.stdout.write(text)
        return
    path = Path(file)
    try:
        if path.exists() and not path.is_file():  # a pipe, a device
            path.write_text(text, encoding="utf-8")
            return
        part = path.with_name(path.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path.resolve())
    except OSError as error:
        raise click.FileError(file, error.strerror or "cannot be written") from error


def milliseconds(seconds: float) -> str:
    """Format a time for a column in ms."""
    return f"{seconds * 1e3:.4g}" if seconds >= 1e-4 else f"{seconds * 1e3:.3g}"


def times(ratio: float) -> str:
    """Format a ratio: three digits, then whole numbers."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"
