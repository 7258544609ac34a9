/* Docstrings of matmul, vecdot, matvec and vecmat, and the parts that they share. */
#ifndef VEKT_PRODUCT_DOCS_H
#define VEKT_PRODUCT_DOCS_H

#define DOC_OPTIONS                                            \
    "out : ndarray, optional\n"                                \
    "    Receives the result.  It may overlap the operands.\n" \
    "casting, order, dtype, subok, axes" /* some functions go on here */

#define DOC_OPTIONS_TEXT                              \
    " : optional\n"                                   \
    "    As for NumPy's function of the same name.\n" \
    "\n"

#define DOC_RAISES                                                                                   \
    "Raises\n"                                                                                       \
    "------\n"                                                                                       \
    "ValueError\n"                                                                                   \
    "    If an operand has too few dimensions, if the lengths that are summed over differ, if the\n" \
    "    other dimensions do not broadcast, or if `out` does not fit or is read-only.\n"             \
    "TypeError\n"                                                                                    \
    "    If there is no kernel for the dtypes (longdouble, object, text, dates), or if the result\n" \
    "    cannot be cast to `out`.\n"                                                                 \
    "\n"

#define DOC_DTYPES                                                                                     \
    "Operands take their common dtype, which is the result's: integers wrap around, bool is `or` of\n" \
    "`and`, 16-bit floats are summed in float32 and rounded once.\n"                                   \
    "\n"

#define DOC_ONE_COLUMN                                                                                 \
    "An element's bits depend on the two vectors that it is the product of and on nothing else: not\n" \
    "on the number of products, the layout in memory or the number of threads.\n"                      \
    "\n"

#define MATMUL_DOC                                                                                            \
    "matmul($module, x1, x2, /, out=None, *, casting='same_kind', order='K',\n"                               \
    "       dtype=None, subok=True, axes=None, axis=None,\n"                                                  \
    "       deterministic=None)\n"                                                                            \
    "--\n"                                                                                                    \
    "\n"                                                                                                      \
    "Matrix product of two arrays.\n"                                                                         \
    "\n"                                                                                                      \
    "Parameters\n"                                                                                            \
    "----------\n"                                                                                            \
    "x1, x2 : array_like\n"                                                                                   \
    "    Shapes (..., n, k) and (..., k, m), where `...` broadcasts.  A vector counts as one row\n"           \
    "    in front and as one column behind.  Any strides and byte order, without a copy where a\n"            \
    "    kernel can read them; scalars are rejected.\n"                                                       \
    "deterministic : {None, 'batch'}, optional\n"                                                             \
    "    Whether a row has the same bits in a batch of any size, also where that takes longer.\n" DOC_OPTIONS \
    ", axis" DOC_OPTIONS_TEXT "Returns\n"                                                                     \
    "-------\n"                                                                                               \
    "ndarray or scalar\n"                                                                                     \
    "    Shape (..., n, m), without n or m where that operand is a vector; a scalar for two.\n"               \
    "\n" DOC_RAISES "See Also\n"                                                                              \
    "--------\n"                                                                                              \
    "matvec, vecmat, vecdot : The same for vectors.\n"                                                        \
    "tensordot : Sums over any axes.\n"                                                                       \
    "\n"                                                                                                      \
    "Notes\n"                                                                                                 \
    "-----\n"                                                                                                 \
    "`result[..., i, j] = sum(x1[..., i, l] * x2[..., l, j] for l in range(k))`, the product of\n"            \
    "linear maps [1]_.\n"                                                                                     \
    "\n" DOC_DTYPES                                                                                           \
    "Each element of a float32 or float64 product is summed in an order that depends on k alone, with\n"      \
    "an error of at most gamma_k |x1||x2| [2]_.  A row times a matrix has the same bits alone, in a\n"        \
    "batch of 7 or of 4096, in any layout and with any number of threads.  Where x2 has one column,\n"        \
    "that holds too, but the order is that of `dot`.\n"                                                       \
    "\n"                                                                                                      \
    "One case needs ``deterministic=\"batch\"`` for that: a single row times a matrix whose columns are\n"    \
    "contiguous, such as ``w.T``, with k > 64.  By default its sums are in the order of `dot`, within the\n"  \
    "same bound; in the order of larger batches they take up to twice as long in float32, 1.4 times\n"        \
    "in float64, and elsewhere the choice makes no difference.\n"                                             \
    "\n"                                                                                                      \
    "References\n"                                                                                            \
    "----------\n"                                                                                            \
    ".. [1] A. Cayley, \"A memoir on the theory of matrices\", Phil. Trans. R. Soc. 148, 1858.\n"             \
    ".. [2] N. J. Higham, \"Accuracy and Stability of Numerical Algorithms\", 2nd ed., SIAM, 2002,\n"         \
    "   section 3.5.\n"                                                                                       \
    "\n"                                                                                                      \
    "Examples\n"                                                                                              \
    "--------\n"                                                                                              \
    ">>> import numpy as np\n"                                                                                \
    ">>> import vekt as vk\n"                                                                                 \
    ">>> vk.matmul(np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]]))\n"                                 \
    "array([[19, 22],\n"                                                                                      \
    "       [43, 50]])\n"                                                                                     \
    ">>> vk.matmul(np.ones((10, 2, 3)), np.ones((3, 4))).shape\n"                                             \
    "(10, 2, 4)\n"

