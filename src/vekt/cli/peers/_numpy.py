"""NumPy: in place, and with as few passes as it allows."""

from __future__ import annotations

import numpy as np

from vekt._spec.reductions import REDUCTIONS
from vekt._spec.scans import SCANS
from vekt._spec.statistics import STATISTICS
from vekt.cli.peers import _fuse, _losses, _optim
from vekt.cli.peers._names import ELEMENTWISE, GRID, LAYERS, Namespace, renamed

# exp(-x) may become infinite: the results are right all the same.
_SIGMOID = "np.negative(x, t); np.exp(t, t); np.add(t, 1, t); np.reciprocal(t, {to})"
_SIGMOID_SLOPE = "np.subtract(1, {y}, out); np.multiply(out, {y}, out); np.multiply(out, dy, out)"
_TANH_SLOPE = "np.multiply({y}, {y}, t); np.subtract(1, t, t); np.multiply(dy, t, out)"
_GELU_TANH = (
    "np.multiply(x, x, t); np.multiply(t, c3, t); np.add(t, c1, t); np.multiply(t, x, t); "
    "np.tanh(t, t)"
)
_SOFTPLUS_TAIL = "np.abs(x, out=t); np.negative(t, t); np.exp(t, t); np.log1p(t, t)"
_ELU = "np.minimum(x, 0, out=t); np.expm1(t, t); np.maximum(x, 0, out=out); np.add(out, t, out)"
_ELU_SLOPE = "np.minimum(x, 0, out=t); np.exp(t, t); np.multiply(dy, t, out)"
_ELU_SLOPE_OF_Y = "np.minimum(y, 0, out=t); np.add(t, 1, t); np.multiply(dy, t, out)"
_SQUAREPLUS = "np.multiply(x, x, t); np.add(t, b, t); np.sqrt(t, t)"
_SPARSE_SIGMOID = (
    "np.multiply(x, half, {to}); np.add({to}, half, {to}); np.clip({to}, 0, 1, out={to})"
)
_WITH_Y = "; np.multiply(dy, t, out)"

