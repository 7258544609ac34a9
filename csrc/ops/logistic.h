/* The logistic function and what is made of it. */

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

INLINE VEC FN(sigmoid_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return v_fma(-y, y, y);
}

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
