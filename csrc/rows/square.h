/* The transposed copy of elements of BYTES; see transpose.h. */
#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define T(name) PASTE(name, BYTES)
#define SIDE (16 / BYTES) /* of a square: elements of a vector */

/* Each of log2(SIDE) steps interleaves row i with row i + SIDE/2.  The first n rows of the result are wanted. */
INLINE void T(square)(char *dst, ptrdiff_t dst_step, const char *src, ptrdiff_t src_step, ptrdiff_t n) {
    T(quad) x[SIDE], y[SIDE];
#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i++) memcpy(&x[i], src + i * src_step, sizeof x[i]);
#pragma GCC unroll 16
    for (int step = 1; step < SIDE; step *= 2) {
#pragma GCC unroll 16
        for (int i = 0; i < SIDE / 2; i++) {
            y[2 * i] = T(zip_low)(x[i], x[i + SIDE / 2]);
            y[2 * i + 1] = T(zip_high)(x[i], x[i + SIDE / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < SIDE; i++) x[i] = y[i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i++)
        if (i < n) memcpy(dst + i * dst_step, &x[i], sizeof x[i]);
}

/* Rows shorter than a vector, of which whole ones are read where that ends before the last row does.  Returns how
 * many rows have been copied. */
static ptrdiff_t T(transpose_short)(char *to, ptrdiff_t dst_step, const char *from, ptrdiff_t src_step,
                                    ptrdiff_t rows, ptrdiff_t n) {
    if (src_step < n * BYTES) return 0;
    const ptrdiff_t whole = rows - vekt_ceil_divide(16 - n * BYTES, src_step);
    for (ptrdiff_t next = 0; whole >= SIDE && next < whole; next += SIDE) {
        const ptrdiff_t l = next + SIDE > whole ? whole - SIDE : next;
        T(square)(to + l * BYTES, dst_step, from + l * src_step, src_step, n);
    }
    return whole >= SIDE ? whole : 0;
}

/* Element j of row l from src + l * src_step + j * BYTES to dst + j * dst_step + l * BYTES.  The last squares overlap
 * those before them. */
static void T(transpose)(void *dst, ptrdiff_t dst_step, const void *src, ptrdiff_t src_step, ptrdiff_t rows,
                         ptrdiff_t n) {
    char *to = dst;
    const char *from = src;
    if (n < SIDE && n < rows) {
        const ptrdiff_t done = T(transpose_short)(to, dst_step, from, src_step, rows, n);
        for (ptrdiff_t j = 0; j < n; j++)
            for (ptrdiff_t l = done; l < rows; l++)
                memcpy(to + j * dst_step + l * BYTES, from + l * src_step + j * BYTES, BYTES);
        return;
    }
    if (rows < SIDE || n < SIDE) {
        for (ptrdiff_t l = 0; l < rows; l++)
            for (ptrdiff_t j = 0; j < n; j++)
                memcpy(to + j * dst_step + l * BYTES, from + l * src_step + j * BYTES, BYTES);
        return;
    }
    for (ptrdiff_t next_l = 0; next_l < rows; next_l += SIDE) {
        const ptrdiff_t l = next_l + SIDE > rows ? rows - SIDE : next_l;
        for (ptrdiff_t next_j = 0; next_j < n; next_j += SIDE) {
            const ptrdiff_t j = next_j + SIDE > n ? n - SIDE : next_j;
            T(square)(to + j * dst_step + l * BYTES, dst_step, from + l * src_step + j * BYTES, src_step, SIDE);
        }
    }
}

#undef PASTE_
#undef PASTE
#undef T
#undef SIDE
