"""The notes' logistic regression on real data: the loop against the vectorised form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rich.progress import Progress
from rich.table import Table

from vekt.cli.compare.timing import interleaved
from vekt.cli.demo.notes import FORMS, Fit, accuracy_of, breast_cancer
from vekt.cli.environment import thread_limit
from vekt.cli.screen import milliseconds, table, times

ALPHA = 0.3


def measure_logistic(progress: Progress, quick: bool) -> dict[str, Any]:
    """Train both forms and time them.

    Returns
    -------
    dict
        samples, features, steps, alpha; "forms", each with seconds, cost, accuracy and costs;
        the largest differences of w, b and the costs; and `over_loop`.
    """
    steps, rounds = (200, 3) if quick else (1000, 5)
    data = breast_cancer()
    fits: dict[str, Fit] = {}

    def training(form: str) -> Callable[[], None]:
        def train() -> None:
            fits[form] = FORMS[form](data.X, data.Y, ALPHA, steps)

        return train

    bar = progress.add_task("logistic regression", total=rounds)
    with thread_limit(1):
        seconds = interleaved(
            {form: training(form) for form in FORMS},
            rounds,
            budget=20.0,
            advance=lambda: progress.advance(bar),
        )
    loop, vectorised = fits["loop"], fits["vectorised"]
    return {
        "features": data.X.shape[0],
        "samples": data.X.shape[1],
        "held_out": data.X_held_out.shape[1],
        "steps": steps,
        "alpha": ALPHA,
        "forms": {
            form: {
                "seconds": seconds[form],
                "cost": fit.costs[-1],
                "accuracy": accuracy_of(fit, data.X_held_out, data.Y_held_out),
                "costs": fit.costs,
            }
            for form, fit in fits.items()
        },
        "difference": {
            "w": float(np.abs(loop.w - vectorised.w).max()),
            "b": abs(loop.b - vectorised.b),
            "cost": float(np.abs(np.subtract(loop.costs, vectorised.costs)).max()),
        },
        "over_loop": seconds["loop"] / seconds["vectorised"],
    }


def logistic_table(results: dict[str, Any]) -> Table:
    """Show both forms, their agreement and the ratio of their times."""
    difference = results["difference"]
    result = table(
        f"Logistic regression on the breast-cancer data: {results['steps']} steps, "
        f"{results['samples']} samples of {results['features']} features",
        "form",
        "ms",
        "over loop",
        "cost",
        f"accuracy on {results['held_out']} held out",
        caption=f"The two differ by at most {difference['w']:.1e} in w, {difference['b']:.1e} "
        f"in b and {difference['cost']:.1e} in the cost of any step.",
    )
    loop = results["forms"]["loop"]["seconds"]
    for form, row in results["forms"].items():
        result.add_row(
            {"loop": "loop over samples", "vectorised": "vectorised, with vekt"}[form],
            milliseconds(row["seconds"]),
            times(loop / row["seconds"]),
            f"{row['cost']:.6f}",
            f"{row['accuracy']:.1%}",
            style="bold" if form == "vectorised" else "",
        )
    return result
