"""The statistics along axes: variances, products, counts, and those that skip NaN."""

from __future__ import annotations

from vekt._spec.form import Param
from vekt._spec.reductions import (
    AXIS,
    FIRST,
    NOTHING,
    OUT,
    REDUCTIONS,
    SHAPING,
    WHERE,
    initial_number,
    reduction,
    result_dtype,
)
from vekt._spec.rows import KEEPDIMS
from vekt._spec.scans import SCANS
from vekt._spec.spec import Spec

_DDOF = Param(
    "ddof", 0, "To be taken from the number of elements.", "option", type="int or float, default 0"
)
_CORRECTION = Param(
    "correction",
    NOTHING,
    "The Array API's name of `ddof`; one of the two may be given.",
    "option",
    type="int or float, optional",
)
_MEAN = Param(
    "mean",
    NOTHING,
    "The means, of a shape that broadcasts to that of `a`; NumPy computes with it.",
    "option",
    type="array_like, optional",
)
_OF_MEANS = (AXIS, result_dtype("float64"), OUT, KEEPDIMS)
_OF_SUMS = (
    AXIS,
    result_dtype("int64 or uint64"),
    OUT,
    KEEPDIMS,
    initial_number("With which the elements are joined."),
    WHERE,
)
_OF_VARIANCES = (AXIS, result_dtype("float64"), OUT, _DDOF, KEEPDIMS)
_FLOATS = "Of the dtype of `a`, float64 for integers and bool, real for complex numbers."
_CHAN = (
    "T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for computing the sample variance: "
    "analysis and recommendations, 1983."
)
_HOW = (
    "Memory is read once: some elements at a time are brought to the first-level cache, and their "
    "deviations from a number near their mean are summed in double, as are the squares of these. "
    "The moments of two such parts are merged by the formula of Chan, Golub and LeVeque, with the "
    "mean in two doubles; parts of a long line pairwise. Errors are some units of the last "
    "place, of float32 one rounding, where NumPy's two passes lose all digits of float32 across "
    "many rows, or beside a large mean. Which elements form a part "
    "depends on the shape and the layout, but not on the number of threads."
)
_DEGREES = (
    "Where there are not more elements than `ddof`, NumPy answers, with its RuntimeWarning: NaN, "
    "or infinity."
)
_SKIPS = (
    "Elements that are NaN do not count, and all else is as in {of}. Of integers it is {of} "
    "itself; complex numbers go to NumPy. In contrast to NumPy there is no warning where no "
    "element counts; but arrays that NumPy reduces, such as empty ones, may have its warnings."
)


def _skipping(of: str) -> str:
    return _SKIPS.replace("{of}", f"`vk.{of}`")


def _variance(name: str, summary: str, math: str, notes: str, example: str) -> Spec:
    return reduction(
        name,
        summary,
        math,
        _FLOATS,
        _OF_VARIANCES,
        notes,
        example,
        (WHERE, _MEAN, _CORRECTION),
        _CHAN,
    )


def _extreme(name: str, summary: str, math: str, example: str) -> Spec:
    return reduction(
        name,
        summary,
        math,
        "Of the dtype of `a`; NaN where all elements are.",
        (AXIS, OUT, KEEPDIMS, FIRST, WHERE),
        _skipping(name.removeprefix("nan")),
        example,
    )


