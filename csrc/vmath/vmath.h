/* Shared mathematics of the activations, for the type named by simd/as_f32.h or as_f64.h.
 *
 * Every body runs in the precision of its operands.  What keeps the results within 1 ULP is that intermediate
 * roundings are carried in a second word (name_low) up to the last operation, which rounds once. */

#define HORNER(c, x) FN(horner)(c, (int)(sizeof(c) / sizeof *(c)), x)

/* c[0] + c[1] x + ...; error about half a unit in the last place of c[0] where the other terms are small. */
INLINE VEC FN(horner)(const REAL *c, int count, VEC x) {
    VEC y = K(c[count - 1]);
#pragma GCC unroll 20
    for (int i = count - 2; i >= 0; i--) y = v_mad(y, x, K(c[i]));
    return y;
}

/* e^(x + x_low) 2^power = head (1 + r + q) for |x| <= 3 EXP_LIMIT, x_low may be NULL; head a normal number, if power
 * puts it there, |r| <= 0.022, |q| <= r^2.  The relative error is 2^-27.5 for float and 2^-57 for double.
 *
 * x + x_low = n ln(2)/16 + r + r_low: the table has 2^(n mod 16 / 16), n div 16 goes to the exponent, and the
 * polynomial is half as long as it would be without a table.  As the first row of the table is exact, r + q is e^x -
 * 1 itself near x = 0.  r_low, less than a rounding error of r, is for those who multiply e^x - 1. */
typedef struct {
    VEC head, r, r_low, q;
} FN(exp_sum);

INLINE FN(exp_sum) FN(exp_terms)(VEC x, const VEC *x_low, int power) {
    const REAL rounder = FN(ROUNDER) + (REAL)(16 * power);
    VEC shifted = v_mad(x, K(0x1.71547652b82fep+4), K(rounder)), n = shifted - K(rounder);
    VEC high = v_fma(n, K(-FN(LN2_16)[0]), x); /* exact; up to 1.6 EXP_LIMIT the product is, too */
    VEC low = x_low ? v_mad(n, K(-FN(LN2_16)[1]), *x_low) : K(0);
    VEC r = x_low ? high + low : v_mad(n, K(-FN(LN2_16)[1]), high);
    INT i = v_bits(shifted);
    VEC head = v_real(v_wrap_add(v_bits(FN(v_lookup)(FN(EXP2), i)), i << (MANTISSA_BITS - 4)));
    VEC q = v_mad(r * r, HORNER(FN(EXP), r), FN(v_lookup)(FN(EXP2_LOW), i));
    return (FN(exp_sum)){head, r, low - (r - high), q};
}

/* The same with rest = r + q. */
typedef struct {
    VEC head, rest;
} FN(pair);

INLINE FN(pair) FN(exp_pair)(VEC x, const VEC *x_low, int power) {
    FN(exp_sum) e = FN(exp_terms)(x, x_low, power);
    return (FN(pair)){e.head, e.r + e.q};
}

/* e^(x + x_low) = (head + tail) * scale / 2^HALF_RANGE for -EXP_LIMIT <= x <= 0, 1 <= head < 2, |tail| <= 0.022 head.
 * The offset in scale keeps it a normal number for every result. */
typedef struct {
    VEC head, tail, scale;
} FN(exp_scaled);

INLINE FN(exp_scaled) FN(exp_parts)(VEC x, VEC x_low) {
    FN(pair) e = FN(exp_pair)(x, &x_low, HALF_RANGE);
    INT one = v_bits(K(1)), exponent = v_bits(e.head) >> MANTISSA_BITS << MANTISSA_BITS;
    VEC head = v_real(v_wrap_add(v_bits(e.head) - exponent, one));
    return (FN(exp_scaled)){head, head * e.rest, v_real(exponent)};
}

/* E = e^(x + x_low) for x <= 0 and D = 1 + E, both in two words; E = (m + m_low) * scale / 2^HALF_RANGE. */
typedef struct {
    VEC m, m_low, scale, d, d_low;
} FN(logistic);

INLINE FN(logistic) FN(logistic_parts)(VEC x, VEC x_low) {
    FN(exp_scaled) e = FN(exp_parts)(x, x_low);
    VEC one = K(1), tiny = K(TINY_SCALE);
    VEC m = e.head + e.tail, m_low = e.tail - (m - e.head);
    VEC d = v_mad(m * e.scale, tiny, one);
    VEC d_low = v_mad(m * e.scale, tiny, one - d); /* products with powers of two are exact */
    d_low = v_mad(m_low * e.scale, tiny, d_low);
    return (FN(logistic)){m, m_low, e.scale, d, d_low};
}

/* 1/(1 + E) = g (1 - rho), E = e.head (1 + e.rest) / 2^HALF_RANGE <= 1: one rounding error of the sum and one of the
 * quotient are in rho. */
INLINE VEC FN(inverse_of_1_plus)(FN(pair) e, VEC *rho) {
    VEC one = K(1), tiny = K(TINY_SCALE), tail = e.head * e.rest;
    VEC d = v_mad(e.head + tail, tiny, one);
    VEC d_low = v_mad(tail, tiny, v_mad(e.head, tiny, one - d)); /* products with powers of two are exact */
    VEC g = one / d;
    *rho = v_mad(g, d_low, v_fma(g, d, -one));
    return g;
}

