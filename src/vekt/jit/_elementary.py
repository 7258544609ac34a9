"""The elementary functions that NumPy and `math` have, in a form that LLVM inlines and vectorises.

A loop over `math.exp` calls the C library once per element; one over `vekt.jit.exp` is a few vector
instructions, without SVML.  tanh is among the activations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vekt.jit._jitable import overloads
from vekt.jit._kernels import COMPILED, RAW

_DOC = """\
{summary}

Within 1 ULP of the true value in float32 and within {bound} ULP in float64; subnormal results are
no exception.

Parameters
----------
x : array_like
    float32 and float64 keep their dtype; float16 computes in float32, integers and bool in float64.
    In compiled functions a scalar or an array.
out : ndarray or None, optional
    Where the result goes; from Python only, as the options below.
where : array_like of bool, optional
    Where to compute; elsewhere `out` stays as it is.
dtype : float32, float64 or None, optional
    In which type to compute.

Returns
-------
ndarray or scalar
    {formula}, in the shape of x.
    {limits}

Raises
------
TypeError
    If x is complex, or no number; `numba.core.errors.TypingError` in compiled functions.
ValueError
    If the shapes of x, out and where do not broadcast together.

Notes
-----
Subnormal results in float64 are rounded twice.  Nothing is looked up in tables or called, so that
loops with this function become vector instructions, also in `prange`, `@vectorize` and
`@guvectorize`, and with `cache=True`.

References
----------
{source}

Examples
--------
>>> import numpy as np
>>> import vekt as vk
>>> vk.jit.{name}(np.array([0.25, 0.5, 2.0])).round(4).tolist()
{example}
"""

_FDLIBM = "The reduction is that of fdlibm (Sun Microsystems, 1993)."
_TAYLOR = (
    "P. T. P. Tang, Table-driven implementation of the exponential function, ACM TOMS 15 (1989);\n"
    "here with a longer polynomial for the table."
)
_MILLS = (
    "M. M. Shepherd, J. G. Laframboise, Chebyshev approximation of (1 + 2x)exp(x**2)erfc x, Math.\n"
    "Comp. 36 (1981)."
)

_FACTS: dict[str, dict[str, str]] = {
    "exp": {
        "summary": "Exponential function.",
        "formula": "exp(x)",
        "limits": "0 at -inf, inf where it overflows.",
        "bound": "1",
        "source": _TAYLOR,
    },
    "expm1": {
        "summary": "Exponential function less 1, exact in the vicinity of 0.",
        "formula": "exp(x) - 1",
        "limits": "-1 at -inf; the sign of zero is kept.",
        "bound": "1.5",
        "source": _TAYLOR,
    },
    "log": {
        "summary": "Natural logarithm.",
        "formula": "log(x)",
        "limits": "-inf at 0, NaN below.",
        "bound": "1",
        "source": _FDLIBM,
    },
    "log1p": {
        "summary": "Natural logarithm of 1 + x, exact in the vicinity of 0.",
        "formula": "log(1 + x)",
        "limits": "-inf at -1, NaN below; the sign of zero is kept.",
        "bound": "1.5",
        "source": _FDLIBM,
    },
    "erf": {
        "summary": "Error function.",
        "formula": "2/sqrt(pi) times the integral of exp(-t**2) from 0 to x",
        "limits": "-1 to 1; the sign of zero is kept.",
        "bound": "1.5",
        "source": _MILLS,
    },
    "erfc": {
        "summary": "Complementary error function.",
        "formula": "1 - erf(x)",
        "limits": "2 and 0 at -inf and inf.",
        "bound": "4",
        "source": _MILLS,
    },
}

_EXAMPLES = {
    "exp": [1.284, 1.6487, 7.3891],
    "expm1": [0.284, 0.6487, 6.3891],
    "log": [-1.3863, -0.6931, 0.6931],
    "log1p": [0.2231, 0.4055, 1.0986],
    "erf": [0.2763, 0.5205, 0.9953],
    "erfc": [0.7237, 0.4795, 0.0047],
}


def _public(name: str, module: str) -> Callable[..., Any]:
    raw, kernel = RAW[name], COMPILED[name]

    def function(x: Any, /, *, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
        return raw(x, out=out, where=where, dtype=dtype)

    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    function.__doc__ = _DOC.format(name=name, example=_EXAMPLES[name], **_FACTS[name])

    @overloads(function)
    def types_of(x):  # type: ignore[no-untyped-def]
        return lambda x: kernel(x)

    return function


def elementary_functions(module: str) -> dict[str, Callable[..., Any]]:
    """Make the functions by name, as attributes of that module."""
    return {name: _public(name, module) for name in _FACTS}
