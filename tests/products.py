"""One call of the C drivers for products, and operands in every layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from vekt._kernels import ffi, lib

from vekt import _native

Array = npt.NDArray[Any]

BEST = _native.SUPPORTED[0]
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

LAYOUTS = ["C", "F", "spread", "reversed", "misaligned"]


def set_matrix(matrix: Any, x: Array) -> None:
    """Let a vekt_matrix describe an array."""
    matrix.data = ffi.cast("char *", x.ctypes.data)
    matrix.row, matrix.col = x.strides


def multiply(
    a: Array, b: Array, out: Array | None = None, *, isa: str = BEST, accumulate: bool = False
) -> Array:
    """Return a @ b, in `out` if given, by one call of the driver for one thread."""
    if out is None:
        out = np.ones((a.shape[0], b.shape[1]), a.dtype)
    product = ffi.new("vekt_product *")
    product.m, product.k = a.shape
    product.n = b.shape[1]
    for matrix, x in ((product.a, a), (product.b, b), (product.c, out)):
        set_matrix(matrix, x)
    product.accumulate = accumulate
    kind = KINDS[a.dtype.name]
    assert lib.vekt_matmul_serial(_native.TARGETS[isa], kind, product) == 0
    return out


def laid_out(x: Array, layout: str) -> Array:
    """Return a copy of a matrix in memory of that layout."""
    if layout == "spread":
        y = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)[::2, ::3]
    elif layout == "reversed":
        y = np.zeros_like(x, order="C")[::-1, ::-1]
    elif layout == "misaligned":
        y = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    else:
        y = np.zeros_like(x, order="F" if layout == "F" else "C")
    y[...] = x
    return y
