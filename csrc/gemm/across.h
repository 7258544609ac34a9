/* Sums of a few rows where b's columns are contiguous: the order of sums allows no dot products along them, so
 * vectors across LANES columns are turned up in registers.  That is four shuffles for each vector of b, once for all
 * rows; with one row alone it takes 1.1 to 2 times as long as the dot products of dots.h, which come first unless the
 * product is to be invariant. */

/* Vectors across: where one chain hides its latency behind the shuffles, a second only adds rows that are read side
 * by side, which then come too slowly from beyond L2.  Prefetching them gained nothing. */
enum { FN(GROUPS) = LANES >= 16 ? 1 : 2 };

/* One more link of the chains of one vector of columns. */
INLINE void FN(across_link)(const int rows, VEC s[4][FN(GROUPS)], const int g, const char *const row[4],
                            ptrdiff_t step, VEC column) {
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
        s[i][g] = FN(v_mad)(FN(v_splat)(*(const FN(element) *)(row[i] + step)), column, s[i][g]);
}

/* sum (rows, n) = a (last, k) b (k, n), with n up to GROUPS * LANES; rows beyond those of a repeat the last one. */
INLINE void FN(across)(const int rows, ptrdiff_t last, const vekt_matrix *a, const char *b, ptrdiff_t b_col,
                       ptrdiff_t n, ptrdiff_t k, REAL *sum, ptrdiff_t sum_row) {
    VEC s[4][FN(GROUPS)];
    const char *row[4];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        row[i] = a->data + (i < last ? i : last - 1) * a->row;
#pragma GCC unroll 2
        for (int g = 0; g < FN(GROUPS); g++) s[i][g] = (VEC){0};
    }
    ptrdiff_t steps = FN(to_line)(b, b_col);
    for (; k > 0; k -= steps, b += steps * (ptrdiff_t)sizeof(REAL), steps = LANES) {
        if (steps > k) steps = k;
#pragma GCC unroll 2
        for (int g = 0; g < FN(GROUPS); g++) {
            VEC column[LANES];
            FN(load_columns)(column, b + g * LANES * b_col, b_col, n - g * LANES, steps);
            if (steps == LANES) {
#pragma GCC unroll 16
                for (int p = 0; p < LANES; p++) FN(across_link)(rows, s, g, row, p * a->col, column[p]);
            } else { /* in memory, for a number that is no constant */
                REAL left[LANES * LANES];
                memcpy(left, column, sizeof left);
                for (int p = 0; p < steps; p++)
                    FN(across_link)(rows, s, g, row, p * a->col, FN(v_load)(left + p * LANES));
            }
        }
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++) row[i] += steps * a->col;
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int g = 0; g < FN(GROUPS); g++)
            if (i < last) FN(v_store)(sum + i * sum_row + g * LANES, s[i][g]);
}

#define ACROSS(rows)                                                                                                 \
    static void FN(across_##rows)(ptrdiff_t last, const vekt_matrix *a, const char *b, ptrdiff_t b_col, ptrdiff_t n, \
                                  ptrdiff_t k, REAL *sum, ptrdiff_t sum_row) {                                       \
        FN(across)(rows, last, a, b, b_col, n, k, sum, sum_row);                                                     \
    }
ACROSS(1)
ACROSS(2)
ACROSS(4)
#undef ACROSS
