/* Inverse square roots, lengths and cube roots, by series in what a first guess lacks.
 *
 * NAME_quick(x, ok) clears the lanes of ok where NAME_any(x) has to take its place. */

/* 1/sqrt(s) to 1.6 %, s a positive normal number: half the exponent is taken from a table's entry by subtraction, for
 * each eighth of an octave its own. */
INLINE VEC FN(inverse_root_guess)(VEC s) {
    const INT i = v_bits(s);
    return v_real(v_wrap_sub(v_bits(FN(v_lookup)(FN(ROOT_GUESS), i >> (MANTISSA_BITS - 3))), i >> 1));
}

/* (1 - e)^(-1/2) = 1 + e p(e) */
static const REAL FN(ROOT_SERIES)[] = {1.0 / 2, 3.0 / 8,
#if MANTISSA_BITS == 23
                                       5.0 / 16, 35.0 / 128};
#else
                                       5.0 / 16, 35.0 / 128, 63.0 / 256};
#endif

INLINE VEC FN(better_inverse_root)(VEC s) {
    const VEC y = FN(inverse_root_guess)(s), e = v_fma(-s * y, y, K(1));
    return v_mad(y * e, HORNER(FN(ROOT_SERIES), e), y);
}

/* For floats the series is long enough at once. */
INLINE VEC FN(inverse_root)(VEC s) {
#if MANTISSA_BITS == 23
    const VEC y = FN(inverse_root_guess)(s);
#else
    const VEC y = FN(better_inverse_root)(s);
#endif
    const VEC t = s * y, t_low = v_fma(s, y, -t), e = v_mad(-t_low, y, v_fma(-t, y, K(1)));
#if MANTISSA_BITS == 23
    return v_mad(y * e, HORNER(FN(ROOT_SERIES), e), y);
#else
    return v_mad(y * e, K(0.5), y);
#endif
}

INLINE VEC FN(rsqrt_quick)(const VEC *x, MASK *ok) {
    *ok &= v_le(K(4 / LARGEST), x[0]) & v_lt(x[0], K(INFINITY));
    return FN(inverse_root)(x[0]);
}

INLINE VEC FN(rsqrt_any)(const VEC *operands) {
    enum { UP = (MANTISSA_BITS + 1) / 2 * 2 };
    const VEC x = operands[0], zero = K(0), infinity = K(INFINITY);
    const MASK tiny = v_lt(x, K(4 / LARGEST));
    const VEC y = FN(inverse_root)(v_select(tiny, x * K((double)(INT64_C(1) << UP)), x));
    const VEC number = v_select(tiny, y * K((double)(1 << UP / 2)), y);
    const VEC limit = v_select(v_eq(x, infinity), zero, v_select(v_eq(x, zero), v_copysign(infinity, x), K(NAN)));
    return v_select(v_lt(zero, x) & v_lt(x, infinity), number, limit);
}

/* sqrt(a^2 + b^2), 0 <= b <= a, squares neither lost nor infinite */
INLINE VEC FN(length)(VEC a, VEC b) {
    const VEC aa = a * a, bb = b * b, s = aa + bb;
    const VEC low = v_fma(a, a, -aa) + ((aa - s) + bb);
    const VEC y = FN(better_inverse_root)(s), h = s * y;
    return v_mad(v_fma(-h, h, s) + low, y * K(0.5), h);
}

INLINE VEC FN(hypot_quick)(const VEC *x, MASK *ok) {
    const VEC a = v_abs(x[0]), b = v_abs(x[1]), most = v_max(a, b);
    *ok &= v_le(K(FN(LENGTH_LEAST)), most) & v_lt(most, K(FN(LENGTH_MOST))) & v_ordered(a, b);
    return FN(length)(most, v_min(a, b));
}

INLINE VEC FN(hypot_any)(const VEC *x) {
    const VEC a = v_abs(x[0]), b = v_abs(x[1]), most = v_max(a, b), infinity = K(INFINITY), one = K(1);
    const REAL up = FN(LENGTH_UP), down = FN(LENGTH_DOWN);
    const MASK small = v_lt(most, K(FN(LENGTH_LEAST))), large = v_le(K(FN(LENGTH_MOST)), most);
    const VEC scale = v_select(small, K(up), v_select(large, K(down), one));
    const VEC back = v_select(small, K(1 / up), v_select(large, K(1 / down), one));
    const VEC y = FN(length)(most * scale, v_min(a, b) * scale) * back;
    return v_select(v_eq(a, infinity) | v_eq(b, infinity), infinity, v_select(v_ordered(a, b), y, a + b));
}

/* x^(-1/3) to 3.5 %: a third of the exponent */
INLINE VEC FN(inverse_cube_root_guess)(VEC x) {
#if MANTISSA_BITS == 23
    const VEC i = __builtin_convertvector(v_bits(x), VEC);
    return v_real(__builtin_convertvector(v_mad(i, K(-1.0 / 3), K(FN(CUBE_GUESS)[0])), INT));
#else
    const VEC i = v_real((v_bits(x) >> 32) + v_bits(K(ROUNDER_f64))) - K(ROUNDER_f64);
    return v_real(v_bits(v_mad(i, K(-1.0 / 3), K(FN(CUBE_GUESS)[0])) + K(ROUNDER_f64)) << 32);
#endif
}

/* The cube root of a positive normal number: y (1 - e)^(-2/3) with y = x r^2 and e = 1 - x r^3, both in two words, as
 * r has half the digits only. */
INLINE VEC FN(cube_root)(VEC x) {
    VEC r = FN(inverse_cube_root_guess)(x);
#if MANTISSA_BITS == 52
    const VEC first = v_fma(-x * (r * r), r, K(1));
    r = v_mad(r * first, v_mad(v_mad(K(14.0 / 81), first, K(2.0 / 9)), first, K(1.0 / 3)), r);
#endif
    r = v_real(v_bits(r) & (((INT){0} - 1) << (MANTISSA_BITS + 3) / 2));
    const VEC square = r * r, y = x * square, y_low = v_fma(x, square, -y);
    const VEC e = v_mad(-y_low, r, v_fma(-y, r, K(1)));
    return y + v_mad(y * e, HORNER(FN(CUBE_SERIES), e), y_low);
}

INLINE VEC FN(cbrt_quick)(const VEC *x, MASK *ok) {
    const VEC size = v_abs(x[0]);
    *ok &= v_le(K(4 / LARGEST), size) & v_lt(size, K(INFINITY));
    return v_copysign(FN(cube_root)(size), x[0]);
}

INLINE VEC FN(cbrt_any)(const VEC *x) {
    enum { UP = (MANTISSA_BITS + 2) / 3 * 3 };
    const VEC size = v_abs(x[0]);
    const MASK tiny = v_lt(size, K(4 / LARGEST));
    const VEC y = FN(cube_root)(v_select(tiny, size * K((double)(INT64_C(1) << UP)), size));
    const VEC number = v_select(tiny, y * K(1.0 / (1 << UP / 3)), y);
    return v_select(v_lt(K(0), size) & v_lt(size, K(INFINITY)), v_copysign(number, x[0]), x[0] + x[0]);
}

#define VEKT_ROOTS(ROW) \
    ROW(rsqrt, 1, 200)  \
    ROW(hypot, 2, 350)  \
    ROW(cbrt, 1, 300)
