"""What `vekt compare` measures of linear algebra: products, dense layers, matrices read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from math import inf, prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt as vk
from vekt.cli.compare.shapes import Shape, text
from vekt.cli.compare.tasks import Task

Array = NDArray[Any]

PRODUCTS = ("matmul", "tensordot")
LAYERS = ("dense", "dense_backward")
VECTORS = ("vecdot", "matvec", "vecmat", "norm", "cosine_similarity", "outer", "transpose_copy")

# Dense layers are measured with these, named as in the peers' statements.
ACTIVATIONS: dict[str, Any] = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_tanh": partial(vk.gelu, approximate=True),
    "silu": "silu",
    "tanh": "tanh",
    "mish": "mish",
}
# Orders of norms along no axis in particular.
ORDERS: dict[str, float | None] = {"norm": None, "norm_1": 1, "norm_inf": inf}

FLOATS = ("float32", "float64")
# Those in which other libraries do products many times more slowly.
NARROW = ("float16", "bfloat16", "int8", "uint8", "int16", "int32", "int64")
DTYPES = (*FLOATS, *NARROW, "uint16", "uint32", "uint64", "bool", "complex64", "complex128")


def linear_statements() -> list[str]:
    """Names that peers' statements have for all of these operations."""
    vectors = [name for name in VECTORS if name != "norm"]
    layers = [f"dense_{name}{form}" for name in ACTIVATIONS for form in ("", "_backward")]
    return ["dot", *PRODUCTS, *vectors, *ORDERS, *layers]


def dtype_of(name: str) -> np.dtype[Any]:
    """Return the dtype of this name; ModuleNotFoundError where bfloat16's package is missing."""
    if name == "bfloat16":
        name = import_module("ml_dtypes").bfloat16
    return np.dtype(name)


def random(shape: Any, name: str, seed: int = 0) -> Array:
    """Return normal numbers, or integers from the whole range of their dtype."""
    dtype = dtype_of(name)
    rng = np.random.default_rng(seed)
    if dtype.kind in "biu":
        integers: Array = rng.integers(-(2**63), 2**63, shape)
        return integers > 0 if dtype.kind == "b" else integers.astype(dtype)
    numbers: Array = rng.standard_normal(shape)
    if dtype.kind == "c":
        numbers = numbers + 1j * rng.standard_normal(shape)
    return numbers.astype(dtype)


def dot_task(n: int, dtype: str) -> Task:
    """Return the sum of products of two arrays."""
    operands = {"x": random(n, dtype), "dy": random(n, dtype, 1)}
    operands["out"] = operands["x"]
    return Task("dot", "vk.dot(x, dy)", operands, ("x", "dy"), (n,))


def product_tasks(
    shapes: Iterable[Shape], dtype: str, transposed: Iterable[Shape] = ()
) -> Iterator[Task]:
    """Products and stacks of them; those in `transposed` also with a or b stored transposed."""
    per_product = 8 if dtype.startswith("complex") else 2
    also = set(transposed)
    for shape in shapes:
        *stack, m, k, n = shape
        label = f"{stack[0]:,} of {text((m, k, n))}" if stack else text(shape)
        out = np.empty((*stack, m, n), dtype_of(dtype))
        a, b = random((*stack, m, k), dtype), random((*stack, k, n), dtype, 1)
        forms = {"": (a, b)}
        if shape in also:
            forms["a.T"] = np.ascontiguousarray(a.mT).mT, b
            forms["b.T"] = a, np.ascontiguousarray(b.mT).mT
        for form, (left, right) in forms.items():
            yield Task(
                "matmul",
                "vk.matmul(a, b, out=out)",
                {"a": left, "b": right, "out": out},
                ("a", "b", "out"),
                shape,
                flops=per_product * prod(shape),
                title=f"{label}, {form}" if form else label,
            )


MIXED = (
    ("float32", "float64"),
    ("float64", "float32"),
    ("uint8", "float32"),
    ("float32", "uint8"),
    ("float32", "float16"),
    ("float64", "int8"),
)
"""Dtypes of operands that differ."""

BYTES = (("int8", "int8"), ("uint8", "int8"))
"""Those of products with sums in int32."""


