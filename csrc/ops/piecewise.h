/* Piecewise linear and quadratic functions: bound by memory. */

/* ---- relu, leaky_relu ------------------------------------------------------------------------------------- */

/* slope * x, and 0 where the slope is 0, at -inf too */
INLINE VEC FN(sloped)(VEC slope, VEC x) { return v_select(v_eq(slope, K(0)), K(0), slope * x); }
INLINE VEC FN(keep_nan)(VEC y, VEC x) { return v_select(v_eq(x, x), y, x); }

INLINE VEC FN(relu_value)(VEC x, const VEC *p) {
    (void)p;
    return v_max(K(0), x);
}

INLINE VEC FN(relu_grad)(VEC x, const VEC *p) {
    (void)p;
    return FN(keep_nan)(v_select(v_lt(K(0), x), K(1), K(0)), x);
}

/* p: negative_slope, max_value, threshold */
INLINE VEC FN(relu_general_value)(VEC x, const VEC *p) {
    VEC y = v_select(v_lt(x, p[2]), FN(sloped)(p[0], x - p[2]), x);
    return v_select(v_le(p[1], x), p[1], y);
}

INLINE VEC FN(relu_general_grad)(VEC x, const VEC *p) {
    VEC g = v_select(v_lt(p[2], x), K(1), p[0]);
    /* the slope at +inf stays 1 where there is no maximum, that is, where max_value is +inf */
    return FN(keep_nan)(v_select(v_le(p[1], v_min(K(LARGEST), x)), K(0), g), x);
}

/* p: negative_slope */
INLINE VEC FN(leaky_relu_value)(VEC x, const VEC *p) { return v_select(v_lt(x, K(0)), FN(sloped)(p[0], x), x); }

INLINE VEC FN(leaky_relu_grad)(VEC x, const VEC *p) { return FN(keep_nan)(v_select(v_lt(K(0), x), K(1), p[0]), x); }

/* ---- rows */

#define VEKT_PIECEWISE_ACTIVATIONS(ROW) \
    ROW(relu, 0, 30, 40)                \
    ROW(relu_general, 3, 60, 70)        \
    ROW(leaky_relu, 1, 40, 50)

#define VEKT_PIECEWISE_FROM_OUTPUT(ROW)
