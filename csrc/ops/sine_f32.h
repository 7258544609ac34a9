/* sin, cos and tan of floats, in double: sin(x) = (-1)^n sin(r), r = x - n pi, |r| <= pi/2; of cos(x) the n are
 * halves of odd numbers. */

typedef struct {
    vf64 r;
    vi64 n; /* its last bit counts */
} angle_f32;

INLINE angle_f32 near_angle_f32(vf64 x, int quarter) {
    const vf64 rounder = v_splat_f64(ROUNDER_f64), half = v_splat_f64(0.5), turns = v_splat_f64(0x1.45f306dc9c883p-2);
    const vf64 shifted = quarter ? v_mad(x, turns, half) + rounder : v_mad(x, turns, rounder);
    const vf64 n = quarter ? (shifted - rounder) - half : shifted - rounder;
    const vf64 r = v_mad(n, v_splat_f64(-PI_f64[1]), v_fma(n, v_splat_f64(-PI_f64[0]), x));
    return (angle_f32){r, v_bits(shifted)};
}

INLINE vf64 sine_of_angle_f32(angle_f32 angle) {
    const vf64 u = angle.r * angle.r;
    const vf64 p = horner_f64(SIN_SHORT_f64, (int)(sizeof SIN_SHORT_f64 / sizeof *SIN_SHORT_f64), u);
    const vf64 y = angle.r * v_mad(p, u, v_splat_f64(1)); /* keeps -0 */
    return v_real(v_bits(y) ^ angle.n << 63);
}

/* x, or what stands for it where it is not near: the same sine, or cosine */
INLINE angle_f32 any_angle_f32(vf64 x, int quarter) {
    angle_f32 angle = near_angle_f32(x, quarter);
    for (int i = 0; i < LANES_F64; i++) {
        double words[2];
        if (!(__builtin_fabs(x[i]) >= NEAR_ANGLE && __builtin_fabs(x[i]) <= DBL_MAX)) continue;
        int turned = vekt_far_angle(x[i], words) + quarter;
        if (turned & 1) { /* at a distance from the roots: a quarter back or forth */
            turned += words[0] > 0 ? 1 : -1;
            words[0] -= words[0] > 0 ? HALF_PI_f64[0] : -HALF_PI_f64[0];
        }
        angle.r[i] = words[0];
        angle.n[i] = turned >> 1;
    }
    return angle;
}

static __attribute__((noinline)) vf64 any_sine_f32(vf64 x) { return sine_of_angle_f32(any_angle_f32(x, 0)); }
static __attribute__((noinline)) vf64 any_cosine_f32(vf64 x) { return sine_of_angle_f32(any_angle_f32(x, 1)); }

/* sin(x + quarter pi/2) */
INLINE vf32 turned_sine_f32(vf32 x, int quarter) {
    vf64 wide[2];
    v_widen(x, wide);
    return v_narrow(sine_of_angle_f32(near_angle_f32(wide[0], quarter)),
                    sine_of_angle_f32(near_angle_f32(wide[1], quarter)));
}
INLINE vf32 each_half_f32(vf64 (*f)(vf64), vf32 x) {
    vf64 wide[2];
    v_widen(x, wide);
    return v_narrow(f(wide[0]), f(wide[1]));
}

/* Worst errors 0.501 ULP. */
INLINE vf32 sin_value_f32(vf32 x) { return turned_sine_f32(x, 0); }
INLINE vf32 cos_value_f32(vf32 x) { return turned_sine_f32(x, 1); }
INLINE vf32 sin_any_f32(vf32 x) { return each_half_f32(any_sine_f32, x); }
INLINE vf32 cos_any_f32(vf32 x) { return each_half_f32(any_cosine_f32, x); }
INLINE mask_f32 sin_usual_f32(vf32 x) { return v_lt(v_abs(x), v_splat_f32((float)NEAR_ANGLE)); }
INLINE mask_f32 cos_usual_f32(vf32 x) { return sin_usual_f32(x); }

/* tan(x) from r = x - n pi/2, |r| <= pi/4: N/D, or -D/N where n is odd. */
INLINE angle_f32 near_quarter_f32(vf64 x) {
    const vf64 rounder = v_splat_f64(ROUNDER_f64);
    const vf64 shifted = v_mad(x, v_splat_f64(0x1.45f306dc9c883p-1), rounder), n = shifted - rounder;
    const vf64 r = v_mad(n, v_splat_f64(-HALF_PI_f64[1]), v_fma(n, v_splat_f64(-HALF_PI_f64[0]), x));
    return (angle_f32){r, v_bits(shifted)};
}

INLINE vf64 tangent_of_quarter_f32(angle_f32 angle) {
    const vf64 r = angle.r, u = r * r, one = v_splat_f64(1);
    const vf64 p = v_mad(u, v_splat_f64(TAN_SHORT_ABOVE_f64[1]), v_splat_f64(TAN_SHORT_ABOVE_f64[0]));
    const vf64 q = v_mad(u, v_splat_f64(TAN_SHORT_BELOW_f64[1]), v_splat_f64(TAN_SHORT_BELOW_f64[0]));
    const vf64 above = r * v_mad(u, p, one), below = v_mad(u, q, one); /* the former keeps -0 */
    const mask_f64 odd = v_odd(angle.n);
    return v_select(odd, -below, above) / v_select(odd, above, below);
}

static __attribute__((noinline)) vf64 any_tangent_f32(vf64 x) {
    angle_f32 angle = near_quarter_f32(x);
    for (int i = 0; i < LANES_F64; i++) {
        double words[2];
        if (!(__builtin_fabs(x[i]) >= NEAR_ANGLE && __builtin_fabs(x[i]) <= DBL_MAX)) continue;
        angle.n[i] = vekt_far_angle(x[i], words);
        angle.r[i] = words[0];
    }
    return tangent_of_quarter_f32(angle);
}

/* Worst errors 0.501 ULP. */
INLINE vf32 tan_value_f32(vf32 x) {
    vf64 wide[2];
    v_widen(x, wide);
    return v_narrow(tangent_of_quarter_f32(near_quarter_f32(wide[0])),
                    tangent_of_quarter_f32(near_quarter_f32(wide[1])));
}
INLINE vf32 tan_any_f32(vf32 x) { return each_half_f32(any_tangent_f32, x); }
INLINE mask_f32 tan_usual_f32(vf32 x) { return sin_usual_f32(x); }
