"""The functions of rows: one entry for each, from which docstrings, stubs and tests follow."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import Signature
from typing import Any

from vekt._spec.form import Form, Param

_AXIS = Param("axis", -1, "Axes along which the elements of a row lie.", kind="axis")
_KEEPDIMS = Param("keepdims", False, "Whether the reduced axes stay, with size 1.", kind="flag")
_OPTIONS: dict[str, Any] = {"where": None, "out": None, "dtype": None}


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class RowOp:
    """One function over the elements of a row, with its gradient NAME_backward.

    `formula` and `backward_formula` are written in x, y and dy, with sums over the row.  `special`
    tells the answers for infinite, masked and missing elements.  `bound` and `backward_bound` tell
    the errors of the C kernels.  `example` is the result for x = [1, 2, 4], and `backward_example`
    the gradient there for dy = [1, 0, 0] (1 where `reduces`), to four decimals.
    """

    name: str
    summary: str
    formula: str
    backward_formula: str
    special: str
    bound: str
    backward_bound: str
    source: str
    use: str
    compat: str
    example: tuple[float, ...] | float
    backward_example: tuple[float, ...]
    reduces: bool = False

    @property
    def public_names(self) -> tuple[str, str]:
        """The names that this function has in `vekt` and `vekt.reference`."""
        return self.name, f"{self.name}_backward"

    @property
    def kinds(self) -> tuple[str, str]:
        """What follows the name in the names of its functions."""
        return "", "_backward"

    def form(self, kind: str) -> Form:
        """Return how the function of this kind is called; a gradient knows its dtype."""
        backward = kind == "_backward"
        if not backward:
            options = tuple(_OPTIONS)
        else:
            options = ("where", "out") if self.reduces else ("out",)
        return Form(
            self.name + kind,
            ("dy", "x" if self.reduces else "y") if backward else ("x",),
            (_AXIS, _KEEPDIMS) if self.reduces else (_AXIS,),
            options={name: _OPTIONS[name] for name in options},
        )

    def signature(self, kind: str) -> Signature:
        """Return the signature of the function of this kind, in every namespace."""
        return self.form(kind).signature


_ROWS_OF_SOFTMAX = (
    "Where k elements are {infinite}, they share the total: 1/k each, and 0 elsewhere. A row "
    "without anything above {lowest}, or with every element masked, gives zeros. Masked elements "
    "give 0. NaN in an element that is not masked gives a row of NaN."
)
_CONSTANT = "Elements whose y is {constant} get 0, and their dy counts for nothing."

_TWO_ULP = "at most 2 ULP for each element, subnormal results included"
_PRODUCT_BOUND = (
    "the sum is exact to twice the working precision, so each element is within 2.5 ULP of the "
    "formula for the dy and y given, unless products underflow or dy - sum cancels beyond that"
)

ROW_OPS: dict[str, RowOp] = {
    op.name: op
    for op in (
        RowOp(
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
            "-inf; JAX gives zeros for a row that is masked throughout.",
            example=(0.042, 0.1142, 0.8438),
            backward_example=(0.0402, -0.0048, -0.0354),
        ),
        RowOp(
            name="softmin",
            summary="Softmin: the softmax of -x.",
            formula="exp(-x) / sum(exp(-x))",
            backward_formula="-y * (dy - sum(dy * y))",
            special=_ROWS_OF_SOFTMAX.format(infinite="-inf", lowest="+inf"),
            bound=_TWO_ULP,
            backward_bound=_PRODUCT_BOUND,
            source="As softmax.",
            use="Weights that favour small distances or costs.",
            compat="torch has it; Keras, JAX and SciPy do not.",
            example=(0.7054, 0.2595, 0.0351),
            backward_example=(-0.2078, 0.183, 0.0248),
        ),
        RowOp(
            name="log_softmax",
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
            "is below 1e-7 (float32) or 1e-16 (float64), where they give 0.",
            example=(-3.1698, -2.1698, -0.1698),
            backward_example=(0.958, -0.1142, -0.8438),
        ),
        RowOp(
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
            compat="As scipy.special.logsumexp without weights b, and jax.nn.logsumexp.",
            example=4.1698,
            backward_example=(0.042, 0.1142, 0.8438),
            reduces=True,
        ),
        RowOp(
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


PUBLIC_NAMES = tuple(name for op in ROW_OPS.values() for name in op.public_names)


def constant_rule(op: RowOp) -> str:
    """Tell what the gradient does where the output does not depend on the input."""
    return _CONSTANT.format(constant="-inf" if op.name == "log_softmax" else "0")
