"""vekt's primitives of autograd: values of the kernels, gradients against differences, twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad
from autograd.test_util import check_grads
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import autograd as va
from vekt import reference
from vekt._spec.activations import OPS
from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY
from vekt._spec.spec import Spec

# Away from the points where derivatives jump: 0, 1, 3, 6, 0.5...
X = np.array([[-4.3, -2.2, -0.7, 0.3], [0.4, 1.3, 2.2, 6.5]])
PARAMETERS = {
    "relu": {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.35},
    "gelu": {"approximate": True},
    "softplus": {"beta": 2.0},
    "elu": {"alpha": 0.7},
    "celu": {"alpha": 0.7},
    "squareplus": {"b": 2.0},
}
CASES = [*((name, {}) for name in OPS), *PARAMETERS.items()]


@pytest.mark.parametrize(("name", "params"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_activations(name: str, params: dict[str, Any]) -> None:
    x = np.abs(X) if name == "log1mexp" else X
    f = partial(getattr(va, name), **params)
    assert_array_equal(f(x), getattr(vk, name)(x, **params))
    slope = elementwise_grad(f)
    assert_array_equal(slope(x), getattr(vk, f"{name}_backward")(np.ones_like(x), x, **params))
    check_grads(f, order=2, modes=["rev"])(x)
    backward = partial(getattr(va, f"{name}_backward"), **params)
    check_grads(lambda dy: backward(dy, x), order=2, modes=["rev"])(X[0])  # dy is broadcast


@pytest.mark.parametrize("op", ELEMENTARY, ids=lambda op: op.name)
def test_elementary_functions(op: Spec) -> None:
    x = np.abs(X) if op.kernel.domain[0] > -np.inf else X
    f = getattr(va, op.name)
    assert_array_equal(f(x), getattr(vk, op.name)(x))
    assert_allclose(elementwise_grad(f)(x), op.kernel.gradient(x), rtol=1e-14)
    assert elementwise_grad(f)(x.astype("f4")).dtype == np.float32
    check_grads(f, order=2, modes=["rev"])(x)


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
def test_functions_of_two_operands(op: Spec) -> None:
    x1 = np.abs(X) if op.name == "power" else X
    f = getattr(va, op.name)
    for x2 in (X[::-1, ::-1], X[:, :1], X[0], 1.7):  # broadcast, too
        assert_array_equal(f(x1, x2), getattr(vk, op.name)(x1, x2))
        check_grads(f, order=2, modes=["rev"])(x1, x2)
        check_grads(f, order=2, modes=["rev"])(np.abs(x2), x1)
    slope = grad(lambda x: f(x, x1.astype("f4")).sum())(x1.astype("f4"))
    assert slope.dtype == np.float32


def test_third_derivatives() -> None:
    third = elementwise_grad(elementwise_grad(elementwise_grad(va.tanh)))
    t = np.tanh(X)
    assert_allclose(third(X), (1 - t**2) * (6 * t**2 - 2), rtol=1e-12, atol=1e-14)


RANDOM = np.random.default_rng(0).normal
MATRIX, OTHER, VECTOR = RANDOM(size=(3, 4)), RANDOM(size=(4, 2)), RANDOM(size=4)
STACK, TENSOR = RANDOM(size=(2, 3, 4)), RANDOM(size=(4, 3, 5))
SLOPES = np.array([0.1, -0.2, 0.3])

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "swiglu": (va.swiglu, (MATRIX, VECTOR)),
    "geglu": (va.geglu, (MATRIX, MATRIX + 1)),
    "geglu_tanh": (partial(va.geglu, approximate=True), (MATRIX, MATRIX + 1)),
    "reglu": (va.reglu, (MATRIX, MATRIX + 1)),
    "glu": (va.glu, (MATRIX,)),
    "glu_axis": (lambda x: va.glu(x, 0), (OTHER,)),
    "prelu": (va.prelu, (MATRIX, VECTOR)),
    "prelu_axis": (lambda x, alpha: va.prelu(x, alpha, 0), (MATRIX, SLOPES)),
    "softmax": (va.softmax, (MATRIX,)),
    "softmax_axes": (lambda x: va.softmax(x, (0, 2)), (STACK,)),
    "softmax_where": (lambda x: va.softmax(x, where=MATRIX > -0.5), (MATRIX,)),
    "softmin": (va.softmin, (MATRIX,)),
    "log_softmax": (lambda x: va.log_softmax(x, axis=0), (MATRIX,)),
    "sparsemax": (va.sparsemax, (MATRIX,)),
    "logsumexp": (va.logsumexp, (MATRIX,)),
    "logsumexp_all": (lambda x: va.logsumexp(x, None), (MATRIX,)),
    "logsumexp_kept": (lambda x: va.logsumexp(x, (0, -1), keepdims=True), (STACK,)),
    "matmul": (va.matmul, (MATRIX, OTHER)),
    "matmul_stack": (va.matmul, (STACK, OTHER)),
    "matmul_vectors": (va.matmul, (VECTOR, VECTOR + 1)),
    "matmul_vector_left": (va.matmul, (VECTOR, OTHER)),
    "matmul_vector_right": (va.matmul, (STACK, VECTOR)),
    "matvec": (va.matvec, (STACK, VECTOR)),
    "vecmat": (va.vecmat, (VECTOR, OTHER)),
    "vecdot": (va.vecdot, (STACK, VECTOR)),
    "dot": (va.dot, (MATRIX, OTHER)),
    "dot_number": (va.dot, (MATRIX, 2.0)),
    "dot_tensor": (va.dot, (STACK[..., :3], TENSOR)),
    "outer": (va.outer, (MATRIX, VECTOR)),
    "tensordot": (va.tensordot, (STACK, TENSOR, 1)),
    **{
        f"einsum_{i}": (partial(va.einsum, text), operands)
        for i, (text, operands) in enumerate(
            (
                ("ij,jk->ki", (MATRIX, MATRIX.T)),
                ("ii->i", (MATRIX[:, :3],)),
                ("ij,k->", (MATRIX, VECTOR)),
                ("iij,j->i", (np.arange(36.0).reshape(3, 3, 4) / 9, MATRIX[0])),
                ("ij,ij,kj->k", (MATRIX, MATRIX[:1], MATRIX)),
                ("iii,...i", (np.arange(27.0).reshape(3, 3, 3) / 9, MATRIX.T)),
            )
        )
    },
    "tensordot_axes": (lambda a, b: va.tensordot(a, b, ([1, 2], [1, 0])), (STACK, TENSOR)),
    "dense": (lambda x, w, b: va.dense(x, w, b, "gelu"), (STACK, OTHER, VECTOR[:2])),
    "dense_linear": (va.dense, (MATRIX, OTHER)),
    "dense_own": (lambda x, w: va.dense(x, w, None, lambda z: va.tanh(z) ** 2), (MATRIX, OTHER)),
    "norm": (va.norm, (MATRIX,)),
    "norm_axis": (lambda x: va.norm(x, 2, 0), (MATRIX,)),
    "norm_kept": (lambda x: va.norm(x, axis=(0, 1), keepdims=True), (STACK,)),
    "norm_one": (lambda x: va.norm(x, 1, 1), (MATRIX,)),
    "norm_inf": (lambda x: va.norm(x, np.inf), (VECTOR,)),
    "norm_three": (lambda x: va.norm(x, 3), (VECTOR,)),
    "cosine_similarity": (va.cosine_similarity, (MATRIX, MATRIX[::-1])),
    "take": (lambda x: va.take(x, [[1, -1], [1, 0]], 1), (STACK,)),
    "take_all": (lambda x: va.take(x, [7, -9, 300], None, "wrap"), (STACK,)),
    "take_clipped": (lambda x: va.take(x, [7, -9, 1], 0, mode="clip"), (STACK,)),
    "top_k": (lambda x: va.top_k(x, 2)[0], (MATRIX,)),
    "top_k_axis": (lambda x: va.top_k(x, 1, axis=1)[0], (STACK,)),
    "scatter_add": (lambda x, v: va.scatter_add(x, [1, 0, -1], v), (STACK, STACK[:1])),
    "scatter_add_axis": (lambda x, v: va.scatter_add(x, [[1, 1]], v, 1), (MATRIX, VECTOR[:1])),
    "transpose_copy": (va.transpose_copy, (MATRIX,)),
    "transpose_copy_axes": (lambda x: va.transpose_copy(x, (1, 2, 0)), (STACK,)),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_functions(case: str) -> None:
    f, operands = FUNCTIONS[case]
    name = case.partition("_")[0]
    if getattr(f, "__name__", "") == name:
        assert_allclose(f(*operands), getattr(reference, name)(*operands), rtol=1e-12)
    arrays = [i for i, v in enumerate(operands) if isinstance(v, np.ndarray)]
    for i in arrays:
        at = lambda v, i=i: f(*operands[:i], v, *operands[i + 1 :])  # noqa: E731
        check_grads(at, order=2, modes=["rev"])(operands[i])


@pytest.mark.parametrize(
    ("name", "y"),
    [
        ("squared_error", MATRIX),
        ("huber", 2 * MATRIX),
        ("sigmoid_cross_entropy", 3 * MATRIX),
        ("binary_cross_entropy", vk.sigmoid(MATRIX)),
    ],
)
def test_losses(name: str, y: np.ndarray) -> None:
    t = np.array([0.0, 1.0, 0.25, 0.9])  # broadcast over the samples
    assert_array_equal(getattr(va, name)(y, t), getattr(vk, name)(y, t))
    check_grads(lambda y: getattr(va, name)(y, t), order=2, modes=["rev"])(y)


def test_softmax_cross_entropy() -> None:
    labels = np.array([0, 3, 1])
    for options in ({}, {"reduction": "none"}, {"label_smoothing": 0.1, "reduction": "sum"}):
        f = partial(va.softmax_cross_entropy, labels=labels, **options)
        assert_array_equal(f(MATRIX), vk.softmax_cross_entropy(MATRIX, labels, **options))
        check_grads(f, order=2, modes=["rev"])(MATRIX)


def test_einsum_takes_options_but_no_output() -> None:
    options = {"optimize": False, "deterministic": "batch", "order": "F"}
    for i, x in enumerate((MATRIX, OTHER)):
        slope = grad(lambda *operands: anp.sum(va.einsum("ij,jk", *operands, **options)), i)
        assert_allclose(slope(MATRIX, OTHER), grad(lambda a, b: anp.sum(a @ b), i)(MATRIX, OTHER))
        assert slope(MATRIX, OTHER).shape == x.shape
    by_numbers = grad(lambda a: va.einsum(a, [0, 1], OTHER, [1, 2], []))(MATRIX)
    assert_allclose(by_numbers, np.broadcast_to(OTHER.sum(1), MATRIX.shape))
    with pytest.raises(TypeError):
        va.einsum("ij->i", MATRIX, out=np.zeros(3))


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="tensordot: shapes"):
        va.tensordot(STACK, TENSOR, 2)


def test_the_notes_graph() -> None:
    """J = 3 (a + b c): the derivatives that the notes find by going back through the graph."""

    def cost(a: float, b: float, c: float) -> float:
        return 3 * (a + b * c)

    for i, derivative in enumerate((3.0, 6.0, 9.0)):  # 3, 3 c, 3 b
        assert grad(cost, i)(5.0, 3.0, 2.0) == derivative


def test_a_network_has_the_gradients_of_dense_backward() -> None:
    x, w, b, t = MATRIX, OTHER, VECTOR[:2], np.ones((3, 2))

    def cost(w: Any, b: Any) -> Any:
        return anp.sum((va.dense(x, w, b, "silu") - t) ** 2) / 2

    y, z = vk.dense(x, w, b, "silu", return_preactivation=True)
    _, dw, db = vk.dense_backward(y - t, x, w, z, "silu")
    assert_allclose(grad(cost, 0)(w, b), dw, rtol=1e-12)
    assert_allclose(grad(cost, 1)(w, b), db, rtol=1e-12)


def test_single_precision_stays() -> None:
    x = X.astype("f4")
    assert elementwise_grad(va.gelu)(x).dtype == np.float32
    assert grad(lambda w: anp.sum(va.matmul(x, w)))(np.ones(4, "f4")).dtype == np.float32
