"""Every kernel as a raw ``numpy.ufunc``, by kernel name, made at its first use.

Inputs come first (``x``, or ``dy`` and ``x``, then the parameters), outputs last:
``ufuncs.relu_general(x, negative_slope, max_value, threshold)``.
"""

from __future__ import annotations

import numpy as np

from vekt import _native
from vekt._docstrings import docstring

__all__ = sorted({row["name"] for row in _native.kernels()})


def __getattr__(name: str) -> np.ufunc:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # The first of two threads that both make it has the say.
    made: np.ufunc = globals().setdefault(name, _native.build_ufunc(name, doc=docstring(name)))
    return made


def __dir__() -> list[str]:
    return __all__
