"""The functions of `vekt` compiled by Numba, for use inside your own `@njit` functions too.

From Python they take what `vekt` takes; in nopython mode scalars and arrays, with the parameters
but without `out`, `where` and `dtype`.  Each is compiled at its first call and then cached on disk.

Products, dense layers, reductions and running sums call the C kernels of `vekt` on the calling
thread, so that they have its bits and can run in your own parallel loops; cached functions find the
kernels of the instruction set in use again.

exp, exp2, expm1, log, log2, log10, log1p, sinh, cosh, erf and erfc are there as well, as a layer of
mathematics that LLVM turns into vector instructions; sin, cos and tan call the C library.  In
compiled functions `vekt.gelu` means `vekt.jit.gelu`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vekt._core.extras import require
from vekt._core.names import no_attribute

require("vekt.jit", "jit", "numba")

from vekt._spec.activations import OPS
from vekt._spec.functions import public_function
from vekt._spec.gates import PUBLIC_NAMES
from vekt.jit import (
    _choosing,
    _choosing_types,
    _dense,
    _dense_types,
    _einsum,
    _einsum_types,
    _gates,
    _linalg,
    _linalg_types,
    _prelu,
    _reductions,
    _reductions_types,
    _vectors,
    _vectors_types,
)
from vekt.jit._dot import dot
from vekt.jit._elementary import elementary_functions
from vekt.jit._kernels import COMPILED, RAW
from vekt.jit._nopython import register
from vekt.jit._rows import FUNCTIONS as _ROWS


def _public() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {}
    for op in OPS.values():
        for kind in op.kinds:
            made = public_function(op, kind, RAW, __name__)
            register(op, kind, made, COMPILED)
            functions |= {name + kind: made for name in (op.name, *op.aliases)}
    for name in PUBLIC_NAMES:
        functions[name] = getattr(_prelu if name.startswith("prelu") else _gates, name)
    return functions | elementary_functions(__name__)


_PUBLIC = _public()
_PUBLIC |= _ROWS
for _functions, _types in (
    (_choosing, _choosing_types),
    (_dense, _dense_types),
    (_einsum, _einsum_types),
    (_linalg, _linalg_types),
    (_reductions, _reductions_types),
    (_vectors, _vectors_types),
):
    _PUBLIC |= {name: getattr(_functions, name) for name in _types.NAMES}
globals().update(_PUBLIC)
__all__ = [*_PUBLIC, "dot"]


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
