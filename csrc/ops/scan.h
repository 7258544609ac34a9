/* Running sums and products, in double whatever the operands, rounded once for each element.
 *
 * Eight elements are joined in a tree: pairs, fours from the second of the first pair on, and so on (J. Sklansky,
 * Conditional-sum addition logic, 1960).  What came before is joined to each of them.  That order is one for rows and
 * columns and every vector, so that neither the layout nor the instruction set changes a bit.  Where a product of
 * those eight comes near the ends of the range, they are multiplied one by one.
 */

/* How two are joined, and what stands for none: x + -0.0 is x, whatever its sign. */
typedef vf64 (*FN(scan_join))(vf64 a, vf64 b);
INLINE vf64 FN(scan_add)(vf64 a, vf64 b) { return a + b; }
INLINE vf64 FN(scan_multiply)(vf64 a, vf64 b) { return a * b; }

enum { FN(SCAN_BLOCK) = 8, FN(SCAN_PARTS) = 8 / LANES_F64 };

#if VEKT_VECTOR_BYTES == 64
#define SHIFT_PAIRS(x, none) __builtin_shufflevector(x, none, 8, 0, 8, 2, 8, 4, 8, 6)
#define SHIFT_FOURS(x, none) __builtin_shufflevector(x, none, 8, 8, 1, 1, 8, 8, 5, 5)
#define SHIFT_EIGHT(x, none) __builtin_shufflevector(x, none, 8, 8, 8, 8, 3, 3, 3, 3)
#define LAST_OF(x) __builtin_shufflevector(x, x, 7, 7, 7, 7, 7, 7, 7, 7)
#elif VEKT_VECTOR_BYTES == 32
#define SHIFT_PAIRS(x, none) __builtin_shufflevector(x, none, 4, 0, 4, 2)
#define SHIFT_FOURS(x, none) __builtin_shufflevector(x, none, 4, 4, 1, 1)
#define LAST_OF(x) __builtin_shufflevector(x, x, 3, 3, 3, 3)
#else
#define SHIFT_PAIRS(x, none) __builtin_shufflevector(x, none, 2, 0)
#define LAST_OF(x) __builtin_shufflevector(x, x, 1, 1)
#endif

/* Eight next to each other. */
INLINE void FN(scan_eight)(FN(scan_join) join, vf64 none, vf64 p[FN(SCAN_PARTS)]) {
    for (int k = 0; k < FN(SCAN_PARTS); k++) p[k] = join(SHIFT_PAIRS(p[k], none), p[k]);
#if VEKT_VECTOR_BYTES == 64
    p[0] = join(SHIFT_FOURS(p[0], none), p[0]);
    p[0] = join(SHIFT_EIGHT(p[0], none), p[0]);
#elif VEKT_VECTOR_BYTES == 32
    for (int k = 0; k < 2; k++) p[k] = join(SHIFT_FOURS(p[k], none), p[k]);
    p[1] = join(LAST_OF(p[0]), p[1]);
#else
    p[1] = join(LAST_OF(p[0]), p[1]);
    p[3] = join(LAST_OF(p[2]), p[3]);
    p[2] = join(LAST_OF(p[1]), p[2]);
    p[3] = join(LAST_OF(p[1]), p[3]);
#endif
}

INLINE mask_f64 FN(is_safe_product)(vf64 p) {
    const vf64 size = v_abs(p), most = v_splat_f64(0x1p500), least = v_splat_f64(0x1p-500);
    return v_le(v_select(v_le(least, size), size, v_splat_f64(INFINITY)), most);
}

/* Of n <= 8 elements in x, with `carry` before them; returns what comes after. */
INLINE double FN(scan_few)(FN(scan_join) join, double neutral, int products, double *x, ptrdiff_t n, double carry) {
    vf64 p[FN(SCAN_PARTS)], before = v_splat_f64(carry);
    int safe = 1;
    for (int k = 0; k < FN(SCAN_PARTS); k++) p[k] = v_load_f64(x + k * LANES_F64);
    FN(scan_eight)(join, v_splat_f64(neutral), p);
    for (int k = 0; k < FN(SCAN_PARTS) && products; k++) safe &= v_all(FN(is_safe_product)(p[k]));
    if (safe)
        for (int k = 0; k < FN(SCAN_PARTS); k++) v_store_f64(x + k * LANES_F64, join(before, p[k]));
    else
        for (ptrdiff_t i = 0; i < n; i++) x[i] = i ? x[i - 1] * x[i] : carry * x[i];
    return x[n - 1];
}

