/* Copies of a and b in the order in which the tiles read them: for every k the `width` elements of a tile's rows or
 * columns, tile after tile.  Elements beyond the last row or column are zero. */

static void FN(gather)(REAL *out, ptrdiff_t out_row, const char *src, ptrdiff_t row, ptrdiff_t col, ptrdiff_t rows,
                       ptrdiff_t cols) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < cols; j++) out[i * out_row + j] = *(const FN(element) *)(src + i * row + j * col);
}

/* `count` elements, col bytes apart, for each of k steps of row bytes. */
static void FN(pack_sliver)(REAL *out, ptrdiff_t width, const char *src, ptrdiff_t row, ptrdiff_t col, ptrdiff_t k,
                            ptrdiff_t count) {
    const ptrdiff_t item = sizeof(REAL);
    for (ptrdiff_t p = 0; p < k && count < width; p++)
        memset(out + p * width + count, 0, (size_t)((width - count) * item));
    if (col == item) {
        for (ptrdiff_t p = 0; p < k; p++, out += width, src += row) memcpy(out, src, (size_t)(count * item));
    } else if (row == item) {
        for (ptrdiff_t p = 0; p < k; p += TRANSPOSE_STEPS) {
            const ptrdiff_t steps = k - p < TRANSPOSE_STEPS ? k - p : TRANSPOSE_STEPS;
            const char *from = src + p * item;
            for (ptrdiff_t i = 0; i < count && p + steps < k; i++)
                for (ptrdiff_t line = 0; line < steps * item; line += 64)
                    __builtin_prefetch(from + i * col + steps * item + line, 0, 2);
            FN(transpose_rows)(out + p * width, width * item, from, col, count, steps);
        }
    } else {
        FN(gather)(out, width, src, row, col, k, count);
    }
}

static size_t FN(packed_bytes)(ptrdiff_t k, ptrdiff_t n) {
    return (size_t)((n + SLIVER - 1) / SLIVER * SLIVER * k) * sizeof(REAL);
}

static void FN(pack)(void *packed, const vekt_matrix *b, ptrdiff_t k, ptrdiff_t n) {
    REAL *out = packed;
    for (ptrdiff_t j = 0; j < n; j += SLIVER, out += SLIVER * k)
        FN(pack_sliver)(out, SLIVER, b->data + j * b->col, b->row, b->col, k, n - j < SLIVER ? n - j : SLIVER);
}
