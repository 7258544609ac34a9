/* Logarithms of 1 + e^x and of 1 - e^-x. */

#include <math.h>

/* ---- softplus --------------------------------------------------------------------------------------------- */

/* log(1 + e^x) = relu(x) + log(1 + e^-|x|) */
INLINE VEC FN(softplus_value)(VEC x, const VEC *p) {
    (void)p;
    SHORT_PATH(v_abs(x), LOGISTIC_SHORT_LIMIT, softplus_short(x));
    FN(logistic) e = FN(logistic_parts)(-FN(clamped_abs)(x, FN(EXP_LIMIT)), K(0));
    VEC low, high = FN(log1p_exp)(e, &low);
    VEC y = FN(relu_minus)(x, -(high + low) * e.scale);
    return SHORT_WHERE_VALID(y);
}

INLINE VEC FN(softplus_grad)(VEC x, const VEC *p) { return FN(sigmoid_value)(x, p); }

/* 1 - e^-y */
#if MANTISSA_BITS == 52
INLINE VEC FN(softplus_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    VEC low;
    return FN(one_minus_exp)(FN(logistic_parts)(-FN(clamped_abs)(y, FN(EXP_LIMIT)), K(0)), &low);
}
#else
INLINE vf64 softplus_grad_from_output_half(vf64 t) {
    quotient e = exp_quotient(-t, EXP_QUOTIENT_f64);
    return e.difference / e.b;
}

INLINE vf32 softplus_grad_from_output_f32(vf32 y, const vf32 *p) {
    (void)p;
    vf32 t = clamped_abs_f32(y, EXP_LIMIT_f32);
    return v_narrow(softplus_grad_from_output_half(v_widen_low(t)), softplus_grad_from_output_half(v_widen_high(t)));
}
#endif

/* ---- log_sigmoid: -softplus(-x) --------------------------------------------------------------------------- */

INLINE VEC FN(log_sigmoid_value)(VEC x, const VEC *p) { return -FN(softplus_value)(-x, p); }

INLINE VEC FN(log_sigmoid_grad)(VEC x, const VEC *p) { return FN(sigmoid_value)(-x, p); }

INLINE VEC FN(log_sigmoid_grad_from_output)(VEC y, const VEC *p) { return FN(softplus_grad_from_output)(y, p); }

/* ---- softplus_general, p: beta; log1mexp ------------------------------------------------------------------ */

#if MANTISSA_BITS == 52
/* e^-|z| and z = beta x, which overflows to an infinity */
INLINE FN(logistic) FN(scaled_logistic)(VEC x, VEC beta, VEC *z) {
    *z = x * beta;
    VEC low = v_real(v_bits(v_fma(x, beta, -*z)) ^ (v_bits(*z) & v_bits(K(-0.0))));
    VEC t = v_abs(*z), limit = K(FN(EXP_LIMIT));
    return FN(logistic_parts)(-FN(clamped_abs)(*z, FN(EXP_LIMIT)), v_select(v_lt(t, limit), -low, K(0)));
}

INLINE VEC FN(softplus_general_value)(VEC x, const VEC *p) {
    VEC z;
    FN(logistic) e = FN(scaled_logistic)(x, p[0], &z);
    VEC low, high = FN(log1p_exp)(e, &low);
    VEC y = (high + low) / p[0];
    /* times scale / 2^HALF_RANGE in the order that neither overflows nor rounds a subnormal number twice */
    MASK small = v_lt(v_abs(y), K(1));
    VEC first = v_select(small, e.scale, K(TINY_SCALE)), second = v_select(small, K(TINY_SCALE), e.scale);
    return v_fma(y * first, second, v_select(v_lt(K(0), z), x, K(0)));
}

INLINE VEC FN(softplus_general_grad)(VEC x, const VEC *p) {
    VEC z;
    FN(logistic) e = FN(scaled_logistic)(x, p[0], &z);
    VEC low, q = FN(divide)(e.m, e.m_low, e.d, e.d_low, FN(rough_inverse)(e.d), &low);
    return FN(reflect)(z, (q + low) * e.scale);
}

/* With D = 1 - e^-x: log1p(-e^-x) = 2 atanh(-e^-x/(1 + D)) for x >= log(2); below, D = f 2^k and
 * log(D) = k log(2) + 2 atanh((f - 1)/(f + 1)). */
INLINE VEC FN(log1mexp_value)(VEC x, const VEC *p) {
    (void)p;
    VEC one = K(1), power_54 = K(0x1p54);
    FN(logistic) e = FN(logistic_parts)(-FN(clamped_abs)(x, FN(EXP_LIMIT)), K(0));
    VEC d_low, d = FN(one_minus_exp)(e, &d_low);
    VEC k, f = FN(significand)(d * power_54, &k); /* where D is subnormal too; its low word is 0 there */
    VEC f_low =
        d_low * v_real(v_wrap_sub(v_bits(power_54), v_bits(v_max(K(-512), k) + K(FN(ROUNDER))) << MANTISSA_BITS));
    k -= K(54);

    MASK far = v_lt(K(LN_2), v_abs(x));
    VEC n = v_select(far, -(e.m + e.m), K(2) * (f - one)), n_low = v_select(far, -e.m_low, f_low) * K(2);
    VEC b = v_select(far, d, f), b_low = v_select(far, d_low, f_low),
        scale = v_select(far, e.scale, K(1 / TINY_SCALE));
    VEC sum = one + b, sum_low = (one - (sum - b)) + b_low;
    VEC inverse = v_mad(sum, K(-0.27), K(1.06)); /* to 4 % */
    VEC q_low, q = FN(divide)(n, n_low, sum, sum_low, inverse, &q_low);
    q_low += FN(log_rest)(q, scale * K(TINY_SCALE));
    k = v_select(far, K(-0.0), k); /* so that 0 keeps its sign at inf */
    VEC y = v_fma(k, K(LN_2), (q + q_low) * scale * K(TINY_SCALE));
    return v_select(v_lt(K(0), x), y, v_select(v_eq(x, K(0)), K(-INFINITY), K(NAN)));
}