INLINE void FN(scan_row)(FN(scan_join) join, double neutral, int products, const void *px, void *py, double *known,
                         ptrdiff_t n) {
    enum { WIDTH = 2 * FN(SCAN_BLOCK) }; /* a vector of floats is two of doubles */
    const REAL *x = px;
    REAL *y = py;
    const vf64 none = v_splat_f64(neutral);
    vf64 before = v_splat_f64(*known);
    for (; n >= WIDTH; n -= WIDTH, x += WIDTH, y += WIDTH) {
        vf64 p[2][FN(SCAN_PARTS)];
        int safe = 1;
        for (int b = 0; b < 2; b++) {
            for (int k = 0; k < FN(SCAN_PARTS); k++)
                p[b][k] = FN(v_load_wide)(x + b * FN(SCAN_BLOCK) + k * LANES_F64);
            FN(scan_eight)(join, none, p[b]);
            for (int k = 0; k < FN(SCAN_PARTS) && products; k++) safe &= v_all(FN(is_safe_product)(p[b][k]));
        }
        double few[WIDTH];
        if (safe) {
            for (int b = 0; b < 2; b++) {
                const vf64 all = LAST_OF(p[b][FN(SCAN_PARTS) - 1]);
                for (int k = 0; k < FN(SCAN_PARTS); k++) p[b][k] = join(before, p[b][k]);
                before = join(before, all);
            }
        } else {
            double carry[LANES_F64];
            v_store_f64(carry, before);
            for (int i = 0; i < WIDTH; i++) few[i] = (double)x[i];
            carry[0] = FN(scan_few)(join, neutral, products, few, FN(SCAN_BLOCK), carry[0]);
            carry[0] = FN(scan_few)(join, neutral, products, few + FN(SCAN_BLOCK), FN(SCAN_BLOCK), carry[0]);
            before = v_splat_f64(carry[0]);
            for (int b = 0; b < 2; b++)
                for (int k = 0; k < FN(SCAN_PARTS); k++)
                    p[b][k] = v_load_f64(few + b * FN(SCAN_BLOCK) + k * LANES_F64);
        }
        const vf64 *q = &p[0][0];
        for (int k = 0; k < WIDTH / LANES; k++)
            FN(v_store)(y + k * LANES, FN(v_shorten)(q + k * (LANES / LANES_F64)));
    }
    double carry[LANES_F64];
    v_store_f64(carry, before);
    for (ptrdiff_t m; n > 0; n -= m, x += m, y += m) {
        double few[FN(SCAN_BLOCK)];
        m = n < FN(SCAN_BLOCK) ? n : FN(SCAN_BLOCK);
        for (int i = 0; i < FN(SCAN_BLOCK); i++) few[i] = i < m ? (double)x[i] : neutral;
        carry[0] = FN(scan_few)(join, neutral, products, few, m, carry[0]);
        for (ptrdiff_t i = 0; i < m; i++) y[i] = (REAL)few[i];
    }
    *known = carry[0];
}

