"""SciPy's special functions."""

from __future__ import annotations

from vekt.cli.peers._names import LAYERS, Namespace, renamed, require_floats

_TIMES_DY = "np.multiply(t, dy, out)"
_SIGMOID_SLOPE = "np.subtract(1, t, out); np.multiply(out, t, out); np.multiply(out, dy, out)"

_ELEMENTWISE = {
    "sigmoid": "special.expit(x, out)",
    "sigmoid_backward": f"special.expit(x, t); {_SIGMOID_SLOPE}",
    "silu": "special.expit(x, out); np.multiply(out, x, out)",
    "silu_backward": (
        "special.expit(x, t); np.subtract(1, t, out); np.multiply(out, x, out); "
        "np.add(out, 1, out); np.multiply(out, t, out); np.multiply(out, dy, out)"
    ),
    "softplus": "np.negative(x, t); special.log_expit(t, out); np.negative(out, out)",
    "softplus_backward": f"special.expit(x, t); {_TIMES_DY}",
    "softplus_general": (
        "np.multiply(x, -beta, t); special.log_expit(t, out); np.divide(out, -beta, out)"
    ),
    "softplus_general_backward": f"np.multiply(x, beta, t); special.expit(t, t); {_TIMES_DY}",
    "log_sigmoid": "special.log_expit(x, out)",
    "log_sigmoid_backward": f"np.negative(x, t); special.expit(t, t); {_TIMES_DY}",
    "mish": (
        "np.negative(x, t); special.log_expit(t, t); np.tanh(t, t); np.multiply(x, t, out); "
        "np.negative(out, out)"
    ),
    "gelu": "special.ndtr(x, out); np.multiply(out, x, out)",
    "gelu_backward": (
        "special.ndtr(x, t); np.multiply(x, x, out); np.multiply(out, -half, out); "
        "np.exp(out, out); np.multiply(out, pdf0, out); np.multiply(out, x, out); "
        "np.add(out, t, out); np.multiply(out, dy, out)"
    ),
}

_ROWS = {
    "softmax": "special.softmax(x, axis=axis)",
    "softmin": "special.softmax(-x, axis=axis)",
    "log_softmax": "special.log_softmax(x, axis=axis)",
    "logsumexp": "special.logsumexp(x, axis=axis, keepdims=True)",
    "logsumexp_backward": "np.multiply(special.softmax(x, axis=axis), dreduced, out)",
}

_GATES = {
    "glu": "special.expit(b, t); np.multiply(a, t, out)",
    "glu_backward": (
        "special.expit(b, t); np.multiply(dy, t, da); np.subtract(1, t, t); "
        "np.multiply(t, da, t); np.multiply(t, a, db)"
    ),
    "swiglu": "special.expit(a, t); np.multiply(a, t, t); np.multiply(t, b, out)",
    "geglu": "special.ndtr(a, t); np.multiply(t, a, t); np.multiply(t, b, out)",
    "geglu_backward": (
        "special.ndtr(a, t); np.multiply(a, t, db); np.multiply(a, a, da); "
        "np.multiply(da, -half, da); np.exp(da, da); np.multiply(da, pdf0, da); "
        "np.multiply(da, a, da); np.add(da, t, da); np.multiply(da, b, da); "
        "np.multiply(da, dy, da); np.multiply(db, dy, db)"
    ),
}


def _layer(activation: str) -> dict[str, str]:
    """NumPy's product with these activations, which cannot work in place."""
    forward = "np.matmul(x, w, out=z); np.add(z, b, z); "
    backward = renamed(_ELEMENTWISE[f"{activation}_backward"], x="z", out="dz")
    return {
        f"dense_{activation}": forward + renamed(_ELEMENTWISE[activation], x="z"),
        f"dense_{activation}_backward": (
            f"{forward}{renamed(_ELEMENTWISE[activation], x='z')}; {backward}; "
            "np.matmul(x.T, dz, out=dw); np.sum(dz, 0, out=db); np.matmul(dz, w.T, out=dx)"
        ),
    }


_LAYERS = {
    form: statement
    for name in LAYERS
    if f"{name}_backward" in _ELEMENTWISE
    for form, statement in _layer(name).items()
}

_FUNCTIONS = {name: f"special.{name}(a, out)" for name in ("erf", "erfc", "expm1", "log1p", "exp2")}

STATEMENTS = {**_FUNCTIONS, "dot": "blas_dot(x, dy)", **_ELEMENTWISE, **_ROWS, **_GATES, **_LAYERS}


def load(threads: int) -> Namespace:
    """Load what the statements name."""
    from scipy import special

    return {"special": special}


def bind(name: str, operands: Namespace) -> Namespace:
    """Choose the BLAS function of the dtype."""
    require_floats(operands)
    if name != "dot":
        return {}
    from scipy.linalg.blas import get_blas_funcs

    return {"blas_dot": get_blas_funcs("dot", dtype=operands["x"].dtype)}
