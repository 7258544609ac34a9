"""Every kernel as a raw ``numpy.ufunc``, by kernel name.

Inputs come first (``x``, or ``dy`` and ``x``, then the parameters), outputs last:
``ufuncs.relu_general(x, negative_slope, max_value, threshold)``.
"""

from vekt import _native
from vekt._docstrings import docstring

__all__ = sorted({row["name"] for row in _native.kernels()})

globals().update(
    _native.build_ufuncs(_native.SELECTED, {name: docstring(name) for name in __all__})
)
