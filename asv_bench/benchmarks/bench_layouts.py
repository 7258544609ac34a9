"""Calls off the straight path: options, layouts and dtypes that few think of."""

from __future__ import annotations

import numpy as np

import vekt as vk

from .common import normal

LIBRARIES = ("vekt", "numpy")


def misaligned(x):
    """Return the array at an address that is no multiple of its alignment."""
    view = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def library(namespace):
    """Return vekt or NumPy."""
    return vk if namespace == "vekt" else np


class TimeElementwise:
    """One call with an option, or on operands that are copied first."""

    params = (
        ("add", "exp", "power"),
        ("where", "dtype", "swapped", "misaligned"),
        ("float32", "float64", "int64"),
        (10, 1000, 1_000_000),
        LIBRARIES,
    )
    param_names = ("function", "case", "dtype", "size", "namespace")
    version = "1"

    def setup(self, function, case, dtype, size, namespace):
        self.call = getattr(library(namespace), function)
        x = np.abs(normal("float64", size) * 3).astype(dtype)
        change = {"swapped": lambda a: a.astype(a.dtype.newbyteorder()), "misaligned": misaligned}
        self.operands = [change.get(case, lambda a: a)(x)] * (1 if function == "exp" else 2)
        result = np.asarray(self.call(*self.operands))
        self.options = {
            "where": {"where": np.arange(size) % 3 > 0, "out": np.zeros_like(result)},
            "dtype": {"dtype": result.dtype},
        }.get(case, {})

    def time_call(self, function, case, dtype, size, namespace):
        self.call(*self.operands, **self.options)


class TimeComplexVectors:
    """Products of complex vectors and matrices."""

    params = (
        ("vecdot", "matvec", "vecmat", "matmul"),
        ((10_000, 3), (100, 100), (300, 300), (3200, 288)),
        ("complex64", "complex128"),
        ("rows", "columns"),
        LIBRARIES,
    )
    param_names = ("function", "shape", "dtype", "contiguous", "namespace")
    version = "1"

    def setup(self, function, shape, dtype, contiguous, namespace):
        self.call = getattr(library(namespace), function)
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

    def time_call(self, function, shape, dtype, contiguous, namespace):
        self.call(*self.operands)


class TimeSmallNorms:
    """Norms of other orders than the usual ones, of few numbers."""

    params = ((3, 0.5, -1), (10, 1000), ("float16", "float32", "float64", "int64"), LIBRARIES)
    param_names = ("ord", "size", "dtype", "namespace")
    version = "1"

    def setup(self, ord, size, dtype, namespace):
        self.call = vk.norm if namespace == "vekt" else np.linalg.norm
        self.x = (normal("float64", size) * 3 + 9).astype(dtype)

    def time_call(self, ord, size, dtype, namespace):
        self.call(self.x, ord)
