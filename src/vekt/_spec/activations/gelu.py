"""x times the normal distribution function, and its approximation."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.activations.logistic import sigmoid
from vekt._spec.math import (
    INV_SQRT_2PI,
    constant,
    exp_sum,
    from_root,
    gaussian,
    scaled_normal_tail,
    two_product,
)
from vekt._spec.pointwise import activation
from vekt._spec.spec import Kernel, Param, inf, ulp

# Every exponential tail below has underflowed here, in every dtype.
_FAR = 200.0


def _gelu(x: Any) -> Any:
    t = np.minimum(np.abs(x), _FAR)
    size = np.abs(np.maximum(x, 0) - t * gaussian(t) * scaled_normal_tail(t))
    return np.copysign(np.where(t < 1e-30, t / 2, size), x)  # exact where that is a tie


def _gelu_gradient(x: Any) -> Any:
    return from_root(x, _GELU_ROOT, _gelu_curvature, _gelu_gradient_far)


def _gelu_gradient_far(x: Any) -> Any:
    t = np.minimum(np.abs(x), _FAR)
    tail = gaussian(t) * (scaled_normal_tail(t) - t * constant(INV_SQRT_2PI, x.dtype)[0])
    return np.where(x < 0, tail, 1 - tail)


def _gelu_curvature(x: Any) -> Any:
    return gaussian(x) * constant(INV_SQRT_2PI, x.dtype)[0] * (2 - x * x)


_GELU_ROOT = "-0.75179152469356445745790494677952403966447115342345"

# gelu_tanh(x) = x * sigmoid(v) with v = x * (K1 + K3 * x**2): K1 = sqrt(8/pi), K3 = 0.044715 K1.
GELU_TANH_K1 = "1.59576912160573071175978423973752747390343452465974"
GELU_TANH_K3 = "0.07135481627260024877633875227986354099559207477016"
_GELU_TANH_ROOT = "-0.75246142207101625848795444328891609060539217803763"


def _gelu_tanh_exponential(x: Any) -> Any:
    """exp(-abs(v)) with v kept as a sum of two numbers, as its error would be magnified."""
    (k1, k1_low), (k3, k3_low) = constant(GELU_TANH_K1, x.dtype), constant(GELU_TANH_K3, x.dtype)
    t = np.minimum(np.abs(x), _FAR)
    square, square_low = two_product(t, t)
    cubic, cubic_low = two_product(k3, square)
    factor = k1 + cubic
    larger, smaller = np.maximum(k1, cubic), np.minimum(k1, cubic)
    factor_low = smaller - (factor - larger) + (cubic_low + k3 * square_low + k3_low * square)
    v, v_low = two_product(t, factor)
    return exp_sum(-v, -(v_low + t * (factor_low + k1_low)))


def _gelu_tanh(x: Any) -> Any:
    e = _gelu_tanh_exponential(x)
    return np.maximum(x, -_FAR) * np.where(x < 0, e, 1) / (1 + e)


def _gelu_tanh_gradient(x: Any) -> Any:
    return from_root(x, _GELU_TANH_ROOT, _gelu_tanh_curvature, _gelu_tanh_gradient_far)


def _gelu_tanh_gradient_far(x: Any) -> Any:
    e = _gelu_tanh_exponential(x)
    x = np.clip(x, -_FAR, _FAR)
    slope = constant(GELU_TANH_K1, x.dtype)[0] + 3 * constant(GELU_TANH_K3, x.dtype)[0] * x * x
    # e before a negative sum, so that the sign stays where it underflows
    factor, rest = np.where(x < 0, e, 1), np.where(x < 0, 1, e)
    return factor * (1 + x * slope * rest / (1 + e)) / (1 + e)


def _gelu_tanh_curvature(x: Any) -> Any:
    k1, k3 = constant(GELU_TANH_K1, x.dtype)[0], constant(GELU_TANH_K3, x.dtype)[0]
    slope = k1 + 3 * k3 * x * x
    s = sigmoid(x * (k1 + k3 * x * x))
    return s * (1 - s) * (2 * slope + x * ((1 - 2 * s) * slope * slope + 6 * k3 * x))


# x (1 + t) / 2 with t = tanh(u); 2 u = x (K1 + K3 x^2).
_U = f"(x * ({GELU_TANH_K1} + {GELU_TANH_K3} * x * x) / 2)"
_DU = f"({GELU_TANH_K1} + 3 * {GELU_TANH_K3} * x * x) / 2"
_GELU_TANH_CURVATURE = (
    f"d_tanh({_U}) * ({_DU} + 1.5 * {GELU_TANH_K3} * x * x - x * tanh({_U}) * ({_DU})**2)"
)

_GELU = activation(
    name="gelu",
    summary="Gaussian error linear unit.",
    params=(
        Param("approximate", False, "Whether to use the tanh form in place of erf.", kind="flag"),
    ),
    kernels=(
        Kernel(
            name="gelu",
            value=_gelu,
            gradient=_gelu_gradient,
            flags={"approximate": False},
            formula="x * (1 + erf(x / sqrt(2))) / 2",
            gradient_formula="(1 + erf(x / sqrt(2))) / 2 + x * exp(-x**2 / 2) / sqrt(2 * pi)",
            curvature="(2 - x * x) * exp(-0.5 * x * x) / sqrt(2 * pi)",
            range=(-0.16997120747990369, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(-0.1587, 0.0, 1.9545),
            gradient_example=(-0.0833, 0.5, 1.0852),
            roots=(_GELU_ROOT,),
            jit_max_ulp=ulp(1, 5),
            jit_gradient_max_ulp=ulp(1, 5),
        ),
        Kernel(
            name="gelu_tanh",
            value=_gelu_tanh,
            gradient=_gelu_tanh_gradient,
            flags={"approximate": True},
            formula="x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2",
            gradient_formula=(
                "(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2 + x * (1 + 0.134145 * x**2) "
                "* (1 - tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))**2) / sqrt(2 * pi)"
            ),
            curvature=_GELU_TANH_CURVATURE,
            range=(-0.17004075057125406, inf),
            limits=(0.0, inf),
            gradient_limits=(0.0, 1.0),
            example=(-0.1588, 0.0, 1.9546),
            gradient_example=(-0.083, 0.5, 1.0861),
            roots=(_GELU_TANH_ROOT,),
            jit_max_ulp=ulp(1, 4),
            jit_gradient_max_ulp=ulp(1, 16),
        ),
    ),
    source="D. Hendrycks, K. Gimpel, arXiv:1606.08415 (2016).",
    use="Feed-forward layers of transformers; a smooth relu.",
    cost="One exponential, a rational function and one division.",
    compat=(
        "approximate=False is the default of Keras and torch; JAX approximates by default. "
        "In float32, torch's exact form has no correct digit from x = -5.5 down, and the "
        "approximate form of torch and of JAX has none from x = -5.1 down. JAX's exact form has "
        "erfc and keeps five digits: at -6 it gives -5.9195377e-09, where vekt gives "
        "-5.9195258e-09; from x = -13.1 down it gives 0. At -inf they give NaN (torch's exact "
        "form at inf, too), as their gradients do at both infinities and the approximate ones "
        "from where x**3 overflows; here these are the limits."
    ),
)
