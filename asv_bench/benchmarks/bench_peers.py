"""One operation of each family beside every library that has it, as `vekt compare` calls them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

import vekt
from vekt._spec.activations import OPS
from vekt.cli.cases import Case
from vekt.cli.compare.linear_tasks import dense_tasks, dot_task, product_tasks
from vekt.cli.compare.tasks import Task, elementwise_tasks, row_tasks
from vekt.cli.peers import CONSTANTS, PEERS, UnsupportedError

from .common import Timed, normal

SIZE = 100_000
LIBRARIES = ("vekt", "numpy", "scipy", "numexpr", "torch", "jax")


def activation(name):
    """Return the task of an activation."""
    return next(elementwise_tasks([Case(OPS[name], OPS[name].kernels[0], {})], SIZE, "float32"))


def sum_task(shape):
    """Return the task of a sum along the last axis."""
    x = normal("float32", shape[0] * shape[1]).reshape(shape)
    return Task("sum", "vk.sum(x, axis)", {"x": x, "axis": 1, "out": x}, ("x",), shape)


ELEMENTWISE = {
    "silu of 100,000": lambda: activation("silu"),
    "sigmoid of 100,000": lambda: activation("sigmoid"),
    "softmax of 100 x 1,000": lambda: next(row_tasks(["softmax"], (100, 1000), "float32")),
    "sum of 1,000 x 1,000": lambda: sum_task((1000, 1000)),
}
PRODUCTS = {
    "dot of 100,000": lambda: dot_task(SIZE, "float32"),
    "matmul of 256 x 256": lambda: next(product_tasks([(256, 256, 256)], "float32")),
    "dense of 64 x 256 x 256": lambda: next(dense_tasks([(64, 256, 256)], "float32", False)),
}


@lru_cache(maxsize=1)  # for all samples
def call_of(make_task, library):
    """Return a function that does the task with a library; NotImplementedError without one."""
    task = make_task()
    names = {"vk": vekt, "np": np, **task.operands}
    names |= {name: np.float32(value) for name, value in CONSTANTS.items()}
    statement = task.statement
    if library != "vekt":
        peer = PEERS[library]
        try:
            statement = peer.statements[task.name]
            names |= peer.load(1) | peer.bind(task.name, task.operands)
        except (ImportError, KeyError, UnsupportedError) as error:
            raise NotImplementedError(f"{library} has no {task.name} here") from error
    exec(f"def call():\n    {statement}", names)
    return names["call"]


class TimeElementwise(Timed):
    """Activations, rows and sums, in float32."""

    params = (tuple(ELEMENTWISE), LIBRARIES)
    param_names = ("operation", "library")
    tags = ("smoke",)
    version = "1"

    def setup(self, operation, library):
        self.call = call_of(ELEMENTWISE[operation], library)
        self.call()

    def time_call(self, operation, library):
        self.call()


class TimeProducts(Timed):
    """Products and a dense layer, in float32."""

    params = (tuple(PRODUCTS), LIBRARIES)
    param_names = ("operation", "library")
    tags = ("smoke",)
    yardstick = "fma"
    version = "1"

    def setup(self, operation, library):
        self.call = call_of(PRODUCTS[operation], library)
        self.call()

    def time_call(self, operation, library):
        self.call()
