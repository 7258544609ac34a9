/* x^y = e^(y log x): the logarithm in two words, and the exponential of both words of the product.
 *
 * NAME_quick(x, ok) clears the lanes of ok where NAME_any(x) has to take its place; elsewhere both have the same
 * bits.
 */

/* log(x 2^-less) = high + low for x a positive normal number = f 2^(k + less), low up to 2^-10 of high: k ln(2) -
 * log(c) + log(1 + r), where r = f c - 1 is exact, as c has few digits.  The sum of the first two terms is exact but
 * for a last word; around f = 1 they are 0. */
INLINE VEC FN(two_word_log)(VEC x, VEC less_and_rounder, VEC *low) {
    const INT place = v_wrap_sub(v_bits(x), v_bits(K(1 - 9.5 / 32))), shift = place >> MANTISSA_BITS;
    const VEC f = v_real(v_wrap_sub(v_bits(x), shift << MANTISSA_BITS));
    const VEC k = v_real(shift + v_bits(K(FN(ROUNDER)))) - less_and_rounder;
    const INT row = place >> (MANTISSA_BITS - 4);
    const VEC r = v_fma(f, FN(v_lookup)(FN(POWER_INVERSE), row), K(-1));
    const VEC whole = v_fma(k, K(FN(LN2)[0]), FN(v_lookup)(FN(POWER_LOG), row)); /* exact */
    const VEC rest = v_mad(k, K(FN(LN2)[1]), FN(v_lookup)(FN(POWER_LOG_LOW), row));
    const VEC half = r * K(-0.5), square = r * half, square_low = v_fma(r, half, -square);
    const VEC first = whole + r, first_low = r - (first - whole);
    const VEC second = first + square, second_low = square - (second - first);
    *low = second_low + v_mad(square * r, HORNER(FN(POWER_SERIES), r), (rest + first_low) + square_low);
    return second;
}

/* e^(high + low), near = high + low rounded, its exponent `more` larger; as exp_terms, but low may be as large as r.
 */
INLINE VEC FN(exp_of_sum)(VEC near, VEC high, VEC low, INT more) {
    const VEC rounder = K(FN(ROUNDER)), shifted = v_mad(near, K(0x1.71547652b82fep+4), rounder),
              n = shifted - rounder;
    const VEC r = v_fma(n, K(-FN(LN2_16)[0]), high) + v_mad(n, K(-FN(LN2_16)[1]), low);
    const INT i = v_bits(shifted), scaled = v_wrap_add(i << (MANTISSA_BITS - 4), more);
    const VEC head = v_real(v_wrap_add(v_bits(FN(v_lookup)(FN(EXP2), i)), scaled));
    const VEC rest = v_mad(r * r, HORNER(FN(EXP), r), r + FN(v_lookup)(FN(EXP2_LOW), i));
    return v_mad(head, rest, head);
}

INLINE VEC FN(power_quick)(const VEC *x, MASK *ok) {
    VEC log_low, log = FN(two_word_log)(x[0], K(FN(ROUNDER)), &log_low);
    const VEC high = x[1] * log, low = v_mad(x[1], log_low, v_fma(x[1], log, -high)), near = high + low;
    *ok &= v_le(K(4 / LARGEST), x[0]) & v_lt(x[0], K(INFINITY)) & v_le(v_abs(near), K(-FN(EXP_LEAST_NORMAL)));
    return FN(exp_of_sum)(near, high, low, (INT){0});
}

/* Where |x| is whole: of large numbers, too, and infinity. */
INLINE MASK FN(is_whole)(VEC size) {
    const VEC all = K((REAL)(INT64_C(1) << MANTISSA_BITS));
    return v_eq((size + all) - all, size) | v_le(all, size);
}

/* Annex F of C, F.10.4.4. */
INLINE VEC FN(power_any)(const VEC *operands) {
    const VEC zero = K(0), one = K(1), infinity = K(INFINITY), x = operands[0], y = operands[1];
    const VEC size = v_abs(x), places = v_abs(y);
    const MASK tiny = v_lt(size, K(4 / LARGEST)), regular = v_lt(zero, size) & v_lt(size, infinity);
    const int up = MANTISSA_BITS + 1;
    const VEC normal = v_select(regular, v_select(tiny, size * K((double)(INT64_C(1) << up)), size), one);
    VEC low, log = FN(two_word_log)(normal, v_select(tiny, K(FN(ROUNDER) + (REAL)up), K(FN(ROUNDER))), &low);
    /* of 0 and infinity; NaN is seen to below */
    log = v_select(regular, log, v_select(v_eq(size, zero), -infinity, infinity));
    VEC high = y * log;
    low = v_mad(y, low, v_fma(y, log, -high));
    VEC near = high + low;
    const MASK within = v_le(v_abs(near), K(FN(EXP_LIMIT)));
    near = v_select(within, near, v_min(K(FN(EXP_OVERFLOW)), v_max(K(-FN(EXP_LIMIT)), high)));
    high = v_select(within, high, near);
    low = v_select(within, low, zero);
    /* Scaled down where the result is above 1 and up where it is below, so that the last product alone overflows, or
     * rounds to a subnormal number. */
    const INT more = v_bits(v_real(((INT){0} + HALF_RANGE) << MANTISSA_BITS)),
              sign = v_bits(near) >> (sizeof(REAL) * 8 - 1);
    const INT moved = v_wrap_sub(v_wrap_add(more & sign, more & sign), more);
    VEC result = FN(exp_of_sum)(near, high, low, moved) * v_real(v_wrap_sub(v_bits(one), moved));
    /* Negative bases: whole exponents keep the sign where they are odd, others give NaN. */
    const VEC negative = v_real(v_bits(x) & v_bits(K(-0.0)));
    const MASK whole = FN(is_whole)(places), even = FN(is_whole)(places * K(0.5));
    const VEC odd_sign = v_select(whole, v_select(even, zero, negative), zero);
    result = v_real(v_bits(result) | v_bits(odd_sign));
    result = v_select(whole, result, v_select(regular & v_lt(x, zero), K(NAN), result));
    result = v_select(v_ordered(x, y), result, x + y);
    const MASK always = v_eq(y, zero) | v_eq(x, one) | (v_eq(x, -one) & v_eq(places, infinity));
    return v_select(always, one, result);
}

#define VEKT_POWERS(ROW) ROW(power, 2, 700)
