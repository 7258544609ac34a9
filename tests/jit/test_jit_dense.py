"""Dense layers in compiled functions: the bits of `vekt.dense` and its gradients."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import jit


def same(got, want) -> None:
    """Equal in every bit, shape and dtype."""
    assert_array_equal(got, want, strict=True)


@pytest.fixture
def operands(rng):
    shapes = (33, 70), (70, 40), (40,)
    return [rng.normal(size=shape).astype("f4") for shape in shapes]


SLOPE = ("leaky_relu", {"negative_slope": 0.1})
CASES = {
    "none": (lambda x, w, b: vk.dense(x, w), lambda x, w, b: vk.dense(x, w)),
    "bias": (lambda x, w, b: vk.dense(x, w, b), lambda x, w, b: vk.dense(x, w, b)),
    "name": (lambda x, w, b: vk.dense(x, w, b, "gelu"), lambda x, w, b: vk.dense(x, w, b, "gelu")),
    "function": (
        lambda x, w, b: jit.dense(x, w, b, vk.relu),
        lambda x, w, b: vk.dense(x, w, b, "relu"),
    ),
    "flag": (
        lambda x, w, b: vk.dense(x, w, b, ("gelu", True)),
        lambda x, w, b: vk.dense(x, w, b, partial(vk.gelu, approximate=True)),
    ),
    "parameter": (
        lambda x, w, b: jit.dense(x, w, b, (jit.leaky_relu, 0.1)),
        lambda x, w, b: vk.dense(x, w, b, SLOPE),
    ),
    "one sample": (
        lambda x, w, b: jit.dense(x[3], w, b, "tanh"),
        lambda x, w, b: vk.dense(x[3], w, b, "tanh"),
    ),
    "mixed": (
        lambda x, w, b: jit.dense(x[::2].astype(np.int64), w[:, ::-1], b, "silu"),
        lambda x, w, b: vk.dense(x[::2].astype(np.int64), w[:, ::-1], b, "silu"),
    ),
    "axes": (
        lambda x, w, b: jit.dense(x.reshape(3, 11, 70), w, b, "elu"),
        lambda x, w, b: vk.dense(x.reshape(3, 11, 70), w, b, "elu"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_has_the_bits_of_vekt(case, operands) -> None:
    compiled, plain = CASES[case]
    same(njit(compiled)(*operands), plain(*operands))


def test_out_preactivation_and_names_at_run_time(operands) -> None:
    @njit
    def run(x, w, b, name, out):  # type: ignore[no-untyped-def]
        return jit.dense(x, w, b, name, out, return_preactivation=True)

    x, w, b = operands
    wide = np.zeros((40, 66), "f4").T[::2]
    y, z = run(x, w, b, "mish", wide)
    want = vk.dense(x, w, b, "mish", return_preactivation=True)
    same(y, want[0])
    same(wide, want[0])
    same(z, want[1])
    square = np.ones((40, 40), "f4") / 7
    want = vk.dense(square, square, b, "mish")
    same(njit(lambda x, b: jit.dense(x, x, b, "mish", x))(square, b), want)
    same(square, want)
    same(jit.dense(x, w, b, SLOPE), vk.dense(x, w, b, SLOPE))


def test_a_function_of_the_users(operands) -> None:
    @njit
    def squared_relu(z):  # type: ignore[no-untyped-def]
        positive = jit.relu(z)
        return positive * positive

    run = njit(lambda x, w, b: jit.dense(x, w, b, squared_relu))
    assert_allclose(run(*operands), vk.relu(vk.dense(*operands)) ** 2, rtol=1e-6)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_gradients_have_the_bits_of_vekt(activation, operands, rng) -> None:
    x, w, b = operands
    z = vk.dense(x, w, b)
    dy = rng.normal(size=z.shape).astype("f4")

    @njit
    def run(dy, x, w, z):  # type: ignore[no-untyped-def]
        return vk.dense_backward(dy, x, w, z, activation)

    want = vk.dense_backward(dy, x, w, z, activation)
    for got, expected in zip(run(dy, x, w, z), want, strict=True):
        same(got, expected)
    for got, expected in zip(jit.dense_backward(dy, x, w, z, activation), want, strict=True):
        same(got, expected)


def test_gradients_without_activation_and_dx(operands) -> None:
    x, w, _ = operands
    dy = np.ones((33, 40), "f4")
    dx, dw, db = njit(lambda dy, x, w: jit.dense_backward(dy, x, w, None, need_dx=False))(dy, x, w)
    assert dx is None
    want = vk.dense_backward(dy, x, w, None)
    same(dw, want[1])
    same(db, want[2])


@pytest.mark.parametrize(
    ("message", "function"),
    [
        ("did you mean gelu", lambda x: jit.dense(x, x, None, "gellu")),
        ("not elementwise", lambda x: jit.dense(x, x, None, "softmax")),
        ("too many", lambda x: jit.dense(x, x, None, ("leaky_relu", 0.1, 0.2))),
        ("not one of", lambda x: jit.dense(x, x, None, np.sin)),
        ("z is missing", lambda x: jit.dense_backward(x, x, x, None, "relu")),
        ("real operands", lambda x: jit.dense(x * 1j, x)),
        ("do not fit", lambda x: jit.dense(x, x[0])),
    ],
)
def test_errors_of_types(message, function) -> None:
    with pytest.raises(TypingError, match=message):
        njit(function)(np.eye(3))


def test_errors_of_shapes() -> None:
    x = np.ones((4, 3))
    with pytest.raises(ValueError, match="dense"):
        njit(lambda x: jit.dense(x, x))(x)
    with pytest.raises(ValueError, match="broadcast"):
        njit(lambda x, b: jit.dense(x, x.T, b))(x, np.ones(3))
    with pytest.raises(ValueError, match="dense_backward"):
        njit(lambda x: jit.dense_backward(x, x, x, x))(x)