_ELEMENTWISE = {
    "sigmoid": _SIGMOID.format(to="out"),
    "sigmoid_backward": f"{_SIGMOID.format(to='t')}; {_SIGMOID_SLOPE.format(y='t')}",
    "sigmoid_backward_from_output": _SIGMOID_SLOPE.format(y="y"),
    "tanh": "np.tanh(x, out)",
    "tanh_backward": f"np.tanh(x, t); {_TANH_SLOPE.format(y='t')}",
    "tanh_backward_from_output": _TANH_SLOPE.format(y="y"),
    "relu": "np.maximum(x, 0, out=out)",
    "relu_backward": "np.multiply(dy, x > 0, out)",
    "relu_backward_from_output": "np.multiply(dy, y > 0, out)",
    # negative_slope and threshold are 0 in the case that is measured.
    "relu_general": "np.clip(x, 0, max_value, out=out)",
    "relu_general_backward": "np.multiply(dy, (x > 0) & (x < max_value), out)",
    "relu6": "np.clip(x, 0, 6, out=out)",
    "relu6_backward": "np.multiply(dy, (x > 0) & (x < 6), out)",
    "relu6_backward_from_output": "np.multiply(dy, (y > 0) & (y < 6), out)",
    "leaky_relu": "np.multiply(x, negative_slope, out); np.maximum(x, out, out=out)",
    "leaky_relu_backward": (
        "np.multiply(dy, negative_slope, out); np.copyto(out, dy, where=x > 0)"
    ),
    "leaky_relu_backward_from_output": (
        "np.multiply(dy, negative_slope, out); np.copyto(out, dy, where=y > 0)"
    ),
    "hard_tanh": "np.clip(x, min_value, max_value, out=out)",
    "hard_tanh_backward": "np.multiply(dy, (x > min_value) & (x < max_value), out)",
    "hard_tanh_backward_from_output": "np.multiply(dy, (y > min_value) & (y < max_value), out)",
    "hard_sigmoid": (
        "np.multiply(x, sixth, out); np.add(out, half, out); np.clip(out, 0, 1, out=out)"
    ),
    "hard_sigmoid_backward": (
        "np.multiply(dy, sixth, out); np.abs(x, out=t); np.multiply(out, t < 3, out)"
    ),
    "hard_sigmoid_backward_from_output": (
        "np.multiply(dy, sixth, out); np.multiply(out, (y > 0) & (y < 1), out)"
    ),
    "hard_silu": (
        "np.add(x, 3, t); np.clip(t, 0, 6, out=t); np.multiply(t, x, t); np.multiply(t, sixth, out)"
    ),
    "hard_silu_backward": (
        "np.multiply(x, third, t); np.add(t, half, t); np.multiply(t, dy, out); "
        "np.copyto(out, dy, where=x >= 3); np.copyto(out, 0, where=x <= -3)"
    ),
    "soft_shrink": "np.clip(x, -threshold, threshold, out=t); np.subtract(x, t, out)",
    "soft_shrink_backward": "np.abs(x, out=t); np.multiply(dy, t > threshold, out)",
    "soft_shrink_backward_from_output": "np.multiply(dy, y != 0, out)",
    "hard_shrink": "np.abs(x, out=t); np.multiply(x, t > threshold, out)",
    "hard_shrink_backward": "np.abs(x, out=t); np.multiply(dy, t > threshold, out)",
    "threshold": "out.fill(default_value); np.copyto(out, x, where=x > threshold)",
    "threshold_backward": "np.multiply(dy, x > threshold, out)",
    # Below 1 the parabola is the larger one, above it the identity.
    "sparse_plus": (
        "np.clip(x, -1, 1, out=t); np.add(t, 1, t); np.multiply(t, t, t); "
        "np.multiply(t, quarter, t); np.maximum(x, t, out=out)"
    ),
    "sparse_plus_backward": _SPARSE_SIGMOID.format(to="t") + _WITH_Y,
    "sparse_plus_backward_from_output": f"np.minimum(y, 1, out=t); np.sqrt(t, t){_WITH_Y}",
    "sparse_sigmoid": _SPARSE_SIGMOID.format(to="out"),
    "sparse_sigmoid_backward": (
        "np.multiply(dy, half, out); np.abs(x, out=t); np.multiply(out, t < 1, out)"
    ),
    "sparse_sigmoid_backward_from_output": (
        "np.multiply(dy, half, out); np.multiply(out, (y > 0) & (y < 1), out)"
    ),
    "linear": "np.copyto(out, x)",
    "linear_backward": "np.copyto(out, dy)",
    "linear_backward_from_output": "np.copyto(out, dy)",
    "softsign": "np.abs(x, out=t); np.add(t, 1, t); np.divide(x, t, out)",
    "softsign_backward": (
        "np.abs(x, out=t); np.add(t, 1, t); np.multiply(t, t, t); np.divide(dy, t, out)"
    ),
    "softsign_backward_from_output": (
        "np.abs(y, out=t); np.subtract(1, t, t); np.multiply(t, t, t); np.multiply(dy, t, out)"
    ),
    "squareplus": f"{_SQUAREPLUS}; np.add(t, x, t); np.multiply(t, half, out)",
    "squareplus_backward": (
        f"{_SQUAREPLUS}; np.divide(x, t, t); np.add(t, 1, t); np.multiply(t, half, t){_WITH_Y}"
    ),
    "squareplus_backward_from_output": (
        "np.multiply(y, y, t); np.add(t, quarter * b, out); np.divide(t, out, t)" + _WITH_Y
    ),
    # alpha is 1 in the case that is measured.
    "elu": _ELU,
    "elu_backward": _ELU_SLOPE,
    "elu_backward_from_output": _ELU_SLOPE_OF_Y,
    "celu": _ELU,
    "celu_backward": _ELU_SLOPE,
    "celu_backward_from_output": _ELU_SLOPE_OF_Y,
    "selu": (
        "np.minimum(x, 0, out=t); np.expm1(t, t); np.multiply(t, selu_low, t); "
        "np.multiply(x, selu_scale, out); np.maximum(out, 0, out=out); np.add(out, t, out)"
    ),
    "selu_backward": (
        "np.minimum(x, 0, out=t); np.exp(t, t); np.multiply(t, selu_low, t); "
        "np.copyto(t, selu_scale, where=x > 0)" + _WITH_Y
    ),
    "selu_backward_from_output": (
        "np.add(y, selu_low, t); np.copyto(t, selu_scale, where=y > 0)" + _WITH_Y
    ),
    "exponential": "np.exp(x, out)",
    "exponential_backward": f"np.exp(x, t){_WITH_Y}",
    "exponential_backward_from_output": "np.multiply(dy, y, out)",
    "log1mexp": "np.negative(x, t); np.expm1(t, t); np.negative(t, t); np.log(t, out)",
    "log1mexp_backward": "np.expm1(x, t); np.divide(dy, t, out)",
    "log1mexp_backward_from_output": f"np.negative(y, t); np.expm1(t, t){_WITH_Y}",
    "softplus": f"{_SOFTPLUS_TAIL}; np.maximum(x, 0, out=out); np.add(out, t, out)",
    "softplus_backward": _SIGMOID.format(to="t") + _WITH_Y,
    "softplus_backward_from_output": (
        "np.negative(y, t); np.expm1(t, t); np.multiply(dy, t, out); np.negative(out, out)"
    ),
    "softplus_general": (
        "np.multiply(x, beta, out); np.abs(out, out=t); np.negative(t, t); np.exp(t, t); "
        "np.log1p(t, t); np.maximum(out, 0, out=out); np.add(out, t, out); "
        "np.divide(out, beta, out)"
    ),
    "softplus_general_backward": (
        "np.multiply(x, -beta, t); np.exp(t, t); np.add(t, 1, t); np.divide(dy, t, out)"
    ),
    "log_sigmoid": f"{_SOFTPLUS_TAIL}; np.minimum(x, 0, out=out); np.subtract(out, t, out)",
    "log_sigmoid_backward": "np.exp(x, t); np.add(t, 1, t); np.divide(dy, t, out)",
    "log_sigmoid_backward_from_output": (
        "np.expm1(y, t); np.multiply(dy, t, out); np.negative(out, out)"
    ),
    "silu": "np.negative(x, t); np.exp(t, t); np.add(t, 1, t); np.divide(x, t, out)",
    "silu_backward": (
        f"{_SIGMOID.format(to='t')}; np.subtract(1, t, out); np.multiply(out, x, out); "
        "np.add(out, 1, out); np.multiply(out, t, out); np.multiply(out, dy, out)"
    ),
    "mish": "np.exp(x, t); np.log1p(t, t); np.tanh(t, t); np.multiply(x, t, out)",
    # s = tanh(softplus(x)): s + x * sigmoid(x) * (1 - s * s).
    "mish_backward": (
        "np.exp(x, t); np.log1p(t, t); np.tanh(t, t); np.negative(x, out); np.exp(out, out); "
        "np.add(out, 1, out); np.divide(x, out, out); u = t * t; np.subtract(1, u, u); "
        "np.multiply(out, u, out); np.add(out, t, out); np.multiply(out, dy, out)"
    ),
    "tanh_shrink": "np.tanh(x, t); np.subtract(x, t, out)",
    "tanh_shrink_backward": "np.tanh(x, t); np.multiply(t, t, t); np.multiply(dy, t, out)",
    "gelu_tanh": f"{_GELU_TANH}; np.add(t, 1, t); np.multiply(t, x, t); np.multiply(t, half, out)",
    "gelu_tanh_backward": (
        f"{_GELU_TANH}; np.multiply(x, x, out); np.multiply(out, 3 * c3, out); "
        "np.add(out, c1, out); np.multiply(out, x, out); u = 1 - t; np.multiply(out, u, out); "
        "np.add(out, 1, out); np.add(t, 1, t); np.multiply(out, t, out); "
        "np.multiply(out, half, out); np.multiply(out, dy, out)"
    ),
}

