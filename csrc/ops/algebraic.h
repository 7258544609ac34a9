/* Smooth functions of roots and quotients. */

/* ---- softsign ---------------------------------------------------------------------------------------------- */

/* 1 + t in two words, t >= 0 */
INLINE VEC FN(one_plus)(VEC t, VEC *low) {
    VEC sum = K(1) + t;
    *low = v_min(K(1), t) - (sum - v_max(K(1), t));
    return sum;
}

/* 1/s for s > 0, to 5 %: the bits of a number are nearly linear in its logarithm */
INLINE VEC FN(bitwise_inverse)(VEC s) { return v_real((INT){0} + FN(INVERSE_BITS) - v_bits(s)); }

/* t/(1 + t) at t = |x|, beyond a limit 1 */
INLINE VEC FN(softsign_value)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, 1 / TINY_SCALE), low, d = FN(one_plus)(t, &low);
    VEC q = t / d, rest = v_mad(-q, low, v_fma(-q, d, t));
    return v_copysign(v_mad(rest, FN(bitwise_inverse)(d), q), x);
}

/* 1/(1 + t)^2, of an inverse in two words, so that a subnormal result is rounded once */
INLINE VEC FN(softsign_grad)(VEC x, const VEC *p) {
    (void)p;
    VEC t = FN(clamped_abs)(x, LARGEST), low, d = FN(one_plus)(t, &low);
    VEC q = K(1) / d, q_low = q * v_mad(-q, low, v_fma(-q, d, K(1)));
    return v_fma(q, q, (q + q) * q_low);
}

INLINE VEC FN(softsign_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    VEC t = v_abs(y), u = K(1) - t, u_low = (K(1) - u) - t;
    return v_fma(u, u, (u + u) * u_low);
}

/* ---- squareplus: (x + s)/2, s = sqrt(x^2 + b) ---------------------------------------------------------------
 *
 * For x < 0 the sum cancels.  With s in two words it still has all its digits while s is at most 2^12 times the
 * sum (x > -64 for b = 4), without the division that b/(s - x) takes. */

#define MAGNIFIED 4096

typedef struct {
    VEC s, s_low, inverse; /* 1/s to 7e-6 */
    VEC sum, sum_low;      /* x + s */
    MASK valid;
} FN(root);

/* Two of Newton's steps. */
INLINE VEC FN(quick_inverse)(VEC s) {
    VEC y = FN(bitwise_inverse)(s);
    y = y * v_mad(-s, y, K(2));
    return y * v_mad(-s, y, K(2));
}

INLINE FN(root) FN(root_parts)(VEC x, VEC b) {
    VEC a_low, a = FN(exact_mad)(x, x, b, &a_low), s = v_sqrt(a), inverse = FN(quick_inverse)(s);
    VEC s_low = (v_fma(-s, s, a) + a_low) * (inverse * K(0.5));
    VEC sum = s + x, sum_low = (x - (sum - s)) + s_low;
    /* where a is tiny, its low word has underflowed; where it overflows, sum is infinite or NaN */
    MASK valid = v_lt(s, sum * K(MAGNIFIED)) & v_lt(K(FN(SMALL_SQUARE)), a);
    return (FN(root)){s, s_low, inverse, sum, sum_low, valid};
}

#undef MAGNIFIED

/* Everywhere, if b is 0 or its root lies between 2^-448 and 2^398.  Of float all b do. */
#if MANTISSA_BITS == 52
typedef struct {
    vf64 s, ratio; /* |x|/s */
    vf64 below;    /* 2 b/(s + |x|), four times the value of -|x| */
    vf64 above;    /* (s + |x|)/2 */
} far_f64;

