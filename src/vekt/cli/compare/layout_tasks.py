"""What `vekt compare` measures of elementwise functions: layouts of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt as vk
from vekt._spec.elementwise import OPS
from vekt.cli.compare.tasks import Task

Array = NDArray[Any]

GRID = "layouts"
"""The name of the grid among the operations."""

_IN_EVERY_LAYOUT = ("add", "multiply_add")
_GRID_TASKS = 210
_GRID_ELEMENTS = 1_000_000
# The notes' stocks and pictures, and sides that are all short.
_GRID_SHAPES = ((25, 10, 5, 390, 3), (10, 45, 19, 33, 3), (60, 28, 28, 4, 5))


def _normal(shape: Any, dtype: str, seed: int = 0) -> Array:
    part = np.random.default_rng(seed).standard_normal(min(prod(shape), 100_000))
    numbers: Array = np.resize(part.astype(dtype), shape)
    return numbers


def _layouts(n: int, dtype: str) -> Iterator[tuple[str, list[Array]]]:
    """Yield what is special about three operands of about `n` elements, and the operands."""
    side = max(2, round(n**0.5))
    channels, rows = (n // 3 + 1, 3), (max(2, n // 1000), min(1000, max(2, n // 2)))
    square = _normal((side, side), dtype)
    a, b, c = (_normal((n,), dtype, seed) for seed in range(3))
    yield "equal shapes", [a, b, c]
    last = [_normal((3,), dtype, seed) for seed in (1, 2)]
    yield "(..., 3), (3,)", [_normal(channels, dtype), *last]
    matrix = _normal(rows, dtype)
    yield "rows", [matrix, *(_normal(rows[1:], dtype, seed) for seed in (1, 2))]
    yield "columns", [matrix, *(_normal((rows[0], 1), dtype, seed) for seed in (1, 2))]
    yield "(n, 1), (1, n)", [_normal((side, 1), dtype), _normal((1, side), dtype, 1), square]
    yield "A, A.T", [square, square.T, square]
    pixels = max(1, round((n / 24) ** 0.5))
    shape = (8, pixels, pixels, 3)
    picture = (np.abs(_normal(shape, "f4")) * 60).astype("u1")
    yield "uint8 (..., 3), (3,)", [picture, *last]


def layout_tasks(names: Iterable[str], n: int, dtype: str) -> Iterator[Task]:
    """Functions on contiguous operands; a few of them, which tell enough, in every layout."""
    for name in names:
        inputs = len(OPS[name].inputs)
        for label, operands in _layouts(n, dtype):
            if name not in _IN_EVERY_LAYOUT and label != "equal shapes":
                continue
            arrays = operands[1:2] if inputs == 1 else operands[:inputs]
            if name == "where":
                arrays[0] = arrays[0] > 0
            if name in ("sqrt", "rsqrt", "power") or name.startswith("log"):
                arrays[0] = np.abs(arrays[0])
            yield _task(name, f"{name}: {label}", arrays)


def _task(name: str, title: str, arrays: list[Array]) -> Task:
    keys = "abc"[: len(arrays)]
    function = getattr(vk, "add" if name == GRID else name)
    few = [x.ravel()[:1] for x in arrays]
    out = np.empty(np.broadcast_shapes(*(x.shape for x in arrays)), function(*few).dtype)
    out.fill(0)
    operands: dict[str, Any] = {**dict(zip(keys, arrays, strict=True)), "out": out}
    if any(x is y.T or x.base is y for x in arrays for y in arrays if x is not y):
        moved = (*keys[:-1], "out") if len(keys) > 1 else (*keys, "out")
    else:
        moved = (*keys, "out")
    call = f"vk.{function.__name__}({', '.join(keys)}, out=out)"
    return Task(name, call, operands, moved, out.shape, title=title)


def grid_tasks(n: int, dtype: str) -> Iterator[Task]:
    """Add two operands of which any axis is broadcast or permuted; the same in every run."""
    rng = np.random.default_rng(5)
    for index in range(min(_GRID_TASKS, n // 4)):  # of few elements, fewer
        sides = list(_GRID_SHAPES[index % len(_GRID_SHAPES)])
        if index % len(_GRID_SHAPES) == 2:
            sides = [int(side) for side in rng.permutation(sides)]
        while prod(sides) > min(n, _GRID_ELEMENTS) and max(sides) > 2:
            longest = sides.index(max(sides))
            sides[longest] = (sides[longest] + 1) // 2
        operands, titles = [], []
        for seed in range(2):
            shape = [1 if rng.random() < 0.3 else side for side in sides]
            order = rng.permutation(5) if rng.random() < 0.5 else np.arange(5)
            dense = _normal([shape[axis] for axis in order], dtype, seed)
            operands.append(dense.transpose(np.argsort(order)))
            in_order = "" if list(order) == list(range(5)) else f" {''.join(map(str, order))}"
            titles.append("x".join(map(str, shape)) + in_order)
        yield _task(GRID, f"{index}: {', '.join(titles)}", operands)
