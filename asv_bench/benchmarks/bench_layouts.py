"""Calls off the straight path: options, layouts and dtypes that few think of."""

from __future__ import annotations

import numpy as np

import vekt as vk

from .common import Timed, normal

LIBRARIES = ("vekt", "numpy")


def misaligned(x):
    """Return the array at an address that is no multiple of its alignment."""
    view = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def module_of(library):
    """Return vekt or NumPy."""
    return vk if library == "vekt" else np


class TimeElementwise(Timed):
    """One call with an option, or on operands that are copied first."""

    params = (
        ("add", "exp", "power"),
        ("where", "dtype", "swapped", "misaligned"),
        ("float32", "float64", "int64"),
        (10, 1000, 1_000_000),
        LIBRARIES,
    )
    param_names = ("function", "case", "dtype", "size", "library")
    version = "1"

    def setup(self, function, case, dtype, size, library):
        self.call = getattr(module_of(library), function)
        x = np.abs(normal("float64", size) * 3).astype(dtype)
        change = {"swapped": lambda a: a.astype(a.dtype.newbyteorder()), "misaligned": misaligned}
        self.operands = [change.get(case, lambda a: a)(x)] * (1 if function == "exp" else 2)
        result = np.asarray(self.call(*self.operands))
        self.options = {
            "where": {"where": np.arange(size) % 3 > 0, "out": np.zeros_like(result)},
            "dtype": {"dtype": result.dtype},
        }.get(case, {})

    def time_call(self, function, case, dtype, size, library):
        self.call(*self.operands, **self.options)


class TimeComplexVectors(Timed):
    """Products of complex vectors and matrices."""

    params = (
        ("vecdot", "matvec", "vecmat", "matmul"),
        ((10_000, 3), (100, 100), (300, 300), (3200, 288)),
        ("complex64", "complex128"),
        ("rows", "columns"),
        LIBRARIES,
    )
    param_names = ("function", "shape", "dtype", "contiguous", "library")
    version = "1"

    def setup(self, function, shape, dtype, contiguous, library):
        self.call = getattr(module_of(library), function)
        rows, columns = shape
        a = (normal("float64", rows * columns).reshape(shape) * (1 + 2j)).astype(dtype)
        a = np.asfortranarray(a) if contiguous == "columns" else a
        x, y = a[0].copy(), a[:, 0].copy()
        self.operands = {
            "vecdot": (a, a),
            "matvec": (a, x),
            "vecmat": (y, a),
            "matmul": (y, a),
        }[function]
        self.call(*self.operands)

    def time_call(self, function, shape, dtype, contiguous, library):
        self.call(*self.operands)


class TimeSmallNorms(Timed):
    """Norms of other orders than the usual ones, of few numbers."""

    params = ((3, 0.5, -1), (10, 1000), ("float16", "float32", "float64", "int64"), LIBRARIES)
    param_names = ("ord", "size", "dtype", "library")
    version = "1"

    def setup(self, ord, size, dtype, library):
        self.call = vk.norm if library == "vekt" else np.linalg.norm
        self.x = (normal("float64", size) * 3 + 9).astype(dtype)

    def time_call(self, ord, size, dtype, library):
        self.call(self.x, ord)


class TimeSingleValues(Timed):
    """One value, or one for each row, beside a matrix; limits of which one is not given."""

    params = (
        ("column", "number", "complex", "limit", "truth"),
        ("bool", "int8", "float32", "complex128"),
        ((1, 10), (300, 300)),
        LIBRARIES,
    )
    param_names = ("case", "dtype", "shape", "library")
    version = "1"

    def setup(self, case, dtype, shape, library):
        functions = {"limit": "clip", "truth": "logical_and"}
        self.call = getattr(module_of(library), functions.get(case, "maximum"))
        x = (normal("float64", shape[0] * shape[1]).reshape(shape) * 3).astype(dtype)
        others = {"column": (x[:, :1].copy(),), "complex": (1j,), "limit": (1, None)}
        self.operands = (x, *others.get(case, (1,)))
        self.call(*self.operands)

    def time_call(self, case, dtype, shape, library):
        self.call(*self.operands)


class TimeReductionsApart(Timed):
    """Reductions of elements that do not lie side by side, or of which the first ones decide."""

    params = (
        ("sum", "mean", "max", "any", "all", "argmax"),
        ("bool", "int64", "float64", "complex128"),
        ("contiguous", "strided", "reversed"),
        (None, 0, 1),
        LIBRARIES,
    )
    param_names = ("function", "dtype", "layout", "axis", "library")
    version = "1"

    def setup(self, function, dtype, layout, axis, library):
        self.call = getattr(module_of(library), function)
        x = (normal("float64", 180_000).reshape(300, 600) * 2).astype(dtype)
        self.x = {"contiguous": x[:, :300].copy(), "strided": x[:, ::2], "reversed": x[:, ::-1]}[
            layout
        ]
        self.axis = axis
        self.call(self.x, axis=axis)

    def time_call(self, function, dtype, layout, axis, library):
        self.call(self.x, axis=self.axis)


class TimeProductsApart(Timed):
    """Products of few rows by matrices without contiguous lines, and of truth values."""

    params = (
        ((1, 1000, 1000), (3, 300, 300), (10, 1000, 10)),
        ("bool", "complex64", "complex128"),
        ("contiguous", "columns", "strided"),
        LIBRARIES,
    )
    param_names = ("shape", "dtype", "layout", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, shape, dtype, layout, library):
        m, k, n = shape
        self.call = module_of(library).matmul
        self.a = normal("float64", m * k).reshape(m, k).astype(dtype)
        b = normal("float64", k * n * 2).reshape(k, 2 * n).astype(dtype)
        self.b = {"contiguous": b[:, :n].copy(), "strided": b[:, ::2]}.get(layout)
        if layout == "columns":
            self.b = np.asfortranarray(b[:, :n])
        self.call(self.a, self.b)

    def time_call(self, shape, dtype, layout, library):
        self.call(self.a, self.b)
