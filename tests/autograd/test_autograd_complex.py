"""vekt's primitives of autograd on complex numbers, at every axis, order and size of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, jacobian
from autograd.test_util import check_grads
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import autograd as va
from vekt import dlpack, jit, reference
from vekt._spec.activations import OPS
from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY
from vekt._spec.losses import LOSSES

RANDOM = np.random.default_rng(0).normal


def real(*shape: int) -> np.ndarray:
    return RANDOM(size=shape)


def both(*shape: int) -> np.ndarray:
    return RANDOM(size=shape) + 1j * RANDOM(size=shape)


# Each is a function of vekt, what NumPy's functions (autograd's own) make of it, and shapes.
Row = tuple[Callable[..., Any], Callable[..., Any], tuple[tuple[int, ...], ...]]


def cosine(a: Any, b: Any, axis: Any = -1) -> Any:
    def length(x: Any) -> Any:
        return anp.sqrt(anp.sum(anp.abs(x) ** 2, axis=axis))

    return anp.sum(anp.conj(a) * b, axis=axis) / (length(a) * length(b))


def vecdot(a: Any, b: Any) -> Any:
    return anp.sum(anp.conj(a) * b, axis=-1)


def along_first(a: Any, b: Any) -> Any:
    return anp.sum(anp.conj(a) * b, axis=0)


BILINEAR: dict[str, Row] = {
    "matmul": (va.matmul, anp.matmul, ((2, 3, 4), (4, 2))),
    "matmul_vectors": (va.matmul, anp.matmul, ((4,), (4,))),
    "matmul_left": (va.matmul, anp.matmul, ((4,), (2, 4, 3))),
    "matvec": (va.matvec, lambda a, b: anp.einsum("...ij,...j->...i", a, b), ((2, 3, 4), (4,))),
    "vecmat": (va.vecmat, lambda a, b: anp.conj(a) @ b, ((2, 3), (3, 4))),
    "vecdot": (va.vecdot, vecdot, ((2, 3, 4), (4,))),
    "vecdot_same": (va.vecdot, vecdot, ((3, 4), (3, 4))),
    "vecdot_rows": (va.vecdot, vecdot, ((1, 4), (3, 4))),
    "vecdot_first": (lambda a, b: va.vecdot(a, b, axis=0), along_first, ((3, 4), (3, 4))),
    "vecdot_kept": (
        lambda a, b: va.vecdot(a, b, axis=1, keepdims=True),
        lambda a, b: anp.sum(anp.conj(a) * b, axis=1, keepdims=True),
        ((2, 3, 4), (2, 3, 4)),
    ),
    "dot": (va.dot, anp.matmul, ((3, 4), (4, 2))),
    "dot_tensor": (va.dot, lambda a, b: anp.einsum("ij,kjl->ikl", a, b), ((2, 3), (4, 3, 2))),
    "outer": (va.outer, lambda a, b: anp.reshape(a, (-1, 1)) * b, ((2, 2), (3,))),
    "tensordot": (va.tensordot, anp.tensordot, ((2, 3, 4), (3, 4, 2))),
    "einsum": (
        lambda a, b: va.einsum("iij,jk->ki", a, b),
        lambda a, b: anp.einsum("ij,jk->ki", a[range(3), range(3)], b),
        ((3, 3, 4), (4, 2)),
    ),
    "dense": (va.dense, lambda x, w, b: anp.dot(x, w) + b, ((2, 3), (3, 4), (4,))),
    "cosine": (va.cosine_similarity, cosine, ((3, 4), (3, 4))),
    "cosine_broadcast": (va.cosine_similarity, cosine, ((3, 4), (4,))),
    "cosine_first": (
        lambda a, b: va.cosine_similarity(a, b, 0),
        lambda a, b: cosine(a, b, 0),
        ((3, 4), (3, 4)),
    ),
    "cosine_axes": (
        lambda a, b: va.cosine_similarity(a, b, (0, 2)),
        lambda a, b: cosine(a, b, (0, 2)),
        ((2, 3, 4), (2, 3, 4)),
    ),
    "cosine_all": (
        lambda a, b: va.cosine_similarity(a, b, None),
        lambda a, b: cosine(a, b, None),
        ((3, 4), (3, 4)),
    ),
    "transpose_copy": (va.transpose_copy, anp.transpose, ((3, 4),)),
}


@pytest.mark.parametrize("case", BILINEAR)
@pytest.mark.parametrize("kinds", ["rr", "cc", "rc", "cr"])
def test_products(case: str, kinds: str) -> None:
    """Values, gradients beside autograd's own, and differences, twice."""
    f, theirs, shapes = BILINEAR[case]
    make = {"r": real, "c": both}
    operands = [
        make[k](*s) for k, s in zip((kinds + kinds[-1])[: len(shapes)], shapes, strict=True)
    ]
    if case == "dense" and kinds != "rr":
        pytest.skip("layers are real")
    assert_allclose(f(*operands), theirs(*operands), 1e-12)

    def cost(h: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: anp.sum(anp.abs(h(*args) - 0.3) ** 2)

    for i, x in enumerate(operands):
        got = grad(cost(f), i)(*operands)
        assert got.dtype == x.dtype
        assert_allclose(got, grad(cost(theirs), i)(*operands), 1e-10, 1e-12)
        at = lambda v, i=i: f(*operands[:i], v, *operands[i + 1 :])  # noqa: E731
        check_grads(at, order=2, modes=["rev"])(x)


ORDERS = {
    1: (None, 0, 1, -1, 2, -2, 3, 0.5, -1.5, np.inf, -np.inf),
    2: (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf),
}
NORMS = [
    (shape, axis, ord)
    for shape, axis, axes in (
        ((5,), None, 1),
        ((5,), -1, 1),
        ((3, 4), 0, 1),
        ((2, 3, 4), 1, 1),
        ((3, 4), None, 2),
        ((4, 3), (1, 0), 2),
        ((2, 3, 4), (0, -1), 2),
    )
    for ord in ORDERS[axes]
] + [((2, 3, 4), None, None), ((2, 1, 3, 2), None, None)]


@pytest.mark.parametrize(("shape", "axis", "ord"), NORMS)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("make", [real, both])
def test_norms(shape: Any, axis: Any, ord: Any, keepdims: bool, make: Any) -> None:
    x = make(*shape)
    x[np.abs(x) < 0.2] += 0.4
    f = lambda x: va.norm(x, ord, axis, keepdims)  # noqa: E731
    expected = np.linalg.norm(x, ord, axis, keepdims)
    assert_allclose(f(x), expected, 1e-12)
    assert np.shape(f(x)) == np.shape(expected)
    if ord == 0:
        return
    check_grads(f, order=1 if ord in (2, -2, "nuc") else 2, modes=["rev"])(x)


@pytest.mark.parametrize("make", [real, both])
def test_norms_beside_autograd(make: Any) -> None:
    x = make(3, 4)
    for ord in (None, "fro", "nuc"):
        assert_allclose(
            grad(lambda x, o=ord: va.norm(x, o))(x), grad(lambda x, o=ord: anp.linalg.norm(x, o))(x)
        )
    for ord in (None, 2, 3, 1.5):
        ours = jacobian(lambda x, o=ord: va.norm(x, o, 1))(x)
        assert_allclose(ours, jacobian(lambda x, o=ord: anp.linalg.norm(x, o, 1))(x))


@pytest.mark.parametrize(
    "arguments", [(3, None), ("no", None), (None, 5), (1, (0, 1, 2)), (3, (0, 1))]
)
def test_norms_there_are_none_of(arguments: Any) -> None:
    x = real(2, 3, 4)
    with pytest.raises(ValueError) as theirs:  # noqa: PT011
        vk.norm(x, *arguments)
    with pytest.raises(type(theirs.value)):
        grad(lambda x: anp.sum(va.norm(x, *arguments)))(x)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e300, 1e305])
