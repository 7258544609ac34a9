/* The logarithm. */

/* log(x 2^-power), x a positive normal number = f 2^(k + power): k ln(2) - log(c) + log(1 + r), r = f c - 1 in two
 * words.  The sum of the first two terms is exact but for a last word; around f = 1 they are 0. */
INLINE VEC FN(log_of_normal)(VEC x, VEC power_and_rounder) {
    const VEC one = K(1);
    /* f is from 1 - 9.5/32, which begins the table, to twice that. */
    const INT place = v_wrap_sub(v_bits(x), v_bits(K(1 - 9.5 / 32))), shift = place >> MANTISSA_BITS;
    const VEC f = v_real(v_wrap_sub(v_bits(x), shift << MANTISSA_BITS));
    const VEC k = v_real(shift + v_bits(K(FN(ROUNDER)))) - power_and_rounder;
    const INT row = place >> (MANTISSA_BITS - 4);
    const VEC c = FN(v_lookup)(FN(LOG_INVERSE), row), product = f * c, r = product - one;
    const VEC r_low = v_fma(f, c, -product);
    const VEC whole = v_fma(k, K(FN(LN2)[0]), FN(v_lookup)(FN(LOG_TABLE), row)), sum = whole + r;
    const VEC low = v_mad(k, K(FN(LN2)[1]), v_mad(r_low, one - r, r - (sum - whole)));
    return sum + v_mad(r * r, HORNER(FN(LOG_SERIES), r), low);
}

/* Of normal numbers the same bits. */
static __attribute__((noinline)) VEC FN(log_any)(VEC x) {
    const MASK tiny = v_lt(x, K(4 / LARGEST)); /* the least normal number, but for a rounding */
    const int up = MANTISSA_BITS + 1;
    const VEC normal = v_select(tiny, x * K((double)(INT64_C(1) << up)), x);
    const VEC y = FN(log_of_normal)(normal, v_select(tiny, K(FN(ROUNDER) + (REAL)up), K(FN(ROUNDER))));
    const VEC number = v_select(v_lt(x, K(INFINITY)), y, x); /* infinity and NaN stay */
    return v_select(v_le(x, K(0)), v_select(v_eq(x, K(0)), K(-INFINITY), K(NAN)), number);
}

/* Worst errors 0.60 ULP for float, 0.52 for double. */
INLINE VEC FN(log_value)(VEC x) { return FN(log_of_normal)(x, K(FN(ROUNDER))); }
INLINE MASK FN(log_usual)(VEC x) { return v_le(K(4 / LARGEST), x) & v_lt(x, K(INFINITY)); }
