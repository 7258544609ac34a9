"""The elementwise operations, most of them named as NumPy's ufuncs."""

from __future__ import annotations

from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY
from vekt._spec.elementwise_forms import BOOL, OUT, either, limit, other, ufunc
from vekt._spec.spec import Spec

_ONE, _TWO = ("x",), ("x1", "x2")
_EXACT = "The result is the exact one, rounded once."
_SECOND = "Of two equal elements, such as 0.0 and -0.0, it is the second."
_TRUTH = "Numbers are true where they are not zero; the result is bool."

_ROWS = (
    ufunc("add", _TWO, "Sum of two arrays.", "x_1 + x_2",
           ("[1.0, 2.0], [[10.0], [20.0]]", "array([[11., 12.],\n       [21., 22.]])"),
           "add", _EXACT),
    ufunc("subtract", _TWO, "Difference of two arrays.", "x_1 - x_2",
           ("[3.0, 4.0], 1.0", "array([2., 3.])"), "subtract", _EXACT),
    ufunc("multiply", _TWO, "Product of two arrays, element by element.", "x_1 x_2",
           ("[1.0, 2.0], [3.0, 4.0]", "array([3., 8.])"), "multiply", _EXACT),
    ufunc("divide", _TWO, "Quotient of two arrays; of integers, too, a float.", "x_1 / x_2",
           ("[1, 2], 4", "array([0.25, 0.5 ])"), "divide", _EXACT),
    ufunc("maximum", _TWO, "The larger of two elements; NaN where either is.", "\\max(x_1, x_2)",
           ("[1.0, 5.0], 3.0", "array([3., 5.])"), "maximum", _SECOND),
    ufunc("minimum", _TWO, "The smaller of two elements; NaN where either is.", "\\min(x_1, x_2)",
           ("[1.0, 5.0], 3.0", "array([1., 3.])"), "minimum", _SECOND),
    ufunc("square", _ONE, "Square of each element.", "x^2",
           ("[1.0, -3.0]", "array([1., 9.])"), "square", _EXACT),
    ufunc("sqrt", _ONE, "Square root of each element; NaN below zero.", "\\sqrt{x}",
           ("[4.0, 9.0]", "array([2., 3.])"), "sqrt", _EXACT),
    ufunc("reciprocal", _ONE, "One divided by each element.", "1 / x",
           ("[2.0, 4.0]", "array([0.5 , 0.25])"), "reciprocal", _EXACT),
    ufunc("absolute", _ONE, "Magnitude of each element.", "|x|",
           ("[-1.5, 2.0]", "array([1.5, 2. ])"), "absolute"),
    ufunc("negative", _ONE, "Each element with the other sign.", "-x",
           ("[1.0, -2.0]", "array([-1.,  2.])"), "negative"),
    *ELEMENTARY,
    *BINARY,
    ufunc("equal", _TWO, "Are two elements equal?", "x_1 = x_2",
           ("[1.0, 2.0], 2.0", "array([False,  True])"), "", BOOL, 40),
    ufunc("not_equal", _TWO, "Are two elements different?", "x_1 \\ne x_2",
           ("[1.0, 2.0], 2.0", "array([ True, False])"), "", BOOL, 40),
    ufunc("less", _TWO, "Is the first element less than the second?", "x_1 < x_2",
           ("[1.0, 2.0], 2.0", "array([ True, False])"), "", BOOL, 40),
    ufunc("less_equal", _TWO, "Is the first element at most the second?", "x_1 \\le x_2",
           ("[1.0, 3.0], 2.0", "array([ True, False])"), "", BOOL, 40),
    ufunc("greater", _TWO, "Is the first element greater than the second?", "x_1 > x_2",
           ("[1.0, 3.0], 2.0", "array([False,  True])"), "", BOOL, 40),
    ufunc("greater_equal", _TWO, "Is the first element at least the second?", "x_1 \\ge x_2",
           ("[1.0, 2.0], 2.0", "array([False,  True])"), "", BOOL, 40),
    ufunc("logical_and", _TWO, "Are both elements true?", "x_1 \\land x_2",
           ("[True, False], True", "array([ True, False])"), "", _TRUTH, 60),
    ufunc("logical_or", _TWO, "Is one of two elements true?", "x_1 \\lor x_2",
           ("[True, False], False", "array([ True, False])"), "", _TRUTH, 60),
    ufunc("logical_not", _ONE, "Is an element false?", "\\lnot x",
           ("[True, False]", "array([False,  True])"), "", _TRUTH, 40),
    other("multiply_add", "abc",
                  "Product of two arrays plus a third one, in one pass.", "a b + c",
                  ("[1.0, 2.0], 10.0, 0.5", "array([10.5, 20.5])"),
                  "multiply_add",
                  notes="Fused: a float result is the exact one rounded once, without the rounding "
                  "of the product. Integers wrap around. All is computed in the dtype that "
                  "`numpy.result_type` gives the three operands, also where the two would have "
                  "another product; a Python integer that it does not hold is an OverflowError."),
    other("scale_shift", ("x", "scale", "shift"),
                  "An array times a scale plus a shift, such as one of each channel.",
                  "\\mathrm{scale} \\cdot x + \\mathrm{shift}",
                  ("[[1.0, 2.0]], [10.0, 100.0], 1.0", "array([[ 11., 201.]])"),
                  "multiply_add",
                  notes="Fused as `multiply_add` is: rounded once, in the dtype that "
                  "`numpy.result_type` gives the three operands."),
    other("where", ("condition",),
                  "Elements of one array where a condition holds, elsewhere those of another.",
                  "x \\text{ or } y",
                  ("[True, False], [1.0, 2.0], 0.0", "array([1., 0.])"), "where",
                  notes="As `numpy.where`: an array, without dimensions, too; with the condition "
                  "alone, the indices where it holds.",
                  params=(either("x"), either("y"), OUT), options=(), see_also="numpy.where"),
    other("clip", ("x",),
                  "Elements limited to an interval; NaN stays.",
                  "\\min(\\max(x, \\mathrm{min}), \\mathrm{max})",
                  ("[1.0, 5.0, 9.0], 2.0, 6.0", "array([2., 5., 6.])"), "clip",
                  notes="As `numpy.clip`: None is no limit, and the upper one has the last word. "
                  "The limits are also called a_min and a_max.",
                  params=(limit("min", "Lower"), limit("max", "Upper"), OUT),
                  see_also="numpy.clip"),
)  # fmt: skip

OPS: dict[str, Spec] = {op.name: op for op in _ROWS}

PUBLIC_NAMES = tuple(OPS)
