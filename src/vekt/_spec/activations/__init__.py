"""The activations: one spec for each, from which everything about it follows.

The modules' specs are all of them; the reference functions stand above each.
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

OPS: dict[str, Spec] = {
    op.name: op for family in _FAMILIES for op in vars(family).values() if isinstance(op, Spec)
}
KERNELS: dict[str, Kernel] = {kernel.name: kernel for op in OPS.values() for kernel in op.kernels}
