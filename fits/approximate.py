"""Polynomial fits in multiple precision.

A polynomial that interpolates at Chebyshev nodes is within a small factor of the minimax error,
needs no iteration, and on the short intervals used here costs less than one bit against Remez.
"""

from collections.abc import Callable

import mpmath as mp
import numpy as np

mp.mp.dps = 60

Function = Callable[[mp.mpf], mp.mpf]


def chebyshev_nodes(low: mp.mpf, high: mp.mpf, count: int) -> list[mp.mpf]:
    """Zeros of the Chebyshev polynomial of degree `count`, moved to [low, high]."""
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle + half * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def interpolate(f: Function, low: mp.mpf, high: mp.mpf, degree: int) -> list[mp.mpf]:
    """Coefficients, lowest first, of the polynomial equal to `f` at degree+1 Chebyshev nodes."""
    nodes = chebyshev_nodes(mp.mpf(low), mp.mpf(high), degree + 1)
    return interpolate_at(nodes, [f(x) for x in nodes])


def interpolate_at(nodes: list[mp.mpf], values: list[mp.mpf]) -> list[mp.mpf]:
    """Coefficients, lowest first, of the polynomial through points (Newton's form, expanded)."""
    table = list(values)
    for order in range(1, len(nodes)):
        for i in range(len(nodes) - 1, order - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - order])
    coefficients = [mp.mpf(0)]
    for node, value in zip(reversed(nodes), reversed(table), strict=True):
        shifted = [mp.mpf(0), *coefficients]
        for i, c in enumerate(coefficients):
            shifted[i] -= node * c
        shifted[0] += value
        coefficients = shifted
    return coefficients[: len(nodes)]


def evaluate(coefficients: list[mp.mpf], x: mp.mpf) -> mp.mpf:
    """Value at `x` of the polynomial with these coefficients, lowest first."""
    total = mp.mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def round_to(dtype: type[np.floating], x: mp.mpf) -> mp.mpf:
    """Nearest number of `dtype`, as a multiple-precision number."""
    digits = 24 if dtype is np.float32 else 53
    with mp.workprec(digits):
        return +x


def rounding_error(dtype: type[np.floating], x: mp.mpf) -> mp.mpf:
    """Distance of `x` to the nearest number of `dtype`, in units of its last place."""
    digits = 24 if dtype is np.float32 else 53
    ulp = mp.mpf(2) ** (mp.floor(mp.log(abs(x), 2)) - digits + 1) if x else mp.mpf(1)
    return abs(round_to(dtype, x) - x) / ulp


def worst(error: Function, low: mp.mpf, high: mp.mpf, points: int = 400) -> mp.mpf:
    """Largest |error| on an even grid."""
    return max(abs(error(x)) for x in mp.linspace(low, high, points))


def rounding_centre(
    dtype: type[np.floating],
    nominal: mp.mpf,
    step: mp.mpf,
    *tolerances: tuple[Function, float],
) -> mp.mpf:
    """Point near `nominal` where each function is within its tolerance, in ULP, of a number.

    S. Gal's accurate tables (1986): the point moves by multiples of `step` until the rounding
    errors of all the table's values vanish, so that no second word of them is needed.
    """
    for i in range(1_000_000):
        centre = nominal + (i // 2 if i % 2 else -(i // 2)) * step
        if all(rounding_error(dtype, f(centre)) <= tolerance for f, tolerance in tolerances):
            return centre
    raise ValueError(f"no centre near {nominal}")
