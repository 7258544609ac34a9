/* Arithmetic, one rounding each: NAME_value(x), x the operands.  At the foot stand its rows:
 *
 *   VEKT_ARITHMETIC(ROW)  ROW(name, number of operands, picoseconds per element) */

INLINE VEC FN(add_value)(const VEC *x) { return x[0] + x[1]; }
INLINE VEC FN(subtract_value)(const VEC *x) { return x[0] - x[1]; }
INLINE VEC FN(multiply_value)(const VEC *x) { return x[0] * x[1]; }
INLINE VEC FN(divide_value)(const VEC *x) { return x[0] / x[1]; }
INLINE VEC FN(multiply_add_value)(const VEC *x) { return v_fma(x[0], x[1], x[2]); }
INLINE VEC FN(square_value)(const VEC *x) { return x[0] * x[0]; }
INLINE VEC FN(reciprocal_value)(const VEC *x) { return K(1) / x[0]; }
INLINE VEC FN(sqrt_value)(const VEC *x) { return v_sqrt(x[0]); }
INLINE VEC FN(absolute_value)(const VEC *x) { return v_abs(x[0]); }
INLINE VEC FN(negative_value)(const VEC *x) { return v_real(v_bits(x[0]) ^ v_bits(K(-0.0))); }

/* NaN where either is; v_max and v_min give the second operand then. */
INLINE VEC FN(maximum_value)(const VEC *x) { return v_select(v_eq(x[0], x[0]), v_max(x[0], x[1]), x[0]); }
INLINE VEC FN(minimum_value)(const VEC *x) { return v_select(v_eq(x[0], x[0]), v_min(x[0], x[1]), x[0]); }

/* x, low, high: the upper limit has the last word. */
INLINE VEC FN(clip_value)(const VEC *x) {
    const VEC raised[2] = {FN(maximum_value)(x), x[2]};
    return FN(minimum_value)(raised);
}

/* x = f 2^k; k ln(2) + log(f), f as (1 + w/2)/(1 - w/2), the larger parts of all sums in two words.  Worst error
 * 0.51 ULP. */
INLINE VEC FN(log_value)(const VEC *in) {
    const VEC x = in[0], one = K(1), up = K(MANTISSA_BITS + 1);
    const MASK tiny = v_lt(x, K(4 / LARGEST)); /* the least normal number, but for a rounding */
    VEC k, f = FN(significand)(v_select(tiny, x * K((INT64_C(1) << (MANTISSA_BITS + 1))), x), &k);
    k = v_select(tiny, k - up, k);
    const VEC d = f + one, t = d - f, d_low = (f - (d - t)) + (one - t), n = f - one;
    VEC q_low, q = FN(divide)(n + n, K(0), d, d_low, v_mad(d, K(-0.245), K(0.995)), &q_low);
    const VEC whole = k * K(16 * FN(LN2_16)[0]), sum = whole + q; /* the product is exact */
    const VEC low = v_mad(k, K(16 * FN(LN2_16)[1]), (q - (sum - whole)) + (q_low + FN(log_rest)(q, one)));
    const VEC y = v_select(v_lt(x, K(INFINITY)), sum + low, x); /* infinity and NaN stay */
    return v_select(v_le(x, K(0)), v_select(v_eq(x, K(0)), K(-INFINITY), K(NAN)), y);
}

/* ---- rows */

#define VEKT_ARITHMETIC(ROW) \
    ROW(add, 2, 40)          \
    ROW(subtract, 2, 40)     \
    ROW(multiply, 2, 40)     \
    ROW(divide, 2, 60)       \
    ROW(maximum, 2, 40)      \
    ROW(minimum, 2, 40)      \
    ROW(multiply_add, 3, 50) \
    ROW(clip, 3, 50)         \
    ROW(square, 1, 30)       \
    ROW(reciprocal, 1, 60)   \
    ROW(sqrt, 1, 90)         \
    ROW(absolute, 1, 30)     \
    ROW(negative, 1, 30)     \
    ROW(log, 1, 400)
