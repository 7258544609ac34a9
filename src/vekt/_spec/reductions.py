"""The reductions along axes, and the reverse of broadcasting."""

from __future__ import annotations

from vekt._spec.form import Param
from vekt._spec.rows import KEEPDIMS
from vekt._spec.spec import Kind, Spec, formula
from vekt._spec.written import written


class _Nothing:
    """What stands for an argument that was not given."""

    def __repr__(self) -> str:
        return "<no value>"


NOTHING = _Nothing()

A = Param("a", doc="Numbers of any layout in memory.")
AXIS = Param(
    "axis",
    None,
    "Along which to reduce; None means all elements.",
    "axis",
    type="int or tuple of int, optional",
)
_ONE_AXIS = Param(
    "axis",
    None,
    "Along which to reduce; None means all elements, counted in C order.",
    "axis",
    type="int, optional",
)
OUT = Param(
    "out", None, "Receives the result; it may overlap `a`.", "option", type="ndarray, optional"
)
WHERE = Param(
    "where", True, "Elements that count.", "option", type="array_like of bool, default True"
)
_SCALAR = "scalar or ndarray"

IN_COMPILED_CODE = (
    "vekt.jit",
    "The C kernels of `vekt` on the calling thread, so with their bits. In compiled functions an "
    "operand is an array of bool, integers or floats, sums and means also of complex numbers; "
    "`axis` is None, an int or, where several can be reduced, a tuple of ints; `keepdims` is a "
    "constant; `dtype`, `out`, `initial` and `where` are not there, and a TypingError stands for "
    "TypeError.",
)


def result_dtype(of_integers: str) -> Param:
    text = f"Of the result. By default that of `a`, for integers {of_integers}."
    return Param("dtype", None, text, "option", type="dtype, optional")


def initial_number(text: str) -> Param:
    return Param("initial", NOTHING, text, "option", type="scalar, optional")


FIRST = initial_number("An element more; needed where there may be none.")


def reduction(
    name: str,
    summary: str,
    math: str,
    result: str,
    params: tuple[Param, ...],
    notes: str,
    example: str,
    options: tuple[Param, ...] = (),
    source: str = "N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 4.2.",
    results: tuple[Param, ...] = (),
    see_also: str = "",
) -> Spec:
    """Make the spec of a reduction of an array along axes."""
    empty = "no elements" if name[-3:] in ("max", "min") else "a `where` that does not fit"
    theirs = " and ".join(f"`{n}`" for n in (see_also or f"numpy.{name}").split(", "))
    kind = Kind(
        "{summary}",
        (A,),
        results or (Param("result", doc=result, type=_SCALAR),),
        options,
        example=example,
        by_name=True,
        see_also=see_also or f"numpy.{name}",
        raises=(
            (
                "ValueError",
                f"For an axis that `a` does not have, an `out` of another shape, or {empty}.",
            ),
            (
                "TypeError",
                "If the dtype has no such reduction, or `out` cannot take the result.",
            ),
        ),
    )
    return Spec(
        name=name,
        summary=summary,
        kinds={"": kind},
        home="vekt.reductions",
        params=params,
        notes=(
            formula(math),
            ("vekt", notes),
            (
                "vekt",
                "Other dtypes, empty arrays, subclasses and arrays of other libraries, which may "
                f"be lazy, go to {theirs}.",
            ),
            ("vekt.reference", "Floats are reduced in a wider dtype and rounded once."),
            IN_COMPILED_CODE,
        ),
        source=source,
    )


def _extreme(name: str, summary: str, zero: str, example: str) -> Spec:
    return reduction(
        name,
        summary,
        rf"m = \{name}_i a_i",
        "Of the dtype of `a`.",
        (AXIS, OUT, KEEPDIMS, FIRST, WHERE),
        "NaN where an element is NaN, as in NumPy. Integers and bool keep their dtype. The result "
        f"is that of `numpy.{name}`, but of 0.0 and -0.0 it is always {zero}.",
        example,
    )


def _position(name: str, extreme: str, example: str) -> Spec:
    return reduction(
        name,
        f"Position of the {extreme} element along an axis.",
        rf"\min \{{ i : a_i = \{name[3:]}_j a_j \}}",
        "Of NumPy's index type.",
        (_ONE_AXIS, OUT),
        f"The first one where several elements are {extreme}; the first NaN where there is one.",
        example,
        (KEEPDIMS,),
    )


def _truth(name: str, summary: str, math: str, example: str) -> Spec:
    return reduction(
        name,
        summary,
        math,
        "Of dtype bool.",
        (AXIS, OUT, KEEPDIMS),
        "NaN is true, as in NumPy. Reading stops early where one block decides the result of the "
        "whole array.",
        example,
        (WHERE,),
    )


