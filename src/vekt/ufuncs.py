"""Every kernel as a raw ``numpy.ufunc``, by kernel name, made at its first use.

Inputs come first (``x``, or ``dy`` and ``x``, then the parameters), outputs last:
``ufuncs.relu_general(x, negative_slope, max_value, threshold)``.
"""

from __future__ import annotations

import numpy as np

from vekt._core import native
from vekt._core.names import no_attribute
from vekt._spec.kernels import TABLE

__all__ = sorted({kernel["name"] for kernel in native.kernels()})


def build_ufunc(name: str, isa: str = native.SELECTED) -> np.ufunc:
    """Return a new ufunc over an instruction set's kernels of this name."""
    entry = TABLE[name]
    return native.build_ufunc(name, len(entry.kernel.params), isa, entry.docstring)


def build_ufuncs(isa: str) -> dict[str, np.ufunc]:
    """Return new ufuncs over an instruction set's kernels, by kernel name."""
    return {
        name: build_ufunc(name, isa) for name in {kernel["name"] for kernel in native.kernels(isa)}
    }


def __getattr__(name: str) -> np.ufunc:
    if name not in __all__:
        raise no_attribute(__name__, name, __all__)
    # The first of two threads that both make it has the say.
    made: np.ufunc = globals().setdefault(name, build_ufunc(name))
    return made


def __dir__() -> list[str]:
    return __all__
