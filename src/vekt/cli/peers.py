"""What `vekt compare` competes with: for each peer one row an operation, as its users call it.

A row is a statement, timed as it stands, in which
`x`, `dy`, `y` (outputs between 0 and 1), `t` (scratch) and `out` are the buffers as NumPy arrays,
`X`, `DY`, `Y`, `T`, `OUT` the same memory as torch tensors, `J`, `JDY`, `JY` JAX arrays.
Peers that can write to `out` do so.  A missing row means that the peer has no such operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Namespace = dict[str, Any]

# In place and with as few passes as NumPy allows: faster than the plain formulas.
_SIGMOID = "np.negative(x, t); np.exp(t, t); np.add(t, 1, t); np.reciprocal(t, {to})"
_SIGMOID_SLOPE = "np.subtract(1, {y}, out); np.multiply(out, {y}, out); np.multiply(out, dy, out)"
_TANH_SLOPE = "np.multiply({y}, {y}, t); np.subtract(1, t, t); np.multiply(dy, t, out)"
_GELU_TANH = (
    "np.multiply(x, x, t); np.multiply(t, c3, t); np.add(t, c1, t); np.multiply(t, x, t); "
    "np.tanh(t, t)"
)
_NUMPY = {
    "dot": "np.dot(x, dy)",
    "sigmoid": _SIGMOID.format(to="out"),
    "sigmoid_backward": f"{_SIGMOID.format(to='t')}; {_SIGMOID_SLOPE.format(y='t')}",
    "sigmoid_backward_from_output": _SIGMOID_SLOPE.format(y="y"),
    "tanh": "np.tanh(x, out)",
    "tanh_backward": f"np.tanh(x, t); {_TANH_SLOPE.format(y='t')}",
    "tanh_backward_from_output": _TANH_SLOPE.format(y="y"),
    "relu": "np.maximum(x, 0, out=out)",
    "relu_backward": "np.multiply(dy, x > 0, out)",
    "relu_general": "np.maximum(x, 0, out=out); np.minimum(out, 6, out=out)",
    "relu_general_backward": "np.multiply(dy, (x > 0) & (x < 6), out)",
    "leaky_relu": "np.multiply(x, slope, out); np.maximum(x, out, out=out)",
    "leaky_relu_backward": "np.multiply(dy, np.where(x > 0, one, slope), out)",
    "gelu_tanh": f"{_GELU_TANH}; np.add(t, 1, t); np.multiply(t, x, t); np.multiply(t, half, out)",
    "gelu_tanh_backward": (
        f"{_GELU_TANH}; np.multiply(x, x, out); np.multiply(out, 3 * c3, out); "
        "np.add(out, c1, out); np.multiply(out, x, out); u = 1 - t; np.multiply(out, u, out); "
        "np.add(out, 1, out); np.add(t, 1, t); np.multiply(out, t, out); "
        "np.multiply(out, half, out); np.multiply(out, dy, out)"
    ),
}

_SCIPY = {
    "dot": "blas_dot(x, dy)",
    "sigmoid": "special.expit(x, out)",
    "sigmoid_backward": f"special.expit(x, t); {_SIGMOID_SLOPE.format(y='t')}",
    "gelu": "special.ndtr(x, out); np.multiply(out, x, out)",
    "gelu_backward": (
        "special.ndtr(x, t); np.multiply(x, x, out); np.multiply(out, -half, out); "
        "np.exp(out, out); np.multiply(out, pdf0, out); np.multiply(out, x, out); "
        "np.add(out, t, out); np.multiply(out, dy, out)"
    ),
}

_EXPRESSIONS = {
    "sigmoid": "1 / (1 + exp(-x))",
    "sigmoid_backward": "dy * exp(-x) / (1 + exp(-x))**2",
    "sigmoid_backward_from_output": "dy * y * (1 - y)",
    "tanh": "tanh(x)",
    "tanh_backward": "dy * (1 - tanh(x)**2)",
    "tanh_backward_from_output": "dy * (1 - y * y)",
    "relu": "where(x > 0, x, 0)",
    "relu_backward": "where(x > 0, dy, 0)",
    "relu_general": "where(x > 0, where(x < 6, x, 6), 0)",
    "relu_general_backward": "where((x > 0) & (x < 6), dy, 0)",
    "leaky_relu": "where(x > 0, x, slope * x)",
    "leaky_relu_backward": "where(x > 0, dy, slope * dy)",
    "gelu_tanh": "half * x * (1 + tanh(x * (c1 + c3 * x * x)))",
    "gelu_tanh_backward": (
        "dy * half * (1 + tanh(x * (c1 + c3 * x * x)))"
        " * (1 + x * (1 - tanh(x * (c1 + c3 * x * x))) * (c1 + 3 * c3 * x * x))"
    ),
}
_NUMEXPR = {
    "dot": "ne.evaluate('sum(x * dy)')",
    **{name: f"ne.evaluate({text!r}, out=out)" for name, text in _EXPRESSIONS.items()},
}

_TORCH = {
    "dot": "torch.dot(X, DY)",
    "sigmoid": "torch.sigmoid(X, out=OUT)",
    "sigmoid_backward": (
        "A.sigmoid_backward.grad_input(DY, torch.sigmoid(X, out=T), grad_input=OUT)"
    ),
    "sigmoid_backward_from_output": "A.sigmoid_backward.grad_input(DY, Y, grad_input=OUT)",
    "tanh": "torch.tanh(X, out=OUT)",
    "tanh_backward": "A.tanh_backward.grad_input(DY, torch.tanh(X, out=T), grad_input=OUT)",
    "tanh_backward_from_output": "A.tanh_backward.grad_input(DY, Y, grad_input=OUT)",
    "relu": "torch.clamp_min(X, 0, out=OUT)",
    "relu_backward": "A.threshold_backward.grad_input(DY, X, 0, grad_input=OUT)",
    "relu_general": "A.hardtanh.out(X, 0, 6, out=OUT)",
    "relu_general_backward": "A.hardtanh_backward.grad_input(DY, X, 0, 6, grad_input=OUT)",
    "leaky_relu": "A.leaky_relu.out(X, 0.2, out=OUT)",
    "leaky_relu_backward": "A.leaky_relu_backward.grad_input(DY, X, 0.2, False, grad_input=OUT)",
    "gelu": "A.gelu.out(X, approximate='none', out=OUT)",
    "gelu_backward": "A.gelu_backward.grad_input(DY, X, approximate='none', grad_input=OUT)",
    "gelu_tanh": "A.gelu.out(X, approximate='tanh', out=OUT)",
    "gelu_tanh_backward": "A.gelu_backward.grad_input(DY, X, approximate='tanh', grad_input=OUT)",
}

_FORWARD = ("sigmoid", "tanh", "relu", "relu_general", "leaky_relu", "gelu", "gelu_tanh")
_FROM_OUTPUT = ("sigmoid_backward_from_output", "tanh_backward_from_output")
_JAX = {
    "dot": "jitted['dot'](J, JDY).block_until_ready()",
    **{name: f"jitted['{name}'](J).block_until_ready()" for name in _FORWARD},
    **{
        f"{name}_backward": f"jitted['{name}_backward'](JDY, J).block_until_ready()"
        for name in _FORWARD
    },
    **{name: f"jitted['{name}'](JDY, JY).block_until_ready()" for name in _FROM_OUTPUT},
}

_NUMBA = {
    "dot": "loops['dot'](x, dy)",
    **{name: f"loops['{name}'](x, out)" for name in _FORWARD},
    **{f"{name}_backward": f"loops['{name}_backward'](dy, x, out)" for name in _FORWARD},
    **{name: f"loops['{name}'](dy, y, out)" for name in _FROM_OUTPUT},
}


def _load_numpy(buffers: Namespace, threads: int) -> Namespace:
    return {}


def _load_scipy(buffers: Namespace, threads: int) -> Namespace:
    from scipy import special
    from scipy.linalg.blas import get_blas_funcs

    return {"special": special, "blas_dot": get_blas_funcs("dot", dtype=buffers["x"].dtype)}


def _load_numexpr(buffers: Namespace, threads: int) -> Namespace:
    import numexpr

    numexpr.set_num_threads(threads)
    return {"ne": numexpr}


def _load_torch(buffers: Namespace, threads: int) -> Namespace:
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    tensors = {name.upper(): torch.from_numpy(buffers[name]) for name in _BUFFERS}
    return {"torch": torch, "A": torch.ops.aten, **tensors}


def _load_jax(buffers: Namespace, threads: int) -> Namespace:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    # Each call is waited for: handing it to another thread first would only cost JAX time.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    forward = {
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "relu": jax.nn.relu,
        "relu_general": jax.nn.relu6,
        "leaky_relu": lambda x: jax.nn.leaky_relu(x, 0.2),
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    }

    def backward(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda dy, x: jax.vjp(function, x)[1](dy)[0]

    functions = {
        **forward,
        **{f"{name}_backward": backward(function) for name, function in forward.items()},
        "sigmoid_backward_from_output": lambda dy, y: dy * y * (1 - y),
        "tanh_backward_from_output": lambda dy, y: dy * (1 - y * y),
        "dot": jnp.dot,
    }
    arrays = {f"J{end}": jnp.asarray(buffers[name]) for name, end in _JAX_NAMES.items()}
    return {"jitted": {name: jax.jit(f) for name, f in functions.items()}, **arrays}


def _load_numba(buffers: Namespace, threads: int) -> Namespace:
    from vekt.cli.numba_loops import loops

    return {"loops": loops(threads)}


_BUFFERS = ("x", "dy", "y", "t", "out")
_JAX_NAMES = {"x": "", "dy": "DY", "y": "Y"}

# Rows, and what makes the names in them; ImportError where the peer is not installed.
PEERS: dict[str, tuple[dict[str, str], Callable[[Namespace, int], Namespace]]] = {
    "numpy": (_NUMPY, _load_numpy),
    "scipy": (_SCIPY, _load_scipy),
    "numexpr": (_NUMEXPR, _load_numexpr),
    "torch": (_TORCH, _load_torch),
    "jax": (_JAX, _load_jax),
    "numba": (_NUMBA, _load_numba),
}


def buffers(n: int, dtype: Any) -> Namespace:
    """Make the operands that all competitors share, and the constants of their formulas."""
    rng = np.random.default_rng(0)
    x: NDArray[Any] = rng.standard_normal(n).astype(dtype)
    constants = {
        "one": 1.0,
        "half": 0.5,
        "slope": 0.2,
        "c1": np.sqrt(2 / np.pi),
        "c3": 0.044715 * np.sqrt(2 / np.pi),
        "pdf0": 1 / np.sqrt(2 * np.pi),
    }
    return {
        "np": np,
        "x": x,
        "dy": rng.standard_normal(n).astype(dtype),
        "y": rng.random(n).astype(dtype),
        "t": np.empty_like(x),
        "out": np.empty_like(x),
        **{name: x.dtype.type(value) for name, value in constants.items()},
    }
