"""What `vekt compare` measures of reductions: a grid of shapes, axes and dtypes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from vekt.cli.compare.linear_tasks import dtype_of
from vekt.cli.compare.shapes import Shape, text
from vekt.cli.compare.tasks import Task

DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int64")

# With DTYPES, a grid of ninety cases for each reduction.
AXES: list[tuple[Shape, Any]] = [
    ((1000,), None),
    ((100_000,), None),
    ((10_000_000,), None),
    ((100_000, 10), 1),
    ((100_000, 10), 0),
    ((1000, 1000), 0),
    ((1000, 1000), 1),
    ((64, 50_000), 1),
    ((64, 50_000), 0),
    ((100, 100, 100), 1),
    ((1000, 100, 3), 1),
    ((750, 750, 3), (0, 1)),
    ((60, 28, 28, 20), (0, 1, 2)),
    ((32, 64, 28, 28), (0, 2, 3)),
    ((25, 10, 5, 390, 3), (1, 3)),
]

MADE = {"any": np.zeros_like, "prod": np.ones_like, "cumprod": np.ones_like}
"""What decides nothing early, and overflows nowhere."""


def reduction_tasks(names: Iterable[str], dtype: str) -> Iterator[Task]:
    """Reductions of numbers none of which decides any or all."""
    for shape, axis in AXES:
        numbers = np.random.default_rng(0).integers(1, 100, shape)
        x = numbers.astype(dtype_of(dtype))
        for name in names:
            if name.startswith(("arg", "cum")) and isinstance(axis, tuple):
                continue
            given = MADE.get(name, np.asarray)(x)
            operands = {"x": given, "axis": axis, "out": x}
            title = f"{name} of {text(shape)}" + ("" if axis is None else f", axis {axis}")
            yield Task(name, f"vk.{name}(x, axis)", operands, ("x",), shape, title=title)
