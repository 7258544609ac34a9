"""Linear algebra: products of vectors, matrices and tensors."""

from __future__ import annotations

from vekt._core.native import dot, matmul, matvec, provide, vecdot, vecmat
from vekt.linalg._tensordot import dot_general, tensordot

provide("dot", dot_general)

__all__ = ["dot", "matmul", "matvec", "tensordot", "vecdot", "vecmat"]

__test__: dict[str, str | None] = {
    function.__name__: function.__doc__ for function in (dot, matmul, matvec, vecdot, vecmat)
}
"""Lets doctest find the examples of functions written in C."""
