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

/* Full squares: the last one of a row begins earlier where n is no multiple of 4. */
#define EACH_SQUARE(n, j) for (ptrdiff_t j = 0; j<(n); j = j + 8>(n) && j + 4 < (n) ? (n) - 4 : j + 4)

static void FN(pack)(void *panels, const void *src, ptrdiff_t row_step, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t n) {
    REAL *p = panels;
    const char *x = src;
    if (rows % LANES) memset(p + rows / LANES * LANES * n, 0, (size_t)(n * LANES) * sizeof(REAL));
    if (row_step == sizeof(REAL)) {
        for (ptrdiff_t j = 0; j < n; j++) {
            const REAL *q = (const REAL *)(x + j * step);
            REAL *to = p + j * LANES;
            ptrdiff_t l = 0;
            for (; l + LANES <= rows; l += LANES, to += n * LANES) FN(v_store)(to, FN(v_load)(q + l));
            if (l < rows) FN(v_store)(to, FN(v_load_first)(q + l, rows - l));
        }
        return;
    }
    for (ptrdiff_t l = 0; l < rows; l += LANES, p += n * LANES, x += LANES * row_step) {
        ptrdiff_t here = rows - l < LANES ? rows - l : LANES, done = 0;
        if (n >= 4) {
            for (; done + 4 <= here; done += 4) EACH_SQUARE(n, j) {
                    FN(quad) square[4];
                    for (int i = 0; i < 4; i++)
                        memcpy(&square[i], x + (done + i) * row_step + j * (ptrdiff_t)sizeof(REAL), sizeof square[i]);
                    FN(transpose)(square);
                    for (int i = 0; i < 4; i++) memcpy(p + (j + i) * LANES + done, &square[i], sizeof square[i]);
                }
        }
        for (; done < here; done++)
            for (ptrdiff_t j = 0; j < n; j++)
                memcpy(p + j * LANES + done, x + done * row_step + j * (ptrdiff_t)sizeof(REAL), sizeof(REAL));
    }
}

static void FN(unpack)(void *dst, ptrdiff_t row_step, ptrdiff_t step, const void *panels, ptrdiff_t rows,
                       ptrdiff_t n) {
    const REAL *p = panels;
    char *y = dst;
    if (row_step == sizeof(REAL)) {
        for (ptrdiff_t j = 0; j < n; j++) {
            REAL *q = (REAL *)(y + j * step);
            const REAL *from = p + j * LANES;
            ptrdiff_t l = 0;
            for (; l + LANES <= rows; l += LANES, from += n * LANES) FN(v_store)(q + l, FN(v_load)(from));
            if (l < rows) FN(v_store_first)(q + l, FN(v_load)(from), rows - l);
        }
        return;
    }
    for (ptrdiff_t l = 0; l < rows; l += LANES, p += n * LANES, y += LANES * row_step) {
        ptrdiff_t here = rows - l < LANES ? rows - l : LANES, done = 0;
        if (n >= 4) {
            for (; done + 4 <= here; done += 4) EACH_SQUARE(n, j) {
                    FN(quad) square[4];
                    for (int i = 0; i < 4; i++) memcpy(&square[i], p + (j + i) * LANES + done, sizeof square[i]);
                    FN(transpose)(square);
                    for (int i = 0; i < 4; i++)
                        memcpy(y + (done + i) * row_step + j * (ptrdiff_t)sizeof(REAL), &square[i], sizeof square[i]);
                }
        }
        for (; done < here; done++)
            for (ptrdiff_t j = 0; j < n; j++)
                memcpy(y + done * row_step + j * (ptrdiff_t)sizeof(REAL), p + j * LANES + done, sizeof(REAL));
    }
}

#undef EACH_SQUARE
