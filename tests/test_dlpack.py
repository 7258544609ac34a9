"""Tensors of other libraries, in and out without a copy; a small one of our own stands for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import dlpack


class Tensor:
    """What a library has around its memory."""

    device = "somewhere"

    def __init__(self, array: Any, where: int = 1) -> None:
        self.array, self.where = np.asarray(array), where

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.where, 0


class Other(Tensor):
    def __array_namespace__(self) -> Any:
        return sys.modules["a_library"]


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, kind in (("a_library", Other), (__name__.partition(".")[0], Tensor)):
        module = ModuleType(name)
        module.from_dlpack = kind  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    yield
    for name in [n for n in vars(dlpack) if n in vk.__all__]:
        delattr(dlpack, name)


@pytest.mark.parametrize("kind", [Tensor, Other])
def test_results_come_back_as_their_kind(kind: type[Tensor]) -> None:
    x, w, b = np.ones((4, 3), "f4"), np.full((3, 2), 0.5, "f4"), np.zeros(2, "f4")
    y = dlpack.dense(kind(x), kind(w), b, "relu")
    assert type(y) is kind
    assert_array_equal(y.array, vk.dense(x, w, b, "relu"), strict=True)
    value, grad = dlpack.tanh_value_and_grad(kind(x))
    assert type(value) is type(grad) is kind
    total = dlpack.dot(kind(b), kind(b))
    assert type(total) is kind
    assert total.array.shape == ()
    assert dlpack.softmax(x=kind(x), axis=0).array.shape == (4, 3)
    assert dlpack.call(np.concatenate, [kind(b), kind(b)]).array.shape == (4,)


def test_memory_is_shared_and_aligned() -> None:
    x = np.linspace(-2, 2, 5)
    out = Tensor(np.zeros(5))
    assert dlpack.gelu(Tensor(x), out=out) is out
    assert_array_equal(out.array, vk.gelu(x))
    seen: list[Any] = []
    dlpack.call(lambda a: seen.append(a), Tensor(x))
    assert np.shares_memory(seen[0], x)
    for n in (0, 1, 7, 100_001):
        for function in (np.ones, np.zeros, np.empty):
            array = dlpack.call(lambda _, f=function, n=n: f(n), Tensor(x)).array
            assert array.ctypes.data % 64 == 0
            array = np.append(array, 1.0)  # outlives the call, and what allocated it
            assert array[-1] == 1


def test_the_usual_memory_is_back_after_a_call() -> None:
    usual = np._core.multiarray.get_handler_name()
    with pytest.raises(ZeroDivisionError):
        dlpack.call(lambda _: 1 // 0, Tensor(np.ones(1)))
    assert np._core.multiarray.get_handler_name() == usual
    inside = dlpack.call(
        lambda _: [np._core.multiarray.get_handler_name(np.ones(1))], Tensor([1.0])
    )
    assert inside == ["vekt_aligned"]


def test_what_cannot_be_shared_is_refused() -> None:
    with pytest.raises(TypeError, match="CPU's memory expected, got one on somewhere"):
        dlpack.relu(Tensor(np.ones(2), where=2))
    with pytest.raises(TypeError, match="of one library expected"):
        dlpack.swiglu(Tensor(np.ones(2)), Other(np.ones(2)))
    with pytest.raises(AttributeError, match="no attribute 'no_such_function'"):
        _ = dlpack.no_such_function
    frozen = np.ones(2)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        dlpack.relu(Tensor(np.ones(2)), out=Tensor(frozen))


def test_arrays_pass_through() -> None:
    assert type(dlpack.relu(np.ones(2))) is np.ndarray
    assert dlpack.relu.__name__ == "relu"


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
def test_torch() -> None:
    import torch

    x = torch.linspace(-2, 2, 7)
    y = dlpack.gelu(x)
    assert isinstance(y, torch.Tensor)
    assert_array_equal(y.numpy(), vk.gelu(x.numpy()))
    assert dlpack.gelu(x, out=y) is y
    with pytest.raises(BufferError, match="detach"):
        dlpack.gelu(x.requires_grad_())


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_jax() -> None:
    import jax

    x = jax.numpy.linspace(-2, 2, 100_000)
    kept: list[Any] = []

    def gelu(a: Any) -> Any:
        kept.append(vk.gelu(a))
        return kept[0]

    y = dlpack.call(gelu, x)
    assert isinstance(y, jax.Array)
    assert y.unsafe_buffer_pointer() == kept[0].ctypes.data
    assert_array_equal(np.asarray(y), vk.gelu(np.asarray(x)))
