/* What norms and cosines are made of: sums, greatest and least of absolute values, squares and products.
 *
 * All of it in double, whatever the operands: squares of floats neither overflow nor underflow there, and a float's
 * norm has one rounding to speak of.  NORM_WIDTH virtual lanes, whatever the register: lane l takes the elements
 * whose index is l modulo NORM_WIDTH, and lanes are merged in halves.  So every target with fma gives the same bits.
 */

#define NORM_WIDTH 32 /* four 64-byte accumulators; eight gained nothing, and prefetching lost up to a quarter */
#define NORM_CHAIN \
    16 /* additions, before their sum is added: equal elements make equal errors, 4 ULP in chains of 128 */
#define NORM_VECTORS (NORM_WIDTH / LANES_F64)

/* A result so far with one more x (and y), or with another result; and two results, for numbers. */
typedef vf64 (*FN(norm_step))(vf64 result, vf64 x, vf64 y);
typedef double (*FN(norm_merge))(double a, double b);

INLINE vf64 FN(add_absolute)(vf64 sum, vf64 x, vf64 y) { return (void)y, sum + v_abs(x); }
INLINE vf64 FN(add_square)(vf64 sum, vf64 x, vf64 y) { return (void)y, v_mad(x, x, sum); }
INLINE vf64 FN(add_product)(vf64 sum, vf64 x, vf64 y) { return v_mad(x, y, sum); }
INLINE vf64 FN(add_nonzero)(vf64 sum, vf64 x, vf64 y) {
    const vf64 zero = v_splat_f64(0);
    return (void)y, sum + v_select(v_eq(x, zero), zero, v_splat_f64(1));
}
/* v_max gives its second operand where either is NaN; so a NaN of x stays, and an earlier one by the selection. */
INLINE vf64 FN(take_greater)(vf64 result, vf64 x, vf64 y) {
    return (void)y, v_select(v_eq(result, result), v_max(result, v_abs(x)), result);
}
INLINE vf64 FN(take_less)(vf64 result, vf64 x, vf64 y) {
    return (void)y, v_select(v_eq(result, result), v_min(result, v_abs(x)), result);
}

INLINE vf64 FN(add)(vf64 a, vf64 b, vf64 y) { return (void)y, a + b; }
INLINE double FN(merge_sums)(double a, double b) { return a + b; }
INLINE double FN(merge_greatest)(double a, double b) { return a > b || a != a ? a : b; }
INLINE double FN(merge_least)(double a, double b) { return a < b || a != a ? a : b; }

/* neutral stands for absent elements: 0, or infinity. */
INLINE double FN(reduce_block)(FN(norm_step) step, FN(norm_step) join, FN(norm_merge) merge, double neutral,
                               const void *px, const void *py, ptrdiff_t n) {
    const REAL *x = px, *y = py;
    vf64 total[NORM_VECTORS], result[NORM_VECTORS];
    for (int j = 0; j < NORM_VECTORS; j++) total[j] = v_splat_f64(neutral);
    while (n >= NORM_WIDTH) {
        for (int j = 0; j < NORM_VECTORS; j++) result[j] = v_splat_f64(neutral);
        for (int i = 0; i < NORM_CHAIN && n >= NORM_WIDTH; i++, n -= NORM_WIDTH, x += NORM_WIDTH, y += NORM_WIDTH)
#pragma GCC unroll 16
            for (int j = 0; j < NORM_VECTORS; j++)
                result[j] = step(result[j], FN(v_load_wide)(x + j * LANES_F64), FN(v_load_wide)(y + j * LANES_F64));
        for (int j = 0; j < NORM_VECTORS; j++) total[j] = join(total[j], result[j], result[j]);
    }
    const REAL end[2 * LANES] = {[LANES... 2 * LANES - 1] = (REAL)neutral};
#pragma GCC unroll 16
    for (int j = 0; j < NORM_WIDTH / LANES; j++) {
        const ptrdiff_t left = n - j * LANES < LANES ? n - j * LANES : LANES;
        if (left <= 0) break;
        vf64 wide_x[LANES / LANES_F64], wide_y[LANES / LANES_F64];
        v_widen(FN(v_load_first)(x + j * LANES, left) + FN(v_load)(end + LANES - left), wide_x);
        v_widen(FN(v_load_first)(y + j * LANES, left), wide_y);
        for (int i = 0; i < LANES / LANES_F64; i++) {
            vf64 *const r = &total[j * (LANES / LANES_F64) + i];
            *r = step(*r, wide_x[i], wide_y[i]);
        }
    }
    for (int half = NORM_VECTORS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) total[j] = join(total[j], total[j + half], total[j]);
    double lane[LANES_F64];
    v_store_f64(lane, total[0]);
    for (int half = LANES_F64 / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] = merge(lane[j], lane[j + half]);
    return lane[0];
}

