"""Choosing: the greatest elements, elements at given places and sums there, classes as vectors."""

from __future__ import annotations

from vekt._spec.products import OUT
from vekt._spec.spec import Spec
from vekt._spec.written import written

_TEXTS = (
    """\
top_k(x, k, axis=-1)

Find the `k` greatest elements along an axis, and where they stand.

Parameters
----------
x : array_like
    Real numbers of any dtype up to 64 bits, float16, bfloat16 and bool among them, in any layout.
k : int
    How many, from 0 to the length of the axis.
axis : int, default -1
    The axis along which elements are compared.

Returns
-------
values : ndarray
    The elements, of the dtype of `x`, in falling order along the axis, which has length `k`.
indices : ndarray of intp
    Their places along the axis.

Raises
------
ValueError
    If `k` is negative or greater than the length of the axis, or `axis` is out of bounds.
TypeError
    If `k` is not an integer, `x` is of another dtype, or of a type with its own array functions.

Notes
-----
Of equal elements the first comes first, so that the result is that of a stable sort; -0.0 and 0.0
are equal.  NaN counts as greater than all numbers, as in torch and JAX, and comes first.

The gradient, in `vekt.autograd`, is that of the values; indices are constant.

[vekt] One pass over `x`: what cannot be among the `k` is left out by a vector compare.  Threads
share the rows, or the parts of a long one.

[vekt.jit] A heap of `k` places for each row.

[vekt.reference] A stable sort.

Examples
--------
>>> values, indices = {f}(np.array([1.0, 5.0, 3.0, 5.0]), 3)
>>> values
array([5., 5., 3.])
>>> indices
array([1, 3, 2])""",
    """\
take(x, indices, axis=None, mode='raise', out=None)

Take elements at given places along an axis.

Parameters
----------
x : array_like
    Of any dtype and layout.
indices : array_like of int
    Places along the axis, of any shape; negative ones count from its end.
axis : int, optional
    The axis.  By default the elements of `x` in C order.
mode : {{'raise', 'wrap', 'clip'}}
    What is done with places out of bounds: an error, the remainder of a division by the length of
    the axis, or the nearest place; then negative ones are 0.

Returns
-------
result : ndarray or scalar
    Of the dtype of `x` and its shape with that of `indices` in place of the axis; or `out`.

Raises
------
IndexError
    For a place out of bounds, before anything is written, and for any place in an axis of no
    elements.
TypeError
    If indices are not integers, or `x` cannot be cast to the dtype of `out`.
ValueError
    If `out` has another shape or is read-only, or there is no such mode.

Notes
-----
The same array as ``numpy.take(x, indices, axis, out, mode)``; here `mode` comes before `out`.
`x` is not copied, whatever its layout.

[vekt.jit] In compiled functions `axis` is a constant, places are checked before anything is
written, and there is no `out`.

Examples
--------
>>> {f}(np.array([[1, 2, 3], [4, 5, 6]]), [2, 0], axis=1)
array([[3, 1],
       [6, 4]])
>>> {f}(np.array([1, 2, 3]), [-1, 7], mode="wrap")
array([3, 2])""",
    """\
scatter_add(x, indices, values, axis=0)

Add values to elements at given places along an axis, in place.

Parameters
----------
x : ndarray
    Is added to: of numbers or bool, in any layout.
indices : array_like of int
    Places along the axis, of any shape; negative ones count from its end.
values : array_like
    What is added.  Broadcasts to the shape of `x` with that of `indices` in place of the axis, and
    is cast to the dtype of `x` first.
axis : int, default 0
    The axis.

Returns
-------
x : ndarray
    The array that was given.

Raises
------
IndexError
    For a place out of bounds, before anything is written.
TypeError
    If `x` is not an ndarray, indices are not integers, or values cannot be cast to the dtype of `x`
    by the rule 'same_kind'.
ValueError
    If values do not broadcast, `x` is read-only, or `axis` is out of bounds.

Notes
-----
What ``numpy.add.at`` does, with the same bits where values have the dtype of `x`: a place that is
named several times has its values added in the order of the indices, each sum rounded, whatever
the number of threads.  It is the gradient of `take`: of what is taken, the gradient goes to an
array of zeros.

`vekt.autograd.scatter_add` leaves `x` as it is, and returns the sums.

[vekt] At the speed of memory; long double and objects are added by NumPy.

[vekt.jit] In compiled functions `axis` is a constant, and values have the shape they are added in.

Examples
--------
>>> {f}(np.zeros(4), [1, 3, 1], [1.0, 2.0, 5.0])
array([0., 6., 0., 2.])""",
    """\
one_hot(indices, num_classes, axis=-1, dtype='float32')

Write classes as vectors that are 1 at the class and 0 elsewhere.

Parameters
----------
indices : array_like of int
    The classes, from 0, in any shape.
num_classes : int
    The length of the vectors.
axis : int, default -1
    Where in the result the vectors lie.
dtype : dtype, default float32
    Of the result: of numbers, or bool.

Returns
-------
result : ndarray
    Of the shape of `indices` with one more axis, of length `num_classes`.

Raises
------
TypeError
    If indices or `num_classes` are not integers, or the dtype is not one of numbers.
ValueError
    If `num_classes` is negative, or `axis` out of bounds.

Notes
-----
A class that is negative, or not less than `num_classes`, gives zeros only, as in Keras and JAX; in
`numpy.eye(num_classes)[indices]` negative ones count from the end.

[vekt.jit] In compiled functions the vectors lie along the last axis.

Examples
--------
>>> {f}([0, 2, -1], 3)
array([[1., 0., 0.],
       [0., 0., 1.],
       [0., 0., 0.]], dtype=float32)""",
)

CHOOSING: dict[str, Spec] = {
    spec.name: spec for spec in (written(text, "vekt.choosing", {"out": OUT}) for text in _TEXTS)
}
PUBLIC_NAMES: tuple[str, ...] = tuple(CHOOSING)
