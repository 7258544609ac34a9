"""NumPy-style docstrings of the reductions, which share most of their parameters."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from inspect import signature
from typing import Any, NamedTuple


class _Doc(NamedTuple):
    summary: str
    formula: str
    returns: str
    notes: str
    examples: str


_PARAMETERS = {
    "a": "array_like\n    Numbers of any layout in memory.",
    "axis": "{axis}\n    Along which to reduce; None means all elements{flat}.",
    "dtype": "dtype, optional\n    Of the result.  By default that of `a`, for integers {default}.",
    "out": "ndarray, optional\n    Receives the result; it may overlap `a`.",
    "keepdims": "bool, default False\n    Keep reduced axes with length one.",
    "initial": "scalar, optional\n    {initial}",
    "where": "array_like of bool, default True\n    Elements that count.",
}

_EXTREME = """\
NaN where an element is NaN, as in NumPy.  Integers and bool keep their dtype.  The result is that
of `numpy.{name}`, but of 0.0 and -0.0 it is always {zero}."""
_POSITION = """\
The first one where several elements are {extreme}; the first NaN where there is one."""
_TRUTH = """\
NaN is true, as in NumPy.  Reading stops early where one block decides the result of the whole
array."""

_DOCS = {
    "sum": _Doc(
        "Sum of elements along axes.",
        r"s = \sum_i a_i",
        "Of NumPy's result type: integers and bool sum in int64 or uint64, modulo 2^64.",
        """\
Floating-point sums are formed in double and rounded once, those to a shorter `dtype` and those that
begin with `initial`, too.  Sums of float64 are formed in short chains, which are added pairwise:
errors are at most those of `numpy.sum`, and along axes other than the last far smaller.  The order
depends on the shape and the layout, but not on the number of threads.  Where a part of a sum of
float64 overflows, it is infinite, and with an infinity of the other sign the sum is NaN.""",
        """\
>>> vk.sum(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
array([4., 6.])
>>> int(vk.sum(np.ones((2, 3), np.uint8)))
6""",
    ),
    "mean": _Doc(
        "Arithmetic mean of elements along axes.",
        r"m = \frac{1}{n} \sum_i a_i",
        "Of the dtype of `a`, float64 for integers and bool.",
        """\
The sum of `vk.sum`, divided in double and rounded once.  Sums of integers of up to 32 bits are
exact.""",
        """\
>>> vk.mean(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
array([1.5, 3.5])""",
    ),
    "max": _Doc(
        "Greatest element along axes.",
        r"m = \max_i a_i",
        "Of the dtype of `a`.",
        _EXTREME.format(name="max", zero="0.0"),
        """\
>>> vk.max(np.array([[1, 5], [3, 4]]), axis=1)
array([5, 4])""",
    ),
    "min": _Doc(
        "Least element along axes.",
        r"m = \min_i a_i",
        "Of the dtype of `a`.",
        _EXTREME.format(name="min", zero="-0.0"),
        """\
>>> vk.min(np.array([[1, 5], [3, 4]]), axis=0)
array([1, 4])""",
    ),
    "argmax": _Doc(
        "Position of the greatest element along an axis.",
        r"\min \{ i : a_i = \max_j a_j \}",
        "Of NumPy's index type.",
        _POSITION.format(extreme="greatest"),
        """\
>>> vk.argmax(np.array([[1, 5, 5], [3, 4, 0]]), axis=1)
array([1, 1])""",
    ),
    "argmin": _Doc(
        "Position of the least element along an axis.",
        r"\min \{ i : a_i = \min_j a_j \}",
        "Of NumPy's index type.",
        _POSITION.format(extreme="least"),
        """\
>>> vk.argmin(np.array([[1, 5, 1], [3, 4, 0]]), axis=1)
array([0, 2])""",
    ),
    "any": _Doc(
        "Tell whether an element along axes is true.",
        r"\exists i : a_i \neq 0",
        "Of dtype bool.",
        _TRUTH,
        """\
>>> vk.any(np.array([[0, 1], [0, 0]]), axis=1)
array([ True, False])""",
    ),
    "all": _Doc(
        "Tell whether all elements along axes are true.",
        r"\forall i : a_i \neq 0",
        "Of dtype bool.",
        _TRUTH,
        """\
>>> vk.all(np.array([[1, 1], [0, 1]]), axis=0)
array([False,  True])""",
    ),
}

_TEMPLATE = """\
{summary}

Parameters
----------
{parameters}

Returns
-------
scalar or ndarray
    {returns}

Raises
------
ValueError
    For an axis that `a` does not have, an `out` of another shape, {empty}.
TypeError
    If the dtype has no such reduction, or the result cannot be cast to that of `out`.

Notes
-----
.. math:: {formula}

{notes}

Other dtypes, empty arrays, subclasses and arrays of other libraries, which may be lazy, go to
`numpy.{name}`.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 4.2.

Examples
--------
>>> import numpy as np
>>> import vekt as vk
{examples}
"""


def reduction_docstring(name: str, parameters: list[str]) -> str:
    """Docstring of the reduction of this name, in `vekt` and in `vekt.reference`."""
    position = name.startswith("arg")
    words = {
        "axis": "int, optional" if position else "int or tuple of int, optional",
        "flat": ", counted in C order" if position else "",
        "default": "float64" if name == "mean" else "int64 or uint64",
        "initial": "To which the elements are added."
        if name == "sum"
        else "An element more; needed where there may be none.",
    }
    doc = _DOCS[name]
    return _TEMPLATE.format(
        name=name,
        parameters="\n".join(f"{p} : {_PARAMETERS[p].format(**words)}" for p in parameters),
        empty="or no elements" if name[-3:] in ("max", "min") else "or a `where` that does not fit",
        **doc._asdict(),
    )


def documented(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a reduction its docstring."""
    parameters = list(signature(function).parameters)
    text = reduction_docstring(function.__name__, parameters)
    function.__doc__ = textwrap.indent(text, "    ").lstrip() + "    "
    return function
