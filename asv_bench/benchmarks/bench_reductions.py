"""Sums, means, extremes, positions and truth, against NumPy's own."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vekt import reductions

from .common import SIZES, Timed, normal, refuse_gaps

LIBRARIES = ("vekt", "numpy")
DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int64")
SHAPES = {
    "100000x10, 1": ((100_000, 10), 1),
    "1000x1000, 0": ((1000, 1000), 0),
    "64x50000, 0": ((64, 50_000), 0),
    "64x50000, 1": ((64, 50_000), 1),
    "1000x100x3, 1": ((1000, 100, 3), 1),
    "750x750x3, (0, 1)": ((750, 750, 3), (0, 1)),
}
ELEMENTS = 10_000_000
AXES = tuple(name for name in reductions.__all__ if "_to" not in name)


def numpy_sum_to_shape(x, shape):
    """Write sum_to_shape for a row as NumPy users do."""
    return np.sum(x, axis=0)


def numpy_moments(x, axis):
    """Write moments as NumPy users do."""
    return np.mean(x, axis), np.var(x, axis)


SHAPED = {"sum_to_shape": numpy_sum_to_shape, "broadcast_to": np.broadcast_to}

refuse_gaps("vekt.reductions", (*AXES, *SHAPED))


def array(dtype, shape):
    """Return numbers of both signs, or 0 to 255; none is zero."""
    size = int(np.prod(shape))
    numbers = normal("float32", size) * 40
    if dtype == "uint8":
        numbers = np.abs(numbers) + 1
    return np.where(numbers == 0, 1, numbers).astype(dtype).reshape(shape)


class TimeAxes(Timed):
    """One call on one to three million elements."""

    params = (AXES, tuple(SHAPES), DTYPES, LIBRARIES)
    param_names = ("function", "shape", "dtype", "library")
    version = "2"

    def setup(self, function, shape, dtype, library):
        shape, self.axis = SHAPES[shape]
        if function.startswith(("arg", "cum")) and isinstance(self.axis, tuple):
            raise NotImplementedError
        self.call = getattr(reductions, function)
        if library != "vekt":
            self.call = getattr(np, function, numpy_moments)
        self.x = array(dtype, shape)
        if function.endswith("prod"):  # whose results stay finite
            self.x = np.ones_like(self.x)
        self.call(self.x, self.axis)

    def time_call(self, function, shape, dtype, library):
        self.call(self.x, self.axis)


class TimeSizes(Timed):
    """Ten million numbers, in calls of `size`."""

    params = (("sum", "max", "argmax"), SIZES, DTYPES, LIBRARIES)
    param_names = ("function", "size", "dtype", "library")
    version = "1"

    def setup(self, function, size, dtype, library):
        self.call = getattr(reductions if library == "vekt" else np, function)
        self.x = array(dtype, (size,))
        self.calls = range(ELEMENTS // size)
        self.call(self.x)

    def time_call(self, function, size, dtype, library):
        call, x = self.call, self.x
        for _ in self.calls:
            call(x)


class TimeShapes(Timed):
    """The gradient of a row that was broadcast, and the broadcast."""

    params = (tuple(SHAPED), LIBRARIES)
    param_names = ("function", "library")
    version = "1"

    def setup(self, function, library):
        self.call = getattr(reductions, function) if library == "vekt" else SHAPED[function]
        x = array("float32", (1000, 1000))
        self.operands = (x, (1000,)) if function == "sum_to_shape" else (x[0], x.shape)
        self.call(*self.operands)

    def time_call(self, function, library):
        self.call(*self.operands)


class TimeCompiled(Timed):
    """A call in a compiled function, on the rows of a thousand numbers each, beside Numba's own."""

    params = (("sum", "max", "var", "prod", "argmax", "cumsum"), ("jit", "numpy"))
    param_names = ("function", "library")
    version = "1"

    def setup(self, function, library):
        scope = {"home": reductions if library == "jit" else np}
        last = "[-1]" if function == "cumsum" else ""
        lines = f"def rows(x, y):\n  for i in range(len(x)): y[i] = home.{function}(x[i]){last}"
        exec(lines, scope)
        self.call = import_module("numba").njit(scope["rows"])
        self.x = array("float64", (1000, 1000)) ** (function != "prod")  # whose results stay finite
        self.y = np.empty(1000)
        self.call(self.x, self.y)

    def time_rows(self, function, library):
        self.call(self.x, self.y)


class TimeReference(Timed):
    """The oracle: one call on a thousand elements."""

    params = (AXES,)
    param_names = ("function",)
    version = "1"

    def setup(self, function):
        self.call = getattr(import_module("vekt.reference"), function, None)
        if self.call is None:
            raise NotImplementedError
        self.x = array("float32", (25, 40))
        self.call(self.x, 1)

    def time_call(self, function):
        self.call(self.x, 1)