# Along `axis`; `r` and `s` are scratch with one number for each row.
_SHIFT = "np.max(x, axis, out=r, keepdims=True); np.subtract(x, r, {to}); "
_EXP_SUM = _SHIFT + "np.exp({to}, {to}); np.sum({to}, axis, out=s, keepdims=True)"
_ROW_BACKWARD = (
    "np.multiply(dy, y, out); np.sum(out, axis, out=r, keepdims=True); np.subtract(dy, r, out); "
    "np.multiply(out, y, out)"
)
_ROWS = {
    "softmax": _EXP_SUM.format(to="out") + "; np.divide(out, s, out)",
    "softmax_backward": _ROW_BACKWARD,
    "softmin": (
        "np.min(x, axis, out=r, keepdims=True); np.subtract(r, x, out); np.exp(out, out); "
        "np.sum(out, axis, out=s, keepdims=True); np.divide(out, s, out)"
    ),
    "softmin_backward": f"{_ROW_BACKWARD}; np.negative(out, out)",
    "log_softmax": (
        _SHIFT.format(to="out")
        + "np.exp(out, t); np.sum(t, axis, out=s, keepdims=True); np.log(s, s); "
        "np.subtract(out, s, out)"
    ),
    "log_softmax_backward": (
        "np.sum(dy, axis, out=r, keepdims=True); np.exp(y, t); np.multiply(t, r, t); "
        "np.subtract(dy, t, out)"
    ),
    "logsumexp": _EXP_SUM.format(to="t") + "; np.log(s, s); np.add(r, s, reduced)",
    "logsumexp_backward": (
        _EXP_SUM.format(to="out") + "; np.divide(dreduced, s, s); np.multiply(out, s, out)"
    ),
    # Martins and Astudillo: the threshold from the sorted row and its running sums.
    "sparsemax": (
        "u = -np.sort(-x, axis); r = np.cumsum(u, axis); s = 1 + steps * u > r; "
        "k = np.count_nonzero(s, axis, keepdims=True); "
        "np.subtract(x, (np.take_along_axis(r, k - 1, axis) - 1) / k.astype(x.dtype), out); "
        "np.maximum(out, 0, out=out)"
    ),
    "sparsemax_backward": (
        "u = y > 0; np.sum(dy, axis, out=r, keepdims=True, where=u); "
        "np.subtract(dy, r / np.count_nonzero(u, axis, keepdims=True).astype(x.dtype), out); "
        "np.multiply(out, u, out)"
    ),
}

