"""Products, against NumPy's own."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vekt.cli.compare.linear_tasks import MIXED, NARROW, dtype_of, random

from .common import DTYPES, SIZES, Timed, normal, refuse_gaps

VECTORS = ("dot",)
# Two matrices, or a matrix and a vector, and the shapes of these for (m, k, n).
PRODUCTS = {
    "matmul": lambda m, k, n: ((m, k), (k, n)),
    "tensordot": lambda m, k, n: ((2, k, m // 2), (k, n)),
    "vecdot": lambda m, k, n: ((m, k), (m, k)),
    "matvec": lambda m, k, n: ((m, k), (k,)),
    "vecmat": lambda m, k, n: ((m,), (m, k)),
}
NAMESPACES = {"vekt": "vekt", "jit": "vekt.jit", "numpy": "numpy"}
LIBRARIES = ("vekt", "numpy")
ELEMENTS = 10_000_000

SQUARES = tuple((n, n, n) for n in (8, 16, 32, 64, 128, 256, 512, 1024))
LAYERS = (
    (32, 784, 128),
    (64, 1024, 1024),
    (1, 1024, 1024),
    (4, 1024, 1024),
    (128, 30, 1),
    (1797, 64, 32),
    (4096, 64, 64),
    (10, 64, 1797),
    (6000, 784, 10),
)
STACKS = ((64, 32, 32, 32), (1000, 8, 8, 8), (10_000, 9, 9, 9))

refuse_gaps("vekt.linalg", [*VECTORS, *PRODUCTS])


def matrices(dtype, shape, form=""):
    """Return a, b and room for their product; a or b may be stored transposed."""
    *stack, m, k, n = shape
    a = normal(dtype, m * k * int(np.prod(stack))).reshape(*stack, m, k)
    b = normal(dtype, k * n * int(np.prod(stack)), 1).reshape(*stack, k, n)
    if form == "a.T":
        a = a.reshape(*stack, k, m).swapaxes(-1, -2)
    if form == "b.T":
        b = b.reshape(*stack, n, k).swapaxes(-1, -2)
    return a, b, np.empty((*stack, m, n), dtype)


class TimeVectors(Timed):
    """Ten million products in calls of `size`."""

    params = (VECTORS, DTYPES, SIZES, tuple(NAMESPACES))
    param_names = ("function", "dtype", "size", "library")
    version = "1"

    def setup(self, function, dtype, size, library):
        self.call = getattr(import_module(NAMESPACES[library]), function)
        self.a = normal(dtype, size)
        self.b = normal(dtype, size, 1)
        self.calls = range(ELEMENTS // size)
        self.call(self.a, self.b)

    def time_call(self, function, dtype, size, library):
        call, a, b = self.call, self.a, self.b
        for _ in self.calls:
            call(a, b)


class TimeMatmul(Timed):
    """One product into an array that is there; stacks begin with their length."""

    params = ((*SQUARES, *LAYERS, *STACKS), DTYPES, LIBRARIES)
    param_names = ("shape", "dtype", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, shape, dtype, library):
        self.call = import_module(library).matmul
        self.a, self.b, self.out = matrices(dtype, shape)
        self.call(self.a, self.b, out=self.out)

    def time_call(self, shape, dtype, library):
        self.call(self.a, self.b, out=self.out)


class TimeTransposed(Timed):
    """One product with an operand that is stored transposed."""

    params = (((256,) * 3, (1024,) * 3, *LAYERS[:2]), ("a.T", "b.T"), DTYPES, LIBRARIES)
    param_names = ("shape", "form", "dtype", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, shape, form, dtype, library):
        self.call = import_module(library).matmul
        self.a, self.b, self.out = matrices(dtype, shape, form)
        self.call(self.a, self.b, out=self.out)

    def time_call(self, shape, form, dtype, library):
        self.call(self.a, self.b, out=self.out)


class TimeNarrow(Timed):
    """One product of 256 x 256 integers or 16-bit floats."""

    params = (tuple(name for name in NARROW if name != "bfloat16"), LIBRARIES)
    param_names = ("type", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, dtype, library):
        self.call = import_module(library).matmul
        self.a, self.b = random((256, 256), dtype), random((256, 256), dtype, 1)
        self.out = np.empty((256, 256), dtype_of(dtype))
        self.call(self.a, self.b, out=self.out)

    def time_call(self, dtype, library):
        self.call(self.a, self.b, out=self.out)


class TimeMixed(Timed):
    """One product of operands of different dtypes: as they are, and cast before."""

    params = (
        ((8, 1024, 1024), (1024, 1024, 1024)),
        [f"{a},{b}" for a, b in MIXED],
        ("vekt", "vekt, cast before", "numpy"),
    )
    param_names = ("shape", "dtypes", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, shape, dtypes, library):
        m, k, n = shape
        first, second = dtypes.split(",")
        self.call = import_module(library.partition(",")[0]).matmul
        self.a, self.b = random((m, k), first), random((k, n), second, 1)
        self.dtype = np.result_type(self.a, self.b)
        self.casts = "cast" in library
        self.time_call(shape, dtypes, library)

    def time_call(self, shape, dtypes, library):
        a, b = self.a, self.b
        if self.casts:
            a, b = a.astype(self.dtype, copy=False), b.astype(self.dtype, copy=False)
        self.call(a, b)


class TimeExactBytes(Timed):
    """One product of bytes with sums in int32; and with sums in int8, to compare with."""

    params = (((8, 1024, 1024), (256,) * 3, (1024,) * 3), ("int8", "uint8"), ("int32", "own"))
    param_names = ("shape", "type", "sums")
    yardstick = "fma"
    version = "1"

    def setup(self, shape, dtype, sums):
        m, k, n = shape
        self.call = import_module("vekt").matmul
        self.a, self.b = random((m, k), dtype), random((k, n), dtype, 1)
        self.options = {} if sums == "own" else {"dtype": sums}
        self.call(self.a, self.b, **self.options)

    def time_call(self, shape, dtype, sums):
        self.call(self.a, self.b, **self.options)


class TimeStacks(Timed):
    """A thousand small products at once, of operands that are dense or have gaps."""

    params = (
        ("matmul", "matvec", "vecdot"),
        ("int8", "int64", "bool", "float16", "float32", "float64", "complex64"),
        (3, 16),
        ("dense", "strided"),
        LIBRARIES,
    )
    param_names = ("function", "type", "k", "layout", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, function, dtype, k, layout, library):
        self.call = getattr(import_module(library), function, None)
        if self.call is None:
            raise NotImplementedError
        x = (np.arange(1000 * 3 * k * 2) % 7).astype(dtype).reshape(1000, 3, 2 * k)
        x = x[..., ::2] if layout == "strided" else x[..., :k].copy()
        self.operands = {
            "matmul": (x, x.swapaxes(-1, -2)),
            "matvec": (x, x[:, 0]),
            "vecdot": (x[:, 0], x[:, 1]),
        }[function]
        self.call(*self.operands)

    def time_call(self, function, dtype, k, layout, library):
        self.call(*self.operands)


class TimeColumns(Timed):
    """One matrix times one vector: rows that lie one after the other, columns, or neither."""

    params = (
        ("C", "F", "strided"),
        ((64, 500), (300, 300), (1000, 3)),
        ("float32", "float64", ">f8", "complex128", "int64", "bool"),
        LIBRARIES,
    )
    param_names = ("layout", "shape", "type", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, layout, shape, dtype, library):
        self.call = import_module(library).matmul
        x = (np.arange(2 * np.prod(shape)) % 7).reshape(shape[0], -1).astype(dtype)
        self.a = x[:, ::2] if layout == "strided" else np.array(x[:, : shape[1]], order=layout)
        self.v = self.a[0].copy()
        self.call(self.a, self.v)

    def time_call(self, layout, shape, dtype, library):
        self.call(self.a, self.v)


class TimeMatrices(Timed):
    """One call on a matrix of a quarter of a million elements or ten times as many."""

    params = (tuple(PRODUCTS), ((512, 512, 64), (4096, 640, 64)), DTYPES, LIBRARIES)
    param_names = ("function", "shape", "dtype", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, function, shape, dtype, library):
        self.call = getattr(import_module(library), function, None)
        if self.call is None:  # matvec and vecmat came with NumPy 2.2
            raise NotImplementedError
        shapes = PRODUCTS[function](*shape)
        self.a, self.b = (
            normal(dtype, int(np.prod(s)), seed).reshape(s) for seed, s in enumerate(shapes)
        )
        self.options = {"axes": (1, 0)} if function == "tensordot" else {}
        self.call(self.a, self.b, **self.options)

    def time_call(self, function, shape, dtype, library):
        self.call(self.a, self.b, **self.options)


class TimeReference(Timed):
    """The oracle: one call on a matrix of a thousand elements, or of as many products."""

    params = ((*VECTORS, *PRODUCTS), DTYPES)
    param_names = ("function", "dtype")
    version = "2"

    def setup(self, function, dtype):
        self.call = getattr(import_module("vekt.reference"), function)
        shapes = PRODUCTS[function](10, 100, 10) if function in PRODUCTS else ((1_000,), (1_000,))
        self.a, self.b = (
            normal(dtype, int(np.prod(s)), seed).reshape(s) for seed, s in enumerate(shapes)
        )
        self.options = {"axes": (1, 0)} if function == "tensordot" else {}
        self.call(self.a, self.b, **self.options)

    def time_call(self, function, dtype):
        self.call(self.a, self.b, **self.options)