REDUCTIONS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        reduction(
            "sum",
            "Sum of elements along axes.",
            r"s = \sum_i a_i",
            "Of NumPy's result type: integers and bool sum in int64 or uint64, modulo 2^64.",
            (
                AXIS,
                result_dtype("int64 or uint64"),
                OUT,
                KEEPDIMS,
                initial_number("To which the elements are added."),
                WHERE,
            ),
            "Floating-point sums are formed in double and rounded once, those to a shorter `dtype` "
            "and those that begin with `initial`, too. Sums of float64 are formed in short chains, "
            "which are added pairwise: errors are at most those of `numpy.sum`, and along axes "
            "other than the last far smaller. The order depends on the shape and the layout, but "
            "not on the number of threads. Where a part of a sum of float64 overflows, it is "
            "infinite, and with an infinity of the other sign the sum is NaN.",
            """\
>>> {f}(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
array([4., 6.])
>>> int({f}(np.ones((2, 3), np.uint8)))
6""",
        ),
        reduction(
            "mean",
            "Arithmetic mean of elements along axes.",
            r"m = \frac{1}{n} \sum_i a_i",
            "Of the dtype of `a`, float64 for integers and bool.",
            (AXIS, result_dtype("float64"), OUT, KEEPDIMS),
            "The sum of `vk.sum`, divided in double and rounded once. Sums of integers of up to 32 "
            "bits are exact.",
            """\
>>> {f}(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
array([1.5, 3.5])""",
            (WHERE,),
        ),
        _extreme(
            "max",
            "Greatest element along axes.",
            "0.0",
            ">>> {f}(np.array([[1, 5], [3, 4]]), axis=1)\narray([5, 4])",
        ),
        _extreme(
            "min",
            "Least element along axes.",
            "-0.0",
            ">>> {f}(np.array([[1, 5], [3, 4]]), axis=0)\narray([1, 4])",
        ),
        _position(
            "argmax",
            "greatest",
            ">>> {f}(np.array([[1, 5, 5], [3, 4, 0]]), axis=1)\narray([1, 1])",
        ),
        _position(
            "argmin",
            "least",
            ">>> {f}(np.array([[1, 5, 1], [3, 4, 0]]), axis=1)\narray([0, 2])",
        ),
        _truth(
            "any",
            "Tell whether an element along axes is true.",
            r"\exists i : a_i \neq 0",
            ">>> {f}(np.array([[0, 1], [0, 0]]), axis=1)\narray([ True, False])",
        ),
        _truth(
            "all",
            "Tell whether all elements along axes are true.",
            r"\forall i : a_i \neq 0",
            ">>> {f}(np.array([[1, 1], [0, 1]]), axis=0)\narray([False,  True])",
        ),
    )
}


SHAPING: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        written(text, "vekt.reductions")
        for text in (
            """\
broadcast_to(x, shape)

View of an array as one of a larger shape: `numpy.broadcast_to`.

Parameters
----------
x : array_like
    Of any dtype.
shape : tuple of int or int
    To which the shape of `x` broadcasts.

Returns
-------
result : ndarray
    A read-only view, in which several elements share their memory.

Raises
------
ValueError
    If the shape of `x` does not broadcast to this one.

Notes
-----
.. math:: y_i = x_j \\text{{ for each }} i \\text{{ that comes from }} j

Nothing is copied, and the functions of vekt read such views as they are.

References
----------
The rules of broadcasting in NumPy's user guide.

Examples
--------
>>> {f}(np.array([[1], [2]]), (2, 3))
array([[1, 1, 1],
       [2, 2, 2]])""",
            """\
sum_to_shape(x, shape)

Sum over the axes along which `shape` was broadcast: the gradient of `broadcast_to`.

Parameters
----------
x : array_like
    Numbers, such as the gradient of a result.
shape : tuple of int or int
    The operand's shape, which broadcasts to that of `x`.

Returns
-------
result : ndarray
    Of this shape, with the dtype of `vk.sum`; `x` itself where it has this shape.

Raises
------
ValueError
    If `shape` does not broadcast to the shape of `x`.

Notes
-----
.. math:: g_j = \\sum_{{i \\text{{ that came from }} j}} x_i

In the notes' layers b (n, 1) is added to every column of Z (n, m), so that db is the sum of dZ over
the columns.

References
----------
A. G. Baydin et al., Automatic Differentiation in Machine Learning: a Survey, 2018.

Examples
--------
>>> dz = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
>>> {f}(dz, (2, 1))
array([[ 6.],
       [15.]])
>>> {f}(dz, (3,))
array([5., 7., 9.])""",
        )
    )
}
