"""The functions of rows: softmax and its kin over any axes."""

from __future__ import annotations

from functools import partial

from vekt._spec.form import Param
from vekt._spec.pointwise import DTYPE, ELEMENT, OUT, X
from vekt._spec.spec import RAISES, Kernel, Kind, Note, Spec

_AXIS = Param(
    "axis",
    -1,
    "Axes along which the elements of a row lie; None means all of them.",
    "axis",
    type="int, tuple of ints or None",
)
KEEPDIMS = Param("keepdims", False, "Whether reduced axes stay, with length one.", kind="flag")
_WHERE = Param(
    "where",
    None,
    "Elements that take part, the others counting as {lowest}; broadcasts to the shape of `x`.",
    type="array_like of bool or None, optional",
)
_RAISES = (
    ("AxisError", "If an axis is out of bounds."),
    RAISES[0],
    ("ValueError", "For a repeated axis, shapes that do not fit, and a read-only `out`."),
)
_DY = "Gradient of the loss with respect to the output. Broadcasts to the shape of "
_Y = Param("y", doc="Output of `{name}`.")
_GRADIENT = "Gradient of a loss through `{name}`."


def _notes(*first: str, bound: str) -> tuple[Note, ...]:
    return (
        *first,
        ("vekt", f"Error: {bound}."),
        (
            "vekt",
            "The bits are the same for any layout in memory, thread count and mask of the same "
            "elements, and on AVX2, AVX-512 and NEON; NaN is NaN, of either sign.",
        ),
    )


_kind = partial(Kind, by_name=True, raises=_RAISES)


_VALUE = _notes("{special}", bound="{bound}")
_SHOWN = ">>> x = np.array([1.0, 2.0, 4.0])\n"
_ELEMENTS = {
    "": _kind(
        "{summary}",
        (X,),
        (Param("y", doc="In the shape of `x`.", type="ndarray"),),
        (_WHERE, OUT, DTYPE),
        _VALUE,
        _SHOWN + ">>> {f}(x).round(4).tolist()\n{value}",
    ),
    "_backward": _kind(
        _GRADIENT,
        (Param("dy", doc=f"{_DY}`y`."), _Y),
        (Param("dx", doc="In the shape of `y`.", type="ndarray"),),
        (OUT,),
        _notes(
            "Elements whose y is {constant} get 0, and their dy counts for nothing.",
            bound="{backward_bound}",
        ),
        _SHOWN + ">>> y = {base}(x)\n>>> {f}([1.0, 0.0, 0.0], y).round(4).tolist()\n{slope}",
    ),
}
_REDUCTION = {
    "": _kind(
        "{summary}",
        (X,),
        (Param("y", doc="In the shape of `x` without the reduced axes.", type=ELEMENT),),
        (_WHERE, OUT, DTYPE),
        _VALUE,
        _SHOWN + ">>> {f}(x).round(4).tolist()\n{value}",
    ),
    "_backward": _kind(
        _GRADIENT,
        (Param("dy", doc=f"{_DY}the result."), X),
        (Param("dx", doc="In the shape of `x`.", type="ndarray"),),
        (_WHERE, OUT),
        _notes("{special}", bound="{backward_bound}"),
        _SHOWN + ">>> {f}(1.0, x).round(4).tolist()\n{slope}",
    ),
}


def _row(
    name: str,
    summary: str,
    formula: str,
    backward_formula: str,
    example: tuple[float, ...] | float,
    backward_example: tuple[float, ...],
    source: str,
    use: str,
    compat: str,
    reduces: bool = False,
    **facts: str,
) -> Spec:
    """Make the spec of one function over the elements of a row.

    The formulas are written in x, y and dy, with sums over the row.  `special` tells the answers
    for infinite, masked and missing elements, `bound` and `backward_bound` the errors of the C
    kernels.  `example` is the result for x = [1, 2, 4], and `backward_example` the gradient there
    for dy = [1, 0, 0] (1 where it reduces), to four decimals.
    """
    kernel = Kernel(
        formula=formula,
        gradient_formula=backward_formula,
        at=(1.0, 2.0, 4.0),
        example=example,
        gradient_example=backward_example,
        max_ulp={},
        jit_max_ulp={},
    )
    return Spec(
        name=name,
        summary=summary,
        kinds=_REDUCTION if reduces else _ELEMENTS,
        home="vekt.rows",
        kernels=(kernel,),
        params=(_AXIS, KEEPDIMS) if reduces else (_AXIS,),
        source=source,
        use=use,
        compat=compat,
        facts={"lowest": "-inf", "constant": "0"} | facts,
    )


_ROWS_OF_SOFTMAX = (
    "Where k elements are {infinite}, they share the total: 1/k each, and 0 elsewhere. A row "
    "without anything above {lowest}, or with every element masked, gives zeros. Masked elements "
    "give 0. NaN in an element that is not masked gives a row of NaN."
)

_TWO_ULP = "at most 2 ULP for each element, subnormal results included"
_PRODUCT_BOUND = (
    "the sum is exact to twice the working precision, so each element is within 2.5 ULP of the "
    "formula for the dy and y given, unless products underflow or dy - sum cancels beyond that"
)
_DEFAULT_AXIS = (
    " The default axis is the last one, as in Keras and JAX; SciPy's is all of them (axis=None), "
    "and torch wants one told."
)

