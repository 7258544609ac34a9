/* Means and squared deviations: see reduce/moments.h.
 *
 * Some elements at a time, while they are in the first-level cache, are summed about a number near them, `about`, and
 * so are their squares.  Doubles are read twice: about their mean, the correction for its rounding is tiny (Chan,
 * Golub, LeVeque 1983: formula 1.7).  Of floats any element will do, as numbers are formed in double: of m elements
 * the deviations lose 2 log2(m) bits at most, of 29 to spare.
 */

#define WIDTH 32
#define VECTORS (WIDTH / LANES_F64)
enum { FN(MOMENTS_STRETCH) = 2048 };

/* Deviations of elements that are numbers, 0 of others. */
INLINE vf64 FN(deviation)(int skips, vf64 x, vf64 about) {
    return skips ? v_select(v_eq(x, x), x - about, v_splat_f64(0)) : x - about;
}

INLINE vf64 FN(one_if_number)(vf64 x) { return v_select(v_eq(x, x), v_splat_f64(1), v_splat_f64(0)); }

INLINE vf64 FN(load_wide_first)(const REAL *x, ptrdiff_t n) {
    vf64 wide[LANES / LANES_F64];
    v_widen(FN(v_load_first)(x, n), wide);
    return wide[0];
}

INLINE double FN(sum_of_lanes)(vf64 *total, int vectors) {
    for (int half = vectors / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) total[j] += total[j + half];
    double lane[LANES_F64];
    v_store_f64(lane, total[0]);
    for (int half = LANES_F64 / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++) lane[j] += lane[j + half];
    return lane[0];
}

/* The numbers among doubles, and their sum. */
INLINE double FN(sum_of_numbers)(const REAL *x, ptrdiff_t n, double *count) {
    vf64 sum[VECTORS], known[VECTORS];
    for (int j = 0; j < VECTORS; j++) sum[j] = known[j] = v_splat_f64(0);
    for (ptrdiff_t i = 0; i < n; i += LANES_F64) {
        const ptrdiff_t left = n - i;
        const int j = (int)(i / LANES_F64 % VECTORS);
        const vf64 a = left < LANES_F64 ? FN(load_wide_first)(x + i, left) : FN(v_load_wide)(x + i);
        known[j] += FN(one_if_number)(a);
        sum[j] += v_select(v_eq(a, a), a, v_splat_f64(0));
    }
    *count = FN(sum_of_lanes)(known, VECTORS) - (double)((LANES_F64 - n % LANES_F64) % LANES_F64);
    return FN(sum_of_lanes)(sum, VECTORS);
}

/* A finite number near n elements, and how many of them are numbers. */
INLINE double FN(near)(int skips, const REAL *x, ptrdiff_t n, double *count) {
    *count = (double)n;
    if (sizeof(REAL) == 8) {
        const double sum = skips ? FN(sum_of_numbers)(x, n, count)
                                 : FN(reduce_block)(FN(add_number), FN(add), FN(merge_sums), 0, x, x, n);
        return sum / (*count > 0 ? *count : 1);
    }
    ptrdiff_t i = 0;
    while (i < n - 1 && !(__builtin_fabs((double)x[i]) <= (double)LARGEST)) i++;
    return __builtin_fabs((double)x[i]) <= (double)LARGEST ? (double)x[i] : 0;
}

/* From sums of deviations and of their squares. */
INLINE void FN(moments_about)(double about, double count, double sum, double squares,
                              double moments[VEKT_N_MOMENTS]) {
    const double some = count > 0 ? count : 1, rest = sum / some;
    const double mean = about + rest, added = mean - about;
    double left = sizeof(REAL) == 8 ? squares - sum * rest : (count * squares - sum * sum) / some;
    left = left < 0 ? 0 : left;
    const int finite = __builtin_fabs(about) <= __DBL_MAX__;
    moments[VEKT_MOMENTS_COUNT] = count;
    moments[VEKT_MOMENTS_MEAN] = finite ? mean : about;
    moments[VEKT_MOMENTS_REST] = __builtin_fabs(mean) <= __DBL_MAX__ ? (about - (mean - added)) + (rest - added) : 0;
    moments[VEKT_MOMENTS_SQUARES] = left;
}

INLINE void FN(moments_of_stretch)(int skips, const REAL *x, ptrdiff_t n, double moments[VEKT_N_MOMENTS]) {
    double count;
    const double near = FN(near)(skips, x, n, &count);
    const vf64 about = v_splat_f64(near);
    vf64 square[VECTORS], sum[VECTORS / 2 + 1], known[VECTORS / 2 + 1];
    const int halves = VECTORS / 2;
    for (int j = 0; j < VECTORS; j++) square[j] = v_splat_f64(0);
    for (int j = 0; j < halves; j++) sum[j] = known[j] = v_splat_f64(0);
    const int counts = skips && sizeof(REAL) == 4;
    ptrdiff_t left = n;
    for (; left >= WIDTH; left -= WIDTH, x += WIDTH) {
#pragma GCC unroll 16
        for (int j = 0; j < halves; j++) {
            const vf64 a = FN(v_load_wide)(x + j * LANES_F64), b = FN(v_load_wide)(x + (j + halves) * LANES_F64);
            const vf64 d = FN(deviation)(skips, a, about), e = FN(deviation)(skips, b, about);
            sum[j] += d + e;
            square[j] = v_mad(d, d, square[j]);
            square[j + halves] = v_mad(e, e, square[j + halves]);
            if (counts) known[j] += FN(one_if_number)(a) + FN(one_if_number)(b);
        }
    }
    double absent = 0;
#pragma GCC unroll 16
    for (int j = 0; j < VECTORS; j++, left -= LANES_F64, x += LANES_F64) {
        if (left <= 0) break;
        vf64 a = about;
        if (left >= LANES_F64) {
            a = FN(v_load_wide)(x);
        } else {
            REAL end[LANES];
            double wide[LANES_F64];
            FN(v_store)(end, FN(v_load_first)(x, left));
            for (int k = 0; k < LANES_F64; k++) wide[k] = k < left ? (double)end[k] : near;
            a = v_load_f64(wide);
            absent = (double)(LANES_F64 - left);
        }
        const vf64 d = FN(deviation)(skips, a, about);
        sum[j % halves] += d;
        square[j] = v_mad(d, d, square[j]);
        if (counts) known[j % halves] += FN(one_if_number)(a);
    }
    if (counts) count = FN(sum_of_lanes)(known, halves) - absent;
    FN(moments_about)(near, count, FN(sum_of_lanes)(sum, halves), FN(sum_of_lanes)(square, VECTORS), moments);
}