/* 1/(e^x - 1) */
INLINE VEC FN(log1mexp_grad)(VEC x, const VEC *p) {
    (void)p;
    FN(logistic) e = FN(logistic_parts)(-FN(clamped_abs)(x, FN(EXP_LIMIT)), K(0));
    VEC low, d = FN(one_minus_exp)(e, &low);
    VEC y = (e.m / d * K(TINY_SCALE)) * e.scale;
    return v_select(v_le(K(0), x), y, K(NAN));
}

/* e^-y - 1, y <= 0 */
INLINE VEC FN(log1mexp_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    FN(logistic) e = FN(logistic_parts)(-FN(clamped_abs)(y, FN(EXP_LIMIT)), K(0));
    VEC d_low, d = FN(one_minus_exp)(e, &d_low);
    VEC low, q = FN(divide)(d, d_low, e.m, e.m_low, K(1) / e.m, &low);
    VEC inverse_scale = v_real(v_wrap_sub(v_bits(K(1)) << 1, v_bits(e.scale)));
    return (q + low) * K(1 / TINY_SCALE) * inverse_scale;
}
#else
INLINE vf64 softplus_general_half(vf64 x, vf64 beta) {
    vf64 zero = v_splat_f64(0), z = x * beta; /* exact */
    quotient e = exp_quotient(-clamped_abs_f64(z, 700), EXP_QUOTIENT_f64);
    vf64 y = log_quotient(e.a, v_mad(v_splat_f64(2), e.b, e.a), zero) / beta;
    return y + v_select(v_lt(zero, z), x, zero);
}

INLINE vf64 softplus_general_grad_half(vf64 x, vf64 beta) {
    vf64 limit = v_splat_f64(700), z = v_max(-limit, v_min(limit, x * beta));
    quotient e = exp_quotient(-z, EXP_QUOTIENT_f64);
    return e.b / (e.a + e.b);
}

INLINE vf32 softplus_general_value_f32(vf32 x, const vf32 *p) {
    return v_narrow(softplus_general_half(v_widen_low(x), v_widen_low(p[0])),
                    softplus_general_half(v_widen_high(x), v_widen_high(p[0])));
}

INLINE vf32 softplus_general_grad_f32(vf32 x, const vf32 *p) {
    return v_narrow(softplus_general_grad_half(v_widen_low(x), v_widen_low(p[0])),
                    softplus_general_grad_half(v_widen_high(x), v_widen_high(p[0])));
}

/* As in double, with e^-x = a/b and D = (b - a)/b. */
INLINE vf64 log1mexp_half(vf64 t) {
    quotient e = exp_quotient(-t, EXP_QUOTIENT_f64);
    vf64 k, f = significand_f64(e.difference, &k), one = v_splat_f64(1);
    mask_f64 far = v_lt(v_splat_f64(LN_2), t);
    f += f; /* as b, near 2 */
    vf64 n = v_select(far, -e.a, f - e.b), d = e.b + v_select(far, e.difference, f);
    return log_quotient(n, d, v_select(far, v_splat_f64(0), (k - one) * v_splat_f64(LN_2)));
}

INLINE vf64 log1mexp_grad_half(vf64 t) {
    quotient e = exp_quotient(-t, EXP_QUOTIENT_f64);
    return e.a / e.difference;
}

INLINE vf64 log1mexp_grad_from_output_half(vf64 t) {
    quotient e = exp_quotient(-t, EXP_QUOTIENT_f64);
    return e.difference / e.a;
}

INLINE vf32 log1mexp_value_f32(vf32 x, const vf32 *p) {
    (void)p;
    vf32 t = clamped_abs_f32(x, EXP_LIMIT_f32);
    vf32 y = v_narrow(log1mexp_half(v_widen_low(t)), log1mexp_half(v_widen_high(t)));
    return v_select(v_lt(K(0), x), y, v_select(v_eq(x, K(0)), K(-INFINITY), K(NAN)));
}

INLINE vf32 log1mexp_grad_f32(vf32 x, const vf32 *p) {
    (void)p;
    vf32 t = clamped_abs_f32(x, EXP_LIMIT_f32);
    vf32 y = v_narrow(log1mexp_grad_half(v_widen_low(t)), log1mexp_grad_half(v_widen_high(t)));
    return v_select(v_le(K(0), x), y, K(NAN));
}

INLINE vf32 log1mexp_grad_from_output_f32(vf32 y, const vf32 *p) {
    (void)p;
    vf32 t = clamped_abs_f32(y, EXP_LIMIT_f32);
    return v_narrow(log1mexp_grad_from_output_half(v_widen_low(t)), log1mexp_grad_from_output_half(v_widen_high(t)));
}
#endif

/* ---- rows */

#define VEKT_SOFTPLUS_ACTIVATIONS(ROW) \
    ROW(softplus, 0, 380, 350)         \
    ROW(softplus_general, 1, 900, 700) \
    ROW(log_sigmoid, 0, 380, 350)      \
    ROW(log1mexp, 0, 1200, 700)

#define VEKT_SOFTPLUS_FROM_OUTPUT(ROW) \
    ROW(softplus, 0, 500)              \
    ROW(log_sigmoid, 0, 500)           \
    ROW(log1mexp, 0, 700)
