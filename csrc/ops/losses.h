/* Losses of a prediction y and a target t: NAME_value(y, t, p), and NAME_grad(y, t, p), the derivative by y; p holds
 * the parameters.
 *
 *   VEKT_LOSSES(ROW)  ROW(name, number of parameters, picoseconds per element of value, of gradient)
 *
 * NAME_times_grad(dy, y, t, p) is dy times the gradient; it may be finite where that is not.
 *
 * Floats are computed in double and rounded once. */

/* Long bodies in double are for all loops together, and where fma is emulated the others, too. */
#ifndef LONG_LOSS
#define LONG_LOSS static __attribute__((noinline))
#if VEKT_HAS_FMA
#define SHORT_LOSS INLINE
#else
#define SHORT_LOSS LONG_LOSS
#endif
#endif

#if MANTISSA_BITS == 23
typedef vf64 (*loss_in_double)(vf64 y, vf64 t, const vf64 *p);

INLINE vf32 by_halves(loss_in_double f, vf32 y, vf32 t, const vf32 *p) {
    vf64 low = p ? v_widen_low(*p) : v_splat_f64(0), high = p ? v_widen_high(*p) : v_splat_f64(0);
    return v_narrow(f(v_widen_low(y), v_widen_low(t), &low), f(v_widen_high(y), v_widen_high(t), &high));
}

#define LOSS_BY_HALVES(name, f) \
    INLINE vf32 name##_f32(vf32 y, vf32 t, const vf32 *p) { return by_halves(f, y, t, p); }
#endif

/* ---- squared_error, huber --------------------------------------------------------------------------------- */

/* What y - t is short of in d, its rounded value: Knuth's exact sum (1969).  Some of the sums are fused
 * multiply-adds, as other units do these: 11 % off huber's time in the cache. */
INLINE VEC FN(rest_of_difference)(VEC y, VEC t, VEC d) {
    VEC one = K(1), back = d - y;
    return v_mad(v_mad(back, one, t), -one, v_mad(back - d, one, y));
}

/* a b + a low with one rounding, where low is a word below b; nothing to add where that overflows */
INLINE VEC FN(product_with_rest)(VEC a, VEC b, VEC low) {
    return v_fma(a, b, v_select(v_lt(a * b, K(INFINITY)), a * low, K(0)));
}

SHORT_LOSS VEC FN(squared_error_value)(VEC y, VEC t, const VEC *p) {
    (void)p;
    VEC d = y - t;
#if MANTISSA_BITS == 52
    return d * d;
#else
    VEC low = FN(rest_of_difference)(y, t, d);
    return FN(product_with_rest)(d, d, low + low);
#endif
}

/* c (d - c/2), d = y - t in two words, c what is left of d between -delta and delta; 0 has no sign.  The first word
 * of d stays in range, so that a small delta brings back what overflows; infinite numbers have no second word. */
SHORT_LOSS VEC FN(huber_value)(VEC y, VEC t, const VEC *p) {
    VEC delta = v_min(K(LARGEST), p[0]), minus_half = K(-0.5), whole = y - t;
    VEC c = v_max(v_min(whole, delta), -delta), d = v_max(v_min(whole, K(LARGEST)), -K(LARGEST));
    VEC s = v_mad(c, minus_half, d), rest = v_mad(c, minus_half, d - s) + FN(rest_of_difference)(y, t, d);
    VEC low = c * rest;
    return v_abs(v_fma(c, s, v_select(v_eq(low, low), low, c * whole)));
}

INLINE VEC FN(squared_error_grad)(VEC y, VEC t, const VEC *p) {
    (void)p;
    VEC d = y - t;
    return d + d;
}

/* An infinity is rare, and a branch costs less than what it needs. */
INLINE VEC FN(squared_error_times_grad)(VEC dy, VEC y, VEC t, const VEC *p) {
    VEC slope = FN(squared_error_grad)(y, t, p), half = K(0.5);
    MASK within = v_lt(v_abs(slope), K(INFINITY));
    if (__builtin_expect(v_all(within), 1)) return dy * slope;
    return v_select(within, dy * slope, dy * K(4) * v_mad(y, half, t * -half));
}

