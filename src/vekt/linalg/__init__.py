"""Linear algebra: products of vectors, matrices and tensors."""

from __future__ import annotations

import sys
from typing import Any

from vekt._core.names import no_attribute
from vekt._core.native import dot, matmul, matvec, provide, vecdot, vecmat
from vekt.linalg import _tensordot

provide("dot", _tensordot.dot_general)
provide("product", _tensordot.without_kernel)

__all__ = ["dot", "matmul", "matvec", "tensordot", "vecdot", "vecmat"]

__test__: dict[str, str | None] = {
    function.__name__: function.__doc__ for function in (dot, matmul, matvec, vecdot, vecmat)
}
"""Lets doctest find the examples of functions written in C."""


def __getattr__(name: str) -> Any:
    if name != "tensordot":
        raise no_attribute(__name__, name, __all__)
    function = _tensordot.tensordot
    if not sys.is_finalizing():  # texts, which `import vekt` does not want
        from vekt._spec.docstrings import documented
        from vekt._spec.linalg import LINALG

        documented(LINALG[name])(function)
    return globals().setdefault(name, function)


def __dir__() -> list[str]:
    return __all__
