"""`vekt demo`: the notes' comparison, all kernels, and networks on real data."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import click
from rich.console import RenderableType

from vekt.cli.cases import Named
from vekt.cli.demo.choosing import activations_table, measure_activations
from vekt.cli.demo.kernels import kernels_table, measure_kernels
from vekt.cli.demo.learning import learning_table, measure_learning
from vekt.cli.demo.logistic import logistic_table, measure_logistic
from vekt.cli.demo.page import measure_page, page_table
from vekt.cli.environment import require
from vekt.cli.screen import OutputFile, console_for, json_option, progress_on, show, write_json
from vekt.config import get_config

_PARTS: dict[str, tuple[Callable[..., Any], Callable[..., RenderableType]]] = {
    "notes": (measure_page, page_table),
    "kernels": (measure_kernels, kernels_table),
    "logistic": (measure_logistic, logistic_table),
    "learning": (measure_learning, learning_table),
    "activations": (measure_activations, activations_table),
}


@click.command()
@click.option("--quick", is_flag=True, help="Fewer rounds and steps: takes seconds.")
@click.option("--only", type=Named(list(_PARTS)), help="Run only this part.")
@click.option(
    "--png",
    "png_file",
    type=OutputFile(),
    default="vekt-demo.png",
    show_default=True,
    help="File for the picture.",
)
@json_option
def demo(quick: bool, only: str | None, png_file: str, json_file: str | None) -> None:
    """Time and train, beside NumPy, Numba and scikit-learn.

    Times w.x + b over a million elements in several ways, from a Python loop to vekt; times every
    kernel; trains a logistic regression on real data in two ways and networks on five data sets;
    compares activations on the same networks; and draws a picture of the results.
    """
    require("matplotlib", "numba", "scipy", "sklearn", "threadpoolctl")
    console = console_for(json_file)
    results: dict[str, Any] = {
        "version": version("vekt"),
        "config": get_config(),
        "quick": quick,
    }
    for part, (measure, present) in _PARTS.items():
        if only in (None, part):
            with progress_on(console) as progress:
                results[part] = measure(progress, quick)
            show(console, present(results[part]))
            console.print()
    from vekt.cli.demo.picture import draw  # not at the top: --help need not wait for matplotlib

    try:
        drawn = draw(results, png_file)
    except OSError as error:
        raise click.FileError(png_file, error.strerror or "cannot be written") from error
    if drawn:
        console.print(f"Picture: {png_file}", soft_wrap=True)
    write_json(json_file, results)
