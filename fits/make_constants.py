"""Print csrc/vmath/constants.h: every polynomial and table of the kernels, with the error of each fit.

    python fits/make_constants.py > csrc/vmath/constants.h

Needs mpmath and NumPy; takes about two minutes.
"""

import functools
import itertools

import mpmath as mp
import numpy as np
from approximate import (
    evaluate,
    interpolate,
    interpolate_at,
    chebyshev_nodes,
    round_to,
    rounding_centre,
    worst,
)

SUFFIX = {np.float32: "f32", np.float64: "f64"}
HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.001")
GELU_TANH_A = 2 * mp.sqrt(2 / mp.pi)  # z = x (A + B x^2), gelu = x sigmoid(z)
GELU_TANH_B = GELU_TANH_A * mp.mpf("0.044715")


def literal(dtype: type[np.floating], x: mp.mpf) -> str:
    if abs(x) < mp.mpf(2) ** -100:  # what interpolation leaves of a coefficient that is 0
        x = mp.mpf(0)
    return float(round_to(dtype, x)).hex() + ("f" if dtype is np.float32 else "")


def emit(name: str, dtype: type[np.floating], values: list[mp.mpf], note: str) -> None:
    c_type = "float" if dtype is np.float32 else "double"
    body = ",\n    ".join(literal(dtype, v) for v in values)
    align = " __attribute__((aligned(64)))" if len(values) >= 16 else ""
    print(f"/* {note} */")
    print(f"static const {c_type} {name}_{SUFFIX[dtype]}[{len(values)}]{align} = {{\n    {body}}};")


def bits(error: mp.mpf) -> str:
    return f"2^{float(mp.log(error, 2)):.1f}"


