"""What `vekt compare` measures of choosing: `top_k` in several orders, rows of tables, vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from vekt.cli.compare.linear_tasks import random
from vekt.cli.compare.shapes import text
from vekt.cli.compare.tasks import Task

NAMES = ("top_k", "take", "scatter_add", "one_hot")

_TOP = [((1, 1000), 10), *(((64, 50_000), k) for k in (1, 10, 100)), ((1, 3_000_000), 10)]
ORDERS = ("random", "rising", "falling", "constant")
TABLES = [
    ((1000,), 0, 1000),
    ((1_000_000,), 0, 100_000),
    ((50_257, 768), 0, 1024),
    ((100_000, 16), 0, 100_000),
    ((1000, 1000), 1, 100),
    ((100, 1000, 8), 1, 500),
]
"""Shape, axis, and how many places of it."""


def choosing_tasks(names: Iterable[str], dtype: str) -> Iterator[Task]:
    """Return the tasks of these functions."""
    wanted = set(names)
    if "top_k" in wanted:
        yield from _top_tasks(dtype)
    for shape, axis, count in TABLES:
        yield from _table_tasks(wanted, shape, axis, count, dtype)
    if "one_hot" in wanted:
        for count, classes in ((1000, 10), (100_000, 10), (1000, 1000)):
            places = np.random.default_rng(0).integers(0, classes, count)
            operands = {"i": places, "classes": classes, "out": np.empty(0, dtype)}
            title = f"one_hot of {count:,} in {classes:,} classes"
            call = "vk.one_hot(i, classes, dtype=out.dtype)"
            yield Task("one_hot", call, operands, ("i",), (count, classes), title=title)


def _top_tasks(dtype: str) -> Iterator[Task]:
    for shape, k in _TOP:
        x = random(shape, dtype)
        rising = np.sort(x, axis=-1)
        of_order = {"rising": rising, "falling": rising[:, ::-1].copy(), "constant": x * 0}
        for order in ORDERS:
            given = of_order.get(order, x)
            operands = {"x": given, "k": k, "out": given[:0]}
            title = f"top_k of {text(shape)}, k {k}, {order}"
            yield Task("top_k", "vk.top_k(x, k)", operands, ("x",), shape, title=title)


def _table_tasks(wanted: set[str], shape: Any, axis: int, count: int, dtype: str) -> Iterator[Task]:
    if not wanted & {"take", "scatter_add"}:
        return
    x = random(shape, dtype)
    places = np.random.default_rng(1).integers(0, shape[axis], count)
    values = np.take(x, places, axis) % 2
    operands = {"x": x, "i": places, "axis": axis, "values": values, "out": np.empty_like(values)}
    operands["index"] = (*(slice(None),) * axis, places)
    where = f"{count:,} places of {text(shape)}, axis {axis}"
    size = values.shape
    if "take" in wanted:
        call = "vk.take(x, i, axis)"
        yield Task("take", call, operands, ("out", "out"), size, title=f"take {where}")
    if "scatter_add" in wanted:
        call = "vk.scatter_add(x, i, values, axis)"
        yield Task(
            "scatter_add", call, operands, ("values", "values"), size, title=f"add to {where}"
        )
