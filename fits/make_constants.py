"""Print csrc/vmath/constants.h: every polynomial and table of the kernels, with each fit's error.

    python fits/make_constants.py > csrc/vmath/constants.h

Needs mpmath and NumPy; takes about two minutes.
"""

import functools
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
from header import C_TYPE, SUFFIX, Float, bits, emit, literal
from logarithm_and_sine import logarithm_and_sine
from powers import powers
from special import special

HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.001")
GELU_TANH_A = 2 * mp.sqrt(2 / mp.pi)  # z = x (A + B x^2), gelu = x sigmoid(z)
GELU_TANH_B = GELU_TANH_A * mp.mpf("0.044715")


def exponential(dtype: Float, degree: int) -> None:
    """2^(j/16), and e^r = 1 + r + r^2 q(r) for |r| <= ln(2)/32."""
    reach = mp.log(2) / 32 * mp.mpf("1.001")

    def q(r: mp.mpf) -> mp.mpf:
        return (mp.expm1(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -15 else mp.mpf(1) / 2 + r / 6

    def error(r: mp.mpf) -> mp.mpf:
        return (r + r * r * evaluate(c, r)) / mp.expm1(r) - 1

    c = [round_to(dtype, v) for v in interpolate(q, -reach, reach, degree)]
    note = f"relative error of e^r - 1 {bits(worst(error, -reach, reach))}"
    emit("EXP", dtype, c, f"(e^r - 1 - r)/r^2, |r| <= ln(2)/32; {note}")
    powers = [mp.mpf(2) ** (mp.mpf(j) / 16) for j in range(16)]
    high = [round_to(dtype, power) for power in powers]
    low = [(power - h) / h for power, h in zip(powers, high, strict=True)]
    # The kernel adds n 2^-4 to the exponent of row j = n mod 16: so j is taken off here.
    fraction = 23 if dtype is np.float32 else 52
    integer = np.int32 if dtype is np.float32 else np.int64
    patterns = np.array([float(h) for h in high], dtype).view(integer)
    moved = (patterns - (np.arange(16, dtype=integer) << (fraction - 4))).view(dtype)
    note = "2^(j/16), j subtracted from the first four bits of the fraction"
    emit("EXP2", dtype, [mp.mpf(float(m)) for m in moved], note)
    emit("EXP2_LOW", dtype, low, "2^(j/16) over its rounded value, less 1")


def exponential_quotient(name: str, z: mp.mpf, of: str) -> None:
    """e^r = (q + r)/(q - r), q(r^2) = r coth(r/2), exact at z, where a gradient has its root.

    The reduced argument of the root is a node of the interpolation, so that the gradient's error
    vanishes with it.
    """

    def q(u: mp.mpf) -> mp.mpf:
        r = mp.sqrt(u)
        return r * mp.coth(r / 2) if u > mp.mpf(10) ** -25 else 2 + u / 6

    def error(r: mp.mpf) -> mp.mpf:
        value = evaluate(c, r * r)
        return (value + r) / (value - r) * mp.exp(-r) - 1

    reduced = z - mp.nint(z / mp.log(2)) * mp.log(2)
    nodes = chebyshev_nodes(mp.mpf(0), HALF_LN2**2, 3)
    nearest = min(range(3), key=lambda i: abs(nodes[i] - reduced**2))
    nodes[nearest] = reduced**2
    c = interpolate_at(nodes, [q(u) for u in nodes])
    note = f"relative error of e^r {bits(worst(error, -HALF_LN2, HALF_LN2))}"
    where = f"exact at r = {mp.nstr(reduced, 17)} for {of}"
    emit(name, np.float64, c, f"r coth(r/2) in r^2, {where}; {note}")


def gelu_tanh_root() -> mp.mpf:
    """-z of gelu_tanh(x) = x sigmoid(z) where its gradient is 0."""

    def numerator(x: mp.mpf) -> mp.mpf:
        z = x * (GELU_TANH_A + GELU_TANH_B * x**2)
        return 1 + mp.exp(-z) * (1 + x * (GELU_TANH_A + 3 * GELU_TANH_B * x**2))

    root = mp.findroot(numerator, mp.mpf("-0.7525"))
    return -root * (GELU_TANH_A + GELU_TANH_B * root**2)


def hyperbolic_tangent(
    dtype: Float, entries: int, spacing: mp.mpf, degree: int, step: mp.mpf
) -> None:
    """Table of c_i and tanh(c_i), and tanh(r) = r + r^3 q(r^2) for |r| <= spacing and a little.

    Intervals are [i, i + 1] spacing; the first has c = 0, the others their middle.
    """
    centres = [mp.mpf(0)]
    for i in range(1, entries):
        nominal = mp.nint((i + mp.mpf(1) / 2) * spacing / step) * step
        # The kernel makes 1 - tanh^2 from the table; beyond 0.9 its rounding no longer counts.
        slope_tolerance = 2.0**-3 if nominal < 1.5 else 1.0
        tolerances = (mp.tanh, 2.0**-7), (lambda x: mp.sech(x) ** 2, slope_tolerance)
        centres.append(rounding_centre(dtype, nominal, step, *tolerances))
    note = f"c_i near {mp.nstr(spacing, 6)} (i + 1/2) where tanh rounds well"
    emit("TANH_CENTRE", dtype, centres, note)
    values = [mp.tanh(c) for c in centres]
    emit("TANH_VALUE", dtype, values, "tanh(c_i), error below 2^-7 ULP")
    reach = spacing * mp.mpf("1.001")

    def q(u: mp.mpf) -> mp.mpf:
        r = mp.sqrt(u)
        return (mp.tanh(r) / r - 1) / u if u > mp.mpf(10) ** -20 else -mp.mpf(1) / 3 + 2 * u / 15

    def error(r: mp.mpf) -> mp.mpf:
        return (r + r**3 * evaluate(c, r * r)) / mp.tanh(r) - 1

    c = [round_to(dtype, v) for v in interpolate(q, mp.mpf(0), reach**2, degree)]
    note = f"|r| <= {mp.nstr(reach, 4)}; relative error {bits(worst(error, reach / 100, reach))}"
    emit("TANH_ODD", dtype, c, f"(tanh(r)/r - 1)/r^2 in r^2, {note}")


def scaled_tail(t: mp.mpf) -> mp.mpf:
    """g(t) = Phi(-t) exp(t^2/2), Phi the normal distribution function."""
    return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)


# t at which gelu'(-t) = 0
GELU_ROOT = -mp.findroot(lambda x: mp.ncdf(x) + x * mp.npdf(x), mp.mpf("-0.7518"))


def gradient_tail(t: mp.mpf) -> mp.mpf:
    """h(t) = (g(t) - t/sqrt(2 pi))/(t0 - t).

    With it gelu'(-t) = exp(-t^2/2) (t0 - t) h(t): the root t0 is a factor.
    """
    if abs(t - GELU_ROOT) < mp.mpf(10) ** -20:
        t += mp.mpf(10) ** -20
    return (scaled_tail(t) - t / mp.sqrt(2 * mp.pi)) / (GELU_ROOT - t)


def polynomial_around(
    f: Function,
    dtype: Float,
    low: mp.mpf,
    high: mp.mpf,
    degree: int,
    centre: mp.mpf | None = None,
    c0_words: int = 1,
    refit: bool = False,
) -> tuple[mp.mpf, list[mp.mpf], mp.mpf]:
    """Fit f on [low, high] around where c0 and c1 round well: centre, coefficients, error.

    With two words of c0 the coefficients are c0, low word of c0, c1, ...; where the centre is a
    root of f, but for being rounded, the first word is 0.  With `refit` the higher coefficients
    make up for the rounding of c1 and c2.
    """
    derivative = functools.partial(mp.diff, f)
    # Steps so small that the search stays near the middle; t - c remains exact but for t near 0.
    step = mp.mpf(2) ** mp.floor(mp.log((high - low) / 2**15, 2))
    nominal = mp.nint((low + high) / 2 / step) * step
    # Around 0 itself, so that f(t) - c0 - c1 t is as good as 0 for the smallest t.
    tolerances = ((f, 2.0**-8), (derivative, 2.0**-3)) if nominal else ()
    if centre is None:
        centre = rounding_centre(dtype, nominal, step, *tolerances)
    first_two = [f(centre), derivative(centre)]

    def rest(r: mp.mpf) -> mp.mpf:
        return (f(centre + r) - first_two[0] - first_two[1] * r) / r**2

    def error(r: mp.mpf) -> mp.mpf:
        return evaluate(c, r) / f(centre + r) - 1

    nodes = sorted(chebyshev_nodes(low - centre, high - centre, degree + 1), key=abs)
    c = first_two + interpolate_at(nodes[2:], [rest(r) for r in nodes[2:]])
    for fixed in (2, 3) if refit else ():
        c = [round_to(dtype, v) for v in c[:fixed]]
        values = [(f(centre + r) - evaluate(c, r)) / r**fixed for r in nodes[fixed:]]
        c += interpolate_at(nodes[fixed:], values)
    c = [round_to(dtype, v) for v in c]
    relative = worst(error, low - centre, high - centre, 60)
    if c0_words == 2:
        near_root = abs(c[0]) < abs(c[1]) / 2**20
        c = [mp.mpf(0) if near_root else c[0], c[0] if near_root else mp.mpf(0), *c[1:]]
    return centre, c, relative


def piecewise(
    name: str,
    f: Function,
    dtype: Float,
    edges: list[mp.mpf],
    degree: int,
    first: int = 0,
    centres: dict[int, mp.mpf] | None = None,
    c0_words: int = 1,
    refit: bool = False,
) -> None:
    """Polynomials on the 16 intervals between `edges`.

    Row `first` of the tables holds the first interval, the others follow modulo 16.  `centres` are
    those that are given, by number of the interval.
    """
    given = centres or {}
    fits = [
        polynomial_around(f, dtype, a, b, degree, given.get(i), c0_words, refit)
        for i, (a, b) in enumerate(itertools.pairwise(edges))
    ]
    rows = [fits[(i - first) % 16] for i in range(16)]
    ends = f"{mp.nstr(edges[0], 4)} to {mp.nstr(edges[-1], 4)}"
    emit(f"{name}_CENTRE", dtype, [row[0] for row in rows], f"centres of the intervals from {ends}")
    words = ", c0 in two words" * (c0_words == 2)
    print(f"/* coefficients [power][interval] in t - centre{words}; relative errors")
    print(f" * {', '.join(bits(row[2]) for row in rows)} */")
    shape = f"[{len(fits[0][1])}][16] __attribute__((aligned(64)))"
    print(f"static const {C_TYPE[dtype]} {name}_{SUFFIX[dtype]}{shape} = {{")
    for column in zip(*(row[1] for row in rows), strict=True):
        print("    {" + ", ".join(literal(dtype, v) for v in column) + "},")
    print("};")


def octave_edges(offset: int) -> list[mp.mpf]:
    """Edges of 16 intervals, four to an octave of t + offset.

    The index is then made of the two low bits of the exponent of t + offset and the two high bits
    of its fraction.
    """
    return [offset * mp.mpf(2) ** (i // 4) * (1 + mp.mpf(i % 4) / 4) - offset for i in range(17)]


def even_edges(spacing: mp.mpf) -> list[mp.mpf]:
    """Edges of 16 intervals around the multiples of `spacing`.

    The index is the integer nearest to t/spacing.
    """
    return [(i - mp.mpf(1) / 2) * spacing for i in range(17)]


def two_words(
    name: str, dtype: Float, value: mp.mpf, note: str, multiple_of: mp.mpf | None = None
) -> None:
    """Print a number as the sum of two, the first of them short if `multiple_of` is given."""
    high = round_to(dtype, value)
    if multiple_of is not None:
        high = mp.nint(value / multiple_of) * multiple_of
    emit(name, dtype, [high, value - high], f"{note}, in two words")


def exponential_units() -> None:
    """Constants of selu; the second words relative to the first."""
    scale = mp.mpf("1.0507009873554804934193349852946")
    slope = scale * mp.mpf("1.6732632423543772848170429916717")
    for dtype in (np.float32, np.float64):
        for name, value in (("SCALE", scale), ("SLOPE", slope)):
            high = round_to(dtype, value)
            note = "rounded, and what is missing of it relative to that"
            emit(f"SELU_{name}", dtype, [high, (value - high) / high], f"{name.lower()}, {note}")


def logarithm(name: str, dtype: Float, degree: int) -> None:
    """log((1 + w/2)/(1 - w/2)) = 2 atanh(w/2) = w + w^3 p(w^2) for |w| <= 2/3."""

    def p(u: mp.mpf) -> mp.mpf:
        w = mp.sqrt(u)
        return (2 * mp.atanh(w / 2) / w - 1) / u if u > mp.mpf(10) ** -20 else mp.mpf(1) / 12

    def error(w: mp.mpf) -> mp.mpf:
        return (w + w**3 * evaluate(c, w * w)) / (2 * mp.atanh(w / 2)) - 1

    end = mp.mpf(2) / 3 * mp.mpf("1.001")
    c = [round_to(dtype, v) for v in interpolate(p, mp.mpf(0), end**2, degree)]
    note = f"|w| <= 2/3; relative error {bits(worst(error, end / 100, end))}"
    emit(name, dtype, c, f"(2 atanh(w/2)/w - 1)/w^2 in w^2, {note}")


def silu_tail_slope(t: mp.mpf) -> mp.mpf:
    """silu'(-t)."""
    e = mp.exp(-t)
    return e * (1 + e - t) / (1 + e) ** 2


def mish_slope(x: mp.mpf) -> mp.mpf:
    """mish'(x)."""
    e = mp.exp(x)
    d = e * e + 2 * e + 2
    return e * ((e + 2) * d + 4 * x * (1 + e)) / d**2


def tanh_shrink_cubed(t: mp.mpf) -> mp.mpf:
    """(t - tanh(t))/t^3."""
    if abs(t) < mp.mpf(10) ** -12:
        return mp.mpf(1) / 3 - 2 * t * t / 15
    return (t - mp.tanh(t)) / t**3


def tanh_shrink_quotient() -> None:
    """(t - tanh(t))/t^3 = 1/3 + u p(u)/q(u), u = t^2, for t <= 1, p quadratic, q cubic."""

    def f(u: mp.mpf) -> mp.mpf:
        return (tanh_shrink_cubed(mp.sqrt(u)) - mp.mpf(1) / 3) / u

    def error(t: mp.mpf) -> mp.mpf:
        u = t * t
        return (mp.mpf(1) / 3 + u * evaluate(p, u) / evaluate(q, u)) / tanh_shrink_cubed(t) - 1

    nodes = chebyshev_nodes(mp.mpf(0), mp.mpf(1), 6)
    rows = [[1, u, u**2, *(-f(u) * u**k for k in (1, 2, 3))] for u in nodes]
    c = list(mp.lu_solve(mp.matrix(rows), mp.matrix([f(u) for u in nodes])))
    c = [mp.mpf("1.75") * v for v in [*c[:3], mp.mpf(1), *c[3:]]]  # p and q round well near t = 1
    p, q = ([round_to(np.float64, v) for v in part] for part in (c[:3], c[3:]))
    note = f"t <= 1; relative error {bits(worst(error, mp.mpf(0), mp.mpf(1)))}"
    emit("TANH_SHRINK_P", np.float64, p, f"(t - tanh(t))/t^3 = 1/3 + u p(u)/q(u), {note}")
    emit("TANH_SHRINK_Q", np.float64, q, "q")


def softplus_family() -> None:
    """Print what softplus, silu, mish, tanh_shrink and log1mexp take."""
    logarithm("LOG", np.float32, 4)
    logarithm("LOG", np.float64, 11)
    logarithm("LOG_SHORT", np.float64, 4)
    root = mp.findroot(mish_slope, mp.mpf("-1.1924"))
    exponential_quotient("EXP_QUOTIENT_MISH", root, "mish'")
    f = np.float32
    unit, octaves = even_edges(mp.mpf(1)), octave_edges(1)
    piecewise("SOFTPLUS", lambda t: mp.log1p(mp.exp(-t)), f, unit, 8, refit=True)
    # The root of silu' is the middle of the third interval; as its centre, but for being rounded,
    # it makes the relative error vanish there.
    root = mp.findroot(silu_tail_slope, mp.mpf("1.2785"))
    edges = [i * root / mp.mpf("2.5") for i in range(17)]
    # The second interval's centre is so near to the root that silu' does not fall below half of c0.
    slope = functools.partial(mp.diff, silu_tail_slope)
    tolerances = (silu_tail_slope, 2.0**-8), (slope, 2.0**-3)
    near = rounding_centre(f, mp.mpf("0.84375"), mp.mpf(2) ** -17, *tolerances)
    centres = {1: near, 2: round_to(f, root)}
    piecewise("SILU_SLOPE", silu_tail_slope, f, edges, 7, 0, centres, c0_words=2, refit=True)
    piecewise("TANH_SHRINK", tanh_shrink_cubed, f, octaves, 7, first=12, refit=True)

    def square(t: mp.mpf) -> mp.mpf:
        return (mp.tanh(t) / t) ** 2 if t else mp.mpf(1)

    piecewise("TANH_SQUARE", square, f, octaves, 7, 12, {0: mp.mpf(0)}, refit=True)
    tanh_shrink_quotient()


def main() -> None:
    """Print the header."""
    print("/* Made by fits/make_constants.py, which holds the definitions, to the last digit. */")
    print("#ifndef VEKT_CONSTANTS_H\n#define VEKT_CONSTANTS_H\n\n/* clang-format off */\n")
    exponential(np.float32, 2)
    exponential(np.float64, 5)
    exponential_quotient("EXP_QUOTIENT", gelu_tanh_root(), "gelu_tanh'")
    hyperbolic_tangent(np.float32, 16, mp.mpf("0.5664"), 5, mp.mpf(2) ** -18)
    hyperbolic_tangent(np.float64, 32, mp.mpf("0.606"), 12, mp.mpf(2) ** -20)
    for name, f in (("GELU", scaled_tail), ("GELU_GRADIENT", gradient_tail)):
        piecewise(name, f, np.float32, octave_edges(1), 7, first=12)
        piecewise(name, f, np.float64, octave_edges(4), 16, first=4)
    unit = even_edges(mp.mpf(1))
    piecewise("LOGISTIC", lambda t: 1 / (1 + mp.exp(t)), np.float32, unit, 7, refit=True)
    piecewise("LOGISTIC_SLOPE", lambda t: mp.sech(t / 2) ** 2 / 4, np.float32, unit, 8)
    # The last interval serves positive x only, where the tail is a small part of the result.
    edges = [*even_edges(mp.mpf(1) / 4)[:-1], mp.mpf("5.6")]
    piecewise("NORMAL_TAIL", lambda t: mp.erfc(t / mp.sqrt(2)) / 2, np.float32, edges, 7)
    for dtype in (np.float32, np.float64):
        two_words("GELU_ROOT", dtype, GELU_ROOT, "t0, gelu'(-t0) = 0")
        # The last place of GELU_TANH_CUT.
        last = mp.mpf(2) ** (-19 if dtype is np.float32 else -46)
        two_words("GELU_TANH_A", dtype, GELU_TANH_A, "A of z = x (A + B x^2)", last)
        two_words("GELU_TANH_B", dtype, GELU_TANH_B, "B")
    exponential_units()
    softplus_family()
    logarithm_and_sine()
    powers()
    special(piecewise, octave_edges)
    print("\n#endif")


if __name__ == "__main__":
    main()
