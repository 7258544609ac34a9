"""Dense layers."""

from __future__ import annotations

from vekt._spec.spec import Kind, Spec
from vekt._spec.written import kind_of

_DENSE = """\
dense(x, w, b=None, activation=None, *, out=None, return_preactivation=False, deterministic=None,
dtype=None)

Dense layer, `activation(x @ w + b)`.

Bias and activation are applied to each part of the product while it is in the first-level cache.

Parameters
----------
x : array_like, shape (..., k)
    One sample in each row.
w : array_like, shape (k, n), or PackedWeights
    Weights.
b : array_like, optional
    Bias, which broadcasts to the shape of the result; as a rule of shape (n,).
activation : str, callable or tuple, optional
    Any elementwise activation of vekt: by its name, "gelu"; as a function, `vekt.gelu`; with
    parameters, ``("leaky_relu", {{"negative_slope": 0.1}})`` or
    ``functools.partial(vekt.leaky_relu, negative_slope=0.1)``.  Parameters are numbers.  Or a
    function of your own, made by `vekt.fuse`.
out : ndarray, shape (..., n), optional
    Where the result goes; with `return_preactivation` also a pair of arrays or None.  They may
    overlap the operands.
return_preactivation : bool, optional
    Whether to return `x @ w + b` as well, which `dense_backward` wants.
deterministic : {None, "batch"}, optional
    "batch" for rows with the same bits in a batch of any size, as for `vekt.matmul`.
dtype : dtype, optional
    That of the sums and the result: the operands are cast to it, as by ``casting="same_kind"``.  A
    float, or an integer such as int32 for a layer of int8 or uint8 without an activation: sums and
    bias are exact, modulo 2**32.

Returns
-------
y : ndarray, shape (..., n)
    The result.  float32 and float64 stay; integers and bool compute in float64, float16 and
    bfloat16 in float32 with one rounding at the end.
z : ndarray, shape (..., n)
    The pre-activation; only if `return_preactivation`.

Raises
------
ValueError
    If shapes do not match, if `out` is read-only, if there is no such activation, or if
    `deterministic` is something else.
TypeError
    If a dtype is not real, if an operand cannot be cast to `dtype` or the result to `out`, if the
    activation does not take such parameters, or if there is one for integers.

See Also
--------
dense_backward : The gradients.
PackedWeights : Weights that are used many times.

Notes
-----
[vekt] Results have the same bits for any number of threads, and in float32 and float64 those of
`vekt.matmul`, `+` and the activation one by one.  A row has the same bits in a batch of any size,
but where it is alone, weights are transposed (such as ``w.T``) and k > 64: there only with
``deterministic="batch"``, which takes up to twice as long, or with `PackedWeights`.

[vekt] Where dtypes differ, x or w is converted in parts that stay in the cache, with the bits of a
cast before.

[vekt] No operand is copied for its layout unless the leading axes of `x` are not evenly spaced.
With samples in columns, ``activation(W @ A + b)`` with `b` of shape (n, 1), the layer is
``dense(A.T, W.T, b.T, activation).T``; for a transposed `x` the result is laid out so that its
transpose is contiguous.

[vekt.jit] The C kernels of `vekt` on the calling thread, so with their bits.  A function of your
own is applied to the whole pre-activation.  From Python activations are those of `vekt.dense`.

[vekt.jit] In compiled functions `out` goes by position or by name, there is no `dtype` and no
`deterministic`: a single row times contiguous columns is summed as without.  `b` is of shape (n,)
where `x` has more than two axes, `return_preactivation` is a constant, functions of `vekt.jit` and
compiled functions of an array are activations too, and parameters follow in a tuple:
``("leaky_relu", 0.1)``.  For dtypes without a kernel, float16 there too, and for unknown
activations there is a TypingError.

[vekt.reference] Computed in a wider dtype and rounded once; `deterministic` makes no difference.

Examples
--------
>>> x = np.array([[1.0, 2.0], [3.0, -4.0]])
>>> w = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]])
>>> {f}(x, w, np.array([0.5, 0.0, 0.0]), "relu")
array([[1.5, 2. , 1. ],
       [3.5, 0. , 0. ]])"""

_DENSE_BACKWARD = """\
dense_backward(dy, x, w, z, activation=None, *, out=None, need_dx=True)

Gradients of a dense layer with respect to its inputs, weights and bias.

With `dz = dy * activation'(z)`: `dx = dz @ w.T`, `dw = x.T @ dz`, and `db` is the sum of the rows
of `dz`.

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
    As for `dense`.
out : tuple of three ndarray or None, optional
    Where the gradients go; None for those that shall be made.  They may overlap the operands.
need_dx : bool, optional
    False for a first layer, whose `dx` nobody wants: it is then None, and half of the work is
    saved.

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
    If shapes do not match, if an array of `out` is read-only, or if there is no such activation.
TypeError
    If a dtype is not real, if a gradient cannot be cast to its array of `out`, if `z` is missing,
    or if the activation does not take such parameters.

See Also
--------
dense : The layer.

Notes
-----
[vekt] dz is computed once, in blocks of rows that stay in the cache.  In float32 and float64, dw
and dx have the bits of `vekt.matmul` of the whole dz, and db is summed in float64; nothing depends
on the number of threads.

[vekt] Of Dask arrays the gradients are lazy; compute them together, as each block of rows is a task
that gives all three.  They take no `out`.

[vekt] The gradients are laid out as `x` and `w` are.  With samples in columns they are those of
``dense_backward(dA.T, A_previous.T, W.T, Z.T, activation)``, the first two transposed.

[vekt.jit] The C kernels of `vekt` on the calling thread, so with their bits.  Functions of your
own, whose gradient nobody knows, are no activations here.  In compiled functions there is no
`out`, `need_dx` goes by position or by name and is a constant, and TypeErrors are TypingErrors,
there for float16 and unknown activations too.

[vekt.reference] Computed in a wider dtype, each gradient rounded once.

Examples
--------
>>> x = np.array([[1.0, 2.0], [3.0, -4.0]])
>>> w = np.array([[1.0, 0.0], [0.0, 1.0]])
>>> y, z = {base}(x, w, activation="relu", return_preactivation=True)
>>> dx, dw, db = {f}(np.ones((2, 2)), x, w, z, "relu")
>>> dw
array([[ 4.,  1.],
       [-2.,  2.]])
>>> db
array([2., 1.])"""

_KINDS: dict[str, Kind] = {
    kind: kind_of(text)[1] for kind, text in (("", _DENSE), ("_backward", _DENSE_BACKWARD))
}
DENSE = Spec("dense", _KINDS[""].summary, _KINDS, "vekt.layers")
