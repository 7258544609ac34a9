"""Matrix-vector, few-row, tiny and stacked products: the order of sums that csrc/matmul.h promises, bit for bit.

A chain of fused steps is emulated here in NumPy; so every layout, shape and instruction set is held against the same
plain definition.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vekt import _native
from vekt._kernels import ffi, lib

RUN = lib.VEKT_PRODUCT_RUN
TYPES = {"float32": lib.VEKT_PRODUCT_F32, "float64": lib.VEKT_PRODUCT_F64}
WITHOUT_FMA = ("x86_v2", "generic")


def fused(a, b, c):
    """a * b + c with one rounding; float64 operands a and b must have short mantissas."""
    if c.dtype == np.float64:
        return a * b + c
    product, c = np.multiply(a, b, dtype=np.float64), c.astype(np.float64)  # exact
    total = product + c
    back = total - product
    error = (product - (total - back)) + (c - back)
    # Rounded to odd, which a second rounding to fewer digits cannot tell from the exact sum.
    toward = np.where((error > 0) == (total > 0), 1, -1)
    even = total.view(np.int64) % 2 == 0
    total.view(np.int64)[...] += np.where((error != 0) & even, toward, 0)
    return total.astype(np.float32)


def chains(a, b, isa, start=None):
    """The product by its definition."""
    m, n = a.shape[0], b.shape[1]
    total = start
    for first in range(0, a.shape[1], RUN):
        run = np.zeros((m, n), a.dtype)
        for p in range(first, min(first + RUN, a.shape[1])):
            x, y = a[:, p, None], b[None, p, :]
            run = x * y + run if isa in WITHOUT_FMA else fused(x, y, run)
        total = run if total is None else total + run
    return total


def random(rng, shape, dtype):
    x = rng.normal(size=shape)
    if dtype == "float64":
        x = np.round(x * 2**23) / 2**23  # products of these are exact
    return x.astype(dtype)


# From an array to another of the same values, laid out otherwise.
def reverse(x):
    return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]


def spread(x):
    big = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    big[::2, ::3] = x
    return big[::2, ::3]


def misaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)
    copy = raw[1:].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "reverse": reverse,
    "spread": spread,
    "misaligned": misaligned,
    "misaligned columns": lambda x: misaligned(x.T).T,
    "padded": lambda x: np.hstack([x, x])[:, : x.shape[1]],
}


def matrix(x):
    return {"data": ffi.cast("char *", x.ctypes.data), "row": x.strides[0], "col": x.strides[1]}


def product(isa, a, b, c, accumulate=False):
    """The kernel's c, written in place."""
    call = ffi.new(
        "vekt_product *",
        {
            "m": a.shape[0],
            "n": b.shape[1],
            "k": a.shape[1],
            "a": matrix(a),
            "b": matrix(b),
            "c": matrix(c),
            "accumulate": accumulate,
        },
    )
    assert lib.vekt_matmul_serial(_native.TARGETS[isa], TYPES[a.dtype.name], call) == 0
    return c


SHAPES = [
    *((m, n, k) for m in (1, 2, 3, 5, 8, 10) for n, k in ((2, 3), (17, 40), (70, 300), (5, 256))),
    *((n, n, n) for n in (1, 2, 4, 7, 8, 9, 16, 31, 32)),
    (3, 5000, 9),
    (1, 33, 1030),
    (32, 20, 31),
    (15, 32, 1),
]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_order_of_sums(isa, dtype, shape, rng):
    m, n, k = shape
    a, b = random(rng, (m, k), dtype), random(rng, (k, n), dtype)
    expected = chains(a, b, isa)
    assert_array_equal(product(isa, a, b, np.empty((m, n), dtype)), expected)
