"""What `vekt accuracy --peers` measures beside vekt: each kernel as the peers' users call it.

Each takes x and the kernel's parameters in their order; where one is missing, the peer has no
such function.  Gradients are those of torch's autograd and of `jax.vjp`.  Keras runs on the backend
that `KERAS_BACKEND` names, by default NumPy, where its formulas are its own but have no gradient.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._spec.elementary import ELEMENTARY

Function = Callable[..., Any]
Functions = dict[str, Function]

PEERS = ("torch", "jax", "keras")


def peer_label(peer: str) -> str:
    """Name and version of a peer, and the backend of Keras; ImportError where there is none."""
    if find_spec(peer) is None:
        raise ModuleNotFoundError(f"No module named {peer!r}", name=peer)
    backend = f" ({_keras_backend()})" if peer == "keras" else ""
    return f"{peer} {version(peer)}{backend}"


@cache  # JAX compiles a function once
def peer_functions(peer: str, kernel: str) -> tuple[Function | None, Function | None]:
    """Return value and gradient as functions of (x, *params), None where there is none.

    Arguments and results are NumPy arrays and Python numbers; a result has the dtype of x.
    """
    functions, wrap = _load(peer)
    return wrap(functions[kernel]) if kernel in functions else (None, None)


@cache
def _load(peer: str) -> tuple[Functions, Callable[[Function], tuple[Function, Function | None]]]:
    if peer == "torch":
        return torch_functions(), _wrap_torch
    if peer == "jax":
        return jax_functions(), _wrap_jax
    wraps = {"torch": _wrap_torch, "jax": _wrap_jax}
    return keras_functions(), wraps.get(_keras_backend(), _wrap_numpy)


def _module(name: str) -> Any:
    """Import a peer, which may not be installed and of whose types nothing is known."""
    return import_module(name)


def _keras_backend() -> str:
    return os.environ.get("KERAS_BACKEND", "numpy")


def torch_functions() -> Functions:
    """Functions of torch, by kernel name."""
    torch = _module("torch")
    F = torch.nn.functional
    torch.set_num_threads(1)
    return {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": F.relu,
        "leaky_relu": lambda x, negative_slope: F.leaky_relu(x, negative_slope),
        "relu6": F.relu6,
        "elu": lambda x, alpha: F.elu(x, alpha),
        "celu": lambda x, alpha: F.celu(x, alpha),
        "selu": F.selu,
        "softplus": F.softplus,
        "softplus_general": lambda x, beta: F.softplus(x, beta),
        "softsign": F.softsign,
        "soft_shrink": lambda x, threshold: F.softshrink(x, threshold),
        "hard_shrink": lambda x, threshold: F.hardshrink(x, threshold),
        "tanh_shrink": F.tanhshrink,
        "threshold": lambda x, threshold, default_value: F.threshold(x, threshold, default_value),
        "silu": F.silu,
        "hard_silu": F.hardswish,
        "hard_sigmoid": F.hardsigmoid,
        "hard_tanh": lambda x, min_value, max_value: F.hardtanh(x, min_value, max_value),
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "mish": F.mish,
        "log_sigmoid": F.logsigmoid,
        "exponential": torch.exp,
        **{op.name: f for op in ELEMENTARY if (f := getattr(torch, op.name, None))},
        "linear": torch.nn.Identity(),
    }


def jax_functions() -> Functions:
    """Functions of JAX, by kernel name."""
    jax = _module("jax")
    jnp, special = jax.numpy, _module("jax.scipy.special")
    jax.config.update("jax_enable_x64", True)  # or float64 operands would become float32
    nn = jax.nn
    return {
        "sigmoid": nn.sigmoid,
        "tanh": jnp.tanh,
        "relu": nn.relu,
        "leaky_relu": lambda x, negative_slope: nn.leaky_relu(x, negative_slope),
        "relu6": nn.relu6,
        "elu": lambda x, alpha: nn.elu(x, alpha),
        "celu": lambda x, alpha: nn.celu(x, alpha),
        "selu": nn.selu,
        "softplus": nn.softplus,
        "softsign": nn.soft_sign,
        "squareplus": lambda x, b: nn.squareplus(x, b),
        "sparse_plus": nn.sparse_plus,
        "sparse_sigmoid": nn.sparse_sigmoid,
        "silu": nn.silu,
        "hard_silu": nn.hard_silu,
        "hard_sigmoid": nn.hard_sigmoid,
        "hard_tanh": _without_bounds(nn.hard_tanh),
        "gelu": lambda x: nn.gelu(x, approximate=False),
        "gelu_tanh": lambda x: nn.gelu(x, approximate=True),
        "mish": nn.mish,
        "log_sigmoid": nn.log_sigmoid,
        "exponential": jnp.exp,
        **{
            op.name: next(
                getattr(of, op.name) for of in (jnp, special, jax.lax) if hasattr(of, op.name)
            )
            for op in ELEMENTARY
        },
        "linear": nn.identity,
        "log1mexp": nn.log1mexp,
    }


def keras_functions() -> Functions:
    """Functions of Keras, by kernel name."""
    backend = os.environ.setdefault("KERAS_BACKEND", _keras_backend())
    if backend == "jax":
        _module("jax").config.update("jax_enable_x64", True)
    nn = _module("keras").activations
    alone = (
        "sigmoid tanh relu relu6 selu softplus softsign tanh_shrink sparse_plus sparse_sigmoid "
        "silu hard_silu hard_sigmoid gelu mish log_sigmoid exponential linear"
    )
    return {
        **{name: getattr(nn, name) for name in alone.split()},
        "relu_general": lambda x, negative_slope, max_value, threshold: nn.relu(
            x, negative_slope, None if max_value == np.inf else max_value, threshold
        ),
        "leaky_relu": lambda x, negative_slope: nn.leaky_relu(x, negative_slope),
        "elu": lambda x, alpha: nn.elu(x, alpha),
        "celu": lambda x, alpha: nn.celu(x, alpha),
        "squareplus": lambda x, b: nn.squareplus(x, b),
        "soft_shrink": lambda x, threshold: nn.soft_shrink(x, threshold),
        "hard_shrink": lambda x, threshold: nn.hard_shrink(x, threshold),
        "threshold": lambda x, threshold, default_value: nn.threshold(x, threshold, default_value),
        "hard_tanh": _without_bounds(nn.hard_tanh),
        "gelu_tanh": lambda x: nn.gelu(x, approximate=True),
    }


def _without_bounds(hard_tanh: Function) -> Function:
    """Take a hard tanh whose bounds are -1 and 1, which are vekt's defaults."""
    return lambda x, min_value, max_value: hard_tanh(x)