_SIGMOID_OF_B = "np.negative(b, t); np.exp(t, t); np.add(t, 1, t); "
_SILU_OF_A = "np.negative(a, t); np.exp(t, t); np.add(t, 1, t); np.reciprocal(t, t); "
_GATES = {
    "glu": f"{_SIGMOID_OF_B}np.divide(a, t, out)",
    "glu_backward": (
        f"{_SIGMOID_OF_B}np.reciprocal(t, t); np.multiply(dy, t, da); np.subtract(1, t, t); "
        "np.multiply(t, da, t); np.multiply(t, a, db)"
    ),
    "swiglu": "np.negative(a, t); np.exp(t, t); np.add(t, 1, t); np.divide(a, t, t); "
    "np.multiply(t, b, out)",
    "swiglu_backward": (
        f"{_SILU_OF_A}np.multiply(a, t, db); np.subtract(a, db, da); np.add(da, 1, da); "
        "np.multiply(da, t, da); np.multiply(da, b, da); np.multiply(da, dy, da); "
        "np.multiply(db, dy, db)"
    ),
    "reglu": "np.maximum(a, 0, out=t); np.multiply(t, b, out)",
    "reglu_backward": ("np.multiply(dy, a > 0, t); np.multiply(t, b, da); np.multiply(t, a, db)"),
    "prelu": "np.multiply(x, alpha, out); np.copyto(out, x, where=x > 0)",
    "prelu_backward": (
        "np.multiply(dy, alpha, out); np.copyto(out, dy, where=x > 0); np.minimum(x, 0, out=t); "
        "np.multiply(t, dy, t); np.sum(t, 0, out=dalpha)"
    ),
}

