"""Linear algebra: products, and norms, angles and copies."""

from __future__ import annotations

from vekt._spec.einsum import EINSUM
from vekt._spec.products import OUT, PRODUCTS
from vekt._spec.rows import KEEPDIMS
from vekt._spec.spec import Spec
from vekt._spec.written import written

_OF_VECTORS = (
    """\
norm(x, ord=None, axis=None, keepdims=False)

Norm of a vector or a matrix, or of many of them along axes.

Parameters
----------
x : array_like
    Numbers of any layout in memory.  Integers and bool compute in float64.
ord : {None, 0, 1, 2, inf, -inf, 'fro', 'nuc'} or number, optional
    The order, as in `numpy.linalg.norm`.  None means 2 for vectors and 'fro' for matrices.
axis : int, tuple of two ints or None, default None
    The axis along which the vectors lie, or the two of the matrices.  None: `x` is one vector or
    matrix; without `ord`, of any number of dimensions.

Returns
-------
result : scalar or ndarray
    Of the dtype of `x`, of its real parts' where it is complex.

Raises
------
ValueError
    For an order that vectors or matrices do not have, more than two axes, or no elements where the
    norm is undefined.
TypeError
    If `axis` is neither an integer nor a tuple of them, or the dtype has no norm; float16 has none
    that is made of singular values, as in NumPy.

Notes
-----
.. math:: \\|x\\|_p = \\left( \\sum_i |x_i|^p \\right)^{{1/p}}

[vekt] The norms 1, 2, inf, -inf, 0 and 'fro' of vectors and 1, -1, inf, -inf and 'fro' of matrices
take one pass over `x`, whatever its layout, and no temporary arrays.  The 2-norm is right wherever
it can be represented, though squares overflow or vanish.  float32 is within 1 ULP, float64 within
2. The order of sums depends on the shape and the order of the axes in memory, but not on the number
of threads.  Other orders go through `numpy.linalg.norm`.

[vekt.jit] Sums are formed in float64, and again with scaled elements where squares overflow or
vanish.  Compiled functions take no `keepdims` and know the orders 1, -1, inf, -inf and 'fro' of
matrices, of those along two axes only the last, and raise a TypingError for dtypes that have no
norm; from Python the singular values that others need come from NumPy.

[vekt.reference] Computed in a wider dtype by `numpy.linalg.norm`, and rounded once.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins, 2013, section 2.3.

Examples
--------
>>> float({f}(np.array([3.0, 4.0])))
5.0
>>> float({f}(np.array([3.0, 4.0]) * 2.0**600) / 2.0**600)
5.0
>>> {f}(np.array([[3.0, 4.0], [5.0, 12.0]]), axis=1)
array([ 5., 13.])""",
    """\
cosine_similarity(a, b, axis=-1)

Cosine of the angles between vectors.

Parameters
----------
a, b : array_like
    Vectors along `axis`, of real dtypes up to float64; the shapes broadcast.  Integers and bool
    compute in float64, float16 and bfloat16 keep their dtype.
axis : int, tuple of ints or None, default -1
    Axes along which the elements of a vector lie; None means all of them.

Returns
-------
result : scalar or ndarray
    Between -1 and 1; of the common dtype and of the broadcast shape without `axis`.

Raises
------
ValueError
    If the shapes do not broadcast, or `axis` is out of bounds.
TypeError
    If an operand is of another dtype, or of a type with its own array functions.

Notes
-----
.. math:: \\cos(a, b) = \\frac{{\\sum_i a_i b_i}}{{\\|a\\|_2 \\|b\\|_2}}

The cosine with a vector of zeros is 0, as in scikit-learn and torch; with an infinite element it is
NaN.  A vector's cosine with itself is exactly 1.

[vekt] All three sums are formed in one pass over the operands, and scaled where squares would
overflow or vanish.

[vekt.jit] Along one axis.  Sums are formed in float64, and again with scaled elements where squares
overflow or vanish.  In compiled functions a TypingError stands for TypeError.

[vekt.reference] Computed in a wider dtype and rounded once.

References
----------
C. D. Manning, P. Raghavan, H. Schütze, Introduction to Information Retrieval, section 6.3.1.

Examples
--------
>>> float({f}(np.array([1.0, 0.0]), np.array([3.0, 4.0])))
0.6
>>> {f}(np.array([[1.0, 2.0], [2.0, -1.0]]), np.array([2.0, 4.0]))
array([1., 0.])""",
    """\
outer(a, b, out=None)

Outer product of two vectors, their tensor product.

Parameters
----------
a, b : array_like
    Vectors of m and of n numbers; arrays of other shapes are flattened.
out : (m, n) ndarray, optional
    Receives the result.

Returns
-------
result : (m, n) ndarray
    Of NumPy's result type; or `out`.

Raises
------
ValueError
    If `out` has another shape.
TypeError
    If the operands cannot be multiplied, or the result cannot be cast to the dtype of `out`.

Notes
-----
.. math:: C_{{ij}} = a_i b_j

Elements are those of `numpy.outer`, without warnings for overflow.

[vekt] float32 and float64 have kernels of their own.

[vekt.jit] In compiled functions a TypingError stands for TypeError.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins, 2013, section 1.1.

Examples
--------
>>> {f}([1, 2], [3, 4, 5])
array([[ 3,  4,  5],
       [ 6,  8, 10]])""",
    """\
transpose_copy(a, axes=None, out=None)

Contiguous copy of an array with its axes permuted.

Parameters
----------
a : array_like
    Of any dtype and layout.
axes : sequence of int, optional
    Axis i of the copy is axis ``axes[i]`` of `a`, as in `numpy.transpose`.  By default their order
    is reversed.

Returns
-------
result : ndarray
    C-contiguous, of the dtype of `a`; or `out`.

Raises
------
ValueError
    If `axes` is not a permutation of the axes of `a`, or `out` has another shape or is read-only.
TypeError
    If the dtype of `a` cannot be cast to that of `out`, or `a` is of a type with its own array
    functions.

Notes
-----
.. math:: y_{{i_0 i_1 \\ldots}} = a_{{j_0 j_1 \\ldots}}, \\quad j_{{axes[k]}} = i_k

The same array as ``numpy.ascontiguousarray(numpy.transpose(a, axes))``.

[vekt] Tiles of elements of 1, 2, 4, 8 or 16 bytes are transposed in registers; arrays of objects
are left to NumPy.

[vekt.jit] The last two axes of the copy are moved in tiles that stay in the first-level cache.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins, 2013, section 1.1.

Examples
--------
>>> {f}(np.array([[1, 2, 3], [4, 5, 6]]))
array([[1, 4],
       [2, 5],
       [3, 6]])""",
)

LINALG: dict[str, Spec] = PRODUCTS | {
    spec.name: spec
    for spec in (
        written(text, "vekt.linalg._vectors", {"out": OUT, "keepdims": KEEPDIMS})
        for text in _OF_VECTORS
    )
}
LINALG[EINSUM.name] = EINSUM
