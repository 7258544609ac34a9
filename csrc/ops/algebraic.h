/* Smooth functions of roots and quotients. */

/* ---- softsign ---------------------------------------------------------------------------------------------- */

/* 1 + t in two words, t >= 0 */
INLINE VEC FN(one_plus)(VEC t, VEC *low) {
    VEC sum = K(1) + t;
    *low = v_min(K(1), t) - (sum - v_max(K(1), t));
    return sum;
}

/* 1/s for s > 0, to 5 %: the bits of a number are nearly linear in its logarithm */
INLINE VEC FN(bitwise_inverse)(VEC s) { return v_real(v_wrap_sub((INT){0} + FN(INVERSE_BITS), v_bits(s))); }

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

/* ---- squareplus: y = (x + s)/2, s = sqrt(x^2 + b) -----------------------------------------------------------
 *
 * For x < 0 the sum cancels, but only its roundings are lost: y u = b/4 for u = y - x gives them back, without the
 * division of b/(2 (s - x)).  How well 1/s must be known for that depends on s/y:
 *   near    x^2 < 2.4 b (gradient: 1.6 b): 5 % are enough
 *   middle  s < 8192 y (x > -90 for b = 4): two of Newton's steps
 *   far     the rest, and where b or x are huge or tiny: in double, with the division. */

/* a = x^2 + b < limit b */
INLINE MASK FN(is_near)(VEC a, VEC b, REAL limit) {
    VEC safe = v_select(v_lt(K(FN(SMALL_SQUARE)), b) & v_lt(b, K(1 / FN(SMALL_SQUARE))), b, K(0));
    return v_lt(a, safe * K(limit));
}

INLINE MASK FN(is_middle)(VEC a, VEC s, VEC y) { return v_lt(s, y * K(8192)) & v_lt(K(FN(SMALL_SQUARE)), a); }

INLINE VEC FN(newton_inverse)(VEC s, VEC inverse) { return inverse * v_mad(-s, inverse, K(2)); }

#if MANTISSA_BITS == 52
/* For b = 0, or with a root between 2^-448 and 2^398.  Of float all b have one. */
INLINE vf64 squareplus_far_f64(vf64 x, vf64 b) {
    const vf64 zero = v_splat_f64(0), half = v_splat_f64(0.5), end = v_splat_f64(0x1p480);
    vf64 t = v_abs(x), c = v_min(end, t); /* beyond this, b is too small to count */
    vf64 a_low, a = exact_mad_f64(c, c, b, &a_low), root = v_sqrt(a), s = v_max(root, t);
    vf64 s_low = v_select(v_le(t, end), (v_fma(-root, root, a) + a_low) / (root + root), zero);
    vf64 half_t = t * half, d = s * half + half_t, d_low = v_mad(s_low, half, half_t - (d - s * half));
    vf64 q = b / d, rest = v_mad(-q, d_low, v_fma(-q, d, b));
    vf64 below =
        v_select(v_le(d, v_splat_f64(DBL_MAX)), v_mad(rest, q / b, q), q) * v_splat_f64(0.25); /* 0 at -inf */
    return v_select(v_eq(b, zero), v_max(zero, x), v_select(v_lt(x, zero), below, d));
}

