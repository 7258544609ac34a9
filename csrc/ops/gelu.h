/* x times the normal distribution function, and its approximation. */

/* ---- gelu ------------------------------------------------------------------------------------------------- */

/* x Phi(x) = relu(x) - t g(t) exp(-t^2/2), t = |x|, g(t) = Phi(-t) exp(t^2/2) from a table. */
INLINE VEC FN(gelu_value)(VEC x, const VEC *p) {
    (void)p;
    SHORT_PATH(-x, NORMAL_TAIL_LIMIT, gelu_short(x));
    VEC t = FN(clamped_abs)(x, FN(GELU_LIMIT));
    VEC rest, c0 = FN(tail_polynomial)(FN(GELU), sizeof FN(GELU) / sizeof *FN(GELU), FN(GELU_CENTRE), FN(GELU_OFFSET),
                                       t, &rest);
    VEC y = FN(relu_minus)(x, FN(times_gaussian)(t, t, NULL, c0, rest));
    return SHORT_WHERE_VALID(y);
}

/* gelu'(-t) = exp(-t^2/2) (t0 - t) h(t), gelu'(t) = 1 - gelu'(-t): the root t0 is a factor, so that the relative
 * error stays bounded on both sides of it. */
INLINE VEC FN(gelu_grad)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, FN(GELU_LIMIT)), t0 = K(FN(GELU_ROOT)[0]);
    VEC rest, c0 = FN(tail_polynomial)(FN(GELU_GRADIENT), sizeof FN(GELU_GRADIENT) / sizeof *FN(GELU_GRADIENT),
                                       FN(GELU_GRADIENT_CENTRE), FN(GELU_OFFSET), t, &rest);
    VEC d = t0 - t, s = d - t0;
    VEC d_low = ((t0 - (d - s)) - (t + s)) + K(FN(GELU_ROOT)[1]);
    return FN(reflect)(x, FN(times_gaussian)(t, d, &d_low, c0, rest));
}

/* ---- gelu_tanh: gelu's approximation x sigmoid(z), z = x (A + B x^2) --------------------------------------- */

/* With t >= 0: z(t) = t (A + B t^2) and w(t) = t z'(t) = t (A + 3 B t^2), in two words.
 * Adding GELU_TANH_CUT cuts off the bits of B t^2 below its last place, so that what is left can be multiplied by 3
 * and added to A, cut off likewise, without rounding. */
typedef struct {
    VEC z, z_low, w, w_low;
} FN(cubic);

INLINE FN(cubic) FN(gelu_tanh_cubic)(VEC t) {
    const REAL *a = FN(GELU_TANH_A), *b = FN(GELU_TANH_B), cut = FN(GELU_TANH_CUT);
    VEC s = t * t, s_low = v_fma(t, t, -s);
    VEC bs = v_fma(K(b[0]), s, K(cut)) - K(cut);
    VEC bs_low = v_mad(K(b[0]), s_low, v_mad(K(b[1]), s, v_fma(K(b[0]), s, -bs)));
    VEC v = K(a[0]) + bs, u = v_mad(K(3), bs, K(a[0])); /* exact */
    VEC v_low = K(a[1]) + bs_low, u_low = v_mad(K(3), bs_low, K(a[1]));
    VEC z = t * v, w = t * u;
    return (FN(cubic)){z, v_mad(t, v_low, v_fma(t, v, -z)), w, v_mad(t, u_low, v_fma(t, u, -w))};
}

INLINE VEC FN(gelu_tanh_value)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, FN(GELU_TANH_LIMIT));
    FN(cubic) c = FN(gelu_tanh_cubic)(t);
    VEC minus_z_low = -c.z_low;
    FN(pair) e = FN(exp_pair)(-c.z, &minus_z_low, HALF_RANGE);
    VEC rho, g = FN(inverse_of_1_plus)(e, &rho);
    VEC n = t * e.head, n_low = v_fma(t, e.head, -n);
    return FN(relu_minus)(x, FN(product)(n, &n_low, g, e.rest - rho));
}

/* gelu_tanh'(-t) = E (1 + E - w)/(1 + E)^2, w = t z'(t), E = e^-z(t).
 * Cancellation at the root leaves an absolute error: too much for the floats next to it, whose gradient is
 * gelu_tanh_grad_f32.h. */
#if MANTISSA_BITS == 52
INLINE VEC FN(gelu_tanh_grad)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, FN(GELU_TANH_LIMIT));
    FN(cubic) c = FN(gelu_tanh_cubic)(t);
    VEC minus_z_low = -c.z_low;
    FN(pair) e = FN(exp_pair)(-c.z, &minus_z_low, HALF_RANGE);
    VEC rho, g = FN(inverse_of_1_plus)(e, &rho);
    VEC u = v_mad(e.head, K(TINY_SCALE), K(1) - c.w) + v_mad(e.head * e.rest, K(TINY_SCALE), -c.w_low);
    return FN(reflect)(x, FN(product)(u * e.head * g, NULL, g, e.rest - (rho + rho)));
}
#endif

/* ---- rows */

#define VEKT_GELU_ACTIVATIONS(ROW) \
    ROW(gelu, 0, 460, 740)         \
    ROW(gelu_tanh, 0, 620, 700)

#define VEKT_GELU_FROM_OUTPUT(ROW)
