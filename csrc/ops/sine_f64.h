/* sin, cos and tan of doubles: from r = |x| - n pi/2, |r| <= pi/4, in two words, the polynomial of sin(r) or of
 * cos(r), or the quotient of two. */

typedef struct {
    vf64 r, r_low;
    vi64 quarter; /* n modulo 4 */
} angle_f64;

/* |x| < NEAR_ANGLE.  The first sum is exact: a multiple of 2^-53 below 1.  The second one is in two words (Knuth), as
 * its terms may nearly cancel. */
INLINE angle_f64 near_angle_f64(vf64 x) {
    const vf64 rounder = v_splat_f64(ROUNDER_f64), t = v_abs(x);
    const vf64 shifted = v_mad(t, v_splat_f64(0x1.45f306dc9c883p-1), rounder), n = shifted - rounder;
    const vf64 high = v_fma(n, v_splat_f64(-HALF_PI_f64[0]), t), next = v_splat_f64(-HALF_PI_f64[1]);
    const vf64 p = n * next, p_low = v_fma(n, next, -p);
    const vf64 r = high + p, moved = r - high, r_low = (high - (r - moved)) + (p - moved);
    return (angle_f64){r, v_mad(n, v_splat_f64(-HALF_PI_f64[2]), r_low + p_low), v_bits(shifted)};
}

/* sin of (quarter pi/2 + r + r_low), negative where the sign of `sign` is.
 * Even quarters: r + r^3 p(r^2); odd ones: 1 - r^2/2 + r^4 p(r^2), the first sum in two words. */
INLINE vf64 sine_of_angle_f64(angle_f64 angle, vf64 sign) {
    const mask_f64 odd = v_odd(angle.quarter);
    const vf64 one = v_splat_f64(1), half = v_splat_f64(-0.5), r = angle.r, u = r * r;
    const int count = (int)(sizeof SIN_f64 / sizeof *SIN_f64);
    vf64 p = v_select(odd, v_splat_f64(COS_f64[count - 1]), v_splat_f64(SIN_f64[count - 1]));
#pragma GCC unroll 8
    for (int i = count - 2; i >= 0; i--)
        p = v_mad(p, u, v_select(odd, v_splat_f64(COS_f64[i]), v_splat_f64(SIN_f64[i])));
    const vf64 less = v_mad(u, half, one), less_low = v_mad(u, half, one - less);
    const vf64 slope = v_select(odd, -r, less);
    const vf64 low = v_mad(slope, angle.r_low, v_select(odd, less_low, v_splat_f64(0)));
    const vf64 y = v_select(odd, less, r) + v_mad(u * v_select(odd, u, r), p, low);
    return v_real(v_bits(y) ^ (angle.quarter >> 1 << 63) ^ v_bits(sign));
}

/* The sign of the sine; the cosine's is that of its quarter. */
INLINE vf64 sine_sign_f64(vf64 x, int quarter) { return v_real(quarter ? (vi64){0} : v_bits(x) & INT64_MIN); }

/* Where some lane is not near: its neighbours' bits are those of near_angle. */
static __attribute__((noinline)) angle_f64 any_angle_f64(vf64 x) {
    angle_f64 angle = near_angle_f64(x);
    for (int i = 0; i < LANES_F64; i++) {
        double words[2];
        if (!(__builtin_fabs(x[i]) >= NEAR_ANGLE && __builtin_fabs(x[i]) <= DBL_MAX)) continue;
        angle.quarter[i] = vekt_far_angle(__builtin_fabs(x[i]), words);
        angle.r[i] = words[0];
        angle.r_low[i] = words[1];
    }
    return angle;
}

static __attribute__((noinline)) vf64 any_sine_f64(vf64 x, int quarter) {
    angle_f64 angle = any_angle_f64(x);
    angle.quarter += quarter;
    return sine_of_angle_f64(angle, sine_sign_f64(x, quarter));
}

/* sin(x + quarter pi/2) */
INLINE vf64 turned_sine_f64(vf64 x, int quarter) {
    angle_f64 angle = near_angle_f64(x);
    angle.quarter += quarter;
    return sine_of_angle_f64(angle, sine_sign_f64(x, quarter));
}

/* Worst errors 0.77 ULP. */
INLINE vf64 sin_value_f64(vf64 x) { return turned_sine_f64(x, 0); }
INLINE vf64 cos_value_f64(vf64 x) { return turned_sine_f64(x, 1); }
INLINE vf64 sin_any_f64(vf64 x) { return any_sine_f64(x, 0); }
INLINE vf64 cos_any_f64(vf64 x) { return any_sine_f64(x, 1); }
INLINE mask_f64 sin_usual_f64(vf64 x) { return v_lt(v_abs(x), v_splat_f64(NEAR_ANGLE)); }
INLINE mask_f64 cos_usual_f64(vf64 x) { return sin_usual_f64(x); }

/* tan of (quarter pi/2 + r + r_low), with the sign of x: N/D, or -D/N where the quarter is odd, both in two words.
 * The slope is 1 + tan^2 either way. */
INLINE vf64 tangent_of_angle_f64(angle_f64 angle, vf64 x) {
    const vf64 one = v_splat_f64(1), r = angle.r, u = r * r;
    const vf64 t = r * u * HORNER(TAN_ABOVE_f64, u), s = u * HORNER(TAN_BELOW_f64, u);
    const vf64 above = r + t, above_low = (r - above) + t, below = one + s, below_low = (one - below) + s;
    const mask_f64 odd = v_odd(angle.quarter);
    const vf64 a = v_select(odd, -below, above), a_low = v_select(odd, -below_low, above_low);
    const vf64 b = v_select(odd, above, below), b_low = v_select(odd, above_low, below_low);
    const vf64 inverse = one / b, y = a * inverse;
    const vf64 rest = v_fma(-y, b, a) + v_mad(-y, b_low, a_low);
    const vf64 whole = y + v_mad(rest, inverse, v_mad(y, y, one) * angle.r_low);
    return v_real(v_bits(whole) ^ (v_bits(x) & INT64_MIN));
}

/* Worst errors 1.1 ULP. */
INLINE vf64 tan_value_f64(vf64 x) { return tangent_of_angle_f64(near_angle_f64(x), x); }
INLINE vf64 tan_any_f64(vf64 x) { return tangent_of_angle_f64(any_angle_f64(x), x); }
INLINE mask_f64 tan_usual_f64(vf64 x) { return sin_usual_f64(x); }
