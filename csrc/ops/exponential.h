/* The exponential and the exponential linear units. */

/* ---- exponential ------------------------------------------------------------------------------------------ */

/* head (1 + rest) 2^HALF_RANGE, scaled down for x > 0, where it is large, and up for x < 0, so that the last product
 * alone overflows, or rounds to a subnormal number. */
INLINE VEC FN(scaled_power)(FN(pair) e, VEC x) {
    INT negative = v_bits(x) >> (sizeof(REAL) * 8 - 1);
    INT twice = negative & (((INT){0} + 2 * HALF_RANGE) << MANTISSA_BITS);
    VEC head = v_real(v_wrap_add(v_bits(e.head), twice)), scale = v_real(v_bits(K(1 / TINY_SCALE)) - twice);
    return v_mad(head, e.rest, head) * scale;
}

INLINE VEC FN(exponential_value)(VEC x, const VEC *p) {
    (void)p;
    x = v_min(K(FN(EXP_OVERFLOW)), v_max(K(-FN(EXP_LIMIT)), x)); /* NaN stays */
    return FN(scaled_power)(FN(exp_pair)(x, NULL, -HALF_RANGE), x);
}

INLINE VEC FN(exponential_grad)(VEC x, const VEC *p) { return FN(exponential_value)(x, p); }

INLINE MASK FN(exponential_is_normal)(VEC x) {
    return v_le(K(FN(EXP_LEAST_NORMAL)), x) & v_le(x, K(FN(EXP_GREATEST_NORMAL)));
}

/* dy e^x, which may be finite where e^x is not, and have all digits where e^x has few.  e^x = m 2^(2h), with m from 1
 * to 2^(2 STEP) for x > 0 and down to its inverse for x < 0, h a multiple of STEP; the factors 2^h stand on both
 * sides of m, so that nothing leaves the range, or is rounded as a subnormal number, before the result does. */
INLINE VEC FN(exponential_times_grad)(VEC dy, VEC x) {
    enum { STEP = HALF_RANGE - 1, HALF_RANGE_BITS = __builtin_ctz(HALF_RANGE) };
    VEC toward_0 = v_copysign(K(0.49), x), k = v_mad(x, K(0x1.71547652b82fep+0 / (2 * STEP)), -toward_0);
    INT multiple = v_bits(k + K(FN(ROUNDER))) << MANTISSA_BITS;
    INT h = v_wrap_sub(multiple << HALF_RANGE_BITS, multiple); /* STEP times; any bits beyond the limit */
    FN(pair) e = FN(exp_pair)(x, NULL, 0);
    VEC head = v_real(v_wrap_sub(v_bits(e.head), h << 1)), scale = v_real(v_wrap_add(v_bits(K(1)), h));
    MASK within = v_le(v_abs(x), K(FN(EXP_TIMES_LIMIT)));
    VEC m = v_select(within, v_mad(head, e.rest, head), v_max(K(0), x * K(LARGEST))); /* infinity, 0, NaN */
    scale = v_select(within, scale, K(1));
    return dy * scale * m * scale;
}

INLINE VEC FN(exponential_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return y;
}

/* ---- elu, celu, selu -------------------------------------------------------------------------------------- */

/* factor (1 + excess) (e^(x + x_low) - 1) for x <= 0, x_low may be NULL */
INLINE VEC FN(times_expm1)(VEC x, const VEC *x_low, VEC factor, REAL excess) {
    FN(exp_sum) e = FN(exp_terms)(x, x_low, 0);
    VEC less_1 = e.head - K(1), less_1_low = e.head - (less_1 + K(1));
    VEC high = v_fma(e.head, e.r, less_1), low = v_fma(e.head, e.r, less_1 - high) + less_1_low;
    low = v_mad(e.head, x_low ? e.q + e.r_low : e.q, low);
    if (excess != 0) low = v_mad(high, K(excess), low);
    return v_fma(factor, high, factor * low);
}

/* factor (1 + excess) e^(x + x_low) for x <= 0 */
INLINE VEC FN(times_exp)(VEC x, const VEC *x_low, VEC factor, REAL excess) {
    FN(pair) e = FN(exp_pair)(x, x_low, HALF_RANGE);
    return FN(product)(factor, NULL, e.head, excess != 0 ? e.rest + K(excess) : e.rest) * K(TINY_SCALE);
}

/* min(x, 0), at least -limit; NaN stays */
INLINE VEC FN(nonpositive)(VEC x, VEC limit) { return v_max(-limit, v_min(K(0), x)); }

