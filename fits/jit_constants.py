"""Print src/vekt/jit/_constants.py: the polynomials of `vekt.jit`, with each fit's error.

    python fits/jit_constants.py > src/vekt/jit/_constants.py

Needs mpmath; takes a few seconds.  Each function has two polynomials, one for results in float64
and a shorter one for results that are rounded to float32.
"""

import mpmath as mp
from approximate import Function, chebyshev_nodes, evaluate, interpolate, interpolate_at, worst

HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.001")
TAIL_CENTRE = 3


def tail_variable(t: mp.mpf) -> mp.mpf:
    """Return u = 1/2 - 6/(t + 3): between -3/2 and 1/2, around which no digits cancel."""
    return mp.mpf(1) / 2 - 2 * TAIL_CENTRE / (t + TAIL_CENTRE)


def tail_point(u: mp.mpf) -> mp.mpf:
    """Return the t of that u."""
    return 2 * TAIL_CENTRE / (mp.mpf(1) / 2 - u) - TAIL_CENTRE


def emit(name: str, values: list[mp.mpf], note: str, error: mp.mpf) -> None:
    """Print one tuple."""
    print(f"\n# {note}; relative error 2**{float(mp.log(error, 2)):.1f}")
    print(f"{name} = (")
    for value in values:
        print(f"    {float(value)!r},")
    print(")")


def exponential(name: str, degree: int) -> None:
    """e^r = 1 + r + r^2 q(r)."""

    def q(r: mp.mpf) -> mp.mpf:
        return (mp.expm1(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -15 else mp.mpf(1) / 2 + r / 6

    def error(r: mp.mpf) -> mp.mpf:
        return (1 + r + r * r * evaluate(c, r)) * mp.exp(-r) - 1

    # The error r^2 (q - fit) has a double zero at 0 already: merge the two innermost nodes into it.
    nodes = sorted(chebyshev_nodes(-HALF_LN2, HALF_LN2, degree + 3), key=abs)
    first = 1 if degree % 2 == 0 else 0
    del nodes[first : first + 2]
    c = interpolate_at(nodes, [q(r) for r in nodes])
    note = "(exp(r) - 1 - r)/r**2, abs(r) <= log(2)/2"
    emit(name, c, note, worst(error, -HALF_LN2, HALF_LN2))


def fitted(
    name: str, note: str, f: Function, low: mp.mpf, high: mp.mpf, degree: int, weight: Function
) -> None:
    """Interpolate f; its error counts times weight."""
    c = interpolate(f, low, high, degree)
    step = (high - low) / 1000  # not where f is 0/0
    emit(name, c, note, worst(lambda x: (evaluate(c, x) - f(x)) * weight(x), low + step, high))


def logarithm(name: str, degree: int) -> None:
    """log((1 + s)/(1 - s)) = 2 s + s z L(z), z = s^2, between the roots of 1/2 and 2."""
    high = (3 - 2 * mp.sqrt(2)) ** 2 * mp.mpf("1.001")

    def series(z: mp.mpf) -> mp.mpf:
        s = mp.sqrt(z)
        return (2 * mp.atanh(s) / s - 2) / z if z > mp.mpf(10) ** -20 else mp.mpf(2) / 3

    note = "(2*atanh(s)/s - 2)/s**2 in s**2, abs(s) <= 3 - 2*sqrt(2)"
    fitted(name, note, series, mp.mpf(0), high, degree, lambda z: z / 2)


def error_function(name: str, degree: int) -> None:
    """erf(x) = x + x (2/sqrt(pi) - 1 + x^2 E(x^2)) up to 1."""

    def series(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        if z < mp.mpf(10) ** -20:
            return -2 / mp.sqrt(mp.pi) / 3
        return (mp.erf(x) / x - 2 / mp.sqrt(mp.pi)) / z

    note = "(erf(x)/x - 2/sqrt(pi))/x**2 in x**2, abs(x) <= 1"
    fitted(name, note, series, mp.mpf(0), mp.mpf(1), degree, lambda z: z)


def normal_tail(name: str, degree: int, top: mp.mpf) -> None:
    """(t + 3) exp(t^2/2) Phi(-t) in u = 1/2 - 6/(t + 3), Phi the normal distribution function."""

    def scaled(u: mp.mpf) -> mp.mpf:
        t = tail_point(u)
        return (t + TAIL_CENTRE) * mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)

    low, high = tail_variable(mp.mpf(0)), tail_variable(top)
    note = f"(t + 3)*exp(t**2/2)*Phi(-t) in 1/2 - 6/(t + 3), 0 <= t <= {mp.nstr(top, 4)}"
    fitted(name, note, scaled, low, high, degree, lambda u: 1 / scaled(u))


def normal_slope(name: str, degree: int, top: mp.mpf) -> None:
    """(Phi(-t) exp(t^2/2) - t/sqrt(2 pi))/(t0 - t), which makes gelu'(-t), with its root t0."""
    root = -mp.findroot(lambda x: mp.ncdf(x) + x * mp.npdf(x), mp.mpf("-0.7518"))

    def scaled(u: mp.mpf) -> mp.mpf:
        t = tail_point(u)
        if abs(t - root) < mp.mpf(10) ** -20:
            t += mp.mpf(10) ** -20
        tail = mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)
        return (tail - t / mp.sqrt(2 * mp.pi)) / (root - t)

    low, high = tail_variable(mp.mpf(0)), tail_variable(top)
    note = "(exp(t**2/2)*Phi(-t) - t/sqrt(2*pi))/(t0 - t) likewise"
    fitted(name, note, scaled, low, high, degree, lambda u: 1 / scaled(u))


def arctangent(name: str, degree: int) -> None:
    """atan(q) = q + q^3 A(q^2) up to 1/2."""

    def series(u: mp.mpf) -> mp.mpf:
        q = mp.sqrt(u)
        return (mp.atan(q) / q - 1) / u if u > mp.mpf(10) ** -20 else -mp.mpf(1) / 3

    note = "(atan(q)/q - 1)/q**2 in q**2, abs(q) <= 1/2"
    fitted(name, note, series, mp.mpf(0), mp.mpf(1) / 4, degree, lambda u: u)


def main() -> None:
    """Print the module."""
    print('"""The polynomials, lowest coefficient first, made by fits/jit_constants.py."""')
    exponential("EXP", 9)
    exponential("EXP_SINGLE", 4)
    exponential("EXPM1_SINGLE", 5)
    logarithm("LOG", 6)
    logarithm("LOG_SINGLE", 3)
    logarithm("LOG_LONG", 8)
    error_function("ERF", 11)
    error_function("ERF_SINGLE", 6)
    normal_tail("TAIL", 25, mp.mpf(40))
    normal_tail("TAIL_SINGLE", 12, mp.mpf("14.5"))
    normal_slope("SLOPE", 23, mp.mpf(40))
    normal_slope("SLOPE_SINGLE", 11, mp.mpf("14.5"))
    arctangent("ARCTAN", 12)


if __name__ == "__main__":
    main()
