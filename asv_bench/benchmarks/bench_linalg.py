"""Products, against NumPy's own."""

from __future__ import annotations

from importlib import import_module

from vekt import linalg

from .common import DTYPES, SIZES, normal, refuse_gaps

PRODUCTS = ("dot",)
NAMESPACES = {"vekt": "vekt", "jit": "vekt.jit", "numpy": "numpy"}
ELEMENTS = 10_000_000

refuse_gaps(linalg.__all__, PRODUCTS)


class TimeVectors:
    """Ten million products in calls of `size`."""

    params = (PRODUCTS, DTYPES, SIZES, tuple(NAMESPACES))
    param_names = ("function", "dtype", "size", "namespace")
    version = "1"

    def setup(self, function, dtype, size, namespace):
        self.call = getattr(import_module(NAMESPACES[namespace]), function)
        self.a = normal(dtype, size)
        self.b = normal(dtype, size, 1)
        self.calls = range(ELEMENTS // size)
        self.call(self.a, self.b)

    def time_call(self, function, dtype, size, namespace):
        call, a, b = self.call, self.a, self.b
        for _ in self.calls:
            call(a, b)


class TimeReference:
    """The oracle: one call of a thousand elements."""

    params = (PRODUCTS, DTYPES)
    param_names = ("function", "dtype")
    version = "1"

    def setup(self, function, dtype):
        self.call = getattr(import_module("vekt.reference"), function)
        self.a = normal(dtype, 1_000)
        self.b = normal(dtype, 1_000, 1)
        self.call(self.a, self.b)

    def time_call(self, function, dtype):
        self.call(self.a, self.b)
