/* Piecewise linear and quadratic functions: bound by memory. */

/* ---- relu, leaky_relu ------------------------------------------------------------------------------------- */

/* slope * x, and 0 where the slope is 0, at -inf too */
INLINE VEC FN(sloped)(VEC slope, VEC x) { return v_select(v_eq(slope, K(0)), K(0), slope * x); }
INLINE VEC FN(keep_nan)(VEC y, VEC x) { return v_select(v_eq(x, x), y, x); }
INLINE VEC FN(clip)(VEC x, VEC low, VEC high) { return v_min(high, v_max(low, x)); } /* NaN stays */

/* slope for low < x < high, else 0: the gradient of what is flat outside */
INLINE VEC FN(inside)(VEC x, VEC low, VEC high, REAL slope) {
    return FN(keep_nan)(v_select(v_lt(low, x) & v_lt(x, high), K(slope), K(0)), x);
}

INLINE VEC FN(relu_value)(VEC x, const VEC *p) {
    (void)p;
    return v_max(K(0), x);
}

INLINE VEC FN(relu_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(keep_nan)(v_select(v_lt(K(0), x), K(1), K(0)), x);
}

/* p: negative_slope, max_value, threshold; the difference of floats in two words, as one more rounding follows */
INLINE VEC FN(relu_general_value)(VEC x, const VEC *p) {
    VEC d = x - p[2];
#if MANTISSA_BITS == 52
    VEC below = FN(sloped)(p[0], d);
#else
    VEC back = d - x, low = (x - (d - back)) - (p[2] + back);
    VEC rest = v_select(v_lt(K(0), v_abs(low)), p[0] * low, K(-0.0)); /* which leaves the sign of 0 */
    VEC below = v_select(v_eq(p[0], K(0)), K(0), v_fma(p[0], d, rest));
#endif
    VEC y = v_select(v_le(x, p[2]), below, x);
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

/* The output of both, and of relu6 and hard_tanh, is positive, or between the bounds, where the input is. */
INLINE VEC FN(relu_grad_from_output)(VEC y, const VEC *p) { return FN(relu_grad)(y, p); }
INLINE VEC FN(leaky_relu_grad_from_output)(VEC y, const VEC *p) { return FN(leaky_relu_grad)(y, p); }

/* ---- relu6, hard_tanh: clipped at both ends ---------------------------------------------------------------- */

INLINE VEC FN(relu6_value)(VEC x, const VEC *p) {
    (void)p;
    return FN(clip)(x, K(0), K(6));
}

INLINE VEC FN(relu6_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(inside)(x, K(0), K(6), 1);
}

INLINE VEC FN(relu6_grad_from_output)(VEC y, const VEC *p) { return FN(relu6_grad)(y, p); }

/* p: min_value, max_value */
INLINE VEC FN(hard_tanh_value)(VEC x, const VEC *p) { return FN(clip)(x, p[0], p[1]); }
INLINE VEC FN(hard_tanh_grad)(VEC x, const VEC *p) { return FN(inside)(x, p[0], p[1], 1); }
INLINE VEC FN(hard_tanh_grad_from_output)(VEC y, const VEC *p) { return FN(hard_tanh_grad)(y, p); }

/* ---- hard_sigmoid, hard_silu ------------------------------------------------------------------------------- */

/* x + c in two words, for |x| <= 2c, where both differences are exact */
INLINE VEC FN(plus)(VEC x, REAL c, VEC *low) {
    VEC sum = x + K(c);
    *low = x - (sum - K(c));
    return sum;
}

/* (x + 3)/6 for |x| <= 3: the sum is exact near its root at -3, and elsewhere its low word counts. */
INLINE VEC FN(hard_sigmoid_value)(VEC x, const VEC *p) {
    (void)p;
    VEC low, t = FN(plus)(FN(clip)(x, K(-3), K(3)), 3, &low);
    return v_fma(t, K(FN(THIRD)[0] / 2), v_mad(low, K(FN(THIRD)[0] / 2), t * K(FN(THIRD)[1] / 2)));
}

INLINE VEC FN(hard_sigmoid_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(inside)(x, K(-3), K(3), FN(THIRD)[0] / 2);
}

INLINE VEC FN(hard_sigmoid_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return FN(inside)(y, K(0), K(1), FN(THIRD)[0] / 2);
}

/* x (x + 3)/6, the second factor in two words */
INLINE VEC FN(hard_silu_value)(VEC x, const VEC *p) {
    (void)p;
    VEC c = v_max(K(-3), x); /* -3 * 0 = 0 below; no infinity times 0 */
    VEC low, t = FN(plus)(c, 3, &low), h = t * K(FN(THIRD)[0] / 2);
    VEC h_low = v_mad(t, K(FN(THIRD)[1] / 2), v_mad(low, K(FN(THIRD)[0] / 2), v_fma(t, K(FN(THIRD)[0] / 2), -h)));
    return v_select(v_le(K(3), x) | v_eq(K(0), x), x, v_fma(c, h, c * h_low)); /* -0 stays */
}

/* (x + 3/2)/3, relatively accurate around its root */
INLINE VEC FN(hard_silu_grad)(VEC x, const VEC *p) {
    (void)p;
    VEC low, t = FN(plus)(FN(clip)(x, K(-3), K(3)), 1.5, &low);
    VEC y = v_fma(t, K(FN(THIRD)[0]), v_mad(low, K(FN(THIRD)[0]), t * K(FN(THIRD)[1])));
    return v_select(v_le(x, K(-3)), K(0), v_select(v_le(K(3), x), K(1), y));
}

/* ---- soft_shrink, hard_shrink, threshold ------------------------------------------------------------------- */

/* slope 1 but where flat; NaN stays */
INLINE VEC FN(unless)(MASK flat, VEC x) { return FN(keep_nan)(v_select(flat, K(0), K(1)), x); }

/* p: threshold */
INLINE VEC FN(soft_shrink_value)(VEC x, const VEC *p) { return x - FN(clip)(x, -p[0], p[0]); }
INLINE VEC FN(soft_shrink_grad)(VEC x, const VEC *p) { return FN(unless)(v_le(v_abs(x), p[0]), x); }
INLINE VEC FN(soft_shrink_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return FN(unless)(v_eq(y, K(0)), y);
}

/* p: threshold */
INLINE VEC FN(hard_shrink_value)(VEC x, const VEC *p) { return v_select(v_le(v_abs(x), p[0]), K(0), x); }
INLINE VEC FN(hard_shrink_grad)(VEC x, const VEC *p) { return FN(soft_shrink_grad)(x, p); }

/* p: threshold, default_value */
INLINE VEC FN(threshold_value)(VEC x, const VEC *p) { return v_select(v_le(x, p[0]), p[1], x); }
INLINE VEC FN(threshold_grad)(VEC x, const VEC *p) { return FN(unless)(v_le(x, p[0]), x); }

/* ---- sparse_plus, sparse_sigmoid --------------------------------------------------------------------------- */

/* (x + 1)/2, and 0 below, 1 above: one rounding, exact near the root */
INLINE VEC FN(sparse_sigmoid_value)(VEC x, const VEC *p) {
    (void)p;
    return v_fma(FN(clip)(x, K(-1), K(1)), K(0.5), K(0.5));
}

INLINE VEC FN(sparse_sigmoid_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(inside)(x, K(-1), K(1), 0.5);
}

INLINE VEC FN(sparse_sigmoid_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return FN(inside)(y, K(0), K(1), 0.5);
}

/* (x + 1)^2/4 for |x| <= 1; never less than x, so that the larger of both is right beyond 1 */
INLINE VEC FN(sparse_plus_value)(VEC x, const VEC *p) {
    (void)p;
    VEC low, t = FN(plus)(FN(clip)(x, K(-1), K(1)), 1, &low), q = t * K(0.25);
    return v_max(v_fma(t, q, (low + low) * q), x);
}

INLINE VEC FN(sparse_plus_grad)(VEC x, const VEC *p) { return FN(sparse_sigmoid_value)(x, p); }

INLINE VEC FN(sparse_plus_grad_from_output)(VEC y, const VEC *p) {
    (void)p;
    return v_sqrt(FN(clip)(y, K(0), K(1)));
}

/* ---- linear ------------------------------------------------------------------------------------------------ */

INLINE VEC FN(linear_value)(VEC x, const VEC *p) {
    (void)p;
    return x;
}

INLINE VEC FN(linear_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(keep_nan)(K(1), x);
}

INLINE VEC FN(linear_grad_from_output)(VEC y, const VEC *p) { return FN(linear_grad)(y, p); }

/* ---- rows */

#define VEKT_PIECEWISE_ACTIVATIONS(ROW) \
    ROW(relu, 0, 30, 40)                \
    ROW(relu_general, 3, 60, 70)        \
    ROW(leaky_relu, 1, 40, 50)          \
    ROW(relu6, 0, 30, 50)               \
    ROW(hard_tanh, 2, 30, 50)           \
    ROW(hard_sigmoid, 0, 60, 50)        \
    ROW(hard_silu, 0, 80, 80)           \
    ROW(soft_shrink, 1, 40, 50)         \
    ROW(hard_shrink, 1, 40, 50)         \
    ROW(threshold, 2, 40, 50)           \
    ROW(sparse_plus, 0, 70, 50)         \
    ROW(sparse_sigmoid, 0, 40, 50)      \
    ROW(linear, 0, 20, 40)

#define VEKT_PIECEWISE_FROM_OUTPUT(ROW) \
    ROW(relu, 0, 40)                    \
    ROW(leaky_relu, 1, 50)              \
    ROW(relu6, 0, 50)                   \
    ROW(hard_tanh, 2, 50)               \
    ROW(hard_sigmoid, 0, 50)            \
    ROW(soft_shrink, 1, 50)             \
    ROW(sparse_plus, 0, 90)             \
    ROW(sparse_sigmoid, 0, 50)          \
    ROW(linear, 0, 40)
