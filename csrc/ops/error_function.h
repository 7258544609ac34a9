/* The error function and its complement. */

/* erf(x) = x g(|x|), g a polynomial on each of 16 intervals. */
INLINE VEC FN(erf_value)(VEC x) {
    const int count = (int)(sizeof FN(ERF) / sizeof *FN(ERF));
    const VEC t = FN(clamped_abs)(x, FN(ERF_LIMIT));
    const INT i = v_bits(v_mad(t, K(FN(ERF_PER_INTERVAL)), K(-0.5)) + K(FN(ROUNDER)));
    const VEC r = t - FN(v_lookup)(FN(ERF_CENTRE), i);
#if MANTISSA_BITS == 23
    VEC low;
    const VEC high = FN(two_word_polynomial)(FN(ERF), count, r, i, &low);
    /* Of the least normal numbers the product with low would be less than anything subnormal. */
    const VEC large = t * K(0x1p24), y = v_fma(large, high, large * low) * K(0x1p-24);
#else
    VEC g = FN(v_lookup)(FN(ERF)[count - 1], i);
#pragma GCC unroll 20
    for (int j = count - 2; j > 0; j--) g = v_mad(g, r, FN(v_lookup)(FN(ERF)[j], i));
    const VEC y = t * v_mad(g, r, FN(v_lookup)(FN(ERF)[0], i));
#endif
    return v_or_sign(y, x);
}

/* erfc(t) = e^-t^2 h(t), h from a table; of negative numbers 2 - erfc(t). */
INLINE VEC FN(erfc_value)(VEC x) {
    const VEC t = FN(clamped_abs)(x, FN(ERFC_LIMIT));
    const int count = (int)(sizeof FN(ERFC) / sizeof *FN(ERFC));
#if MANTISSA_BITS == 23
    const vi32 i = v_bits(t + K(ERFC_OFFSET_f32)) >> (MANTISSA_BITS - 2);
    vf32 rest, c0 = two_word_polynomial_f32(ERFC_f32, count, t - v_lookup_f32(ERFC_CENTRE_f32, i), i, &rest);
#else
    vf64 rest, c0 = tail_polynomial_f64(ERFC_f64, count, ERFC_CENTRE_f64, ERFC_OFFSET_f64, t, &rest);
#endif
    const VEC v = FN(times_exp_of_product)(t, t, K(1), NULL, c0, rest);
    const VEC minus = v_select(v_lt(x, K(0)), -v, v);
    return v_fma(minus, K(TINY_SCALE), v_select(v_lt(x, K(0)), K(2), K(0)));
}

/* ---- rows */

#define VEKT_ERROR_FUNCTIONS(ROW) \
    ROW(erf, 300)                 \
    ROW(erfc, 420)
