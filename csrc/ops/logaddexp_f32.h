/* m + log(1 + e^(least - m)) to 2^-45; infinities that are equal give m. */
INLINE vf64 short_logaddexp(vf64 m, vf64 least) {
    const vf64 d = v_max(least - m, v_splat_f64(-200)), rounder = v_splat_f64(ROUNDER_f64);
    const vf64 shifted = v_mad(d, v_splat_f64(0x1.71547652b82fep+4), rounder);
    const vf64 r = v_mad(shifted - rounder, v_splat_f64(-0x1.62e42fefa39efp-5), d);
    const vi64 i = v_bits(shifted);
    const vf64 head = v_real(v_wrap_add(v_bits(v_lookup_f64(EXP2_f64, i)), i << 48));
    const int counts[2] = {sizeof EXP_MIDDLE_f64 / sizeof(double), sizeof ONE_PLUS_MIDDLE_f64 / sizeof(double)};
    const vf64 e = v_mad(head, v_mad(r * r, horner_f64(EXP_MIDDLE_f64, counts[0], r), r), head);
    const vi64 row = row_of_1_plus(e);
    const vf64 c = v_lookup_f64(ONE_PLUS_INVERSE_f64, row), s = v_fma(e, c, c - v_splat_f64(1));
    return m + (v_lookup_f64(ONE_PLUS_LOG_f64, row) + v_mad(s * s, horner_f64(ONE_PLUS_MIDDLE_f64, counts[1], s), s));
}

INLINE vf32 logaddexp_value_f32(const vf32 *x) {
    vf64 m[2], least[2];
    v_widen(maximum_value_f32(x), m);
    v_widen(v_min(x[0], x[1]), least);
    return v_narrow(short_logaddexp(m[0], least[0]), short_logaddexp(m[1], least[1]));
}
