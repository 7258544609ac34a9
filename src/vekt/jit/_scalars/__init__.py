"""One function per kernel: value and derivative at one point, in float64.

This is what `vekt.jit` needs to know about an activation; loops, broadcasting and dtypes follow in
`_kernels`, and the variant for float32 in `_single`.  A function that uses half of the pair costs
no more than that half.  Modules by kind.
"""

from vekt.jit._scalars import exponential, gelu, logistic, piecewise, shrink
from vekt.jit._scalars._enter import FROM_OUTPUT, SCALARS

__all__ = ["FROM_OUTPUT", "SCALARS", "exponential", "gelu", "logistic", "piecewise", "shrink"]