/* A vector of columns, of which `rows` <= 8 lie x_step and y_step bytes apart. */
INLINE void FN(scan_column)(FN(scan_join) join, int products, vf64 p[FN(SCAN_BLOCK)], ptrdiff_t rows, vf64 *before) {
    vf64 one_by_one[FN(SCAN_BLOCK)];
    int safe = 1;
    if (products)
        for (int i = 0; i < rows; i++) one_by_one[i] = join(i ? one_by_one[i - 1] : *before, p[i]);
    for (int i = 1; i < rows; i += 2) p[i] = join(p[i - 1], p[i]);
    for (int i = 2; i < rows; i += 4) {
        p[i] = join(p[i - 1], p[i]);
        if (i + 1 < rows) p[i + 1] = join(p[i - 1], p[i + 1]);
    }
    for (int i = 4; i < rows; i++) p[i] = join(p[3], p[i]);
    for (int i = 0; i < rows && products; i++) safe &= v_all(FN(is_safe_product)(p[i]));
    if (safe) {
        for (int i = 0; i < rows; i++) p[i] = join(*before, p[i]);
    } else {
        vf64 good = v_splat_f64(1); /* where all of them are safe */
        for (int i = 0; i < rows; i++) good = v_select(FN(is_safe_product)(p[i]), good, v_splat_f64(0));
        for (int i = 0; i < rows; i++)
            p[i] = v_select(v_eq(good, v_splat_f64(1)), join(*before, p[i]), one_by_one[i]);
    }
    *before = p[rows - 1];
}

INLINE void FN(scan_columns)(FN(scan_join) join, int products, const char *x, ptrdiff_t x_step, char *y,
                             ptrdiff_t y_step, ptrdiff_t rows, double *carry, ptrdiff_t n) {
    enum { HALVES = LANES / LANES_F64 };
    for (; n > 0; n -= LANES, carry += LANES, x += LANES * sizeof(REAL), y += LANES * sizeof(REAL)) {
        vf64 p[HALVES][FN(SCAN_BLOCK)], before[HALVES];
        double some[LANES];
        const double *from = carry;
        if (n < LANES) {
            memset(some, 0, sizeof some);
            memcpy(some, carry, (size_t)n * sizeof *some);
            from = some;
        }
        for (int i = 0; i < rows; i++) {
            vf64 wide[HALVES];
            const REAL *row = (const REAL *)(x + i * x_step);
            v_widen(n < LANES ? FN(v_load_first)(row, n) : FN(v_load)(row), wide);
            for (int h = 0; h < HALVES; h++) p[h][i] = wide[h];
        }
        for (ptrdiff_t i = rows; i < FN(SCAN_BLOCK); i++) /* which nobody reads, but gcc does not see that */
            for (int h = 0; h < HALVES; h++) p[h][i] = v_splat_f64(0);
        for (int h = 0; h < HALVES; h++) {
            before[h] = v_load_f64(from + h * LANES_F64);
            FN(scan_column)(join, products, p[h], rows, &before[h]);
        }
        for (int i = 0; i < rows; i++) {
            vf64 wide[HALVES];
            REAL *row = (REAL *)(y + i * y_step);
            for (int h = 0; h < HALVES; h++) wide[h] = p[h][i];
            if (n < LANES)
                FN(v_store_first)(row, FN(v_shorten)(wide), n);
            else
                FN(v_store)(row, FN(v_shorten)(wide));
        }
        for (int h = 0; h < HALVES; h++)
            v_store_f64(n < LANES ? some + h * LANES_F64 : carry + h * LANES_F64, before[h]);
        if (n < LANES) memcpy(carry, some, (size_t)n * sizeof *some);
    }
}

#define SCAN(name, join, neutral, products)                                                                    \
    static void FN(name##_row)(const void *x, void *y, vekt_number *carry, ptrdiff_t n) {                      \
        FN(scan_row)(FN(join), neutral, products, x, y, &carry->real, n);                                      \
    }                                                                                                          \
    static void FN(name##_columns)(const void *x, ptrdiff_t x_step, void *y, ptrdiff_t y_step, ptrdiff_t rows, \
                                   vekt_number *carry, ptrdiff_t n) {                                          \
        if (rows == FN(SCAN_BLOCK))                                                                            \
            FN(scan_columns)(FN(join), products, x, x_step, y, y_step, FN(SCAN_BLOCK), &carry->real, n);       \
        else                                                                                                   \
            FN(scan_columns)(FN(join), products, x, x_step, y, y_step, rows, &carry->real, n);                 \
    }

SCAN(cumsum, scan_add, -0.0, 0)
SCAN(cumprod, scan_multiply, 1, 1)

#undef SCAN
#undef SHIFT_PAIRS
#undef SHIFT_FOURS
#undef SHIFT_EIGHT
#undef LAST_OF
