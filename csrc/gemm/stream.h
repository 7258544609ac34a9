/* Sums of a few rows that grow while the rows of b stream by: each is read once, in the order in which it lies, and
 * several of them meet the sums on each way from memory to memory. */

/* Elements before the next whole vector of every row, 1 to LANES: vectors that straddle two lines of the cache take
 * two loads, and where rows are a multiple of 4 KB apart the second line is gone from L1 before its turn. */
static ptrdiff_t FN(to_line)(const char *p, ptrdiff_t row) {
    const ptrdiff_t bytes = sizeof(VEC);
    return row % bytes ? LANES : LANES - (ptrdiff_t)((uintptr_t)p % sizeof(VEC) / sizeof(REAL));
}

/* sum (rows, n) += x (rows, depth) b (depth, n), for n up to LANES. */
INLINE void FN(stream_vector)(const int rows, const int depth, VEC x[4][8], const char *b, ptrdiff_t b_row, REAL *sum,
                              ptrdiff_t sum_row, ptrdiff_t n) {
    VEC y[8];
#pragma GCC unroll 8
    for (int p = 0; p < depth; p++) {
        const REAL *row = (const REAL *)(b + p * b_row);
        y[p] = n == LANES ? FN(v_load)(row) : FN(v_load_first)(row, n);
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        REAL *to = sum + i * sum_row;
        VEC s = n == LANES ? FN(v_load)(to) : FN(v_load_first)(to, n);
#pragma GCC unroll 8
        for (int p = 0; p < depth; p++) s = FN(v_mad)(x[i][p], y[p], s);
        if (n == LANES)
            FN(v_store)(to, s);
        else
            FN(v_store_first)(to, s, n);
    }
}

/* The same for any n, and x = a (rows, depth). */
INLINE void FN(stream_step)(const int rows, const int depth, const vekt_matrix *a, const char *b, ptrdiff_t b_row,
                            REAL *sum, ptrdiff_t sum_row, ptrdiff_t n) {
    VEC x[4][8];
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
        for (int p = 0; p < depth; p++)
            x[i][p] = FN(v_splat)(*(const FN(element) *)(a->data + i * a->row + p * a->col));
    const ptrdiff_t part = FN(to_line)(b, b_row);
    if (part < LANES && part < n) {
        FN(stream_vector)(rows, depth, x, b, b_row, sum, sum_row, part);
        n -= part;
        b += part * (ptrdiff_t)sizeof(REAL);
        sum += part;
    }
    for (; n >= LANES; n -= LANES, b += sizeof(VEC), sum += LANES)
        FN(stream_vector)(rows, depth, x, b, b_row, sum, sum_row, LANES);
    if (n > 0) FN(stream_vector)(rows, depth, x, b, b_row, sum, sum_row, n);
}

/* The deeper, the less often sums are loaded and stored: as far as the elements of a leave registers for b. */
#define STREAM_KERNEL(rows, depth)                                                                           \
    static void FN(stream_##rows##_##depth)(const vekt_matrix *a, const char *b, ptrdiff_t b_row, REAL *sum, \
                                            ptrdiff_t sum_row, ptrdiff_t n) {                                \
        FN(stream_step)(rows, depth, a, b, b_row, sum, sum_row, n);                                          \
    }
STREAM_KERNEL(1, 1)
STREAM_KERNEL(1, 4)
STREAM_KERNEL(1, 8)
#if VEKT_VECTOR_BYTES == 64 || defined(__aarch64__)
#define STREAM_ROWS 4
#define STREAM_DEPTHS {8, 8, 4, 4}
STREAM_KERNEL(2, 8)
STREAM_KERNEL(3, 4)
STREAM_KERNEL(4, 4)
#else
#define STREAM_ROWS 2
#define STREAM_DEPTHS {8, 4}
STREAM_KERNEL(2, 4)
#endif
#undef STREAM_KERNEL

/* The deepest kernels for up to STREAM_ROWS rows, and rows one by one for the rest of k. */
typedef void (*FN(stream_kernel))(const vekt_matrix *a, const char *b, ptrdiff_t b_row, REAL *sum, ptrdiff_t sum_row,
                                  ptrdiff_t n);
static void FN(stream_rows)(ptrdiff_t rows, vekt_matrix a, const char *b, ptrdiff_t b_row, REAL *sum,
                            ptrdiff_t sum_row, ptrdiff_t n, ptrdiff_t k) {
#if STREAM_ROWS == 4
    static const FN(stream_kernel) kernels[] = {FN(stream_1_8), FN(stream_2_8), FN(stream_3_4), FN(stream_4_4)};
#else
    static const FN(stream_kernel) kernels[] = {FN(stream_1_8), FN(stream_2_4)};
#endif
    static const int depths[] = STREAM_DEPTHS;
    const int depth = depths[rows - 1];
    for (; k >= depth; k -= depth, a.data += depth * a.col, b += depth * b_row)
        kernels[rows - 1](&a, b, b_row, sum, sum_row, n);
    for (int step; k > 0; k -= step, a.data += step * a.col, b += step * b_row) {
        step = k >= 4 ? 4 : 1;
        vekt_matrix row = a;
        for (ptrdiff_t i = 0; i < rows; i++, row.data += row.row)
            (step == 4 ? FN(stream_1_4) : FN(stream_1_1))(&row, b, b_row, sum + i * sum_row, sum_row, n);
    }
}

/* sum (rows, n) += a (rows, k) b (k, n): each chain longer by k links. */
static void FN(stream)(ptrdiff_t rows, const vekt_matrix *a, const char *b, ptrdiff_t b_row, REAL *sum,
                       ptrdiff_t sum_row, ptrdiff_t n, ptrdiff_t k) {
    for (ptrdiff_t i = 0; i < rows; i += STREAM_ROWS) {
        const vekt_matrix from = {a->data + i * a->row, a->row, a->col};
        FN(stream_rows)(rows - i < STREAM_ROWS ? rows - i : STREAM_ROWS, from, b, b_row, sum + i * sum_row, sum_row,
                        n, k);
    }
}
#undef STREAM_ROWS
#undef STREAM_DEPTHS

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
