/* gelu_tanh' of float, in double.
 *
 * With e^-z = T/m and d = m + T:  gelu_tanh' = m (m + T (1 + x z')) / d^2.  The short exponential (2^-30.8) is
 * exact at the root's reduced argument, so that its error vanishes where the gradient does. */

INLINE vf64 gelu_tanh_grad_half(vf64 x) {
    const vf64 one = v_splat_f64(1), rounder = v_splat_f64(ROUNDER_f64);
    const double *c = EXP_QUOTIENT_f64, a = GELU_TANH_A_f64[0] + GELU_TANH_A_f64[1], b = GELU_TANH_B_f64[0];
    vf64 s = x * x;
    vf64 z = x * v_mad(s, v_splat_f64(-b), v_splat_f64(-a));
    vf64 shifted = v_mad(z, v_splat_f64(0x1.71547652b82fep+0), rounder);
    vf64 r = v_mad(shifted - rounder, v_splat_f64(-0x1.62e42fefa39efp-1), z), u = r * r;
    vf64 q = v_mad(v_mad(v_splat_f64(c[2]), u, v_splat_f64(c[1])), u, v_splat_f64(c[0]));
    vf64 m = q - r, t = v_real(v_wrap_add(v_bits(q + r), v_bits(shifted) << 52)), d = m + t;
    vf64 slope = v_mad(x, v_mad(s, v_splat_f64(3 * b), v_splat_f64(a)), one);
    return m * v_mad(t, slope, m) / (d * d);
}

INLINE vf32 gelu_tanh_grad_f32(vf32 x, const vf32 *p) {
    (void)p;
    vf32 y = v_max(v_splat_f32(-16), v_min(v_splat_f32(16), x)); /* NaN stays */
    return v_narrow(gelu_tanh_grad_half(v_widen_low(y)), gelu_tanh_grad_half(v_widen_high(y)));
}