ROW_OPS: dict[str, Spec] = {
    op.name: op
    for op in (
        _row(
            name="softmax",
            summary="Softmax: exponentials divided by their sum.",
            formula="exp(x) / sum(exp(x))",
            backward_formula="y * (dy - sum(dy * y))",
            special=_ROWS_OF_SOFTMAX.format(infinite="+inf", lowest="-inf"),
            bound=_TWO_ULP,
            backward_bound=_PRODUCT_BOUND,
            source="J. S. Bridle, Probabilistic interpretation of feedforward classification "
            "network outputs, NATO ASI Series 68, 1990.",
            use="Class probabilities from scores; attention weights.",
            compat="Keras, torch, JAX and SciPy give NaN for rows with +inf or with nothing but "
            "-inf; JAX gives zeros for a row that is masked throughout." + _DEFAULT_AXIS,
            example=(0.042, 0.1142, 0.8438),
            backward_example=(0.0402, -0.0048, -0.0354),
        ),
        _row(
            name="softmin",
            lowest="+inf",
            summary="Softmin: the softmax of -x.",
            formula="exp(-x) / sum(exp(-x))",
            backward_formula="-y * (dy - sum(dy * y))",
            special=_ROWS_OF_SOFTMAX.format(infinite="-inf", lowest="+inf"),
            bound=_TWO_ULP,
            backward_bound=_PRODUCT_BOUND,
            source="As softmax.",
            use="Weights that favour small distances or costs.",
            compat="torch has it, and wants an axis told; Keras, JAX and SciPy do not.",
            example=(0.7054, 0.2595, 0.0351),
            backward_example=(-0.2078, 0.183, 0.0248),
        ),
        _row(
            name="log_softmax",
            constant="-inf",
            summary="Logarithm of the softmax.",
            formula="x - log(sum(exp(x)))",
            backward_formula="dy - exp(y) * sum(dy)",
            special="Where k elements are +inf, they give -log(k) and the others -inf. A row "
            "without anything above -inf, or with every element masked, gives -inf. Masked "
            "elements give -inf. NaN in an element that is not masked gives a row of NaN.",
            bound="at most 2 ULP for each element, the maximal one included however close to 0 its "
            "result is",
            backward_bound="a few units in the last place of the larger of dy and exp(y) * sum(dy)",
            source="As softmax; for the maximal element log1p of the sum without it.",
            use="Log-likelihoods of classes; cross entropy.",
            compat="SciPy, torch and JAX lose every digit of the maximal element's result once it "
            "is below 5.9e-8 (float32) or 1.1e-16 (float64), where they give 0." + _DEFAULT_AXIS,
            example=(-3.1698, -2.1698, -0.1698),
            backward_example=(0.958, -0.1142, -0.8438),
        ),
        _row(
            name="logsumexp",
            summary="Logarithm of the sum of exponentials.",
            formula="log(sum(exp(x)))",
            backward_formula="dy * softmax(x)",
            special="+inf in a row gives +inf. A row without anything above -inf, with every "
            "element masked, or without elements gives -inf. NaN in an element that is not masked "
            "gives NaN. The gradient's rows with infinite maxima are those of softmax.",
            bound="at most 1 ULP, or an error of 2**-24 in float32 and 2**-53 in float64 where the "
            "result is so near its root that this is more",
            backward_bound="at most 2.5 ULP for each element; up to twice that where dy scales a "
            "subnormal softmax",
            source="N. J. Higham, P. Blanchard and D. J. Higham, Accurately computing the "
            "log-sum-exp and softmax functions, IMA J. Numer. Anal. 41, 2021.",
            use="Normalisers of log-probabilities; a smooth maximum.",
            compat="As scipy.special.logsumexp, without weights b, and jax.nn.logsumexp, but for "
            "the default axis: here the last one, theirs is all of them (axis=None). torch wants "
            "one told.",
            example=4.1698,
            backward_example=(0.042, 0.1142, 0.8438),
            reduces=True,
        ),
        _row(
            name="sparsemax",
            summary="Sparsemax: the nearest point of the probability simplex.",
            formula="max(x - tau, 0), tau such that the elements add up to 1",
            backward_formula="dy - sum(dy over y > 0) / count(y > 0) where y > 0, else 0",
            special=_ROWS_OF_SOFTMAX.format(infinite="+inf", lowest="-inf"),
            bound="at most 2 ULP for each element; the support is exact but for elements within "
            "the square of the precision of tau",
            backward_bound="at most 2 ULP for each element, unless dy - mean cancels to nothing",
            source="A. F. T. Martins and R. F. Astudillo, From softmax to sparsemax, ICML 2016.",
            use="Attention and class probabilities with exact zeros.",
            compat="Keras sorts the row and rounds tau to the working precision; torch, JAX and "
            "SciPy do not have it.",
            example=(0.0, 0.0, 1.0),
            backward_example=(0.0, 0.0, 0.0),
        ),
    )
}


PUBLIC_NAMES = tuple(name for spec in ROW_OPS.values() for name in spec.public_names)