def mixed_tasks(shapes: Iterable[Shape]) -> Iterator[Task]:
    """Products of operands of different dtypes, and of bytes with exact sums."""
    for m, k, n in shapes:
        for first, second in (*MIXED, *BYTES):
            a, b = random((m, k), first), random((k, n), second, 1)
            exact = (first, second) in BYTES
            dtype = np.dtype("i4") if exact else np.result_type(a, b)
            yield Task(
                "matmul_to" if exact else "matmul",
                f"vk.matmul(a, b, out=out{', dtype=dtype' if exact else ''})",
                {"a": a, "b": b, "out": np.empty((m, n), dtype), "dtype": dtype},
                ("a", "b", "out"),
                (m, k, n),
                flops=2 * m * k * n,
                title=f"{text((m, k, n))}, {first} by {second}{' to int32' if exact else ''}",
            )


def tensordot_tasks(shapes: Iterable[Shape], dtype: str) -> Iterator[Task]:
    """Contractions of an axis in the middle: a matrix product of no simple view."""
    for m, k, n in shapes:
        a, b = random((2, k, (m + 1) // 2), dtype), random((k, n), dtype, 1)
        yield Task(
            "tensordot",
            "vk.tensordot(a, b, (1, 0))",
            {"a": a, "b": b, "out": np.empty((2, (m + 1) // 2, n), dtype_of(dtype))},
            ("a", "b", "out"),
            (m, k, n),
            flops=2 * a.size * n,
            title=f"tensordot {text(a.shape)}, {text(b.shape)}",
        )


def dense_tasks(shapes: Iterable[Shape], dtype: str, backward: bool) -> Iterator[Task]:
    """Layers with each activation: the forward pass, or it and the backward pass together."""
    for m, k, n in shapes:
        x, dy, b = random((m, k), dtype), random((m, n), dtype, 1), random(n, dtype, 2)
        w = random((k, n), dtype, 3) / np.dtype(dtype).type(sqrt(k))
        inputs = {"x": x, "w": w, "b": b, "dy": dy}
        scratch = {key: np.empty_like(dy) for key in ("z", "dz", "t", "out")}
        gradients = {f"d{key}": np.empty_like(inputs[key]) for key in ("x", "w", "b")}
        operands = {**inputs, **scratch, **gradients}
        for name, activation in ACTIVATIONS.items():
            if backward:
                statement = (
                    "y, z = vk.dense(x, w, b, activation, out=out, return_preactivation=True); "
                    "vk.dense_backward(dy, x, w, z, activation, out=(dx, dw, db))"
                )
            else:
                statement = "vk.dense(x, w, b, activation, out=out)"
            yield Task(
                f"dense_{name}_backward" if backward else f"dense_{name}",
                statement,
                {**operands, "activation": activation},
                ("x", "w", "b", "dy", "dx", "dw", "db") if backward else ("x", "w", "b", "out"),
                (m, k, n),
                flops=(6 if backward else 2) * m * k * n,
                title=f"{text((m, k, n))}, {name}",
            )


def norm_tasks(n: int, dtype: str) -> Iterator[Task]:
    """Norms of a vector."""
    x = random(n, dtype)
    for name, order in ORDERS.items():
        statement = "vk.norm(x, axis=axis)" if order is None else "vk.norm(x, order)"
        operands = {"x": x, "out": x, "order": order, "axis": None}
        yield Task(name, statement, operands, ("x",), (n,))


def matrix_tasks(names: Iterable[str], shape: Shape, dtype: str) -> Iterator[Task]:
    """Operations that read a matrix once, or write it."""
    m, n = shape
    x, y = random(shape, dtype), random(shape, dtype, 1)
    operands: dict[str, Any] = {
        "x": x,
        "y": y,
        "u": random(m, dtype, 2),
        "v": random(n, dtype, 3),
        "out": np.empty_like(x),
        "turned": np.empty((n, m), dtype),
        "by_row": np.empty(m, dtype),
        "by_column": np.empty(n, dtype),
        "r": np.empty(m, dtype),
        "s": np.empty(m, dtype),
    }
    statements = {
        "vecdot": ("vk.vecdot(x, y, out=by_row)", ("x", "y")),
        "matvec": ("vk.matvec(x, v, out=by_row)", ("x",)),
        "vecmat": ("vk.vecmat(u, x, out=by_column)", ("x",)),
        "cosine_similarity": ("vk.cosine_similarity(x, y)", ("x", "y")),
        "outer": ("vk.outer(u, v, out=out)", ("out",)),
        "transpose_copy": ("vk.transpose_copy(x, out=turned)", ("x", "turned")),
    }
    for name in names:
        if name == "norm":
            for axis in (-1, 0):
                statement = "vk.norm(x, axis=axis)"
                yield Task(name, statement, {**operands, "axis": axis}, ("x",), shape, axis)
        else:
            statement, moved = statements[name]
            yield Task(name, statement, operands, moved, shape)
