/* E = e^-t, t >= 0, and logarithms of what it is made into: e is logistic_parts(-t, ...). */

#define LN_2 0x1.62e42fefa39efp-1

/* E 2^power in two words, power 0 or HALF_RANGE. */
INLINE VEC FN(exp_words)(VEC t, int power, VEC *low) {
    FN(pair) e = FN(exp_pair)(-t, NULL, power);
    VEC sum = v_mad(e.head, e.rest, e.head);
    *low = v_mad(e.head, e.rest, e.head - sum);
    return sum;
}

/* log(1 + w/(1 - w/2)) = w + w^3 p(w^2) for |w| <= 2/3, w = q scale: the sum is q + the result, times scale. */
INLINE VEC FN(log_rest)(VEC q, VEC scale) {
    VEC w = q * scale, u = w * w;
    return q * (u * HORNER(FN(LOG), u));
}

/* log(1 + E) = (result + low) * scale / 2^HALF_RANGE, from 2E/(2 + E). */
INLINE VEC FN(log1p_exp)(FN(logistic) e, VEC *low) {
    VEC one = K(1), d = e.d + one, d_low = (one - (d - e.d)) + e.d_low;
    VEC inverse = v_mad(d, K(-1.0 / 6), K(0.825)); /* 1/d for 2 <= d <= 3, to 3 % */
    VEC q_low, q = FN(divide)(e.m + e.m, e.m_low + e.m_low, d, d_low, inverse, &q_low);
    *low = q_low + FN(log_rest)(q, e.scale * K(TINY_SCALE));
    return q;
}

/* 1 - E in two words, its relative error a rounding of the second: what e.m_low holds counts where t is small. */
INLINE VEC FN(one_minus_exp)(FN(logistic) e, VEC *low) {
    VEC one = K(1), power = e.scale * K(TINY_SCALE);
    VEC high = one - e.m * power, rest = ((one - high) - e.m * power) - e.m_low * power;
    VEC sum = high + rest;
    *low = rest - (sum - high);
    return sum;
}

/* x = f 2^k with 0.7 <= f < 1.4, x a positive normal number: f, and k as a number. */
INLINE VEC FN(significand)(VEC x, VEC *k) {
    INT shift = v_wrap_sub(v_bits(x), v_bits(K(0.7))) >> MANTISSA_BITS;
    *k = v_real(shift + v_bits(K(FN(ROUNDER)))) - K(FN(ROUNDER));
    return v_real(v_wrap_sub(v_bits(x), shift << MANTISSA_BITS));
}