#define VECDOT_DOC                                                                                    \
    "vecdot($module, x1, x2, /, out=None, *, axis=-1, keepdims=False,\n"                              \
    "       casting='same_kind', order='K', dtype=None, subok=True,\n"                                \
    "       axes=None)\n"                                                                             \
    "--\n"                                                                                            \
    "\n"                                                                                              \
    "Dot products of the vectors along an axis of two arrays.\n"                                      \
    "\n"                                                                                              \
    "Parameters\n"                                                                                    \
    "----------\n"                                                                                    \
    "x1, x2 : array_like\n"                                                                           \
    "    Of equal length along the axis; the other dimensions broadcast.\n"                           \
    "axis : int, optional\n"                                                                          \
    "    The axis that is summed over.\n"                                                             \
    "keepdims : bool, optional\n"                                                                     \
    "    Whether that axis stays, with length 1.\n" DOC_OPTIONS DOC_OPTIONS_TEXT "Returns\n"          \
    "-------\n"                                                                                       \
    "ndarray or scalar\n"                                                                             \
    "    The broadcast shape without the axis.\n"                                                     \
    "\n" DOC_RAISES "See Also\n"                                                                      \
    "--------\n"                                                                                      \
    "dot : For two vectors.\n"                                                                        \
    "\n"                                                                                              \
    "Notes\n"                                                                                         \
    "-----\n"                                                                                         \
    "`result[...] = sum(conj(x1[..., i]) * x2[..., i] for i in range(n))`, the inner product [1]_:\n" \
    "of complex numbers, those of x1 are conjugated.\n"                                               \
    "\n" DOC_DTYPES DOC_ONE_COLUMN "References\n"                                                     \
    "----------\n"                                                                                    \
    ".. [1] G. H. Golub, C. F. Van Loan, \"Matrix Computations\", 4th ed., Johns Hopkins, 2013,\n"    \
    "   section 1.1.\n"                                                                               \
    "\n"                                                                                              \
    "Examples\n"                                                                                      \
    "--------\n"                                                                                      \
    ">>> import numpy as np\n"                                                                        \
    ">>> import vekt as vk\n"                                                                         \
    ">>> vk.vecdot(np.array([[1, 2], [3, 4]]), np.array([5, 6]))\n"                                   \
    "array([17, 39])\n"                                                                               \
    ">>> complex(vk.vecdot(np.array([1j]), np.array([1j])))\n"                                        \
    "(1+0j)\n"

