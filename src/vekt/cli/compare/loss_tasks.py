"""What `vekt compare` measures of losses: elementwise ones, and the cross entropy of softmax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from vekt._spec.losses import LOSSES
from vekt.cli.compare.shapes import Shape, text
from vekt.cli.compare.tasks import Task

ELEMENTWISE = tuple(LOSSES)
SOFTMAX = "softmax_cross_entropy"
SHAPES: list[Shape] = [(60_000, 10), (4096, 1000), (1024, 50_000)]


def loss_statements() -> list[str]:
    """Names that peers' statements have for all of these."""
    names = [f"{name}{form}" for name in ELEMENTWISE for form in ("", "_backward")]
    return [*names, SOFTMAX, f"{SOFTMAX}_value_and_grad"]


def loss_tasks(names: Iterable[str], n: int, dtype: str) -> Iterator[Task]:
    """Each loss of `n` predictions, and its gradient; targets are probabilities."""
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal(n).astype(dtype) for _ in range(2))
    p, v = (rng.uniform(0.01, 0.99, n).astype(dtype) for _ in range(2))
    operands = {"dy": dy, "v": v, "t": np.empty_like(x), "out": np.empty_like(x)}
    for name in names:
        if name not in ELEMENTWISE:
            continue
        given = {**operands, "x": p if name == "binary_cross_entropy" else x}
        yield Task(name, f"vk.{name}(x, v, out=out)", given, ("x", "v", "out"), (n,))
        backward = f"{name}_backward"
        moved = ("dy", "x", "v", "out")
        yield Task(backward, f"vk.{backward}(dy, x, v, out=out)", given, moved, (n,))


def softmax_tasks(shapes: Iterable[Shape], dtype: str) -> Iterator[Task]:
    """Mean over rows of logits with integer labels: the loss, and the loss with its gradient."""
    rng = np.random.default_rng(0)
    for shape in shapes:
        x = rng.standard_normal(shape).astype(dtype)
        labels = rng.integers(0, shape[-1], shape[:-1])
        operands: dict[str, Any] = {"x": x, "labels": labels, "out": np.empty_like(x)}
        title = f"{SOFTMAX}, {text(shape)}"
        yield Task(SOFTMAX, f"vk.{SOFTMAX}(x, labels)", operands, ("x",), shape, title=title)
        name = f"{SOFTMAX}_value_and_grad"
        statement = f"vk.{name}(x, labels, out=out)"
        yield Task(name, statement, operands, ("x", "out"), shape, title=f"{title}, with gradient")
