"""The elementary functions that NumPy and `math` have, in a form that LLVM inlines and vectorises.

A loop over `math.exp` calls the C library once per element; one over `vekt.jit.exp` is a few vector
instructions, without SVML.  Only sin, cos and tan call it here, too; tanh is among the activations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vekt._spec.form import Param
from vekt._spec.functions import python_function
from vekt._spec.pointwise import ELEMENT, OPTIONS, REAL, X
from vekt._spec.spec import Kind, Spec
from vekt.jit._jitable import overloads
from vekt.jit._kernels import COMPILED, RAW

_BOUND = "Within 1 ULP of the true value in float32 and within {bound} ULP in float64"
_CALLS = (
    "From Python the options are those of activations: `out` goes by name, and there is no "
    "`casting`, `order` or `subok`. "
    "In compiled functions operands are scalars or arrays, and there are no options; errors of "
    "types are `numba.core.errors.TypingError`."
)
_NOTES = (
    f"{_BOUND}; subnormal results are no exception, but those in float64 are rounded twice.",
    "Nothing is looked up in tables or called, so that loops with this function become vector "
    "instructions, also in `prange`, `@vectorize` and `@guvectorize`, and with `cache=True`. "
    f"{_CALLS}",
)
_NOTES_OF_C = (
    f"{_BOUND}, where the C library's own are: that of glibc is.",
    f"It calls the C library for each element, in float64, as Numba's own does. {_CALLS}",
)
_KIND = Kind(
    "{summary}",
    (X,),
    (Param("y", doc="{definition}, in the shape of x. {limits}", type=ELEMENT),),
    OPTIONS,
    _NOTES,
    ">>> {f}(np.array([0.25, 0.5, 2.0])).round(4).tolist()\n{shown}",
)
_KIND_OF_C = replace(_KIND, notes=_NOTES_OF_C)
_KIND_OF_TWO = Kind(
    "{summary}",
    tuple(Param(name, doc=f"Operands, which broadcast. {REAL}") for name in ("x1", "x2")),
    (Param("y", doc="{definition}, in the broadcast shape. {limits}", type=ELEMENT),),
    OPTIONS,
    _NOTES,
    ">>> {f}(np.array([0.25, 0.5, 2.0]), 3.0).round(4).tolist()\n{shown}",
)
_FDLIBM = "The reduction is that of fdlibm (Sun Microsystems, 1993)."
_TAYLOR = (
    "P. T. P. Tang, Table-driven implementation of the exponential function, ACM TOMS 15 (1989); "
    "here with a longer polynomial for the table."
)
_MILLS = (
    "M. M. Shepherd, J. G. Laframboise, Chebyshev approximation of (1 + 2x)exp(x**2)erfc x, Math. "
    "Comp. 36 (1981)."
)
_MAGIC = "The first guess is that of the bits' third, as in L. V. Moroz and others, 2021."
# Name, summary, definition, limits, bound, results at 0.25, 0.5 and 2, source.
_FACTS = (
    ("exp", "Exponential function.", "exp(x)", "0 at -inf, inf where it overflows.", "1",
     [1.284, 1.6487, 7.3891], _TAYLOR),
    ("expm1", "Exponential function less 1, exact in the vicinity of 0.", "exp(x) - 1",
     "-1 at -inf; the sign of zero is kept.", "1.5", [0.284, 0.6487, 6.3891], _TAYLOR),
    ("log", "Natural logarithm.", "log(x)", "-inf at 0, NaN below.", "1",
     [-1.3863, -0.6931, 0.6931], _FDLIBM),
    ("log1p", "Natural logarithm of 1 + x, exact in the vicinity of 0.", "log(1 + x)",
     "-inf at -1, NaN below; the sign of zero is kept.", "1.5", [0.2231, 0.4055, 1.0986], _FDLIBM),
    ("exp2", "2 to the power of x.", "2**x", "0 at -inf, inf where it overflows.", "1",
     [1.1892, 1.4142, 4.0], _TAYLOR),
    ("log2", "Logarithm to the base 2.", "log(x)/log(2)", "-inf at 0, NaN below.", "2",
     [-2.0, -1.0, 1.0], _FDLIBM),
    ("log10", "Logarithm to the base 10.", "log(x)/log(10)", "-inf at 0, NaN below.", "2",
     [-0.6021, -0.301, 0.301], _FDLIBM),
    ("sinh", "Hyperbolic sine.", "(exp(x) - exp(-x))/2",
     "-inf and inf at the ends; the sign of zero is kept.", "2", [0.2526, 0.5211, 3.6269], _TAYLOR),
    ("cosh", "Hyperbolic cosine.", "(exp(x) + exp(-x))/2", "inf at both ends.", "2",
     [1.0314, 1.1276, 3.7622], _TAYLOR),
    ("erf", "Error function.", "2/sqrt(pi) times the integral of exp(-t**2) from 0 to x",
     "-1 to 1; the sign of zero is kept.", "1.5", [0.2763, 0.5205, 0.9953], _MILLS),
    ("erfc", "Complementary error function.", "1 - erf(x)", "2 and 0 at -inf and inf.", "4",
     [0.7237, 0.4795, 0.0047], _MILLS),
    ("arctan", "Inverse tangent.", "atan(x)", "The sign of zero is kept.", "1.5",
     [0.245, 0.4636, 1.1071], _FDLIBM),
    ("cbrt", "Cube root.", "The number whose cube is x", "Zeros and infinities stay.", "1",
     [0.63, 0.7937, 1.2599], _MAGIC),
    ("rsqrt", "One divided by the square root.", "1/sqrt(x)",
     "Infinite at 0, with its sign; NaN below.", "1.5", [2.0, 1.4142, 0.7071], ""),
)  # fmt: skip
_OF_C = (
    ("sin", "Sine of an angle in radians.", "sin(x)", "NaN at the infinities.", "1",
     [0.2474, 0.4794, 0.9093], ""),
    ("cos", "Cosine of an angle in radians.", "cos(x)", "NaN at the infinities.", "1",
     [0.9689, 0.8776, -0.4161], ""),
    ("tan", "Tangent of an angle in radians.", "tan(x)", "NaN at the infinities.", "1",
     [0.2553, 0.5463, -2.185], ""),
)  # fmt: skip
_OF_TWO = (
    ("power", "One operand to the power of the other.", "x1**x2",
     "What is special is as in C's Annex F.", "2", [0.0156, 0.125, 8.0], _FDLIBM),
    ("arctan2", "Angle of the point (x2, x1).", "atan2(x1, x2)",
     "What is special is as in C's Annex F.", "2", [0.0831, 0.1651, 0.588], _FDLIBM),
    ("hypot", "Length of a vector.", "sqrt(x1**2 + x2**2)",
     "Infinite where either is, even beside NaN.", "1.5", [3.0104, 3.0414, 3.6056], ""),
    ("logaddexp", "Logarithm of the sum of exponentials.", "log(exp(x1) + exp(x2))",
     "Where the result is less than 1/2, its bound is that of 1/2.", "2",
     [3.062, 3.0789, 3.3133], ""),
)  # fmt: skip


def _public(spec: Spec, module: str) -> Callable[..., Any]:
    kernel, scope = COMPILED[spec.name], {"_raw": RAW[spec.name]}
    operands = ", ".join(spec.inputs)
    body = [f"return _raw({operands}, out=out, where=where, dtype=dtype)"]
    function = python_function(spec, "", module, body, scope)
    if len(spec.inputs) == 1:

        @overloads(function)
        def types_of(x):  # type: ignore[no-untyped-def]
            return lambda x: kernel(x)

    else:

        @overloads(function)
        def types_of_two(x1, x2):  # type: ignore[no-untyped-def]
            return lambda x1, x2: kernel(x1, x2)

    return function


def elementary_functions(module: str) -> dict[str, Callable[..., Any]]:
    """Make the functions by name, as attributes of that module."""
    words = ("definition", "limits", "bound", "shown")
    return {
        name: _public(
            Spec(
                name,
                summary,
                {"": kind},
                "vekt.elementwise",
                source=source,
                facts=dict(zip(words, facts, strict=True)),
            ),
            module,
        )
        for kind, rows in ((_KIND, _FACTS), (_KIND_OF_C, _OF_C), (_KIND_OF_TWO, _OF_TWO))
        for name, summary, *facts, source in rows
    }
