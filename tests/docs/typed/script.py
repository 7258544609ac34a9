"""What a user writes, and mypy and pyright check strictly."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt as vk

Array = NDArray[np.float32]


@vk.fuse
def scaled(x: Array, w: Array, b: float = 1.0) -> Array:
    return vk.mish(vk.multiply_add(x, w, b))


@vk.fuse(compile=False, nin=2)
def energy(a: Array, b: Array) -> np.float32:
    return vk.sum(vk.multiply(a, b))


def train(x: Array, labels: NDArray[np.intp], steps: int = 3) -> float:
    w, b = np.zeros((4, 3), np.float32), np.zeros(3, np.float32)
    adam, loss = vk.optim.Adam(lr=0.01), np.float32(0)
    for _ in range(steps):
        y, z = vk.dense(x, w, b, "gelu", return_preactivation=True)
        loss, dy = vk.softmax_cross_entropy_value_and_grad(y, labels)
        _, dw, db = vk.dense_backward(dy, x, w, z, ("gelu", {}), need_dx=False)
        adam.step([w, b], [dw, db])
    return float(loss)


def residual(x: Array, w: Array) -> Array:
    h: Array = vk.dense(vk.softmax(x), w)
    return x + vk.multiply(vk.gelu(h), vk.sum(x))


def elements(x: Array) -> list[Array]:
    y, slope = vk.tanh_value_and_grad(x)
    into: Array = vk.leaky_relu(x, 0.1, out=np.empty_like(x))
    mask: NDArray[np.bool_] = vk.less(x, 0.5)
    return [y, slope, into, vk.softmax(vk.clip(x, 0, max=None), axis=-1, where=mask)]


def numbers() -> tuple[np.float64, np.float64, NDArray[Any]]:
    plain: np.ufunc = vk.silu
    chosen: Callable[..., object] = vk.activations.get("gelu")
    assert (plain.nin, vk.gelu.nout, chosen) == (1, 1, vk.gelu)
    return vk.huber(1.0, 0.5, delta=2.0), vk.silu(0.5), vk.gelu(np.arange(3))


def main() -> float:
    x = np.linspace(-2, 2, 20, dtype=np.float32).reshape(5, 4)
    value, (dx, *_) = scaled.value_and_grad(x, x, 2.0)
    same: list[Array] = [vk.jit.gelu(x), vk.reference.gelu(x), vk.dlpack.gelu(x, True)]
    differentiable: Array = vk.autograd.gelu(x, approximate=True)
    total = vk.add.reduce(value + dx, axis=None) + sum(float(vk.norm(y)) for y in same)
    w: Array = vk.outer(x[0], x[0])
    y = vk.matmul(scaled(x, x), w, dtype="float32", out=np.empty_like(x))
    network = vk.network.Network([4, 3, 2], "relu", output="softmax", seed=0)
    model = vk.models.MLPClassifier((8,), max_iter=20, tol=1.0, random_state=0)
    classes = model.fit(np.vstack([x, -x]), [0, 1] * 5).predict(x)
    whole = vk.stream(vk.gelu, x, out=np.empty_like(x))
    with vk.num_threads(vk.get_num_threads()):
        loss = train(x, vk.argmax(np.vstack(elements(x))[:, :3], axis=1)[:5])
    numbers()
    total += residual(w, w).size
    total += energy(x, w[:1]) + vk.evaluate("a + 1", {"a": 1.0}) + differentiable.size
    return loss + float(total) + y.size + network.predict(x.T).size + classes.size + whole.size
