/* x times the logistic function and its like, and x - tanh(x). */

/* t e^-t rounds to 0 only a little beyond where e^-t does. */
#if MANTISSA_BITS == 52
static const double SILU_LIMIT_f64 = 762.0;
#else
static const float SILU_LIMIT_f32 = 110.0f;
#endif

/* ---- silu ------------------------------------------------------------------------------------------------- */

#if MANTISSA_BITS == 52
/* 1/(1 + E) = g (1 - rho), E = (e + e_low) / 2^HALF_RANGE: the rounding errors of the sum and of g are in rho. */
INLINE VEC FN(inverse_1p)(VEC e, VEC e_low, VEC *rho) {
    VEC one = K(1), tiny = K(TINY_SCALE), d = v_mad(e, tiny, one), g = one / d;
    *rho = v_mad(g, v_mad(e_low, tiny, v_mad(e, tiny, one - d)), v_fma(g, d, -one));
    return g;
}

/* With E = e^-t, t = |x|: a/(1 + E), a = x for x >= 0 and -t E below, there times 2^HALF_RANGE and in two words. */
INLINE VEC FN(silu_value)(VEC x, const VEC *p) {
    (void)p;
    VEC limit = K(FN(SILU_LIMIT)), t = v_min(limit, v_abs(x)), low, e = FN(exp_words)(t, HALF_RANGE, &low);
    VEC rho, g = FN(inverse_1p)(e, low, &rho);
    MASK negative = v_lt(x, K(0));
    VEC product = -t * e, product_low = v_fma(-t, e, -product) - t * low;
    VEC a = v_select(negative, product, x), a_low = v_select(negative, product_low, K(0));
    a_low -= v_min(limit, a) * rho;                                                         /* at infinity rho is 0 */
    return v_copysign(v_fma(a, g, a_low * g) * v_select(negative, K(TINY_SCALE), K(1)), x); /* at -0, too */
}

/* silu'(-t) = E u/(1 + E)^2, u = 1 + E - t, and silu'(t) = 1 - silu'(-t).  Around the root, t = 1.28, 1 - t is
 * exact. */
INLINE VEC FN(silu_grad)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, FN(SILU_LIMIT)), low, e = FN(exp_words)(t, HALF_RANGE, &low);
    VEC rho, g = FN(inverse_1p)(e, low, &rho);
    VEC u = v_mad(low, K(TINY_SCALE), v_mad(e, K(TINY_SCALE), K(1) - t));
    VEC quotient = v_fma(e, u, low * u) * g;
    return FN(reflect)(x, v_fma(quotient, g, -(quotient + quotient) * (g * rho)));
}
#else
/* x sigmoid(x) = relu(x) - t E/(1 + E), E = e^-t, t = |x| */
INLINE VEC FN(silu_value)(VEC x, const VEC *p) {
    (void)p;
    SHORT_PATH(v_abs(x), LOGISTIC_SHORT_LIMIT, silu_short(x));
    VEC t = FN(clamped_abs)(x, FN(SILU_LIMIT));
    FN(logistic) e = FN(logistic_parts)(-t, K(0));
    VEC low, q = FN(divide)(e.m, e.m_low, e.d, e.d_low, FN(rough_inverse)(e.d), &low);
    VEC y = FN(relu_minus)(x, v_fma(t, q, t * low) * e.scale);
    return SHORT_WHERE_VALID(y);
}

/* (1 + e^-x (1 + x))/(1 + e^-x)^2 */
INLINE vf64 silu_grad_half(vf64 x) {
    quotient e = exp_quotient(-x, EXP_QUOTIENT_f64);
    vf64 d = e.a + e.b;
    return e.b * v_mad(e.a, v_splat_f64(1) + x, e.b) / (d * d);
}

INLINE vf32 silu_grad_f32(vf32 x, const vf32 *p) {
    (void)p;
    SHORT_PATH(v_abs(x), SILU_SLOPE_LIMIT, silu_grad_short(x));
    vf32 limit = K(120), t = v_max(-limit, v_min(limit, x));
    vf32 y = v_narrow(silu_grad_half(v_widen_low(t)), silu_grad_half(v_widen_high(t)));
    return SHORT_WHERE_VALID(y);
}
#endif

/* ---- mish ------------------------------------------------------------------------------------------------- */