@pytest.mark.parametrize("other", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("make", [real, both])
def test_any_size_of_numbers(size: float, other: float, make: Any) -> None:
    """Cosines do not depend on it, and their gradients are as large as one over it."""
    a, b = make(5), make(5)
    a, b = (x / np.max(np.abs(x)) for x in (a, b))
    value = lambda a, b: anp.real(va.cosine_similarity(a, b))  # noqa: E731
    plain = grad(value, 0)(a, b)
    expected = plain / size
    assert_allclose(grad(value, 0)(a * size, b * other), expected, 1e-9)
    assert_allclose(grad(value, 1)(b * other, a * size), expected, 1e-9 if size > 1e-305 else 1e-2)
    if make is real:
        assert value(a * size, b * other) == vk.cosine_similarity(a * size, b * other)
    slope = a / va.norm(a)
    assert_allclose(grad(va.norm)(a * size), np.conj(slope), 1e-9)
    for ord in (1, 3, 0.5, -1):
        expected = grad(lambda x, o=ord: va.norm(x, o))(a)
        got = grad(lambda x, o=ord: va.norm(x, o))(a * size)
        assert_allclose(got, expected, 1e-9)


@pytest.mark.parametrize("make", [real, both])
def test_vectors_of_zeros(make: Any) -> None:
    """Gradients are 0 there, as torch's of norms, and they are not NaN elsewhere."""
    x = make(3, 4)
    x[1] = 0
    for f in (lambda x: va.norm(x, axis=1), lambda x: va.cosine_similarity(x, np.ones((3, 4)))):
        got = grad(lambda x, f=f: anp.sum(anp.real(f(x))))(x)
        assert_array_equal(got[1], 0)
        assert np.abs(got[::2]).min() > 0
    assert_array_equal(grad(lambda x: va.norm(x))(0 * x), 0)


KINDS = ("", "_backward")

# ---- names ---------------------------------------------------------------------------------------


def test_every_primitive_has_a_row() -> None:
    """Here, or in the tests of real numbers or of statistics."""
    import test_autograd
    import test_autograd_statistics

    tested = {
        getattr(f, "__name__", "")
        for f, *_ in (*test_autograd.FUNCTIONS.values(), *BILINEAR.values())
    }
    tested |= {case.partition("_")[0] for case in (*test_autograd.FUNCTIONS, *BILINEAR)}
    tested |= {*test_autograd.FUNCTIONS, *LOSSES, "softmax_cross_entropy"}
    tested |= {op.name for op in (*ELEMENTARY, *BINARY)}
    tested |= {*test_autograd_statistics.NAMES, "moments"}
    tested |= {n + kind for op in OPS.values() for n in (op.name, *op.aliases) for kind in KINDS}
    untested = {"fuse", "one_hot"}  # which has tests of its own, and which has no gradient
    assert set(va.__all__) - tested == untested


@pytest.mark.parametrize("namespace", [vk, va, jit, reference, dlpack], ids=lambda n: n.__name__)
def test_aliases_are_everywhere(namespace: Any) -> None:
    names = {a: n for op in OPS.values() for a, n in op.alias_names.items()}
    assert names
    for alias, name in names.items():
        if hasattr(namespace, name):
            f = getattr(namespace, name)
            other = getattr(namespace, alias)
            assert other is f or other.__name__ in (alias, name)
    for op in OPS.values():
        for alias in op.aliases:
            assert hasattr(namespace, alias)


@pytest.mark.parametrize("alias", [a for op in OPS.values() for a in op.aliases])
def test_layers_by_an_alias(alias: str) -> None:
    name = next(op.name for op in OPS.values() if alias in op.aliases)
    x, w = real(3, 4), real(4, 2)
    for f in (
        lambda a: va.dense(x, w, None, a),
        lambda a: grad(lambda w: anp.sum(va.dense(x, w, None, a)))(w),
    ):
        assert_array_equal(f(alias), f(name))