INLINE VEC FN(huber_grad)(VEC y, VEC t, const VEC *p) {
    VEC d = y - t, clipped = v_select(v_eq(d, d), v_copysign(p[0], d), d);
    return v_select(v_lt(v_abs(d), p[0]), d, clipped);
}

/* ---- sigmoid_cross_entropy -------------------------------------------------------------------------------- */

/* |x| w + log(1 + E), E = e^-|x|, w = 1 - t for x > 0 and t else: no term is negative for 0 <= t <= 1.  The gradient
 * is w - E/(1 + E) with the sign of x: where w is 0 nothing cancels. */
#if MANTISSA_BITS == 52
INLINE vf64 opposite_weight(mask_f64 above, vf64 t) { return v_select(above, K(1) - t, t); }

LONG_LOSS vf64 sigmoid_cross_entropy_value_f64(vf64 x, vf64 t, const vf64 *p) {
    (void)p;
    mask_f64 above = v_lt(K(0), x);
    vf64 size = v_abs(x), finite = v_min(K(DBL_MAX), size);
    vf64 w = opposite_weight(above, t), w_low = v_select(above, (K(1) - w) - t, K(0));
    vf64 main = v_select(v_eq(w, K(0)), K(0), size * w);
    vf64 low = v_mad(finite, w_low, v_fma(finite, w, -main));
    low = v_select(v_lt(v_abs(main), K(INFINITY)), low, K(0));
    logistic_f64 e = logistic_parts_f64(-clamped_abs_f64(x, EXP_LIMIT_f64), K(0));
    vf64 log_low, log = log1p_exp_f64(e, &log_low);
    return main + v_fma((log + log_low) * e.scale, K(TINY_SCALE), low);
}

LONG_LOSS vf64 sigmoid_cross_entropy_grad_f64(vf64 x, vf64 t, const vf64 *p) {
    (void)p;
    mask_f64 above = v_lt(K(0), x);
    vf64 s;
    one_word_logistic(v_abs(x), &s);
    vf64 slope = v_fma(-s, K(TINY_SCALE), opposite_weight(above, t));
    return v_select(above, slope, -slope);
}
#else
/* q = r coth(r/2): e^r to 2^-50, as gradients are differences */
static const double EXP_QUOTIENT_LONG[] = {2, 1.0 / 6, -1.0 / 360, 1.0 / 15120, -1.0 / 604800, 1.0 / 23950080};

INLINE quotient opposite_odds(vf64 x) {
    return exp_quotient_of(-clamped_abs_f64(x, EXP_LIMIT_f32), EXP_QUOTIENT_LONG, 6);
}

SHORT_LOSS vf64 sigmoid_cross_entropy_half(vf64 x, vf64 t, const vf64 *p) {
    (void)p;
    vf64 zero = v_splat_f64(0), w = opposite_weight(v_lt(zero, x), t);
    quotient e = opposite_odds(x);
    return log_quotient(e.a, v_mad(v_splat_f64(2), e.b, e.a), v_select(v_eq(w, zero), zero, v_abs(x) * w));
}

SHORT_LOSS vf64 sigmoid_cross_entropy_grad_half(vf64 x, vf64 t, const vf64 *p) {
    (void)p;
    mask_f64 above = v_lt(v_splat_f64(0), x);
    quotient e = opposite_odds(x);
    vf64 slope = opposite_weight(above, t) - e.a / (e.a + e.b);
    return v_select(above, slope, -slope);
}

LOSS_BY_HALVES(sigmoid_cross_entropy_value, sigmoid_cross_entropy_half)
LOSS_BY_HALVES(sigmoid_cross_entropy_grad, sigmoid_cross_entropy_grad_half)
#endif

/* ---- binary_cross_entropy --------------------------------------------------------------------------------- */

/* -t log(y) - (1 - t) log(1 - y).  The smaller one, m, of y and 1 - y has the weight w; the other logarithm is that
 * of 1 - m.  Beyond [0, 1] it is NaN. */
#if MANTISSA_BITS == 52
INLINE vf64 at_the_ends(vf64 m, vf64 w, vf64 loss) {
    vf64 infinite = v_select(v_eq(w, K(0)), K(0), w * K(INFINITY));
    return v_select(v_lt(K(0), m), loss, v_select(v_eq(m, K(0)), infinite, K(NAN)));
}

