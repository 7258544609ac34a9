"""Compiled kernels for NumPy arrays: activations with their gradients, and dot products.

``vekt.gelu`` is the C kernel, ``vekt.jit.gelu`` its Numba twin for use inside your own ``@njit``
functions, ``vekt.reference.gelu`` plain NumPy that says what is meant.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from vekt import activations, ufuncs
from vekt._elementwise_ops import PUBLIC_NAMES as _ELEMENTWISE
from vekt._gate_ops import PUBLIC_NAMES as _GATES
from vekt._row_ops import PUBLIC_NAMES as _ROWS
from vekt.linalg import dot
from vekt.threading import get_num_threads, num_threads, set_num_threads

_ACTIVATIONS = [name for name in activations.__all__ if name != "get"]

# Where the functions on matrices are defined; imported at first use.
_LINEAR = {
    "matmul": "vekt.linalg",
    "matvec": "vekt.linalg",
    "tensordot": "vekt.linalg",
    "vecdot": "vekt.linalg",
    "vecmat": "vekt.linalg",
    "cosine_similarity": "vekt.vectors",
    "norm": "vekt.vectors",
    "outer": "vekt.vectors",
    "transpose_copy": "vekt.vectors",
    "PackedWeights": "vekt.layers",
    "dense": "vekt.layers",
    "dense_backward": "vekt.layers",
    "evaluate": "vekt._fuse.parse",
    "fuse": "vekt._fuse.fused",
    "stream": "vekt.chunks",
}

# Likewise the functions of `vekt.reductions`.
_REDUCTIONS = (
    "all",
    "any",
    "argmax",
    "argmin",
    "broadcast_to",
    "max",
    "mean",
    "min",
    "sum",
    "sum_to_shape",
)

# Imported at first use: Numba, and modules that few programs need.
_LAZY_MODULES = (
    "autograd",
    "config",
    "dlpack",
    "elementwise",
    "gates",
    "jit",
    "reductions",
    "reference",
    "rows",
)

__all__ = [
    *_ACTIVATIONS,
    *_ELEMENTWISE,
    *_GATES,
    *_LINEAR,
    *_REDUCTIONS,
    *_ROWS,
    "activations",
    "dot",
    "get_num_threads",
    "num_threads",
    "set_num_threads",
    "show_config",
    "ufuncs",
]


def __getattr__(name: str) -> Any:
    if name in _ACTIVATIONS:
        return globals().setdefault(name, getattr(activations, name))
    if name in _GATES:
        module = import_module("vekt._prelu" if name.startswith("prelu") else "vekt.gates")
        return globals().setdefault(name, getattr(module, name))
    if name in _ROWS:
        return globals().setdefault(name, getattr(import_module("vekt.rows"), name))
    if name in _ELEMENTWISE:
        return globals().setdefault(name, getattr(import_module("vekt.elementwise"), name))
    if name in _LINEAR:
        return globals().setdefault(name, getattr(import_module(_LINEAR[name]), name))
    if name in _REDUCTIONS:
        return globals().setdefault(name, getattr(import_module("vekt.reductions"), name))
    if name in _LAZY_MODULES:
        return import_module(f"vekt.{name}")
    if name == "show_config":
        return import_module("vekt.config").show_config
    if name == "__version__":
        return import_module("importlib.metadata").version("vekt")
    raise AttributeError(f"module 'vekt' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY_MODULES, "show_config", "__version__"})
