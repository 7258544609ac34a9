"""Both forms of gelu.

In the tails the small factor of the exponential comes last, so that numbers near the smallest
normal one keep their digits.
"""

from __future__ import annotations

from vekt._spec.activations import GELU_TANH_K1, GELU_TANH_K3
from vekt._spec.math import constant_pair
from vekt.jit._math import exp_parts, tail_or, two_product
from vekt.jit._normal import gaussian_parts, scaled_normal_slope, scaled_normal_tail
from vekt.jit._scalars._enter import scalar

_FAR = 40.0
_K1, _K1_LOW = constant_pair(GELU_TANH_K1)
_K3, _K3_LOW = constant_pair(GELU_TANH_K3)


@scalar
def gelu(x: float) -> tuple[float, float]:
    t = _FAR if abs(x) > _FAR else abs(x)
    density, scale = gaussian_parts(t, 0.5)
    below = t * scaled_normal_tail(t) * density * scale
    slope = scaled_normal_slope(t) * density * scale
    return (-below if x < 0.0 else x - below), (slope if x < 0.0 else 1.0 - slope)


@scalar
def gelu_tanh(x: float) -> tuple[float, float]:
    # x * sigmoid(v); v = x * (K1 + K3 * x**2) is a sum of two, as exp would magnify its error.
    t = _FAR if abs(x) > _FAR else abs(x)
    square, square_low = two_product(t, t)
    cubic, cubic_low = two_product(_K3, square)
    larger = _K1 if cubic < _K1 else cubic
    smaller = cubic if cubic < _K1 else _K1
    factor = larger + smaller
    factor_low = smaller - (factor - larger) + cubic_low + _K3 * square_low + _K3_LOW * square
    v, v_low = two_product(t, factor)
    part, scale = exp_parts(-v, -(v_low + t * (factor_low + _K1_LOW)))
    whole = 1.0 + part * scale
    bend = t * (_K1 + 3.0 * _K3 * square)
    negative = x < 0.0
    value = tail_or(negative, -t * part, scale, x, whole)
    below, above = (whole - bend) * part, whole + bend * part * scale
    return value, tail_or(negative, below, scale, above, whole * whole)
