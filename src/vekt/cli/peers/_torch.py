"""torch: the operators beneath torch.nn.functional, in their forms with an output."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt.cli.peers import _fuse, _losses, _optim
from vekt.cli.peers._names import (
    ELEMENTWISE,
    LAYERS,
    SELU_ALPHA,
    SELU_SCALE,
    Namespace,
    UnsupportedError,
    renamed,
)

Array = NDArray[Any]

_SELU = f"{SELU_ALPHA}, {SELU_SCALE}, 1"
_SPARSE_SIGMOID = "torch.mul(X, 3, out={to}); aten.hardsigmoid.out({to}, out={to})"
_SQUAREPLUS = "torch.mul(X, X, out=T); T.add_(B); T.sqrt_()"
_WITH_Y = "; torch.mul(DY, T, out=OUT)"

_SLOPE = ", NEGATIVE_SLOPE"


def _aten(
    name: str, operator: str, value: str = "", slope: str | None = None, output: str | None = None
) -> dict[str, str]:
    """Call an operator and its gradient, with these arguments after the arrays."""
    gradient = f"aten.{operator}_backward.grad_input(DY, {{}}{{}}, grad_input=OUT)"
    statements = {
        name: f"aten.{operator}.out(X{value}, out=OUT)",
        f"{name}_backward": gradient.format("X", value if slope is None else slope),
    }
    if output is not None:
        statements[f"{name}_backward_from_output"] = gradient.format("Y", output)
    return statements


_ELEMENTWISE = {
    "sigmoid": "torch.sigmoid(X, out=OUT)",
    "sigmoid_backward": (
        "aten.sigmoid_backward.grad_input(DY, torch.sigmoid(X, out=T), grad_input=OUT)"
    ),
    "sigmoid_backward_from_output": "aten.sigmoid_backward.grad_input(DY, Y, grad_input=OUT)",
    "tanh": "torch.tanh(X, out=OUT)",
    "tanh_backward": "aten.tanh_backward.grad_input(DY, torch.tanh(X, out=T), grad_input=OUT)",
    "tanh_backward_from_output": "aten.tanh_backward.grad_input(DY, Y, grad_input=OUT)",
    "relu": "torch.clamp_min(X, 0, out=OUT)",
    "relu_backward": "aten.threshold_backward.grad_input(DY, X, 0, grad_input=OUT)",
    "relu_backward_from_output": "aten.threshold_backward.grad_input(DY, Y, 0, grad_input=OUT)",
    # negative_slope and threshold are 0 in the case that is measured.
    **_aten("relu_general", "hardtanh", ", 0, MAX_VALUE"),
    **_aten("relu6", "hardtanh", *[", 0, 6"] * 3),
    **_aten("leaky_relu", "leaky_relu", _SLOPE, f"{_SLOPE}, False", f"{_SLOPE}, True"),
    **_aten("hard_tanh", "hardtanh", *[", MIN_VALUE, MAX_VALUE"] * 3),
    **_aten("hard_sigmoid", "hardsigmoid"),
    "hard_sigmoid_backward_from_output": (
        "aten.hardtanh_backward.grad_input(DY, Y, 0, 1, grad_input=OUT); torch.div(OUT, 6, out=OUT)"
    ),
    "hard_silu": "aten.hardswish.out(X, out=OUT)",
    "hard_silu_backward": "aten.hardswish_backward.out(DY, X, out=OUT)",
    **_aten("soft_shrink", "softshrink", ", THRESHOLD", ", THRESHOLD", ", 0"),
    **_aten("hard_shrink", "hardshrink", ", THRESHOLD"),
    **_aten("threshold", "threshold", ", THRESHOLD, DEFAULT_VALUE", ", THRESHOLD"),
    # Below 1 the parabola is the larger one, above it the identity.
    "sparse_plus": (
        "torch.clamp(X, -1, 1, out=T); T.add_(1); torch.mul(T, T, out=T); T.mul_(0.25); "
        "torch.maximum(X, T, out=OUT)"
    ),
    "sparse_plus_backward": _SPARSE_SIGMOID.format(to="T") + _WITH_Y,
    "sparse_plus_backward_from_output": f"torch.clamp_max(Y, 1, out=T); T.sqrt_(){_WITH_Y}",
    "sparse_sigmoid": _SPARSE_SIGMOID.format(to="OUT"),
    "sparse_sigmoid_backward": (
        "aten.hardtanh_backward.grad_input(DY, X, -1, 1, grad_input=OUT); "
        "torch.mul(OUT, 0.5, out=OUT)"
    ),
    "sparse_sigmoid_backward_from_output": (
        "aten.hardtanh_backward.grad_input(DY, Y, 0, 1, grad_input=OUT); "
        "torch.mul(OUT, 0.5, out=OUT)"
    ),
    "linear": "OUT.copy_(X)",
    "linear_backward": "OUT.copy_(DY)",
    "linear_backward_from_output": "OUT.copy_(DY)",
    "softsign": "torch.abs(X, out=T); T.add_(1); torch.div(X, T, out=OUT)",
    "softsign_backward": (
        "torch.abs(X, out=T); T.add_(1); torch.mul(T, T, out=T); torch.div(DY, T, out=OUT)"
    ),
    "softsign_backward_from_output": (
        "torch.abs(Y, out=T); T.sub_(1); torch.mul(T, T, out=T); torch.mul(DY, T, out=OUT)"
    ),
    "squareplus": f"{_SQUAREPLUS}; T.add_(X); torch.mul(T, 0.5, out=OUT)",
    "squareplus_backward": (
        f"{_SQUAREPLUS}; torch.div(X, T, out=T); torch.addcmul(DY, DY, T, out=T); "
        "torch.mul(T, 0.5, out=OUT)"
    ),
    "squareplus_backward_from_output": (
        "torch.mul(Y, Y, out=T); torch.add(T, 0.25 * B, out=OUT); "
        "torch.div(T, OUT, out=T)" + _WITH_Y
    ),
    "elu": "aten.elu.out(X, ALPHA, 1, 1, out=OUT)",
    "elu_backward": "aten.elu_backward.grad_input(DY, ALPHA, 1, 1, False, X, grad_input=OUT)",
    "elu_backward_from_output": (
        "aten.elu_backward.grad_input(DY, ALPHA, 1, 1, True, Y, grad_input=OUT)"
    ),
    "celu": "aten.elu.out(X, ALPHA, 1, 1 / ALPHA, out=OUT)",
    "celu_backward": (
        "aten.elu_backward.grad_input(DY, ALPHA, 1, 1 / ALPHA, False, X, grad_input=OUT)"
    ),
    "celu_backward_from_output": (
        "aten.elu_backward.grad_input(DY, ALPHA, 1, 1 / ALPHA, True, Y, grad_input=OUT)"
    ),
    "selu": f"aten.elu.out(X, {_SELU}, out=OUT)",
    "selu_backward": f"aten.elu_backward.grad_input(DY, {_SELU}, False, X, grad_input=OUT)",
    "selu_backward_from_output": (
        f"aten.elu_backward.grad_input(DY, {_SELU}, True, Y, grad_input=OUT)"
    ),
    "exponential": "torch.exp(X, out=OUT)",
    "exponential_backward": f"torch.exp(X, out=T){_WITH_Y}",
    "exponential_backward_from_output": "torch.mul(DY, Y, out=OUT)",
    "log1mexp": "torch.neg(X, out=T); T.expm1_(); T.neg_(); torch.log(T, out=OUT)",
    "log1mexp_backward": "torch.expm1(X, out=T); torch.div(DY, T, out=OUT)",
    "log1mexp_backward_from_output": f"torch.neg(Y, out=T); T.expm1_(){_WITH_Y}",
    **_aten("softplus", "softplus", ", 1, 20"),
    "softplus_backward_from_output": (
        "torch.neg(Y, out=T); T.exp_(); torch.addcmul(DY, DY, T, value=-1, out=OUT)"
    ),
    **_aten("softplus_general", "softplus", ", BETA, 20"),
    "log_sigmoid": "aten.log_sigmoid_forward.output(X, output=OUT, buffer=T)",
    # Its own backward wants the buffer of the forward pass, which costs more than this.
    "log_sigmoid_backward": (
        "torch.neg(X, out=T); aten.softplus_backward.grad_input(DY, T, 1, 20, grad_input=OUT)"
    ),
    "log_sigmoid_backward_from_output": (
        "torch.exp(Y, out=T); torch.addcmul(DY, DY, T, value=-1, out=OUT)"
    ),
    **_aten("silu", "silu"),
    "mish": "aten.mish.out(X, out=OUT)",
    "mish_backward": "aten.mish_backward(DY, X)",  # no form with an output
    "tanh_shrink": "torch.tanh(X, out=T); torch.sub(X, T, out=OUT)",
    "tanh_shrink_backward": (
        "torch.tanh(X, out=T); torch.mul(T, T, out=T); torch.mul(DY, T, out=OUT)"
    ),
    **_aten("gelu", "gelu", ", approximate='none'"),
    **_aten("gelu_tanh", "gelu", ", approximate='tanh'"),
}

_BACK = "aten._{}_backward_data.out(DY, Y, axis, X.dtype, {}=OUT)"
_ROWS = {
    "softmax": "torch.softmax(X, axis, out=OUT)",
    "softmax_backward": _BACK.format("softmax", "grad_input"),
    "softmin": "torch.neg(X, out=T); torch.softmax(T, axis, out=OUT)",
    "softmin_backward": f"{_BACK.format('softmax', 'grad_input')}; OUT.neg_()",
    "log_softmax": "torch.log_softmax(X, axis, out=OUT)",
    "log_softmax_backward": _BACK.format("log_softmax", "out"),
    "logsumexp": "torch.logsumexp(X, axis, True, out=REDUCED)",
    "logsumexp_backward": ("torch.softmax(X, axis, out=OUT); torch.mul(OUT, DREDUCED, out=OUT)"),
    "sparsemax": (
        "u = torch.sort(X, axis, descending=True)[0]; r = u.cumsum(axis); "
        "k = (STEPS * u + 1 > r).sum(axis, keepdim=True); "
        "torch.sub(X, (r.gather(axis, k - 1) - 1) / k, out=OUT); OUT.clamp_min_(0)"
    ),
    "sparsemax_backward": (
        "u = Y > 0; torch.mul(DY, u, out=T); "
        "s = T.sum(axis, keepdim=True) / u.sum(axis, keepdim=True); "
        "torch.sub(DY, s, out=T); torch.mul(T, u, out=OUT)"
    ),
}


def _gate(name: str, f: str, gradient: str) -> dict[str, str]:
    """f(a) * b, with gradient that of f times DADY = dy * b."""
    return {
        name: f"{f}; torch.mul(T, B, out=OUT)",
        f"{name}_backward": (f"{f}; torch.mul(DY, T, out=DB); torch.mul(DY, B, out=T); {gradient}"),
    }


_GATES = {
    "glu": "aten.glu.out(X, -1, out=OUT)",
    "glu_backward": "aten.glu_backward.grad_input(DY, X, -1, grad_input=DX)",
    **_gate(
        "swiglu", "aten.silu.out(A, out=T)", "aten.silu_backward.grad_input(T, A, grad_input=DA)"
    ),
    **_gate(
        "geglu",
        "aten.gelu.out(A, approximate='none', out=T)",
        "aten.gelu_backward.grad_input(T, A, approximate='none', grad_input=DA)",
    ),
    **_gate(
        "geglu_tanh",
        "aten.gelu.out(A, approximate='tanh', out=T)",
        "aten.gelu_backward.grad_input(T, A, approximate='tanh', grad_input=DA)",
    ),
    **_gate(
        "reglu",
        "torch.clamp_min(A, 0, out=T)",
        "aten.threshold_backward.grad_input(T, A, 0, grad_input=DA)",
    ),
    "prelu": "torch.prelu(X, ALPHA)",
    "prelu_backward": (
        "u, v = aten._prelu_kernel_backward(DY, X, ALPHA); torch.sum(v, 0, out=DALPHA)"
    ),
}

_LINEAR = {
    "dot": "torch.dot(X, DY)",
    "matmul": "torch.matmul(A, B, out=OUT)",
    "tensordot": "torch.tensordot(A, B, ([1], [0]))",
    "vecdot": "torch.linalg.vecdot(X, Y, out=BY_ROW)",
    "matvec": "torch.mv(X, V, out=BY_ROW)",
    "vecmat": "torch.mv(X.T, U, out=BY_COLUMN)",
    "norm": "torch.linalg.vector_norm(X, 2, axis)",
    "norm_1": "torch.linalg.vector_norm(X, order)",
    "norm_inf": "torch.linalg.vector_norm(X, order)",
    "cosine_similarity": "torch.cosine_similarity(X, Y, -1)",
    "outer": "torch.outer(U, V, out=OUT)",
    "transpose_copy": "TURNED.copy_(X.T)",
    "einsum": "torch.einsum(text, *ARRAYS)",
}
_LAYERS = {
    **{
        f"dense_{name}": (f"torch.addmm(B, X, W, out=OUT); {renamed(_ELEMENTWISE[name], X='OUT')}")
        for name in LAYERS
    },
    **{f"dense_{name}_backward": "layer(X, W, B, DY)" for name in LAYERS},
}
_CHOOSING = {
    "top_k": "torch.topk(X, k)",
    "take": "torch.index_select(X, axis, I)",
    "scatter_add": "X.index_add_(axis, I, VALUES)",
    "one_hot": "torch.nn.functional.one_hot(I, classes).to(OUT.dtype)",
}
# It has products of these dtypes; from_numpy takes others too.
_DTYPES = {"float16", "bfloat16", "float32", "float64", "complex64", "complex128"}
_DTYPES |= {"int8", "int16", "int32", "int64", "uint8"}

_OTHER_NAMES = {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "power": "pow",
    "absolute": "abs",
    "negative": "neg",
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
}
_FUNCTIONS = {
    **{
        name: f"torch.{_OTHER_NAMES.get(name, name)}({', '.join('ABC'[:n])}, out=OUT)"
        for name, n in ELEMENTWISE.items()
        if name != "cbrt"
    },
    "multiply_add": "torch.addcmul(C, A, B, out=OUT)",
    "scale_shift": "torch.addcmul(C, A, B, out=OUT)",
}

STATEMENTS = {
    **_CHOOSING,
    **_FUNCTIONS,
    **_ELEMENTWISE,
    **_ROWS,
    **_GATES,
    **_LINEAR,
    **_LAYERS,
    **_losses.TORCH,
    **_optim.TORCH,
    **_fuse.TORCH,
}


def load(threads: int) -> Namespace:
    """Load torch with so many threads, without the recording of gradients."""
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    return {
        "torch": torch,
        "aten": torch.ops.aten,
        "cross_entropy": _losses.torch_cross_entropy,
        "torch_gradient": _fuse.torch_gradient,
    }


def bind(name: str, operands: Namespace) -> Namespace:
    """Return arrays as tensors of the same memory, numbers as Python's, under upper-case names."""
    dtype = operands["out"].dtype.name
    if dtype not in _DTYPES and not (dtype == "bool" and name in _FUNCTIONS):
        raise UnsupportedError
    if name == "matmul" and operands["a"].dtype != operands["b"].dtype:
        raise UnsupportedError  # which torch does not promote
    tensors: Namespace = {
        key.upper(): _tensor(value) if isinstance(value, np.ndarray) else float(value)
        for key, value in operands.items()
        if isinstance(value, np.ndarray | np.floating)
    }
    if name == "einsum":
        return {**tensors, "ARRAYS": [_tensor(x) for x in operands["arrays"]]}
    if name.startswith("dense_") and name.endswith("_backward"):
        for key in ("X", "W", "B"):
            tensors[key].requires_grad_()
        return {**tensors, "layer": _layer(name.split("_", 1)[1].removesuffix("_backward"))}
    if name in _optim.TORCH:
        return {**tensors, "step": _optim.torch_step(name, tensors["P"], tensors["G"])}
    return tensors


def _tensor(array: Array) -> Any:
    import torch

    if array.dtype.name != "bfloat16":  # which torch cannot take from NumPy
        return torch.from_numpy(array)
    return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)


def _layer(activation: str) -> Callable[..., Any]:
    """Return a dense layer with its gradients by autograd."""
    import torch

    functions: dict[str, Callable[..., Any]] = {
        "relu": torch.relu,
        "gelu": torch.nn.functional.gelu,
        "gelu_tanh": partial(torch.nn.functional.gelu, approximate="tanh"),
        "silu": torch.nn.functional.silu,
        "tanh": torch.tanh,
        "mish": torch.nn.functional.mish,
    }
    function = functions[activation]

    def layer(x: Any, w: Any, b: Any, dy: Any) -> tuple[Any, ...]:
        with torch.enable_grad():
            y = function(torch.addmm(b, x, w))
        return y, *torch.autograd.grad(y, (x, w, b), dy)

    return layer
