/* Inverse tangents: the direction (across, up) is turned back by one of 16 angles, atan(c) and for the last a quarter
 * turn; what is left is r + r^3 p(r^2), r = n/d below 1/8.  Roundings of n, d and r are those of that small angle. */

typedef struct {
    INT row;
    VEC n, d, d_low, r, rest; /* r^3 p(r^2) */
} FN(turned);

/* rough: up/across to 10 %, as it chooses the angle. */
INLINE FN(turned) FN(turn_back)(VEC up, VEC across, VEC rough) {
    const VEC within = v_min(K(13), v_max(K(0x1p-4), rough));
    const INT row = v_bits(within) >> (MANTISSA_BITS - 1);
    const VEC cosine = FN(v_lookup)(FN(TURN_COSINE), row), sine = FN(v_lookup)(FN(TURN_SINE), row);
    const VEC onward = across * cosine, d = v_fma(up, sine, onward); /* the cosine is 1 or 0 */
    const VEC n = v_fma(-across, sine, up * cosine), r = n / d, u = r * r;
    return (FN(turned)){row, n, d, v_fma(up, sine, onward - d), r, r * u * HORNER(FN(ARCTAN), u)};
}

INLINE VEC FN(arctan_value)(const VEC *x) {
    const VEC size = v_min(K(FN(ARCTAN_MOST)), v_abs(x[0]));
    const FN(turned) t = FN(turn_back)(size, K(1), size);
    const VEC rest = t.rest + FN(v_lookup)(FN(TURN_ANGLE_LOW), t.row);
    return v_copysign(FN(v_lookup)(FN(TURN_ANGLE), t.row) + (t.r + rest), x[0]);
}

/* The angle of (x[1], x[0]), to the left pi less that of their sizes, which t has turned back. */
INLINE VEC FN(angle_of)(const VEC *x, FN(turned) t, VEC r, VEC r_low) {
    const INT sign = v_bits(x[1]) & v_bits(K(-0.0));
    const MASK left = FN(v_above)((INT){0}, v_bits(x[1]));
    const VEC angle = v_select(left, FN(v_lookup)(FN(TURN_LEFT), t.row), FN(v_lookup)(FN(TURN_ANGLE), t.row));
    const VEC low = v_select(left, FN(v_lookup)(FN(TURN_LEFT_LOW), t.row), FN(v_lookup)(FN(TURN_ANGLE_LOW), t.row));
    const VEC turn = v_real(v_bits(r) ^ sign), rest = v_real(v_bits(t.rest + r_low) ^ sign);
    return v_copysign(angle + (turn + (rest + low)), x[0]);
}

INLINE FN(turned) FN(turn_quotient)(VEC up, VEC across) {
    return FN(turn_back)(up, across, up * FN(bitwise_inverse)(across));
}

/* What r lacks; counts where the angle is 0. */
INLINE VEC FN(second_word)(FN(turned) t) {
    return v_mad(-t.r, t.d_low, v_fma(-t.r, t.d, t.n)) * FN(bitwise_inverse)(t.d);
}

INLINE VEC FN(arctan2_quick)(const VEC *x, MASK *ok) {
    const VEC up = v_abs(x[0]), across = v_abs(x[1]), most = v_max(up, across);
    *ok &= v_le(K(1 / FN(ARCTAN_MOST)), most) & v_lt(most, K(FN(ARCTAN_MOST))) & v_ordered(up, across);
    const FN(turned) t = FN(turn_quotient)(up, across);
    return FN(angle_of)(x, t, t.r, FN(second_word)(t));
}

/* Annex F of C, F.10.1.4: of two infinite numbers the angle is that of (1, 1), of two zeros 0 or pi. */
INLINE VEC FN(arctan2_any)(const VEC *x) {
    const VEC zero = K(0), one = K(1), infinity = K(INFINITY), up = v_abs(x[0]), across = v_abs(x[1]);
    const VEC most = v_max(up, across);
    const REAL scale_up = FN(LENGTH_UP), scale_down = FN(LENGTH_DOWN);
    const MASK small = v_lt(most, K(1 / FN(ARCTAN_MOST))), large = v_le(K(FN(ARCTAN_MOST)), most);
    const VEC scale = v_select(small, K(scale_up), v_select(large, K(scale_down), one));
    const MASK endless = v_eq(most, infinity);
    const VEC b = v_select(endless, v_select(v_eq(up, infinity), one, zero), up * scale);
    const VEC a = v_select(endless, v_select(v_eq(across, infinity), one, zero), across * scale);
    const FN(turned) t = FN(turn_quotient)(b, v_select(v_eq(most, zero), one, a));
    /* Scaled down, a small one may have lost digits; the quotient of both, rounded once, is all there is then. */
    const MASK flat = large & v_lt(b, a * K(FN(FLAT)));
    const VEC r = v_select(flat & v_lt(across, infinity), up / across, t.r);
    const VEC y = FN(angle_of)(x, t, r, v_select(flat, zero, FN(second_word)(t)));
    return v_select(v_ordered(up, across), y, up + across);
}

#define VEKT_ANGLES(ROW) ROW(arctan2, 2, 550)