/* (a + a_low) b (1 + c), rounded once; a_low may be NULL, c and a_low are small */
INLINE VEC FN(product)(VEC a, const VEC *a_low, VEC b, VEC c) {
    VEC low = a_low ? v_mad(a * b, c, *a_low * b) : a * b * c;
    return v_fma(a, b, low);
}

/* (n + n_low)/(d + d_low) = quotient + low; inverse is 1/d to 10 % or better: low is a rounding error or two. */
INLINE VEC FN(divide)(VEC n, VEC n_low, VEC d, VEC d_low, VEC inverse, VEC *low) {
    VEC q = n / d;
    VEC remainder = v_fma(-q, d, n); /* exact */
    *low = v_mad(-q, d_low, remainder + n_low) * inverse;
    return q;
}

/* 1/d for 1 <= d <= 2, to 4.3 %: the minimax line. */
INLINE VEC FN(rough_inverse)(VEC d) { return v_mad(d, K(-0.5), K(1.457)); }

/* y with the sign of v where it is 0 and x < 0.  Without fma a product that underflows is a zero already, and its
 * sign would be lost in the sum with 0. */
#if VEKT_HAS_FMA
INLINE VEC FN(signed_tail)(VEC x, VEC v, VEC y) { return (void)x, (void)v, y; }
#else
INLINE VEC FN(signed_tail)(VEC x, VEC v, VEC y) {
    return v_select(v_lt(x, K(0)) & v_eq(y, K(0)), v_copysign(y, v), y);
}
#endif

/* v for x < 0 and 1 - v for x >= 0, v given as v * 2^HALF_RANGE; exact but for the last rounding. */
INLINE VEC FN(reflect)(VEC x, VEC v) {
    INT negative = v_bits(x) >> (sizeof(REAL) * 8 - 1);
    VEC one_or_zero = v_real(~negative & v_bits(K(1)));
    VEC signed_v = v_real(v_bits(v) ^ (~v_bits(x) & v_bits(K(-0.0))));
    return FN(signed_tail)(x, signed_v, v_fma(signed_v, K(TINY_SCALE), one_or_zero));
}

/* relu(x) - v, v given as v * 2^HALF_RANGE. */
INLINE VEC FN(relu_minus)(VEC x, VEC v) { return FN(signed_tail)(x, -v, v_fma(-v, K(TINY_SCALE), v_max(K(0), x))); }

/* |x|, at most limit; NaN stays. */
INLINE VEC FN(clamped_abs)(VEC x, REAL limit) { return v_min(K(limit), v_abs(x)); }

/* f (c0 + rest) exp(-t s) * 2^HALF_RANGE, f in two words where f_low is not NULL.  c0 (1 + r) is kept exactly, in
 * two words; what else there is amounts to less than a fifth of it, and so do its rounding errors. */
INLINE VEC FN(times_exp_of_product)(VEC t, VEC s, VEC f, const VEC *f_low, VEC c0, VEC rest) {
    VEC square = -t * s, square_low = v_fma(-t, s, -square);
    FN(pair) e = FN(exp_pair)(square, &square_low, HALF_RANGE);
    VEC main = c0 * e.head, low = v_fma(c0, e.head, -main);
    low = v_mad(rest, v_mad(e.head, e.rest, e.head), v_mad(main, e.rest, low));
    low = f_low ? v_mad(f, low, *f_low * (main + low)) : f * low;
    return v_fma(f, main, low);
}

/* f (c0 + rest) exp(-t^2/2) * 2^HALF_RANGE */
INLINE VEC FN(times_gaussian)(VEC t, VEC f, const VEC *f_low, VEC c0, VEC rest) {
    return FN(times_exp_of_product)(t, t * K(0.5), f, f_low, c0, rest);
}

/* a*b + c in two words (products by Dekker or fma, sums by Knuth's TwoSum). */
INLINE VEC FN(exact_mad)(VEC a, VEC b, VEC c, VEC *low) {
    VEC p = a * b, p_low = v_fma(a, b, -p);
    VEC s = p + c, t = s - p;
    *low = ((p - (s - t)) + (c - t)) + p_low;
    return s;
}

/* Piecewise polynomial c0 + rest at t >= 0 from a table of constants.h; c0 is within 2^-8 ULP of its true value. */
INLINE VEC FN(tail_polynomial)(const REAL (*table)[16], int count, const REAL *centres, REAL offset, VEC t,
                               VEC *rest) {
    INT i = v_bits(t + K(offset)) >> (MANTISSA_BITS - 2);
    VEC r = t - FN(v_lookup)(centres, i);
    VEC s = FN(v_lookup)(table[count - 1], i);
#pragma GCC unroll 20
    for (int j = count - 2; j > 0; j--) s = v_mad(s, r, FN(v_lookup)(table[j], i));
    *rest = s * r;
    return FN(v_lookup)(table[0], i);
}

/* The same with c1 exact too, for intervals on which f changes by up to half: high + low, |low| <= high/6.
 * r (c1 + r q) is not rounded but in low. */
INLINE VEC FN(two_word_polynomial)(const REAL (*table)[16], int count, VEC r, INT i, VEC *low) {
    VEC q = FN(v_lookup)(table[count - 1], i);
#pragma GCC unroll 20
    for (int j = count - 2; j > 1; j--) q = v_mad(q, r, FN(v_lookup)(table[j], i));
    VEC c0 = FN(v_lookup)(table[0], i), c1 = FN(v_lookup)(table[1], i);
    VEC high = v_fma(r, c1, c0);
    *low = v_mad(r * r, q, v_fma(r, c1, c0 - high));
    return high;
}
