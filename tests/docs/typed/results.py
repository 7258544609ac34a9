"""What results are, to type checkers."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import vekt as vk

Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Other:
    """An array of another library."""

    def __array__(self) -> Doubles:
        return np.zeros(3)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return self


@vk.fuse
def scaled(x: Singles, b: float = 1.0) -> Singles:
    return vk.multiply(x, b)


def check(
    x: Singles,
    d: Doubles,
    i: NDArray[np.int64],
    s: np.float32,
    anything: NDArray[Any],
    other: Other,
) -> None:
    # ufuncs, and functions with parameters
    assert_type(vk.silu(x), Singles)
    assert_type(vk.gelu(x, approximate=True), Singles)
    assert_type(vk.gelu(d), Doubles)
    assert_type(vk.silu(s), np.float32)
    assert_type(vk.leaky_relu(0.5), np.float64)
    assert_type(vk.silu(i), NDArray[Any])
    assert_type(vk.gelu(x, dtype="float64"), NDArray[Any])
    assert_type(vk.elu(anything, alpha=d), NDArray[Any])
    assert_type(vk.add(anything, 1), NDArray[Any])
    assert_type(vk.softmax(anything), NDArray[Any])
    assert_type(vk.gelu([1, 2]), NDArray[Any])
    assert_type(vk.gelu(other), Other)
    assert_type(vk.multiply(x, other), Other)
    assert_type(vk.multiply(other, x), Other)
    assert_type(vk.mish([1.0], out=d), Doubles)
    assert_type(vk.gelu_backward(x, x), Singles)
    assert_type(vk.gelu_backward(1.0, x), Singles)
    assert_type(vk.tanh_value_and_grad(x), tuple[Singles, Singles])
    assert_type(vk.swiglu_backward(x, x, x), tuple[Singles, Singles])
    assert_type(vk.huber(x, 0.0, delta=2.0), Singles)
    assert_type(vk.huber(x, d), Doubles)
    assert_type(vk.swiglu(d, x), Doubles)
    assert_type(vk.multiply(1.0, x), Singles)
    assert_type(vk.add(x, s), Singles)
    assert_type(vk.leaky_relu(x, np.float64(0.1)), NDArray[Any])
    assert_type(vk.relu(x, 0.0, None, d), NDArray[Any])
    assert_type(vk.add(x, 1j), NDArray[Any])
    assert_type(vk.add(x, i), NDArray[Any])
    assert_type(vk.gelu(other, dtype="float32"), Other)
    assert_type(vk.silu(memoryview(b"")), NDArray[Any])
    # rows, products, layers
    assert_type(vk.softmax(x, axis=(0, 1)), Singles)
    assert_type(vk.logsumexp(x, axis=None), np.float32)
    assert_type(vk.dense(x, x, x, "gelu"), Singles)
    assert_type(vk.dense(x, x, return_preactivation=True), tuple[Singles, Singles])
    assert_type(vk.softmax_cross_entropy_value_and_grad(x, i), tuple[np.float32, Singles])
    assert_type(vk.outer(x, x), Singles)
    assert_type(vk.matmul(x, x, out=x), Singles)
    assert_type(vk.norm(x), np.float32)
    assert_type(vk.outer(x, d), Doubles)
    assert_type(vk.dense(d, x), Doubles)
    assert_type(vk.norm(x, axis=0), Any)
    assert_type(vk.transpose_copy(i), NDArray[np.int64])
    assert_type(vk.broadcast_to(1.0, 3), NDArray[Any])
    # elementwise functions, reductions
    assert_type(vk.add(x, 1.0), Singles)
    assert_type(vk.less(x, d), NDArray[np.bool_])
    assert_type(vk.where(vk.less(x, 0.5), x, 0.0), Singles)
    assert_type(vk.sum(x), np.float32)
    assert_type(vk.sum(x, 0), Any)
    assert_type(vk.sum(x, dtype="f8"), Any)
    assert_type(vk.where(vk.less(x, 0.5), x, d), Doubles)
    assert_type(vk.max(i, axis=0, keepdims=True), NDArray[np.int64])
    assert_type(vk.argmax(x), np.intp)
    # fused functions, other namespaces
    assert_type(scaled(x, 2.0), Singles)
    assert_type(scaled(x, b=2.0), Singles)
    assert_type(scaled(x, out=d), Doubles)
    assert_type(scaled.value_and_grad(x)[0], Singles)
    assert_type(vk.stream(vk.gelu, d, out=x), Singles)
    assert_type(vk.jit.gelu(x), Singles)
    assert_type(vk.jit.erf(0.5), np.float64)
    assert_type(vk.jit.dense(x, x, x, "gelu"), Singles)
    assert_type(vk.jit.matmul(x, d, d), Doubles)
    assert_type(vk.reference.dense(x, x, x), Singles)
    assert_type(vk.reference.sum(x), np.float32)
    assert_type(vk.reference.leaky_relu(x, 0.1), Singles)
    assert_type(vk.autograd.silu_backward(d, d), Doubles)
    assert_type(vk.dlpack.gelu(x), Singles)
    assert_type(vk.dlpack.dense(x, x, x, "relu"), Singles)
    assert_type(vk.activations.silu(x), Singles)
    assert_type(vk.losses.huber(x, x), Singles)
    assert_type(vk.set_num_threads(1), None)