/* Takes rows, which lie x_step and y_step bytes apart, together and then into the results of n columns: many short
 * chains of additions have smaller errors than a long one. */
INLINE void FN(reduce_columns)(FN(norm_step) step, FN(norm_step) join, double neutral, const void *px,
                               ptrdiff_t x_step, const void *py, ptrdiff_t y_step, ptrdiff_t rows, double *results,
                               ptrdiff_t n) {
    const char *x = px, *y = py;
    for (; n >= LANES_F64; n -= LANES_F64, results += LANES_F64) {
        vf64 result = v_splat_f64(neutral);
        for (ptrdiff_t i = 0; i < rows; i++)
            result = step(result, FN(v_load_wide)((const REAL *)(x + i * x_step)),
                          FN(v_load_wide)((const REAL *)(y + i * y_step)));
        v_store_f64(results, join(v_load_f64(results), result, result));
        x += LANES_F64 * sizeof(REAL), y += LANES_F64 * sizeof(REAL);
    }
    if (n == 0) return;
    vf64 result = v_splat_f64(neutral);
    for (ptrdiff_t i = 0; i < rows; i++) {
        vf64 wide_x[LANES / LANES_F64], wide_y[LANES / LANES_F64];
        v_widen(FN(v_load_first)((const REAL *)(x + i * x_step), n), wide_x);
        v_widen(FN(v_load_first)((const REAL *)(y + i * y_step), n), wide_y);
        result = step(result, wide_x[0], wide_y[0]);
    }
    v_store_first_f64(results, join(v_load_first_f64(results, n), result, result), n);
}

#define NORM(name, step, join, merge, neutral)                                                                       \
    static double FN(name##_block)(const void *x, const void *y, ptrdiff_t n) {                                      \
        return FN(reduce_block)(FN(step), FN(join), FN(merge), neutral, x, y, n);                                    \
    }                                                                                                                \
    static void FN(name##_columns)(const void *x, ptrdiff_t x_step, const void *y, ptrdiff_t y_step, ptrdiff_t rows, \
                                   double *results, ptrdiff_t n) {                                                   \
        FN(reduce_columns)(FN(step), FN(join), neutral, x, x_step, y, y_step, rows, results, n);                     \
    }

NORM(sum_absolute, add_absolute, add, merge_sums, 0)
NORM(sum_squares, add_square, add, merge_sums, 0)
NORM(sum_products, add_product, add, merge_sums, 0)
NORM(count_nonzero, add_nonzero, add, merge_sums, 0)
NORM(max_absolute, take_greater, take_greater, merge_greatest, 0)
NORM(min_absolute, take_less, take_less, merge_least, INFINITY)

/* Roots of sums of squares, rounded.  Returns 0 where squares of doubles may have left the range. */
static int FN(square_roots)(void *out, const double *squares, ptrdiff_t n) {
    REAL *y = out;
    int unsafe = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        unsafe |= !(squares[i] >= 1 / VEKT_SAFE_SQUARES) | !(squares[i] <= VEKT_SAFE_SQUARES);
        y[i] = (REAL)__builtin_sqrt(squares[i]);
    }
    return sizeof(REAL) == 4 || !unsafe;
}

#undef NORM
#undef NORM_WIDTH
#undef NORM_CHAIN
#undef NORM_VECTORS
