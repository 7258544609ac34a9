"""JAX: functions of jax.nn, compiled by jit; gradients by vjp."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._spec.activations import KERNELS
from vekt._spec.binary import BINARY
from vekt._spec.elementary import ELEMENTARY
from vekt.cli.peers import _fuse, _losses, _optim
from vekt.cli.peers._expressions import EXPRESSIONS
from vekt.cli.peers._names import CONSTANTS, ELEMENTWISE, LAYERS, Namespace

Array = NDArray[Any]

_OUTPUT_SUFFICES = [name for name, kernel in KERNELS.items() if kernel.from_output is not None]
_WAIT = ".block_until_ready()"
_ROWS = ("softmax", "softmin", "log_softmax", "sparsemax")
_GATES = ("swiglu", "geglu", "geglu_tanh", "reglu")

_LINEAR = {
    "dot": "JX, JDY",
    "matmul": "JA, JB",
    "tensordot": "JA, JB",
    "vecdot": "JX, JY",
    "matvec": "JX, JV",
    "vecmat": "JU, JX",
    "norm": "JX",
    "norm_1": "JX",
    "norm_inf": "JX",
    "cosine_similarity": "JX, JY",
    "outer": "JU, JV",
    "transpose_copy": "JX",
    **{f"dense_{name}": "JX, JW, JB" for name in LAYERS},
}

# Each layout is compiled anew: a few of each number of operands.
_FUNCTIONS = ("add", "multiply", "divide", *(op.name for op in (*ELEMENTARY, *BINARY)))
_TERNARY = ("multiply_add",)

STATEMENTS = {
    **{
        name: f"jitted['{name}']({', '.join(('JA', 'JB', 'JC')[:n])}){_WAIT}"
        for name, n in (
            *((name, ELEMENTWISE[name]) for name in _FUNCTIONS),
            *((name, 3) for name in _TERNARY),
        )
    },
    **{name: f"jitted['{name}']({arrays}){_WAIT}" for name, arrays in _LINEAR.items()},
    **{
        f"dense_{name}_backward": f"ready(jitted['dense_{name}_backward'](JX, JW, JB, JDY))"
        for name in LAYERS
    },
    **{name: f"jitted['{name}'](JX){_WAIT}" for name in (*KERNELS, *_ROWS, "logsumexp", "glu")},
    **{
        f"{name}_backward": f"jitted['{name}_backward'](JDY, JX){_WAIT}"
        for name in (*KERNELS, "glu")
    },
    **{
        f"{name}_backward_from_output": f"jitted['{name}_backward_from_output'](JDY, JY){_WAIT}"
        for name in _OUTPUT_SUFFICES
    },
    **{f"{name}_backward": f"jitted['{name}_backward'](JDY, JY){_WAIT}" for name in _ROWS},
    "logsumexp_backward": f"jitted['logsumexp_backward'](JDREDUCED, JX){_WAIT}",
    **{name: f"jitted['{name}'](JA, JB){_WAIT}" for name in _GATES},
    **{f"{name}_backward": f"ready(jitted['{name}_backward'](JDY, JA, JB))" for name in _GATES},
    **_losses.JAX,
    **_optim.JAX,
    **_fuse.JAX,
    "prelu": f"jitted['prelu'](JX, JALPHA){_WAIT}",
    "prelu_backward": "ready(jitted['prelu_backward'](JDY, JX, JALPHA))",
}


def load(threads: int) -> Namespace:
    """Load JAX; the limit on processors keeps its threads down."""
    import jax

    config: Any = jax.config
    config.update("jax_enable_x64", True)
    # Each call is waited for: handing it to another thread first would only cost JAX time.
    config.update("jax_cpu_enable_async_dispatch", False)
    return {"ready": jax.block_until_ready}


def bind(name: str, operands: Namespace) -> Namespace:
    """Return the arrays as JAX's, and the operation compiled for the values of its parameters."""
    import jax
    import jax.numpy as jnp

    arrays = {
        f"J{key.upper()}": jnp.asarray(value.mT if _turned(value) else value)
        for key, value in operands.items()
        if isinstance(value, np.ndarray) and f"J{key.upper()}" in STATEMENTS[name]
    }
    return {"jitted": {name: jax.jit(_function(name, operands))}, **arrays}


def _turned(array: Array) -> bool:
    """Whether the array is a transposed view, which JAX would copy on the way in."""
    return array.ndim > 1 and not array.flags.c_contiguous and array.mT.flags.c_contiguous


def _function(name: str, operands: Namespace) -> Callable[..., Any]:
    import jax

    if name in _optim.JAX:
        return _optim.jax_function(name)
    if name in _fuse.JAX:
        return _fuse.jax_function(name)
    if name in _losses.JAX:
        return _losses.jax_function(name)
    if name in _LINEAR or name.startswith("dense_"):
        return _linear(name, operands)
    if name in _FUNCTIONS or name in _TERNARY:
        return _elementwise(name, operands)
    numbers = {k: float(v) for k, v in operands.items() if isinstance(v, np.floating)}
    axis = operands.get("axis", -1)
    if name.endswith("_from_output"):
        return _from_output(name.removesuffix("_backward_from_output"), numbers)
    kernel = name.removesuffix("_backward")
    if kernel == name:
        return _forward(name, numbers, axis)
    if kernel in _ROWS:
        return _rows_backward(kernel, axis)
    function = _forward(kernel, numbers, axis)
    if kernel in _GATES or kernel == "prelu":
        return lambda dy, a, b: jax.vjp(function, a, b)[1](dy)
    return lambda dy, x: jax.vjp(function, x)[1](dy)[0]