_HAS_MATVEC = hasattr(np, "matvec")
_LINEAR = {
    "dot": "np.dot(x, dy)",
    "matmul": "np.matmul(a, b, out=out)",
    "matmul_to": "np.matmul(a, b, out=out, dtype=dtype)",
    "tensordot": "np.tensordot(a, b, (1, 0))",
    "vecdot": "np.vecdot(x, y, out=by_row)",
    "matvec": f"np.{'matvec' if _HAS_MATVEC else 'matmul'}(x, v, out=by_row)",
    "vecmat": f"np.{'vecmat' if _HAS_MATVEC else 'matmul'}(u, x, out=by_column)",
    "norm": "np.linalg.norm(x, axis=axis)",
    "norm_1": "np.linalg.norm(x, order)",
    "norm_inf": "np.linalg.norm(x, order)",
    "cosine_similarity": (
        "np.vecdot(x, x, out=r); np.vecdot(y, y, out=s); np.multiply(r, s, r); np.sqrt(r, r); "
        "np.vecdot(x, y, out=s); np.divide(s, r, by_row)"
    ),
    "outer": "np.outer(u, v, out=out)",
    "transpose_copy": "np.copyto(turned, x.T)",
    "einsum": "np.einsum(text, *arrays, optimize=True)",
}


def _layer(activation: str) -> dict[str, str]:
    """Activations in place; gradients from the output where that suffices."""
    forward = _ELEMENTWISE[activation]
    from_output = f"{activation}_backward_from_output"
    backward = _ELEMENTWISE.get(from_output, _ELEMENTWISE[f"{activation}_backward"])
    return {
        f"dense_{activation}": (
            f"np.matmul(x, w, out=out); np.add(out, b, out); {renamed(forward, x='out')}"
        ),
        f"dense_{activation}_backward": (
            f"np.matmul(x, w, out=z); np.add(z, b, z); {renamed(forward, x='z')}; "
            f"{renamed(backward, x='z', y='out', out='dz')}; "
            "np.matmul(x.T, dz, out=dw); np.sum(dz, 0, out=db); np.matmul(dz, w.T, out=dx)"
        ),
    }


_LAYERS = {
    form: statement
    for name in LAYERS
    if name in _ELEMENTWISE
    for form, statement in _layer(name).items()
}

_REDUCTIONS = {name: f"np.{name}(x, axis)" for name in (*REDUCTIONS, *STATISTICS, *SCANS)}
_REDUCTIONS["moments"] = "np.mean(x, axis), np.var(x, axis)"

_CHOOSING = {
    "top_k": (
        "i = np.argpartition(x, x.shape[-1] - k, -1)[:, x.shape[-1] - k:]; "
        "v = np.take_along_axis(x, i, -1); o = np.argsort(v, -1)[:, ::-1]; "
        "np.take_along_axis(v, o, -1); np.take_along_axis(i, o, -1)"
    ),
    "take": "np.take(x, i, axis)",
    "scatter_add": "np.add.at(x, index, values)",
    "one_hot": "np.eye(classes, dtype=out.dtype)[i]",
}

_FUNCTIONS = {
    **{
        name: f"np.{name}({', '.join('abc'[:n])}, out=out)"
        for name, n in ELEMENTWISE.items()
        if hasattr(np, name)
    },
    "rsqrt": "np.sqrt(a, out=out); np.divide(1, out, out=out)",
    "where": "np.copyto(out, np.where(a, b, c))",
    "multiply_add": "np.multiply(a, b, out=out); np.add(out, c, out=out)",
    "scale_shift": "np.multiply(a, b, out=out); np.add(out, c, out=out)",
    GRID: "np.add(a, b, out=out)",
}

STATEMENTS = {
    **_CHOOSING,
    **_FUNCTIONS,
    **_REDUCTIONS,
    **_ELEMENTWISE,
    **_ROWS,
    **_GATES,
    **_LINEAR,
    **_LAYERS,
    **_losses.NUMPY,
    **_optim.NUMPY,
    **_fuse.NUMPY,
}


def load(threads: int) -> Namespace:
    """Nothing to add: NumPy is there."""
    return {}