/* x tanh(log(1 + e^x)) = x n/(n + 2), n = e^2 + 2e, e = e^x. */
#if MANTISSA_BITS == 52
/* With E = e^-|x|, for x < 0 | x >= 0, both divided by E^2 there:
 *   n = f g,  f = E | 1,  g = c + b E = 2 + E | 1 + 2E,  n + 2 = d = c + E (2 + b E)
 * f stands without its power of two, first * second. */
typedef struct {
    VEC f, f_low, first, second, g, g_low, d, d_low;
    FN(logistic) e;
    MASK negative;
} FN(mish_terms);

INLINE FN(mish_terms) FN(mish_parts)(VEC x) {
    VEC one = K(1), two = K(2);
    FN(logistic) e = FN(logistic_parts)(-FN(clamped_abs)(x, FN(SILU_LIMIT)), K(0));
    MASK negative = v_lt(x, K(0));
    VEC power = e.scale * K(TINY_SCALE), exp = e.m * power, exp_low = e.m_low * power;
    VEC c = v_select(negative, two, one), b = v_select(negative, one, two), be = b * exp, be_low = b * exp_low;
    VEC g = c + be, h = two + be, d_low;
    VEC g_low = ((c - g) + be) + be_low, h_low = ((two - h) + be) + be_low;
    VEC d = FN(exact_mad)(exp, h, c, &d_low);
    return (FN(mish_terms)){.f = v_select(negative, e.m, one),
                            .f_low = v_select(negative, e.m_low, K(0)),
                            .first = v_select(negative, e.scale, one),
                            .second = v_select(negative, K(TINY_SCALE), one),
                            .g = g,
                            .g_low = g_low,
                            .d = d,
                            .d_low = d_low + v_mad(exp, h_low, exp_low * h),
                            .e = e,
                            .negative = negative};
}

INLINE VEC FN(mish_value)(VEC x, const VEC *p) {
    (void)p;
    FN(mish_terms) s = FN(mish_parts)(x);
    VEC n = s.f * s.g, n_low = v_mad(s.f, s.g_low, v_mad(s.f_low, s.g, v_fma(s.f, s.g, -n)));
    VEC low, q = FN(divide)(n, n_low, s.d, s.d_low, K(1) / s.d, &low);
    return v_max(K(-FN(SILU_LIMIT)), x) * (q + low) * s.first * s.second;
}

/* f (g d + 4 x (1 + E) (1 | E^2))/d^2; the root is a cancellation of the sum, carried in two words. */
INLINE VEC FN(mish_grad)(VEC x, const VEC *p) {
    (void)p;
    FN(mish_terms) s = FN(mish_parts)(x);
    VEC limit = K(FN(SILU_LIMIT)), y = v_max(-limit, v_min(limit, x)), exp = s.e.m * s.e.scale * K(TINY_SCALE);
    VEC a = y * v_select(s.negative, K(4), K(4) * (exp * exp));
    VEC w = a * s.e.d, w_low = v_mad(a, s.e.d_low, v_fma(a, s.e.d, -w));
    VEC low, sum = FN(exact_mad)(s.g, s.d, w, &low);
    low += w_low + v_mad(s.g, s.d_low, s.g_low * s.d);
    sum += low; /* the error of this sum is relative to it, at the root too */
    VEC n = v_fma(s.f, sum, s.f_low * sum), square = v_fma(s.d, s.d, (s.d + s.d) * s.d_low);
    return n / square * s.first * s.second;
}
#else
/* e = a/b, both times b^2 */
INLINE vf64 mish_half(vf64 x) {
    quotient e = exp_quotient(v_min(v_splat_f64(40), x), EXP_QUOTIENT_f64);
    vf64 n = e.a * v_mad(v_splat_f64(2), e.b, e.a);
    return x * n / v_mad(e.b + e.b, e.b, n);
}

/* mish' = e ((e + 2) d + 4x (1 + e))/d^2, d = e^2 + 2e + 2; times b^4 */
INLINE vf64 mish_grad_half(vf64 x) {
    quotient e = exp_quotient(x, EXP_QUOTIENT_MISH_f64);
    vf64 two_b = e.b + e.b, g = e.a + two_b, d = v_mad(e.a, g, two_b * e.b);
    vf64 sum = v_mad(g, d, x * (two_b * two_b) * (e.a + e.b));
    return e.a * sum / (d * d);
}

INLINE vf32 mish_value_f32(vf32 x, const vf32 *p) {
    (void)p;
    vf32 y = v_max(K(-120), x);
    return v_narrow(mish_half(v_widen_low(y)), mish_half(v_widen_high(y)));
}