def exponential(dtype: type[np.floating], degree: int) -> None:
    """e^r = 1 + r + r^2 q(r) for |r| <= ln(2)/2."""

    def q(r: mp.mpf) -> mp.mpf:
        return (mp.expm1(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -15 else mp.mpf(1) / 2 + r / 6

    # The error r^2 (q - fit) has a double zero at 0 already: merge the two innermost nodes into it.
    nodes = sorted(chebyshev_nodes(-HALF_LN2, HALF_LN2, degree + 3), key=abs)
    first = 1 if degree % 2 == 0 else 0
    del nodes[first : first + 2]
    c = [round_to(dtype, v) for v in interpolate_at(nodes, [q(r) for r in nodes])]
    error = worst(lambda r: (1 + r + r * r * evaluate(c, r)) * mp.exp(-r) - 1, -HALF_LN2, HALF_LN2)
    emit("EXP", dtype, c, f"(e^r - 1 - r)/r^2, |r| <= ln(2)/2; relative error of e^r {bits(error)}")


def exponential_quotient() -> None:
    """e^r = (q + r)/(q - r), q(r^2) = r coth(r/2), exact where gelu_tanh' has its root.

    The reduced argument of the root is a node of the interpolation, so that the gradient's error vanishes with it.
    """

    def q(u: mp.mpf) -> mp.mpf:
        r = mp.sqrt(u)
        return r * mp.coth(r / 2) if u > mp.mpf(10) ** -25 else 2 + u / 6

    def gradient_numerator(x: mp.mpf) -> mp.mpf:
        z = x * (GELU_TANH_A + GELU_TANH_B * x**2)
        return 1 + mp.exp(-z) * (1 + x * (GELU_TANH_A + 3 * GELU_TANH_B * x**2))

    root = mp.findroot(gradient_numerator, mp.mpf("-0.7525"))
    z = -root * (GELU_TANH_A + GELU_TANH_B * root**2)
    reduced = z - mp.nint(z / mp.log(2)) * mp.log(2)
    nodes = chebyshev_nodes(mp.mpf(0), HALF_LN2**2, 3)
    nearest = min(range(3), key=lambda i: abs(nodes[i] - reduced**2))
    nodes[nearest] = reduced**2
    c = interpolate_at(nodes, [q(u) for u in nodes])

    def error(r: mp.mpf) -> mp.mpf:
        value = evaluate(c, r * r)
        return (value + r) / (value - r) * mp.exp(-r) - 1

    note = f"r coth(r/2) in r^2, exact at r = {mp.nstr(reduced, 17)}; relative error of e^r"
    emit("EXP_QUOTIENT", np.float64, c, f"{note} {bits(worst(error, -HALF_LN2, HALF_LN2))}")


def hyperbolic_tangent(
    dtype: type[np.floating], entries: int, spacing: mp.mpf, degree: int, step: mp.mpf
) -> None:
    """Table of c_i, tanh(c_i), and tanh(r) = r + r^3 q(r^2) for |r| <= spacing and a little.

    Intervals are [i, i + 1] spacing; the first has c = 0, the others their middle.
    """
    centres = [mp.mpf(0)]
    for i in range(1, entries):
        nominal = mp.nint((i + mp.mpf(1) / 2) * spacing / step) * step
        # The kernel makes 1 - tanh^2 from the table; beyond 0.9 its rounding no longer counts.
        slope_tolerance = 2.0**-3 if nominal < 1.5 else 1.0
        tolerances = (mp.tanh, 2.0**-7), (lambda x: mp.sech(x) ** 2, slope_tolerance)
        centres.append(rounding_centre(dtype, nominal, step, *tolerances))
    emit("TANH_CENTRE", dtype, centres, f"c_i near {mp.nstr(spacing, 6)} (i + 1/2) where tanh rounds well")
    emit("TANH_VALUE", dtype, [mp.tanh(c) for c in centres], "tanh(c_i), error below 2^-7 ULP")
    reach = spacing * mp.mpf("1.001")

    def q(u: mp.mpf) -> mp.mpf:
        r = mp.sqrt(u)
        return (mp.tanh(r) / r - 1) / u if u > mp.mpf(10) ** -20 else -mp.mpf(1) / 3 + 2 * u / 15

    c = [round_to(dtype, v) for v in interpolate(q, mp.mpf(0), reach**2, degree)]
    error = worst(lambda r: (r + r**3 * evaluate(c, r * r)) / mp.tanh(r) - 1, reach / 100, reach)
    emit("TANH_ODD", dtype, c, f"(tanh(r)/r - 1)/r^2 in r^2, |r| <= {mp.nstr(reach, 4)}; relative error {bits(error)}")


def scaled_tail(t: mp.mpf) -> mp.mpf:
    """g(t) = Phi(-t) exp(t^2/2), Phi the normal distribution function."""
    return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)


GELU_ROOT = -mp.findroot(
    lambda x: mp.ncdf(x) + x * mp.npdf(x), mp.mpf("-0.7518")
)  # t at which gelu'(-t) = 0


def gradient_tail(t: mp.mpf) -> mp.mpf:
    """h(t) = (g(t) - t/sqrt(2 pi))/(t0 - t): gelu'(-t) = exp(-t^2/2) (t0 - t) h(t), its root t0 a factor."""
    if abs(t - GELU_ROOT) < mp.mpf(10) ** -20:
        t += mp.mpf(10) ** -20
    return (scaled_tail(t) - t / mp.sqrt(2 * mp.pi)) / (GELU_ROOT - t)


def piecewise(name: str, f, dtype: type[np.floating], edges: list[mp.mpf], degree: int, first: int = 0) -> None:
    """Polynomials on the 16 intervals between `edges`, each around a centre where c0 and c1 round well.

    Row `first` of the tables holds the first interval, the others follow modulo 16.
    """
    derivative = functools.partial(mp.diff, f)
    centres: list[mp.mpf] = [mp.mpf(0)] * 16
    rows: list[list[mp.mpf]] = [[]] * 16
    errors = []
    for i, (low, high) in enumerate(itertools.pairwise(edges)):
        # Steps so small that the search stays near the middle; t - c remains exact but for t near 0.
        step = mp.mpf(2) ** mp.floor(mp.log((high - low) / 2**15, 2))
        nominal = mp.nint((low + high) / 2 / step) * step
        # Around 0 itself, so that f(t) - c0 - c1 t is as good as 0 for the smallest t.
        tolerances = ((f, 2.0**-8), (derivative, 2.0**-3)) if nominal else ()
        centre = rounding_centre(dtype, nominal, step, *tolerances)
        first_two = [f(centre), derivative(centre)]

        def rest(r: mp.mpf, centre=centre, c=first_two) -> mp.mpf:
            return (f(centre + r) - c[0] - c[1] * r) / r**2

        nodes = sorted(chebyshev_nodes(low - centre, high - centre, degree + 1), key=abs)[2:]
        c = first_two + interpolate_at(nodes, [rest(r) for r in nodes])
        c = [round_to(dtype, v) for v in c]
        errors.append(worst(lambda r: evaluate(c, r) / f(centre + r) - 1, low - centre, high - centre, 60))
        centres[(first + i) % 16], rows[(first + i) % 16] = centre, c
    emit(f"{name}_CENTRE", dtype, centres, f"centres of the intervals from {mp.nstr(edges[0], 4)} to {mp.nstr(edges[-1], 4)}")
    c_type = "float" if dtype is np.float32 else "double"
    print(f"/* coefficients [power][interval] in t - centre; relative error {', '.join(map(bits, errors))} */")
    print(f"static const {c_type} {name}_{SUFFIX[dtype]}[{degree + 1}][16] __attribute__((aligned(64))) = {{")
    for column in zip(*rows, strict=True):
        print("    {" + ", ".join(literal(dtype, v) for v in column) + "},")
    print("};")


def octave_edges(offset: int) -> list[mp.mpf]:
    """Edges of 16 intervals, four to an octave of t + offset.

    The index is then made of the two low bits of the exponent of t + offset and the two high bits of its fraction.
    """
    return [offset * mp.mpf(2) ** (i // 4) * (1 + mp.mpf(i % 4) / 4) - offset for i in range(17)]


def even_edges(spacing: mp.mpf) -> list[mp.mpf]:
    """Edges of 16 intervals around the multiples of `spacing`; the index is the nearest integer to t/spacing."""
    return [(i - mp.mpf(1) / 2) * spacing for i in range(17)]


def main() -> None:
    print("/* Made by fits/make_constants.py, which holds the definitions and reproduces every digit. */")
    print("#ifndef VEKT_CONSTANTS_H\n#define VEKT_CONSTANTS_H\n")
    exponential(np.float32, 4)
    exponential(np.float64, 9)
    exponential_quotient()
    hyperbolic_tangent(np.float32, 16, mp.mpf("0.5664"), 5, mp.mpf(2) ** -18)
    hyperbolic_tangent(np.float64, 32, mp.mpf("0.606"), 12, mp.mpf(2) ** -20)
    for name, f in (("GELU", scaled_tail), ("GELU_GRADIENT", gradient_tail)):
        piecewise(name, f, np.float32, octave_edges(1), 7, first=12)
        piecewise(name, f, np.float64, octave_edges(4), 16, first=4)
    piecewise("LOGISTIC", lambda t: 1 / (1 + mp.exp(t)), np.float32, even_edges(mp.mpf(1)), 7)
    piecewise("LOGISTIC_SLOPE", lambda t: mp.sech(t / 2) ** 2 / 4, np.float32, even_edges(mp.mpf(1)), 8)
    # The last interval serves positive x only, where the tail is a small part of the result.
    normal_edges = even_edges(mp.mpf(1) / 4)[:-1] + [mp.mpf("5.6")]
    piecewise("NORMAL_TAIL", lambda t: mp.erfc(t / mp.sqrt(2)) / 2, np.float32, normal_edges, 7)
    for dtype in (np.float32, np.float64):
        high = round_to(dtype, GELU_ROOT)
        emit("GELU_ROOT", dtype, [high, GELU_ROOT - high], "t0, gelu'(-t0) = 0, in two words")
        for label, value in (("A", GELU_TANH_A), ("B", GELU_TANH_B), ("3B", 3 * GELU_TANH_B)):
            high = round_to(dtype, value)
            emit(f"GELU_TANH_{label}", dtype, [high, value - high], "two words; z = x (A + B x^2)")
    print("\n#endif")


if __name__ == "__main__":
    main()
