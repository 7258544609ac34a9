/* The activations: NAME_value(x, p) and NAME_grad(x, p), p the parameters; their rows are at the foot.
 * Included for float and for double.  The largest errors over all floats, in ULP, value and gradient: sigmoid 0.944,
 * 0.922; tanh 0.898, 0.922; gelu 0.947, 0.849; gelu_tanh 0.822, 0.517. */

/* ---- sigmoid ---------------------------------------------------------------------------------------------- */

INLINE VEC FN(sigmoid_value)(VEC x, const VEC *p) {
    (void)p;
    SHORT_PATH(v_abs(x), LOGISTIC_SHORT_LIMIT, sigmoid_short(x));
    FN(logistic) e = FN(logistic_parts)(-FN(clamped_abs)(x, FN(EXP_LIMIT)), K(0));
    VEC low, q = FN(divide)(e.m, e.m_low, e.d, e.d_low, FN(rough_inverse)(e.d), &low);
    VEC y = FN(reflect)(x, (q + low) * e.scale);
    return SHORT_WHERE_VALID(y);
}

/* factor E/(1 + E)^2 at E = e^-t, t >= 0, factor a power of two: a later product would round subnormals twice */
INLINE VEC FN(logistic_slope)(VEC t, REAL factor) {
    SHORT_PATH(t, LOGISTIC_SHORT_LIMIT, logistic_slope_short(t) * factor);
    FN(logistic) e = FN(logistic_parts)(-v_min(K(FN(EXP_LIMIT)), t), K(0));
    VEC square = e.d * e.d;
    VEC square_low = v_mad(e.d + e.d, e.d_low, v_fma(e.d, e.d, -square));
    VEC inverse = FN(rough_inverse)(e.d);
    VEC low, q = FN(divide)(e.m, e.m_low, square, square_low, inverse * inverse, &low);
    VEC y = (q + low) * e.scale * K(TINY_SCALE * factor);
    return SHORT_WHERE_VALID(y);
}

INLINE VEC FN(sigmoid_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(logistic_slope)(v_abs(x), 1);
}

INLINE VEC FN(sigmoid_grad_from_output)(VEC y) { return v_fma(-y, y, y); }

/* ---- tanh ------------------------------------------------------------------------------------------------- */

/* tanh(c + r) = y + g tanh(r) / (1 + y tanh(r)), y = tanh(c), g = 1 - y^2: the addition theorem.
 * In the first interval c = y = 0 and the polynomial alone is left; beyond, tanh > 1/2 and the second term is less
 * than a third of the sum, and so are its rounding errors. */
INLINE VEC FN(tanh_value)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, FN(TANH_LIMIT));
    INT i = v_bits(v_mad(t, K(FN(TANH_PER_INTERVAL)), K(-0.5)) + K(FN(ROUNDER)));
    VEC r = t - FN(v_lookup_tanh)(FN(TANH_CENTRE), i);
    VEC y = FN(v_lookup_tanh)(FN(TANH_VALUE), i), g = v_fma(-y, y, K(1));
    VEC u = r * r, h = v_fma(r * u, HORNER(FN(TANH_ODD), u), r);
    /* A reciprocal by iteration, in place of the division, took a quarter longer on AVX-512. */
    return v_copysign(v_fma(h, g / v_mad(y, h, K(1)), y), x);
}

/* 1 - tanh(x)^2 = 4 sigmoid'(2x) */
INLINE VEC FN(tanh_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(logistic_slope)(v_abs(x + x), 4);
}

INLINE VEC FN(tanh_grad_from_output)(VEC y) { return v_fma(-y, y, K(1)); }

/* ---- relu, leaky_relu ------------------------------------------------------------------------------------- */

/* slope * x, and 0 where the slope is 0, at -inf too */
INLINE VEC FN(sloped)(VEC slope, VEC x) { return v_select(v_eq(slope, K(0)), K(0), slope * x); }
INLINE VEC FN(keep_nan)(VEC y, VEC x) { return v_select(v_eq(x, x), y, x); }

INLINE VEC FN(relu_value)(VEC x, const VEC *p) {
    (void)p;
    return v_max(K(0), x);
}

INLINE VEC FN(relu_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(keep_nan)(v_select(v_lt(K(0), x), K(1), K(0)), x);
}

/* p: negative_slope, max_value, threshold */
INLINE VEC FN(relu_general_value)(VEC x, const VEC *p) {
    VEC y = v_select(v_lt(x, p[2]), FN(sloped)(p[0], x - p[2]), x);
    return v_select(v_le(p[1], x), p[1], y);
}

INLINE VEC FN(relu_general_grad)(VEC x, const VEC *p) {
    VEC g = v_select(v_lt(p[2], x), K(1), p[0]);
    /* the slope at +inf stays 1 where there is no maximum, that is, where max_value is +inf */
    return FN(keep_nan)(v_select(v_le(p[1], v_min(K(LARGEST), x)), K(0), g), x);
}

/* p: negative_slope */
INLINE VEC FN(leaky_relu_value)(VEC x, const VEC *p) { return v_select(v_lt(x, K(0)), FN(sloped)(p[0], x), x); }

INLINE VEC FN(leaky_relu_grad)(VEC x, const VEC *p) { return FN(keep_nan)(v_select(v_lt(K(0), x), K(1), p[0]), x); }

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

/* ---- the rows: name, number of parameters, picoseconds per element of value and of gradient ----------------- */

#define VEKT_ACTIVATIONS(ROW)    \
    ROW(sigmoid, 0, 350, 380)    \
    ROW(tanh, 0, 330, 390)       \
    ROW(relu, 0, 30, 40)         \
    ROW(relu_general, 3, 60, 70) \
    ROW(leaky_relu, 1, 40, 50)   \
    ROW(gelu, 0, 460, 740)       \
    ROW(gelu_tanh, 0, 820, 820)

/* NAME_backward_from_output(dy, y) = dy * NAME_grad_from_output(y) */
#define VEKT_ACTIVATIONS_FROM_OUTPUT(ROW) \
    ROW(sigmoid, 50)                      \
    ROW(tanh, 50)
