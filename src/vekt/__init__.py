"""Compiled kernels for NumPy arrays: activations, products, elementwise operations, losses.

``vekt.gelu`` is the C kernel, ``vekt.jit.gelu`` its Numba twin for use inside your own ``@njit``
functions, ``vekt.reference.gelu`` plain NumPy that says what is meant.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from vekt import activations, linalg, ufuncs
from vekt._core.names import no_attribute
from vekt._spec.elementwise import PUBLIC_NAMES as _ELEMENTWISE
from vekt._spec.gates import PUBLIC_NAMES as _GATES
from vekt._spec.losses import PUBLIC_NAMES as _LOSSES
from vekt._spec.rows import PUBLIC_NAMES as _ROWS
from vekt.linalg import dot
from vekt.threading import get_num_threads, num_threads, set_num_threads

# Where the functions are defined; each module is imported at the first use of one of them, and the
# specs of some only then.
_HOMES = {
    **dict.fromkeys((name for name in activations.__all__ if name != "get"), "vekt.activations"),
    **dict.fromkeys(_ELEMENTWISE, "vekt.elementwise"),
    **{n: "vekt.gates._prelu" if n.startswith("prelu") else "vekt.gates" for n in _GATES},
    **dict.fromkeys(_ROWS, "vekt.rows"),
    **dict.fromkeys(_LOSSES, "vekt.losses"),
    **dict.fromkeys(
        [
            "all",
            "any",
            "argmax",
            "argmin",
            "broadcast_to",
            "count_nonzero",
            "cumprod",
            "cumsum",
            "max",
            "mean",
            "min",
            "moments",
            "nanmax",
            "nanmean",
            "nanmin",
            "nanstd",
            "nansum",
            "nanvar",
            "prod",
            "std",
            "sum",
            "sum_to_shape",
            "var",
        ],
        "vekt.reductions",
    ),
    **dict.fromkeys(["matmul", "matvec", "tensordot", "vecdot", "vecmat"], "vekt.linalg"),
    **dict.fromkeys(
        ["cosine_similarity", "norm", "outer", "transpose_copy"], "vekt.linalg._vectors"
    ),
    **dict.fromkeys(["one_hot", "scatter_add", "take", "top_k"], "vekt.choosing"),
    "einsum": "vekt.linalg._einsum",
    **dict.fromkeys(["PackedWeights", "dense", "dense_backward"], "vekt.layers"),
    **dict.fromkeys(["evaluate", "re_evaluate", "validate"], "vekt._fuse.evaluate"),
    "fuse": "vekt._fuse.fused",
    "stream": "vekt.chunks",
    **dict.fromkeys(["UpcastWarning", "warn_upcasts"], "vekt.upcasts"),
}

# Imported at first use: Numba, and modules that few programs need.
_LAZY_MODULES = (
    "autograd",
    "choosing",
    "config",
    "dlpack",
    "elementwise",
    "gates",
    "jit",
    "losses",
    "models",
    "network",
    "optim",
    "reductions",
    "reference",
    "rows",
)

__all__ = [
    *_HOMES,
    "activations",
    "dot",
    "get_num_threads",
    "num_threads",
    "set_num_threads",
    "show_config",
    "ufuncs",
]


# There already, for functions first used while Python shuts down and imports nothing any more.
_LOADED = {"vekt.activations": activations, "vekt.linalg": linalg}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        home = _LOADED.get(_HOMES[name]) or _imported(name, _HOMES[name])
        return globals().setdefault(name, getattr(home, name))
    if name in _LAZY_MODULES:
        return import_module(f"vekt.{name}")
    if name == "show_config":
        return import_module("vekt.config").show_config
    if name == "__version__":
        return import_module("importlib.metadata").version("vekt")
    raise no_attribute(__name__, name, [*__all__, *_LAZY_MODULES])


def _imported(name: str, module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        if not sys.is_finalizing():
            raise
        raise ImportError(
            f"vekt.{name} is first used while Python shuts down, when {module} cannot be imported "
            "any more: use or import it earlier"
        ) from error


def __dir__() -> list[str]:
    own = {name for name in globals() if name[:2] == "__"}
    return sorted({*own, *__all__, *_LAZY_MODULES, "linalg", "threading", "__version__"})
