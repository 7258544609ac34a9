"""Products of vectors, matrices and tensors."""

from __future__ import annotations

from vekt._spec.form import Param
from vekt._spec.rows import KEEPDIMS
from vekt._spec.spec import Spec
from vekt._spec.written import written

OUT = Param(
    "out",
    None,
    "Receives the result. It may overlap the operands.",
    "option",
    type="ndarray, optional",
)
_AS_NUMPY = "As for NumPy's function of the same name."
_SHARED = {
    "out": OUT,
    "keepdims": KEEPDIMS,
    **{
        name: Param(name, doc=_AS_NUMPY, kind="option", type="optional")
        for name in ("casting", "order", "subok", "axes")
    },
    "dtype": Param(
        "dtype",
        doc="That of the sums and the result, to which the operands count as cast, as by "
        "``casting``. int32 makes sums of int8 and uint8 exact, modulo 2**32.",
        kind="option",
        type="optional",
    ),
}
_PRODUCT = """

Raises
------
ValueError
    If an operand has too few dimensions, if the lengths that are summed over differ, if the other
    dimensions do not broadcast, or if `out` does not fit or is read-only.
TypeError
    If the dtypes have no product (text, dates), or if the result cannot be cast to `out`.

Notes
-----
[vekt] Operands take their common dtype, which is the result's: integers wrap around, bool is `or`
of `and`, 16-bit floats are summed in float32 and rounded once.  An operand of another dtype is
converted in parts that stay in the caches, with the bits of a cast before.  There are no kernels
for longdouble and objects, whose products are NumPy's.

[vekt.jit] The C kernels of `vekt` on the calling thread, so with their bits; `vekt.{name}` tells
more. In compiled functions, too, operands keep their layout, and no array is copied. There a
TypingError stands for TypeError, for float16 too; `out`, an `axis` and a `dtype` such as
`numpy.int32` go by position or by name, and the other options are not there.

[vekt.reference] Computed in a wider dtype, which longdouble and objects have none of, and rounded
once; integers modulo 2**64, which leaves the lower bits exact. Results are plain arrays for any
`subok`.

"""
_OF_ONE_COLUMN = """\
[vekt] An element's bits depend on the two vectors that it is the product of and on nothing else:
not on the number of products, the layout in memory or the number of threads.
"""

