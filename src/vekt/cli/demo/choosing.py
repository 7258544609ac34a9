"""The notes' "choosing an activation": the same network with each activation of the package."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.progress import Progress
from rich.table import Table

from vekt import optim
from vekt._spec.activations import OPS
from vekt.cli.demo.learning import SEED, digits, points
from vekt.cli.demo.notes import Split
from vekt.cli.environment import thread_limit
from vekt.cli.screen import table
from vekt.network import Network

UNITS = {"digits": (64, 64, 32, 10), "points": (2, 16, 8, 1)}
EPOCHS = {"digits": 40, "points": 300}
_TURNS = 5  # in which all learn, so that what else the machine does slows none alone
_RATES = {"digits": 0.001, "points": 0.01}


def hidden_activations() -> list[str]:
    """Names of those that take any number, and "prelu", which learns."""
    whole = (-math.inf, math.inf)
    return [name for name, op in OPS.items() if op.kernels[0].domain == whole] + ["prelu"]


def measure_activations(
    progress: Progress, quick: bool, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Train with each, from the same weights and with the same batches: digits, and points.

    Returns
    -------
    dict
        units and epochs for both, and "rows": activation; of the digits cost in the last epoch,
        accuracy on held-out samples, and the least seconds of an epoch on one thread; of the points
        the accuracy.
    """
    epochs = {data: n // 4 if quick else n for data, n in EPOCHS.items()}
    names = hidden_activations() if names is None else names
    splits = {"digits": digits(), "points": points()}
    learners = {(name, data): _Learner(name, data) for name in names for data in splits}
    bar = progress.add_task("activations", total=len(learners) * _TURNS)
    with thread_limit(1):
        for _ in range(_TURNS):
            for (_, data), learner in learners.items():
                learner.learn(splits[data], epochs[data] // _TURNS)
                progress.advance(bar)
    rows: list[dict[str, Any]] = [
        {
            "activation": name,
            **{data: learners[name, data].accuracy(split) for data, split in splits.items()},
            "cost": learners[name, "digits"].network.costs[-1],
            "epoch_seconds": learners[name, "digits"].seconds,
        }
        for name in names
    ]
    rows.sort(key=lambda row: -row["digits"] - row["points"])
    return {"units": UNITS, "epochs": epochs, "rows": rows}


class _Learner:
    """A network that learns now and then, and the seconds of its quickest epoch."""

    def __init__(self, activation: str, data: str) -> None:
        output = "softmax" if data == "digits" else "sigmoid"
        made: Any = {"output": output, "dtype": np.float32, "seed": SEED}
        self.network = Network(UNITS[data], activation, **made)
        self.optimizer = optim.Adam(_RATES[data])
        self.seconds = math.inf

    def learn(self, split: Split, epochs: int) -> None:
        """Go on for so many epochs."""
        for _ in range(epochs):
            begin = time.perf_counter()
            self.network.fit(split.X, split.Y, optimizer=self.optimizer, epochs=1, batch_size=32)
            self.seconds = min(self.seconds, time.perf_counter() - begin)

    def accuracy(self, split: Split) -> float:
        """Share of held-out samples that are told right."""
        A, Y = self.network.predict(split.X_held_out), split.Y_held_out
        right = A.argmax(0) == Y if len(A) > 1 else (A > 0.5) == (Y > 0.5)
        return float(np.mean(right))


CHOOSING_HEAD = ("activation", "points", "digits", "cost", "ms for an epoch")


def choosing_rows(results: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the results as rows of a table with CHOOSING_HEAD."""
    return [
        (
            row["activation"],
            f"{row['points']:.1%}",
            f"{row['digits']:.1%}",
            f"{row['cost']:.4f}",
            f"{row['epoch_seconds'] * 1e3:.2f}",
        )
        for row in results["rows"]
    ]


def activations_table(results: dict[str, Any]) -> Table:
    """Show the activations, best first."""
    result = table(
        "Choosing an activation: held-out accuracy",
        *CHOOSING_HEAD,
        caption="Cost and time are those of the digits, on one thread.",
    )
    for row in choosing_rows(results):
        result.add_row(*row)
    return result
