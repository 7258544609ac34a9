"""Calls in many forms, none of which is a mistake."""

import numpy as np

import vekt as vk

x = np.linspace(-1, 1, 5, dtype=np.float32)
y = vk.gelu(x, approximate=True, out=np.empty_like(x))
vk.relu(x, 0.1, max_value=None, threshold=x)
value, gradient = vk.leaky_relu_value_and_grad(x, negative_slope=[0.1] * 5)
vk.sigmoid_backward_from_output(x, vk.sigmoid(x, where=x > 0))
vk.dot(x, x)
vk.matmul(x, x, dtype="float64")
vk.matmul(x, np.outer(x, x), x)
vk.vecdot(x, x, axis=0, keepdims=True)
vk.vecmat(x, vk.outer(x, x), out=y)
vk.matvec([[1, 2]], [3, 4])
vk.tensordot(x, x, axes=((0,), (0,)))
vk.norm(x, ord=2, axis=0)
vk.cosine_similarity(x, x)
vk.transpose_copy(vk.outer(x, x), axes=(1, 0))
w = vk.PackedWeights(np.outer(x, x))
columns: int = w.shape[1]
h, z = vk.dense(x, w, x, vk.gelu, return_preactivation=True)
vk.dense(x, np.outer(x, x), activation=("relu", {"negative_slope": 0.1}), out=y)
dx, dw, db = vk.dense_backward(h, x, np.outer(x, x), z, "gelu", need_dx=False)
loss = vk.sigmoid_cross_entropy(x, y) + vk.huber(x, y, delta=2, out=y)
mean, slope = vk.softmax_cross_entropy_value_and_grad([[1.0]], [0], ignore_index=-1, out=y)
vk.sum(x, axis=(0,), dtype="f8", keepdims=True, initial=1, where=x > 0)
vk.max(x, 0, out=y)
vk.argmin(x, axis=0, keepdims=True)
vk.sum_to_shape(vk.broadcast_to(x, (3, 5)), 5)
vk.add(x, 1, out=y, where=x > 0)
vk.where(vk.less(x, [0.5] * 5), x, 0)
vk.clip(x, None, max=2)
vk.multiply_add(x, 2, y, dtype="f8")
vk.jit.gelu(x)
vk.reference.gelu(x)
vk.activations.get("gelu")(x)
with vk.num_threads(1):
    threads: int = vk.get_num_threads()
    vk.set_num_threads(threads)
vk.show_config()
version: str = vk.__version__
