"""softmax and its kin, over short, middle and long rows along the last and the first axis."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vekt._spec.rows import ROW_OPS

from .common import DTYPES, Timed, normal, refuse_gaps

SHAPES = ((100_000, 10), (4096, 1000), (64, 50_000))
FUNCTIONS = tuple(name for op in ROW_OPS.values() for name in op.public_names)
NAMESPACES = {"vekt": "vekt", "jit": "vekt.jit", "reference": "vekt.reference"}


def softmax(x, axis):
    """Write softmax as NumPy users do."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def operands(name, dtype, shape, axis):
    """Return what a function of rows takes."""
    x = normal(dtype, shape[0] * shape[1]).reshape(shape)
    if not name.endswith("_backward"):
        return (x,)
    forward = import_module("vekt").rows
    y = getattr(forward, name.removesuffix("_backward"))(x, axis)
    return (y, x) if name == "logsumexp_backward" else (x, y)


class TimeRows(Timed):
    """One call on a matrix of one to four million elements."""

    params = (FUNCTIONS, DTYPES, SHAPES, (-1, 0))
    param_names = ("function", "dtype", "shape", "axis")
    version = "1"

    def setup(self, function, dtype, shape, axis):
        self.call = getattr(import_module("vekt"), function)
        self.operands = operands(function, dtype, shape, axis)
        out = {} if function == "logsumexp" else {"out": np.empty(shape, dtype)}
        self.options = {"axis": axis, **out}
        self.call(*self.operands, **self.options)

    def time_call(self, function, dtype, shape, axis):
        self.call(*self.operands, **self.options)


class TimeTwins(Timed):
    """One call on a thousand short rows: the twins, and softmax as NumPy users write it."""

    params = (tuple(ROW_OPS), DTYPES, (*NAMESPACES, "numpy"))
    param_names = ("function", "dtype", "library")
    version = "1"

    def setup(self, function, dtype, library):
        if library == "numpy" and function != "softmax":
            raise NotImplementedError
        module = NAMESPACES.get(library)
        self.call = getattr(import_module(module), function) if module else softmax
        self.x = normal(dtype, 10_000).reshape(1000, 10)
        self.call(self.x, axis=-1)

    def time_call(self, function, dtype, library):
        self.call(self.x, axis=-1)


refuse_gaps("vekt.rows", FUNCTIONS)
