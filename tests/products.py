"""Products by the C drivers, operands in every layout, and the definition of float products."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from vekt._kernels import ffi, lib

from vekt._core import native

Array = npt.NDArray[Any]

RUN: int = lib.VEKT_PRODUCT_RUN
FUSED = ("x86_v4", "x86_v3", "neon")  # where v_mad rounds once
BEST = native.SUPPORTED[0]
DTYPES = (np.float32, np.float64)
KINDS: dict[str, int] = {
    "float32": lib.VEKT_PRODUCT_F32,
    "float64": lib.VEKT_PRODUCT_F64,
    "float16": lib.VEKT_PRODUCT_HALF,
    "bfloat16": lib.VEKT_PRODUCT_BFLOAT16,
    "bool": lib.VEKT_PRODUCT_BOOL,
    "complex64": lib.VEKT_PRODUCT_C64,
    "complex128": lib.VEKT_PRODUCT_C128,
    **{
        f"{sign}int{bits}": getattr(lib, f"VEKT_PRODUCT_I{bits}")
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
}


def set_matrix(matrix: Any, x: Array) -> None:
    matrix.data = ffi.cast("char *", x.ctypes.data)
    matrix.row, matrix.col = x.strides


def multiply(
    a: Array,
    b: Array,
    out: Array | None = None,
    *,
    isa: str = BEST,
    accumulate: bool = False,
    packed: bool = False,
    serial: bool = True,
    invariant: bool = True,
) -> Array:
    """Return a @ b, in `out` if given, by one call of the driver."""
    target = native.TARGETS[isa]
    if out is None:
        out = np.full((a.shape[0], b.shape[1], a.itemsize), 0xFF, np.uint8).view(a.dtype)[..., 0]
    product = ffi.new("vekt_product *")
    product.m, product.k = a.shape
    product.n = b.shape[1]
    set_matrix(product.a, a)
    set_matrix(product.b, b)
    set_matrix(product.c, out)
    product.accumulate = accumulate
    product.invariant = invariant
    if packed:
        size = lib.vekt_packed_bytes(target, KINDS[a.dtype.name], *b.shape)
        memory = np.empty(size // 8 + 8, np.float64)
        start = memory.ctypes.data + -memory.ctypes.data % 64
        b_matrix = ffi.addressof(product, "b")
        lib.vekt_pack(target, KINDS[a.dtype.name], ffi.cast("void *", start), b_matrix, *b.shape)
        product.packed = ffi.cast("void *", start)
        product.b.data = ffi.NULL
    driver = lib.vekt_matmul_serial if serial else lib.vekt_matmul
    assert driver(target, KINDS[a.dtype.name], product) == 0
    return out


def operands(
    rng: np.random.Generator, m: int, k: int, n: int, dtype: npt.DTypeLike
) -> tuple[Array, Array]:
    return (
        rng.standard_normal((m, k)).astype(dtype),
        rng.standard_normal((k, n)).astype(dtype),
    )


def same_bits(x: Array, y: Array) -> bool:
    return np.ascontiguousarray(x).tobytes() == np.ascontiguousarray(y).tobytes()


def halves(x: Array) -> tuple[Array, Array]:
    """Return two summands of 26 bits each (Veltkamp)."""
    high = 134217729 * x - (134217729 * x - x)
    return high, x - high


def fused(x: Array, y: Array, z: Array) -> Array:
    """Return x*y + z, rounded once."""
    if x.dtype == np.float32:  # of 64 bits or more, a second rounding is as good as never seen
        wide = x.astype(np.longdouble) * y + z
        return np.asarray(wide.astype(np.float32))
    product = x * y
    (x1, x2), (y1, y2) = halves(x), halves(y)
    if not np.any(((x1 * y1 - product) + x1 * y2 + x2 * y1) + x2 * y2):
        return np.asarray(product + z)
    exact = np.frompyfunc(lambda u, v, w: float(Fraction(u) * Fraction(v) + Fraction(w)), 3, 1)
    return np.asarray(exact(x, y, z).astype(np.float64))


def by_contract(a: Array, b: Array, c: Array | None, isa: str) -> Array:
    """Return the product in the order of sums that csrc/linalg/matmul.h lays down."""
    for first in range(0, a.shape[1], RUN):
        run = np.zeros((a.shape[0], b.shape[1]), a.dtype)
        for p in range(first, min(first + RUN, a.shape[1])):
            x, y = np.broadcast_arrays(a[:, p, None], b[None, p, :])
            run = fused(x, y, run) if isa in FUSED else x * y + run
        c = run if c is None else c + run
    assert c is not None
    return c


def multiply_stack(a: Array, b: Array, out: Array, *, isa: str = BEST) -> Array:
    """Write a[i] @ b[i] to out[i] for all i."""
    product = ffi.new("vekt_product *")
    product.m, product.n = out.shape[1:]
    product.k = a.shape[2]
    product.invariant = True
    for matrix, x in ((product.a, a), (product.b, b), (product.c, out)):
        matrix.data = ffi.cast("char *", x.ctypes.data)
        matrix.row, matrix.col = x.strides[1:]
    steps = [x.strides[0] for x in (a, b, out)]
    target = native.TARGETS[isa]
    assert lib.vekt_matmul_stack(target, KINDS[a.dtype.name], product, len(out), steps) == 0
    return out


def fortran(x: Array) -> Array:
    return np.asfortranarray(x)


def padded(x: Array) -> Array:
    room = np.zeros((x.shape[0], x.shape[1] + 5), x.dtype)
    room[:, 3:-2] = x
    return room[:, 3:-2]


def spread(x: Array) -> Array:
    room = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    room[1::2, 2::3] = x
    return room[1::2, 2::3]


def backward(x: Array) -> Array:
    return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]


def misaligned(x: Array) -> Array:
    room = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    room[...] = x
    return room


def aliasing(x: Array) -> Array:
    """Rows a multiple of 4 KB apart."""
    room = np.zeros((x.shape[0], -(-x.shape[1] // 1024) * 1024), x.dtype)
    room[:, : x.shape[1]] = x
    return room[:, : x.shape[1]]


def aliasing_columns(x: Array) -> Array:
    return aliasing(np.ascontiguousarray(x.T)).T


LAYOUTS: tuple[Callable[[Array], Array], ...] = (
    np.ascontiguousarray,
    fortran,
    padded,
    spread,
    backward,
    misaligned,
    aliasing,
    aliasing_columns,
)
