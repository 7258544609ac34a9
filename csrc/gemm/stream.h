/* Sums of a few rows that grow while the rows of b stream by: b is read once, in the order in which it lies, and
 * several rows of b meet the sums on each way from memory to memory. */

/* sum (rows, n) += a (rows, depth) b (depth, n): one more link of each chain for each row of b.  n > 0. */
INLINE void FN(stream_step)(const int rows, const int depth, const char *a, ptrdiff_t a_row, ptrdiff_t a_col,
                            const char *b, ptrdiff_t b_row, REAL *sum, ptrdiff_t sum_row, ptrdiff_t n) {
    VEC x[4][8];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int p = 0; p < depth; p++)
            x[i][p] = FN(v_splat)(*(const FN(element) *)(a + i * a_row + p * a_col));
    for (; n >= LANES; n -= LANES, b += sizeof(VEC), sum += LANES) {
        VEC y[8];
#pragma GCC unroll 8
        for (int p = 0; p < depth; p++) y[p] = FN(v_load)((const void *)(b + p * b_row));
#pragma GCC unroll 4
        for (int i = 0; i < rows; i++) {
            VEC s = FN(v_load)(sum + i * sum_row);
#pragma GCC unroll 8
            for (int p = 0; p < depth; p++) s = FN(v_mad)(x[i][p], y[p], s);
            FN(v_store)(sum + i * sum_row, s);
        }
    }
    if (n == 0) return;
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        VEC s = FN(v_load_first)(sum + i * sum_row, n);
#pragma GCC unroll 8
        for (int p = 0; p < depth; p++)
            s = FN(v_mad)(x[i][p], FN(v_load_first)((const void *)(b + p * b_row), n), s);
        FN(v_store_first)(sum + i * sum_row, s, n);
    }
}

typedef void (*FN(stream_kernel))(const char *a, ptrdiff_t a_row, ptrdiff_t a_col, const char *b, ptrdiff_t b_row,
                                  REAL *sum, ptrdiff_t sum_row, ptrdiff_t n);
#define STREAM_KERNEL(rows, depth)                                                                                  \
    static void FN(stream_##rows##_##depth)(const char *a, ptrdiff_t a_row, ptrdiff_t a_col, const char *b,         \
                                            ptrdiff_t b_row, REAL *sum, ptrdiff_t sum_row, ptrdiff_t n) {           \
        FN(stream_step)(rows, depth, a, a_row, a_col, b, b_row, sum, sum_row, n);                                   \
    }
/* As many elements of a as leave registers for b and the sums. */
STREAM_KERNEL(1, 8)
STREAM_KERNEL(1, 4)
STREAM_KERNEL(1, 1)
#if VEKT_VECTOR_BYTES == 64 || defined(__aarch64__)
STREAM_KERNEL(2, 8)
STREAM_KERNEL(4, 4)
#define STREAM_ROWS 4
#else
STREAM_KERNEL(2, 4)
#define STREAM_ROWS 2
#endif
#undef STREAM_KERNEL

/* Steps of k that all rows take before the next ones: b is in L1 for all rows but the first. */
enum { FN(STREAM_STEPS) = 8 };

/* The chains of `rows` rows over k steps. */
static void FN(stream)(ptrdiff_t rows, const char *a, ptrdiff_t a_row, ptrdiff_t a_col, const char *b,
                       ptrdiff_t b_row, REAL *sum, ptrdiff_t sum_row, ptrdiff_t n, ptrdiff_t k) {
    for (; k >= FN(STREAM_STEPS); k -= FN(STREAM_STEPS)) {
        ptrdiff_t i = 0;
#if STREAM_ROWS == 4
        for (; i + 4 <= rows; i += 4)
            for (int p = 0; p < 8; p += 4)
                FN(stream_4_4)(a + i * a_row + p * a_col, a_row, a_col, b + p * b_row, b_row, sum + i * sum_row,
                               sum_row, n);
        for (; i + 2 <= rows; i += 2)
            FN(stream_2_8)(a + i * a_row, a_row, a_col, b, b_row, sum + i * sum_row, sum_row, n);
#else
        for (; i + 2 <= rows; i += 2)
            for (int p = 0; p < 8; p += 4)
                FN(stream_2_4)(a + i * a_row + p * a_col, a_row, a_col, b + p * b_row, b_row, sum + i * sum_row,
                               sum_row, n);
#endif
        for (; i < rows; i++) FN(stream_1_8)(a + i * a_row, a_row, a_col, b, b_row, sum + i * sum_row, sum_row, n);
        a += FN(STREAM_STEPS) * a_col;
        b += FN(STREAM_STEPS) * b_row;
    }
    for (; k >= 4; k -= 4, a += 4 * a_col, b += 4 * b_row)
        for (ptrdiff_t i = 0; i < rows; i++)
            FN(stream_1_4)(a + i * a_row, a_row, a_col, b, b_row, sum + i * sum_row, sum_row, n);
    for (; k > 0; k--, a += a_col, b += b_row)
        for (ptrdiff_t i = 0; i < rows; i++)
            FN(stream_1_1)(a + i * a_row, a_row, a_col, b, b_row, sum + i * sum_row, sum_row, n);
}
#undef STREAM_ROWS

/* c (m, n) = or += sum. */
static void FN(add_run)(const vekt_matrix *c, const REAL *sum, ptrdiff_t sum_row, ptrdiff_t m, ptrdiff_t n, int add) {
    for (ptrdiff_t i = 0; i < m; i++, sum += sum_row) {
        char *row = c->data + i * c->row;
        ptrdiff_t j = 0;
        if (c->col == sizeof(REAL))
            for (; j + LANES <= n; j += LANES) {
                REAL *out = (REAL *)row + j;
                FN(v_store)(out, add ? FN(v_load)(out) + FN(v_load)(sum + j) : FN(v_load)(sum + j));
            }
        for (; j < n; j++) {
            FN(element) *out = (FN(element) *)(row + j * c->col);
            *out = add ? *out + sum[j] : sum[j];
        }
    }
}
