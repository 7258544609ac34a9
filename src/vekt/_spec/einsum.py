"""Sums of products over labelled axes."""

from __future__ import annotations

from vekt._spec.products import OUT
from vekt._spec.spec import Spec
from vekt._spec.written import written

_TEXT = """\
einsum(*operands, out=None, dtype=None, order='K', casting='safe', optimize=True,
deterministic=None)

Sums of products over labelled axes, in Einstein's notation.

Call it as ``einsum(subscripts, *operands)``: ``einsum('ij,jk->ik', a, b)`` is a product of
matrices.

Parameters
----------
operands : str and arrays
    The subscripts and the arrays that they are for, or the arrays each followed by a list of
    labels.  In subscripts a letter labels an axis, commas are between operands and '->' is in front
    of the result's labels; '...' stands for any axes, which broadcast.  Labels are summed over
    unless they are the result's; one that occurs twice in an operand takes its diagonal.  Without
    '->' the result has the labels that occur once, in alphabetical order.
dtype : dtype, optional
    The dtype to compute with, to which the operands are cast.
order : {'K', 'C', 'F', 'A'}, optional
    The layout of a new result: 'F' in the order of Fortran, 'A' so where all operands are; 'K' is
    as it comes.
casting : {'no', 'equiv', 'safe', 'same_kind', 'unsafe'}, optional
    Which casts are allowed, of the operands to `dtype` and of the result to `out`.
optimize : bool, str or list, default True
    In which order more than two operands are multiplied: True chooses it by opt_einsum where that
    is installed, else as `numpy.einsum_path` does; False is that in which they stand; or a strategy
    or a path as `numpy.einsum` takes them, or a strategy of opt_einsum.
deterministic : {None, 'batch'}, optional
    As for `matmul`: whether sums are in the same order for a batch of any size, also where that
    takes longer.

Returns
-------
result : ndarray or scalar
    A new array that shares no memory with the operands, a scalar where no label is left; or `out`.

Raises
------
ValueError
    If the subscripts are none or do not fit the operands, if lengths of a label differ and neither
    is 1, or if `out` does not fit or is read-only.
TypeError
    If the dtypes have no product or a cast is not allowed, or if an operand is of a type with its
    own array functions, such as a Dask array, or is masked.

Notes
-----
[vekt] Every step is one of `matmul`, `vecdot`, `multiply` and `sum`, on views of any strides.
An operand is copied if the axes that are summed over are not one axis in memory, or too few rows or
columns are; so is one that is not of the dtype in which more than one step computes.  Steps are
planned once for subscripts, shapes, strides and dtypes.

[vekt] Labels of one operand alone that the result has not are summed over first, as by `sum`, in an
order that follows from the layout in memory.  Products of two are summed over the labels that both
have, in the order in which these stand in the first of them, the last one fastest; a label that
occurs twice in an operand stands behind the others.  The order of each of these sums is that of
`matmul`, or of `vecdot` where no label is of one operand alone: it does not depend on the layout,
nor on the number of threads, nor on how many rows there are, which are labels of the first operand
alone, or of both and the result.  One row may differ, as in `matmul`, without
``deterministic="batch"``.  Of more than two operands, a path that is chosen depends on the lengths;
with ``deterministic="batch"`` it is chosen as if all were the same.

[vekt] 16-bit floats are summed in float32, through all steps, and rounded once.  Integers wrap
around.  Dtypes without kernels, such as longdouble and objects, are left to `numpy.einsum`.

[vekt] Unlike that of `numpy.einsum`, a result is never a view of an operand.  Where operands
have an ellipsis, the result's labels, if told, must have one, too.

[vekt.jit] In compiled functions the subscripts are a constant text, operands are arrays, and
nothing is chosen by name.  Two operands at a time are multiplied, from the left; by the kernels of
`matmul` on the calling thread where a label is summed over.

[vekt.reference] Computed by `numpy.einsum` in a wider dtype, in one step, and rounded once.

See Also
--------
matmul, tensordot : Products of two operands.

References
----------
A. Einstein, Die Grundlage der allgemeinen Relativitätstheorie, Annalen der Physik 354, 1916.
D. G. A. Smith, J. Gray, opt_einsum: a Python package for optimizing contraction order for
einsum-like expressions, Journal of Open Source Software 3 (26), 2018.

Examples
--------
>>> a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
>>> {f}('ij,jk->ik', a, b)
array([[20., 23., 26., 29.],
       [56., 68., 80., 92.]])
>>> float({f}('ij,ij', a, a))
55.0
>>> {f}('ii->i', np.arange(9).reshape(3, 3))
array([0, 4, 8])
>>> {f}(a, [0, 1], [1, 0]).shape
(3, 2)"""

EINSUM: Spec = written(_TEXT, "vekt.linalg._einsum", {"out": OUT})