def _elementwise(name: str, operands: Namespace) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp
    import jax.scipy

    def function(*arrays: Any) -> Any:
        turned = (_turned(operands[key]) for key in "abc"[: len(arrays)])
        given = [x.mT if t else x for x, t in zip(arrays, turned, strict=True)]
        if name in _TERNARY:
            a, b, c = given
            return a * b + c
        homes = (jnp, jax.scipy.special, jax.lax)
        return next(getattr(home, name) for home in homes if hasattr(home, name))(*given)

    return function


def _forward(name: str, p: dict[str, float], axis: int) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    nn: Any = jax.nn
    special: dict[str, Callable[..., Any]] = {
        "tanh": jnp.tanh,
        "relu_general": lambda x: jnp.clip(x, 0, p["max_value"]),
        "leaky_relu": lambda x: nn.leaky_relu(x, p["negative_slope"]),
        "hard_tanh": lambda x: jnp.clip(x, p["min_value"], p["max_value"]),
        "soft_shrink": lambda x: x - jnp.clip(x, -p["threshold"], p["threshold"]),
        "hard_shrink": lambda x: jnp.where(jnp.abs(x) > p["threshold"], x, 0),
        "threshold": lambda x: jnp.where(x > p["threshold"], x, p["default_value"]),
        "linear": nn.identity,
        "softsign": nn.soft_sign,
        "squareplus": lambda x: nn.squareplus(x, p["b"]),
        "elu": lambda x: nn.elu(x, p["alpha"]),
        "celu": lambda x: nn.celu(x, p["alpha"]),
        "exponential": jnp.exp,
        "softplus_general": lambda x: nn.softplus(p["beta"] * x) / p["beta"],
        "tanh_shrink": lambda x: x - jnp.tanh(x),
        "gelu": partial(nn.gelu, approximate=False),
        "gelu_tanh": partial(nn.gelu, approximate=True),
        "softmax": partial(nn.softmax, axis=axis),
        "softmin": lambda x: nn.softmax(-x, axis=axis),
        "log_softmax": partial(nn.log_softmax, axis=axis),
        "logsumexp": partial(nn.logsumexp, axis=axis, keepdims=True),
        "sparsemax": partial(_sparsemax, axis=axis),
        "glu": nn.glu,
        "swiglu": lambda a, b: nn.silu(a) * b,
        "geglu": lambda a, b: nn.gelu(a, approximate=False) * b,
        "geglu_tanh": lambda a, b: nn.gelu(a) * b,
        "reglu": lambda a, b: nn.relu(a) * b,
        "prelu": lambda x, alpha: jnp.where(x > 0, x, alpha * x),
    }
    return special[name] if name in special else getattr(nn, name)


def _linear(name: str, operands: Namespace) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    if name.startswith("dense_"):
        activation = _forward(name.removeprefix("dense_").removesuffix("_backward"), {}, -1)

        def layer(x: Any, w: Any, b: Any) -> Any:
            return activation(x @ w + b)

        def layer_and_gradients(x: Any, w: Any, b: Any, dy: Any) -> tuple[Any, ...]:
            y, gradients = jax.vjp(layer, x, w, b)
            return y, *gradients(dy)

        return layer_and_gradients if name.endswith("_backward") else layer

    def product(a: Any, b: Any) -> Any:
        turned = (_turned(operands[key]) for key in "ab")
        return jnp.matmul(*(x.mT if t else x for x, t in zip((a, b), turned, strict=True)))

    def cosine_similarity(x: Any, y: Any) -> Any:
        return jnp.vecdot(x, y) / jnp.sqrt(jnp.vecdot(x, x) * jnp.vecdot(y, y))

    functions: dict[str, Callable[..., Any]] = {
        "dot": jnp.dot,
        "matmul": product,
        "tensordot": lambda a, b: jnp.tensordot(a, b, (1, 0)),
        "vecdot": jnp.vecdot,
        "matvec": jnp.matvec,
        "vecmat": jnp.vecmat,
        "norm": lambda x: jnp.linalg.norm(x, axis=operands.get("axis")),
        "norm_1": lambda x: jnp.linalg.norm(x, 1),
        "norm_inf": lambda x: jnp.linalg.norm(x, np.inf),
        "cosine_similarity": cosine_similarity,
        "outer": jnp.outer,
        "transpose_copy": jnp.transpose,
    }
    return functions[name]


def _sparsemax(x: Any, axis: int) -> Any:
    import jax.numpy as jnp

    u = jnp.sort(x, axis, descending=True)
    sums = jnp.cumsum(u, axis)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    steps = jnp.arange(1, x.shape[axis] + 1, dtype=x.dtype).reshape(shape)
    k = jnp.sum(1 + steps * u > sums, axis, keepdims=True)
    return jnp.maximum(x - (jnp.take_along_axis(sums, k - 1, axis) - 1) / k.astype(x.dtype), 0)


def _rows_backward(name: str, axis: int) -> Callable[..., Any]:
    import jax.numpy as jnp

    def total(v: Any) -> Any:
        return jnp.sum(v, axis, keepdims=True)

    functions: dict[str, Callable[..., Any]] = {
        "softmax": lambda dy, y: y * (dy - total(dy * y)),
        "softmin": lambda dy, y: y * (total(dy * y) - dy),
        "log_softmax": lambda dy, y: dy - jnp.exp(y) * total(dy),
        "sparsemax": lambda dy, y: jnp.where(
            y > 0, dy - total(jnp.where(y > 0, dy, 0)) / total((y > 0).astype(y.dtype)), 0
        ),
    }
    return functions[name]


def _from_output(name: str, p: dict[str, float]) -> Callable[..., Any]:
    import jax.numpy as jnp

    expression = EXPRESSIONS[f"{name}_backward_from_output"]
    function: Callable[..., Any] = eval(f"lambda dy, y: {expression}", vars(jnp) | CONSTANTS | p)
    return function