INLINE VEC FN(where_positive)(VEC x, VEC a, VEC b) { return v_select(v_lt(K(0), x), a, b); }

/* p: alpha */
INLINE VEC FN(elu_value)(VEC x, const VEC *p) {
    VEC below = FN(times_expm1)(FN(nonpositive)(x, K(FN(EXPM1_LIMIT))), NULL, p[0], 0);
    return v_select(v_le(K(0), x), x, below); /* -0 stays */
}

INLINE VEC FN(elu_grad)(VEC x, const VEC *p) {
    VEC below = FN(times_exp)(FN(nonpositive)(x, K(FN(EXP_PRODUCT_LIMIT))), NULL, p[0], 0);
    return FN(where_positive)(x, K(1), below);
}

INLINE VEC FN(elu_grad_from_output)(VEC y, const VEC *p) { return FN(where_positive)(y, K(1), y + p[0]); }

/* x/alpha in two words, x <= 0 cut at -limit alpha. */
INLINE VEC FN(celu_argument)(VEC x, VEC alpha, REAL limit, VEC *low) {
    x = FN(nonpositive)(x, K(limit) * alpha);
    VEC inverse = K(1) / alpha, u = x * inverse;
    *low = v_fma(-u, alpha, x) * inverse;
    return u;
}

/* p: alpha */
INLINE VEC FN(celu_value)(VEC x, const VEC *p) {
    VEC u_low, u = FN(celu_argument)(x, p[0], FN(EXPM1_LIMIT), &u_low);
    /* x/alpha may be subnormal, and rounded so, where the result is x. */
    return v_select(v_lt(x, K(-TINY_SCALE)), FN(times_expm1)(u, &u_low, p[0], 0), x);
}

INLINE VEC FN(celu_grad)(VEC x, const VEC *p) {
    VEC u_low, u = FN(celu_argument)(x, p[0], FN(EXP_LIMIT), &u_low);
    return FN(where_positive)(x, K(1), FN(times_exp)(u, &u_low, K(1), 0));
}

/* (y + alpha)/alpha, exact at y = -alpha, where 1 + y/alpha would cancel */
INLINE VEC FN(celu_grad_from_output)(VEC y, const VEC *p) {
    VEC inverse = K(1) / p[0], n = p[0] + y, n_low = y - (n - p[0]), q = n * inverse;
    VEC below = v_fma(v_fma(-q, p[0], n) + n_low, inverse, q);
    return FN(where_positive)(y, K(1), below);
}

/* Constants in two words: SCALE and SCALE * ALPHA; the second word relative to the first. */
INLINE VEC FN(selu_value)(VEC x, const VEC *p) {
    (void)p;
    const REAL *scale = FN(SELU_SCALE), *slope = FN(SELU_SLOPE);
    VEC finite = v_min(K(LARGEST), x); /* infinity less infinity would be NaN */
    VEC above = v_fma(x, K(scale[0]), finite * K(scale[0] * scale[1]));
    VEC below = FN(times_expm1)(FN(nonpositive)(x, K(FN(EXPM1_LIMIT))), NULL, K(slope[0]), slope[1]);
    return v_copysign(FN(where_positive)(x, above, below), x); /* at -0, too */
}

INLINE VEC FN(selu_grad)(VEC x, const VEC *p) {
    (void)p;
    const REAL *slope = FN(SELU_SLOPE);
    VEC below = FN(times_exp)(FN(nonpositive)(x, K(FN(EXP_LIMIT))), NULL, K(slope[0]), slope[1]);
    return FN(where_positive)(x, K(FN(SELU_SCALE)[0]), below);
}

INLINE VEC FN(selu_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    const REAL *slope = FN(SELU_SLOPE);
    VEC n = K(slope[0]) + y, n_low = y - (n - K(slope[0]));
    VEC below = n + (n_low + K(slope[0] * slope[1]));
    return FN(where_positive)(y, K(FN(SELU_SCALE)[0]), below);
}

/* ---- rows */

#define VEKT_EXPONENTIAL(ROW) ROW(exponential, 0, 300, 300)

#define VEKT_EXPONENTIAL_ACTIVATIONS(ROW) \
    ROW(elu, 1, 300, 300)                 \
    ROW(celu, 1, 370, 300)                \
    ROW(selu, 0, 320, 300)

#define VEKT_EXPONENTIAL_FROM_OUTPUT(ROW) \
    ROW(exponential, 0, 50)               \
    ROW(elu, 1, 50)                       \
    ROW(celu, 1, 80)                      \
    ROW(selu, 0, 50)
