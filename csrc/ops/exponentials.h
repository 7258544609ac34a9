/* Functions made of e^x; the exponential itself is among the activations. */

/* e^x 2^power = head (1 + r + q), |r| <= 0.022, |q| <= r^2; as exp_terms, but r is exact, and near 0 e^x - 1 = r + q.
 */
INLINE FN(exp_sum) FN(exp_exact)(VEC x, int power) {
    const REAL rounder = FN(ROUNDER) + (REAL)(16 * power);
    const VEC shifted = v_mad(x, K(0x1.71547652b82fep+4), K(rounder)), n = shifted - K(rounder);
    const VEC r = v_fma(n, K(-FN(LN2_16_WHOLE)[0]), x);
    const INT i = v_bits(shifted);
    const VEC head = v_real(v_wrap_add(v_bits(FN(v_lookup)(FN(EXP2), i)), i << (MANTISSA_BITS - 4)));
    const VEC low = v_mad(n, K(-FN(LN2_16_WHOLE)[1]), FN(v_lookup)(FN(EXP2_LOW), i));
    return (FN(exp_sum)){head, r, K(0), v_mad(r, v_mad(r, HORNER(FN(EXP), r), low), low)};
}

/* Half of e^x - 1, so that e^x may overflow.  The result has the sign of x: -0 stays. */
INLINE VEC FN(expm1_value)(VEC x) {
    const VEC half = K(0.5);
    const FN(exp_sum) e =
        FN(exp_exact)(v_min(K(FN(EXP_OVERFLOW)), v_max(K(-FN(EXPM1_LIMIT)), x)), -1); /* NaN stays */
    const VEC less = e.head - half;
#if MANTISSA_BITS == 23
    /* high + low: one rounding.  Beyond 2^23 all of the half is missing in `rest`. */
    const VEC high = v_fma(e.head, e.r, less), rest = e.head - (less + half);
    const VEC all = v_select(v_le(e.head, K(0x1p23)), rest, rest - half);
    const VEC low = v_fma(e.head, e.r, less - high) + all, y = high + v_mad(e.head, e.q, low);
#else
    const VEC y = v_fma(e.head, e.r + e.q, less);
#endif
    return v_or_sign(y + y, x);
}

/* 2^x: the n/16 nearest to x and what is left of it, exactly, which ln(2) makes an argument of e^r - 1 = r + q; of
 * floats n, and 1 + r p(r). */
INLINE VEC FN(exp2_value)(VEC x) {
    x = v_min(K(FN(EXP2_OVERFLOW)), v_max(K(-FN(EXP2_LIMIT)), x)); /* NaN stays */
#if MANTISSA_BITS == 23
    const vf32 n = (x + K(ROUNDER_f32)) - K(ROUNDER_f32), r = x - n;
    return v_scale(v_fma(r, HORNER(EXP2_SERIES_f32, r), K(1)), n);
#else
    const double rounder = ROUNDER_f64 / 16 - HALF_RANGE;
    const vf64 shifted = x + K(rounder), r = (x - (shifted - K(rounder))) * K(LN_2);
    const vi64 i = v_bits(shifted);
    const vf64 head = v_real(v_wrap_add(v_bits(v_lookup_f64(EXP2_f64, i)), i << 48));
    const vf64 q = v_mad(r * r, HORNER(EXP_f64, r), v_lookup_f64(EXP2_LOW_f64, i));
    return scaled_power_f64((pair_f64){head, r + q}, x);
#endif
}

/* cosh(x)/2 = Q + 1/(16 Q), Q = e^|x|/4: the second is less than half of it, and where it is not small Q is exact to
 * its second word. */
INLINE VEC FN(cosh_value)(VEC x) {
    const FN(exp_sum) e = FN(exp_exact)(FN(clamped_abs)(x, FN(SINH_LIMIT)), -2);
    const VEC rest = e.r + e.q, inverse = K(0.0625) / v_mad(e.head, rest, e.head);
    const VEC y = e.head + v_mad(e.head, rest, inverse);
    return y + y;
}

/* sinh(x)/2 likewise, but for |x| < 1, where the two would cancel. */
INLINE VEC FN(sinh_value)(VEC x) {
    const VEC t = FN(clamped_abs)(x, FN(SINH_LIMIT)), u = t * t;
    const FN(exp_sum) e = FN(exp_exact)(t, -2);
    const VEC rest = e.r + e.q, inverse = K(0.0625) / v_mad(e.head, rest, e.head);
    const VEC y = e.head + v_mad(e.head, rest, -inverse);
    return v_or_sign(v_select(v_lt(t, K(1)), v_mad(t * u, HORNER(FN(SINH), u), t), y + y), x);
}

/* ---- rows */

#define VEKT_EXPONENTIALS(ROW) \
    ROW(expm1, 250)            \
    ROW(exp2, 220)             \
    ROW(sinh, 330)             \
    ROW(cosh, 270)
