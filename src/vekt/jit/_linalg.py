"""Products of vectors, matrices and tensors: what Python calls, and their documentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from vekt._kernels import ffi, lib

from .._native import SELECTED, TARGETS
from .._operands import checked_out, is_bfloat16
from ._products import product_type

Function = TypeVar("Function", bound=Callable[..., Any])

_COMMON = {
    "{out}": """out : ndarray or None, optional
        Array of the result's shape and dtype that receives it; it may overlap the operands.""",
    "{raises}": """Raises
    ------
    ValueError
        If an operand has too few axes, if the lengths to sum over differ, if the others do not
        broadcast, or if `out` does not fit.
    TypeError
        For dtypes without a kernel; in compiled functions a TypingError, there for float16 too.""",
    "{notes}": """Notes
    -----
    The C kernels of `vekt` on the calling thread, so with their bits; `vekt.{name}` tells more.
    In compiled functions, too, operands keep their layout: no array is copied unless its dtype is
    not the common one.""",
}
"""What several docstrings have in common."""


def documented(function: Function) -> Function:
    """Fill in the common parts of a public function's docstring, and say where it lives."""
    function.__module__ = "vekt.jit"
    for placeholder, text in _COMMON.items():
        function.__doc__ = str(function.__doc__).replace(placeholder, text)
    function.__doc__ = str(function.__doc__).replace("{name}", function.__name__)
    return function


def as_operands(name: str, *operands: Any) -> tuple[Any, list[Any]]:
    """Dtype of the result, and the operands in the dtype to compute with, native and aligned."""
    arrays = [np.asarray(x) for x in operands]
    wide = [x.astype("f4") if is_bfloat16(x.dtype) else x for x in arrays]
    dtype = np.result_type(*wide)
    if product_type(dtype) is None:
        raise TypeError(f"{name}: dtype {dtype} is not supported")
    stored = arrays[0].dtype if all(is_bfloat16(x.dtype) for x in arrays) else dtype
    return stored, [np.require(x, dtype.newbyteorder("="), "A") for x in wide]


def finished(result: Any, dtype: Any, out: Any) -> Any:
    """Return the result in its dtype, or `out` that has received it."""
    result = result.astype(dtype, copy=False)
    if out is None:
        return result[()]
    target = checked_out(out, result.shape, dtype)
    target[...] = result
    return target


def _product(name: str, x1: Any, x2: Any, out: Any, vectors: tuple[bool, bool]) -> Any:
    """Multiply, on the calling thread, operands of which some are (stacks of) vectors."""
    dtype, (a, b) = as_operands(name, x1, x2)
    met = f"got shapes {a.shape} and {b.shape}"
    if a.ndim < 2 - vectors[0] or b.ndim < 2 - vectors[1]:
        raise ValueError(f"{name}: an operand has too few axes, {met}")
    if name in ("vecdot", "vecmat"):
        a = a.conj()
    a = a[..., np.newaxis, :] if vectors[0] else a
    b = b[..., np.newaxis] if vectors[1] else b
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"{name}: the lengths to sum over differ, {met}")
    outer = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(x, outer + x.shape[-2:]) for x in (a, b))
    c = np.empty((*outer, a.shape[-2], b.shape[-1]), a.dtype)
    operands = [part for x in (a, b, c) for part in (address(x), x.strides)]
    kind = product_type(c.dtype)
    if lib.vekt_jit_matmul(TARGETS[SELECTED], kind, c.ndim, c.shape, a.shape[-1], *operands):
        raise MemoryError("no memory for a product")
    if vectors[1]:
        c = c[..., 0]
    if vectors[0]:
        c = c[..., 0] if vectors[1] else c[..., 0, :]
    return finished(c, dtype, out)


def address(x: Any) -> Any:
    """Address of an array's first element, for C."""
    return ffi.cast("char *", x.ctypes.data)


