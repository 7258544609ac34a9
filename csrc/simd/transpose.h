/* Rows to columns, in squares of four. */

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
