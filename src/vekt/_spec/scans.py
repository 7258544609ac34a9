"""Running sums and products along an axis."""

from __future__ import annotations

from vekt._spec.form import Param
from vekt._spec.reductions import IN_COMPILED_CODE, OUT, A, result_dtype
from vekt._spec.spec import Kind, Spec, formula

_AXIS = Param(
    "axis",
    None,
    "Along which to go; None means all elements, in C order.",
    "axis",
    type="int, optional",
)
_RAISES = (
    ("ValueError", "For an axis that `a` does not have, or an `out` of another shape."),
    ("TypeError", "If the dtype has no such operation, or `out` cannot take the result."),
)


def _scan(name: str, summary: str, math: str, joined: str, notes: str, example: str) -> Spec:
    """Make the spec of what goes along an axis and keeps it."""
    kind = Kind(
        "{summary}",
        (A,),
        (
            Param(
                "result",
                doc="Of the shape of `a`, or 1-d; of the dtype of `a`, but int64 or uint64 for "
                "shorter integers.",
                type="ndarray",
            ),
        ),
        example=example,
        by_name=True,
        see_also=f"numpy.{name}",
        raises=_RAISES,
    )
    return Spec(
        name=name,
        summary=summary,
        kinds={"": kind},
        home="vekt.reductions",
        params=(_AXIS, result_dtype("int64 or uint64"), OUT),
        notes=(
            formula(math),
            (
                "vekt",
                f"Floating-point {joined} are formed in double, and each is rounded once. Along "
                f"every line eight elements at a time are joined in a tree ({notes}), and what "
                "came before is joined to each of them. This order is one for every layout, any "
                "number of threads and all instruction sets. Integers go modulo 2^64.",
            ),
            (
                "vekt",
                "Other dtypes, empty arrays, subclasses and arrays of other libraries, which may "
                f"be lazy, go to `numpy.{name}`.",
            ),
            ("vekt.reference", "Floats are joined in a wider dtype and rounded once."),
            IN_COMPILED_CODE,
        ),
        source="J. Sklansky, Conditional-sum addition logic, 1960.",
    )


SCANS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        _scan(
            "cumsum",
            "Sums of the elements so far along an axis.",
            r"s_i = \sum_{j \leq i} a_j",
            "sums",
            "pairs first, then fours, then all of them",
            """\
>>> {f}(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), axis=1)
array([[ 1.,  3.,  6.],
       [ 4.,  9., 15.]])""",
        ),
        _scan(
            "cumprod",
            "Products of the elements so far along an axis.",
            r"p_i = \prod_{j \leq i} a_j",
            "products",
            "pairs first, then fours, then all of them; one after the other where a product of "
            "these alone comes near the ends of the range",
            """\
>>> {f}(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), axis=0)
array([[ 1.,  2.,  3.],
       [ 4., 10., 18.]])""",
        ),
    )
}