INLINE vf64 squareplus_grad_far_f64(vf64 x, vf64 b) {
    const vf64 zero = v_splat_f64(0), half = v_splat_f64(0.5);
    vf64 t = v_abs(x), c = v_min(v_splat_f64(0x1p480), t), root = v_sqrt(v_fma(c, c, b)), s = v_max(root, t);
    vf64 below = b / v_fma(s, half, t * half) / (s * v_splat_f64(4)), above = v_fma(c / root, half, half);
    return v_select(v_eq(b, zero), relu_grad_f64(x, NULL), v_select(v_lt(x, zero), below, above));
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
    VEC b = p[0], a = v_mad(x, x, b), s = v_sqrt(a);
    VEC y = (s + x) * K(0.5), u = y - x;
    VEC u_low = v_min(y, -x) - (u - v_max(y, -x));           /* exact: the larger one first */
    VEC error = v_mad(-y, u_low, v_fma(-y, u, b * K(0.25))); /* of y, times s */
    VEC inverse = FN(bitwise_inverse)(s);
    MASK near = FN(is_near)(a, b, (REAL)3.4);
    if (__builtin_expect(v_all(near), 1)) return v_mad(error, inverse, y);
    inverse = v_select(near, inverse, FN(newton_inverse)(s, FN(newton_inverse)(s, inverse)));
    VEC result = v_mad(error, inverse, y);
    MASK valid = near | FN(is_middle)(a, s, y);
    if (__builtin_expect(v_all(valid), 1)) return result;
    return v_select(valid, result, FN(squareplus_far)(x, b));
}

#if MANTISSA_BITS == 52
/* b/2 over a + s |x|, where nothing cancels, for x < 0, and 1 minus that for x >= 0; 3.5 ULP. */
INLINE VEC FN(squareplus_grad)(VEC x, const VEC *p) {
    VEC b = p[0], a = v_mad(x, x, b), s = v_sqrt(a), d = v_mad(s, v_abs(x), a), half_b = b * K(0.5);
    VEC inverse = FN(bitwise_inverse)(d);
    inverse = inverse * v_mad(-d, inverse, K(2.00125)); /* to 0.13 % */
    VEC e = v_mad(-d, inverse, K(1));
    inverse = v_mad(inverse, v_mad(e, e, e), inverse);
    VEC q = half_b * inverse;
    q = v_mad(v_fma(-q, d, half_b), inverse, q);
    VEC y = v_select(v_lt(x, K(0)), q, K(1) - q);
    MASK valid = v_lt(K(FN(SMALL_SQUARE)), a) & v_lt(a, K(1 / FN(SMALL_SQUARE)));
    if (__builtin_expect(v_all(valid), 1)) return y;
    return v_select(valid, y, FN(squareplus_grad_far)(x, b));
}
#else
/* (x + s)/(2 s) by a division y = sum/s and what it misses; half is 1/(2 s), error that of s times 2 s. */
INLINE VEC FN(corrected_slope)(VEC y, VEC s, VEC sum, VEC sum_low, VEC error, VEC half) {
    VEC rest = v_fma(-y, s, sum) + v_mad(error * half, K(1) - y, sum_low);
    return v_mad(rest, half, y * K(0.5));
}

INLINE VEC FN(squareplus_grad)(VEC x, const VEC *p) {
    VEC b = p[0], a = v_mad(x, x, b), s = v_sqrt(a);
    VEC sum = s + x, sum_low = x - (sum - s), difference = s - x, difference_low = (s - difference) - x;
    VEC error = v_mad(-sum, difference_low, v_fma(-sum, difference, b));
    error = v_mad(-sum_low, difference, error);
    VEC y = sum / s, half = FN(bitwise_inverse)(s + s);
    MASK near = FN(is_near)(a, b, (REAL)2.6);
    if (__builtin_expect(v_all(near), 1)) return FN(corrected_slope)(y, s, sum, sum_low, error, half);
    half = v_select(near, half, FN(newton_inverse)(s + s, FN(newton_inverse)(s + s, half)));
    VEC result = FN(corrected_slope)(y, s, sum, sum_low, error, half);
    MASK valid = near | FN(is_middle)(a, s, sum * K(0.5));
    if (__builtin_expect(v_all(valid), 1)) return result;
    return v_select(valid, result, FN(squareplus_grad_far)(x, b));
}
#endif

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
    ROW(squareplus, 1, 220, 290)

#define VEKT_ALGEBRAIC_FROM_OUTPUT(ROW) \
    ROW(softsign, 0, 60)                \
    ROW(squareplus, 1, 150)
