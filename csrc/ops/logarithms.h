/* Logarithms beside log, by its table. */

/* log(1 + x) = k ln(2) - log(c) + log(1 + r), as log_of_normal has it of u + u_low = 1 + x.  It has the sign of x, -0
 * too. */
INLINE VEC FN(log1p_value)(VEC x) {
    const VEC one = K(1), larger = v_max(one, x), smaller = v_min(one, x);
    const VEC u = larger + smaller, u_low = smaller - (u - larger);
    const INT place = v_wrap_sub(v_bits(u), v_bits(K(1 - 9.5 / 32))), shift = place >> MANTISSA_BITS;
    const INT power = shift << MANTISSA_BITS, row = place >> (MANTISSA_BITS - 4);
    const VEC scale = v_max(K(0), v_real(v_wrap_sub(v_bits(one), power))); /* 2^128, or 2^1024, has no inverse */
    const VEC f = v_real(v_wrap_sub(v_bits(u), power)), f_low = u_low * scale;
    const VEC k = v_real(shift + v_bits(K(FN(ROUNDER)))) - K(FN(ROUNDER));
    const VEC c = FN(v_lookup)(FN(LOG_INVERSE), row);
    const VEC whole = v_fma(k, K(FN(LN2)[0]), FN(v_lookup)(FN(LOG_TABLE), row));
#if MANTISSA_BITS == 23
    const VEC product = f * c, r = product - one, r_low = v_fma(c, f_low, v_fma(f, c, -product));
    const VEC sum = whole + r, low = v_mad(k, K(FN(LN2)[1]), v_mad(r_low, one - r, r - (sum - whole)));
    const VEC y = sum + v_mad(r * r, HORNER(FN(LOG_SERIES), r), low);
#else
    const VEC r = v_fma(c, f_low, v_fma(f, c, -one));
    const VEC y = whole + (r + v_mad(r * r, HORNER(FN(LOG_SERIES), r), k * K(FN(LN2)[1])));
#endif
    return v_or_sign(v_or_limit(y, u), x);
}

/* ---- rows */

#define VEKT_LOGARITHMS(ROW) ROW(log1p, 290)
