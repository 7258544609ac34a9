"""What `vekt compare` measures of optimisers: one step over a tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

import vekt as vk
from vekt.cli.compare.tasks import Task

# Which states each of them keeps; m of momentum, v of squares.
OPTIMISERS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("m",),
    "rmsprop": ("v",),
    "adam": ("m", "v"),
    "adamw": ("m", "v"),
}
RATE = 1e-3


def optim_tasks(names: Iterable[str], n: int, dtype: str) -> Iterator[Task]:
    """One step of each; the states are read and written, and so are the parameters."""
    rng = np.random.default_rng(0)
    p, g = (rng.standard_normal(n).astype(dtype) for _ in range(2))
    for name in names:
        states = OPTIMISERS[name]
        operands: dict[str, Any] = {
            "p": p.copy(),
            "g": g,
            "m": np.zeros_like(p),
            "v": np.zeros_like(p),
            "t": np.empty_like(p),
            "optimizer": vk.optim.get(name, lr=RATE),
        }
        operands |= {"x": g, "out": operands["p"]}  # what a copy of as many bytes is measured with
        yield Task(
            name,
            "optimizer.step([p], [g])",
            operands,
            ("g", *(("p", *states) * 2)),
            (n,),
            title=f"step of {name}",
        )