INLINE void FN(block_moments)(int skips, const void *px, ptrdiff_t n, double moments[VEKT_N_MOMENTS]) {
    const REAL *x = px;
    memset(moments, 0, VEKT_N_MOMENTS * sizeof *moments);
    for (ptrdiff_t m; n > 0; n -= m, x += m) {
        double b[VEKT_N_MOMENTS];
        m = n < FN(MOMENTS_STRETCH) ? n : FN(MOMENTS_STRETCH);
        FN(moments_of_stretch)(skips, x, m, b);
        vekt_merge_moments(&moments[0], &moments[1], &moments[2], &moments[3], b[0], b[1], b[2], b[3]);
    }
}

/* A vector of columns: numbers near them, then sums about these. */
INLINE vf64 FN(row)(const char *x, ptrdiff_t n) {
    return n < LANES_F64 ? FN(load_wide_first)((const REAL *)x, n) : FN(v_load_wide)((const REAL *)x);
}

INLINE vf64 FN(near_columns)(int skips, const char *x, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t n) {
    const vf64 zero = v_splat_f64(0), largest = v_splat_f64(__DBL_MAX__);
    if (sizeof(REAL) == 4) {
        vf64 near = FN(row)(x, n);
        for (ptrdiff_t i = 1; i < rows && !v_all(v_le(v_abs(near), largest)); i++)
            near = v_select(v_le(v_abs(near), largest), near, FN(row)(x + i * step, n));
        return v_select(v_le(v_abs(near), largest), near, zero);
    }
    vf64 sum[2] = {zero, zero}, known = zero;
    for (ptrdiff_t i = 0; i < rows; i++) {
        const vf64 a = FN(row)(x + i * step, n);
        sum[i & 1] += skips ? v_select(v_eq(a, a), a, zero) : a;
        if (skips) known += FN(one_if_number)(a);
    }
    return (sum[0] + sum[1]) / (skips ? v_max(known, v_splat_f64(1)) : v_splat_f64((double)rows));
}

INLINE void FN(column_moments)(int skips, const void *px, ptrdiff_t step, ptrdiff_t rows, double *moments,
                               ptrdiff_t width, ptrdiff_t n) {
    enum { PANEL = 64 };
    const char *x = px;
    double about[PANEL], count[PANEL], sum[PANEL], square[PANEL];
    for (ptrdiff_t m; n > 0; n -= m, moments += m) {
        m = n < PANEL ? n : PANEL;
        for (ptrdiff_t j = 0; j < m; j += LANES_F64, x += LANES_F64 * sizeof(REAL)) {
            const ptrdiff_t left = m - j;
            const vf64 near = FN(near_columns)(skips, x, step, rows, left);
            vf64 total[2], squares[2], known = v_splat_f64(skips ? 0 : (double)rows);
            total[0] = total[1] = squares[0] = squares[1] = v_splat_f64(0);
            for (ptrdiff_t i = 0; i < rows; i++) {
                const vf64 a = FN(row)(x + i * step, left), d = FN(deviation)(skips, a, near);
                total[i & 1] += d;
                squares[i & 1] = v_mad(d, d, squares[i & 1]);
                if (skips) known += FN(one_if_number)(a);
            }
            v_store_f64(about + j, near);
            v_store_f64(count + j, known);
            v_store_f64(sum + j, total[0] + total[1]);
            v_store_f64(square + j, squares[0] + squares[1]);
        }
        for (ptrdiff_t j = 0; j < m; j++) {
            double b[VEKT_N_MOMENTS];
            FN(moments_about)(about[j], count[j], sum[j], square[j], b);
            vekt_merge_moments(&moments[j], &moments[width + j], &moments[2 * width + j], &moments[3 * width + j],
                               b[0], b[1], b[2], b[3]);
        }
    }
}

#define MOMENTS(name, skips)                                                                            \
    static void FN(name##_block)(const void *x, ptrdiff_t n, double moments[VEKT_N_MOMENTS]) {          \
        FN(block_moments)(skips, x, n, moments);                                                        \
    }                                                                                                   \
    static void FN(name##_columns)(const void *x, ptrdiff_t step, ptrdiff_t rows, vekt_number *moments, \
                                   ptrdiff_t width, ptrdiff_t n) {                                      \
        FN(column_moments)(skips, x, step, rows, &moments->real, width, n);                             \
    }

MOMENTS(moments, 0)
MOMENTS(number_moments, 1)

#undef MOMENTS
#undef WIDTH
#undef VECTORS
