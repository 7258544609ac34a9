"""The functions of `vekt` compiled by Numba, for use inside your own `@njit` functions too.

From Python they take what `vekt` takes; in nopython mode scalars and arrays, with the parameters
but without `out`, `where` and `dtype`.  Each is compiled at its first call and then cached on disk.

Products and dense layers call the C kernels of `vekt` on the calling thread, so that they have its
bits and can run in your own parallel loops; cached functions find the kernels of the instruction
set in use again.

exp, expm1, log, log1p, erf and erfc are there as well, as a layer of mathematics that LLVM turns
into vector instructions.  In compiled functions `vekt.gelu` means `vekt.jit.gelu`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._functions import public_functions
from .._gate_ops import PUBLIC_NAMES
from .._registry import OPS
from . import (
    _dense,
    _dense_types,
    _gates,
    _linalg,
    _linalg_types,
    _prelu,
    _vectors,
    _vectors_types,
)
from ._dot import dot
from ._elementary import elementary_functions
from ._kernels import RAW
from ._nopython import register
from ._rows import FUNCTIONS as _ROWS


def _public() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {}
    for op in OPS.values():
        made = public_functions(op, RAW, __name__)
        for name, function in made.items():
            register(op, name, function)
            for alias in getattr(op, "aliases", ()):
                functions[alias + name.removeprefix(op.name)] = function
        functions |= made
    for name in PUBLIC_NAMES:
        functions[name] = getattr(_prelu if name.startswith("prelu") else _gates, name)
    return functions | elementary_functions(__name__)


_PUBLIC = _public()
_PUBLIC |= _ROWS
for _functions, _types in (
    (_dense, _dense_types),
    (_linalg, _linalg_types),
    (_vectors, _vectors_types),
):
    _PUBLIC |= {name: getattr(_functions, name) for name in _types.NAMES}
globals().update(_PUBLIC)
__all__ = [*_PUBLIC, "dot"]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Any]: ...
