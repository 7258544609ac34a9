"""Statements for what vekt fuses: `a` and `b`, scratch `t`, coefficients `p3`, `p2` and `p1`.

NumExpr and JAX take an expression as it is written.  NumPy and torch, step by step, have Horner's
rule and as few steps as there are; a power is a product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_LINEAR = "np.multiply(a, 2, out); np.multiply(b, 3, t); np.add(out, t, out)"
NUMPY = {
    "fuse_linear": _LINEAR,
    "fuse_product": (
        "np.multiply(a, 2, t); np.multiply(t, b, out); np.add(t, t, t); np.subtract(out, t, out)"
    ),
    "fuse_polynomial": (
        "np.multiply(a, p3, out); np.add(out, p2, out); np.multiply(out, a, out); "
        "np.subtract(out, p1, out); np.multiply(out, a, out); np.subtract(out, 2, out)"
    ),
    "fuse_trigonometric": (
        "np.sin(a, out); np.square(out, out); np.cos(a, t); np.square(t, t); np.add(out, t, out)"
    ),
    "fuse_power": "np.power(a, b, out)",
    "fuse_where": "np.exp(b, out); np.copyto(out, a, where=a > b)",
    "fuse_hypotenuse": (
        "np.square(a, out); np.square(b, t); np.add(out, t, out); np.sqrt(out, out)"
    ),
    "evaluate": _LINEAR,
    "fuse_normalise": (
        "np.divide(x, 255, out, dtype=out.dtype); np.subtract(out, mean, out); "
        "np.divide(out, deviation, out)"
    ),
}
# Its floats would raise float32 to float64.
NUMEXPR = {
    name: f"ne.evaluate({expression!r}, out=out)"
    for name, expression in {
        "fuse_linear": "2*a + 3*b",
        "fuse_product": "2*a*b - 4*a",
        "fuse_polynomial": "p3*a**3 + p2*a**2 - p1*a - 2",
        "fuse_trigonometric": "sin(a)**2 + cos(a)**2",
        "fuse_power": "a**b",
        "fuse_where": "where(a > b, a, exp(b))",
        "fuse_hypotenuse": "sqrt(a**2 + b**2)",
        "evaluate": "2*a + 3*b",
    }.items()
}
_TORCH_LINEAR = "torch.mul(A, 2, out=OUT); torch.add(OUT, B, alpha=3, out=OUT)"
TORCH = {
    "fuse_linear": _TORCH_LINEAR,
    "fuse_product": "torch.mul(A, -4, out=T); torch.addcmul(T, A, B, value=2, out=OUT)",
    "fuse_polynomial": (
        "torch.mul(A, P3, out=OUT); OUT.add_(P2); OUT.mul_(A); OUT.sub_(P1); OUT.mul_(A); "
        "OUT.sub_(2)"
    ),
    "fuse_trigonometric": (
        "torch.sin(A, out=OUT); OUT.square_(); torch.cos(A, out=T); "
        "torch.addcmul(OUT, T, T, out=OUT)"
    ),
    "fuse_power": "torch.pow(A, B, out=OUT)",
    "fuse_where": "torch.exp(B, out=T); torch.where(A > B, A, T, out=OUT)",
    "fuse_hypotenuse": (
        "torch.mul(A, A, out=OUT); torch.addcmul(OUT, B, B, out=OUT); torch.sqrt(OUT, out=OUT)"
    ),
    "evaluate": _TORCH_LINEAR,
    "fuse_gradient": "value, slopes = torch_gradient(X, W, B, M)",
    "fuse_normalise": "torch.div(X, 255, out=OUT); OUT.sub_(MEAN); OUT.div_(DEVIATION)",
}
_ONE = ("fuse_polynomial", "fuse_trigonometric")
_TWO = ("fuse_linear", "fuse_product", "fuse_power", "fuse_where", "fuse_hypotenuse", "evaluate")
JAX = {
    **{name: f"ready(jitted['{name}'](JA))" for name in _ONE},
    **{name: f"ready(jitted['{name}'](JA, JB))" for name in _TWO},
    "fuse_gradient": "value, slopes = ready(jitted['fuse_gradient'](JX, JW, JB, JM))",
    "fuse_normalise": "ready(jitted['fuse_normalise'](JX, JMEAN, JDEVIATION))",
}
AUTOGRAD = {"fuse_gradient": "value, slopes = autograd_gradient(x, w, b, m)"}


def torch_gradient(*operands: Any) -> tuple[Any, Any]:
    """Sum of mish(x*w + b)*m, and its gradients from torch's autograd."""
    import torch

    leaves = [operand.detach().requires_grad_() for operand in operands]
    x, w, b, m = leaves
    with torch.enable_grad():
        value = (torch.nn.functional.mish(x * w + b) * m).sum()
    return value.detach(), torch.autograd.grad(value, leaves)


def load_autograd(threads: int) -> dict[str, Any]:
    """Load autograd, which computes with NumPy."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    def function(x: Any, w: Any, b: Any, m: Any) -> Any:
        z = x * w + b
        return anp.sum(z * anp.tanh(anp.logaddexp(z, 0)) * m)

    return {"autograd_gradient": value_and_grad(function, (0, 1, 2, 3))}


def jax_function(name: str) -> Callable[..., Any]:
    """Return an expression as JAX users write it."""
    import jax
    import jax.numpy as jnp

    def linear(a: Any, b: Any) -> Any:
        return 2 * a + 3 * b

    def loss(x: Any, w: Any, b: Any, m: Any) -> Any:
        return (jax.nn.mish(x * w + b) * m).sum()

    functions: dict[str, Callable[..., Any]] = {
        "fuse_linear": linear,
        "fuse_product": lambda a, b: 2 * a * b - 4 * a,
        "fuse_polynomial": lambda a: 0.25 * a**3 + 0.75 * a**2 - 1.5 * a - 2,
        "fuse_trigonometric": lambda a: jnp.sin(a) ** 2 + jnp.cos(a) ** 2,
        "fuse_power": lambda a, b: a**b,
        "fuse_where": lambda a, b: jnp.where(a > b, a, jnp.exp(b)),
        "fuse_hypotenuse": lambda a, b: jnp.sqrt(a**2 + b**2),
        "evaluate": linear,
        "fuse_gradient": jax.value_and_grad(loss, (0, 1, 2, 3)),
        "fuse_normalise": lambda x, mean, deviation: (x.astype("f4") / 255 - mean) / deviation,
    }
    return functions[name]
