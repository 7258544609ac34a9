"""Every kernel against its reference (errors) and against plain NumPy (time)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rich.progress import Progress
from rich.table import Table

import vekt as vk
from vekt.cli.accuracy.samples import gradient_errors, mixed_sample, typed, value_errors
from vekt.cli.cases import Case, all_cases, standard_normal
from vekt.cli.compare.formulas import plain
from vekt.cli.compare.tasks import in_domain
from vekt.cli.compare.timing import interleaved
from vekt.cli.environment import thread_limit
from vekt.cli.screen import table, times

ELEMENTS = 100_000
DTYPES = (np.float32, np.float64)
FORMS = {"": "forward", "_backward": "backward", "_value_and_grad": "value_and_grad"}


def measure_kernels(progress: Progress, quick: bool) -> list[dict[str, Any]]:
    """One row for each kernel, form and dtype.

    Returns
    -------
    list of dict
        kernel, label, form, dtype; `max_ulp` and its `bound`; `seconds`, `numpy_seconds` and
        `over_numpy`, on one thread.
    """
    cases = all_cases()
    bar = progress.add_task("kernels", total=len(cases) * len(DTYPES) * len(FORMS))
    rows = []
    with thread_limit(1):
        for case in cases:
            for dtype in DTYPES:
                errors = _errors(case, dtype, 40_000 if quick else 400_000)
                for form, name in FORMS.items():
                    ours, theirs = _tasks(case, form, dtype)
                    seconds = interleaved({"ours": ours, "theirs": theirs}, 5 if quick else 21)
                    rows.append(
                        {
                            "kernel": case.name,
                            "label": case.label,
                            "form": name,
                            "dtype": np.dtype(dtype).name,
                            "max_ulp": errors[form][0],
                            "bound": errors[form][1],
                            "seconds": seconds["ours"],
                            "numpy_seconds": seconds["theirs"],
                            "over_numpy": seconds["theirs"] / seconds["ours"],
                        }
                    )
                    progress.advance(bar)
    return rows


def _errors(case: Case, dtype: Any, n: int) -> dict[str, tuple[float, float]]:
    """Largest error and its bound for each form."""
    x = mixed_sample(dtype, n)
    kernel, params = case.kernel, case.params
    name = np.dtype(dtype).name
    value = case.function(vk)(x)
    gradient = case.function(vk, "_backward")(np.ones_like(x), x)
    both = case.function(vk, "_value_and_grad")(x)
    bound, gradient_bound = kernel.max_ulp[name], kernel.gradient_max_ulp[name]
    of_value = value_errors(kernel, params, x, value).max()
    of_gradient = gradient_errors(kernel, params, x, gradient).max()
    of_both = max(
        value_errors(kernel, params, x, both[0]).max(),
        gradient_errors(kernel, params, x, both[1]).max(),
    )
    return {
        "": (float(of_value), bound),
        "_backward": (float(of_gradient), gradient_bound),
        "_value_and_grad": (float(of_both), max(bound, gradient_bound)),
    }


def _tasks(case: Case, form: str, dtype: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    x = in_domain(case.kernel, standard_normal(ELEMENTS, dtype))
    dy = standard_normal(ELEMENTS, dtype, seed=1)
    params = typed(case.params, x)
    formulas = plain(case.name, case.kernel.value, case.kernel.gradient)
    ours = case.function(vk, form)
    if form == "_backward":
        return lambda: ours(dy, x), lambda: dy * formulas.gradient(x, *params)
    theirs = formulas.value if form == "" else formulas.value_and_grad
    return lambda: ours(x), lambda: theirs(x, *params)


def kernels_table(rows: list[dict[str, Any]]) -> Table:
    """Show errors and speed, one line for each kernel and form."""
    names = [np.dtype(dtype).name for dtype in DTYPES]
    result = table(
        f"Kernels on {ELEMENTS:,} elements, one thread",
        "kernel",
        "form",
        *(f"{name}\n{column}" for name in names for column in ("ULP", "ns", "over NumPy")),
        caption="ULP: largest error over bit patterns, tails and special values; around a root of "
        "a float64 gradient, the absolute error over 2**-53. ns: for one element. "
        "over NumPy: against the formula as one writes it with NumPy. both: value_and_grad.",
    )
    result.columns[1].justify = "left"
    cells = {(row["kernel"], row["form"], row["dtype"]): row for row in rows}
    for kernel, label in dict.fromkeys((row["kernel"], row["label"]) for row in rows):
        result.add_section()
        for index, form in enumerate(FORMS.values()):
            line = [label if index == 0 else "", "both" if form == "value_and_grad" else form]
            for name in names:
                row = cells[kernel, form, name]
                within = row["max_ulp"] <= row["bound"]
                line += [
                    f"{row['max_ulp']:.2f}" if within else f"[red]{row['max_ulp']:.3g}[/]",
                    f"{row['seconds'] / ELEMENTS * 1e9:.3f}",
                    times(row["over_numpy"]),
                ]
            result.add_row(*line)
    return result
