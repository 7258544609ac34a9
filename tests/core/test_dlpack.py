"""Tensors of other libraries, in and out without a copy; a small one of our own stands for them."""

from __future__ import annotations

import ctypes
import inspect
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import _ufuncs, dlpack


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


class Brain(Tensor):
    """A tensor whose library has bfloat16: the type code of its capsules says so."""

    versions = True

    def __init__(self, array: Any) -> None:
        if isinstance(array, np.ndarray):
            super().__init__(array)
        else:
            taken = np.from_dlpack(Coded(array, 1))  # unsigned
            super().__init__(taken.view(ml_dtypes.bfloat16) if taken.dtype == "u2" else taken)

    def __dlpack__(self, **options: Any) -> Any:
        if self.array.dtype != ml_dtypes.bfloat16:
            return self.array.__dlpack__(**options)
        given = options if self.versions else {}
        return coded(self.array.view("u2").__dlpack__(**given), 4)  # bfloat


class Old(Brain):
    """The same with the first layout of DLPack."""

    versions = False


class Coded:
    """An object of DLPack with another type code for 16 bits."""

    def __init__(self, owner: Any, code: int) -> None:
        self.owner, self.code = owner, code

    def __dlpack__(self, **options: Any) -> Any:
        return coded(self.owner.__dlpack__(**options), self.code)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def coded(capsule: Any, code: int) -> Any:
    """Set the type code of a capsule of bfloat16 or uint16 elements."""
    api = ctypes.pythonapi
    valid, pointer = api.PyCapsule_IsValid, api.PyCapsule_GetPointer
    valid.argtypes = pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    pointer.restype = ctypes.c_void_p
    name, offset = b"dltensor", 20
    if not valid(capsule, name):
        name, offset = b"dltensor_versioned", 52
    found = (ctypes.c_uint8 * 2).from_address(pointer(capsule, name) + offset)
    if found[0] in (1, 4) and found[1] == 16:
        found[0] = code
    return capsule


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    own = __name__.partition(".")[0]
    for name, kind in (("a_library", Other), (own, Tensor), ("brain", Brain), ("old", Old)):
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


def test_a_negative_step_is_copied() -> None:
    """Torch ends the process at one."""
    flipped = dlpack.call(np.flip, Tensor(np.arange(3.0)))
    assert flipped.array.strides == (8,)
    assert_array_equal(flipped.array, [2, 1, 0])


def public_functions() -> list[tuple[str, int]]:
    """Return the functions of arrays, with their numbers of operands."""
    made = []
    for name in vk.__all__:
        function = getattr(vk, name)
        if isinstance(function, np.ufunc) and function.signature is None:
            made.append((name, function.nin))
        elif callable(function) and not isinstance(function, type):
            parameters = inspect.signature(function).parameters.values()
            made.append((name, sum(p.default is p.empty and p.kind in (0, 1) for p in parameters)))
    own = {
        "fuse",
        "stream",
        "evaluate",
        "re_evaluate",
        "validate",
        "num_threads",
        "set_num_threads",
        "get_num_threads",
    }
    return [(name, n) for name, n in made if n and name not in own]


def outcome(function: Any, *args: Any) -> tuple[Any, ...]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of empty means
            result = function(*args)
    except (TypeError, ValueError, IndexError) as error:
        return (type(error),)
    return result if isinstance(result, tuple) else (result,)


def assert_same_calls(name: str, n: int, x: Any, tensor: Any, array_of: Any) -> None:
    """Compare a call on tensors with that on arrays, errors among them."""
    given = outcome(getattr(dlpack, name), *[tensor] * n)
    for result, want in zip(given, outcome(getattr(vk, name), *[x] * n), strict=True):
        if isinstance(want, type):
            assert result is want
            continue
        assert isinstance(result, type(tensor))
        values = array_of(result)
        assert values.dtype == np.asarray(want).dtype
        assert_array_equal(values.astype("c16"), np.asarray(want).astype("c16"))


def layouts(x: Any) -> list[Any]:
    return [x, x[::2].T, x[0, 0:0], x[1, 1:2].reshape(())]


@pytest.mark.parametrize("kind", [Brain, Old])
@pytest.mark.parametrize(("name", "n"), public_functions())
def test_bfloat16(
    name: str, n: int, kind: Any, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr(kind, "__module__", kind.__name__.lower())
    for x in layouts((3 * rng.random((4, 4))).astype(ml_dtypes.bfloat16)):
        assert_same_calls(name, n, x, kind(x), lambda tensor: tensor.array)


def test_bfloat16_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Brain, "__module__", "brain")
    x, out = Brain(np.ones(3, ml_dtypes.bfloat16)), Brain(np.zeros(3, ml_dtypes.bfloat16))
    assert dlpack.gelu(x, out=out) is out
    assert_array_equal(out.array, vk.gelu(x.array))
    seen: list[Any] = []
    dlpack.call(lambda a: seen.append(a), x)
    assert seen[0].dtype == ml_dtypes.bfloat16
    assert np.shares_memory(seen[0], x.array)
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(TypeError, match="bfloat16 is an array of ml_dtypes: install that"):
        dlpack.gelu(x)


def test_dtypes_that_numpy_has_not() -> None:
    class Eighth(Tensor):
        dtype = "a_library.float8"

        def __dlpack__(self, **options: Any) -> Any:
            return coded(self.array.__dlpack__(**options), 10)

    with pytest.raises(TypeError, match=r"dtype a_library.float8 has no array in NumPy"):
        dlpack.gelu(Eighth(np.ones(3, "u2")))
    with pytest.raises(BufferError, match="a capsule of DLPack expected"):
        _ufuncs.retype_dlpack("no capsule", 1, 4)


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize(
    "dtype",
    ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"],
)
def test_dtypes_of_torch(dtype: str) -> None:
    import torch

    def array_of(tensor: Any) -> Any:
        if tensor.dtype != torch.bfloat16:
            return tensor.numpy()
        return tensor.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)

    torch.manual_seed(1)
    for tensor in layouts(torch.rand(4, 4).mul(3).to(getattr(torch, dtype))):
        for name, n in public_functions():
            assert_same_calls(name, n, array_of(tensor), tensor, array_of)
    if tensor.is_floating_point():
        with pytest.raises(BufferError, match="detach"):
            dlpack.gelu(tensor.requires_grad_())
    with pytest.raises(TypeError, match="float8_e4m3fn has no array"):
        dlpack.gelu(torch.ones(2).to(torch.float8_e4m3fn))


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
