"""Dense layers: what Python calls, and their documentation."""

from __future__ import annotations

from typing import Any

from vekt.jit._linalg import documented, on_this_thread


@documented
def dense(
    x: Any,
    w: Any,
    b: Any = None,
    activation: Any = None,
    out: Any = None,
    return_preactivation: bool = False,
) -> Any:
    """Dense layer, `activation(x @ w + b)`.

    Parameters
    ----------
    x : array_like, shape (..., k)
        One sample in each row.
    w : array_like, shape (k, n)
        Weights.
    b : array_like, optional
        Bias, which broadcasts to the shape of the result; in compiled functions of shape (n,) where
        `x` has more than two axes.
    activation : str, callable or tuple, optional
        Any elementwise activation, by its name or as a function of `vekt` or `vekt.jit`.  In
        compiled functions parameters follow in a tuple: ``("leaky_relu", 0.1)``; and a compiled
        function of an array is taken too.  From Python as in `vekt.dense`.
    out : ndarray or None, optional
        Where the result goes.  It may overlap the operands.
    return_preactivation : bool, optional
        Whether to return `x @ w + b` as well; in compiled functions a constant.

    Returns
    -------
    y : ndarray, shape (..., n)
        The result: float32 or float64, in which integers and bool compute.
    z : ndarray, shape (..., n)
        The pre-activation; only if `return_preactivation`.

    Raises
    ------
    ValueError
        If shapes do not match.
    TypeError
        For dtypes without a kernel; in compiled functions a TypingError, for unknown activations
        and float16 too.

    Notes
    -----
    The C kernels of `vekt` on the calling thread, so with their bits: bias and activation are
    applied while parts of the product are in the first-level cache.  A function of your own is
    applied to the whole pre-activation.  There is no `deterministic`: a single row times contiguous
    columns is summed as by default.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> vk.jit.dense(np.array([[1.0, -2.0]]), np.eye(2), np.array([0.5, 0.0]), "relu")
    array([[1.5, 0. ]])
    """
    return on_this_thread(
        "dense", x, w, b, activation, out=out, return_preactivation=return_preactivation
    )


@documented
def dense_backward(
    dy: Any, x: Any, w: Any, z: Any, activation: Any = None, need_dx: bool = True
) -> Any:
    """Gradients of a dense layer with respect to its inputs, weights and bias.

    Parameters
    ----------
    dy : array_like, shape (..., n)
        Gradient with respect to the layer's result.
    x : array_like, shape (..., k)
        The layer's input.
    w : array_like, shape (k, n)
        Weights.
    z : array_like, shape (..., n), or None
        Pre-activation, as `dense` returns it; it is not read without an activation.
    activation : str, callable or tuple, optional
        As for `dense`, but no function of your own, whose gradient nobody knows.
    need_dx : bool, optional
        False for a first layer, whose `dx` nobody wants: it is then None; in compiled functions a
        constant.

    Returns
    -------
    dx : ndarray, shape (..., k), or None
        Gradient with respect to `x`.
    dw : ndarray, shape (k, n)
        Gradient with respect to `w`: a sum over the batch, not a mean.
    db : ndarray, shape (n,)
        Gradient with respect to a bias of shape (n,), likewise.

    Raises
    ------
    ValueError
        If shapes do not match.
    TypeError
        For dtypes without a kernel; in compiled functions a TypingError, for unknown activations
        and float16 too.

    Notes
    -----
    The C kernels of `vekt` on the calling thread, so with their bits; `vekt.dense_backward` tells
    more.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> x, w = np.array([[1.0, -2.0]]), np.eye(2)
    >>> y, z = vk.jit.dense(x, w, None, "relu", return_preactivation=True)
    >>> vk.jit.dense_backward(np.ones((1, 2)), x, w, z, "relu")[1]
    array([[ 1.,  0.],
           [-2.,  0.]])
    """
    return on_this_thread("dense_backward", dy, x, w, z, activation, need_dx=need_dx)
