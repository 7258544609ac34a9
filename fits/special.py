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


def short_logarithm(name: str, base: int, unit: int) -> None:
    """Print tables and p of a logarithm to a base, for floats: log(1 + r) is r/ln(base) + r^2 p(r).

    Of the 32 intervals sixteen are of [1, 3/2), the others of [3/4, 1): a row is what the upper
    five bits of the fraction say.  The inverses are 1 around 1; in the intervals next to these they
    belong to the near end, and are more accurate, since there r and errors count most.
    """
    dtype, one, factor = np.float32, mp.mpf(1), 1 / mp.log(base)
    first = round_to(dtype, factor)
    edges = [((one + mp.mpf(i) / 32) / (1 if i < 16 else 2), one / (32 if i < 16 else 64))
             for i in range(32)]  # fmt: skip
    near = {1: one + one / 32, 30: one - one / 64}
    grid = mp.mpf(2) ** unit
    logs = [
        rounding_centre(
            dtype,
            mp.nint(mp.log(near.get(i, low + width / 2)) * factor / grid) * grid,
            grid,
            (lambda y: mp.exp(-y / factor), 2.0**-10 if i in near else 2.0**-8),
        )
        if i not in (0, 31)
        else mp.mpf(0)
        for i, (low, width) in enumerate(edges)
    ]
    inverses = [round_to(dtype, mp.exp(-y / factor)) for y in logs]
    ends = [end * c - 1 for c, (low, width) in zip(inverses, edges, strict=True)
            for end in (low, low + width)]  # fmt: skip
    low, high = min(ends), max(ends)

    def p(r: mp.mpf) -> mp.mpf:
        return (mp.log1p(r) - r) / r**2 * factor if abs(r) > _TINY else (-0.5 + r / 3) * factor

    def error(r: mp.mpf) -> mp.mpf:
        return (r * factor + r * r * evaluate(c, r)) / (mp.log1p(r) * factor) - 1

    c = [round_to(dtype, v) for v in interpolate(p, low, high, 3)]
    note = f"relative error {bits(worst(error, low, high, 401))}"
    emit(f"{name}_FACTOR", dtype, [first, factor - first], f"1/ln({base}), in two words")
    emit(f"{name}_INVERSE", dtype, inverses, "1/x near the middle of intervals of [3/4, 3/2)")
    emit(f"{name}_TABLE", dtype, logs, f"its -log to the base {base}, a multiple of 2^{unit}")
    emit(f"{name}_SERIES", dtype, c, f"(log(1 + r) - r)/(r^2 ln({base})); {note}")


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
    for name, base, unit in (("LOG2", 2, -16), ("LOG10", 10, -18)):
        short_logarithm(name, base, unit)
        logarithm_table(name, base, 9, -42, -12)
