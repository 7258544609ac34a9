"""More than 2**31 elements: what lies behind that boundary is computed, too.

`python -m pytest -m large`, 20 GiB of memory.
"""

from __future__ import annotations

import numpy as np
import pytest
from forms import ELEMENTWISE, FORMS
from numpy.typing import NDArray
from operands import several

import vekt as vk
from vekt import jit

pytestmark = pytest.mark.large

BOUNDARY = 2**31
N = BOUNDARY + 77
# The first elements, those around the boundary, and the last ones.
WINDOWS = (slice(0, 64), slice(BOUNDARY - 32, BOUNDARY + 32), slice(N - 40, N))


@pytest.fixture(scope="module")
def room() -> NDArray[np.float16]:
    """Make 12 GiB."""
    return np.zeros(3 * N, np.float16)


@pytest.fixture
def halves(room: NDArray[np.float16]) -> tuple[NDArray[np.float16], ...]:
    """Return an operand and room for two results."""
    return room[:N], room[N : 2 * N], room[2 * N :]


@pytest.fixture
def bytes_(halves: tuple[NDArray[np.float16], ...]) -> NDArray[np.uint8]:
    """Make ones but for the least and greatest elements, which lie behind the boundary."""
    x = halves[2].view(np.uint8)[:N]
    x[:] = 1
    x[BOUNDARY + 5], x[BOUNDARY + 9] = 0, 7
    return x


def fill(x: NDArray[np.float16], rng: np.random.Generator) -> None:
    for window in WINDOWS:
        x[window] = rng.uniform(0.1, 0.9, x[window].shape)


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if not name.startswith("glu")])
def test_elements(name: str, halves: tuple[NDArray[np.float16], ...], rng) -> None:
    function, (x, *room) = getattr(vk, name), halves
    fill(x, rng)
    count = len(FORMS[name].operands)
    short = [several(function(*[x[window]] * count)) for window in WINDOWS]
    outs = tuple(room[: len(short[0])])
    for out in outs:
        out[-1] = np.nan
    function(*[x] * count, out=outs if len(outs) > 1 else outs[0])
    for window, expected in zip(WINDOWS, short, strict=True):
        for out, wanted in zip(outs, expected, strict=True):
            np.testing.assert_array_equal(out[window], wanted)


@pytest.mark.parametrize("name", ["add", "divide", "maximum", "exp", "sin", "multiply_add"])
def test_operations(name: str, halves: tuple[NDArray[np.float16], ...], rng) -> None:
    function, (x, out, _) = getattr(vk, name), halves
    fill(x, rng)
    count = {"exp": 1, "sin": 1, "multiply_add": 3}.get(name, 2)
    function(*[x] * count, out=out)
    for window in WINDOWS:
        np.testing.assert_array_equal(out[window], function(*[x[window]] * count))


def test_halves_of_an_axis(halves, rng) -> None:
    x, out, _ = halves
    fill(x, rng)
    vk.glu(np.broadcast_to(x, (2, N)), axis=0, out=out[None])
    for window in WINDOWS:
        (expected,) = vk.glu(np.stack([x[window]] * 2), axis=0)
        np.testing.assert_array_equal(out[window], expected)


def test_steps_that_are_not_those_of_a_plain_array(halves, rng) -> None:
    """Reversed elements, a fifth of them far apart, and a broadcast operand."""
    x, out, _ = halves
    fill(x, rng)
    vk.add(x[::-1], np.float16(1), out=out[::-1])
    vk.negative(x[:, None], out=out[:, None])
    for window in WINDOWS:
        np.testing.assert_array_equal(out[window], -x[window])
    far = np.broadcast_to(np.float32([[1.5], [2.5]]), (2, N))
    np.testing.assert_array_equal(vk.sum(far, axis=1), np.float32([1.5 * N, 2.5 * N]))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "argmax", "argmin", "any", "all"])
def test_reductions(name: str, bytes_: NDArray[np.uint8]) -> None:
    expected = getattr(np, name)(bytes_)
    assert getattr(vk, name)(bytes_) == expected
    assert getattr(vk, name)(bytes_[:, None], axis=0) == expected


def test_one_long_row(halves, rng) -> None:
    x, out, _ = halves
    x[:] = 0
    x[-1] = 20  # e^20 among 2^31 ones
    total = np.exp(20.0) + N - 1
    assert vk.logsumexp(x) == np.float16(np.log(total))
    vk.log_softmax(x, out=out)
    for window in WINDOWS:
        np.testing.assert_array_equal(out[window], (x[window] - np.log(total)).astype("f2"))


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "sparsemax"])
def test_many_rows(name: str, halves, rng) -> None:
    x, out = (array[: N // 7 * 7].reshape(-1, 7) for array in halves[:2])
    for part in (slice(0, 30), slice(-30, None)):
        x[part] = rng.normal(size=(30, 7))
    getattr(vk, name)(x, axis=1, out=out)
    for part in (slice(0, 30), slice(-30, None)):
        np.testing.assert_array_equal(out[part], getattr(vk, name)(x[part].copy(), axis=1))


def test_products(bytes_: NDArray[np.uint8]) -> None:
    assert vk.dot(bytes_, bytes_) == np.sum(bytes_, dtype="u8") % 256 + 7 * 6 % 256
    wide = bytes_[: 2**31].reshape(2**16, 2**15)
    column = np.ones((2**15, 1), np.uint8)
    column[0] = 5
    np.testing.assert_array_equal(
        vk.matmul(wide[-3:], column), (wide[-3:].astype(int) @ column).astype("u1")
    )
    np.testing.assert_array_equal(vk.matmul(wide, column)[-3:], vk.matmul(wide[-3:], column))
    side = 46_400  # whose square is larger than the boundary
    square = vk.outer(bytes_[:side], np.arange(side).astype("u1"))
    assert square[-1, -1] == (side - 1) % 256
    turned = vk.transpose_copy(square)
    np.testing.assert_array_equal(turned[-1], square[:, -1])
    np.testing.assert_array_equal(turned[-40:, -40:], square[-40:, -40:].T)


def test_fused_and_compiled_functions(halves, rng) -> None:
    x, out, other = halves
    fill(x, rng)

    @vk.fuse
    def f(x):
        return vk.tanh(x * 2 + 1) - x

    f(x, out=out)
    jit.gelu(x, out=other)
    for window in WINDOWS:
        np.testing.assert_array_equal(out[window], f(x[window]))
        np.testing.assert_array_equal(other[window], jit.gelu(x[window]))
