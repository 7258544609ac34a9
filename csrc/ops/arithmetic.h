/* Arithmetic, one rounding each: NAME_value(x), x the operands.  At the foot stand its rows:
 *
 *   VEKT_ARITHMETIC(ROW)  ROW(name, number of operands, picoseconds per element) */

INLINE VEC FN(add_value)(const VEC *x) { return x[0] + x[1]; }
INLINE VEC FN(subtract_value)(const VEC *x) { return x[0] - x[1]; }
INLINE VEC FN(multiply_value)(const VEC *x) { return x[0] * x[1]; }
INLINE VEC FN(divide_value)(const VEC *x) { return x[0] / x[1]; }
INLINE VEC FN(multiply_add_value)(const VEC *x) { return v_fma(x[0], x[1], x[2]); }
INLINE VEC FN(square_value)(const VEC *x) { return x[0] * x[0]; }
INLINE VEC FN(reciprocal_value)(const VEC *x) { return K(1) / x[0]; }
INLINE VEC FN(sqrt_value)(const VEC *x) { return v_sqrt(x[0]); }
INLINE VEC FN(absolute_value)(const VEC *x) { return v_abs(x[0]); }
INLINE VEC FN(negative_value)(const VEC *x) { return v_real(v_bits(x[0]) ^ v_bits(K(-0.0))); }

/* NaN where either is; v_max and v_min give the second operand then. */
INLINE VEC FN(maximum_value)(const VEC *x) { return v_select(v_eq(x[0], x[0]), v_max(x[0], x[1]), x[0]); }
INLINE VEC FN(minimum_value)(const VEC *x) { return v_select(v_eq(x[0], x[0]), v_min(x[0], x[1]), x[0]); }

/* x, low, high: the upper limit has the last word. */
INLINE VEC FN(clip_value)(const VEC *x) {
    const VEC raised[2] = {FN(maximum_value)(x), x[2]};
    return FN(minimum_value)(raised);
}

/* ---- rows */

#define VEKT_ARITHMETIC(ROW) \
    ROW(add, 2, 40)          \
    ROW(subtract, 2, 40)     \
    ROW(multiply, 2, 40)     \
    ROW(divide, 2, 60)       \
    ROW(maximum, 2, 40)      \
    ROW(minimum, 2, 40)      \
    ROW(multiply_add, 3, 50) \
    ROW(clip, 3, 50)         \
    ROW(square, 1, 30)       \
    ROW(reciprocal, 1, 60)   \
    ROW(sqrt, 1, 90)         \
    ROW(absolute, 1, 30)     \
    ROW(negative, 1, 30)     \
    ROW(arctan, 1, 280)      \
    ROW(logaddexp, 2, 1100)

/* Of one operand; logarithm.h, sine_f32.h and sine_f64.h. */
#define VEKT_GUARDED(ROW) \
    ROW(log, 280)         \
    ROW(sin, 290)         \
    ROW(cos, 290)         \
    ROW(tan, 290)

/* Of one operand, too, and one body for all of them; exponentials.h, logarithms.h, error_function.h. */
#define VEKT_FUNCTIONS(ROW) \
    VEKT_EXPONENTIALS(ROW)  \
    VEKT_LOGARITHMS(ROW)    \
    VEKT_ERROR_FUNCTIONS(ROW)

/* Of numbers that are out of the way: power.h, roots.h, arctan.h. */
#define VEKT_QUICK(ROW) \
    VEKT_POWERS(ROW)    \
    VEKT_ROOTS(ROW)     \
    VEKT_ANGLES(ROW)
