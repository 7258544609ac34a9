/* What reductions and norms are made of: sums, greatest and least of numbers, absolute values, squares and products.
 *
 * Sums are formed in double, whatever the operands: squares of floats neither overflow nor underflow there, and a
 * float's sum has one rounding to speak of.  WIDTH virtual lanes, whatever the register: lane l takes the elements
 * whose index is l modulo WIDTH, and lanes are merged in halves.  So every target with fma gives the same bits.
 */

#define WIDTH 32 /* four 64-byte accumulators; eight gained nothing, and prefetching lost up to a quarter */
/* Additions in a chain, before their sum is added to one of the next level, and so on: equal elements make equal
 * errors.  A call for each 2048 elements would be simpler, but took twice the time where memory is the limit. */
#define CHAIN 16
#define CHAINS 8
#define VECTORS (WIDTH / LANES_F64)

/* A result so far with one more x (and y), or with another result; and two results, for numbers. */
typedef vf64 (*FN(reduce_step))(vf64 result, vf64 x, vf64 y);
typedef double (*FN(reduce_merge))(double a, double b);

INLINE vf64 FN(add_number)(vf64 sum, vf64 x, vf64 y) { return (void)y, sum + x; }
INLINE vf64 FN(add_absolute)(vf64 sum, vf64 x, vf64 y) { return (void)y, sum + v_abs(x); }
INLINE vf64 FN(add_square)(vf64 sum, vf64 x, vf64 y) { return (void)y, v_mad(x, x, sum); }
INLINE vf64 FN(add_if_number)(vf64 sum, vf64 x, vf64 y) {
    return (void)y, sum + v_select(v_eq(x, x), x, v_splat_f64(0));
}
/* Products that are too large or too small on the way are NaN: they are to be formed with more care. */
INLINE vf64 FN(multiply)(vf64 product, vf64 x, vf64 y) {
    const vf64 result = product * x, size = v_abs(result), none = v_splat_f64(NAN);
    const vf64 large = v_select(v_le(size, v_splat_f64(VEKT_SAFE_PRODUCTS)), result, none);
    return (void)y, v_select(v_le(v_splat_f64(1 / VEKT_SAFE_PRODUCTS), size), large, none);
}
INLINE vf64 FN(add_product)(vf64 sum, vf64 x, vf64 y) { return v_mad(x, y, sum); }
/* v_max gives its second operand where either is NaN; so a NaN of x stays, and an earlier one by the selection. */
INLINE vf64 FN(take_greater)(vf64 result, vf64 x, vf64 y) {
    return (void)y, v_select(v_eq(result, result), v_max(result, v_abs(x)), result);
}
INLINE vf64 FN(take_less)(vf64 result, vf64 x, vf64 y) {
    return (void)y, v_select(v_eq(result, result), v_min(result, v_abs(x)), result);
}

INLINE vf64 FN(add)(vf64 a, vf64 b, vf64 y) { return (void)y, a + b; }
INLINE double FN(merge_products)(double a, double b) {
    const double size = __builtin_fabs(a * b);
    return size <= VEKT_SAFE_PRODUCTS && size >= 1 / VEKT_SAFE_PRODUCTS ? a * b : (double)NAN;
}
INLINE double FN(merge_sums)(double a, double b) { return a + b; }
INLINE double FN(merge_greatest)(double a, double b) { return a > b || a != a ? a : b; }
INLINE double FN(merge_least)(double a, double b) { return a < b || a != a ? a : b; }

