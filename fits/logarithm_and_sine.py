"""Fits of the logarithm, the sine, the cosine and the tangent."""

import itertools

import mpmath as mp
import numpy as np
from approximate import (
    Function,
    chebyshev_nodes,
    evaluate,
    interpolate,
    interpolate_at,
    round_to,
    rounding_centre,
    worst,
)
from header import Float, bits, emit


def logarithm_table(dtype: Float, degree: int, unit: int, tolerance: int) -> None:
    """Table and polynomial of log(x) = log(1/c) + log(1 + r), r = x c - 1, for one octave of x.

    Sixteen intervals, even in the bits of x; 1 is in the middle of the tenth, of which c is 1.  The
    others' c are where -log(c) is a multiple of 2^unit, but for 2^tolerance ULP of c.
    """
    one = mp.mpf(1)
    steps = [mp.mpf(2 * i - 19) / 2 for i in range(17)]
    edges = [one + (step / 32 if step < 0 else step / 16) for step in steps]
    logs = [
        rounding_centre(
            dtype,
            mp.nint(mp.log((a + b) / 2) * mp.mpf(2) ** -unit) * mp.mpf(2) ** unit,
            mp.mpf(2) ** unit,
            (lambda y: mp.exp(-y), 2.0**tolerance),
        )
        if not a < 1 < b
        else mp.mpf(0)
        for a, b in itertools.pairwise(edges)
    ]
    inverses = [round_to(dtype, mp.exp(-y)) for y in logs]
    emit("LOG_INVERSE", dtype, inverses, "1/x near the middle of the intervals of log_terms")
    note = f"its -log, a multiple of 2^{unit}: error below 2^{tolerance} ULP of 1/x"
    emit("LOG_TABLE", dtype, logs, note)
    ends = [end * c - 1 for c, pair in zip(inverses, itertools.pairwise(edges), strict=True)
            for end in pair]  # fmt: skip
    low, high = min(ends), max(ends)

    def p(r: mp.mpf) -> mp.mpf:
        return (mp.log1p(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -15 else -one / 2 + r / 3

    def error(r: mp.mpf) -> mp.mpf:
        return (r + r * r * evaluate(c, r)) / mp.log1p(r) - 1

    c = [round_to(dtype, v) for v in interpolate(p, low, high, degree)]
    span = f"{mp.nstr(low, 4)} <= r <= {mp.nstr(high, 4)}"
    note = f"{span}; relative error of log(1 + r) {bits(worst(error, low, high, 401))}"
    emit("LOG_SERIES", dtype, c, f"(log(1 + r) - r)/r^2, {note}")


def nodes_with_zero(high: mp.mpf, count: int) -> list[mp.mpf]:
    """Nodes but 0 of an interpolation that is exact at 0, to evenly small errors up to `high`."""
    first = mp.cos(mp.pi / (2 * count + 2))
    half = high / (1 + first)
    nodes = chebyshev_nodes(half * (first - 1), high, count + 1)
    return sorted(nodes, key=abs)[1:]


def sine_or_cosine(name: str, degree: int, reach: mp.mpf, start: list[mp.mpf], f: Function) -> None:
    """Print p, f(u) = start[0] + start[1] u + ... + u^k p(u) for u <= reach^2, k terms of start."""
    k = len(start)
    nodes = nodes_with_zero(reach**2, degree + 1)
    values = [(f(u) - evaluate(start, u)) / u**k for u in nodes]
    c = [round_to(np.float64, v) for v in interpolate_at(nodes, values)]

    def error(r: mp.mpf) -> mp.mpf:
        return evaluate([*start, *c], r * r) / f(r * r) - 1

    what = "(sin(r)/r - 1)/r^2" if k == 1 else "(cos(r) - 1 + r^2/2)/r^4"
    note = f"|r| <= {mp.nstr(reach, 4)}; relative error {bits(worst(error, reach / 100, reach))}"
    emit(name, np.float64, c, f"{what} in r^2, {note}")


def tangent(name: str, above: int, below: int, reach: mp.mpf) -> None:
    """Print p and q, tan(r) = r (1 + u p(u)) / (1 + u q(u)), u = r^2, of so many terms."""
    nodes = nodes_with_zero(reach**2, above + below)

    def f(u: mp.mpf) -> mp.mpf:
        return mp.tan(mp.sqrt(u)) / mp.sqrt(u)

    rows = [[*(u**k for k in range(above)), *(-f(u) * u**k for k in range(below))] for u in nodes]
    right = [(f(u) - 1) / u for u in nodes]
    both = [round_to(np.float64, v) for v in mp.lu_solve(mp.matrix(rows), mp.matrix(right))]
    p, q = both[:above], both[above:]

    def error(r: mp.mpf) -> mp.mpf:
        u = r * r
        return (1 + u * evaluate(p, u)) / (1 + u * evaluate(q, u)) / f(u) - 1

    note = f"|r| <= {mp.nstr(reach, 4)}; relative error {bits(worst(error, reach / 100, reach))}"
    emit(f"{name}_ABOVE", np.float64, p, f"tan(r)/r = (1 + u p)/(1 + u q), u = r^2: p; {note}")
    emit(f"{name}_BELOW", np.float64, q, "q")


def logarithm_and_sine() -> None:
    """Print what log, sin, cos and tan take."""
    logarithm_table(np.float32, 3, -17, -11)
    logarithm_table(np.float64, 8, -42, -12)
    longer = mp.mpf("1.001")
    one = mp.mpf(1)

    def sine(u: mp.mpf) -> mp.mpf:
        return mp.sinc(mp.sqrt(u))

    sine_or_cosine("SIN", 5, mp.pi / 4 * longer, [one], sine)
    sine_or_cosine("COS", 5, mp.pi / 4 * longer, [one, -one / 2], lambda u: mp.cos(mp.sqrt(u)))
    sine_or_cosine("SIN_SHORT", 4, mp.pi / 2 * longer, [one], sine)
    tangent("TAN", 2, 5, mp.pi / 4 * longer)
    tangent("TAN_SHORT", 2, 2, mp.pi / 4 * longer)
    for name, value in (("HALF_PI", mp.pi / 2), ("PI", mp.pi)):
        words = []
        for _ in range(3 if name == "HALF_PI" else 2):
            words.append(round_to(np.float64, value - sum(words)))
        note = f"{name.replace('HALF_PI', 'pi/2').lower()} in words"
        emit(name, np.float64, words, note, least=2.0**-150)
