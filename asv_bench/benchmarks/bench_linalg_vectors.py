"""Norms, angles, outer products and transposed copies, against NumPy's own."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vekt.linalg import _vectors

from .common import DTYPES, SIZES, Timed, normal, refuse_gaps

LIBRARIES = ("vekt", "numpy")
SHAPES = ((100_000, 10), (1000, 1000), (64, 50_000))
ELEMENTS = 10_000_000


def cosine_similarity(a, b, axis=-1):
    """Write cosine_similarity as NumPy users do."""
    return np.vecdot(a, b) / (np.linalg.norm(a, axis=axis) * np.linalg.norm(b, axis=axis))


NUMPY = {
    "norm": np.linalg.norm,
    "cosine_similarity": cosine_similarity,
    "outer": np.outer,
    "transpose_copy": lambda a, out=None: np.copyto(out, a.T),
}
FUNCTIONS = tuple(name for name in NUMPY if hasattr(_vectors, name))

refuse_gaps("vekt.linalg._vectors", FUNCTIONS)


def operands(function, dtype, shape):
    """Return what the function takes for a matrix of this shape, and its keywords."""
    rows, columns = shape
    x = normal(dtype, rows * columns).reshape(shape)
    return {
        "norm": ((x,), {"axis": -1}),
        "cosine_similarity": ((x, normal(dtype, x.size, 1).reshape(shape)), {}),
        "outer": ((x[:, 0].copy(), x[0]), {"out": np.empty_like(x)}),
        "transpose_copy": ((x,), {"out": np.empty((columns, rows), dtype)}),
    }[function]


class TimeMatrices(Timed):
    """One call that reads or writes a matrix of one to three million elements."""

    params = (FUNCTIONS, SHAPES, DTYPES, LIBRARIES)
    param_names = ("function", "shape", "dtype", "library")
    version = "1"

    def setup(self, function, shape, dtype, library):
        self.call = getattr(_vectors, function) if library == "vekt" else NUMPY[function]
        self.operands, self.options = operands(function, dtype, shape)
        self.call(*self.operands, **self.options)

    def time_call(self, function, shape, dtype, library):
        self.call(*self.operands, **self.options)


class TimeNorm(Timed):
    """Norms of ten million numbers, in calls of `size`."""

    params = ((None, 1, np.inf), SIZES, DTYPES, LIBRARIES)
    param_names = ("order", "size", "dtype", "library")
    version = "1"

    def setup(self, order, size, dtype, library):
        self.call = _vectors.norm if library == "vekt" else np.linalg.norm
        self.x = normal(dtype, size)
        self.calls = range(ELEMENTS // size)
        self.call(self.x, order)

    def time_call(self, order, size, dtype, library):
        call, x = self.call, self.x
        for _ in self.calls:
            call(x, order)


class TimeNormsAlong(Timed):
    """Norms along either axis, of elements that lie side by side or apart."""

    params = (
        (None, 1, -1, 3),
        (0, 1),
        ((300, 300), (1000, 3), (3, 1000)),
        ("dense", "strided"),
        ("float32", "float64", "complex128"),
        LIBRARIES,
    )
    param_names = ("order", "axis", "shape", "layout", "type", "library")
    version = "1"

    def setup(self, order, axis, shape, layout, dtype, library):
        self.call = _vectors.norm if library == "vekt" else np.linalg.norm
        x = normal("float64", 2 * np.prod(shape)).astype(dtype).reshape(shape[0], -1)
        self.x = x[:, ::2] if layout == "strided" else x[:, : shape[1]].copy()
        self.x[:, 0] = 0  # of negative orders the norm is 0
        self.time_call(order, axis, shape, layout, dtype, library)

    def time_call(self, order, axis, shape, layout, dtype, library):
        with np.errstate(divide="ignore"):
            self.call(self.x, order, axis)


class TimeReference(Timed):
    """The oracle: one call on a thousand elements."""

    params = (FUNCTIONS, DTYPES)
    param_names = ("function", "dtype")
    version = "1"

    def setup(self, function, dtype):
        self.call = getattr(import_module("vekt.reference"), function, None)
        if self.call is None:
            raise NotImplementedError
        self.operands, self.options = operands(function, dtype, (25, 40))
        self.options.pop("out", None)
        self.call(*self.operands, **self.options)

    def time_call(self, function, dtype):
        self.call(*self.operands, **self.options)
