"""Fits of powers, inverse tangents, cube roots and sums of exponentials."""

import itertools

import mpmath as mp
import numpy as np
from approximate import evaluate, interpolate, round_to, worst
from header import Float, bits, emit

ONE = mp.mpf(1)


def short_logarithm(dtype: Float, degree: int, unit: int) -> None:
    """Table and polynomial of log(x) = log(1/c) + log(1 + r), r = x c - 1 exactly.

    The intervals are those of LOG_INVERSE; c are multiples of 1/16 above 1, where x has one bit
    more behind the point, and of 1/32 below.
    """
    steps = [mp.mpf(2 * i - 19) / 2 for i in range(17)]
    edges = [ONE + (step / 32 if step < 0 else step / 16) for step in steps]
    inverses, ends = [], []
    for a, b in itertools.pairwise(edges):
        digits = 16 if a < 1 and b <= 1 else 32
        candidates = [mp.mpf(i) / digits for i in range(digits // 2, 2 * digits)]
        c = min(candidates, key=lambda c: max(abs(a * c - 1), abs(b * c - 1)))
        if abs(a - 1) < ONE / 16 and b < 1:
            c = ONE  # next to 1 the terms would nearly cancel
        inverses.append(c)
        ends += [a * c - 1, b * c - 1]
    logs = [mp.nint(-mp.log(c) * mp.mpf(2) ** -unit) * mp.mpf(2) ** unit for c in inverses]
    low, high = min(ends), max(ends)
    assert max(-low, high) < ONE / 16

    def f(r: mp.mpf) -> mp.mpf:
        if abs(r) < mp.mpf(10) ** -12:
            return -2 * (ONE / 3 - r / 4)
        return -2 * (mp.log1p(r) - r + r * r / 2) / r**3

    def error(r: mp.mpf) -> mp.mpf:
        return (r - r * r / 2 - r**3 / 2 * evaluate(c, r)) / mp.log1p(r) - 1

    emit("POWER_INVERSE", dtype, inverses, "near 1/x in the intervals of LOG_INVERSE")
    emit("POWER_LOG", dtype, logs, f"its -log, a multiple of 2^{unit}")
    rest = [-mp.log(c) - y for c, y in zip(inverses, logs, strict=True)]
    emit("POWER_LOG_LOW", dtype, rest, "what that leaves")
    c = [round_to(dtype, v) for v in interpolate(f, low, high, degree)]
    span = f"{mp.nstr(low, 4)} <= r <= {mp.nstr(high, 4)}"
    note = f"{span}; relative error of log(1 + r) {bits(worst(error, low, high, 401))}"
    emit("POWER_SERIES", dtype, c, f"(log(1 + r) - r + r^2/2)/(-r^3/2), {note}")


def root_guess(dtype: Float) -> None:
    """Numbers whose bits less half of those of s are those of 1/sqrt(s), to 1.6 %.

    The place in the table has the last bit of the exponent and three bits of the mantissa.
    """
    digits, bias, integer = (23, 127, np.int32) if dtype is np.float32 else (52, 1023, np.int64)
    values = []
    for i in range(16):
        # The biased exponent of 1 is odd.
        start = mp.mpf(1 + mp.mpf(i % 8) / 8) * (1 if i >= 8 else 2)
        width = mp.mpf(1) / 8 * (1 if i >= 8 else 2)
        points = [dtype(start + width * j / 64) for j in range(64)]
        halves = [int(x.view(integer)) >> 1 for x in points]

        def worst_of(magic: int, points=points, halves=halves) -> mp.mpf:  # type: ignore[no-untyped-def]
            guesses = [integer(magic - half).view(dtype) for half in halves]
            errors = [float(g) * float(x) ** 0.5 - 1 for g, x in zip(guesses, points, strict=True)]
            return max(map(abs, errors))

        low = (3 * bias << digits) // 2 - (1 << (digits - 1))
        high = low + (1 << (digits - 1))
        for _ in range(60):  # a convex function
            a, b = (2 * low + high) // 3, (low + 2 * high) // 3
            low, high = (low, b) if worst_of(a) < worst_of(b) else (a, high)
        magic = (low + high) // 2 >> (digits - 14) << (digits - 14)
        values.append(mp.mpf(float(integer(magic).view(dtype))))
    emit("ROOT_GUESS", dtype, values, "less half of the bits of s those of 1/sqrt(s), to 1.6 %", 0)


def arctan(dtype: Float, degree: int) -> None:
    """Angles for halves of octaves from 1/16 to 16, and (atan(r) - r)/r^3 in u = r^2 for r <= 1/8.

    Up to 3/32 the angle is 0, beyond 12 a quarter turn.  Rows are chosen by the last
    three bits of the exponent and the first of the mantissa.
    """
    bias = 127 if dtype is np.float32 else 1023
    rows: dict[int, tuple[mp.mpf, mp.mpf, mp.mpf]] = {}
    for octave in range(-4, 4):
        for half in range(2):
            low = mp.mpf(2) ** octave * (1 + mp.mpf(half) / 2)
            high = mp.mpf(2) ** octave * (mp.mpf(3) / 2 + mp.mpf(half) / 2)
            sine = round_to(dtype, mp.tan((mp.atan(low) + mp.atan(high)) / 2))
            row = ONE, sine, mp.atan(sine)
            if high < mp.mpf(1) / 10:
                row = ONE, mp.mpf(0), mp.mpf(0)
            elif low > 11:
                row = mp.mpf(0), ONE, mp.pi / 2
            rows[(2 * (bias + octave) + half) % 16] = row
    columns = [[rows[i][part] for i in range(16)] for part in range(3)]
    emit("TURN_COSINE", dtype, columns[0], "1 or 0: of the angle, divided by its greater one")
    emit("TURN_SINE", dtype, columns[1], "its sine by its cosine, or 1")
    for name, what, start in (("ANGLE", "the angle", None), ("LEFT", "pi less the angle", mp.pi)):
        angles = [angle if start is None else start - angle for angle in columns[2]]
        high_words = [round_to(dtype, angle) for angle in angles]
        low_words = [angle - high for angle, high in zip(angles, high_words, strict=True)]
        emit(f"TURN_{name}", dtype, high_words, what)
        emit(f"TURN_{name}_LOW", dtype, low_words, "what that leaves")

    def f(u: mp.mpf) -> mp.mpf:
        r = mp.sqrt(u)
        return (mp.atan(r) - r) / r**3 if u > mp.mpf(10) ** -12 else -ONE / 3 + u / 5

    def error(r: mp.mpf) -> mp.mpf:
        return (r + r**3 * evaluate(c, r * r)) / mp.atan(r) - 1

    c = [round_to(dtype, v) for v in interpolate(f, mp.mpf(0), ONE / 64, degree)]
    note = f"relative error {bits(worst(error, ONE / 500, ONE / 8))}"
    emit("ARCTAN", dtype, c, f"(atan(r) - r)/r^3 in r^2, r <= 1/8; {note}")


def cube_guess(dtype: Float) -> None:
    """Print the number that less a third of x, as integers of 32 bits, is about x^(-1/3)."""
    digits, bias = (23, 127) if dtype is np.float32 else (20, 1023)
    points = [1 + 7 * mp.mpf(i) / 1024 for i in range(1025)]

    def value(bits: mp.mpf) -> mp.mpf:
        exponent, rest = divmod(bits, 2**digits)
        return (1 + rest / 2**digits) * mp.mpf(2) ** (exponent - bias)

    def integer(x: mp.mpf) -> mp.mpf:
        exponent = mp.floor(mp.log(x, 2) + mp.mpf(10) ** -20)
        return (exponent + bias + x / mp.mpf(2) ** exponent - 1) * 2**digits

    thirds = [(integer(x) / 3, mp.cbrt(x)) for x in points]

    def worst_of(magic: mp.mpf) -> mp.mpf:
        return max(abs(value(magic - third) * root - 1) for third, root in thirds)

    low, high = (mp.mpf(4 * bias - k) / 3 * 2**digits for k in (1, 0))
    for _ in range(30):  # a convex function
        a, b = (2 * low + high) / 3, (low + 2 * high) / 3
        low, high = (low, b) if worst_of(a) < worst_of(b) else (a, high)
    note = f"x^(-1/3) to {mp.nstr(100 * worst_of(low), 2)} %, as integers of 32 bits"
    emit("CUBE_GUESS", dtype, [mp.nint(low / 256) * 256], f"this less x/3 is {note}")


def cube_series(dtype: Float, reach: mp.mpf, degree: int) -> None:
    """((1 - e)^(-2/3) - 1)/e for |e| <= reach."""

    def f(e: mp.mpf) -> mp.mpf:
        return mp.expm1(-2 * mp.log1p(-e) / 3) / e if abs(e) > mp.mpf(10) ** -20 else 2 * ONE / 3

    c = [round_to(dtype, v) for v in interpolate(f, -reach, reach, degree)]
    error = worst(lambda e: e * (evaluate(c, e) - f(e)), -reach, reach)
    note = f"|e| <= {mp.nstr(reach, 3)}; error of (1 - e)^(-2/3) {bits(error)}"
    emit("CUBE_SERIES", dtype, c, f"((1 - e)^(-2/3) - 1)/e, {note}")


def one_plus() -> None:
    """log(1 + e) = log(1/c) + log(1 + r), r = (1 + e) c - 1, for e from 0 to 1 by fifteenths."""
    inverses = [round_to(np.float64, ONE / (1 + ONE * i / 15)) for i in range(16)]
    logs = [-mp.log(c) for c in inverses]
    high = [round_to(np.float64, y) for y in logs]
    emit("ONE_PLUS_INVERSE", np.float64, inverses, "1/(1 + i/15)")
    emit("ONE_PLUS_LOG", np.float64, high, "its -log")
    emit("ONE_PLUS_LOG_LOW", np.float64, [y - h for y, h in zip(logs, high, strict=True)],
         "what that leaves")  # fmt: skip
    reach = ONE / 30 * mp.mpf("1.001")

    def f(r: mp.mpf) -> mp.mpf:
        return (mp.log1p(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -15 else -ONE / 2 + r / 3

    def error(r: mp.mpf) -> mp.mpf:
        return (r + r * r * evaluate(c, r)) / mp.log1p(r) - 1

    def g(r: mp.mpf) -> mp.mpf:
        return (mp.expm1(r) - r) / r**2 if abs(r) > mp.mpf(10) ** -15 else ONE / 2 + r / 6

    for name, degree in (("SERIES", 8), ("MIDDLE", 6)):
        c = [round_to(np.float64, v) for v in interpolate(f, -reach, reach, degree)]
        note = f"relative error of log(1 + r) {bits(worst(error, -reach, reach))}"
        emit(f"ONE_PLUS_{name}", np.float64, c, f"(log(1 + r) - r)/r^2, |r| <= 1/30; {note}")
    reach = mp.log(2) / 32 * mp.mpf("1.001")
    c = [round_to(np.float64, v) for v in interpolate(g, -reach, reach, 4)]
    note = bits(worst(lambda r: r * r * (evaluate(c, r) - g(r)), -reach, reach))
    emit("EXP_MIDDLE", np.float64, c, f"(e^r - 1 - r)/r^2, EXP's r; error of e^r {note}")


def roots_and_arctan() -> None:
    """Print what rsqrt, hypot, arctan and arctan2 take."""
    for dtype, degree in ((np.float32, 2), (np.float64, 6)):
        root_guess(dtype)
        cube_guess(dtype)
        reach = mp.mpf("0.108") if dtype is np.float32 else mp.mpf("1e-4")
        cube_series(dtype, reach, 5 if dtype is np.float32 else 2)
        arctan(dtype, degree)


def powers() -> None:
    """Print what power takes."""
    short_logarithm(np.float32, 4, -17)
    short_logarithm(np.float64, 11, -42)
    roots_and_arctan()
    one_plus()


if __name__ == "__main__":
    powers()
