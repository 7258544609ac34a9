/* Functions made of e^x; the exponential itself is among the activations. */

/* e^x/2 = head (1 + r + q), |r| <= 0.022, |q| <= r^2; as exp_terms, but r is exact, and near 0 e^x - 1 = r + q. */
INLINE FN(exp_sum) FN(half_exp)(VEC x) {
    const REAL rounder = FN(ROUNDER) - 16;
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
    const FN(exp_sum) e = FN(half_exp)(v_min(K(FN(EXP_OVERFLOW)), v_max(K(-FN(EXPM1_LIMIT)), x))); /* NaN stays */
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

/* ---- rows */

#define VEKT_EXPONENTIALS(ROW) ROW(expm1, 220)
