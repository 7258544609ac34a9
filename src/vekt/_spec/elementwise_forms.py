"""How the specs of elementwise operations are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vekt._spec.form import Param
from vekt._spec.pointwise import ELEMENT, WHERE
from vekt._spec.spec import Kernel, Kind, Spec, formula

_NUMBERS = (
    "Numbers of any dtype, shape and layout that broadcast together; numbers of Python take the "
    "dtype of the others."
)
OUT = Param(
    "out",
    None,
    "Where the result goes; may overlap an input in any way.",
    "option",
    type="ndarray, tuple of it or None, optional",
)
_DTYPE = Param("dtype", None, "Dtype of the computation and of the result.", type="dtype, optional")
_ANY = (WHERE, _DTYPE)
_UFUNC = (
    *_ANY,
    Param(
        "casting",
        "same_kind",
        "Casts that are allowed, as in `numpy.can_cast`.",
        type="str, optional",
    ),
    Param("order", "K", "Layout of a new array.", type="{'C', 'F', 'A', 'K'}, optional"),
    Param("subok", True, "Let subclasses of ndarray stay what they are.", type="bool, optional"),
)
_CONDITION = Param("condition", doc="Where it is true, or not zero, `x` is taken.")
_RESULT = Param(
    "result",
    doc="Of NumPy's dtype for these operands; a NumPy scalar if all of them are scalars, but of "
    "`where` always an array.",
    type=ELEMENT,
)
_RAISES = (
    ("ValueError", "If the shapes do not broadcast, or `out` has another one or is read-only."),
    ("TypeError", "If the dtypes have no such operation, or `out` cannot take its results."),
)
_NUMPYS = (
    "One pass over memory in any layout, on all threads for large arrays; the same bits for any "
    "number of them."
)
_OWN = (
    f"{_NUMPYS} Kernels of vekt's own have the same bits in any layout, alignment and byte order, "
    "with any option, and on any instruction set with fused multiply-adds; where NumPy's loops run "
    "(complex numbers), their bits may depend on both."
)
_SHORT = "float16 and bfloat16 compute in float32 and are rounded once."
_ORACLE = "Floats are computed by NumPy in a wider dtype and rounded once: the oracle of the tests."


def either(name: str) -> Param:
    return Param(name, ..., _NUMBERS, type="array_like")


def limit(name: str, which: str) -> Param:
    return Param(name, None, f"{which} limits.", type="array_like or None, optional")


def other(
    name: str,
    operands: Iterable[str],
    summary: str,
    latex: str,
    example: tuple[str, str],
    kernel: str = "",
    notes: str = "",
    params: tuple[Param, ...] = (OUT,),
    options: tuple[Param, ...] = _ANY,
    numpy: str = "",
    see_also: str = "",
    cost: int = 100,
    by_name: bool = True,
    mathematics: Kernel | None = None,
    source: str = "",
) -> Spec:
    """Make the spec of an operation.

    `kernel` is the name in the table of C kernels, for float32 and float64; "" where NumPy's own
    loop is as good.  `cost` is that of a loop of NumPy's, in picoseconds for an element.  What
    rounds more than once has `mathematics`, with bounds for its error.
    """
    kind = Kind(
        "{summary}",
        tuple(_CONDITION if n == "condition" else Param(n, doc=_NUMBERS) for n in operands),
        (_RESULT,),
        options,
        (
            formula(latex),
            (
                "vekt",
                " ".join(t for t in (notes, _OWN, _SHORT * (kernel not in ("", "where"))) if t),
            ),
            *([("vekt.reference", _ORACLE)] * (mathematics is None)),
        ),
        ">>> {f}({arguments})\n{result}",
        by_name,
        _RAISES,
        see_also=see_also,
    )
    return Spec(
        name=name,
        summary=summary,
        kinds={"": kind},
        home="vekt.elementwise",
        kernels=(mathematics or Kernel(name=kernel, max_ulp={}),),
        params=params,
        source=source,
        facts={
            "arguments": example[0],
            "result": example[1],
            "cost": cost,
            "rounds_alone": mathematics is not None or kernel == "multiply_add",
            "compares": notes == BOOL,
        },
        numpy=numpy,
    )


def ufunc(
    name: str,
    operands: tuple[str, ...],
    summary: str,
    latex: str,
    example: tuple[str, str],
    kernel: str = "",
    notes: str = "",
    cost: int = 100,
    numpy: str | None = None,
    **others: Any,
) -> Spec:
    """Make the spec of a ufunc: NumPy's of that name, or "" for one that it does not have."""
    numpy = name if numpy is None else numpy
    return other(
        name,
        operands,
        summary,
        latex,
        example,
        kernel,
        notes,
        options=_UFUNC,
        numpy=numpy,
        cost=cost,
        by_name=False,
        **{"see_also": f"numpy.{numpy}" if numpy else "", **others},
    )


BOOL = "The result is bool; NaN compares unequal to everything."