def _wrap_torch(function: Function) -> tuple[Function, Function]:
    torch = _module("torch")

    def value(x: NDArray[Any], *params: float) -> NDArray[Any]:
        with torch.no_grad():
            result: NDArray[Any] = function(torch.from_numpy(x), *params).numpy()
        return result

    def gradient(x: NDArray[Any], *params: float) -> NDArray[Any]:
        operand = torch.from_numpy(x).requires_grad_()
        y = function(operand, *params)
        result: NDArray[Any] = torch.autograd.grad(y, operand, torch.ones_like(y))[0].numpy()
        return result

    return value, gradient


def _wrap_jax(function: Function) -> tuple[Function, Function]:
    jax = _module("jax")
    jnp = jax.numpy

    @cache
    def compiled(*params: float) -> tuple[Function, Function]:
        def value(x: Any) -> Any:
            return function(x, *params)

        def gradient(x: Any) -> Any:
            return jax.vjp(value, x)[1](jnp.ones_like(x))[0]

        return jax.jit(value), jax.jit(gradient)

    return (
        lambda x, *params: np.asarray(compiled(*params)[0](x)),
        lambda x, *params: np.asarray(compiled(*params)[1](x)),
    )


def _wrap_numpy(function: Function) -> tuple[Function, None]:
    def value(x: NDArray[Any], *params: float) -> NDArray[Any]:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(function(x, *params), x.dtype)

    return value, None
