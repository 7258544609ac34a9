"""Fits of the error functions, logarithms to other bases, powers of 2 and sinh."""

import itertools
from collections.abc import Callable

import mpmath as mp
import numpy as np
from approximate import (
    Function,
    evaluate,
    interpolate,
    interpolate_at,
    round_to,
    rounding_centre,
    worst,
)
from header import Float, bits, emit
from logarithm_and_sine import nodes_with_zero

_TINY = mp.mpf(10) ** -25
ERF_REACH = {np.float32: mp.mpf("3.96"), np.float64: mp.mpf("5.93")}


def erf_over_x(t: mp.mpf) -> mp.mpf:
    """erf(t)/t."""
    return mp.erf(t) / t if abs(t) > _TINY else 2 / mp.sqrt(mp.pi)


def scaled_erfc(t: mp.mpf) -> mp.mpf:
    """exp(t^2) erfc(t)."""
    return mp.erfc(t) * mp.exp(t * t)


def even_series(
    name: str,
    dtype: Float,
    degree: int,
    reach: mp.mpf,
    start: list[mp.mpf],
    f: Function,
    what: str,
) -> None:
    """Print p, f(u) = start[0] + ... + u^k p(u) for u <= reach^2, k terms of start."""
    k = len(start)
    nodes = nodes_with_zero(reach**2, degree + 1)
    values = [(f(u) - evaluate(start, u)) / u**k for u in nodes]
    c = [round_to(dtype, v) for v in interpolate_at(nodes, values)]

    def error(r: mp.mpf) -> mp.mpf:
        return evaluate([*start, *c], r * r) / f(r * r) - 1

    note = f"|r| <= {mp.nstr(reach, 4)}; relative error {bits(worst(error, reach / 100, reach))}"
    emit(name, dtype, c, f"{what} in r^2, {note}")


def sinh_over_r(u: mp.mpf) -> mp.mpf:
    """sinh(r)/r, u = r^2."""
    r = mp.sqrt(u)
    return mp.sinh(r) / r if u > _TINY else 1 + u / 6


def power_series() -> None:
    """Print p, 2^r = 1 + r p(r) for |r| <= 1/2, for floats."""

    def p(r: mp.mpf) -> mp.mpf:
        return mp.expm1(r * mp.log(2)) / r if abs(r) > _TINY else mp.log(2)

    def error(r: mp.mpf) -> mp.mpf:
        return (1 + r * evaluate(c, r)) / mp.mpf(2) ** r - 1

    half = mp.mpf("0.5001")
    c = [round_to(np.float32, v) for v in interpolate(p, -half, half, 5)]
    note = f"|r| <= 1/2; relative error {bits(worst(error, -half, half))}"
    emit("EXP2_SERIES", np.float32, c, f"(2^r - 1)/r, {note}")


def logarithm_series(name: str, base: int, degree: int) -> None:
    """Print log(1 + m) in a base, for floats: two words of the first coefficient, and the rest."""
    dtype, factor = np.float32, 1 / mp.log(base)
    low, high = mp.sqrt(mp.mpf(1) / 2) - 1, mp.sqrt(2) - 1
    first = round_to(dtype, factor)

    def rest(m: mp.mpf) -> mp.mpf:
        return (mp.log1p(m) - m) / m**2 * factor if abs(m) > _TINY else (-0.5 + m / 3) * factor

    def error(m: mp.mpf) -> mp.mpf:
        return (m * factor + m * m * evaluate(c, m)) / (mp.log1p(m) * factor) - 1

    c = [round_to(dtype, v) for v in interpolate(rest, low, high, degree)]
    note = f"relative error {bits(worst(error, low, high, 401))}"
    emit(f"{name}_FACTOR", dtype, [first, factor - first], f"1/log({base}), in two words")
    emit(
        name, dtype, c, f"(log(1 + m)/log({base}) - m/log({base}))/m^2, roots of 1/2 and 2; {note}"
    )


def logarithm_table(name: str, base: int, degree: int, unit: int, tolerance: int) -> None:
    """Print a table as log has one, for doubles, of a logarithm to another base.

    The intervals are those of log; log(1 + r) to the base is r p(r).
    """
    dtype, one, factor = np.float64, mp.mpf(1), 1 / mp.log(base)
    steps = [mp.mpf(2 * i - 19) / 2 for i in range(17)]
    edges = [one + (step / 32 if step < 0 else step / 16) for step in steps]
    logs = [
        rounding_centre(
            dtype,
            mp.nint(mp.log((a + b) / 2) * factor * mp.mpf(2) ** -unit) * mp.mpf(2) ** unit,
            mp.mpf(2) ** unit,
            (lambda y: mp.exp(-y / factor), 2.0**tolerance),
        )
        if not a < 1 < b
        else mp.mpf(0)
        for a, b in itertools.pairwise(edges)
    ]
    inverses = [round_to(dtype, mp.exp(-y / factor)) for y in logs]
    emit(f"{name}_INVERSE", dtype, inverses, "1/x near the middle of the intervals of log")
    emit(f"{name}_TABLE", dtype, logs, f"its -log to the base {base}, a multiple of 2^{unit}")
    ends = [end * c - 1 for c, pair in zip(inverses, itertools.pairwise(edges), strict=True)
            for end in pair]  # fmt: skip
    low, high = min(ends), max(ends)

    def p(r: mp.mpf) -> mp.mpf:
        return (mp.log1p(r) / r if abs(r) > _TINY else 1 - r / 2) * factor

    def error(r: mp.mpf) -> mp.mpf:
        return evaluate(c, r) / p(r) - 1

    c = [round_to(dtype, v) for v in interpolate(p, low, high, degree)]
    note = f"relative error {bits(worst(error, low, high, 401))}"
    emit(f"{name}_SERIES", dtype, c, f"log(1 + r)/(r log({base})); {note}")


def special(piecewise: Callable[..., None], octave_edges: Callable[..., list[mp.mpf]]) -> None:
    """Print what these functions take."""
    for dtype, degree, offset, first in ((np.float32, 6, 1, 12), (np.float64, 15, 2, 0)):
        spacing = ERF_REACH[dtype] / 16
        # The first interval's centre is not 0: there erf(t)/t would round badly.
        near = rounding_centre(dtype, spacing / 2, mp.mpf(2) ** -18, (erf_over_x, 2.0**-8))
        edges = [i * spacing for i in range(17)]
        piecewise("ERF", erf_over_x, dtype, edges, degree, centres={0: near}, refit=True)
        piecewise("ERFC", scaled_erfc, dtype, octave_edges(offset), degree + 1, first=first)
    one, longer = mp.mpf(1), mp.mpf("1.001")
    what = "(sinh(r)/r - 1)/r^2"
    even_series("SINH", np.float32, 3, longer, [one], sinh_over_r, what)
    even_series("SINH", np.float64, 7, longer, [one], sinh_over_r, what)
    power_series()
    for name, base, degree in (("LOG2", 2, 9), ("LOG10", 10, 8)):
        logarithm_series(name, base, degree)
        logarithm_table(name, base, 9, -42, -12)