@documented
def matmul(x1: Any, x2: Any, out: Any = None) -> Any:
    """Matrix product of two arrays.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., n, k) and (..., k, m), where `...` broadcasts.  A vector counts as one row in
        front and as one column behind.
    {out}

    Returns
    -------
    ndarray or scalar
        Shape (..., n, m) and the operands' common dtype.

    {raises}

    {notes}

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.matmul(np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]]))
    array([[19, 22],
           [43, 50]])
    """
    return _product("matmul", x1, x2, out, (np.ndim(x1) == 1, np.ndim(x2) == 1))


@documented
def matvec(x1: Any, x2: Any, out: Any = None) -> Any:
    """Product of matrices and vectors.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., m, n) and (..., n), where `...` broadcasts.
    {out}

    Returns
    -------
    ndarray
        Shape (..., m) and the operands' common dtype.

    {raises}

    {notes}

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.matvec(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 0.5]))
    array([2., 5.])
    """
    return _product("matvec", x1, x2, out, (False, True))


@documented
def vecmat(x1: Any, x2: Any, out: Any = None) -> Any:
    """Product of vectors, complex ones conjugated, and matrices.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., n) and (..., n, m), where `...` broadcasts.
    {out}

    Returns
    -------
    ndarray
        Shape (..., m) and the operands' common dtype.

    {raises}

    {notes}

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.vecmat(np.array([1.0, 0.5]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([2.5, 4. ])
    """
    return _product("vecmat", x1, x2, out, (True, False))


@documented
def vecdot(x1: Any, x2: Any, out: Any = None, axis: int = -1) -> Any:
    """Inner products of vectors, the first of which is conjugated if complex.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., n), where `...` broadcasts.
    {out}
    axis : int, default -1
        Where the vectors lie in both operands.

    Returns
    -------
    ndarray or scalar
        Shape (...) and the operands' common dtype.

    {raises}

    {notes}

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.vecdot(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 0.5]))
    array([2., 5.])
    """
    if axis != -1:
        x1, x2 = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    return _product("vecdot", x1, x2, out, (True, True))


@documented
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Tensor contraction: the sum of products over any axes of two arrays.

    Parameters
    ----------
    a, b : array_like
        The tensors.
    axes : int or pair of int or of tuples of int, default 2
        The last axes of `a`, so many, are summed over with the first ones of `b`; or the axes of
        `a`, and those of `b` in the same order.  In compiled functions the number of axes must be
        known when the code is compiled.

    Returns
    -------
    ndarray or scalar
        What is left of the shape of `a`, followed by what is left of that of `b`.

    {raises}

    Notes
    -----
    One product of matrices, by the C kernels of `vekt` on the calling thread; operands whose axes
    do not lie as in a matrix are copied.  `vekt.tensordot` tells more.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.tensordot(np.ones((2, 3, 4)), np.ones((4, 3, 5)), axes=((1, 2), (1, 0)))[0]
    array([12., 12., 12., 12., 12.])
    """
    x, y = np.asarray(a), np.asarray(b)
    first, second = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    x_axes, y_axes = (
        normalize_axis_tuple(at, array.ndim) for at, array in ((first, x), (second, y))
    )
    if [x.shape[i] for i in x_axes] != [y.shape[j] for j in y_axes]:
        raise ValueError(
            f"tensordot: the lengths to sum over differ: axes {x_axes} of shape {x.shape}, "
            f"{y_axes} of {y.shape}"
        )
    rows = [i for i in range(x.ndim) if i not in x_axes]
    columns = [j for j in range(y.ndim) if j not in y_axes]
    shape = [x.shape[i] for i in rows] + [y.shape[j] for j in columns]
    k = math.prod(x.shape[i] for i in x_axes)
    m, n = (math.prod(z.shape[i] for i in free) for z, free in ((x, rows), (y, columns)))
    left = x.transpose([*rows, *x_axes]).reshape(m, k)
    return matmul(left, y.transpose([*y_axes, *columns]).reshape(k, n)).reshape(shape)[()]