INLINE vf32 mish_grad_f32(vf32 x, const vf32 *p) {
    (void)p;
    vf32 y = v_max(K(-120), v_min(K(40), x));
    return v_narrow(mish_grad_half(v_widen_low(y)), mish_grad_half(v_widen_high(y)));
}
#endif

/* ---- tanh_shrink ------------------------------------------------------------------------------------------ */

#if MANTISSA_BITS == 52
/* t < 0.96: t (u/3 + u^2 p(u)/q(u)), u = t^2, the product with t of two words: f v, f = t.
 * Above: t - 1 + 2E/(1 + E) = t - 1 + (2E - 2E s), E = e^-2t, s = E/(1 + E), whose error E makes small: f = 1. */
INLINE VEC FN(tanh_shrink_value)(VEC x, const VEC *p) {
    (void)p;
    VEC one = K(1), t = v_abs(x), u = t * t, third = K(FN(THIRD)[0]), v = u * third;
    VEC u_low = v_fma(t, t, -u), square = v_mad(u + u, u_low, u * u);
    VEC v_low = v_mad(u_low, third, v_mad(u, K(FN(THIRD)[1]), v_fma(u, third, -v)));
    VEC exp_low, exp = FN(exp_words)(v_min(K(FN(TANH_LIMIT)), t) * K(2), 0, &exp_low), twice = exp + exp;
    MASK small = v_lt(t, K(0.96));
    VEC q =
        v_select(small, HORNER(FN(TANH_SHRINK_P), u), exp) / v_select(small, HORNER(FN(TANH_SHRINK_Q), u), one + exp);
    v = v_select(small, v, t - one);
    v_low = v_fma(v_select(small, square, -twice), q, v_select(small, v_low, twice));
    VEC f = v_select(small, t, one);
    return v_copysign(v_fma(f, v, f * v_low), x);
}

/* ((1 - E)/(1 + E))^2, E = e^-2t */
INLINE VEC FN(tanh_shrink_grad)(VEC x, const VEC *p) {
    (void)p;
    FN(logistic) e = FN(logistic_parts)(FN(clamped_abs)(x, 20) * K(-2), K(0));
    VEC n_low, n = FN(one_minus_exp)(e, &n_low);
    VEC low, q = FN(divide)(n, n_low, e.d, e.d_low, FN(rough_inverse)(e.d), &low);
    return v_fma(q, q, (q + q) * low);
}
#else
/* t^3 f(t), f from a table; t is scaled so that only the last product meets subnormal numbers. */
INLINE vf32 tanh_shrink_value_f32(vf32 x, const vf32 *p) {
    (void)p;
    vf32 t = v_abs(x), s = t * K(0x1p24), low;
    vi32 i = v_bits(t + K(1)) >> (MANTISSA_BITS - 2);
    vf32 high = two_word_polynomial_f32(TANH_SHRINK_f32, 8, t - v_lookup_f32(TANH_SHRINK_CENTRE_f32, i), i, &low);
    vf32 square = s * s, square_low = v_fma(s, s, -square);
    vf32 cube = square * s, cube_low = v_mad(square_low, s, v_fma(square, s, -cube));
    vf32 y = v_fma(cube, high, v_mad(cube, low, cube_low * high)) * K(0x1p-72);
    return v_copysign(v_select(v_lt(K(TANH_LIMIT_f32), t), t - K(1), y), x);
}

/* tanh^2 = t^2 f(t) */
INLINE vf32 tanh_shrink_grad_f32(vf32 x, const vf32 *p) {
    (void)p;
    vf32 t = v_abs(x), low;
    vi32 i = v_bits(t + K(1)) >> (MANTISSA_BITS - 2);
    vf32 high = two_word_polynomial_f32(TANH_SQUARE_f32, 8, t - v_lookup_f32(TANH_SQUARE_CENTRE_f32, i), i, &low);
    vf32 square = t * t, square_low = v_fma(t, t, -square);
    vf32 y = v_fma(square, high, v_mad(square, low, square_low * high));
    return v_select(v_lt(K(9.4), t), K(1), y);
}
#endif

/* ---- rows */

#define VEKT_SILU_ACTIVATIONS(ROW) \
    ROW(silu, 0, 400, 400)         \
    ROW(mish, 0, 700, 800)         \
    ROW(tanh_shrink, 0, 450, 450)

#define VEKT_SILU_FROM_OUTPUT(ROW)
