"""Statements for the optimisers: parameters `p`, gradients `g`, states `m` and `v`, scratch `t`.

All have the rate 1e-3 and torch's other defaults.  NumPy and JAX correct Adam's bias for the first
step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ADAM = (
    "np.multiply(m, 0.9, m); np.multiply(g, 0.1, t); np.add(m, t, m); np.multiply(v, 0.999, v); "
    "np.multiply(g, g, t); np.multiply(t, 0.001, t); np.add(v, t, v); np.multiply(v, 1000.0, t); "
    "np.sqrt(t, t); np.add(t, 1e-8, t); np.divide(m, t, t); np.multiply(t, 1e-2, t); "
    "np.subtract(p, t, p)"
)
NUMPY = {
    "sgd": "np.multiply(g, 1e-3, t); np.subtract(p, t, p)",
    "momentum": (
        "np.multiply(m, 0.9, m); np.add(m, g, m); np.multiply(m, 1e-3, t); np.subtract(p, t, p)"
    ),
    "rmsprop": (
        "np.multiply(v, 0.99, v); np.multiply(g, g, t); np.multiply(t, 0.01, t); np.add(v, t, v); "
        "np.sqrt(v, t); np.add(t, 1e-8, t); np.divide(g, t, t); np.multiply(t, 1e-3, t); "
        "np.subtract(p, t, p)"
    ),
    "adam": _ADAM,
    "adamw": f"np.multiply(p, 1 - 1e-5, p); {_ADAM}",
}
TORCH = dict.fromkeys(NUMPY, "step()")
_STATES = {
    "sgd": "",
    "momentum": ", JM",
    "rmsprop": ", JV",
    "adam": ", JM, JV",
    "adamw": ", JM, JV",
}
JAX = {
    name: f"results = ready(jitted['{name}'](JP, JG{states}))" for name, states in _STATES.items()
}


def torch_step(name: str, p: Any, g: Any) -> Callable[[], Any]:
    """Return a step of torch's optimiser on these tensors."""
    import torch

    kinds: dict[str, Callable[..., Any]] = {
        "sgd": torch.optim.SGD,
        "momentum": lambda ps, lr: torch.optim.SGD(ps, lr=lr, momentum=0.9),
        "rmsprop": lambda ps, lr: torch.optim.RMSprop(ps, lr=lr),
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
    }
    p.grad = g
    step: Callable[[], Any] = kinds[name]([p], lr=1e-3).step
    return step


def jax_function(name: str) -> Callable[..., Any]:
    """Return a step that gives new parameters and states, as JAX users write it."""
    import jax.numpy as jnp

    def adam(p: Any, g: Any, m: Any, v: Any) -> Any:
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        left = 1 - 1e-5 if name == "adamw" else 1.0
        return left * p - 1e-2 * m / (jnp.sqrt(v * 1000) + 1e-8), m, v

    def rmsprop(p: Any, g: Any, v: Any) -> Any:
        v = 0.99 * v + 0.01 * g * g
        return p - 1e-3 * g / (jnp.sqrt(v) + 1e-8), v

    def momentum(p: Any, g: Any, m: Any) -> Any:
        m = 0.9 * m + g
        return p - 1e-3 * m, m

    functions: dict[str, Callable[..., Any]] = {
        "sgd": lambda p, g: p - 1e-3 * g,
        "momentum": momentum,
        "rmsprop": rmsprop,
    }
    return functions.get(name, adam)
