"""Elementwise functions on operands of every layout, against NumPy's own."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vekt import elementwise
from vekt._spec.elementwise import OPS

from .common import DTYPES, SIZES, Timed, normal, refuse_gaps

LIBRARIES = ("vekt", "numpy")
ELEMENTS = 10_000_000


def multiply_add(a, b, c, out):
    """Write multiply_add as NumPy users do."""
    np.multiply(a, b, out=out)
    np.add(out, c, out=out)


def where(condition, x, y, out):
    """Write where with an output as NumPy users do."""
    np.copyto(out, np.where(condition, x, y))


NUMPY = {name: getattr(np, op.numpy) for name, op in OPS.items() if op.numpy}
NUMPY |= {"multiply_add": multiply_add, "scale_shift": multiply_add, "where": where}
NUMPY["clip"] = lambda x, low, high, out: np.clip(x, low, high, out=out)
for _name in ("erf", "erfc"):
    NUMPY[_name] = lambda x, out, name=_name: getattr(import_module("scipy.special"), name)(x, out)
NUMPY["rsqrt"] = lambda x, out: np.reciprocal(np.sqrt(x, out), out)
FUNCTIONS = tuple(NUMPY)

refuse_gaps("vekt.elementwise", FUNCTIONS)

LAYOUTS = {
    "channels": lambda n: ((n // 3 + 1, 3), (3,)),
    "rows": lambda n: ((n // 1000 + 1, 1000), (1000,)),
    "columns": lambda n: ((n // 1000 + 1, 1000), (n // 1000 + 1, 1)),
    "outer": lambda n: ((int(n**0.5) + 1, 1), (1, int(n**0.5) + 1)),
    "transposed": lambda n: ((int(n**0.5) + 1,) * 2, "T"),
    "uint8": lambda n: ((n // 3 + 1, 3), (3,)),
    "five": lambda n: ((n // 58500 + 1, 10, 5, 390, 3), (1, 10, 1, 390, 1)),
}


def call_of(function, library):
    """Return the function of one of the two libraries."""
    return getattr(elementwise, function) if library == "vekt" else NUMPY[function]


def operands(function, dtype, n):
    """Return contiguous arrays that are in the domain of every function."""
    arrays = [np.abs(normal(dtype, n, seed)) + 1 for seed in range(len(OPS[function].inputs))]
    if function == "where":
        arrays[0] = arrays[0] > 1.5
    return arrays


class TimeContiguous(Timed):
    """Ten million elements, in calls of `size`."""

    params = (FUNCTIONS, SIZES, DTYPES, LIBRARIES)
    param_names = ("function", "size", "dtype", "library")
    version = "1"

    def setup(self, function, size, dtype, library):
        self.call = call_of(function, library)
        self.operands = operands(function, dtype, size)
        self.out = np.zeros(size, elementwise_dtype(function, dtype))
        self.calls = range(ELEMENTS // size)
        self.call(*self.operands, out=self.out)

    def time_call(self, function, size, dtype, library):
        call, arrays, out = self.call, self.operands, self.out
        for _ in self.calls:
            call(*arrays, out=out)


def elementwise_dtype(function, dtype):
    """Return the dtype of the results."""
    return getattr(elementwise, function)(*operands(function, dtype, 1)).dtype


class TimeLayouts(Timed):
    """Sums of ten million elements of two layouts."""

    params = (tuple(LAYOUTS), DTYPES, LIBRARIES)
    param_names = ("layout", "dtype", "library")
    yardstick = "memcpy"
    version = "1"

    def setup(self, layout, dtype, library):
        self.call = call_of("add", library)
        first, second = LAYOUTS[layout](ELEMENTS)
        self.a = normal(dtype, int(np.prod(first))).reshape(first)
        self.b = (
            self.a.T if second == "T" else normal(dtype, int(np.prod(second)), 1).reshape(second)
        )
        if layout == "uint8":
            self.a = (np.abs(self.a) * 60).astype("u1")
        self.out = np.zeros(np.broadcast_shapes(self.a.shape, self.b.shape), dtype)
        self.call(self.a, self.b, out=self.out)

    def time_call(self, layout, dtype, library):
        self.call(self.a, self.b, out=self.out)


class TimeReference(Timed):
    """The oracle: one call on a thousand elements."""

    params = (FUNCTIONS, DTYPES)
    param_names = ("function", "dtype")
    version = "1"

    def setup(self, function, dtype):
        self.call = getattr(import_module("vekt.reference"), function)
        self.operands = operands(function, dtype, 1000)
        self.call(*self.operands)

    def time_call(self, function, dtype):
        self.call(*self.operands)
