"""Derivatives of activations with respect to their parameters, and of losses by their targets.

A rule gets an `Algebra`, the result's gradient dy, and the operands x and parameters, and gives
one gradient for each parameter, or None where the result does not depend on it smoothly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vekt._fuse.graph import Node

if TYPE_CHECKING:
    from vekt._fuse.rules import Algebra

Gradients = Sequence[Node | None]


def _relu_general(
    a: Algebra, dy: Node, x: Node, slope: Node, cap: Node, threshold: Node
) -> Gradients:
    zero = a.zero(dy)
    below, capped = a.less_equal(x, threshold), a.greater_equal(x, cap)
    return [
        a.where(a.greater(x, threshold), zero, a.times(dy, a.subtract(x, threshold))),
        a.where(capped, dy, zero),
        a.where(below, a.times(dy, a.negative(slope)), zero),
    ]


def _leaky_relu(a: Algebra, dy: Node, x: Node, slope: Node) -> Gradients:
    return [a.where(a.greater(x, 0), a.zero(dy), a.times(dy, x))]


def _hard_tanh(a: Algebra, dy: Node, x: Node, low: Node, high: Node) -> Gradients:
    zero = a.zero(dy)
    return [
        a.where(a.less_equal(x, low), dy, zero),
        a.where(a.greater_equal(x, high), dy, zero),
    ]


def _soft_shrink(a: Algebra, dy: Node, x: Node, threshold: Node) -> Gradients:
    toward_zero = a.negative(a.times(dy, a.sign(x)))
    return [a.where(a.greater(a.absolute(x), threshold), toward_zero, a.zero(dy))]


def _hard_shrink(a: Algebra, dy: Node, x: Node, threshold: Node) -> Gradients:
    return [None]


def _threshold(a: Algebra, dy: Node, x: Node, threshold: Node, default: Node) -> Gradients:
    return [None, a.where(a.greater(x, threshold), a.zero(dy), dy)]


def _squareplus(a: Algebra, dy: Node, x: Node, b: Node) -> Gradients:
    return [a.over(dy, a.multiply(a.sqrt(a.add(a.square(x), b)), 4.0))]


def _softplus_general(a: Algebra, dy: Node, x: Node, beta: Node) -> Gradients:
    # softplus(z) - z sigmoid(z) is even: at -|z| it loses no digits.  Beyond 1000 it is 0.
    z = a.negative(a.minimum(a.absolute(a.multiply(beta, x)), 1000.0))
    power = a.exp(z)
    even = a.subtract(a.log1p(power), a.divide(a.multiply(z, power), a.add(power, 1.0)))
    return [a.negative(a.times(dy, a.divide(even, a.square(beta))))]


def _elu(a: Algebra, dy: Node, x: Node, alpha: Node) -> Gradients:
    return [a.where(a.greater(x, 0), a.zero(dy), a.times(dy, a.expm1(x)))]


def _celu(a: Algebra, dy: Node, x: Node, alpha: Node) -> Gradients:
    quotient = a.maximum(a.divide(x, alpha), -1000.0)  # infinity times exp's 0 would be NaN
    slope = a.subtract(a.expm1(quotient), a.multiply(quotient, a.exp(quotient)))
    return [a.where(a.greater(x, 0), a.zero(dy), a.times(dy, slope))]


def _squared_error(a: Algebra, dy: Node, y: Node, t: Node) -> Gradients:
    return [a.times(dy, a.multiply(a.subtract(t, y), 2.0))]


def _huber(a: Algebra, dy: Node, y: Node, t: Node, delta: Node) -> Gradients:
    d = a.subtract(t, y)
    beyond = a.subtract(a.absolute(d), delta)
    inside = a.less_equal(beyond, 0)
    slope = a.where(inside, d, a.times(delta, a.sign(d)))
    return [a.times(dy, slope), a.where(inside, a.zero(dy), a.times(dy, beyond))]


def _sigmoid_cross_entropy(a: Algebra, dy: Node, z: Node, t: Node) -> Gradients:
    return [a.times(dy, a.negative(z))]


def _binary_cross_entropy(a: Algebra, dy: Node, p: Node, t: Node) -> Gradients:
    return [a.times(dy, a.subtract(a.log1p(a.negative(p)), a.log(p)))]


PARAMETERS: dict[str, Callable[..., Gradients]] = {
    "relu_general": _relu_general,
    "leaky_relu": _leaky_relu,
    "hard_tanh": _hard_tanh,
    "soft_shrink": _soft_shrink,
    "hard_shrink": _hard_shrink,
    "threshold": _threshold,
    "squareplus": _squareplus,
    "softplus_general": _softplus_general,
    "elu": _elu,
    "celu": _celu,
    "squared_error": _squared_error,
    "huber": _huber,
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
}
