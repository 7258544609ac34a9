/* Short paths of float: 16 polynomials that hold where most inputs are.
 *
 * A body begins with SHORT_PATH(u, limit, y): where every lane has u < limit, y is the result, and the longer rest of
 * the body, which holds everywhere, is jumped over; else its lanes and y's are merged.  Either way an element's bits
 * depend on its value alone.  On normal inputs this takes half the time of the full bodies; doubles would need
 * polynomials twice as long, and gain nothing. */

static const float SILU_SLOPE_PER_INTERVAL = 2.5f / 1.27846454f, SILU_SLOPE_LIMIT = 8.125f;

/* sigmoid(-t), and 1 - sigmoid(-t) for x >= 0 */
INLINE vf32 sigmoid_short(vf32 x) {
    vf32 t = v_abs(x), one = v_splat_f32(1);
    vi32 i = v_bits(t + v_splat_f32(ROUNDER_f32));
    vf32 low, high = two_word_polynomial_f32(LOGISTIC_f32, 8, t - v_lookup_f32(LOGISTIC_CENTRE_f32, i), i, &low);
    vf32 y = high + low;
    return v_select(v_lt(x, v_splat_f32(0)), y, one - y);
}

/* x sigmoid(x), sigmoid(x) in two words */
INLINE vf32 silu_short(vf32 x) {
    vf32 t = v_abs(x), one = v_splat_f32(1);
    vi32 i = v_bits(t + v_splat_f32(ROUNDER_f32));
    vf32 low, high = two_word_polynomial_f32(LOGISTIC_f32, 8, t - v_lookup_f32(LOGISTIC_CENTRE_f32, i), i, &low);
    vf32 high_above = one - high, low_above = ((one - high_above) - high) - low;
    mask_f32 below = v_lt(x, v_splat_f32(0));
    return v_fma(x, v_select(below, high, high_above), x * v_select(below, low, low_above));
}

/* silu'(-t), and 1 - silu'(-t) for x >= 0.  c0 stands in two words: the first is 0 where the root is the centre. */
INLINE vf32 silu_grad_short(vf32 x) {
    vf32 t = v_abs(x), one = v_splat_f32(1);
    vi32 i = v_bits(v_mad(t, v_splat_f32(SILU_SLOPE_PER_INTERVAL), v_splat_f32(-0.5f)) + v_splat_f32(ROUNDER_f32));
    vf32 r = t - v_lookup_f32(SILU_SLOPE_CENTRE_f32, i);
    vf32 q = v_lookup_f32(SILU_SLOPE_f32[8], i);
#pragma GCC unroll 10
    for (int j = 7; j > 2; j--) q = v_mad(q, r, v_lookup_f32(SILU_SLOPE_f32[j], i));
    vf32 c0 = v_lookup_f32(SILU_SLOPE_f32[0], i), c1 = v_lookup_f32(SILU_SLOPE_f32[2], i);
    vf32 high = v_fma(r, c1, c0), low = v_fma(r, c1, c0 - high) + v_lookup_f32(SILU_SLOPE_f32[1], i);
    vf32 y = high + v_mad(r * r, q, low);
    return v_select(v_lt(x, v_splat_f32(0)), y, one - y);
}

/* log(1 + e^x): relu(x) and log(1 + e^-t) in two words, added exactly but for the last rounding */
INLINE vf32 softplus_short(vf32 x) {
    vf32 t = v_abs(x), ramp = v_max(v_splat_f32(0), x);
    vi32 i = v_bits(t + v_splat_f32(ROUNDER_f32));
    vf32 low, high = two_word_polynomial_f32(SOFTPLUS_f32, 9, t - v_lookup_f32(SOFTPLUS_CENTRE_f32, i), i, &low);
    vf32 larger = v_max(high, ramp), smaller = v_min(high, ramp);
    vf32 sum = larger + smaller;
    return sum + ((smaller - (sum - larger)) + low);
}

/* sigmoid'(t), t >= 0 */
INLINE vf32 logistic_slope_short(vf32 t) {
    vi32 i = v_bits(t + v_splat_f32(ROUNDER_f32));
    vf32 r = t - v_lookup_f32(LOGISTIC_SLOPE_CENTRE_f32, i);
    vf32 low, high = two_word_polynomial_f32(LOGISTIC_SLOPE_f32, 9, r, i, &low);
    return high + low;
}

/* x Phi(x); Phi(x) in two words, from the table of Phi(-t) or, for x >= 0, from 1 - Phi(-t) */
INLINE vf32 gelu_short(vf32 x) {
    vf32 t = v_abs(v_min(v_splat_f32(NORMAL_TAIL_END), x)), one = v_splat_f32(1), rounder = v_splat_f32(ROUNDER_f32);
    vi32 i = v_bits(v_min(rounder + v_splat_f32(15), v_fma(t, v_splat_f32(4), rounder)));
    vf32 r = t - v_lookup_f32(NORMAL_TAIL_CENTRE_f32, i);
    vf32 low, high = two_word_polynomial_f32(NORMAL_TAIL_f32, 8, r, i, &low);
    vf32 high_above = one - high, low_above = ((one - high_above) - high) - low;
    mask_f32 below = v_lt(x, v_splat_f32(0));
    vf32 finite = v_min(v_splat_f32(FLT_MAX), x); /* at infinity the two words would cancel to NaN */
    return v_fma(x, v_select(below, high, high_above), finite * v_select(below, low, low_above));
}
