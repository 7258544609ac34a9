/* The logistic function and what is made of it. */

/* ---- sigmoid ---------------------------------------------------------------------------------------------- */

/* E = e^-|x| scaled by 2^HALF_RANGE, and s = E/(1 + E), in one word: enough for double, where two units in the last
 * place are allowed. */
#if MANTISSA_BITS == 52
INLINE vf64 one_word_logistic(vf64 t, vf64 *s) {
    pair_f64 e = exp_pair_f64(-v_min(K(EXP_LIMIT_f64), t), NULL, HALF_RANGE);
    vf64 m = v_mad(e.head, e.rest, e.head);
    *s = m / v_mad(m, K(TINY_SCALE), K(1));
    return m;
}

/* E - E s or 1 - s: at E = 1, where the errors of s count most, they are halved. */
INLINE vf64 sigmoid_value_f64(vf64 x, const vf64 *p) {
    (void)p;
    vf64 s, e = one_word_logistic(v_abs(x), &s), a = v_select(v_lt(x, K(0)), e, K(1 / TINY_SCALE));
    return v_fma(-a, s * K(TINY_SCALE), a) * K(TINY_SCALE);
}

INLINE vf64 logistic_slope_f64(vf64 t, double factor) {
    vf64 s;
    one_word_logistic(t, &s);
    return v_mad(-s, s * K(TINY_SCALE), s) * K(TINY_SCALE * factor);
}
#else
INLINE VEC FN(sigmoid_value)(VEC x, const VEC *p) {
    (void)p;
    SHORT_PATH(v_abs(x), LOGISTIC_SHORT_LIMIT, sigmoid_short(x));
    FN(pair) e = FN(exp_pair)(-FN(clamped_abs)(x, FN(EXP_LIMIT)), NULL, HALF_RANGE);
    VEC rho, g = FN(inverse_of_1_plus)(e, &rho);
    VEC y = FN(reflect)(x, FN(product)(e.head, NULL, g, e.rest - rho));
    return SHORT_WHERE_VALID(y);
}

/* factor E/(1 + E)^2 at E = e^-t, t >= 0, factor a power of two: a later product would round subnormals twice */
INLINE VEC FN(logistic_slope)(VEC t, REAL factor) {
    SHORT_PATH(t, LOGISTIC_SHORT_LIMIT, logistic_slope_short(t) * factor);
    FN(pair) e = FN(exp_pair)(-v_min(K(FN(EXP_LIMIT)), t), NULL, HALF_RANGE);
    VEC rho, g = FN(inverse_of_1_plus)(e, &rho);
    VEC n = e.head * g, n_low = v_fma(e.head, g, -n);
    VEC y = FN(product)(n, &n_low, g, e.rest - (rho + rho)) * K(TINY_SCALE * factor);
    return SHORT_WHERE_VALID(y);
}
#endif

INLINE VEC FN(sigmoid_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(logistic_slope)(v_abs(x), 1);
}

INLINE VEC FN(sigmoid_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return v_fma(-y, y, y);
}

/* ---- tanh ------------------------------------------------------------------------------------------------- */

/* tanh(c + r) = y + g tanh(r) / (1 + y tanh(r)), y = tanh(c), g = 1 - y^2: the addition theorem.
 * In the first interval c = y = 0 and the polynomial alone is left; beyond, tanh > 1/2 and the second term is less
 * than a third of the sum, and so are its rounding errors: 0.9 units in the last place are left. */
INLINE VEC FN(tanh_by_table)(VEC x) {
    VEC t = FN(clamped_abs)(x, FN(TANH_LIMIT));
    INT i = v_bits(v_mad(t, K(FN(TANH_PER_INTERVAL)), K(-0.5)) + K(FN(ROUNDER)));
    VEC r = t - FN(v_lookup_tanh)(FN(TANH_CENTRE), i);
    VEC y = FN(v_lookup_tanh)(FN(TANH_VALUE), i), g = v_fma(-y, y, K(1));
    VEC u = r * r, h = v_fma(r * u, HORNER(FN(TANH_ODD), u), r);
    /* A reciprocal by iteration, in place of the division, took a quarter longer on AVX-512. */
    return v_copysign(v_fma(h, g / v_mad(y, h, K(1)), y), x);
}

#if MANTISSA_BITS == 52
/* With E = e^-2t: h + h q, h = (1 - E)/2, q = (1 - E)/(1 + E), and from E < 1/2 on 1 - 2E + 2E q, q = E/(1 + E), so
 * that q's errors count half or less.  1.8 units in the last place, and a tenth to a half quicker than by table. */
INLINE vf64 tanh_value_f64(vf64 x, const vf64 *p) {
    (void)p;
    pair_f64 e = exp_pair_f64(clamped_abs_f64(x, TANH_LIMIT_f64) * K(-2), NULL, 0);
    mask_f64 small = v_lt(e.head, K(0.5));
    vf64 v = v_fma(e.head, e.rest, e.head - v_select(small, K(0), K(1))); /* E or E - 1 */
    vf64 q = v / (v + v_select(small, K(1), K(2)));
    vf64 a = v * v_select(small, K(2), K(0.5));
    return v_copysign(v_fma(a, q, v_select(small, K(1), K(0)) - a), x);
}
#else
INLINE VEC FN(tanh_value)(VEC x, const VEC *p) {
    (void)p;
    return FN(tanh_by_table)(x);
}
#endif

/* 1 - tanh(x)^2 = 4 sigmoid'(2x) */
INLINE VEC FN(tanh_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(logistic_slope)(v_abs(x + x), 4);
}

INLINE VEC FN(tanh_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return v_fma(-y, y, K(1));
}

/* ---- rows */

#define VEKT_LOGISTIC_ACTIVATIONS(ROW) \
    ROW(sigmoid, 0, 350, 380)          \
    ROW(tanh, 0, 330, 390)

#define VEKT_LOGISTIC_FROM_OUTPUT(ROW) \
    ROW(sigmoid, 0, 50)                \
    ROW(tanh, 0, 50)
