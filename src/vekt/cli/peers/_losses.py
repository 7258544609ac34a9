"""Statements for the losses: predictions `x`, targets `v`, scratch `t`; logits `x` and `labels`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SOFTMAX = "softmax_cross_entropy"
_MEAN_LOSS = (
    "np.subtract(x, x.max(-1, keepdims=True), out); t = out[np.arange(len(x)), labels]; "
    "np.exp(out, out); s = out.sum(-1, keepdims=True); loss = np.mean(np.log(s[:, 0]) - t)"
)
NUMPY = {
    "squared_error": "np.subtract(x, v, out); np.multiply(out, out, out)",
    "squared_error_backward": (
        "np.subtract(x, v, out); np.add(out, out, out); np.multiply(dy, out, out)"
    ),
    # c (d - c/2), c the smaller one of d and 1
    "huber": (
        "np.subtract(x, v, t); np.abs(t, t); np.minimum(t, 1, out=out); "
        "np.subtract(t, out * half, t); "
        "np.multiply(out, t, out)"
    ),
    "huber_backward": "np.subtract(x, v, out); np.clip(out, -1, 1, out); np.multiply(dy, out, out)",
    "sigmoid_cross_entropy": (
        "np.abs(x, t); np.negative(t, t); np.exp(t, t); np.log1p(t, t); np.maximum(x, 0, out=out); "
        "np.add(t, out, t); np.multiply(x, v, out); np.subtract(t, out, out)"
    ),
    "sigmoid_cross_entropy_backward": (
        "np.negative(x, out); np.exp(out, out); np.add(out, 1, out); np.reciprocal(out, out); "
        "np.subtract(out, v, out); np.multiply(dy, out, out)"
    ),
    "binary_cross_entropy": (
        "np.log(x, t); np.multiply(v, t, out); np.negative(x, t); np.log1p(t, t); "
        "np.multiply(1 - v, t, t); np.add(out, t, out); np.negative(out, out)"
    ),
    "binary_cross_entropy_backward": (
        "np.subtract(1, x, t); np.multiply(x, t, t); np.subtract(x, v, out); "
        "np.divide(out, t, out); np.multiply(dy, out, out)"
    ),
    SOFTMAX: _MEAN_LOSS,
    f"{SOFTMAX}_value_and_grad": (
        f"{_MEAN_LOSS}; np.divide(out, s * len(x), out); "
        "out[np.arange(len(x)), labels] -= x.dtype.type(1 / len(x))"
    ),
}
TORCH = {
    "squared_error": "aten.mse_loss.out(X, V, 0, out=OUT)",
    "squared_error_backward": "aten.mse_loss_backward.grad_input(DY, X, V, 0, grad_input=OUT)",
    "huber": "aten.huber_loss.out(X, V, 0, 1.0, out=OUT)",
    "huber_backward": "aten.huber_loss_backward.out(DY, X, V, 0, 1.0, grad_input=OUT)",
    "sigmoid_cross_entropy": (
        "aten.binary_cross_entropy_with_logits.out(X, V, None, None, 0, out=OUT)"
    ),
    "sigmoid_cross_entropy_backward": (
        "torch.sigmoid(X, out=OUT); torch.sub(OUT, V, out=OUT); torch.mul(DY, OUT, out=OUT)"
    ),
    "binary_cross_entropy": "aten.binary_cross_entropy.out(X, V, None, 0, out=OUT)",
    "binary_cross_entropy_backward": (
        "aten.binary_cross_entropy_backward.grad_input(DY, X, V, None, 0, grad_input=OUT)"
    ),
    SOFTMAX: "loss = torch.nn.functional.cross_entropy(X, LABELS)",
    f"{SOFTMAX}_value_and_grad": "loss, slope = cross_entropy(X, LABELS)",
}
_LOSSES = ("squared_error", "huber", "sigmoid_cross_entropy", "binary_cross_entropy")
JAX = {
    **{name: f"ready(jitted['{name}'](JX, JV))" for name in _LOSSES},
    **{f"{name}_backward": f"ready(jitted['{name}_backward'](JDY, JX, JV))" for name in _LOSSES},
    SOFTMAX: f"loss = ready(jitted['{SOFTMAX}'](JX, JLABELS))",
    f"{SOFTMAX}_value_and_grad": (
        f"loss, slope = ready(jitted['{SOFTMAX}_value_and_grad'](JX, JLABELS))"
    ),
}


def torch_cross_entropy(x: Any, labels: Any) -> tuple[Any, Any]:
    """Mean cross entropy, and its gradient by autograd."""
    import torch

    x.requires_grad_()
    with torch.enable_grad():
        loss = torch.nn.functional.cross_entropy(x, labels)
    return loss.detach(), *torch.autograd.grad(loss, x)


def jax_function(name: str) -> Callable[..., Any]:
    """Return a loss as JAX users write it, or its gradient."""
    import jax
    import jax.numpy as jnp

    def huber(x: Any, v: Any) -> Any:
        d = jnp.abs(x - v)
        return jnp.where(d <= 1, d * d / 2, d - 0.5)

    def mean(x: Any, labels: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(x), labels[:, None], 1).mean()

    functions: dict[str, Callable[..., Any]] = {
        "squared_error": lambda x, v: (x - v) ** 2,
        "huber": huber,
        "sigmoid_cross_entropy": lambda x, v: jax.nn.softplus(x) - v * x,
        "binary_cross_entropy": lambda x, v: -(v * jnp.log(x) + (1 - v) * jnp.log1p(-x)),
        SOFTMAX: mean,
        f"{SOFTMAX}_value_and_grad": jax.value_and_grad(mean),
    }
    if name in functions:
        return functions[name]
    function = functions[name.removesuffix("_backward")]
    return lambda dy, x, v: jax.vjp(lambda x: function(x, v), x)[1](dy)[0]