STATISTICS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        _variance(
            "var",
            "Variance of elements along axes.",
            r"v = \frac{1}{n - d} \sum_i |a_i - m|^2, \quad m = \frac{1}{n} \sum_i a_i",
            f"d is `ddof`. {_HOW} {_DEGREES}",
            """\
>>> {f}(np.array([[1.0, 2.0], [3.0, 7.0]]), axis=1)
array([0.25, 4.  ])""",
        ),
        _variance(
            "std",
            "Standard deviation of elements along axes.",
            r"s = \sqrt{\frac{1}{n - d} \sum_i |a_i - m|^2}, \quad m = \frac{1}{n} \sum_i a_i",
            f"The root of `vk.var`, rounded once. d is `ddof`. {_DEGREES}",
            """\
>>> {f}(np.array([[1.0, 2.0], [3.0, 7.0]]), axis=1)
array([0.5, 2. ])""",
        ),
        reduction(
            "moments",
            "Mean and variance of elements along axes, in one pass over memory.",
            r"m = \frac{1}{n} \sum_i a_i, \quad v = \frac{1}{n - d} \sum_i |a_i - m|^2",
            "Of the dtype of `a`, float64 for integers and bool.",
            (AXIS, result_dtype("float64"), _DDOF, KEEPDIMS),
            f"d is `ddof`. {_HOW} {_DEGREES}",
            """\
>>> mean, variance = {f}(np.array([[1.0, 2.0], [3.0, 7.0]]), axis=1)
>>> mean
array([1.5, 5. ])
>>> variance
array([0.25, 4.  ])""",
            (WHERE, _CORRECTION),
            _CHAN,
            results=(
                Param("mean", doc=_FLOATS.replace(", real", ", complex"), type="scalar or ndarray"),
                Param("variance", doc=_FLOATS, type="scalar or ndarray"),
            ),
            see_also="numpy.mean, numpy.var",
        ),
        reduction(
            "prod",
            "Product of elements along axes.",
            r"p = \prod_i a_i",
            "Of NumPy's result type: integers and bool multiply in int64 or uint64, modulo 2^64.",
            _OF_SUMS,
            "Floating-point products are formed in double, in 32 chains for a line, and rounded "
            "once. Where a part of one comes near the ends of the range, it is formed again with "
            "an exponent of its own: the result overflows or vanishes only where the product does, "
            "in contrast to NumPy's. The order depends on the shape and the layout, but not on the "
            "number of threads. Complex products are NumPy's.",
            """\
>>> {f}(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
array([3., 8.])
>>> float({f}(np.array([2.0**900, 2.0**900, 2.0**-900, 2.0**-900])))
1.0""",
        ),
        reduction(
            "count_nonzero",
            "Number of elements along axes that are not zero.",
            r"c = \sum_i [a_i \neq 0]",
            "Of NumPy's index type.",
            (AXIS,),
            "NaN is not zero, as in NumPy.",
            """\
>>> {f}(np.array([[0, 1, 7], [3, 0, 2]]), axis=1)
array([2, 2])""",
            (KEEPDIMS,),
        ),
        reduction(
            "nansum",
            "Sum of the elements along axes that are not NaN.",
            r"s = \sum_{i : a_i = a_i} a_i",
            "Of NumPy's result type: integers and bool sum in int64 or uint64, modulo 2^64.",
            _OF_SUMS,
            _skipping("sum"),
            """\
>>> {f}(np.array([[1.0, np.nan], [3.0, 4.0]]), axis=0)
array([4., 4.])""",
        ),
        reduction(
            "nanmean",
            "Arithmetic mean of the elements along axes that are not NaN.",
            r"m = \frac{1}{n} \sum_{i : a_i = a_i} a_i, \quad n = |\{i : a_i = a_i\}|",
            "Of the dtype of `a`, float64 for integers and bool; NaN where all elements are.",
            _OF_MEANS,
            _skipping("mean") + " It is formed as in `vk.moments`.",
            """\
>>> {f}(np.array([[1.0, np.nan], [3.0, 4.0]]), axis=1)
array([1. , 3.5])""",
            (WHERE,),
        ),
        _extreme(
            "nanmax",
            "Greatest of the elements along axes that are not NaN.",
            r"m = \max_{i : a_i = a_i} a_i",
            ">>> {f}(np.array([[1.0, np.nan], [3.0, 4.0]]), axis=1)\narray([1., 4.])",
        ),
        _extreme(
            "nanmin",
            "Least of the elements along axes that are not NaN.",
            r"m = \min_{i : a_i = a_i} a_i",
            ">>> {f}(np.array([[1.0, np.nan], [3.0, 4.0]]), axis=1)\narray([1., 3.])",
        ),
        _variance(
            "nanvar",
            "Variance of the elements along axes that are not NaN.",
            r"v = \frac{1}{n - d} \sum_{i : a_i = a_i} |a_i - m|^2",
            "n, m and d are those of `vk.nanmean` and `vk.var`; NaN where n is not above d. "
            + _skipping("var"),
            """\
>>> {f}(np.array([[1.0, np.nan], [3.0, 4.0]]), axis=1)
array([0.  , 0.25])""",
        ),
        _variance(
            "nanstd",
            "Standard deviation of the elements along axes that are not NaN.",
            r"s = \sqrt{\frac{1}{n - d} \sum_{i : a_i = a_i} |a_i - m|^2}",
            "The root of `vk.nanvar`, rounded once. " + _skipping("std"),
            """\
>>> {f}(np.array([[1.0, np.nan], [3.0, 4.0]]), axis=1)
array([0. , 0.5])""",
        ),
    )
}

PUBLIC_NAMES = (*REDUCTIONS, *STATISTICS, *SCANS, *SHAPING)
