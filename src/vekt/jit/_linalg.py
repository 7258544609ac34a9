"""Products of vectors, matrices and tensors: what Python calls, and their documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from vekt._core.operands import checked_out
from vekt.threading import num_threads

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


def finished(result: Any, dtype: Any, out: Any) -> Any:
    """Return an array in its dtype, one of no axes as a scalar; or `out` that has received it."""
    result = result.astype(dtype, copy=False)
    if out is None:
        return result[()]
    target = checked_out(out, result.shape, dtype)
    target[...] = result
    return target


def on_this_thread(name: str, *arguments: Any, **options: Any) -> Any:
    """Call the function of `vekt`, whose kernels compiled functions call too."""
    import vekt

    with num_threads(1):
        return getattr(vekt, name)(*arguments, **options)


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
    There is no `deterministic`: a single row times contiguous columns is summed as by default.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.matmul(np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]]))
    array([[19, 22],
           [43, 50]])
    """
    return on_this_thread("matmul", x1, x2, out=out)


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
    return on_this_thread("matvec", x1, x2, out=out)


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
    return on_this_thread("vecmat", x1, x2, out=out)


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
    return on_this_thread("vecdot", x1, x2, out=out, axis=axis)


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
    return on_this_thread("tensordot", a, b, axes)