/* a b + low in two words, a and b in two words */
INLINE vf64 product_of_words(vf64 a, vf64 a_low, vf64 b, vf64 b_low, vf64 *low) {
    vf64 high = a * b;
    *low = v_fma(a, b, -high) + v_mad(a, b_low, a_low * b);
    return high;
}

LONG_LOSS vf64 binary_cross_entropy_value_f64(vf64 y, vf64 t, const vf64 *p) {
    (void)p;
    vf64 zero = K(0), one = K(1), c = one - t, c_low = (one - c) - t;
    mask_f64 above = v_lt(K(0.5), y);
    vf64 m = v_select(above, one - y, y);
    /* log(1 - m), from -2m/(2 - m) */
    vf64 d = K(2) - m, far_low,
         far = divide_f64(m * K(-2), zero, d, (K(2) - d) - m, v_mad(d, K(-1.0 / 3), K(7.0 / 6)), &far_low);
    far_low += log_rest_f64(far, one);
    /* log(m) = k log(2) + log(f), from 2(f - 1)/(f + 1) */
    vf64 k, f = significand_f64(m * K(0x1p54), &k), q_low; /* where m is subnormal too */
    k -= K(54);
    d = f + one;
    vf64 q = divide_f64(K(2) * (f - one), zero, d, f - (d - one), v_mad(d, K(-0.27), K(1.06)), &q_low);
    q_low += log_rest_f64(q, one);
    vf64 base = k * K(LN2_f64[0]), near = base + q;
    vf64 near_low = (q - (near - base)) + v_mad(k, K(LN2_f64[1]), q_low);

    vf64 w = v_select(above, c, t), first_low, second_low;
    vf64 first = product_of_words(w, v_select(above, c_low, zero), near, near_low, &first_low);
    vf64 second = product_of_words(v_select(above, t, c), v_select(above, zero, c_low), far, far_low, &second_low);
    vf64 sum = first + second, back = sum - first;
    first_low += ((first - (sum - back)) + (second - back)) + second_low;
    first_low = v_select(v_lt(v_abs(sum), K(INFINITY)), first_low, zero); /* of large targets */
    return at_the_ends(m, w, -(sum + first_low));
}

/* (y - t)/(y (1 - y)), in which a factor is left out for t = 0 and t = 1 */
INLINE vf64 binary_cross_entropy_grad_f64(vf64 y, vf64 t, const vf64 *p) {
    (void)p;
    vf64 zero = K(0), one = K(1), c = one - y, magnitude = v_abs(y);
    mask_f64 none = v_eq(t, zero), all = v_eq(t, one);
    vf64 n = v_select(none, one, v_select(all, -one, y - t));
    vf64 d = v_select(none, c, v_select(all, magnitude, magnitude * c));
    return v_select(v_le(zero, v_min(y, c)), n / d, K(NAN));
}
#else
SHORT_LOSS vf64 binary_cross_entropy_half(vf64 y, vf64 t, const vf64 *p) {
    (void)p;
    vf64 zero = v_splat_f64(0), one = v_splat_f64(1), two = v_splat_f64(2), k;
    mask_f64 above = v_lt(v_splat_f64(0.5), y);
    vf64 m = v_select(above, one - y, y), w = opposite_weight(above, t), f = significand_f64(m, &k);
    vf64 near = log_quotient(f - one, f + one, k * v_splat_f64(LN_2)), far = log_quotient(-m, two - m, zero);
    return at_the_ends(m, w, -v_mad(w, near, (one - w) * far));
}

LOSS_BY_HALVES(binary_cross_entropy_value, binary_cross_entropy_half)

LOSS_BY_HALVES(binary_cross_entropy_grad, binary_cross_entropy_grad_f64)
#endif

/* ---- rows */

#define VEKT_OTHER_LOSSES(ROW)              \
    ROW(huber, 1, 110, 90)                  \
    ROW(sigmoid_cross_entropy, 0, 500, 450) \
    ROW(binary_cross_entropy, 0, 800, 250)

#define VEKT_LOSSES(ROW)          \
    ROW(squared_error, 0, 60, 60) \
    VEKT_OTHER_LOSSES(ROW)
