"""The notes' networks on real and generated data: costs, and what they know of held-out samples."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from rich.table import Table

from vekt.cli.demo.notes import Split, breast_cancer
from vekt.cli.environment import thread_limit
from vekt.cli.screen import table
from vekt.network import Network, logistic_regression

Array = NDArray[Any]

SEED = 0


class Task(NamedTuple):
    """Data, a network for them and how it learns; samples in columns."""

    name: str
    data: Callable[[], Split]
    units: tuple[int, ...]
    activation: str
    output: str
    options: dict[str, Any]

    def networks(self) -> tuple[Network, Network]:
        """Return the network, and its linear twin: the output layer alone."""
        made: Any = {"output": self.output, "seed": SEED}
        linear = [self.units[0], self.units[-1]]
        if len(self.units) == 2:
            return (logistic_regression(self.units[0]),) * 2
        return Network(self.units, self.activation, **made), Network(linear, **made)

    def score(self, network: Network, data: Split) -> float:
        """Share of held-out samples that are told right; for regression R^2, what is explained."""
        A, Y = network.predict(data.X_held_out), data.Y_held_out
        if self.output == "softmax":
            return float(np.mean(A.argmax(0) == Y))
        if self.output == "sigmoid":
            return float(np.mean((A > 0.5) == (Y > 0.5)))
        return 1 - float(np.sum((A - Y) ** 2) / np.sum((Y - Y.mean()) ** 2))


def digits() -> Split:
    """Scikit-learn's digits: 1797 pictures of 8x8 grey pixels, and labels."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return _split(pixels / 16, labels, labels)


def points() -> Split:
    """Red points within a clover leaf, green ones around it."""
    rng = np.random.default_rng(SEED)
    X = rng.uniform(-2, 2, (1200, 2))
    radius, angle = np.hypot(*X.T), np.arctan2(*X.T)
    red = radius < 1.3 + 0.5 * np.cos(3 * angle)
    return _split(X, red.astype(float)[:, None], red, 0.75)


def diabetes() -> Split:
    """Scikit-learn's diabetes data, standardised: ten features, and the disease a year later."""
    from sklearn.datasets import load_diabetes

    features, progression = load_diabetes(return_X_y=True)
    return _split(_standard(features), _standard(progression)[:, None])


def friedman(m: int = 1500) -> Split:
    """Friedman's function of five features, with noise, among ten; standardised."""
    rng = np.random.default_rng(SEED)
    X = rng.random((m, 10))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
    y += 10 * X[:, 3] + 5 * X[:, 4] + rng.standard_normal(m)
    return _split(_standard(X), _standard(y)[:, None])


def _standard(x: Array) -> Array:
    standard: Array = (x - x.mean(0)) / x.std(0)
    return standard


def _split(x: Array, y: Array, strata: Array | None = None, held_out: float = 0.25) -> Split:
    """Hold a part out; samples go from rows to columns, labels stay as they are."""
    from sklearn.model_selection import train_test_split

    x, x_held_out, y, y_held_out = train_test_split(
        x, y, test_size=held_out, random_state=SEED, stratify=strata
    )
    return Split(*(np.ascontiguousarray(a.T) for a in (x, y, x_held_out, y_held_out)))


def _tumours() -> Split:
    data = breast_cancer()
    return data._replace(Y=data.Y[None], Y_held_out=data.Y_held_out[None])


_ADAM: dict[str, Any] = {"optimizer": "adam", "batch_size": 32}
TASKS = (
    Task("breast cancer", _tumours, (30, 1), "", "sigmoid", {"lr": 0.3, "epochs": 300}),
    Task(
        "digits", digits, (64, 128, 64, 10), "relu", "softmax", {**_ADAM, "lr": 0.001, "epochs": 60}
    ),
    Task(
        "green and red points",
        points,
        (2, 16, 8, 1),
        "tanh",
        "sigmoid",
        {**_ADAM, "lr": 0.01, "epochs": 300},
    ),
    Task(
        "diabetes",
        diabetes,
        (10, 16, 1),
        "tanh",
        "linear",
        {**_ADAM, "lr": 0.003, "epochs": 100, "l2": 1.0},
    ),
    Task(
        "Friedman's function",
        friedman,
        (10, 32, 16, 1),
        "tanh",
        "linear",
        {**_ADAM, "lr": 0.003, "epochs": 100},
    ),
)


class Learnt(NamedTuple):
    """What came of a task: the network, its linear twin, and how long the network took."""

    data: Split
    network: Network
    linear: Network
    seconds: float


def learn(task: Task) -> Learnt:
    """Run a task on one thread."""
    data = task.data()
    network, linear = task.networks()
    with thread_limit(1):
        begin = time.perf_counter()
        network.fit(data.X, data.Y, **task.options)
        seconds = time.perf_counter() - begin
        if linear is not network:
            linear.fit(data.X, data.Y, **task.options)
    return Learnt(data, network, linear, seconds)


def measure_learning(progress: Progress, quick: bool) -> list[dict[str, Any]]:
    """Run all tasks, which are quick.

    Returns
    -------
    list of dict
        data, units, activation, output, samples, held_out, epochs, seconds; costs of all epochs;
        score of the held-out samples, and linear, that of the linear twin.
    """
    bar = progress.add_task("learning", total=len(TASKS))
    results = []
    for task in TASKS:
        learnt = learn(task)
        data = learnt.data
        results.append(
            {
                "data": task.name,
                "units": list(task.units),
                "activation": task.activation,
                "output": task.output,
                "samples": data.X.shape[1],
                "held_out": data.X_held_out.shape[1],
                "epochs": task.options["epochs"],
                "seconds": learnt.seconds,
                "costs": learnt.network.costs,
                "score": task.score(learnt.network, data),
                "linear": task.score(learnt.linear, data),
            }
        )
        progress.advance(bar)
    return results


LEARNING_HEAD = ("data", "network", "samples", "epochs", "s", "cost", "held out", "linear model")


def learning_rows(results: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the results as rows of a table with LEARNING_HEAD."""
    rows: list[tuple[str, ...]] = []
    for row in results:
        units = "-".join(map(str, row["units"]))
        inner = f" {row['activation']}" if row["activation"] else ""
        scores = [
            f"R² = {row[key]:.3f}" if row["output"] == "linear" else f"{row[key]:.1%}"
            for key in ("score", "linear")
        ]
        rows.append(
            (
                row["data"],
                f"{units}{inner}, {row['output']}",
                f"{row['samples']} + {row['held_out']}",
                str(row["epochs"]),
                f"{row['seconds']:.2f}",
                f"{row['costs'][-1]:.4f}",
                scores[0],
                scores[1] if len(row["units"]) > 2 else "the same",
            )
        )
    return rows


def learning_table(results: list[dict[str, Any]]) -> Table:
    """Show what was learnt."""
    result = table("Networks, one thread", *LEARNING_HEAD)
    for row in learning_rows(results):
        result.add_row(*row)
    return result
