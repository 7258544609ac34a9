"""One row for each elementwise operation of `vekt.elementwise`."""

from __future__ import annotations

from dataclasses import dataclass

UFUNC_OPTIONS = "out=None, *, where=True, dtype=None, casting='same_kind', order='K', subok=True"


@dataclass(frozen=True)
class ElementwiseOp:
    """What an operation is called, computes and returns.

    `kernel` is the name in the table of C kernels, for float32 and float64; "" where NumPy's own
    loop is as good.  `signature` lists the parameters as a call names them.
    """

    name: str
    signature: str
    summary: str
    formula: str
    example: tuple[str, str]
    kernel: str = ""
    numpy: str = ""
    notes: str = ""
    cost: int = 100

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        names = self.signature.split(", /")[0].split(", out")[0]
        return tuple(part.split("=")[0] for part in names.split(", "))

    @property
    def rounds_alone(self) -> bool:
        """Return whether the last bits may be others than NumPy's loops would give."""
        return self.kernel in ("exponential", "log", "sin", "cos", "multiply_add")

    @property
    def compares(self) -> bool:
        """Return whether elements are equal, or in what order."""
        return self.notes == _BOOL


def _ufunc(
    name: str,
    inputs: str,
    summary: str,
    formula: str,
    example: tuple[str, str],
    kernel: str = "",
    notes: str = "",
    cost: int = 100,
) -> ElementwiseOp:
    """Make the row of an operation that NumPy has as a ufunc."""
    signature = f"{inputs}, /, {UFUNC_OPTIONS}"
    return ElementwiseOp(name, signature, summary, formula, example, kernel, name, notes, cost)


_ONE, _TWO, _ANY_OUT = "x", "x1, x2", "out=None, *, where=True, dtype=None"
_EXACT = "The result is the exact one, rounded once."
_SECOND = "Of two equal elements, such as 0.0 and -0.0, it is the second."
_BOOL = "The result is bool; NaN compares unequal to everything."
_SAME = "the same bits on AVX2, AVX-512 and NEON"
_WITHIN = f"Within 1 ULP of the true value, {_SAME}."
_ANGLES = f"Within 1 ULP of the true value for angles of any size, {_SAME}; NaN at infinity."
_TRUTH = "Numbers are true where they are not zero; the result is bool."

