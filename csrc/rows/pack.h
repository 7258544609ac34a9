/* Between memory and panels: element j of row l stands at j * LANES + l of a panel.
 *
 * Rows that lie side by side are copied vector by vector, rows that lie one after the other transposed in squares of
 * four.  Lanes without a row are zero.  The steps are in bytes; one of the two is the size of an element. */

typedef REAL FN(quad) __attribute__((vector_size(4 * sizeof(REAL))));

INLINE void FN(transpose)(FN(quad) x[4]) {
    FN(quad) a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
    FN(quad) c = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
    x[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    x[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    x[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    x[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

/* Element j of row l from src + l * src_step + j * sizeof(REAL) to dst + l * sizeof(REAL) + j * dst_step.  The last
 * squares overlap those before them where a size is no multiple of 4. */
static void FN(transpose_rows)(void *dst, ptrdiff_t dst_step, const void *src, ptrdiff_t src_step, ptrdiff_t rows,
                               ptrdiff_t n) {
    const ptrdiff_t item = sizeof(REAL);
    if (rows < 4 || n < 4) {
        for (ptrdiff_t l = 0; l < rows; l++)
            for (ptrdiff_t j = 0; j < n; j++)
                memcpy((char *)dst + l * item + j * dst_step, (const char *)src + l * src_step + j * item,
                       sizeof(REAL));
        return;
    }
    for (ptrdiff_t next_l = 0; next_l < rows; next_l += 4) {
        const ptrdiff_t l = next_l + 4 > rows ? rows - 4 : next_l;
        for (ptrdiff_t next_j = 0; next_j < n; next_j += 4) {
            const ptrdiff_t j = next_j + 4 > n ? n - 4 : next_j;
            const char *from = (const char *)src + l * src_step + j * item;
            char *to = (char *)dst + l * item + j * dst_step;
            FN(quad) square[4];
            for (int i = 0; i < 4; i++) memcpy(&square[i], from + i * src_step, sizeof square[i]);
            FN(transpose)(square);
            for (int i = 0; i < 4; i++) memcpy(to + i * dst_step, &square[i], sizeof square[i]);
        }
    }
}

/* Elements whose memory is asked for before it is used: the processor's own prefetcher does not cross pages. */
#define AHEAD 8

static void FN(pack)(void *panels, const void *src, ptrdiff_t row_step, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t n) {
    const ptrdiff_t item = sizeof(REAL), lane_bytes = sizeof(VEC);
    REAL *p = panels;
    const char *x = src;
    if (rows % LANES) memset(p + rows / LANES * LANES * n, 0, (size_t)(n * lane_bytes));
    if (row_step != item) {
        for (; rows > 0; rows -= LANES, p += n * LANES, x += LANES * row_step)
            FN(transpose_rows)(p, lane_bytes, x, row_step, rows < LANES ? rows : LANES, n);
        return;
    }
    for (ptrdiff_t j = 0; j < n; j++, x += step, p += LANES) {
        const REAL *from = (const REAL *)x;
        REAL *to = p;
        ptrdiff_t l = 0;
        for (ptrdiff_t b = 0; b < rows * item; b += 64) __builtin_prefetch(x + AHEAD * step + b);
        for (; l + LANES <= rows; l += LANES, to += n * LANES) FN(v_store)(to, FN(v_load)(from + l));
        if (l < rows) FN(v_store)(to, FN(v_load_first)(from + l, rows - l));
    }
}

static void FN(unpack)(void *dst, ptrdiff_t row_step, ptrdiff_t step, const void *panels, ptrdiff_t rows,
                       ptrdiff_t n) {
    const ptrdiff_t item = sizeof(REAL), lane_bytes = sizeof(VEC);
    const REAL *p = panels;
    char *y = dst;
    if (row_step != item) {
        /* The way back: the n vectors of a panel are its rows. */
        for (; rows > 0; rows -= LANES, p += n * LANES, y += LANES * row_step)
            FN(transpose_rows)(y, row_step, p, lane_bytes, n, rows < LANES ? rows : LANES);
        return;
    }
    for (ptrdiff_t j = 0; j < n; j++, y += step, p += LANES) {
        const REAL *from = p;
        REAL *to = (REAL *)y;
        ptrdiff_t l = 0;
        for (ptrdiff_t b = 0; b < rows * item; b += 64) __builtin_prefetch(y + AHEAD * step + b, 1);
        for (; l + LANES <= rows; l += LANES, from += n * LANES) FN(v_store)(to + l, FN(v_load)(from));
        if (l < rows) FN(v_store_first)(to + l, FN(v_load)(from), rows - l);
    }
}

#undef AHEAD