INLINE far_f64 far_parts_f64(vf64 x, vf64 b) {
    const vf64 half = v_splat_f64(0.5), end = v_splat_f64(0x1p480); /* b is too small to count beyond */
    vf64 t = v_abs(x), c = v_min(end, t), half_t = t * half;
    root_f64 r = root_parts_f64(c, b);
    vf64 s = v_max(r.s, t), s_low = v_select(v_le(t, end), r.s_low, v_splat_f64(0));
    vf64 d = s * half + half_t, d_low = v_mad(s_low, half, half_t - (d - s * half));
    vf64 q = b / d, rest = v_mad(-q, d_low, v_fma(-q, d, b));
    vf64 below = v_select(v_le(d, v_splat_f64(DBL_MAX)), v_mad(rest, q / b, q), q); /* 0 at -inf */
    return (far_f64){s, c / r.s, below, d};
}

INLINE vf64 squareplus_far_f64(vf64 x, vf64 b) {
    const vf64 zero = v_splat_f64(0);
    far_f64 far = far_parts_f64(x, b);
    vf64 y = v_select(v_lt(x, zero), far.below * v_splat_f64(0.25), far.above);
    return v_select(v_eq(b, zero), v_max(zero, x), y);
}

INLINE vf64 squareplus_grad_far_f64(vf64 x, vf64 b) {
    const vf64 zero = v_splat_f64(0), half = v_splat_f64(0.5);
    far_f64 far = far_parts_f64(x, b);
    vf64 y = v_select(v_lt(x, zero), far.below / (far.s * v_splat_f64(4)), v_fma(far.ratio, half, half));
    return v_select(v_eq(b, zero), relu_grad_f64(x, NULL), y);
}
#else
INLINE vf32 squareplus_far_f32(vf32 x, vf32 b) {
    return v_narrow(squareplus_far_f64(v_widen_low(x), v_widen_low(b)),
                    squareplus_far_f64(v_widen_high(x), v_widen_high(b)));
}

INLINE vf32 squareplus_grad_far_f32(vf32 x, vf32 b) {
    return v_narrow(squareplus_grad_far_f64(v_widen_low(x), v_widen_low(b)),
                    squareplus_grad_far_f64(v_widen_high(x), v_widen_high(b)));
}
#endif

/* p: b */
INLINE VEC FN(squareplus_value)(VEC x, const VEC *p) {
    FN(root) r = FN(root_parts)(x, p[0]);
    VEC y = (r.sum + r.sum_low) * K(0.5);
    if (__builtin_expect(v_all(r.valid), 1)) return y;
    return v_select(r.valid, y, FN(squareplus_far)(x, p[0]));
}

/* (x + s)/(2 s) */
INLINE VEC FN(squareplus_grad)(VEC x, const VEC *p) {
    FN(root) r = FN(root_parts)(x, p[0]);
    VEC half = r.inverse * K(0.5);
    VEC error = v_mad(-r.s_low, r.inverse, v_fma(-r.s, r.inverse, K(1))); /* e: 1/s = inverse/(1 - e) */
    if (MANTISSA_BITS == 52) error = v_mad(error, v_mad(error, error, error), error);
    VEC y = r.sum * half, y_low = v_mad(y, error, v_mad(r.sum_low, half, v_fma(r.sum, half, -y)));
    y += y_low;
    if (__builtin_expect(v_all(r.valid), 1)) return y;
    return v_select(r.valid, y, FN(squareplus_grad_far)(x, p[0]));
}

/* y^2/(y^2 + b/4) */
INLINE VEC FN(squareplus_grad_from_output)(VEC y, const VEC *p) {
    VEC z = v_min(K(0.5 / TINY_SCALE), y); /* the square must not overflow */
    VEC low, d = FN(exact_mad)(z, z, p[0] * K(0.25), &low);
    VEC q = z / d, rest = v_mad(-q, low, v_fma(-q, d, z));
    VEC g = v_fma(z, q, rest * q);
    return v_select(v_eq(p[0], K(0)), FN(relu_grad)(y, NULL), g);
}

/* ---- rows */

#define VEKT_ALGEBRAIC_ACTIVATIONS(ROW) \
    ROW(softsign, 0, 150, 150)          \
    ROW(squareplus, 1, 200, 250)

#define VEKT_ALGEBRAIC_FROM_OUTPUT(ROW) \
    ROW(softsign, 0, 60)                \
    ROW(squareplus, 1, 150)
