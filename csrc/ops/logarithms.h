/* Logarithms beside log. */

/* log(1 + x) = k ln(2) - log(c) + log(1 + r), as log_of_normal has it of u + u_low = 1 + x.  It has the sign of x, -0
 * too. */
INLINE VEC FN(log1p_value)(VEC x) {
    const VEC one = K(1), larger = v_max(one, x), smaller = v_min(one, x);
    const VEC u = larger + smaller, u_low = smaller - (u - larger);
    const INT place = v_wrap_sub(v_bits(u), v_bits(K(1 - 9.5 / 32))), shift = place >> MANTISSA_BITS;
    const INT power = shift << MANTISSA_BITS, row = place >> (MANTISSA_BITS - 4);
    const VEC k = v_real(shift + v_bits(K(FN(ROUNDER)))) - K(FN(ROUNDER));
    const VEC scale = v_max(K(0), v_real(v_wrap_sub(v_bits(one), power))); /* 2^128, or 2^1024, has no inverse */
    const VEC f = v_real(v_wrap_sub(v_bits(u), power)), f_low = u_low * scale;
    const VEC c = FN(v_lookup)(FN(LOG_INVERSE), row);
    const VEC whole = v_fma(k, K(FN(LN2)[0]), FN(v_lookup)(FN(LOG_TABLE), row));
#if MANTISSA_BITS == 23
    const VEC product = f * c, r = product - one, r_low = v_fma(c, f_low, v_fma(f, c, -product));
    const VEC sum = whole + r, low = v_mad(k, K(FN(LN2)[1]), v_mad(r_low, one - r, r - (sum - whole)));
    const VEC y = sum + v_mad(r * r, HORNER(FN(LOG_SERIES), r), low);
#else
    const VEC r = v_fma(c, f_low, v_fma(f, c, -one));
    const VEC y = whole + (r + v_mad(r * r, HORNER(FN(LOG_SERIES), r), k * K(FN(LN2)[1])));
#endif
    return v_or_sign(v_or_limit(y, u), x);
}

/* log2 and log10 of x = m 2^k: k L - log(c) + r/ln(base) + r^2 p(r), L the logarithm of 2, r = m c - 1.  The first
 * two terms are 0 around 1, and exact but for a last word of L.  Of doubles the others are r p(r). */
#if MANTISSA_BITS == 23
INLINE vf32 log_to_base_f32(vf32 x, const float *two, const float *factor, const float *inverse, const float *table,
                            const float *c, int count) {
    vf32 k;
    const vf32 m = v_split_f32(x, &k), first = v_splat_f32(factor[0]);
    const vi32 row = v_bits(m) >> 18;
    const vf32 r = v_fma(m, v_lookup32_f32(inverse, row), v_splat_f32(-1)), t = v_lookup32_f32(table, row);
    const vf32 whole = two[0] == 1 ? k + t : v_fma(k, v_splat_f32(two[0]), t);
    const vf32 sum = v_fma(r, first, whole);
    vf32 low = v_mad(r, v_mad(r, horner_f32(c, count, r), v_splat_f32(factor[1])), v_fma(r, first, whole - sum));
    if (two[1] != 0) low = v_mad(k, v_splat_f32(two[1]), low);
    return v_or_limit(sum + low, x);
}
#define LOG_TO_BASE(NAME, x)                                                                                        \
    log_to_base_f32(x, NAME##_OF_2_f32, NAME##_FACTOR_f32, NAME##_INVERSE_f32, NAME##_TABLE_f32, NAME##_SERIES_f32, \
                    (int)(sizeof NAME##_SERIES_f32 / sizeof *NAME##_SERIES_f32))
#else
INLINE vf64 log_to_base_f64(vf64 x, const double *two, const double *inverse, const double *table, const double *c,
                            int count) {
    vf64 k, m = v_split_f64(x, 2 - 9.5 / 16, &k);
    const vi64 row = v_wrap_sub(v_bits(m), v_bits(v_splat_f64(1 - 9.5 / 32))) >> 48;
    const vf64 r = v_fma(m, v_lookup_f64(inverse, row), v_splat_f64(-1));
    const vf64 t = v_lookup_f64(table, row), p = horner_f64(c, count, r);
    if (two[0] == 1) return v_or_limit(v_fma(r, p, k + t), x);
    return v_or_limit(v_fma(k, v_splat_f64(two[0]), t) + v_mad(r, p, k * v_splat_f64(two[1])), x);
}
#define LOG_TO_BASE(NAME, x)                                                                     \
    log_to_base_f64(x, NAME##_OF_2_f64, NAME##_INVERSE_f64, NAME##_TABLE_f64, NAME##_SERIES_f64, \
                    (int)(sizeof NAME##_SERIES_f64 / sizeof *NAME##_SERIES_f64))
#endif

INLINE VEC FN(log2_value)(VEC x) { return LOG_TO_BASE(LOG2, x); }
INLINE VEC FN(log10_value)(VEC x) { return LOG_TO_BASE(LOG10, x); }
#undef LOG_TO_BASE

/* ---- rows */

#define VEKT_LOGARITHMS(ROW) \
    ROW(log1p, 330)          \
    ROW(log2, 230)           \
    ROW(log10, 230)
