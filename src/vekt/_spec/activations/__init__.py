"""The registry: one row per operation, from which everything about it follows.

Public functions, docstrings, type stubs, tests, accuracy sweeps, benchmarks and the tables of the
documentation are all made from these rows.  One module a family; the reference functions stand
above their row.
"""

from __future__ import annotations

from vekt._spec.activations import (
    algebraic,
    exponential,
    gelu,
    logistic,
    piecewise,
    silu,
    softplus,
)
from vekt._spec.activations.gelu import GELU_TANH_K1, GELU_TANH_K3
from vekt._spec.spec import Kernel, Kink, Param, Spec

__all__ = ["GELU_TANH_K1", "GELU_TANH_K3", "KERNELS", "OPS", "Kernel", "Kink", "Param", "Spec"]

_FAMILIES = (piecewise, algebraic, logistic, silu, softplus, exponential, gelu)

OPS: dict[str, Spec] = {op.name: op for family in _FAMILIES for op in family.OPS}
KERNELS: dict[str, Kernel] = {kernel.name: kernel for op in OPS.values() for kernel in op.kernels}