#define MATVEC_DOC                                                                                            \
    "matvec($module, x1, x2, /, out=None, *, casting='same_kind', order='K',\n"                               \
    "       dtype=None, subok=True, axes=None)\n"                                                             \
    "--\n"                                                                                                    \
    "\n"                                                                                                      \
    "Matrices times vectors.\n"                                                                               \
    "\n"                                                                                                      \
    "Parameters\n"                                                                                            \
    "----------\n"                                                                                            \
    "x1, x2 : array_like\n"                                                                                   \
    "    Shapes (..., m, n) and (..., n), where `...` broadcasts.\n" DOC_OPTIONS DOC_OPTIONS_TEXT "Returns\n" \
    "-------\n"                                                                                               \
    "ndarray\n"                                                                                               \
    "    Shape (..., m).\n"                                                                                   \
    "\n" DOC_RAISES "See Also\n"                                                                              \
    "--------\n"                                                                                              \
    "matmul : For many vectors times one matrix; faster, and summed in another order.\n"                      \
    "\n"                                                                                                      \
    "Notes\n"                                                                                                 \
    "-----\n"                                                                                                 \
    "`result[..., i] = sum(x1[..., i, j] * x2[..., j] for j in range(n))` [1]_.\n"                            \
    "\n" DOC_DTYPES DOC_ONE_COLUMN "References\n"                                                             \
    "----------\n"                                                                                            \
    ".. [1] G. H. Golub, C. F. Van Loan, \"Matrix Computations\", 4th ed., Johns Hopkins, 2013,\n"            \
    "   section 1.1.\n"                                                                                       \
    "\n"                                                                                                      \
    "Examples\n"                                                                                              \
    "--------\n"                                                                                              \
    ">>> import numpy as np\n"                                                                                \
    ">>> import vekt as vk\n"                                                                                 \
    ">>> vk.matvec(np.array([[1, 2], [3, 4]]), np.array([5, 6]))\n"                                           \
    "array([17, 39])\n"

#define VECMAT_DOC                                                                                            \
    "vecmat($module, x1, x2, /, out=None, *, casting='same_kind', order='K',\n"                               \
    "       dtype=None, subok=True, axes=None)\n"                                                             \
    "--\n"                                                                                                    \
    "\n"                                                                                                      \
    "Vectors times matrices.\n"                                                                               \
    "\n"                                                                                                      \
    "Parameters\n"                                                                                            \
    "----------\n"                                                                                            \
    "x1, x2 : array_like\n"                                                                                   \
    "    Shapes (..., n) and (..., n, m), where `...` broadcasts.\n" DOC_OPTIONS DOC_OPTIONS_TEXT "Returns\n" \
    "-------\n"                                                                                               \
    "ndarray\n"                                                                                               \
    "    Shape (..., m).\n"                                                                                   \
    "\n" DOC_RAISES "See Also\n"                                                                              \
    "--------\n"                                                                                              \
    "matmul : The same without the conjugate.\n"                                                              \
    "\n"                                                                                                      \
    "Notes\n"                                                                                                 \
    "-----\n"                                                                                                 \
    "`result[..., j] = sum(conj(x1[..., i]) * x2[..., i, j] for i in range(n))` [1]_: of complex\n"           \
    "numbers, those of x1 are conjugated.\n"                                                                  \
    "\n" DOC_DTYPES "An element is summed as in `matmul` without ``deterministic``.\n"                        \
    "\n"                                                                                                      \
    "References\n"                                                                                            \
    "----------\n"                                                                                            \
    ".. [1] G. H. Golub, C. F. Van Loan, \"Matrix Computations\", 4th ed., Johns Hopkins, 2013,\n"            \
    "   section 1.1.\n"                                                                                       \
    "\n"                                                                                                      \
    "Examples\n"                                                                                              \
    "--------\n"                                                                                              \
    ">>> import numpy as np\n"                                                                                \
    ">>> import vekt as vk\n"                                                                                 \
    ">>> vk.vecmat(np.array([5, 6]), np.array([[1, 2], [3, 4]]))\n"                                           \
    "array([23, 34])\n"

#endif
