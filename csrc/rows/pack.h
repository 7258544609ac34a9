/* Between memory and panels: element j of row l stands at j * LANES + l of a panel.
 *
 * Rows that lie side by side are copied vector by vector, rows that lie one after the other transposed in squares of
 * four.  Lanes without a row are zero.  The steps are in bytes; one of the two is the size of an element. */

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