_PRODUCTS = (
    """\
matmul(x1, x2, /, out=None, *, casting='same_kind', order='K', dtype=None, subok=True, axes=None,
axis=None, deterministic=None)

Matrix product of two arrays.

`result[..., i, j] = sum(x1[..., i, l] * x2[..., l, j] for l in range(k))`, the product of linear
maps.

Parameters
----------
x1, x2 : array_like
    Shapes (..., n, k) and (..., k, m), where `...` broadcasts.  A vector counts as one row in front
    and as one column behind.  Any strides and byte order, without a copy where a kernel can read
    them; scalars are rejected.
deterministic : {None, 'batch'}, optional
    Whether a row has the same bits in a batch of any size, also where that takes longer.
axis : optional
    As for NumPy's function of the same name.

Returns
-------
result : ndarray or scalar
    Shape (..., n, m), without n or m where that operand is a vector; a scalar for two."""
    + _PRODUCT
    + """\
[vekt] Each element of a float32 or float64 product is summed in an order that depends on k alone,
with an error of at most `gamma_k |x1||x2|` (Higham, section 3.5).  A row times a matrix has the
same bits alone, in a batch of 7 or of 4096, in any layout and with any number of threads.  Where x2
has one column, that holds too, but the order is that of `dot`.

[vekt] One case needs ``deterministic="batch"`` for that: a single row times a matrix whose columns
are contiguous, such as ``w.T``, with k > 64.  By default its sums are in the order of `dot`, within
the same bound; in the order of larger batches they take up to twice as long in float32, 1.4 times
in float64, and elsewhere the choice makes no difference.

[vekt.jit] In compiled functions there is no `deterministic`: a single row times contiguous columns
is summed as by default.

[vekt.reference] `deterministic` makes no difference here.

See Also
--------
matvec, vecmat, vecdot : The same for vectors.
tensordot : Sums over any axes.

References
----------
A. Cayley, A memoir on the theory of matrices, Phil. Trans. R. Soc. 148, 1858.  N. J. Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM, 2002.

Examples
--------
>>> {f}(np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]]))
array([[19, 22],
       [43, 50]])
>>> {f}(np.ones((10, 2, 3)), np.ones((3, 4))).shape
(10, 2, 4)""",
    """\
vecdot(x1, x2, /, out=None, *, axis=-1, keepdims=False, casting='same_kind', order='K', dtype=None,
subok=True, axes=None)

Dot products of the vectors along an axis of two arrays.

`result[...] = sum(conj(x1[..., i]) * x2[..., i] for i in range(n))`, the inner product: of complex
numbers, those of x1 are conjugated.

Parameters
----------
x1, x2 : array_like
    Of equal length along the axis; the other dimensions broadcast.
axis : int, optional
    The axis that is summed over, the same in both operands.

Returns
-------
result : ndarray or scalar
    The broadcast shape without the axis."""
    + _PRODUCT
    + _OF_ONE_COLUMN
    + """
See Also
--------
dot : For two vectors.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins, 2013, section 1.1.

Examples
--------
>>> {f}(np.array([[1, 2], [3, 4]]), np.array([5, 6]))
array([17, 39])
>>> complex({f}(np.array([1j]), np.array([1j])))
(1+0j)""",
    """\
matvec(x1, x2, /, out=None, *, casting='same_kind', order='K', dtype=None, subok=True, axes=None)

Matrices times vectors.

`result[..., i] = sum(x1[..., i, j] * x2[..., j] for j in range(n))`.

Parameters
----------
x1, x2 : array_like
    Shapes (..., m, n) and (..., n), where `...` broadcasts.

Returns
-------
result : ndarray
    Shape (..., m)."""
    + _PRODUCT
    + _OF_ONE_COLUMN
    + """
See Also
--------
matmul : For many vectors times one matrix; faster, and summed in another order.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins, 2013, section 1.1.

Examples
--------
>>> {f}(np.array([[1, 2], [3, 4]]), np.array([5, 6]))
array([17, 39])""",
    """\
vecmat(x1, x2, /, out=None, *, casting='same_kind', order='K', dtype=None, subok=True, axes=None)

Vectors times matrices.

`result[..., j] = sum(conj(x1[..., i]) * x2[..., i, j] for i in range(n))`: of complex numbers,
those of x1 are conjugated.

Parameters
----------
x1, x2 : array_like
    Shapes (..., n) and (..., n, m), where `...` broadcasts.

Returns
-------
result : ndarray
    Shape (..., m)."""
    + _PRODUCT
    + """\
[vekt] An element is summed as in `matmul` without ``deterministic``.

See Also
--------
matmul : The same without the conjugate.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins, 2013, section 1.1.

Examples
--------
>>> {f}(np.array([5, 6]), np.array([[1, 2], [3, 4]]))
array([23, 34])""",
    """\
dot(a, b, out=None)

Dot product; of two vectors, `sum(a[i] * b[i])`.

Parameters
----------
a, b : array_like
    Vectors of equal length, of any stride, byte order and alignment.  Or arrays of other shapes, by
    the rules of `numpy.dot`: the last axis of `a` and the last but one of `b`, or its only one, are
    summed over; scalars multiply.
out : ndarray, optional
    Array of the result's very shape and dtype, which receives the result.

Returns
-------
result : scalar or ndarray
    The sum of the products, a NumPy scalar for vectors, in the dtype to which those of `a` and `b`
    are promoted; or `out`.

Raises
------
ValueError
    If the lengths of the axes that are summed over differ, or if `out` does not fit.
TypeError
    If `a` or `b` is of a dtype that is not bool, an integer, a float up to float64, bfloat16 of
    ml_dtypes, complex64 or complex128; or of a type with its own array functions, such as a Dask
    array.

Notes
-----
[vekt] Blocks of 16384 products are summed in the precision of the operands, 16-bit floats in
float32, the blocks' sums pairwise in double.  The order depends on the length alone, so the bits
are the same for any number of threads and any layout in memory.

[vekt.jit] Vectors of float32 and float64 are summed in float64, in an order that depends on the
length alone, by a loop that is compiled with the function around it.  All else is `matmul`.
Compiled functions take arrays with one or two axes, and raise a TypingError for dtypes without a
kernel.

[vekt.reference] Of two real vectors exact but for one rounding at the end.

Integers wrap around, as in NumPy; the sum of truth values is whether there are two true ones in one
place.  Nothing is conjugated.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins, 2013, section 1.1.

Examples
--------
>>> float({f}(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])))
32.0""",
    """\
tensordot(a, b, axes=2)

Tensor contraction: the sum of products over any axes of two arrays.

`result[i, j] = sum(a[i, l] * b[l, j] for l in L)`, where i, j and l stand for several indices: the
contraction of a tensor product.

Parameters
----------
a, b : array_like
    The tensors.
axes : int or pair of int or of sequences of int, optional
    The axes that are summed over: of `a` in the first place, of `b`, in the same order, in the
    second.  A number n means the last n of `a` and the first n of `b`; 0 is the tensor product.

Returns
-------
result : ndarray
    Its shape is what is left of that of `a`, followed by what is left of that of `b`; its dtype
    that of `matmul`.

Raises
------
ValueError
    If the axes do not pair up: their numbers or lengths differ, or one is out of bounds or occurs
    twice.
TypeError
    If the dtypes have no product, or if an operand is of a type with its own array functions, such
    as a Dask array.

Notes
-----
An operand is copied only if its axes cannot be taken together as the rows and the columns of a
matrix; the result never is.

[vekt.jit] One product of matrices, by the C kernels of `vekt` on the calling thread.  In compiled
functions the number of axes must be known when the code is compiled.

[vekt.reference] Computed in a wider dtype and rounded once.

See Also
--------
matmul : The product of matrices, which computes this one.

References
----------
R. Penrose, W. Rindler, Spinors and Space-Time, vol. 1, Cambridge, 1984, section 2.1.

Examples
--------
>>> a = np.arange(60).reshape(3, 4, 5)
>>> b = np.arange(24).reshape(4, 3, 2)
>>> {f}(a, b, axes=((1, 0), (0, 1)))
array([[4400, 4730],
       [4532, 4874],
       [4664, 5018],
       [4796, 5162],
       [4928, 5306]])""",
)

PRODUCTS: dict[str, Spec] = {
    spec.name: spec for spec in (written(text, "vekt.linalg", _SHARED) for text in _PRODUCTS)
}