/* neutral stands for absent elements: 0, or infinity. */
INLINE double FN(reduce_block)(FN(reduce_step) step, FN(reduce_step) join, FN(reduce_merge) merge, double neutral,
                               const void *px, const void *py, ptrdiff_t n) {
    const REAL *x = px, *y = py;
    vf64 total[VECTORS], middle[VECTORS], result[VECTORS];
    for (int j = 0; j < VECTORS; j++) total[j] = v_splat_f64(neutral);
    while (n >= WIDTH) {
        for (int j = 0; j < VECTORS; j++) middle[j] = v_splat_f64(neutral);
        for (int k = 0; k < CHAINS && n >= WIDTH; k++) {
            for (int j = 0; j < VECTORS; j++) result[j] = v_splat_f64(neutral);
            for (int i = 0; i < CHAIN && n >= WIDTH; i++, n -= WIDTH, x += WIDTH, y += WIDTH)
#pragma GCC unroll 16
                for (int j = 0; j < VECTORS; j++)
                    result[j] =
                        step(result[j], FN(v_load_wide)(x + j * LANES_F64), FN(v_load_wide)(y + j * LANES_F64));
            for (int j = 0; j < VECTORS; j++) middle[j] = join(middle[j], result[j], result[j]);
        }
        for (int j = 0; j < VECTORS; j++) total[j] = join(total[j], middle[j], middle[j]);
    }
    const REAL end[2 * LANES] = {[LANES... 2 * LANES - 1] = (REAL)neutral};
#pragma GCC unroll 16
    for (int j = 0; j < WIDTH / LANES; j++) {
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
    for (int half = VECTORS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) total[j] = join(total[j], total[j + half], total[j]);
    double lane[LANES_F64];
    v_store_f64(lane, total[0]);
    for (int half = LANES_F64 / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] = merge(lane[j], lane[j + half]);
    return lane[0];
}

/* Takes rows, which lie x_step and y_step bytes apart, together and then into the results of n columns, four chains
 * at a time: many short ones have smaller errors than a long one. */
INLINE void FN(reduce_columns)(FN(reduce_step) step, FN(reduce_step) join, double neutral, const void *px,
                               ptrdiff_t x_step, const void *py, ptrdiff_t y_step, ptrdiff_t rows,
                               vekt_number *numbers, ptrdiff_t n) {
    const char *x = px, *y = py;
    double *results = &numbers->real;
    for (; n > 0; n -= LANES_F64, results += LANES_F64) {
        vf64 chain[4];
        for (int j = 0; j < 4; j++) chain[j] = v_splat_f64(neutral);
        if (n < LANES_F64) {
            for (ptrdiff_t i = 0; i < rows; i++) {
                vf64 wide_x[LANES / LANES_F64], wide_y[LANES / LANES_F64];
                v_widen(FN(v_load_first)((const REAL *)(x + i * x_step), n), wide_x);
                v_widen(FN(v_load_first)((const REAL *)(y + i * y_step), n), wide_y);
                chain[i % 4] = step(chain[i % 4], wide_x[0], wide_y[0]);
            }
        } else {
            ptrdiff_t i = 0;
            for (; i + 4 <= rows; i += 4)
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++)
                    chain[j] = step(chain[j], FN(v_load_wide)((const REAL *)(x + (i + j) * x_step)),
                                    FN(v_load_wide)((const REAL *)(y + (i + j) * y_step)));
            for (int j = 0; i < rows; i++, j++)
                chain[j] = step(chain[j], FN(v_load_wide)((const REAL *)(x + i * x_step)),
                                FN(v_load_wide)((const REAL *)(y + i * y_step)));
        }
        chain[0] = join(chain[0], chain[2], chain[0]);
        chain[1] = join(chain[1], chain[3], chain[1]);
        chain[0] = join(chain[0], chain[1], chain[0]);
        if (n < LANES_F64)
            v_store_first_f64(results, join(v_load_first_f64(results, n), chain[0], chain[0]), n);
        else
            v_store_f64(results, join(v_load_f64(results), chain[0], chain[0]));
        x += LANES_F64 * sizeof(REAL), y += LANES_F64 * sizeof(REAL);
    }
}

#define TERM(name, step, join, merge, neutral)                                                                       \
    static vekt_number FN(name##_block)(const void *x, const void *y, ptrdiff_t n) {                                 \
        return (vekt_number){.real = FN(reduce_block)(FN(step), FN(join), FN(merge), neutral, x, y, n)};             \
    }                                                                                                                \
    static void FN(name##_columns)(const void *x, ptrdiff_t x_step, const void *y, ptrdiff_t y_step, ptrdiff_t rows, \
                                   vekt_number *results, ptrdiff_t n) {                                              \
        FN(reduce_columns)(FN(step), FN(join), neutral, x, x_step, y, y_step, rows, results, n);                     \
    }

TERM(sum, add_number, add, merge_sums, 0)
TERM(sum_absolute, add_absolute, add, merge_sums, 0)
TERM(sum_squares, add_square, add, merge_sums, 0)
TERM(sum_products, add_product, add, merge_sums, 0)
TERM(sum_numbers, add_if_number, add, merge_sums, 0)
TERM(product, multiply, multiply, merge_products, 1)
TERM(max_absolute, take_greater, take_greater, merge_greatest, 0)
TERM(min_absolute, take_less, take_less, merge_least, INFINITY)

/* Counts in the operands' own dtype, which holds those of a block. */
INLINE VEC FN(one_more)(VEC count, VEC x) { return count + v_select(v_eq(x, K(0)), K(0), K(1)); }

static vekt_number FN(count_nonzero_block)(const void *px, const void *y, ptrdiff_t n) {
    const REAL *x = px;
    VEC count[4] = {K(0), K(0), K(0), K(0)};
    (void)y;
    for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * LANES)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) count[j] = FN(one_more)(count[j], FN(v_load)(x + j * LANES));
    for (; n > 0; n -= LANES, x += LANES)
        count[0] = FN(one_more)(count[0], n < LANES ? FN(v_load_first)(x, n) : FN(v_load)(x));
    REAL lane[LANES];
    FN(v_store)(lane, (count[0] + count[1]) + (count[2] + count[3]));
    vekt_number sum = {.real = 0};
    for (int j = 0; j < LANES; j++) sum.real += (double)lane[j];
    return sum;
}

static void FN(count_nonzero_columns)(const void *px, ptrdiff_t step, const void *y, ptrdiff_t y_step, ptrdiff_t rows,
                                      vekt_number *results, ptrdiff_t n) {
    const char *x = px;
    (void)y, (void)y_step;
    for (; n > 0; n -= LANES, results += LANES, x += LANES * sizeof(REAL)) {
        VEC count = K(0);
        for (ptrdiff_t i = 0; i < rows; i++) {
            const REAL *p = (const REAL *)(x + i * step);
            count = FN(one_more)(count, n < LANES ? FN(v_load_first)(p, n) : FN(v_load)(p));
        }
        REAL lane[LANES];
        FN(v_store)(lane, count);
        for (ptrdiff_t j = 0; j < (n < LANES ? n : LANES); j++) results[j].real += (double)lane[j];
    }
}

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

#undef TERM
#undef WIDTH
#undef CHAIN
#undef CHAINS
#undef VECTORS
