/* x times the normal distribution function, and its approximation. */

/* ---- gelu ------------------------------------------------------------------------------------------------- */

/* x Phi(x) = relu(x) - t g(t) exp(-t^2/2), t = |x|, g(t) = Phi(-t) exp(t^2/2) from a table. */
INLINE VEC FN(gelu_value)(VEC x, const VEC *p) {
    (void)p;
    SHORT_PATH(-x, NORMAL_TAIL_LIMIT, gelu_short(x));
    VEC t = FN(clamped_abs)(x, FN(GELU_LIMIT));
    VEC rest, c0 = FN(tail_polynomial)(FN(GELU), sizeof FN(GELU) / sizeof *FN(GELU), FN(GELU_CENTRE), t, &rest);
    VEC y = FN(relu_minus)(x, FN(times_gaussian)(t, t, NULL, c0, rest));
    return SHORT_WHERE_VALID(y);
}

/* gelu'(-t) = exp(-t^2/2) (t0 - t) h(t), gelu'(t) = 1 - gelu'(-t): the root t0 is a factor, so that the relative
 * error stays bounded on both sides of it. */
INLINE VEC FN(gelu_grad)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, FN(GELU_LIMIT)), t0 = K(FN(GELU_ROOT)[0]);
    VEC rest, c0 = FN(tail_polynomial)(FN(GELU_GRADIENT), sizeof FN(GELU_GRADIENT) / sizeof *FN(GELU_GRADIENT),
                                       FN(GELU_GRADIENT_CENTRE), t, &rest);
    VEC d = t0 - t, s = d - t0;
    VEC d_low = ((t0 - (d - s)) - (t + s)) + K(FN(GELU_ROOT)[1]);
    return FN(reflect)(x, FN(times_gaussian)(t, d, &d_low, c0, rest));
}

/* ---- gelu_tanh: gelu's approximation x sigmoid(z), z = x (A + B x^2) --------------------------------------- */

/* t (A + B s) in two words, s + s_low = t^2 */
INLINE VEC FN(cubic)(VEC t, VEC s, VEC s_low, REAL a, REAL a_low, REAL b, REAL b_low, VEC *low) {
    VEC v_low, v = FN(exact_mad)(K(b), s, K(a), &v_low);
    v_low += v_mad(K(b), s_low, v_mad(K(b_low), s, K(a_low)));
    VEC z = t * v;
    *low = v_mad(t, v_low, v_fma(t, v, -z));
    return z;
}

INLINE VEC FN(gelu_tanh_value)(VEC x, const VEC *p) {
    (void)p;
    const REAL *a = FN(GELU_TANH_A), *b = FN(GELU_TANH_B);
    VEC t = FN(clamped_abs)(x, FN(GELU_TANH_LIMIT)), s = t * t, s_low = v_fma(t, t, -s);
    VEC z_low, z = FN(cubic)(t, s, s_low, a[0], a[1], b[0], b[1], &z_low);
    FN(logistic) e = FN(logistic_parts)(-z, -z_low);
    VEC low, q = FN(divide)(e.m, e.m_low, e.d, e.d_low, FN(rough_inverse)(e.d), &low);
    return FN(relu_minus)(x, v_fma(t, q, t * low) * e.scale);
}

/* gelu_tanh'(-t) = E (1 + E - w)/(1 + E)^2, w = t z'(t) = t (A + 3 B t^2), E = e^-z(t).
 * Cancellation at the root leaves an absolute error: too much for the floats next to it, whose gradient is
 * gelu_tanh_grad_f32.h. */
#if MANTISSA_BITS == 52
INLINE VEC FN(gelu_tanh_grad)(VEC x, const VEC *p) {
    (void)p;
    const REAL *a = FN(GELU_TANH_A), *b = FN(GELU_TANH_B), *b3 = FN(GELU_TANH_3B);
    VEC t = FN(clamped_abs)(x, FN(GELU_TANH_LIMIT)), s = t * t, s_low = v_fma(t, t, -s);
    VEC z_low, z = FN(cubic)(t, s, s_low, a[0], a[1], b[0], b[1], &z_low);
    VEC w_low, w = FN(cubic)(t, s, s_low, a[0], a[1], b3[0], b3[1], &w_low);
    FN(logistic) e = FN(logistic_parts)(-z, -z_low);
    VEC u_low, u = FN(exact_mad)(-w, K(1), e.d, &u_low);
    u_low += e.d_low - w_low;
    VEC n = e.m * u, n_low = v_mad(e.m, u_low, v_mad(e.m_low, u, v_fma(e.m, u, -n)));
    VEC square = e.d * e.d, square_low = v_mad(e.d + e.d, e.d_low, v_fma(e.d, e.d, -square));
    VEC inverse = FN(rough_inverse)(e.d);
    VEC low, q = FN(divide)(n, n_low, square, square_low, inverse * inverse, &low);
    return FN(reflect)(x, (q + low) * e.scale);
}
#endif

/* ---- rows */

#define VEKT_GELU_ACTIVATIONS(ROW) \
    ROW(gelu, 0, 460, 740)         \
    ROW(gelu_tanh, 0, 820, 820)

#define VEKT_GELU_FROM_OUTPUT(ROW)
