"""The elementwise operations, most of them named as NumPy's ufuncs."""

from __future__ import annotations

from collections.abc import Iterable

from vekt._spec.form import Param
from vekt._spec.pointwise import ELEMENT, WHERE
from vekt._spec.spec import Kernel, Kind, Spec, formula

_NUMBERS = (
    "Numbers of any dtype, shape and layout that broadcast together; numbers of Python take the "
    "dtype of the others."
)
_OUT = Param(
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
    "(complex numbers, `power`), their bits may depend on both."
)
_SHORT = "float16 and bfloat16 compute in float32 and are rounded once."
_ORACLE = "Floats are computed by NumPy in a wider dtype and rounded once: the oracle of the tests."


def _either(name: str) -> Param:
    return Param(name, ..., _NUMBERS, type="array_like")


def _limit(name: str, which: str) -> Param:
    return Param(name, None, f"{which} limits.", type="array_like or None, optional")


def _other(
    name: str,
    operands: Iterable[str],
    summary: str,
    latex: str,
    example: tuple[str, str],
    kernel: str = "",
    notes: str = "",
    params: tuple[Param, ...] = (_OUT,),
    options: tuple[Param, ...] = _ANY,
    numpy: str = "",
    see_also: str = "",
    cost: int = 100,
    by_name: bool = True,
) -> Spec:
    """Make the spec of an operation.

    `kernel` is the name in the table of C kernels, for float32 and float64; "" where NumPy's own
    loop is as good.  `cost` is that of a loop of NumPy's, in picoseconds for an element.
    """
    own = _NUMPYS if name == "power" else _OWN
    kind = Kind(
        "{summary}",
        tuple(_CONDITION if n == "condition" else Param(n, doc=_NUMBERS) for n in operands),
        (_RESULT,),
        options,
        (
            formula(latex),
            (
                "vekt",
                " ".join(t for t in (notes, own, _SHORT * (kernel not in ("", "where"))) if t),
            ),
            ("vekt.reference", _ORACLE),
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
        kernels=(Kernel(name=kernel, max_ulp={}),),
        params=params,
        facts={
            "arguments": example[0],
            "result": example[1],
            "cost": cost,
            "rounds_alone": kernel in ("exponential", "log", "sin", "cos", "multiply_add"),
            "compares": notes == _BOOL,
        },
        numpy=numpy,
    )


def _ufunc(
    name: str,
    operands: tuple[str, ...],
    summary: str,
    latex: str,
    example: tuple[str, str],
    kernel: str = "",
    notes: str = "",
    cost: int = 100,
) -> Spec:
    """Make the spec of an operation that NumPy has as a ufunc."""
    return _other(
        name,
        operands,
        summary,
        latex,
        example,
        kernel,
        notes,
        options=_UFUNC,
        numpy=name,
        see_also=f"numpy.{name}",
        cost=cost,
        by_name=False,
    )


_ONE, _TWO = ("x",), ("x1", "x2")
_EXACT = "The result is the exact one, rounded once."
_SECOND = "Of two equal elements, such as 0.0 and -0.0, it is the second."
_BOOL = "The result is bool; NaN compares unequal to everything."
_SAME = "the same bits on AVX2, AVX-512 and NEON"
_WITHIN = f"Within 1 ULP of the true value, {_SAME}."
_ANGLES = f"Within 1 ULP of the true value for angles of any size, {_SAME}; NaN at infinity."
_TRUTH = "Numbers are true where they are not zero; the result is bool."

_ROWS = (
    _ufunc("add", _TWO, "Sum of two arrays.", "x_1 + x_2",
           ("[1.0, 2.0], [[10.0], [20.0]]", "array([[11., 12.],\n       [21., 22.]])"),
           "add", _EXACT),
    _ufunc("subtract", _TWO, "Difference of two arrays.", "x_1 - x_2",
           ("[3.0, 4.0], 1.0", "array([2., 3.])"), "subtract", _EXACT),
    _ufunc("multiply", _TWO, "Product of two arrays, element by element.", "x_1 x_2",
           ("[1.0, 2.0], [3.0, 4.0]", "array([3., 8.])"), "multiply", _EXACT),
    _ufunc("divide", _TWO, "Quotient of two arrays; of integers, too, a float.", "x_1 / x_2",
           ("[1, 2], 4", "array([0.25, 0.5 ])"), "divide", _EXACT),
    _ufunc("maximum", _TWO, "The larger of two elements; NaN where either is.", "\\max(x_1, x_2)",
           ("[1.0, 5.0], 3.0", "array([3., 5.])"), "maximum", _SECOND),
    _ufunc("minimum", _TWO, "The smaller of two elements; NaN where either is.", "\\min(x_1, x_2)",
           ("[1.0, 5.0], 3.0", "array([1., 3.])"), "minimum", _SECOND),
    _ufunc("power", _TWO, "Elements of one array to the powers of another.", "x_1^{x_2}",
           ("[1.0, 2.0, 3.0], 2.0", "array([1., 4., 9.])"), "",
           "NumPy's own loops; integers to negative integer powers are a ValueError.", 2000),
    _ufunc("square", _ONE, "Square of each element.", "x^2",
           ("[1.0, -3.0]", "array([1., 9.])"), "square", _EXACT),
    _ufunc("sqrt", _ONE, "Square root of each element; NaN below zero.", "\\sqrt{x}",
           ("[4.0, 9.0]", "array([2., 3.])"), "sqrt", _EXACT),
    _ufunc("reciprocal", _ONE, "One divided by each element.", "1 / x",
           ("[2.0, 4.0]", "array([0.5 , 0.25])"), "reciprocal", _EXACT),
    _ufunc("absolute", _ONE, "Magnitude of each element.", "|x|",
           ("[-1.5, 2.0]", "array([1.5, 2. ])"), "absolute"),
    _ufunc("negative", _ONE, "Each element with the other sign.", "-x",
           ("[1.0, -2.0]", "array([-1.,  2.])"), "negative"),
    _ufunc("exp", _ONE, "Exponential of each element.", "e^x",
           ("[0.0, 1.0]", "array([1.       , 2.71828183])"), "exponential",
           _WITHIN),
    _ufunc("log", _ONE, "Natural logarithm of each element; NaN below zero.", "\\ln x",
           ("[1.0, 10.0]", "array([0.       , 2.30258509])"), "log",
           _WITHIN),
    _ufunc("sin", _ONE, "Sine of each element, an angle in radians.", "\\sin x",
           ("[0.0, 1.0, 1e300]", "array([ 0.       ,  0.84147098, -0.81788191])"), "sin",
           _ANGLES, 300),
    _ufunc("cos", _ONE, "Cosine of each element, an angle in radians.", "\\cos x",
           ("[0.0, 1.0, 1e300]", "array([ 1.       ,  0.54030231, -0.57538611])"), "cos",
           _ANGLES, 300),
    _ufunc("equal", _TWO, "Are two elements equal?", "x_1 = x_2",
           ("[1.0, 2.0], 2.0", "array([False,  True])"), "", _BOOL, 40),
    _ufunc("not_equal", _TWO, "Are two elements different?", "x_1 \\ne x_2",
           ("[1.0, 2.0], 2.0", "array([ True, False])"), "", _BOOL, 40),
    _ufunc("less", _TWO, "Is the first element less than the second?", "x_1 < x_2",
           ("[1.0, 2.0], 2.0", "array([ True, False])"), "", _BOOL, 40),
    _ufunc("less_equal", _TWO, "Is the first element at most the second?", "x_1 \\le x_2",
           ("[1.0, 3.0], 2.0", "array([ True, False])"), "", _BOOL, 40),
    _ufunc("greater", _TWO, "Is the first element greater than the second?", "x_1 > x_2",
           ("[1.0, 3.0], 2.0", "array([False,  True])"), "", _BOOL, 40),
    _ufunc("greater_equal", _TWO, "Is the first element at least the second?", "x_1 \\ge x_2",
           ("[1.0, 2.0], 2.0", "array([False,  True])"), "", _BOOL, 40),
    _ufunc("logical_and", _TWO, "Are both elements true?", "x_1 \\land x_2",
           ("[True, False], True", "array([ True, False])"), "", _TRUTH, 60),
    _ufunc("logical_or", _TWO, "Is one of two elements true?", "x_1 \\lor x_2",
           ("[True, False], False", "array([ True, False])"), "", _TRUTH, 60),
    _ufunc("logical_not", _ONE, "Is an element false?", "\\lnot x",
           ("[True, False]", "array([False,  True])"), "", _TRUTH, 40),
    _other("multiply_add", "abc",
                  "Product of two arrays plus a third one, in one pass.", "a b + c",
                  ("[1.0, 2.0], 10.0, 0.5", "array([10.5, 20.5])"),
                  "multiply_add",
                  notes="Fused: a float result is the exact one rounded once, without the rounding "
                  "of the product. Integers wrap around. All is computed in the dtype that "
                  "`numpy.result_type` gives the three operands, also where the two would have "
                  "another product; a Python integer that it does not hold is an OverflowError."),
    _other("scale_shift", ("x", "scale", "shift"),
                  "An array times a scale plus a shift, such as one of each channel.",
                  "\\mathrm{scale} \\cdot x + \\mathrm{shift}",
                  ("[[1.0, 2.0]], [10.0, 100.0], 1.0", "array([[ 11., 201.]])"),
                  "multiply_add",
                  notes="Fused as `multiply_add` is: rounded once, in the dtype that "
                  "`numpy.result_type` gives the three operands."),
    _other("where", ("condition",),
                  "Elements of one array where a condition holds, elsewhere those of another.",
                  "x \\text{ or } y",
                  ("[True, False], [1.0, 2.0], 0.0", "array([1., 0.])"), "where",
                  notes="As `numpy.where`: an array, without dimensions, too; with the condition "
                  "alone, the indices where it holds.",
                  params=(_either("x"), _either("y"), _OUT), options=(), see_also="numpy.where"),
    _other("clip", ("x",),
                  "Elements limited to an interval; NaN stays.",
                  "\\min(\\max(x, \\mathrm{min}), \\mathrm{max})",
                  ("[1.0, 5.0, 9.0], 2.0, 6.0", "array([2., 5., 6.])"), "clip",
                  notes="As `numpy.clip`: None is no limit, and the upper one has the last word. "
                  "The limits are also called a_min and a_max.",
                  params=(_limit("min", "Lower"), _limit("max", "Upper"), _OUT),
                  see_also="numpy.clip"),
)  # fmt: skip

OPS: dict[str, Spec] = {op.name: op for op in _ROWS}

PUBLIC_NAMES = tuple(OPS)