_ROWS = (
    _ufunc("add", _TWO, "Sum of two arrays.", "x_1 + x_2",
           ("vk.add([1.0, 2.0], [[10.0], [20.0]])", "array([[11., 12.],\n       [21., 22.]])"),
           "add", _EXACT),
    _ufunc("subtract", _TWO, "Difference of two arrays.", "x_1 - x_2",
           ("vk.subtract([3.0, 4.0], 1.0)", "array([2., 3.])"), "subtract", _EXACT),
    _ufunc("multiply", _TWO, "Product of two arrays, element by element.", "x_1 x_2",
           ("vk.multiply([1.0, 2.0], [3.0, 4.0])", "array([3., 8.])"), "multiply", _EXACT),
    _ufunc("divide", _TWO, "Quotient of two arrays; of integers, too, a float.", "x_1 / x_2",
           ("vk.divide([1, 2], 4)", "array([0.25, 0.5 ])"), "divide", _EXACT),
    _ufunc("maximum", _TWO, "The larger of two elements; NaN where either is.", "\\max(x_1, x_2)",
           ("vk.maximum([1.0, 5.0], 3.0)", "array([3., 5.])"), "maximum", _SECOND),
    _ufunc("minimum", _TWO, "The smaller of two elements; NaN where either is.", "\\min(x_1, x_2)",
           ("vk.minimum([1.0, 5.0], 3.0)", "array([1., 3.])"), "minimum", _SECOND),
    _ufunc("power", _TWO, "Elements of one array to the powers of another.", "x_1^{x_2}",
           ("vk.power([1.0, 2.0, 3.0], 2.0)", "array([1., 4., 9.])"), "",
           "NumPy's own loops; integers to negative integer powers are a ValueError.", 2000),
    _ufunc("square", _ONE, "Square of each element.", "x^2",
           ("vk.square([1.0, -3.0])", "array([1., 9.])"), "square", _EXACT),
    _ufunc("sqrt", _ONE, "Square root of each element; NaN below zero.", "\\sqrt{x}",
           ("vk.sqrt([4.0, 9.0])", "array([2., 3.])"), "sqrt", _EXACT),
    _ufunc("reciprocal", _ONE, "One divided by each element.", "1 / x",
           ("vk.reciprocal([2.0, 4.0])", "array([0.5 , 0.25])"), "reciprocal", _EXACT),
    _ufunc("absolute", _ONE, "Magnitude of each element.", "|x|",
           ("vk.absolute([-1.5, 2.0])", "array([1.5, 2. ])"), "absolute"),
    _ufunc("negative", _ONE, "Each element with the other sign.", "-x",
           ("vk.negative([1.0, -2.0])", "array([-1.,  2.])"), "negative"),
    _ufunc("exp", _ONE, "Exponential of each element.", "e^x",
           ("vk.exp([0.0, 1.0])", "array([1.        , 2.71828183])"), "exponential",
           _WITHIN),
    _ufunc("log", _ONE, "Natural logarithm of each element; NaN below zero.", "\\ln x",
           ("vk.log([1.0, 10.0])", "array([0.        , 2.30258509])"), "log",
           _WITHIN),
    _ufunc("sin", _ONE, "Sine of each element, an angle in radians.", "\\sin x",
           ("vk.sin([0.0, 1.0, 1e300])", "array([ 0.        ,  0.84147098, -0.81788191])"), "sin",
           _ANGLES, 300),
    _ufunc("cos", _ONE, "Cosine of each element, an angle in radians.", "\\cos x",
           ("vk.cos([0.0, 1.0, 1e300])", "array([ 1.        ,  0.54030231, -0.57538611])"), "cos",
           _ANGLES, 300),
    _ufunc("equal", _TWO, "Are two elements equal?", "x_1 = x_2",
           ("vk.equal([1.0, 2.0], 2.0)", "array([False,  True])"), "", _BOOL, 40),
    _ufunc("not_equal", _TWO, "Are two elements different?", "x_1 \\ne x_2",
           ("vk.not_equal([1.0, 2.0], 2.0)", "array([ True, False])"), "", _BOOL, 40),
    _ufunc("less", _TWO, "Is the first element less than the second?", "x_1 < x_2",
           ("vk.less([1.0, 2.0], 2.0)", "array([ True, False])"), "", _BOOL, 40),
    _ufunc("less_equal", _TWO, "Is the first element at most the second?", "x_1 \\le x_2",
           ("vk.less_equal([1.0, 3.0], 2.0)", "array([ True, False])"), "", _BOOL, 40),
    _ufunc("greater", _TWO, "Is the first element greater than the second?", "x_1 > x_2",
           ("vk.greater([1.0, 3.0], 2.0)", "array([False,  True])"), "", _BOOL, 40),
    _ufunc("greater_equal", _TWO, "Is the first element at least the second?", "x_1 \\ge x_2",
           ("vk.greater_equal([1.0, 2.0], 2.0)", "array([False,  True])"), "", _BOOL, 40),
    _ufunc("logical_and", _TWO, "Are both elements true?", "x_1 \\land x_2",
           ("vk.logical_and([True, False], True)", "array([ True, False])"), "", _TRUTH, 60),
    _ufunc("logical_or", _TWO, "Is one of two elements true?", "x_1 \\lor x_2",
           ("vk.logical_or([True, False], False)", "array([ True, False])"), "", _TRUTH, 60),
    _ufunc("logical_not", _ONE, "Is an element false?", "\\lnot x",
           ("vk.logical_not([True, False])", "array([False,  True])"), "", _TRUTH, 40),
    ElementwiseOp("multiply_add", f"a, b, c, {_ANY_OUT}",
                  "Product of two arrays plus a third one, in one pass.", "a b + c",
                  ("vk.multiply_add([1.0, 2.0], 10.0, 0.5)", "array([10.5, 20.5])"),
                  "multiply_add",
                  notes="Fused: a float result is the exact one rounded once, without the rounding "
                  "of the product.  Integers wrap around.  All is computed in the dtype that "
                  "`numpy.result_type` gives the three operands, also where the two would have "
                  "another product; a Python integer that it does not hold is an OverflowError."),
    ElementwiseOp("scale_shift", f"x, scale, shift, {_ANY_OUT}",
                  "An array times a scale plus a shift, such as one of each channel.",
                  "\\mathrm{scale} \\cdot x + \\mathrm{shift}",
                  ("vk.scale_shift([[1.0, 2.0]], [10.0, 100.0], 1.0)", "array([[ 11., 201.]])"),
                  "multiply_add",
                  notes="Fused as `multiply_add` is: rounded once, in the dtype that "
                  "`numpy.result_type` gives the three operands."),
    ElementwiseOp("where", "condition, x=..., y=..., out=None",
                  "Elements of one array where a condition holds, elsewhere those of another.",
                  "x \\text{ or } y",
                  ("vk.where([True, False], [1.0, 2.0], 0.0)", "array([1., 0.])"), "where",
                  notes="As `numpy.where`: an array, without dimensions, too; with the condition "
                  "alone, the indices where it holds."),
    ElementwiseOp("clip", "x, min=None, max=None, out=None, *, where=True, dtype=None",
                  "Elements limited to an interval; NaN stays.",
                  "\\min(\\max(x, \\mathrm{min}), \\mathrm{max})",
                  ("vk.clip([1.0, 5.0, 9.0], 2.0, 6.0)", "array([2., 5., 6.])"), "clip",
                  notes="As `numpy.clip`: None is no limit, and the upper one has the last word. "
                  "The limits are also called a_min and a_max."),
)  # fmt: skip

OPS: dict[str, ElementwiseOp] = {op.name: op for op in _ROWS}

PUBLIC_NAMES = tuple(OPS)
